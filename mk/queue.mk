# t/queue/driver: qmgr with stand-ins around it.

DRIVER := $(O)/t/queue/driver

$(DRIVER): $(call objects,t/queue) $(archives)
	@mkdir -p $(@D)
	@echo "  LD    $@"
	@$(CC) $(LDFLAGS) -o $@ $(call objects,t/queue) \
	    -Wl,--start-group $(archives) -Wl,--end-group $(LDLIBS)

$(O)/t/queue/%.o: CPPFLAGS += -It/queue

driver: $(DRIVER)

# What a message costs qmgr, and how it bears a million. Takes some minutes
# and 4 GiB of disk below QUEUE_BENCH.
QUEUE_BENCH ?= $(O)/bench-queue

bench-queue:
	@$(MAKE) --no-print-directory -j$(JOBS) all driver
	@t/queue/bench $(abspath $(O)) $(abspath $(QUEUE_BENCH))

.PHONY: driver bench-queue
