/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The memory map from whoever loaded us: Multiboot 1 (GRUB, our disk loader,
 * QEMU) or PVH start info (QEMU, Xen-style loaders).
 */
#include "platform.h"
#include "asm.h"

#define MULTIBOOT_LOADED 0x2badb002u
#define MULTIBOOT_HAS_MAP (1u << 6)
#define PVH_MAGIC 0x336ec578u

struct multiboot_information {
	uint32_t flags, lower_kib, upper_kib, boot_device, command_line;
	uint32_t modules_count, modules, symbols[4];
	uint32_t map_length, map;
} __attribute__((packed));

struct multiboot_range {
	uint32_t size;                /* of what follows */
	uint64_t start, length;
	uint32_t type;                /* 1: RAM */
} __attribute__((packed));

struct pvh_information {
	uint32_t magic, version, flags, modules_count;
	uint64_t modules, command_line, rsdp;
	uint64_t map;                 /* version 1 */
	uint32_t map_entries, reserved;
};

struct pvh_range {
	uint64_t start, length;
	uint32_t type, reserved;
};

uint64_t boot_rsdp;

static void add_ram(struct boot_memory *m, uint64_t start, uint64_t length)
{
	uint64_t end = start + length;

	/* Beyond the frame table's reach, or not a page: not used. */
	if (end < start || end > FRAMES_MAX * PAGE_SIZE)
		end = FRAMES_MAX * PAGE_SIZE;
	start = (start + PAGE_MASK) & ~PAGE_MASK;
	end &= ~PAGE_MASK;
	if (start >= end || m->ranges == RAM_RANGES_MAX)
		return;
	m->ram[m->ranges++] = (struct ram_range){ start, end };
	if (end > m->end)
		m->end = end;
}

void bootinfo_read(uint32_t magic, uint32_t physical, struct boot_memory *out)
{
	const struct multiboot_information *mb = (const void *)(uintptr_t)physical;
	const struct pvh_information *pvh = (const void *)(uintptr_t)physical;
	uint32_t i;

	*out = (struct boot_memory){ 0 };
	if (magic == MULTIBOOT_LOADED && mb->flags & MULTIBOOT_HAS_MAP) {
		for (i = 0; i + sizeof(struct multiboot_range) <= mb->map_length;) {
			const struct multiboot_range *r = (const void *)(uintptr_t)(mb->map + i);

			if (r->type == 1)
				add_ram(out, r->start, r->length);
			i += r->size + 4;
		}
	} else if (magic != MULTIBOOT_LOADED && pvh->magic == PVH_MAGIC && pvh->version >= 1) {
		const struct pvh_range *r = (const void *)pvh->map;

		for (i = 0; i < pvh->map_entries; i++) {
			if (r[i].type == 1)
				add_ram(out, r[i].start, r[i].length);
		}
		boot_rsdp = pvh->rsdp;
	}
	if (!out->ranges)
		panic("the boot loader gave no memory map (Multiboot 1 and PVH start info are understood)");
}
