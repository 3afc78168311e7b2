# SPDX-License-Identifier: Apache-2.0
# make test-system: the scenarios of tests/system in the emulator. SCENARIOS="a b": only these.

B ?= build
SCENARIOS ?=

.PHONY: test-system
test-system: $(B)/ravelin-hyp.elf $(B)/ravelin-attack.elf $(B)/tools/ravelin-image $(B)/boot/disk-loader.bin guests \
		$(B)/kernels/app-vmlinuz $(B)/kernels/control-vmlinuz $(B)/initramfs.cpio.gz
	B=$(B) tests/system/run $(SCENARIOS)
