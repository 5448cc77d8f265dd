# make install DESTDIR=... PREFIX=/usr: programs, commands, manual pages.

SBIN      := $(DESTDIR)$(PREFIX)/sbin
BIN       := $(DESTDIR)$(PREFIX)/bin
DAEMONDIR := $(DESTDIR)$(PREFIX)/lib/postfix/sbin
MAN       := $(DESTDIR)$(PREFIX)/share/man
SYSCTL    := $(DESTDIR)$(PREFIX)/lib/sysctl.d
UNITS     := $(DESTDIR)$(PREFIX)/lib/systemd/system
PAGES     := $(wildcard */*.1 */*.5 */*.7 */*.8)
SETGID    := postdrop postqueue

install: all
	@install -d $(SBIN) $(BIN) $(DAEMONDIR) $(SYSCTL) $(UNITS)
	@install -m 755 $(DAEMONS:%=$(O)/bin/%) $(DAEMONDIR)
	@install -m 644 $(MODULES:%=$(O)/bin/%.so) $(DAEMONDIR)
	@install -m 755 $(O)/bin/posta $(SBIN)
	@for n in $(filter-out $(SETGID),$(NAMES)); do ln -sf posta $(SBIN)/$$n; done
	@# `posta set-permissions` gives these two their group.
	@for n in $(filter $(SETGID),$(NAMES)); do \
	    install -m 755 $(O)/bin/posta $(SBIN)/$$n; done
	@install -m 644 conf/60-posta.conf $(SYSCTL)
	@sed 's,/usr/sbin,$(PREFIX)/sbin,' conf/posta.service > $(UNITS)/posta.service
	@ln -sf ../sbin/sendmail $(BIN)/mailq
	@ln -sf ../sbin/sendmail $(BIN)/newaliases
	@ln -sf ../sbin/sendmail $(DESTDIR)$(PREFIX)/lib/sendmail
	@for p in $(PAGES); do d=$(MAN)/man$${p##*.}; \
	    install -d $$d; install -m 644 $$p $$d; done
	@# The table of main.cf(5) comes from the rows of parameters.def.
	@$(O)/bin/postconf --man-rows | \
	    sed -i '/^\.\\" PARAMETERS$$/r /dev/stdin' $(MAN)/man5/main.cf.5

.PHONY: install
