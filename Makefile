# SPDX-License-Identifier: Apache-2.0
# Ravelin. The commands are make run, make test, make bench and make prove; what
# each room builds is in the .mk file that lies in it.

B := build
MAKEFLAGS += --no-builtin-rules --no-print-directory
SHELL := /bin/bash
.DELETE_ON_ERROR:

# Build output is a line a file; V=1 shows the commands.
ifneq ($(V),1)
.SILENT:
endif

all: $(B)/ravelin-hyp.elf

include hyp/hyp.mk
include $(sort $(wildcard hyp/nucleus/*.mk hyp/core/*.mk hyp/core/x86/*.mk boot/*/*.mk tools/*/*.mk \
	guests/*.mk bench/*.mk bench/*/*.mk tests/*/*.mk))

# Two domains in Bochs at this terminal; DEMO=1: the same unattended, to a marker and an exit status.
DEMO ?=
run:
	tools/install-packages --group run
	$(MAKE) -j2 $(B)/ravelin-hyp.elf image-tool disk-loader kernels initramfs
	DEMO=$(DEMO) B=$(B) tools/run/demo

test:
	tools/install-packages --group run
	tools/install-packages --group test
	$(MAKE) -j2 $(B)/ravelin-hyp.elf $(B)/ravelin-attack.elf $(B)/tools/ravelin-image $(B)/tools/ravelin-image-checked disk-loader kernels \
		initramfs guests bare $(UNIT_TESTS) \
		$(addprefix $(B)/unit/,manifest_fuzz view_fuzz view_fuzz_ept view_explore view_cost)
	tests/run $(B) $(UNIT_TESTS) -- \
		prove="$(MAKE) prove" \
		boundary="tests/boundary/check $(B)" \
		catalogue="$(MAKE) check-catalogue" \
		altp2m-doc="$(MAKE) check-altp2m-doc" \
		lines="$(MAKE) check-loc" \
		view-cost="$(MAKE) view-cost" \
		view-coverage="$(MAKE) view-coverage" \
		view-mutants="$(MAKE) test-mutants" \
		view-explore="$(MAKE) view-explore" \
		view-induct="$(MAKE) test-induct view-induct" \
		view-fuzz="$(MAKE) view-fuzz VIEW_STEPS=500000" \
		view-fuzz-guided="$(MAKE) view-fuzz-guided" \
		manifest-fuzz="$(B)/unit/manifest_fuzz $(FUZZ_ROUNDS) $(FUZZ_SEED)" \
		image-tool="$(MAKE) test-image" \
		disk-loader="$(MAKE) test-disk-loader" \
		runner="$(MAKE) test-run" \
		bare="$(MAKE) test-bare" \
		system="$(MAKE) test-system"

bench:
	tools/install-packages --group run
	tools/install-packages --group test
	$(MAKE) run-bench

clean:
	rm -rf $(B)

.PHONY: all run test bench clean
