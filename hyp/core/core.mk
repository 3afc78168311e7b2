# SPDX-License-Identifier: Apache-2.0
# Host unit tests of the core's neutral part: make test-core

B ?= build
HOSTCC ?= gcc
CORE_DIR := $(patsubst %/,%,$(dir $(lastword $(MAKEFILE_LIST))))
CORE_NEUTRAL := main domain sched evtchn hypercall memory time console version vcpu_op sched_op hvm_op \
	lock print altp2m altp2m_policy
CORE_UNIT := evtchn sched console hypercall memory time domain print altp2m altp2m_policy
CORE_UNIT_HEADERS := $(wildcard $(CORE_DIR)/*.h $(CORE_DIR)/fake/*.h $(CORE_DIR)/../include/*.h \
	$(CORE_DIR)/../lib/*.h)
# -iquote: the system keeps its own <limits.h>, <errno.h> and <string.h>.
CORE_UNIT_FLAGS := -std=gnu11 -O1 -g -Wall -Wextra -Werror -Wshadow -Wmissing-prototypes \
	-iquote $(CORE_DIR) -iquote $(CORE_DIR)/fake -iquote $(CORE_DIR)/../include \
	-iquote $(CORE_DIR)/../lib \
	-fsanitize=address,undefined -fno-sanitize-recover=all
CORE_UNIT_OBJECTS := $(CORE_NEUTRAL:%=$(B)/unit/core/%.o) $(B)/unit/core/manifest.o \
	 $(addprefix $(B)/unit/core/,fake_nucleus.o fake_views.o abi_ours.o abi_theirs.o)

$(B)/unit/core/%.o: $(CORE_DIR)/%.c $(CORE_UNIT_HEADERS)
	@mkdir -p $(@D)
	$(HOSTCC) $(CORE_UNIT_FLAGS) -c $< -o $@

$(B)/unit/core/%.o: $(CORE_DIR)/fake/%.c $(CORE_UNIT_HEADERS)
	@mkdir -p $(@D)
	$(HOSTCC) $(CORE_UNIT_FLAGS) -c $< -o $@

$(CORE_UNIT:%=$(B)/unit/core/%_test): $(B)/unit/core/%_test: $(B)/unit/core/%_test.o $(CORE_UNIT_OBJECTS)
	$(HOSTCC) $(CORE_UNIT_FLAGS) $^ -lcmocka -o $@

UNIT_TESTS += $(CORE_UNIT:%=$(B)/unit/core/%_test)

.PHONY: test-core
test-core: $(CORE_UNIT:%=$(B)/unit/core/%_test)
	@set -e; for t in $^; do $$t >$$t.log 2>&1 || { cat $$t.log; exit 1; }; done; \
	echo "core: $(words $^) unit test programs passed"

.PRECIOUS: $(B)/unit/core/%.o
