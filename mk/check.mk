# Dependencies, tests, and tools that look at the code.

JOBS    ?= $(shell nproc)
PYTEST  := /usr/bin/python3 -m pytest -qq -p no:cacheprovider --import-mode=importlib
TESTS   ?= t

deps:
	@mk/deps

# All tests: units, dialogues, system, lint. TESTS=t/system/test_x.py for some.
check: deps
	@$(MAKE) --no-print-directory -j$(JOBS) all units replays driver MODE=$(MODE)
	@$(MAKE) --no-print-directory -j$(JOBS) all driver tools MODE=fault
	@POSTA_BUILD=$(abspath $(O)) $(PYTEST) -n $(JOBS) --dist loadgroup $(TESTS)

# The same under the address and undefined behaviour sanitizers. Much lives as
# long as its process by design, which the leak check cannot know.
asan:
	@ASAN_OPTIONS=detect_leaks=0 $(MAKE) --no-print-directory check MODE=asan

lint:
	@$(PYTEST) t/lint

format:
	@clang-format -i $(SOURCES) $(HEADERS)

SOURCES := $(wildcard */*.c lib/*/*.c t/unit/*/*.c t/fuzz/*.c)
HEADERS := $(wildcard */*.h lib/*/*.h t/*/*.h)

tidy:
	@clang-tidy --quiet $(filter-out t/%,$(SOURCES)) -- $(CPPFLAGS) -Icmd -std=gnu17
	@cppcheck --quiet --error-exitcode=1 --inline-suppr --std=c11 -Ilib \
	    --enable=warning,performance,portability $(filter-out t/%,$(SOURCES))
	@$(MAKE) --no-print-directory -j$(JOBS) all MODE=analyze

demo: deps
	@$(MAKE) --no-print-directory -j$(JOBS) all
	@/usr/bin/python3 t/demo.py $(abspath $(O)/bin)

clean:
	@rm -rf build

.PHONY: deps check asan lint format tidy demo clean
