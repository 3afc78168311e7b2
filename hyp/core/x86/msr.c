/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Model-specific registers: one row per register or run of registers. Whatever
 * has no row raises #GP(0), as a register that the CPU doesn't have would.
 */
#include "x86.h"
#include "string.h"

#define STUBS 128u
#define STUB_SIZE (PAGE_SIZE / STUBS)
#define STUB_IRET 23u            /* PV only: #UD */
#define MEMORY_RAM 1             /* nuc_memory_type */
#define MEMORY_SHARED 2

void hypercall_page_fill(uint8_t page[PAGE_SIZE])
{
	static const uint8_t code[] = { 0xb8, 0, 0, 0, 0,   /* mov $number, %eax */
					0x0f, 0x01, 0xc1,   /* vmcall */
					0xc3 };             /* ret */

	memset(page, 0xcc, PAGE_SIZE);                      /* int3 between the stubs */
	for (uint32_t i = 0; i < STUBS; i++) {
		uint8_t *stub = page + i * STUB_SIZE;

		memcpy(stub, code, sizeof(code));
		stub[1] = (uint8_t)i;
		if (i == STUB_IRET) {
			stub[0] = 0x0f;                     /* ud2 */
			stub[1] = 0x0b;
		}
	}
}

/* The whole page at that gfn is replaced, RAM or hole. */
static bool write_hypercall_page(struct vcpu *v, uint32_t index, uint64_t value)
{
	struct domain *d = v->domain;
	gfn_t gfn = gpa_to_gfn(gpa_of(value));
	int type = nuc_memory_type(d->id, gfn);
	void *page;

	(void)index;
	if (value & PAGE_MASK || type < 0)
		return false;
	if (type == MEMORY_SHARED && (!gfn.gfn || gfn.gfn != d->hypercall_page_gfn))
		return false;                               /* would unmap shared_info or the console */
	page = nuc_share_page(d->id, SHARE_HYPERCALL);
	if (!page)
		return false;
	hypercall_page_fill(page);
	if (nuc_share_map(d->id, SHARE_HYPERCALL, gfn))
		return false;
	if (type == MEMORY_RAM)
		d->pages--;
	altp2m_memory_changed(d);
	d->hypercall_page_gfn = gfn.gfn;
	if (gfn.gfn > d->highest_gfn.gfn)
		d->highest_gfn = gfn;
	return true;
}

static bool read_zero(struct vcpu *v, uint32_t index, uint64_t *value)
{
	(void)v;
	(void)index;
	*value = 0;
	return true;
}

static bool write_ignored(struct vcpu *v, uint32_t index, uint64_t value)
{
	(void)v;
	(void)index;
	(void)value;
	return true;
}

static bool read_tsc(struct vcpu *v, uint32_t index, uint64_t *value)
{
	(void)v;
	(void)index;
	*value = nuc_now();
	return true;
}

static bool read_apic_base(struct vcpu *v, uint32_t index, uint64_t *value)
{
	(void)index;
	*value = v->lapic.base;
	return true;
}

static bool write_apic_base(struct vcpu *v, uint32_t index, uint64_t value)
{
	(void)index;
	return value == v->lapic.base;
}

static bool read_microcode(struct vcpu *v, uint32_t index, uint64_t *value)
{
	(void)v;
	(void)index;
	*value = 1ull << 32;
	return true;
}

static bool read_misc_enable(struct vcpu *v, uint32_t index, uint64_t *value)
{
	(void)v;
	(void)index;
	*value = 1;                                         /* fast strings */
	return true;
}

#define NUCLEUS NULL, NULL, true
#define LAPIC lapic_read, lapic_write, false

const struct msr_row msr_rows[] = {
	{0x10, 0x10, "IA32_TIME_STAMP_COUNTER", read_tsc, write_ignored, false,
	 "reads pass through the bitmap; writes are ignored",
	 "kernels may try to synchronise TSCs; here all are the machine's one", "RDTSC never exits"},
	{0x17, 0x17, "IA32_PLATFORM_ID", read_zero, NULL, false, "0", "the microcode driver reads it",
	 "a kernel without that driver"},
	{0x1b, 0x1b, "IA32_APIC_BASE", read_apic_base, write_apic_base, false,
	 "0xFEE00C00, bit 8 on vCPU 0; writing the value it has is ignored, any other #GP(0)",
	 "x2APIC preset is what makes the APIC page needless", "nothing"},
	{0x8b, 0x8b, "IA32_BIOS_SIGN_ID", read_microcode, write_ignored, false, "revision 1; writes ignored",
	 "read unguarded at every CPU's start", "nothing"},
	{0x174, 0x176, "IA32_SYSENTER_CS, ESP, EIP", NUCLEUS, "passed through", "VMCS guest state",
	 "no exit"},
	{0x1a0, 0x1a0, "IA32_MISC_ENABLE", read_misc_enable, write_ignored, false,
	 "1: fast strings; writes ignored", "read unguarded at every CPU's start", "nothing"},
	{0x277, 0x277, "IA32_PAT", NUCLEUS, "passed through", "loaded and saved by VM entry and exit",
	 "no exit"},
	{0x6e0, 0x6e0, "IA32_TSC_DEADLINE", read_zero, write_ignored, false,
	 "reads 0, writes ignored: no APIC timer runs",
	 "CPUID shows it, so that Linux wants no PIT; the clock is VIRQ_TIMER",
	 "VCPUOP_set_singleshot_timer"},
	{0x802, 0x803, "x2APIC ID, version", LAPIC, "vCPU number; version 0x14 with six LVT entries",
	 "must agree with CPUID and MADT", "nothing"},
	{0x808, 0x808, "x2APIC TPR", LAPIC, "task priority", "set once at start", "APIC virtualisation"},
	{0x80a, 0x80a, "x2APIC PPR", LAPIC, "processor priority, read-only", "part of the priority rules",
	 "APIC virtualisation"},
	{0x80b, 0x80b, "x2APIC EOI", LAPIC, "ends the highest vector in service; not 0: #GP(0)",
	 "IPIs by vector (irq_work, reboot)", "event channels need none; APIC virtualisation"},
	{0x80d, 0x80d, "x2APIC LDR", LAPIC, "read-only, from the id", "logical destinations",
	 "physical mode, which our FADT asks for"},
	{0x80f, 0x80f, "x2APIC SVR", LAPIC, "software enable, spurious vector", "set at every CPU's start",
	 "nothing"},
	{0x810, 0x827, "x2APIC ISR, TMR, IRR", LAPIC, "read-only", "Linux clears leftovers at start",
	 "nothing"},
	{0x828, 0x828, "x2APIC ESR", LAPIC, "latched by writing 0; only `send illegal vector` occurs",
	 "Linux reads it around start", "nothing"},
	{0x830, 0x830, "x2APIC ICR", LAPIC,
	 "fixed, NMI, INIT, SIPI; physical, logical, shorthands; other modes and reserved bits #GP(0); "
	 "vectors below 16 set ESR",
	 "starting CPUs, NMI backtraces, reboot", "event-channel IPIs for all else"},
	{0x832, 0x837, "x2APIC LVT", LAPIC, "stored; no local source ever fires", "Linux masks them",
	 "nothing"},
	{0x838, 0x839, "x2APIC timer counts", LAPIC, "the initial count is stored, the current one reads 0",
	 "written when a CPU goes down; no timer runs", "VCPUOP_set_singleshot_timer"},
	{0x83e, 0x83e, "x2APIC timer divide", LAPIC, "stored", "as the timer counts",
	 "VCPUOP_set_singleshot_timer"},
	{0x83f, 0x83f, "x2APIC SELF_IPI", LAPIC, "as a fixed IPI to oneself", "irq_work",
	 "APIC virtualisation"},
	{0x40000000, 0x40000000, "Xen hypercall page", read_zero, write_hypercall_page, false,
	 "fills the page with 128 stubs; reads 0; an unaligned address or a page shared already: #GP(0)",
	 "small kernels and Linux before 6.1.123", "executing VMCALL directly"},
	{0xc0000080, 0xc0000080, "IA32_EFER", NUCLEUS, "SCE, LME, NXE as written, LMA follows CR0.PG",
	 "entering long mode changes the VM-entry controls", "nothing"},
	{0xc0000081, 0xc0000084, "STAR, LSTAR, CSTAR, FMASK", NUCLEUS,
	 "passed through, switched with the vCPU", "SYSCALL", "no exit"},
	{0xc0000100, 0xc0000102, "FS, GS, KERNEL_GS base", NUCLEUS, "passed through", "thread and CPU data",
	 "no exit"},
	{0xc0000103, 0xc0000103, "TSC_AUX", NUCLEUS, "passed through, switched with the vCPU",
	 "RDTSCP, RDPID", "no exit"},
};
const size_t msr_row_count = ARRAY_SIZE(msr_rows);

static const struct msr_row *row_of(uint32_t index)
{
	for (size_t i = 0; i < ARRAY_SIZE(msr_rows); i++)
		if (index >= msr_rows[i].first && index <= msr_rows[i].last)
			return &msr_rows[i];
	return NULL;
}

bool msr_read(struct vcpu *v, uint32_t index, uint64_t *value)
{
	const struct msr_row *row = row_of(index);

	return row && row->read && row->read(v, index, value);
}

bool msr_write(struct vcpu *v, uint32_t index, uint64_t value)
{
	const struct msr_row *row = row_of(index);

	return row && row->write && row->write(v, index, value);
}
