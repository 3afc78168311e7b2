/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The bare shim: takes the hypervisor's place in an image to run its only domain
 * on the machine itself, for comparison. Kernel, ramdisk and command line are the
 * same bytes, and the kernel is entered the same way; devices, ACPI tables and
 * the memory map are the machine's, with the RAM cut to the domain's size.
 *
 * The shim and the pack lie above the domain's memory, so nothing is moved that
 * is still needed.
 */
#include <stdbool.h>

#include "boot/disk/console.h"
#include "boot/disk/multiboot.h"
#include "boot/disk/port.h"
#include "hyp/include/manifest.h"

#include <xen/arch-x86/hvm/start_info.h>

const char console_program[] = "bare";

extern const uint8_t shim_start[];

volatile const struct image_ref image_reference __attribute__((used)) = {
	.magic = IMAGE_REF_MAGIC,
};

#define MAP_MAX 32u

/* What the kernel reads at its entry; put right below the end of its memory. */
struct start_block {
	struct hvm_start_info info;
	struct hvm_modlist_entry ramdisk;
	struct hvm_memmap_table_entry map[MAP_MAX];
	char cmdline[4096];
};

/* EAX and EDX at the return. */
uint64_t bare_main(uint32_t magic, const struct multiboot_info *boot);

static const struct pack_header *pack(void)
{
	return (const struct pack_header *)(uint32_t)image_reference.pack_address;
}

static const void *pack_at(uint64_t offset)
{
	return (const uint8_t *)pack() + (uint32_t)offset;
}

static const struct pack_domain *only_domain(void)
{
	if (!image_reference.pack_address)
		console_fail("this image carries no domain: make one with ravelin-image");
	if (pack()->magic != PACK_MAGIC || pack()->version != PACK_VERSION)
		console_fail("the pack is damaged or of another version");
	if (pack()->domain_count != 1)
		console_fail("the image must have exactly one domain");
	return pack_at(pack()->domains);
}

static void load_kernel(const struct pack_domain *d, uint32_t limit)
{
	const struct pack_segment *s = (const struct pack_segment *)pack_at(pack()->segments) + d->segment_first;

	for (uint32_t i = 0; i < d->segment_count; i++) {
		uint32_t at = (uint32_t)s[i].gpa, size = (uint32_t)s[i].file_size;

		if (s[i].gpa < 1u << 20 || s[i].gpa > limit || s[i].memory_size > limit - s[i].gpa)
			console_fail("kernel, ramdisk and start info do not fit into the domain's memory");
		copy_bytes((void *)at, pack_at(s[i].offset), size);
		zero_bytes((void *)(at + size), (uint32_t)s[i].memory_size - size);
	}
}

/* The ACPI root pointer: on a 16-byte boundary in the BIOS area, sums to zero. */
static uint32_t find_rsdp(void)
{
	for (uint32_t at = 0xe0000; at < 0x100000; at += 16) {
		const uint8_t *p = (const uint8_t *)at;
		const uint32_t *words = (const uint32_t *)at;
		uint8_t sum = 0;

		if (words[0] != 0x20445352 || words[1] != 0x20525450) /* "RSD PTR " */
			continue;
		for (uint32_t i = 0; i < 20; i++)
			sum = (uint8_t)(sum + p[i]);
		if (!sum)
			return at;
	}
	console_fail("the BIOS has no ACPI tables");
}

static void map_add(struct start_block *b, uint64_t start, uint64_t end, uint32_t type)
{
	if (start >= end)
		return;
	if (b->info.memmap_entries == MAP_MAX)
		console_fail("the machine's memory map is too long");
	b->map[b->info.memmap_entries++] = (struct hvm_memmap_table_entry){ start, end - start, type, 0 };
}

/* The machine's map, with RAM only below `top`, and the start block in it. */
static void build_map(struct start_block *b, const struct multiboot_info *boot, uint32_t top)
{
	uint32_t block = (uint32_t)b, block_end = (block + sizeof(*b) + 4095) & ~4095u;
	uint32_t at = boot->mmap_addr;
	bool found = false;

	while (at < boot->mmap_addr + boot->mmap_length) {
		const struct multiboot_mmap *m = (const void *)at;
		uint64_t start = m->address, end = start + m->length;

		at += m->size + sizeof(m->size);
		if (m->type == E820_RAM && end > top)
			end = top;
		if (m->type == E820_RAM && start <= block && block_end <= end) {
			map_add(b, start, block, XEN_HVM_MEMMAP_TYPE_RAM);
			map_add(b, block, block_end, XEN_HVM_MEMMAP_TYPE_ACPI);
			start = block_end;
			found = true;
		}
		map_add(b, start, end, m->type);
	}
	if (!found)
		console_fail("the machine has less memory than the domain");
}

uint64_t bare_main(uint32_t magic, const struct multiboot_info *boot)
{
	const struct pack_domain *d;
	struct start_block *b;
	uint32_t memory, ramdisk;

	console_open();
	if (magic != MULTIBOOT_LOADED || !(boot->flags & MULTIBOOT_INFO_MMAP))
		console_fail("not started by a Multiboot loader that gives a memory map");
	d = only_domain();
	if (d->memory > (uint32_t)shim_start || d->memory < 16u << 20)
		console_fail("the domain's memory must be from 16 MiB up to where this program lies, 768 MiB");
	memory = (uint32_t)d->memory;
	b = (struct start_block *)((memory - sizeof(*b)) & ~4095u);
	if (d->ramdisk_size >= memory || d->cmdline_length >= sizeof(b->cmdline))
		console_fail("the ramdisk or the command line is too long");
	ramdisk = ((uint32_t)b - (uint32_t)d->ramdisk_size) & ~4095u;

	load_kernel(d, ramdisk);
	copy_bytes((void *)ramdisk, pack_at(d->ramdisk), (uint32_t)d->ramdisk_size);
	zero_bytes(b, sizeof(*b));
	copy_bytes(b->cmdline, pack_at(d->cmdline), (uint32_t)d->cmdline_length);
	b->info.magic = XEN_HVM_START_MAGIC_VALUE;
	b->info.version = 1;
	b->info.cmdline_paddr = (uint32_t)b->cmdline;
	b->info.rsdp_paddr = find_rsdp();
	b->info.memmap_paddr = (uint32_t)b->map;
	if (d->ramdisk_size) {
		b->ramdisk.paddr = ramdisk;
		b->ramdisk.size = d->ramdisk_size;
		b->info.nr_modules = 1;
		b->info.modlist_paddr = (uint32_t)&b->ramdisk;
	}
	build_map(b, boot, memory);
	return (uint64_t)(uint32_t)&b->info << 32 | d->entry;
}
