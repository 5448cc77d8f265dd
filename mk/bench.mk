# make bench: this suite and its peers side by side (t/bench/run).
bench: deps
	@$(MAKE) --no-print-directory -j$(JOBS) all
	@t/bench/run

.PHONY: bench
