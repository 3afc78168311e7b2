# SPDX-License-Identifier: Apache-2.0
# The nucleus on the imaginary machine: unit tests, and the proofs.
#
# Every test is built twice: with the imaginary entry format and tables of 4
# entries, so that 1 GiB pages and full tables are small, and with the real EPT
# format and 512 entries.

B ?= build
CC ?= gcc

NUCLEUS := hyp/nucleus
NUCLEUS_SRC := $(addprefix $(NUCLEUS)/,frame.c stage2.c view.c memory.c audit.c fake/machine.c)
NUCLEUS_HEADERS := $(wildcard $(NUCLEUS)/*.h $(NUCLEUS)/fake/*.h hyp/include/*.h) $(NUCLEUS)/x86/ept.h
NUCLEUS_DEP := $(NUCLEUS_SRC) $(NUCLEUS_HEADERS)
NUCLEUS_TESTS := frame_test stage2_test memory_test audit_test view_test entry_test
NUCLEUS_CFLAGS := -std=gnu11 -g -O1 -Wall -Wextra -Werror -Wshadow -Wmissing-prototypes -Wno-clobbered \
	-fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer \
	-I$(NUCLEUS)/fake -I$(NUCLEUS) -Ihyp/include
NUCLEUS_TINY := -DTABLE_ENTRIES=4u -DFRAMES_MAX=4096ull
NUCLEUS_REAL := -DENTRY_FORMAT='"../x86/ept.h"'
NUCLEUS_UNIT := $(NUCLEUS_TESTS:%=$(B)/unit/%) $(NUCLEUS_TESTS:%=$(B)/unit/%_ept)

UNIT_TESTS += $(NUCLEUS_UNIT)

NUCLEUS_TINY_O := $(NUCLEUS_SRC:$(NUCLEUS)/%.c=$(B)/unit/tiny/%.o)
NUCLEUS_REAL_O := $(NUCLEUS_SRC:$(NUCLEUS)/%.c=$(B)/unit/real/%.o)
.SECONDARY: $(NUCLEUS_TINY_O) $(NUCLEUS_REAL_O)

$(B)/unit/tiny/%.o: $(NUCLEUS)/%.c $(NUCLEUS_HEADERS)
	@mkdir -p $(@D)
	$(CC) $(NUCLEUS_CFLAGS) $(NUCLEUS_TINY) -c -o $@ $<

$(B)/unit/real/%.o: $(NUCLEUS)/%.c $(NUCLEUS_HEADERS)
	@mkdir -p $(@D)
	$(CC) $(NUCLEUS_CFLAGS) $(NUCLEUS_REAL) -c -o $@ $<

$(B)/unit/%_test: $(NUCLEUS)/%_test.c $(NUCLEUS_TINY_O)
	$(CC) $(NUCLEUS_CFLAGS) $(NUCLEUS_TINY) -o $@ $^ -lcmocka

$(B)/unit/%_test_ept: $(NUCLEUS)/%_test.c $(NUCLEUS_REAL_O)
	$(CC) $(NUCLEUS_CFLAGS) $(NUCLEUS_REAL) -o $@ $^ -lcmocka

# The view engine beside its reference model: view_fuzz N SEED, and its twin of 512 entries.
# The model is slow by nature, and goes without sanitizers. By hand, for an hour at 50,000,000 operations:
#	make view-fuzz VIEW_STEPS=50000000 VIEW_SEED=n
NUCLEUS_PLAIN := $(filter-out -fsanitize% -fno-sanitize%,$(NUCLEUS_CFLAGS)) -O2
VIEW_MUTANTS := 1 2 3 4 5
VIEW_STEPS ?= 1000000
VIEW_SEED ?= 1

$(B)/unit/view_model.o: $(NUCLEUS)/view_model.c $(NUCLEUS_DEP)
	@mkdir -p $(@D)
	$(CC) $(NUCLEUS_PLAIN) $(NUCLEUS_TINY) -c -o $@ $<

$(B)/unit/view_fuzz: $(NUCLEUS)/view_fuzz.c $(B)/unit/view_model.o $(NUCLEUS_TINY_O)
	$(CC) $(NUCLEUS_CFLAGS) $(NUCLEUS_TINY) -o $@ $^

$(B)/unit/view_model_ept.o: $(NUCLEUS)/view_model.c $(NUCLEUS_DEP)
	@mkdir -p $(@D)
	$(CC) $(NUCLEUS_PLAIN) $(NUCLEUS_REAL) -c -o $@ $<

$(B)/unit/view_fuzz_ept: $(NUCLEUS)/view_fuzz.c $(B)/unit/view_model_ept.o $(NUCLEUS_REAL_O)
	$(CC) $(NUCLEUS_CFLAGS) $(NUCLEUS_REAL) -o $@ $^

# All sequences of operations, with tables of two entries.
VIEW_DEPTH ?= 6
VIEW_EXPLORE := $(NUCLEUS_PLAIN) -DTABLE_ENTRIES=2u -DFRAMES_MAX=64ull -DPAGE_WORDS=2u -DVIEWS_MAX=4u \
	-DDOMAINS_MAX=2u -DFAKE_CPUS=1u -DCPUS=1u -DFAKE_WALKS=32u -DMODEL_GFNS=8u -DMODEL_VIEWS=2u \
	-DMODEL_IDS='{ 1, 2 }'
VIEW_EXPLORE_SRC := $(NUCLEUS)/view_explore.c $(NUCLEUS)/view_model.c $(NUCLEUS_SRC)

$(B)/unit/view_explore: $(VIEW_EXPLORE_SRC) $(NUCLEUS_DEP)
	@mkdir -p $(@D)
	$(CC) $(VIEW_EXPLORE) -o $@ $(VIEW_EXPLORE_SRC)

# Five bugs, one at a time, chosen by $MUTANT: a missed flush, a lost intent, a wrong merge, a wrong last
# page of a split superpage, a leaked table. view_test, view_fuzz and view_explore must each fail on every one.
MUTANT := -include $(NUCLEUS)/fake/mutant.h

MUTANT_SRC := $(NUCLEUS)/view.c $(NUCLEUS)/fake/mutant.c

$(B)/unit/view_test_mutants: $(NUCLEUS)/view_test.c $(MUTANT_SRC) $(filter-out %/view.o,$(NUCLEUS_REAL_O))
	$(CC) $(NUCLEUS_CFLAGS) $(NUCLEUS_REAL) $(MUTANT) -o $@ $^ -lcmocka

$(B)/unit/view_fuzz_mutants: $(NUCLEUS)/view_fuzz.c $(MUTANT_SRC) $(filter-out %/view.o,$(NUCLEUS_TINY_O)) \
		$(B)/unit/view_model.o
	$(CC) $(NUCLEUS_CFLAGS) $(NUCLEUS_TINY) $(MUTANT) -o $@ $^

$(B)/unit/view_explore_mutants: $(VIEW_EXPLORE_SRC) $(NUCLEUS_DEP)
	@mkdir -p $(@D)
	$(CC) $(VIEW_EXPLORE) $(MUTANT) -o $@ $(VIEW_EXPLORE_SRC) $(NUCLEUS)/fake/mutant.c

.PHONY: test-mutants view-fuzz view-fuzz-guided view-explore view-cost view-coverage
test-mutants: $(addsuffix _mutants,$(addprefix $(B)/unit/view_,test fuzz explore))
	@MUTANT=0 $(B)/unit/view_test_mutants >/dev/null 2>&1 || { echo "test-mutants: view_test fails without a bug"; exit 1; }
	@for m in $(VIEW_MUTANTS); do \
		for t in view_test_mutants "view_fuzz_mutants 200000 1" "view_explore_mutants 6"; do \
			if MUTANT=$$m $(B)/unit/$$t >/dev/null 2>&1; then \
				echo "test-mutants: $$t does not find bug $$m"; exit 1; \
			fi; \
		done; \
	done 2>/dev/null; echo "test-mutants: all of $(VIEW_MUTANTS) found by view_test, view_fuzz and view_explore"

view-fuzz: $(B)/unit/view_fuzz $(B)/unit/view_fuzz_ept
	@$(B)/unit/view_fuzz $(VIEW_STEPS) $(VIEW_SEED)
	@$(B)/unit/view_fuzz_ept $$(($(VIEW_STEPS) / 10)) $(VIEW_SEED)

# The same, led by coverage: libFuzzer chooses the operations. Longer by hand: VIEW_RUNS=0 goes on for ever.
VIEW_RUNS ?= 20000
CLANG ?= clang
VIEW_FUZZ_GUIDED_SRC := $(NUCLEUS)/view_fuzz.c $(NUCLEUS)/view_model.c $(NUCLEUS_SRC)
$(B)/unit/view_fuzz_guided: $(VIEW_FUZZ_GUIDED_SRC) $(NUCLEUS_HEADERS)
	@mkdir -p $(@D)
	$(CLANG) $(filter-out -Wno-clobbered,$(NUCLEUS_CFLAGS)) -O2 -fsanitize=fuzzer -DLIBFUZZER $(NUCLEUS_TINY) \
		-o $@ $(VIEW_FUZZ_GUIDED_SRC)

view-fuzz-guided: $(B)/unit/view_fuzz_guided
	@cd $(B)/unit && ./view_fuzz_guided $(if $(filter 0,$(VIEW_RUNS)),,-runs=$(VIEW_RUNS)) -seed=1 -max_len=2048 \
		-len_control=0 -print_final_stats=1 2>&1 | tail -12; exit $${PIPESTATUS[0]}

view-explore: $(B)/unit/view_explore
	@$< $(VIEW_DEPTH)

# What calls cost in instructions, with the engine built as for the machine; its code alone counts.
VIEW_COST_CFLAGS := $(filter-out -mcmodel% -M%,$(HYP_CFLAGS)) -I$(NUCLEUS)/fake -I$(NUCLEUS) -Ihyp/include \
	$(NUCLEUS_REAL)
VIEW_COST_O := $(addprefix $(B)/unit/cost/,frame.o stage2.o view.o memory.o audit.o string.o)
VIEW_COST_NAMES := $(foreach f,memcpy memset memcmp memmove strlen strcmp,-D$(f)=cost_$(f))

$(B)/unit/cost/string.o: hyp/lib/string.c
	@mkdir -p $(@D)
	$(CC) $(VIEW_COST_CFLAGS) $(VIEW_COST_NAMES) -I$(NUCLEUS)/x86 -Ihyp/lib -c -o $@ $<
	@objcopy --rename-section .text=nucleus $@

$(B)/unit/cost/%.o: $(NUCLEUS)/%.c $(NUCLEUS_DEP)
	@mkdir -p $(@D)
	$(CC) $(VIEW_COST_CFLAGS) $(VIEW_COST_NAMES) -c -o $@ $<
	@objcopy --rename-section .text=nucleus $@

$(B)/unit/view_cost: $(NUCLEUS)/view_cost.c $(VIEW_COST_O)
	$(CC) $(NUCLEUS_PLAIN) $(NUCLEUS_REAL) -fno-pic -no-pie -mcmodel=medium -o $@ $< $(NUCLEUS)/fake/machine.c \
		$(VIEW_COST_O)

view-cost: $(B)/unit/view_cost
	@$<

# How much of view.c the tests reach: at least 95 % of its lines and 90 % of its branches.
view-coverage: $(B)/unit/view_model.o $(NUCLEUS_DEP)
	@$(NUCLEUS)/view_coverage $(abspath $(B))/coverage "$(CC) $(NUCLEUS_PLAIN) $(NUCLEUS_TINY)" $(NUCLEUS_SRC)

.PHONY: nucleus-unit prove
nucleus-unit: $(NUCLEUS_UNIT)
	@for t in $^; do $$t || exit 1; done

prove:
	@$(NUCLEUS)/prove/prove.sh $(abspath $(B))/prove
