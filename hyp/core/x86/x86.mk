# SPDX-License-Identifier: Apache-2.0
# Unit tests of the core's x86 part, as host programs: make test-core-x86

B ?= build
HOSTCC ?= gcc
CORE_X86 := $(patsubst %/,%,$(dir $(lastword $(MAKEFILE_LIST))))
CORE_X86_ROOT := $(CORE_X86)/../../..
CORE_X86_SOURCES := $(addprefix $(CORE_X86)/,exit.c irq.c cpuid.c msr.c port.c x2apic.c pvh.c acpi.c)
CORE_X86_TESTS := cpuid x2apic exit irq pvh
CORE_X86_HEADERS := $(wildcard $(CORE_X86)/*.h $(CORE_X86_ROOT)/hyp/include/*.h)
# -iquote: the system keeps its own <limits.h> and <errno.h>.
CORE_X86_HOST_FLAGS := -std=gnu11 -O1 -g -Wall -Wextra -Werror -Wshadow -Wmissing-prototypes \
	-iquote $(CORE_X86) -iquote $(CORE_X86_ROOT)/hyp/core/fake -iquote $(CORE_X86_ROOT)/hyp/include
CORE_X86_SANITIZE := -fsanitize=address,undefined -fno-sanitize-recover=all
CORE_X86_OBJECTS := $(patsubst $(CORE_X86)/%.c,$(B)/host/core-x86/%.o, \
	$(CORE_X86_SOURCES) $(CORE_X86)/test_stubs.c)

$(B)/host/core-x86/%.o: $(CORE_X86)/%.c $(CORE_X86_HEADERS)
	@mkdir -p $(@D)
	$(HOSTCC) $(CORE_X86_HOST_FLAGS) $(CORE_X86_SANITIZE) -c $< -o $@

$(B)/host/core-x86/%_test: $(B)/host/core-x86/%_test.o $(CORE_X86_OBJECTS)
	$(HOSTCC) $(CORE_X86_SANITIZE) $^ -lcmocka -o $@

UNIT_TESTS += $(CORE_X86_TESTS:%=$(B)/host/core-x86/%_test)

.PHONY: test-core-x86
test-core-x86: $(CORE_X86_TESTS:%=$(B)/host/core-x86/%_test)
	@set -e; for t in $^; do $$t >$$t.log 2>&1 || { cat $$t.log; exit 1; }; done; \
	echo "core/x86: $(words $^) unit test programs passed"

.PRECIOUS: $(B)/host/core-x86/%.o
