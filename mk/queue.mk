# t/queue/driver: qmgr with stand-ins around it. `make bench-queue` counts what
# a message costs qmgr, and tries a million recipients.

DRIVER := $(O)/t/queue/driver

$(DRIVER): $(call objects,t/queue) $(archives)
	@mkdir -p $(@D)
	@echo "  LD    $@"
	@$(CC) $(LDFLAGS) -o $@ $(call objects,t/queue) \
	    -Wl,--start-group $(archives) -Wl,--end-group $(LDLIBS)

$(O)/t/queue/%.o: CPPFLAGS += -It/queue

driver: $(DRIVER)

.PHONY: driver
