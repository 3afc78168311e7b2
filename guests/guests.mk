# SPDX-License-Identifier: Apache-2.0
# The tiny guests: one ELF each, from guests/lib and guests/<name>/*.c.

B ?= build
CC ?= gcc
OBJCOPY ?= objcopy

GUEST_NAMES := $(notdir $(patsubst %/main.c,%,$(wildcard guests/*/main.c)))
GUEST_ELFS := $(GUEST_NAMES:%=$(B)/guests/%.elf) $(B)/guests/hello32.elf

GUEST_CFLAGS := -std=gnu11 -O2 -g0 -ffreestanding -fno-pic -fno-pie -mno-red-zone -mgeneral-regs-only \
	-fno-stack-protector -fcf-protection=none -fno-asynchronous-unwind-tables \
	-fno-tree-loop-distribute-patterns -Wall -Wextra -Werror -Wshadow -Wmissing-prototypes -Iguests/lib
GUEST_LIB_OBJS := $(patsubst guests/lib/%,$(B)/guests/lib/%.o,$(wildcard guests/lib/*.c guests/lib/*.S))

.PHONY: guests
guests: $(GUEST_ELFS)

$(B)/guests/%.c.o: guests/%.c
	@mkdir -p $(@D)
	$(CC) $(GUEST_CFLAGS) -MMD -MP -c $< -o $@

$(B)/guests/%.S.o: guests/%.S
	@mkdir -p $(@D)
	$(CC) $(GUEST_CFLAGS) -MMD -MP -c $< -o $@

define guest_rule
$(B)/guests/$(1).elf: $(patsubst %,$(B)/%.o,$(wildcard guests/$(1)/*.c guests/$(1)/*.S)) $(GUEST_LIB_OBJS) \
		guests/lib/guest.lds
	$(CC) -nostdlib -static -no-pie -Wl,-T,guests/lib/guest.lds -Wl,-z,noexecstack -Wl,--build-id=none \
		-Wl,-z,max-page-size=4096 -o $$@ $$(filter %.o,$$^)
endef
$(foreach g,$(GUEST_NAMES),$(eval $(call guest_rule,$(g))))

# The same guest in a 32-bit ELF file: small kernels are often packed so.
$(B)/guests/hello32.elf: $(B)/guests/hello.elf
	$(OBJCOPY) -I elf64-x86-64 -O elf32-i386 $< $@

-include $(wildcard $(B)/guests/*/*.d)
