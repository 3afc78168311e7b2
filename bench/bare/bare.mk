# SPDX-License-Identifier: Apache-2.0
#
# $(B)/bench/bare.elf: stands in for the hypervisor in an image (ravelin-image -I)
# and runs its domain on the bare machine. Needs BOOT32_CFLAGS of boot/disk/loader.mk.

.PHONY: bare
bare: $(or $(B),build)/bench/bare.elf

B ?= build
CC ?= gcc

ifndef BOOT32_CFLAGS
include boot/disk/loader.mk
endif

BARE := $(B)/bench/bare.elf
BARE_OBJS := $(B)/bench/bare/entry.o $(B)/bench/bare/bare.o

$(B)/bench/bare/entry.o: bench/bare/entry.S
	@mkdir -p $(@D)
	$(CC) -m32 -c -o $@ $<

$(B)/bench/bare/bare.o: bench/bare/bare.c bench/bare/bare.mk
	@mkdir -p $(@D)
	$(CC) $(BOOT32_CFLAGS) -I. -MMD -MP -c -o $@ $<

$(BARE): $(BARE_OBJS) $(B)/boot/disk/console.o bench/bare/bare.ld
	$(CC) $(BOOT32_LDFLAGS) -Wl,-T,bench/bare/bare.ld -o $@ $(BARE_OBJS) $(B)/boot/disk/console.o

-include $(BARE_OBJS:.o=.d)

# ---- test: needs $(B)/tools/ravelin-image, the kernels and the initramfs ----

.PHONY: test-bare
test-bare: $(BARE) $(B)/boot/disk-loader.bin
	bench/bare/bare_test $(B)
