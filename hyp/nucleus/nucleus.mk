# SPDX-License-Identifier: Apache-2.0
# The nucleus on the imaginary machine: unit tests, and the proofs.
#
# Every test is built twice: with the imaginary entry format and tables of 4
# entries, so that 1 GiB pages and full tables are small, and with the real EPT
# format and 512 entries.

B ?= build
CC ?= gcc

NUCLEUS := hyp/nucleus
NUCLEUS_SRC := $(addprefix $(NUCLEUS)/,frame.c stage2.c memory.c audit.c fake/machine.c)
NUCLEUS_DEP := $(NUCLEUS_SRC) $(wildcard $(NUCLEUS)/*.h $(NUCLEUS)/fake/*.h hyp/include/*.h) $(NUCLEUS)/x86/ept.h
NUCLEUS_TESTS := frame_test stage2_test memory_test audit_test
NUCLEUS_CFLAGS := -std=gnu11 -g -O1 -Wall -Wextra -Werror -Wshadow -Wmissing-prototypes -Wno-clobbered \
	-fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer \
	-I$(NUCLEUS)/fake -I$(NUCLEUS) -Ihyp/include
NUCLEUS_TINY := -DTABLE_ENTRIES=4u -DFRAMES_MAX=4096ull
NUCLEUS_REAL := -DENTRY_FORMAT='"../x86/ept.h"'
NUCLEUS_UNIT := $(NUCLEUS_TESTS:%=$(B)/unit/%) $(NUCLEUS_TESTS:%=$(B)/unit/%_ept)

UNIT_TESTS += $(NUCLEUS_UNIT)

$(B)/unit/%_test: $(NUCLEUS)/%_test.c $(NUCLEUS_DEP)
	@mkdir -p $(@D)
	$(CC) $(NUCLEUS_CFLAGS) $(NUCLEUS_TINY) -o $@ $< $(NUCLEUS_SRC) -lcmocka

$(B)/unit/%_test_ept: $(NUCLEUS)/%_test.c $(NUCLEUS_DEP)
	@mkdir -p $(@D)
	$(CC) $(NUCLEUS_CFLAGS) $(NUCLEUS_REAL) -o $@ $< $(NUCLEUS_SRC) -lcmocka

.PHONY: nucleus-unit prove
nucleus-unit: $(NUCLEUS_UNIT)
	@for t in $^; do $$t || exit 1; done

prove:
	@$(NUCLEUS)/prove/prove.sh $(abspath $(B))/prove
