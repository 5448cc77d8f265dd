# make bench: this suite and its peers side by side (t/bench/run); bench-imap is
# the part that is about mailboxes.
bench: deps
	@$(MAKE) --no-print-directory -j$(JOBS) all
	@t/bench/run
	@t/bench/imap/run

bench-imap: deps
	@$(MAKE) --no-print-directory -j$(JOBS) all
	@t/bench/imap/run

.PHONY: bench bench-imap
