/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The hypervisor's own two address spaces.
 *
 * The nucleus' maps all memory, the devices it drives, and everything it shares
 * with the core. The core's maps its own text and data, its stacks, the gate, the
 * manifest and the share pages: no guest memory, no table, nothing of the
 * nucleus. Nothing is writable and executable in either, at any address: the
 * direct map shows text and constants read-only too.
 */
#include "platform.h"
#include "asm.h"
#include "frame.h"
#include "memory.h"
#include "string.h"
#include "vcpu.h"

#define CR3_NO_FLUSH (1ull << 63)
#define CORE_PCID 1u

/* Linker script. */
extern char gate_stacks[], core_data_split[], core_data_split_end[], core_rodata_start[], core_rodata_end[];
extern char core_bss_start[], core_bss_end[], setup_text_start[], setup_rodata_end[];

struct paging_roots paging_roots;

/* The 4 KiB entry for va, whose tables were made at boot. */
static uint64_t *entry_for(uint64_t root, uint64_t va)
{
	uint64_t at = root;
	unsigned level;

	for (level = 3; level; level--) {
		uint64_t e = ((uint64_t *)phys_to_ptr(at))[va >> (PAGE_SHIFT + 9 * level) & 511];

		CHECK(e & PTE_PRESENT && !(e & PTE_LARGE));
		at = e & PTE_ADDRESS;
	}
	return &((uint64_t *)phys_to_ptr(at))[va >> PAGE_SHIFT & 511];
}

uint64_t paging_nucleus_cr3(void) { return paging_roots.nucleus | (cpu_has_pcid ? CR3_NO_FLUSH : 0); }

uint64_t paging_core_cr3(void) { return paging_roots.core | (cpu_has_pcid ? CR3_NO_FLUSH | CORE_PCID : 0); }

/*
 * Takes the setup text and its constants out of the nucleus' space: what only a
 * boot needs is nothing that could be jumped to later.
 */
void paging_drop_setup(void)
{
	uint64_t va;

	for (va = (uint64_t)setup_text_start; va < (uint64_t)setup_rodata_end; va += PAGE_SIZE)
		*entry_for(paging_roots.nucleus, va) = 0;
	paging_flush_all();
}

/* Drops every translation of the hypervisor's own that this CPU holds, whatever its PCID. */
void paging_flush_all(void)
{
	uint64_t cr4 = read_cr4();

	write_cr4(cr4 ^ CR4_PGE);
	write_cr4(cr4);
}

/*
 * Maps a share page in both spaces. It stays there for good, so nothing has to be
 * flushed: the entry goes from absent to present once.
 */
void *machine_core_map(mfn_t mfn, uint32_t domain, uint32_t slot)
{
	uint64_t va = CORE_SHARE_VA + (domain * SHARE_SLOTS + slot) * PAGE_SIZE;
	uint64_t entry = mfn.mfn << PAGE_SHIFT | PTE_NX | PTE_WRITE | PTE_PRESENT;

	*entry_for(paging_roots.nucleus, va) = entry;
	*entry_for(paging_roots.core, va) = entry;
	return (void *)va;
}

static inline bool within(uint64_t p, uint64_t length, uint64_t start, uint64_t end)
{
	uint64_t offset = p - start;

	return offset <= end - start && length <= end - start - offset;
}

bool machine_core_range(const void *pointer, uint64_t length, bool write)
{
	uint64_t p = (uint64_t)pointer, stack_end = gate_here->core_sp + CORE_STACK_LINK;

	/* Arguments are on this CPU's own stack, as a rule. */
	if (likely(within(p, length, stack_end - CORE_STACK_SIZE, stack_end)))
		return true;
	if (within(p, length, (uint64_t)core_bss_start, (uint64_t)core_bss_end) ||
	    within(p, length, (uint64_t)core_data_split, (uint64_t)core_data_split_end))
		return true;
	return !write && (within(p, length, (uint64_t)core_rodata_start, (uint64_t)core_rodata_end) ||
			  (p >= CORE_MANIFEST_VA && length <= CORE_MANIFEST_MAX && manifest_mapped(p, length)));
}

/* The manifest may be passed back as a source; the unmapped rest of its range may not. */
bool manifest_mapped(uint64_t p, uint64_t length)
{
	return within(p, length, CORE_MANIFEST_VA, CORE_MANIFEST_VA + machine_manifest_size());
}

/* ---- audit ----------------------------------------------------------------- */

static void audit_leaf(struct audit *report, uint64_t entry, uint64_t executable, unsigned level, bool core)
{
	uint64_t pages = 1ull << (9 * level), mfn = (entry & PTE_ADDRESS) >> PAGE_SHIFT, i;

	if (entry & PTE_WRITE && executable)
		report->writable_code += pages;
	if (!core)
		return;
	report->core_reach += pages;
	for (i = 0; i < pages; i++) {
		uint8_t type = mfn + i < frame_count ? frames[mfn + i].type : FRAME_DEVICE;
		bool writable = entry & PTE_WRITE;

		if (type == FRAME_CORE || type == FRAME_SHARED)
			continue;
		/* Gate pages are the core's to read and run; only exception stacks does it write. */
		if (type == FRAME_GATE && (!writable || machine_is_gate_stack(mfn + i)))
			continue;
		report->broken[2]++;
	}
}

static void audit_table(struct audit *report, uint64_t at, unsigned level, bool executable, bool core)
{
	const uint64_t *table = phys_to_ptr(at);
	uint32_t i;

	if (frames[at >> PAGE_SHIFT].type != FRAME_NUCLEUS)
		report->broken[3]++;
	for (i = 0; i < 512; i++) {
		uint64_t e = table[i];
		bool x = executable && !(e & PTE_NX);

		if (!(e & PTE_PRESENT))
			continue;
		if (level && !(e & PTE_LARGE))
			audit_table(report, e & PTE_ADDRESS, level - 1, x, core);
		else
			audit_leaf(report, e, x, level, core);
	}
}

bool machine_is_gate_stack(uint64_t mfn)
{
	uint64_t start = image_physical(gate_stacks) >> PAGE_SHIFT;

	return mfn >= start && mfn < start + 2ull * CPUS_MAX * GATE_STACK_SIZE / PAGE_SIZE;
}

void machine_audit(struct audit *report)
{
	audit_table(report, paging_roots.nucleus, 3, true, false);
	audit_table(report, paging_roots.core, 3, true, true);
	vmfunc_audit(report);
}
