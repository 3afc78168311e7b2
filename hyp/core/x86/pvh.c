/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Starts a domain the PVH way: kernel segments and ramdisk from the boot image,
 * then one block with ACPI tables, start info, module list, memory map and
 * command line. Linux reads that block through a page table of 1 GiB, so it
 * lies below that, as near to the top of RAM as the kernel leaves room.
 */
#include "x86.h"
#include "string.h"

#include <xen/arch-x86/hvm/start_info.h>

#define MIB (1ull << 20)
#define GIB (1ull << 30)
#define RAM_LOW_MAX (3 * GIB)    /* RAM beyond goes above 4 GiB: nothing to share the hole with yet */
#define RAM_HIGH (4 * GIB)
#define LEGACY_HOLE 0xa0000ull   /* RAM, but called reserved: video memory and ROMs on a PC */
#define BLOCK_MAX 8192u
#define INITIAL_DOMAIN 3u        /* hvm_start_info.flags: privileged, initial domain */

/* Used while domains are built, one after the other, under the core lock. */
static uint8_t block[BLOCK_MAX] ALIGNED(64);

uint32_t arch_memory_layout(uint64_t bytes, struct ram_range out[2])
{
	out[0] = (struct ram_range){ 0, bytes < RAM_LOW_MAX ? bytes : RAM_LOW_MAX };
	out[1] = (struct ram_range){ RAM_HIGH, bytes - out[0].bytes };
	return out[1].bytes ? 2 : 1;
}

gfn_t arch_special_gfn(uint64_t bytes)
{
	struct ram_range ram[2];
	const struct ram_range *last = &ram[arch_memory_layout(bytes, ram) - 1];

	return gpa_to_gfn(gpa_of(last->gpa + last->bytes));
}

/*
 * The highest place for `size` bytes that ends at or below `end` and touches
 * neither the first MiB nor a segment; page-aligned. False: there is none.
 */
static bool place(const struct pack_segment *segments, uint32_t count, uint64_t end, uint64_t size,
		  uint64_t *at)
{
	uint32_t i;

	do {
		if (end < MIB || size > end - MIB)
			return false;
		*at = (end - size) & ~PAGE_MASK;
		for (i = 0; i < count; i++) {
			const struct pack_segment *s = &segments[i];

			if (s->gpa < *at + size && *at < s->gpa + s->memory_size) {
				end = s->gpa;
				break;
			}
		}
	} while (i < count);
	return *at >= MIB;
}

static void map_add(struct domain *d, uint64_t start, uint64_t end, uint32_t type)
{
	if (start < end && d->map_count < ARRAY_SIZE(d->map)) {
		d->map[d->map_count].start = start;
		d->map[d->map_count].size = end - start;
		d->map[d->map_count].type = type;
		d->map_count++;
	}
}

static void map_build(struct domain *d, const struct ram_range ram[2], uint64_t at, uint64_t size)
{
	d->map_count = 0;
	map_add(d, 0, LEGACY_HOLE, XEN_HVM_MEMMAP_TYPE_RAM);
	map_add(d, LEGACY_HOLE, MIB, XEN_HVM_MEMMAP_TYPE_RESERVED);
	map_add(d, MIB, at, XEN_HVM_MEMMAP_TYPE_RAM);
	map_add(d, at, at + size, XEN_HVM_MEMMAP_TYPE_ACPI);
	map_add(d, at + size, ram[0].bytes, XEN_HVM_MEMMAP_TYPE_RAM);
	map_add(d, ram[1].gpa, ram[1].gpa + ram[1].bytes, XEN_HVM_MEMMAP_TYPE_RAM);
	if (d->console_gfn.gfn)
		map_add(d, gfn_to_gpa(d->console_gfn).gpa, gfn_to_gpa(d->console_gfn).gpa + PAGE_SIZE,
			XEN_HVM_MEMMAP_TYPE_RESERVED);
}

static int load_segments(struct domain *d, const struct pack_segment *segments, uint32_t count, uint64_t low)
{
	for (uint32_t i = 0; i < count; i++) {
		const struct pack_segment *s = &segments[i];
		int error;

		if (s->gpa > low || s->memory_size > low - s->gpa || s->file_size > s->memory_size) {
			print("domain %s: kernel segment %u (0x%lx, 0x%lx bytes) lies outside RAM", d->name,
			      i, s->gpa, s->memory_size);
			return -EINVAL;
		}
		if (!s->file_size)
			continue;
		error = nuc_memory_load(d->id, gpa_of(s->gpa), s->offset, s->file_size);
		if (error)
			return error;
	}
	return 0;
}

/* Below the block; or between it and the end of low RAM, if there is more room. */
static int load_ramdisk(struct domain *d, const struct pack_domain *p, const struct pack_segment *segments,
			uint64_t low, uint64_t block_at, uint64_t block_size, uint64_t *at)
{
	if (!place(segments, p->segment_count, block_at, p->ramdisk_size, at) &&
	    (!place(segments, p->segment_count, low, p->ramdisk_size, at) || *at < block_at + block_size)) {
		print("domain %s: no room for a ramdisk of 0x%lx bytes", d->name, p->ramdisk_size);
		return -ENOMEM;
	}
	return nuc_memory_load(d->id, gpa_of(*at), p->ramdisk, p->ramdisk_size);
}

int arch_domain_load(struct domain *d, const struct manifest *m, const struct pack_domain *p)
{
	const struct pack_segment *segments = m->segments + p->segment_first;
	const char *cmdline = manifest_string(m, p->cmdline);
	struct ram_range ram[2];
	uint64_t at, ramdisk = 0, limit;
	size_t info_at, module_at, map_at, cmdline_at, size;
	struct hvm_start_info *info;
	struct hvm_memmap_table_entry *map;
	int error;

	arch_memory_layout(d->memory, ram);
	limit = ram[0].bytes < GIB ? ram[0].bytes : GIB;

	info_at = (acpi_size(d->vcpu_count) + 63) & ~(size_t)63;
	module_at = info_at + ((sizeof(*info) + 15) & ~(size_t)15);
	map_at = module_at + sizeof(struct hvm_modlist_entry);
	cmdline_at = map_at + ARRAY_SIZE(d->map) * sizeof(*map);
	size = cmdline_at + p->cmdline_length + 1;
	if (size > BLOCK_MAX)
		return -EINVAL;
	if (!place(segments, p->segment_count, limit, (size + PAGE_MASK) & ~PAGE_MASK, &at)) {
		print("domain %s: no room for the start information", d->name);
		return -ENOMEM;
	}

	error = load_segments(d, segments, p->segment_count, ram[0].bytes);
	if (!error && p->ramdisk_size)
		error = load_ramdisk(d, p, segments, ram[0].bytes, at, (size + PAGE_MASK) & ~PAGE_MASK,
				     &ramdisk);
	if (error)
		return error;

	map_build(d, ram, at, (size + PAGE_MASK) & ~PAGE_MASK);
	memset(block, 0, sizeof(block));
	info = (void *)(block + info_at);
	info->magic = XEN_HVM_START_MAGIC_VALUE;
	info->version = 1;
	info->flags = d->control ? INITIAL_DOMAIN : 0;
	info->rsdp_paddr = acpi_build(block, at, d->vcpu_count);
	info->cmdline_paddr = at + cmdline_at;
	info->memmap_paddr = at + map_at;
	info->memmap_entries = d->map_count;
	if (p->ramdisk_size) {
		struct hvm_modlist_entry *module = (void *)(block + module_at);

		module->paddr = ramdisk;
		module->size = p->ramdisk_size;
		info->nr_modules = 1;
		info->modlist_paddr = at + module_at;
	}
	map = (void *)(block + map_at);
	for (uint32_t i = 0; i < d->map_count; i++) {
		map[i].addr = d->map[i].start;
		map[i].size = d->map[i].size;
		map[i].type = d->map[i].type;
	}
	memcpy(block + cmdline_at, cmdline, p->cmdline_length);

	error = nuc_memory_write(d->id, gpa_of(at), block, size);
	if (error)
		return error;
	return nuc_vcpu_start(d->vcpus[0]->handle, START_PVH, p->entry, (uint32_t)(at + info_at));
}
