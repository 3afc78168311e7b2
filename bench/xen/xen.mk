# SPDX-License-Identifier: Apache-2.0
# $(B)/bench/xen.tsv: the bench guest's figures below Debian's Xen.

B ?= build

.PHONY: bench-xen
bench-xen: $(B)/guests/bench-altp2m.elf $(B)/kernels/control-vmlinuz
	B=$(B) bench/xen/run
