# The randomised test of mailboxes, for as long as wanted: SECONDS=... SEED=...
# The seed is printed; MODEL_LINES=... says how much of a failure is told.

SECONDS ?= 3600

soak: deps
	@$(MAKE) --no-print-directory -j$(JOBS) all MODE=$(MODE)
	@cd t && POSTA_BUILD=$(abspath $(O)) PYTHONPATH=system /usr/bin/python3 \
	    -m model.run $(SECONDS) $(SEED)

.PHONY: soak
