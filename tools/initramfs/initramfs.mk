# SPDX-License-Identifier: Apache-2.0
#
# $(B)/initramfs.cpio.gz: the user space of the example Linux guests.

.PHONY: initramfs
initramfs: $(or $(B),build)/initramfs.cpio.gz

B ?= build
CC ?= gcc

INITRAMFS := $(B)/initramfs.cpio.gz

$(B)/tools/mark: tools/initramfs/mark.c
	@mkdir -p $(@D)
	$(CC) -std=gnu11 -O2 -Wall -Wextra -Werror -Wshadow -Wmissing-prototypes -ffreestanding \
		-fno-stack-protector -fno-pic -no-pie -nostdlib -static -Wl,--build-id=none -s -o $@ $<

$(INITRAMFS): tools/initramfs/mkinitramfs tools/initramfs/init $(B)/tools/mark
	tools/initramfs/mkinitramfs $@ $(B)/tools/mark
