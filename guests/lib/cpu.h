/* SPDX-License-Identifier: Apache-2.0 */
/* One instruction per function, and what the runtime keeps for each CPU. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "layout.h"
#include "xen.h"

/* What a fault was. */
struct trap {
	uint32_t vector;
	uint32_t error;
	uint64_t rip, cr2;
};

struct tss {
	uint32_t reserved0;
	uint64_t rsp[3], reserved1, ist[7], reserved2;
	uint16_t reserved3, io_map;
} __attribute__((packed));

struct cpu {
	uint64_t scope;	  /* RSP of the innermost trap_try, 0: none; CPU_SCOPE */
	struct trap trap; /* the last fault that was expected */
	uint32_t id;	  /* number: Xen's vcpu id, index into cpu_blocks */
	uint32_t apic_id;
	volatile uint32_t online;
	volatile uint64_t nmis;
	volatile uint64_t irqs[256]; /* interrupts taken, by vector */
	uint64_t gdt[8];
	struct tss tss;
	struct vcpu_info *info; /* where Xen writes for this vCPU */
	struct vcpu_info info_registered __attribute__((aligned(64)));
};

#define STACK_TRAP   1
#define STACK_NMI    2
#define STACK_DOUBLE 3
#define STACK_DEBUG  4

struct cpu_block {
	union {
		struct cpu cpu;
		uint8_t page[4096];
	};
	uint8_t trap_stack[4][4096]; /* IST 1 .. 4 */
	uint8_t stack[CPU_BLOCK_SIZE - 5 * 4096];
};
_Static_assert(sizeof(struct cpu_block) == CPU_BLOCK_SIZE, "the start-up code computes addresses");
_Static_assert(__builtin_offsetof(struct cpu, scope) == CPU_SCOPE, "used by assembly");

extern struct cpu_block cpu_blocks[CPU_MAX];

/* Found by the stack, so no segment register or MSR has to be right for it. */
static inline struct cpu *this_cpu(void)
{
	uint64_t rsp;

	asm volatile("mov %%rsp, %0" : "=r"(rsp));
	return (struct cpu *)(rsp & -(uint64_t)CPU_BLOCK_SIZE);
}

/* The registers at the PVH entry, see start.S. */
struct entry_state {
	uint32_t eax, ebx, ecx, edx, esi, edi, ebp, esp;
	uint32_t eflags, cr0, cr4, dr6, dr7;
	uint16_t tr, ldtr;
	uint64_t efer, apic_base;
	uint16_t gdt_limit, gdt_base[3], idt_limit, idt_base[3];
};
extern const struct entry_state entry_state;

static inline uint64_t rdtsc(void)
{
	uint32_t lo, hi;

	asm volatile("rdtsc" : "=a"(lo), "=d"(hi) : : "memory");
	return (uint64_t)hi << 32 | lo;
}

struct cpuid {
	uint32_t eax, ebx, ecx, edx;
};

static inline struct cpuid cpuid(uint32_t leaf, uint32_t subleaf)
{
	struct cpuid r;

	asm volatile("cpuid" : "=a"(r.eax), "=b"(r.ebx), "=c"(r.ecx), "=d"(r.edx) : "a"(leaf), "c"(subleaf));
	return r;
}

static inline uint64_t rdmsr(uint32_t index)
{
	uint32_t lo, hi;

	asm volatile("rdmsr" : "=a"(lo), "=d"(hi) : "c"(index) : "memory");
	return (uint64_t)hi << 32 | lo;
}

static inline void wrmsr(uint32_t index, uint64_t value)
{
	asm volatile("wrmsr" : : "c"(index), "a"((uint32_t)value), "d"((uint32_t)(value >> 32)) : "memory");
}

/* A fault at the instruction between 1 and 2 resumes at 2. */
#define FIXUP "\n\t.pushsection .ex_table, \"a\"\n\t.quad 1b, 2b\n\t.popsection"

/* False: the access faulted; this_cpu()->trap says how. */
static inline bool rdmsr_try(uint32_t index, uint64_t *value)
{
	uint32_t lo = 0, hi = 0, ok = 0;

	asm volatile("1: rdmsr\n\tmovl $1, %2\n2:" FIXUP
		     : "+a"(lo), "+d"(hi), "+r"(ok)
		     : "c"(index)
		     : "memory");
	*value = (uint64_t)hi << 32 | lo;
	return ok;
}

static inline bool wrmsr_try(uint32_t index, uint64_t value)
{
	uint32_t ok = 0;

	asm volatile("1: wrmsr\n\tmovl $1, %0\n2:" FIXUP
		     : "+r"(ok)
		     : "c"(index), "a"((uint32_t)value), "d"((uint32_t)(value >> 32))
		     : "memory");
	return ok;
}

static inline uint8_t in8(uint16_t port)
{
	uint8_t v;

	asm volatile("inb %1, %0" : "=a"(v) : "Nd"(port));
	return v;
}

static inline uint16_t in16(uint16_t port)
{
	uint16_t v;

	asm volatile("inw %1, %0" : "=a"(v) : "Nd"(port));
	return v;
}

static inline uint32_t in32(uint16_t port)
{
	uint32_t v;

	asm volatile("inl %1, %0" : "=a"(v) : "Nd"(port));
	return v;
}

static inline void out8(uint16_t port, uint8_t v)
{
	asm volatile("outb %0, %1" : : "a"(v), "Nd"(port));
}

static inline void out16(uint16_t port, uint16_t v)
{
	asm volatile("outw %0, %1" : : "a"(v), "Nd"(port));
}

static inline void out32(uint16_t port, uint32_t v)
{
	asm volatile("outl %0, %1" : : "a"(v), "Nd"(port));
}

#define CR_FUNCTIONS(n)                                                                                      \
	static inline uint64_t read_cr##n(void)                                                              \
	{                                                                                                    \
		uint64_t v;                                                                                  \
		asm volatile("mov %%cr" #n ", %0" : "=r"(v) : : "memory");                                   \
		return v;                                                                                    \
	}                                                                                                    \
	static inline void write_cr##n(uint64_t v)                                                           \
	{                                                                                                    \
		asm volatile("mov %0, %%cr" #n : : "r"(v) : "memory");                                       \
	}
CR_FUNCTIONS(0)
CR_FUNCTIONS(2)
CR_FUNCTIONS(3)
CR_FUNCTIONS(4)
CR_FUNCTIONS(8)

static inline void irq_on(void)
{
	asm volatile("sti" : : : "memory");
}

static inline void irq_off(void)
{
	asm volatile("cli" : : : "memory");
}

/* Sleeps until an interrupt; interrupts are on during it and off afterwards. */
static inline void wait_irq(void)
{
	asm volatile("sti\n\thlt\n\tcli" : : : "memory");
}

static inline void relax(void)
{
	asm volatile("pause" : : : "memory");
}

static inline void invlpg(uint64_t address)
{
	asm volatile("invlpg (%0)" : : "r"(address) : "memory");
}
