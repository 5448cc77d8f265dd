# Unit tests of qmgr's pure parts link its objects without main.

QMGR_UNITS := $(filter $(O)/t/unit/qmgr/%,$(UNITS))

$(O)/libqmgr.a: $(O)/qmgr/mem.o $(O)/qmgr/plan.o $(O)/qmgr/shelf.o
	@rm -f $@
	@$(AR) rcs $@ $^

$(QMGR_UNITS): $(O)/libqmgr.a
$(QMGR_UNITS): LDLIBS += $(O)/libqmgr.a $(O)/libbase.a
