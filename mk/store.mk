# What the mailbox store costs at 1,000 to 100,000 messages. Takes a minute and
# 500 MB of disk below STORE_BENCH, which should not be in memory.

STORE_BENCH ?= $(O)/bench-store

bench-store:
	@$(MAKE) --no-print-directory -j$(JOBS) tools
	@mkdir -p $(STORE_BENCH)
	@$(O)/t/tools/store_bench $(abspath $(STORE_BENCH))

.PHONY: bench-store
