# SPDX-License-Identifier: Apache-2.0
# make bench: the table of measurements, and $(B)/bench.tsv.

B ?= build

.PHONY: run-bench
run-bench: $(B)/ravelin-hyp.elf $(B)/tools/ravelin-image $(B)/boot/disk-loader.bin $(B)/bench/bare.elf \
		$(B)/guests/bench.elf $(B)/kernels/app-vmlinuz $(B)/initramfs.cpio.gz
	B=$(B) bench/run
