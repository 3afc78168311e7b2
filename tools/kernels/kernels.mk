# SPDX-License-Identifier: Apache-2.0
#
# $(B)/kernels/{control,app}-vmlinuz: Debian's kernels for the example guests.

.PHONY: kernels
kernels: $(or $(B),build)/kernels/control-vmlinuz

B ?= build

KERNELS := $(B)/kernels/control-vmlinuz $(B)/kernels/app-vmlinuz

$(KERNELS) &: tools/kernels/fetch-kernels
	tools/kernels/fetch-kernels $(B)
	@touch $(KERNELS)
