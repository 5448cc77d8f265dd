# Fuzzing: t/fuzz/NAME.c is a target, t/fuzz/corpus/NAME its seeds.
#
# `make fuzz` builds everything with clang, the sanitizers and libFuzzer and
# runs each target for FUZZ_SECONDS; inputs that are new go to
# build/fuzz/found/NAME, crashes to build/fuzz/crash-NAME-*. `make check` only
# replays the seeds (t/fuzz/test_replay.py), in any MODE and without clang.

FUZZ_SECONDS ?= 20
FUZZ_TARGETS := $(patsubst t/fuzz/%.c,%,$(wildcard t/fuzz/*.c))
REPLAYS      := $(FUZZ_TARGETS:%=$(O)/t/fuzz/%)

# libFuzzer brings its own main.
FUZZ_MAIN    := $(if $(filter fuzz,$(MODE)),,$(O)/t/fuzz/replay/main.o)
FUZZ_FLAGS   := $(if $(filter fuzz,$(MODE)),-fsanitize=fuzzer)

replays: $(REPLAYS)

# These use files of the client.
$(O)/t/fuzz/smtp_reply $(O)/t/fuzz/tls_policy: \
    $(filter-out %/main.o,$(patsubst %.c,$(O)/%.o,$(wildcard smtp/*.c)))
$(O)/t/fuzz/smtp_reply.o $(O)/t/fuzz/tls_policy.o: CPPFLAGS += -I.

# And these with parts of imapd.
$(O)/t/fuzz/imap_command $(O)/t/fuzz/imap_names $(O)/t/fuzz/login_imap: \
    $(filter-out %/main.o,$(patsubst %.c,$(O)/%.o,$(wildcard imapd/*.c)))
$(O)/t/fuzz/imap_command.o $(O)/t/fuzz/imap_names.o: CPPFLAGS += -I.
$(O)/t/fuzz/login_pop3: \
    $(filter-out %/main.o,$(patsubst %.c,$(O)/%.o,$(wildcard pop3d/*.c)))
$(O)/t/fuzz/login_imap.o $(O)/t/fuzz/login_pop3.o: CPPFLAGS += -I.

# One file of posta import.
$(O)/t/fuzz/import_mbox: $(O)/cmd/import_mbox.o
$(O)/t/fuzz/import_mbox.o: CPPFLAGS += -I.

# authd without its set-up, and without what needs other libraries.
$(O)/t/fuzz/authd: $(patsubst %,$(O)/authd/%.o, \
    ask cache login lookup name session source throttle verify)
$(O)/t/fuzz/authd_json: $(O)/authd/json.o
$(O)/t/fuzz/authd.o $(O)/t/fuzz/authd_json.o: CPPFLAGS += -I.

$(REPLAYS): $(O)/t/fuzz/%: $(O)/t/fuzz/%.o $(FUZZ_MAIN) $(archives)
	@echo "  LD    $@"
	@$(CC) $(LDFLAGS) $(FUZZ_FLAGS) -o $@ $(filter %.o,$^) \
	    -Wl,--start-group $(archives) -Wl,--end-group $(LDLIBS)

fuzz:
	@command -v clang > /dev/null || \
	    { echo "fuzz: needs the packages clang and libclang-rt-dev" >&2; exit 1; }
	@$(MAKE) --no-print-directory -j$(JOBS) replays MODE=fuzz CC=clang
	@printf '%s\n' $(FUZZ_TARGETS) | \
	    xargs -P $(JOBS) -I{} mk/fuzz {} $(FUZZ_SECONDS)

.PHONY: replays fuzz
