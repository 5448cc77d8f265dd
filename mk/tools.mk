# Programs for the system tests: t/tools/PROGRAM_NAME.c with all of PROGRAM but
# its main.

TOOLS := $(patsubst %.c,$(O)/%,$(wildcard t/tools/*.c))

define tool
$(1): $(1).o $(filter-out %/main.o,$(call objects,$(2))) $(archives)
	@echo "  LD    $$@"
	@$(CC) $(LDFLAGS) -o $$@ $$(filter %.o,$$^) -Wl,--start-group \
	    $(archives) -Wl,--end-group $(LDLIBS)
endef
$(foreach t,$(TOOLS),$(eval \
    $(call tool,$(t),$(firstword $(subst _, ,$(notdir $(t)))))))
$(O)/t/tools/%.o: CPPFLAGS += -I.

tools: $(TOOLS)

units: tools

.PHONY: tools
