/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Builds the hypervisor's two address spaces (what they hold: paging.c), and the
 * frame table with everything in it that is in use from the start.
 */
#include "platform.h"
#include "asm.h"
#include "string.h"

#define SIZE_2M (2ull << 20)
#define SIZE_1G (1ull << 30)

#define RX 0ull
#define R PTE_NX
#define RW (PTE_NX | PTE_WRITE)

/* Linker script. */
extern char boot_start[], image_end[], setup_text_start[], setup_text_end[], setup_rodata_start[], setup_rodata_end[];
extern char gate_text_start[], gate_text_end[], gate_rodata_start[], gate_rodata_end[];
extern char gate_data_start[], gate_data_end[], gate_stacks[];
extern char nucleus_text_start[], nucleus_text_end[], nucleus_rodata_start[], nucleus_rodata_end[];
extern char nucleus_data_start[], core_data_split[], core_data_split_end[], nucleus_data_end[];
extern char core_text_start[], core_text_end[], core_rodata_start[], core_rodata_end[];
extern char core_bss_start[], core_bss_end[], core_stacks[], nucleus_stacks[];

static bool direct_map_ready;
static struct { uint64_t next, end; } early; /* frames for tables until the frame table exists */

static uint64_t *table_at(uint64_t physical)
{
	return direct_map_ready ? phys_to_ptr(physical) : (uint64_t *)physical;
}

static uint64_t table_new(void)
{
	uint64_t at;
	mfn_t mfn;

	if (early.next < early.end) {
		at = early.next;
		early.next += PAGE_SIZE;
		memset(table_at(at), 0, PAGE_SIZE);
		return at;
	}
	if (!direct_map_ready || frame_alloc(ORDER_4K, FRAME_NUCLEUS, DOMAIN_NONE, &mfn))
		panic("no memory for the hypervisor's own page tables");
	return mfn.mfn << PAGE_SHIFT;
}

/* The entry for va at `level` (0: 4 KiB .. 3: root), tables made on the way. */
static uint64_t *entry_for(uint64_t root, uint64_t va, unsigned level)
{
	uint64_t *entry = NULL;
	uint64_t at = root;
	unsigned l;

	for (l = 3;; l--) {
		entry = &table_at(at)[va >> (PAGE_SHIFT + 9 * l) & 511];
		if (l == level)
			return entry;
		if (!(*entry & PTE_PRESENT))
			*entry = table_new() | PTE_PRESENT | PTE_WRITE;
		else
			CHECK(!(*entry & PTE_LARGE));
		at = *entry & PTE_ADDRESS;
	}
}

/* Maps [va, va + size) to physical, in the largest pages that fit. All three are page-aligned. */
static void map(uint64_t root, uint64_t va, uint64_t physical, uint64_t size, uint64_t flags)
{
	while (size) {
		uint64_t all = va | physical, step = PAGE_SIZE;
		unsigned level = 0;

		if (!(all & (SIZE_1G - 1)) && size >= SIZE_1G && cpu_has_1g_pages)
			level = 2, step = SIZE_1G;
		else if (!(all & (SIZE_2M - 1)) && size >= SIZE_2M)
			level = 1, step = SIZE_2M;
		*entry_for(root, va, level) = physical | flags | PTE_PRESENT | (level ? PTE_LARGE : 0);
		va += step;
		physical += step;
		size -= step;
	}
}

static void map_image(uint64_t root, const char *start, const char *end, uint64_t flags)
{
	map(root, (uint64_t)start, image_physical(start), (uint64_t)(end - start), flags);
}

/* The upper half of each CPU's slot; the lower stays a hole. */
static void map_stacks(uint64_t root, char *stacks, uint64_t size)
{
	uint32_t i;

	for (i = 0; i < CPUS_MAX; i++) {
		const char *s = stacks + (2 * i + 1) * size;

		map_image(root, s, s + size, RW);
	}
}

static void map_shared_by_both(uint64_t root, uint64_t gate_data_flags)
{
	map_image(root, gate_text_start, gate_text_end, RX);
	map_image(root, gate_rodata_start, gate_rodata_end, R);
	map_image(root, gate_data_start, gate_data_end, gate_data_flags);
	map_stacks(root, gate_stacks, GATE_STACK_SIZE);
	map_image(root, core_rodata_start, core_rodata_end, R);
	map_image(root, core_data_split, core_data_split_end, RW);
	map_image(root, core_bss_start, core_bss_end, RW);
	map_stacks(root, core_stacks, CORE_STACK_SIZE);
}

/* Everything in the direct map but text and constants of the image, which it shows read-only. */
static void map_direct(uint64_t end)
{
	uint64_t read_only = image_physical(gate_text_start);
	uint64_t writable = image_physical(gate_data_start);

	map(paging_roots.nucleus, DIRECT_MAP_VA, 0, read_only, RW);
	map(paging_roots.nucleus, DIRECT_MAP_VA + read_only, read_only, writable - read_only, R);
	map(paging_roots.nucleus, DIRECT_MAP_VA + writable, writable, end - writable, RW);
}

/* A place for `size` bytes at the top of RAM that the boot tables reach. */
static uint64_t find_room(const struct boot_memory *m, uint64_t size, uint64_t above)
{
	uint64_t best = 0;
	uint32_t i;

	for (i = 0; i < m->ranges; i++) {
		uint64_t end = m->ram[i].end < SIZE_1G * 4 ? m->ram[i].end : SIZE_1G * 4;
		uint64_t start = m->ram[i].start > above ? m->ram[i].start : above;

		end &= ~(SIZE_2M - 1);
		if (end > start && end - start >= size && end - size > best)
			best = end - size;
	}
	return best & ~(SIZE_2M - 1);
}

static void claim(const char *start, const char *end, uint8_t type)
{
	frame_claim(mfn_of(image_physical(start) >> PAGE_SHIFT), (uint64_t)(end - start) >> PAGE_SHIFT, type);
}

static void claim_core(void)
{
	uint32_t i;

	claim(gate_text_start, gate_text_end, FRAME_GATE);
	claim(gate_rodata_start, gate_rodata_end, FRAME_GATE);
	claim(gate_data_start, gate_data_end, FRAME_GATE);
	claim(core_text_start, core_text_end, FRAME_CORE);
	claim(core_rodata_start, core_rodata_end, FRAME_CORE);
	claim(core_data_split, core_data_split_end, FRAME_CORE);
	claim(core_bss_start, core_bss_end, FRAME_CORE);
	for (i = 0; i < CPUS_MAX; i++) {
		char *s = core_stacks + (2 * i + 1) * CORE_STACK_SIZE;
		char *g = gate_stacks + (2 * i + 1) * GATE_STACK_SIZE;

		claim(s, s + CORE_STACK_SIZE, FRAME_CORE);
		claim(g, g + GATE_STACK_SIZE, FRAME_GATE);
	}
	frame_claim(mfn_of(pack.address >> PAGE_SHIFT), (pack.manifest + PAGE_MASK) >> PAGE_SHIFT, FRAME_CORE);
}

void paging_init(const struct boot_memory *m)
{
	uint64_t count = m->end >> PAGE_SHIFT;
	uint64_t table_size = (count * sizeof(struct frame) + SIZE_2M - 1) & ~(SIZE_2M - 1);
	uint64_t above = image_physical(image_end), room, direct_end;
	uint32_t i;

	if (pack.address + pack.size > above)
		above = pack.address + pack.size;
	room = find_room(m, table_size + SIZE_2M, above);
	if (!room)
		panic("not enough memory: %llu KiB are needed above the boot image for the frame table",
		      (table_size + SIZE_2M) >> 10);
	early.next = room + table_size;
	early.end = early.next + SIZE_2M;

	paging_roots.nucleus = table_new();
	paging_roots.core = table_new();
	direct_end = (m->end + (1ull << 20) + SIZE_2M - 1) & ~(SIZE_2M - 1);
	map_direct(direct_end);
	map(paging_roots.nucleus, FRAME_TABLE_VA, room, table_size, RW);
	map_shared_by_both(paging_roots.nucleus, RW);
	map_image(paging_roots.nucleus, setup_text_start, setup_text_end, RX);
	map_image(paging_roots.nucleus, setup_rodata_start, setup_rodata_end, R);
	map_image(paging_roots.nucleus, nucleus_text_start, nucleus_text_end, RX);
	map_image(paging_roots.nucleus, nucleus_rodata_start, nucleus_rodata_end, R);
	map_image(paging_roots.nucleus, nucleus_data_start, core_data_split, RW);
	map_image(paging_roots.nucleus, core_data_split_end, nucleus_data_end, RW);
	map_stacks(paging_roots.nucleus, nucleus_stacks, NUCLEUS_STACK_SIZE);

	map_shared_by_both(paging_roots.core, R);
	map_image(paging_roots.core, core_text_start, core_text_end, RX);

	if (pack.manifest > CORE_MANIFEST_MAX)
		panic("the manifest takes %lu bytes, at most %llu are expected", pack.manifest,
		      CORE_MANIFEST_MAX);
	map(paging_roots.nucleus, CORE_MANIFEST_VA, pack.address, (pack.manifest + PAGE_MASK) & ~PAGE_MASK, R);
	map(paging_roots.core, CORE_MANIFEST_VA, pack.address, (pack.manifest + PAGE_MASK) & ~PAGE_MASK, R);
	/* The tables for devices and share pages exist from now on: mapping one cannot fail later. */
	entry_for(paging_roots.nucleus, DEVICE_VA, 0);
	entry_for(paging_roots.nucleus, CORE_SHARE_VA, 0);
	entry_for(paging_roots.core, CORE_SHARE_VA, 0);

	write_cr3(paging_roots.nucleus);
	direct_map_ready = true;

	frame_init(count);
	frame_claim(mfn_of(0), 256, FRAME_NUCLEUS);
	frame_claim(mfn_of((uint64_t)boot_start >> PAGE_SHIFT),
		    (image_physical(image_end) - (uint64_t)boot_start) >> PAGE_SHIFT, FRAME_NUCLEUS);
	frame_claim(mfn_of(room >> PAGE_SHIFT), (table_size + SIZE_2M) >> PAGE_SHIFT, FRAME_NUCLEUS);
	frame_claim(mfn_of(pack.address >> PAGE_SHIFT), (pack.size + PAGE_MASK) >> PAGE_SHIFT, FRAME_NUCLEUS);
	for (i = 0; i < m->ranges; i++)
		frame_add(mfn_of(m->ram[i].start >> PAGE_SHIFT),
			  (m->ram[i].end - m->ram[i].start) >> PAGE_SHIFT);
	claim_core();
}

void paging_cpu_init(void)
{
	write_cr3(paging_roots.nucleus);
	if (cpu_has_pcid)
		write_cr4(read_cr4() | CR4_PCIDE);
}

volatile uint32_t *paging_map_device(uint64_t physical, uint32_t slot)
{
	uint64_t va = DEVICE_VA + slot * PAGE_SIZE;

	*entry_for(paging_roots.nucleus, va, 0) = physical | RW | PTE_UNCACHED | PTE_PRESENT;
	return (volatile uint32_t *)va;
}
