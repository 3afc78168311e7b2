# SPDX-License-Identifier: Apache-2.0
#
# $(B)/NAME.iso from the image $(B)/NAME.elf: GRUB in front of it.

B ?= build

$(B)/%.iso: $(B)/%.elf boot/grub/mkgrub
	boot/grub/mkgrub $< $@
