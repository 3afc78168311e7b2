/* SPDX-License-Identifier: Apache-2.0 */
/* Random MSRs, CPUID leaves, ports, memory, control registers, instructions. */
#include "hostile.h"

static uint64_t cr0, cr3, cr4;

static uint32_t some_msr(struct attacker *a)
{
	static const uint32_t known[] = {
		0x10,	    0x17,	0x1b,	    0x34,	0x3a,	    0x3b,	0x48,
		0x49,	    0x8b,	0xce,	    0xfe,	0x10a,	    0x10b,	0x122,
		0x123,	    0x140,	0x174,	    0x175,	0x176,	    0x179,	0x17a,
		0x186,	    0x198,	0x19c,	    0x1a0,	0x1b0,	    0x1d9,	0x200,
		0x20f,	    0x250,	0x277,	    0x2ff,	0x38d,	    0x38f,	0x400,
		0x480,	    0x48b,	0x491,	    0x4e,	0x560,	    0x6a0,	0x6a2,
		0x6a4,	    0x6a8,	0x6e0,	    0x770,	0xda0,	    0xc0000080, 0xc0000081,
		0xc0000082, 0xc0000083, 0xc0000084, 0xc0000100, 0xc0000101, 0xc0000102, 0xc0000103,
		0xc0010015, 0xc001001f, 0xc0010114, 0xc0011029, 0x40000000, 0x40000001, 0x4b564d00,
	};
	uint64_t r = random_next(&a->random);

	switch (r & 7) {
	case 0:
	case 1:
	case 2:
		return known[(r >> 8) % ARRAY_SIZE(known)];
	case 3:
	case 4:
		return 0x800 + (r >> 8 & 0xff);
	case 5:
		return (uint32_t)(r >> 8 & 0x1fff);
	case 6:
		return 0xc0000000u + (uint32_t)(r >> 8 & 0x1fff);
	default:
		return (uint32_t)(r >> 8);
	}
}

void attack_msr(void *attacker)
{
	struct attacker *a = attacker;
	uint32_t index = some_msr(a);
	uint64_t value;

	if (random_below(&a->random, 2)) {
		rdmsr(index);
		return;
	}
	value = edge_number(a);
	switch (index) {
	case 0x40000000:
		/* The hypercall page is written over what lies there. */
		value = random_below(&a->random, 2) ? edge_gfn(a) << 12 : value | 1;
		break;
	case 0x176:
	case 0xc0000082:
	case 0xc0000083:
		/* Where SYSENTER and SYSCALL go */
		value = UNMAPPED | (value & 0xffffff) | (value & 1ull << 63);
		break;
	case 0x830:
		/* INIT or SIPI to somebody who isn't there; anything else to anybody. */
		if ((value >> 8 & 7) == 5 || (value >> 8 & 7) == 6)
			value = (value & 0xc7ff) | (0x1000 + random_below(&a->random, 0x100000)) << 32;
		break;
	}
	wrmsr(index, value);
}

void attack_cpuid(void *attacker)
{
	struct attacker *a = attacker;
	uint64_t r = random_next(&a->random);
	uint32_t leaf = (uint32_t)edge_number(a);

	switch (r & 3) {
	case 0:
		leaf = (uint32_t)(r >> 8 & 0x3f);
		break;
	case 1:
		leaf = 0x40000000u + (uint32_t)(r >> 8 & 0x1ff);
		break;
	case 2:
		leaf = 0x80000000u + (uint32_t)(r >> 8 & 0x3f);
		break;
	}
	cpuid(leaf, (uint32_t)edge_number(a));
}

void attack_port(void *attacker)
{
	struct attacker *a = attacker;
	uint64_t r = random_next(&a->random);
	uint16_t port = (uint16_t)((r & 1) ? r >> 16 : r >> 16 & 0xfff);
	uint32_t size = 1u << (r >> 8) % 3, value = (uint32_t)edge_number(a);
	void *buffer = a->scratch;
	uint64_t count = 1 + (r >> 40 & 15);

	if (r & 2) {
		/* Writes that would reset or print are left out. */
		if ((port <= 0x64 && port + size > 0x64) || (port <= 0xcf9 && port + size > 0xcf9) ||
		    port == 0xe9)
			return;
		if ((r >> 12 & 15) == 0)
			asm volatile("rep outsb" : "+S"(buffer), "+c"(count) : "d"(port) : "memory");
		else if (size == 1)
			out8(port, (uint8_t)value);
		else if (size == 2)
			out16(port, (uint16_t)value);
		else
			out32(port, value);
		return;
	}
	if ((r >> 12 & 15) == 0)
		asm volatile("rep insl" : "+D"(buffer), "+c"(count) : "d"(port) : "memory");
	else if (size == 1)
		in8(port);
	else if (size == 2)
		in16(port);
	else
		in32(port);
}

/* Not fetches from a hole: nothing can be injected for those, so they end a guest. */
void attack_memory(void *attacker)
{
	struct attacker *a = attacker;
	uint64_t r = random_next(&a->random), address;
	uint32_t slot = 16 + this_cpu()->id;

	switch (r & 7) {
	case 0:
	case 1:
		address = a->hole + (r >> 8 & 0xffffff);
		break;
	case 2:
		address = 0xfee00000 + (r >> 8 & 0xfff);
		break;
	case 3:
		/* A page of the guest's tables that leads to nowhere, or beyond the width of addresses */
		alias_map(slot,
			  ((r & 0x800 ? a->hole : 1ull << (30 + (r >> 16) % 22)) & ~4095ull) +
				  (r >> 40 & 0xff) * 4096,
			  MAP_PRESENT | MAP_WRITE);
		address = ALIAS_BASE + slot * 4096;
		break;
	case 4:
		address = random_next(&a->random); /* mostly not canonical */
		if (address < 1ull << 32)
			address |= 1ull << 40;
		break;
	case 5:
		address = (uint64_t)lost_pages + (r >> 8) % (sizeof(lost_pages) - 64);
		break;
	case 6:
		/* A jump to where nothing is mapped */
		((void (*)(void))(UNMAPPED + (r >> 8 & 0xffffff)))();
		return;
	default:
		/* A stack that isn't canonical, in the middle of a push */
		asm volatile("mov %%rsp, %%r12\n\tmov %0, %%rsp\n\tpush %%rax\n\tmov %%r12, %%rsp"
			     :
			     : "r"((r & 0x100) ? 0x0000800000000000ull : UNMAPPED)
			     : "r12", "memory");
		return;
	}
	switch (r >> 56 & 3) {
	case 0:
		(void)*(volatile uint8_t *)address;
		break;
	case 1:
		*(volatile uint64_t *)address = r;
		break;
	case 2:
		__atomic_fetch_add((volatile uint32_t *)address, 1, __ATOMIC_SEQ_CST);
		break;
	default: {
		uint64_t n = 64;
		void *to = (void *)address;

		asm volatile("rep stosb" : "+D"(to), "+c"(n) : "a"(0) : "memory");
	}
	}
}

void save_registers(void)
{
	cr0 = read_cr0();
	cr3 = read_cr3();
	cr4 = read_cr4();
}

void restore_registers(void)
{
	write_cr3(cr3);
	write_cr0(cr0);
	write_cr4(cr4);
	write_cr8(0);
	asm volatile("mov %0, %%dr7" : : "r"(0x400ull));
}

static void write_debug(struct attacker *a)
{
	uint64_t value = random_below(&a->random, 2) ? (uint64_t)a->scratch : edge_number(a);

	switch (random_below(&a->random, 5)) {
	case 0:
		asm volatile("mov %0, %%dr0" : : "r"(value));
		break;
	case 1:
		asm volatile("mov %0, %%dr3" : : "r"(value));
		break;
	case 2:
		asm volatile("mov %0, %%dr6" : : "r"(value));
		break;
	default:
		/* No "general detect": it would trap our own repair. */
		asm volatile("mov %0, %%dr7" : : "r"(value & ~0x2000ull));
	}
}

void attack_register(void *attacker)
{
	struct attacker *a = attacker;
	uint64_t r = random_next(&a->random), value = edge_number(a);

	switch (r & 7) {
	case 0:
		write_cr0((r & 0x100) ? value : cr0 ^ 1ull << (r >> 16 & 63));
		break;
	case 1:
		write_cr4((r & 0x100) ? value : cr4 ^ 1ull << (r >> 16 & 63));
		break;
	case 2:
		write_cr8(value);
		break;
	case 3:
		/* The same tables, with odd low or high bits */
		write_cr3(read_cr3() | ((r & 0x100) ? r >> 16 & 0xfff : 1ull << (52 + (r >> 16) % 12)));
		break;
	case 4:
		write_debug(a);
		break;
	case 5:
		write_cr4(cr4 | 1u << 18);
		if (r & 0x100)
			value = r >> 16 & 7;
		asm volatile("xsetbv"
			     :
			     : "c"((uint32_t)((r & 0x600) ? 0 : edge_number(a))), "a"((uint32_t)value),
			       "d"((uint32_t)(value >> 32)));
		break;
	case 6:
		wrmsr(0xc0000080, (r & 0x100) ? value : rdmsr(0xc0000080) ^ 1ull << (r >> 16 & 63));
		break;
	default:
		write_cr2(value);
	}
}

/* Privileged or odd instructions that have a row, or that fault without an exit. */
void attack_instruction(void *attacker)
{
	struct attacker *a = attacker;
	uint64_t r = random_next(&a->random), value = edge_number(a);
	uint16_t selector = (uint16_t)value;
	uint8_t bytes[10];

	switch (r % 28) {
	case 0:
		asm volatile("wbinvd" : : : "memory");
		break;
	case 1:
		asm volatile("invd" : : : "memory");
		break;
	case 2:
		asm volatile("pause");
		break;
	case 3:
		asm volatile("monitor" : : "a"(a->scratch), "c"(0), "d"(0));
		break;
	case 4:
		asm volatile("mwait" : : "a"(0), "c"(0));
		break;
	case 5:
		asm volatile("rdpmc" : : "c"((uint32_t)value) : "rax", "rdx");
		break;
	case 6:
		asm volatile("vmfunc" : : "a"((uint32_t)(r >> 8) & 127), "c"((uint32_t)value));
		break;
	case 7:
		asm volatile("lldt %w0" : : "r"((uint32_t)selector));
		break;
	case 8:
		asm volatile("ltr %w0" : : "r"((uint32_t)selector));
		break;
	case 9:
		asm volatile("sgdt %0\n\tsldt %%ax\n\tstr %%ax\n\tsmsw %%ax" : "=m"(bytes) : : "rax");
		break;
	case 10:
		invlpg(value);
		break;
	case 11:
		asm volatile("mov %0, %%fs" : : "r"((uint32_t)selector));
		break;
	case 12:
		asm volatile("int $0x80");
		break;
	case 13:
		asm volatile("int3");
		break;
	case 14:
		asm volatile(".byte 0xf1"); /* INT1 */
		break;
	case 15:
		asm volatile("rsm");
		break;
	case 16:
		asm volatile("clts\n\tlmsw %w0" : : "r"(1));
		break;
	case 17:
		asm volatile("syscall" : : : "rcx", "r11", "memory");
		break;
	case 18:
		asm volatile("sysenter");
		break;
	case 19:
		/* Single step over a hypercall and a CPUID */
		asm volatile("pushf\n\torl $0x100, (%%rsp)\n\tpopf\n\tcpuid\n\tmov $63, %%eax\n\tvmcall"
			     :
			     : "a"(0), "c"(0)
			     : "rbx", "rdx", "memory", "cc");
		break;
	case 20:
	case 21:
		/* Let in whatever has been posted */
		asm volatile("sti\n\tnop\n\tnop\n\tnop\n\tcli" : : : "memory");
		break;
	case 22:
		asm volatile("vmxon %0" : : "m"(bytes) : "memory", "cc");
		break;
	case 23:
		asm volatile("invept %0, %1" : : "m"(bytes), "r"(value) : "memory", "cc");
		break;
	case 24:
		asm volatile("vmlaunch" : : : "memory", "cc");
		break;
	case 25:
		asm volatile("getsec" : : "a"((uint32_t)value));
		break;
	case 26: {
		uint64_t descriptor[2] = { value & 0xfff, value };

		asm volatile("invpcid %0, %1" : : "m"(descriptor), "r"(r >> 8 & 7) : "memory");
		break;
	}
	default:
		/* A far return to a random selector */
		asm volatile("push %0\n\tpush %1\n\tlretq"
			     :
			     : "r"((uint64_t)selector), "r"(UNMAPPED + (value & 0xffffff))
			     : "memory");
	}
}
