# Posta. One Makefile, not recursive, no configure.
#
#   make             build             make check    all tests
#   make demo        see it work       make install  DESTDIR=... PREFIX=...
#
# Folders are globbed: a new file needs no edit here. Objects go to
# build/MODE, where MODE is release (default), asan, fault, analyze, cover or
# fuzz. More targets are in mk/.

MODE     ?= release
PREFIX   ?= /usr
DESTDIR  ?=
CC       ?= gcc
O        := build/$(MODE)

PKGS     := libssl libcrypto libpcre2-8 lmdb libcap libcares libseccomp libidn2 libutf8proc zlib \
            libargon2 libidn
WARN     := -Wall -Wextra -Wshadow -Wconversion -Wformat=2 -Wvla \
            -Wmissing-prototypes -Werror
HARDEN   := -fPIE -fstack-protector-strong -fno-plt
CPPFLAGS += -Ilib -It -D_GNU_SOURCE
CFLAGS_release := -O2 -g -D_FORTIFY_SOURCE=2
CFLAGS_asan    := -O1 -g -fsanitize=address,undefined -fno-omit-frame-pointer \
                  -fno-sanitize-recover=undefined
CFLAGS_fault   := -O1 -g -DDISK_FAULT
CFLAGS_analyze := -O1 -g -fanalyzer
CFLAGS_cover   := -O0 -g --coverage
CFLAGS_fuzz    := -O1 -g -fsanitize=fuzzer-no-link,address,undefined
CFLAGS   += -std=gnu17 $(WARN) $(HARDEN) $(CFLAGS_$(MODE))
LDFLAGS  += -pie -Wl,-z,relro,-z,now -Wl,--as-needed \
            $(filter -fsanitize=% --coverage,$(CFLAGS_$(MODE)))
LDLIBS    = $(shell pkg-config --libs $(PKGS)) -lcrypt

# What only one program needs.
LIBS_authd := -lpam $(shell pkg-config --libs libcurl)

# What a program loads where it is needed: PROGRAM/NAME/*.c is PROGRAM-NAME.so,
# beside the programs.
MODULES  := authd-ldap
LIBS_authd-ldap := -lldap -llber

# Archives by level: each may use those to its right (t/lint/layers).
LIBS     := access daemon route store fts queue auth conf ipc map dns tls mail sys base
PROGRAMS := $(notdir $(patsubst %/main.c,%,$(wildcard */main.c)))

sources   = $(wildcard $(1)/*.c)
objects   = $(patsubst %.c,$(O)/%.o,$(call sources,$(1)))
archives  = $(foreach l,$(LIBS),$(if $(call sources,lib/$(l)),$(O)/lib$(l).a))

# What is built, and the other names of the commands' binary.
DAEMONS  := $(filter-out cmd,$(PROGRAMS))
NAMES    := $(filter-out posta,$(shell awk -F'"' '/^COMMAND/ {print $$2}' \
            cmd/commands.def))
BINARIES := $(DAEMONS:%=$(O)/bin/%) $(O)/bin/posta $(MODULES:%=$(O)/bin/%.so)

all: $(BINARIES) $(NAMES:%=$(O)/bin/%)

# One archive a folder of lib/.
define archive
$(O)/lib$(1).a: $(call objects,lib/$(1))
	@rm -f $$@
	@$(AR) rcs $$@ $$^
endef
$(foreach l,$(LIBS),$(eval $(call archive,$(l))))

# One program a folder with a main.c; cmd is called posta.
define program
$(O)/bin/$(2): $(call objects,$(1)) $(archives)
	@mkdir -p $$(@D)
	@echo "  LD    $$@"
	@$(CC) $(LDFLAGS) -o $$@ $(call objects,$(1)) \
	    -Wl,--start-group $(archives) -Wl,--end-group $(LDLIBS) $(LIBS_$(1))
endef
$(foreach p,$(DAEMONS),$(eval $(call program,$(p),$(p))))
$(eval $(call program,cmd,posta))

define module
$(O)/bin/$(1).so: $(wildcard $(subst -,/,$(1))/*.c $(subst -,/,$(1))_*.h)
	@mkdir -p $$(@D)
	@echo "  LD    $$@"
	@$(CC) $(CPPFLAGS) $(filter-out -fPIE,$(CFLAGS)) -fPIC -shared \
	    $(filter-out -pie,$(LDFLAGS)) -o $$@ $$(filter %.c,$$^) $(LIBS_$(1))
endef
$(foreach m,$(MODULES),$(eval $(call module,$(m))))

$(NAMES:%=$(O)/bin/%): $(O)/bin/posta
	@ln -sf posta $@

# It holds the templates, which the compiler does not see as headers.
$(O)/cmd/init.o: $(wildcard conf/*)

$(O)/%.o: %.c
	@mkdir -p $(@D)
	@echo "  CC    $<"
	@$(CC) $(CPPFLAGS) $(CFLAGS) -MMD -MP -c -o $@ $<

# Unit tests: t/unit/LIB/NAME.c tests lib/LIB/NAME.c, and
# t/unit/PROGRAM/NAME.c tests PROGRAM/NAME.c: all of it but main.c is linked.
UNITS    := $(patsubst %.c,$(O)/%,$(wildcard t/unit/*/*.c))
units: $(UNITS)

define unit
$(2): $(2).o $(archives) \
    $(filter-out %/main.o,$(if $(wildcard lib/$(1)/.),,$(call objects,$(1))))
	@echo "  LD    $$@"
	@$(CC) $(LDFLAGS) -o $$@ $$(filter %.o,$$^) -Wl,--start-group \
	    $(archives) -Wl,--end-group $(LDLIBS) $(LIBS_$(1)) -lcmocka
endef
$(foreach u,$(UNITS),$(eval \
    $(call unit,$(notdir $(patsubst %/,%,$(dir $(u)))),$(u))))
$(O)/t/unit/%.o: CPPFLAGS += -I.

include $(wildcard mk/*.mk)

-include $(shell find $(O) -name '*.d' 2>/dev/null)

.PHONY: all units
.SECONDARY:
