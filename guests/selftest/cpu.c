/* SPDX-License-Identifier: Apache-2.0 */
/* CPUID, MSRs, control registers and ports. */
#include "selftest.h"

static bool faults_gp(void (*body)(void *), void *argument)
{
	return trap_try(body, argument) && this_cpu()->trap.vector == VECTOR_GP;
}

static bool msr_read_faults(uint32_t index)
{
	uint64_t value;

	return !rdmsr_try(index, &value) && this_cpu()->trap.vector == VECTOR_GP;
}

static bool msr_write_faults(uint32_t index, uint64_t value)
{
	return !wrmsr_try(index, value) && this_cpu()->trap.vector == VECTOR_GP;
}

static void check_cpuid(void)
{
	uint32_t base = xen_base();
	struct cpuid c = cpuid(base, 0);

	CHECK_EQUAL(base, 0x40000000);
	CHECK(c.eax >= base + 4);
	c = cpuid(base + 1, 0);
	CHECK_EQUAL(c.eax, 0x00040011);
	c = cpuid(base + 2, 0);
	CHECK_EQUAL(c.eax, 1);
	CHECK_EQUAL(c.ebx, 0x40000000);
	CHECK(xen_tsc_khz() > 100);
	c = cpuid(base + 4, 0);
	CHECK(c.eax & 1u << 3);
	CHECK_EQUAL(c.ebx, 0);
	CHECK(c.eax & 1u << 4);
	CHECK(c.ecx < DOMID_SELF);

	c = cpuid(0, 0);
	CHECK(c.eax >= 0x16);
	CHECK(c.ebx == 0x756e6547 && c.edx == 0x49656e69 && c.ecx == 0x6c65746e); /* GenuineIntel */
	c = cpuid(1, 0);
	CHECK(c.ecx & 1u << 31);		/* a hypervisor is there */
	CHECK(c.ecx & 1u << 21);		/* x2APIC */
	CHECK(!(c.ecx & 1u << 5));		/* no VMX */
	CHECK(!(c.ecx & 1u << 6));		/* no SMX */
	CHECK(!(c.ecx & 1u << 3));		/* no MONITOR */
	CHECK(!(c.edx & (1u << 7 | 1u << 14))); /* no machine checks */
	c = cpuid(0xa, 0);
	CHECK_EQUAL(c.eax & 0xff, 0); /* no performance counters */
	c = cpuid(0x16, 0);
	CHECK_EQUAL(c.eax & 0xffff, xen_tsc_khz() / 1000);
	c = cpuid(7, 0);
	CHECK(!(c.edx & 1u << 4));				     /* FSRM */
	CHECK(!(c.ecx & (1u << 3 | 1u << 4)));			     /* protection keys */
	CHECK(!(c.ebx & 1u << 18) && !(cpuid(1, 0).ecx & 1u << 30)); /* RDSEED, RDRAND: runs repeat */
	c = cpuid(0x80000001, 0);
	CHECK(c.edx & 1u << 29); /* long mode */
	CHECK((cpuid(0x80000008, 0).eax & 0xff) >= 36);
}

static void check_msrs(void)
{
	static const uint32_t hidden[] = {
		0x3a,	    0x480,	0x48b,	    0x491,	0x12345, 0x4e,	0x140,
		0xc0010015, 0xc0011029, 0x7fffffff, 0xffffffff, 0x186,	 0x38d, 0x179,
	};
	uint64_t value;

	for (uint32_t i = 0; i < ARRAY_SIZE(hidden); i++) {
		if (!msr_read_faults(hidden[i]) || !msr_write_faults(hidden[i], 0))
			test_failure("MSR 0x%x is there", hidden[i]);
		test_checks++;
	}
	CHECK_EQUAL(rdmsr(0x1b), 0xfee00d00);
	CHECK(rdmsr_try(0x1a0, &value) && (value & 1));
	CHECK_EQUAL(rdmsr(0xc0000080) & 0xd00, 0x500); /* EFER: LME, LMA */
	CHECK(msr_write_faults(0xc0000080, rdmsr(0xc0000080) | 1u << 20));
	CHECK(msr_write_faults(0xc0000080, 0)); /* LME can't go while paging is on */
	wrmsr(0xc0000102, 0x123456789000);
	CHECK_EQUAL(rdmsr(0xc0000102), 0x123456789000);
	CHECK(msr_write_faults(0xc0000100, 1ull << 63)); /* not canonical */
	wrmsr(0xc0000082, 0xffffffff81000000);
	CHECK_EQUAL(rdmsr(0xc0000082), 0xffffffff81000000);
	wrmsr(0x277, 0x0007040600070406ull);
	CHECK_EQUAL(rdmsr(0x277), 0x0007040600070406ull);
	CHECK(msr_write_faults(0x277, 2)); /* no such memory type */
	if (cpuid(0x80000001, 0).edx & 1u << 27) {
		uint32_t aux;

		wrmsr(0xc0000103, 77);
		asm volatile("rdtscp" : "=c"(aux) : : "eax", "edx");
		CHECK_EQUAL(aux, 77);
	}
	CHECK(rdmsr(0x10) - rdtsc() + 100000 < 100001);

	/* The local APIC */
	CHECK_EQUAL(apic_read(APIC_id), cpuid(0xb, 0).edx);
	CHECK((apic_read(APIC_version) & 0xff) >= 0x10);
	CHECK(msr_write_faults(0x800 + APIC_id, 0));
	CHECK(msr_write_faults(0x800 + APIC_eoi, 1));
	CHECK(msr_write_faults(0x800 + APIC_tpr, 0x100));
	CHECK(msr_read_faults(0x800 + APIC_self_ipi));
	CHECK(msr_read_faults(0x831)); /* ICR is one register in x2APIC mode */
	apic_write(APIC_tpr, 0x50);
	CHECK_EQUAL(read_cr8(), 5);
	write_cr8(0);
	CHECK_EQUAL(apic_read(APIC_tpr), 0);
}

static void set_cr0(void *bits)
{
	write_cr0(*(uint64_t *)bits);
}

static void set_cr4(void *bits)
{
	write_cr4(*(uint64_t *)bits);
}

static void set_cr8(void *value)
{
	write_cr8(*(uint64_t *)value);
}

static void set_xcr0(void *value)
{
	uint64_t v = *(uint64_t *)value;

	asm volatile("xsetbv" : : "c"(0), "a"((uint32_t)v), "d"((uint32_t)(v >> 32)));
}

static uint64_t get_xcr0(void)
{
	uint32_t lo, hi;

	asm volatile("xgetbv" : "=a"(lo), "=d"(hi) : "c"(0));
	return (uint64_t)hi << 32 | lo;
}

static void check_control_registers(void)
{
	uint64_t cr0 = read_cr0(), cr4 = read_cr4(), v;

	CHECK(!(cr4 & 1u << 13)); /* VMXE is ours, not the guest's */
	v = cr4 | 1u << 13;
	CHECK(faults_gp(set_cr4, &v));
	v = cr4 | 1u << 31;
	CHECK(faults_gp(set_cr4, &v));
	v = cr4 & ~(1ull << 5); /* PAE in long mode */
	CHECK(faults_gp(set_cr4, &v));
	v = cr0 & ~(1ull << 31);
	CHECK(faults_gp(set_cr0, &v));
	v = cr0 | 1ull << 32;
	CHECK(faults_gp(set_cr0, &v));
	v = (cr0 | 1u << 29) & ~(1ull << 30); /* NW without CD */
	CHECK(faults_gp(set_cr0, &v));
	v = 0x10;
	CHECK(faults_gp(set_cr8, &v));
	write_cr0(cr0 & ~(1ull << 16));
	CHECK_EQUAL(read_cr0(), cr0 & ~(1ull << 16));
	write_cr0(cr0);
	/* Cache disable is the guest's to see, and not the machine's. */
	v = cr0 | 1u << 30;
	if (!trap_try(set_cr0, &v))
		CHECK_EQUAL(read_cr0(), v);
	write_cr0(cr0);
	CHECK_EQUAL(read_cr0(), cr0);

	if (cpuid(1, 0).ecx & 1u << 26) {
		uint64_t allowed = cpuid(0xd, 0).eax;

		write_cr4(cr4 | 1u << 18);
		CHECK(cpuid(1, 0).ecx & 1u << 27); /* OSXSAVE follows CR4 */
		CHECK_EQUAL(get_xcr0() & 1, 1);
		CHECK(!trap_try(set_xcr0, &allowed));
		CHECK_EQUAL(get_xcr0(), allowed);
		CHECK(cpuid(0xd, 0).ebx <= cpuid(0xd, 0).ecx);
		v = 0;
		CHECK(faults_gp(set_xcr0, &v));
		v = 1ull << 62 | 1;
		CHECK(faults_gp(set_xcr0, &v));
		v = 5;
		CHECK(faults_gp(set_xcr0, &v)); /* AVX without SSE */
		CHECK_EQUAL(get_xcr0(), allowed);
		v = 1;
		CHECK(!trap_try(set_xcr0, &v));
		write_cr4(cr4);
		CHECK(!(cpuid(1, 0).ecx & 1u << 27));
	}
}

#define INSTRUCTION(name, text)                                                                              \
	static void name(void *unused)                                                                       \
	{                                                                                                    \
		static uint64_t operand[2] __attribute__((aligned(16)));                                     \
		(void)unused;                                                                                \
		asm volatile(text : : "m"(operand[0]), "a"(0), "c"(0), "d"(0) : "memory", "cc");             \
	}
INSTRUCTION(do_vmxon, "vmxon %0")
INSTRUCTION(do_vmptrld, "vmptrld %0")
INSTRUCTION(do_vmclear, "vmclear %0")
INSTRUCTION(do_vmlaunch, "vmlaunch")
INSTRUCTION(do_vmread, "vmread %%rax, %%rcx")
INSTRUCTION(do_vmfunc, "vmfunc")
INSTRUCTION(do_invept, "invept %0, %%rax")
INSTRUCTION(do_invvpid, "invvpid %0, %%rax")
INSTRUCTION(do_getsec, "getsec")
INSTRUCTION(do_monitor, "monitor")
INSTRUCTION(do_mwait, "mwait")
INSTRUCTION(do_rsm, "rsm")
INSTRUCTION(do_rdpmc, "rdpmc")
INSTRUCTION(do_wbinvd, "wbinvd")

static volatile uint32_t debug_traps;

/* Leaves an instruction that traps again and again, so that the test can say so. */
static void count_debug(struct frame *f)
{
	f->rflags &= ~0x100ull;
	if (++debug_traps > 3)
		f->rip++;
}

/* #DB comes once and behind its instruction, also where the hypervisor has a part in it. */
static void check_debug_traps(void)
{
	trap_hook(VECTOR_DB, count_debug);
	debug_traps = 0;
	asm volatile(".byte 0xf1" : : : "memory"); /* INT1 */
	CHECK_EQUAL(debug_traps, 1);
	debug_traps = 0;
	asm volatile("pushf\n\torl $0x100, (%%rsp)\n\tpopf\n\tnop\n\tnop" : : : "memory", "cc");
	CHECK_EQUAL(debug_traps, 1);
	trap_hook(VECTOR_DB, NULL);
}

/* Instructions that a guest may try but doesn't have. */
static void check_instructions(void)
{
	static void (*const absent[])(void *) = {
		do_vmxon,  do_vmptrld, do_vmclear, do_vmlaunch, do_vmread, do_vmfunc,
		do_invept, do_invvpid, do_getsec,  do_monitor,	do_mwait,  do_rsm,
	};

	for (uint32_t i = 0; i < ARRAY_SIZE(absent); i++) {
		if (!trap_try(absent[i], NULL) || this_cpu()->trap.vector != VECTOR_UD)
			test_failure("instruction %u of the list doesn't give #UD", i);
		test_checks++;
	}
	CHECK(faults_gp(do_rdpmc, NULL));
	CHECK(!trap_try(do_wbinvd, NULL));
}

static void string_in(void *unused)
{
	static uint8_t bytes[8];
	void *to = bytes;
	uint64_t n = sizeof(bytes);

	(void)unused;
	asm volatile("rep insb" : "+D"(to), "+c"(n) : "d"(0x60) : "memory");
}

static void check_ports(void)
{
	static const uint16_t ports[] = {
		0x0,   0x20,   0x21,  0x40,  0x43,  0x60,   0x61,   0x64,   0x70,  0x71,
		0x80,  0xa1,   0xe9,  0x1f7, 0x3d4, 0x3f8,  0x3fd,  0x402,  0x510, 0x511,
		0x604, 0xb004, 0xcf8, 0xcf9, 0xcfc, 0x5658, 0x8900, 0xffff,
	};

	for (uint32_t i = 0; i < ARRAY_SIZE(ports); i++) {
		CHECK_EQUAL(in8(ports[i]), 0xff);
		CHECK_EQUAL(in16(ports[i]), 0xffff);
		CHECK_EQUAL(in32(ports[i]), 0xffffffff);
	}
	/* What would end a machine must not end this one. */
	out16(0x604, 0x2000);
	out16(0xb004, 0x2000);
	for (const char *s = "Shutdown"; *s; s++)
		out8(0x8900, (uint8_t)*s);
	out8(0x64, 0x20);
	out8(0x92, 0x01);
	out32(0xcf8, 0x80000000);
	CHECK_EQUAL(in32(0xcfc), 0xffffffff);
	CHECK(faults_gp(string_in, NULL));
}

void check_cpu(void)
{
	check_cpuid();
	check_msrs();
	check_control_registers();
	check_instructions();
	check_debug_traps();
	check_ports();
}
