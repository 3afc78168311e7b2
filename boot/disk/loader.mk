# SPDX-License-Identifier: Apache-2.0
#
# The disk loader: $(B)/boot/disk-loader.bin, boot sector and second stage, to
# which the image builder appends an image.

# Included by every fragment that needs 32-bit code: only the first time counts.
ifndef BOOT32_CFLAGS

.PHONY: disk-loader
disk-loader: $(or $(B),build)/boot/disk-loader.bin

B ?= build
CC ?= gcc
OBJCOPY ?= objcopy

# 32-bit code without a library under it, for programs that run below the hypervisor.
BOOT32_CFLAGS := -m32 -march=i686 -std=gnu11 -Os -ffreestanding -mgeneral-regs-only -fno-pic -fno-pie \
	--param=min-pagesize=0 -fno-stack-protector -fno-asynchronous-unwind-tables -fcf-protection=none \
	-fno-tree-loop-distribute-patterns \
	-Wall -Wextra -Werror -Wshadow -Wmissing-prototypes
BOOT32_LDFLAGS := -m32 -nostdlib -static -no-pie -Wl,--build-id=none -Wl,-z,noexecstack \
	-Wl,--no-warn-rwx-segments

DISK_LOADER := $(B)/boot/disk-loader.bin
DISK_LOADER_OBJS := $(addprefix $(B)/boot/disk/,entry.o loader.o ide.o interrupts.o console.o)

$(B)/boot/disk/%.o: boot/disk/%.S boot/disk/loader.mk
	@mkdir -p $(@D)
	$(CC) -m32 -c -o $@ $<

$(B)/boot/disk/%.o: boot/disk/%.c boot/disk/loader.mk
	@mkdir -p $(@D)
	$(CC) $(BOOT32_CFLAGS) -MMD -MP -c -o $@ $<

$(B)/boot/disk-loader.elf: $(DISK_LOADER_OBJS) boot/disk/loader.ld
	$(CC) $(BOOT32_LDFLAGS) -Wl,-T,boot/disk/loader.ld -o $@ $(DISK_LOADER_OBJS)

$(DISK_LOADER): $(B)/boot/disk-loader.elf
	$(OBJCOPY) -O binary $< $@

-include $(DISK_LOADER_OBJS:.o=.d)

# ---- test ----

DISK_TEST := $(B)/boot/disk-test

$(DISK_TEST)/payload.bin: boot/disk/test/payload.S boot/disk/test/layout.h
	@mkdir -p $(@D)
	$(CC) -m32 -c -o $(@D)/payload.o $<
	$(CC) $(BOOT32_LDFLAGS) -Wl,-Ttext=0x100000 -o $(@D)/payload.elf $(@D)/payload.o
	$(OBJCOPY) -O binary $(@D)/payload.elf $@

$(DISK_TEST)/disk_image: boot/disk/test/disk_image.c boot/disk/test/layout.h
	@mkdir -p $(@D)
	$(CC) -std=gnu11 -O2 -Wall -Wextra -Werror -Wshadow -Wmissing-prototypes -o $@ $<

.PHONY: test-disk-loader
test-disk-loader: $(DISK_LOADER) $(DISK_TEST)/payload.bin $(DISK_TEST)/disk_image
	boot/disk/test/loader_test $(B)

endif
