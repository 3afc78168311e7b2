# SPDX-License-Identifier: Apache-2.0
# induct: shows by a SAT solver what operations keep, from any state. The view engine on it.
#   make view-induct                    what is shown in `make test`: some whole, of others every Nth part
#   make view-induct INDUCT_OPS=op_X    an operation, whole: see hyp/nucleus/view_induct.c
#   make view-induct INDUCT_OPS=        all, whole: a night; INDUCT_JOBS=N runs N parts at once
#   make view-induct-bugs               bugs put into the engine must be found, each where it shows: 6 minutes
#   make test-induct                    tests the tool

B ?= build
CLANG ?= clang
HOSTCC ?= gcc
INDUCT := $(patsubst %/,%,$(dir $(lastword $(MAKEFILE_LIST))))
INDUCT_LLVM := /usr/lib/llvm-14
INDUCT_CFLAGS := -std=gnu11 -O2 -g -Wall -Wextra -Werror -Wshadow -Wmissing-prototypes -I$(INDUCT_LLVM)/include
INDUCT_OPS ?= op_create op_root_need op_translate op_destroy/40:5 op_default/40:14 op_change/1000:20 \
	op_change_quick/300:1 op_change_base/60:10 op_split/60:6 op_memory_add_run/40:4 op_remap_drop/100:2 \
	op_memory_take/40:6 op_share_page op_limbo op_domain_create op_domain_end op_domain_sweep/60:10
INDUCT_JOBS ?= 1
INDUCT_FLAGS ?=

# Bitcode as the tool wants it: no inlining, so that functions can be told how to run, and values that leave
# a loop named at its end. Specifications use & and | of what is so or not, since that needs no way of its own.
INDUCT_BC := -std=gnu11 -O1 -fno-inline -fno-vectorize -fno-slp-vectorize -fno-unroll-loops -fno-builtin \
	-Wall -Wextra -Werror -Wno-unused-function -Wno-bitwise-instead-of-logical \
	-Wno-bitwise-conditional-parentheses -emit-llvm
INDUCT_OPT := $(INDUCT_LLVM)/bin/opt -passes='function(loop-simplify,lcssa)'
define induct-bc
@mkdir -p $(@D)
$(CLANG) $(INDUCT_BC) $(1) -c -o $@.tmp $<
$(INDUCT_OPT) $@.tmp -o $@
endef

# Where the engine is, and its bitcode: of a copy, for tools/induct/bugs_test.
VIEW_INDUCT_HYP ?= hyp
VIEW_INDUCT_BC ?= $(B)/induct/view.bc
# A small machine: tables of two entries, two domains, two views beside the base.
VIEW_INDUCT := -DALWAYS_INLINE='static inline' -DTABLE_ENTRIES=2u -DFRAMES_MAX=116ull -DPAGE_WORDS=2u \
	-DVIEWS_MAX=3u -DDOMAINS_MAX=2u -DCPUS_MAX=1u $(addprefix -I$(VIEW_INDUCT_HYP)/,nucleus/fake nucleus include)
# Functions of the engine that decide about values and not about what is done: their ways are put together.
comma := ,
space := $(subst ,, )
VIEW_INDUCT_MERGE := shared_entry base_below base_at own_entry intent_of intent_any access_valid access_join \
	access_turns access_settable access_rights level_span gfn_slot gfn_offset index_of order_frames table_entries \
	view_plain view_find nuc_domain_find level_order find stage2_translate private_child path_find change_of \
	change_valid intent_change table_tail table_use table_place leaf_table leaf_table_find ve_page what_access \
	what_suppress rootless

INDUCT_VIEW = -merge=$(subst $(space),$(comma),$(VIEW_INDUCT_MERGE))

$(B)/host/induct: $(addprefix $(INDUCT)/,induct.c exec.c builtin.c parts.c cells.c path.c module.c val.c bits.c) \
		$(wildcard $(INDUCT)/*.h)
	@mkdir -p $(@D)
	$(HOSTCC) $(INDUCT_CFLAGS) -o $@ $(filter %.c,$^) -L$(INDUCT_LLVM)/lib -lLLVM-14 -lcadical -lstdc++ -lm -lpthread

$(B)/induct/samples.bc: $(INDUCT)/samples.c
	$(induct-bc)

$(VIEW_INDUCT_BC): $(VIEW_INDUCT_HYP)/nucleus/view_induct.c $(NUCLEUS_DEP)
	$(call induct-bc,$(VIEW_INDUCT))

.PHONY: view-induct view-induct-bugs test-induct
view-induct: $(B)/host/induct $(VIEW_INDUCT_BC)
	@$< $(INDUCT_FLAGS) -j$(INDUCT_JOBS) $(INDUCT_VIEW) $(VIEW_INDUCT_BC) $(INDUCT_OPS)

view-induct-bugs: $(B)/host/induct
	@$(INDUCT)/bugs_test $(B) "$(MAKE)"

test-induct: $(B)/host/induct $(B)/induct/samples.bc
	@$(INDUCT)/induct_test $< $(B)/induct/samples.bc
