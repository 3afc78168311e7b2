# SPDX-License-Identifier: Apache-2.0
# make bench: the table of measurements, $(B)/bench.tsv, and what docs/performance.md says of them.

B ?= build

.PHONY: run-bench
run-bench: $(B)/ravelin-hyp.elf $(B)/tools/ravelin-image $(B)/boot/disk-loader.bin $(B)/bench/bare.elf \
		$(addprefix $(B)/guests/,bench.elf bench-altp2m.elf bench-scale.elf) \
		$(B)/kernels/app-vmlinuz $(B)/kernels/control-vmlinuz $(B)/initramfs.cpio.gz
	B=$(B) bench/run --write
