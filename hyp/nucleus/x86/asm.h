/* SPDX-License-Identifier: Apache-2.0 */
/* One function per privileged or special instruction. The nucleus only. */
#pragma once

#include "types.h"

static inline void cpuid(uint32_t leaf, uint32_t subleaf, uint32_t out[4])
{
	asm volatile("cpuid"
		     : "=a"(out[0]), "=b"(out[1]), "=c"(out[2]), "=d"(out[3])
		     : "a"(leaf), "c"(subleaf));
}

static inline uint64_t rdtsc(void)
{
	uint32_t lo, hi;

	asm volatile("rdtsc" : "=a"(lo), "=d"(hi));
	return lo | (uint64_t)hi << 32;
}

static inline uint64_t rdmsr(uint32_t index)
{
	uint32_t lo, hi;

	asm volatile("rdmsr" : "=a"(lo), "=d"(hi) : "c"(index));
	return lo | (uint64_t)hi << 32;
}

static inline void wrmsr(uint32_t index, uint64_t value)
{
	asm volatile("wrmsr" : : "a"((uint32_t)value), "d"((uint32_t)(value >> 32)), "c"(index) : "memory");
}

#define CONTROL_REGISTER(n)                                                       \
	static inline uint64_t read_cr##n(void)                                   \
	{                                                                         \
		uint64_t v;                                                       \
		asm volatile("mov %%cr" #n ", %0" : "=r"(v));                     \
		return v;                                                         \
	}                                                                         \
	static inline void write_cr##n(uint64_t v)                                \
	{                                                                         \
		asm volatile("mov %0, %%cr" #n : : "r"(v) : "memory");            \
	}
CONTROL_REGISTER(0)
CONTROL_REGISTER(2)
CONTROL_REGISTER(3)
CONTROL_REGISTER(4)

#define DEBUG_REGISTER(n)                                                         \
	static inline uint64_t read_dr##n(void)                                   \
	{                                                                         \
		uint64_t v;                                                       \
		asm volatile("mov %%dr" #n ", %0" : "=r"(v));                     \
		return v;                                                         \
	}                                                                         \
	static inline void write_dr##n(uint64_t v) { asm volatile("mov %0, %%dr" #n : : "r"(v)); }
DEBUG_REGISTER(0)
DEBUG_REGISTER(1)
DEBUG_REGISTER(2)
DEBUG_REGISTER(3)
DEBUG_REGISTER(6)

static inline void xsetbv(uint32_t index, uint64_t value)
{
	asm volatile("xsetbv" : : "a"((uint32_t)value), "d"((uint32_t)(value >> 32)), "c"(index) : "memory");
}

static inline void xsave(void *area, uint64_t mask)
{
	asm volatile("xsave64 (%0)" : : "r"(area), "a"((uint32_t)mask), "d"((uint32_t)(mask >> 32)) : "memory");
}

static inline void xrstor(const void *area, uint64_t mask)
{
	asm volatile("xrstor64 (%0)" : : "r"(area), "a"((uint32_t)mask), "d"((uint32_t)(mask >> 32)) : "memory");
}

static inline uint8_t inb(uint16_t port)
{
	uint8_t v;

	asm volatile("in %1, %0" : "=a"(v) : "Nd"(port));
	return v;
}

static inline void outb(uint16_t port, uint8_t v) { asm volatile("out %0, %1" : : "a"(v), "Nd"(port)); }

static inline uint32_t inl(uint16_t port)
{
	uint32_t v;

	asm volatile("in %1, %0" : "=a"(v) : "Nd"(port));
	return v;
}

static inline void outl(uint16_t port, uint32_t v) { asm volatile("out %0, %1" : : "a"(v), "Nd"(port)); }
static inline void pause(void) { asm volatile("pause" : : : "memory"); }
static inline void halt(void) { asm volatile("hlt" : : : "memory"); }

/* Lets interrupts in until the next one has been taken. */
static inline void halt_for_interrupt(void) { asm volatile("sti; hlt; cli" : : : "memory"); }

/* Takes the interrupts that wait now. */
static inline void let_interrupts_in(void) { asm volatile("sti; nop; cli" : : : "memory"); }

/* Ends the blocking of NMIs that came with an exit for one (SDM 28.2.3): an IRET to where we are. */
static inline void nmi_unblock(void)
{
	uint64_t scratch;

	asm volatile("mov %%rsp, %0; pushq $%c1; push %0; pushfq; pushq $%c2; lea 1f(%%rip), %0; push %0; iretq; 1:"
		     : "=&r"(scratch)
		     : "i"(SEL_DATA), "i"(SEL_CODE)
		     : "memory", "cc");
}

struct table_pointer {
	uint16_t limit;
	uint64_t base;
} __attribute__((packed));

static inline void lgdt(const struct table_pointer *p) { asm volatile("lgdt %0" : : "m"(*p)); }
static inline void lidt(const struct table_pointer *p) { asm volatile("lidt %0" : : "m"(*p)); }
static inline void ltr(uint16_t selector) { asm volatile("ltr %0" : : "r"(selector)); }

static inline void load_data_segments(uint16_t selector)
{
	asm volatile("mov %0, %%ds; mov %0, %%es; mov %0, %%ss; mov %1, %%fs; mov %1, %%gs"
		     :
		     : "r"((uint32_t)selector), "r"(0)
		     : "memory");
}

static inline void load_code_segment(uint16_t selector)
{
	asm volatile("pushq %0; pushq $1f; lretq; 1:" : : "r"((uint64_t)selector) : "memory");
}

/* VMX instructions: true when the CPU reports success (CF = ZF = 0). */
#define VMX_OP1(name)                                                             \
	static inline bool name(uint64_t address)                                 \
	{                                                                         \
		bool ok;                                                          \
		asm volatile(#name " %1" : "=@cca"(ok) : "m"(address) : "memory"); \
		return ok;                                                        \
	}
VMX_OP1(vmxon)
VMX_OP1(vmclear)
VMX_OP1(vmptrld)

static inline uint64_t vmread(uint64_t field)
{
	uint64_t v;

	asm volatile("vmread %1, %0" : "=r"(v) : "r"(field) : "cc");
	return v;
}

static inline void vmwrite(uint64_t field, uint64_t v)
{
	asm volatile("vmwrite %1, %0" : : "r"(field), "r"(v) : "cc");
}

static inline void invept(uint64_t type, uint64_t eptp)
{
	struct { uint64_t eptp, zero; } d = { eptp, 0 };

	asm volatile("invept %0, %1" : : "m"(d), "r"(type) : "cc", "memory");
}

static inline void invvpid(uint64_t type, uint16_t vpid)
{
	struct { uint64_t vpid, address; } d = { vpid, 0 };

	asm volatile("invvpid %0, %1" : : "m"(d), "r"(type) : "cc", "memory");
}

#define MSR_APIC_BASE 0x1b
#define MSR_FEATURE_CONTROL 0x3a
#define MSR_SYSENTER_CS 0x174
#define MSR_PAT 0x277
#define MSR_VMX_BASIC 0x480
#define MSR_VMX_CR0_FIXED0 0x486
#define MSR_VMX_CR0_FIXED1 0x487
#define MSR_VMX_CR4_FIXED0 0x488
#define MSR_VMX_CR4_FIXED1 0x489
#define MSR_VMX_MISC 0x485
#define MSR_VMX_PROC2 0x48b
#define MSR_VMX_VMFUNC 0x491
#define MSR_VMX_EPT_VPID 0x48c
#define MSR_VMX_TRUE_PIN 0x48d
#define MSR_VMX_TRUE_PROC 0x48e
#define MSR_VMX_TRUE_EXIT 0x48f
#define MSR_VMX_TRUE_ENTRY 0x490
#define MSR_TSC_DEADLINE 0x6e0
#define MSR_EFER 0xc0000080
#define MSR_STAR 0xc0000081
#define MSR_LSTAR 0xc0000082
#define MSR_CSTAR 0xc0000083
#define MSR_SFMASK 0xc0000084
#define MSR_FS_BASE 0xc0000100
#define MSR_GS_BASE 0xc0000101
#define MSR_KERNEL_GS_BASE 0xc0000102
#define MSR_TSC_AUX 0xc0000103

#define CR0_PE (1ull << 0)
#define CR0_NE (1ull << 5)
#define CR0_WP (1ull << 16)
#define CR0_NW (1ull << 29)
#define CR0_CD (1ull << 30)
#define CR0_PG (1ull << 31)
#define CR4_PAE (1ull << 5)
#define CR4_PGE (1ull << 7)
#define CR4_LA57 (1ull << 12)
#define CR4_VMXE (1ull << 13)
#define CR4_SMXE (1ull << 14)
#define CR4_PCIDE (1ull << 17)
#define CR4_OSXSAVE (1ull << 18)
#define CR4_SMEP (1ull << 20)
#define CR4_SMAP (1ull << 21)
#define CR4_PKE (1ull << 22)
#define CR4_CET (1ull << 23)
#define CR4_PKS (1ull << 24)
#define EFER_SCE (1ull << 0)
#define EFER_LME (1ull << 8)
#define EFER_LMA (1ull << 10)
#define EFER_NXE (1ull << 11)

#define APIC_BASE_ENABLE (1u << 11)
#define APIC_BASE_X2APIC (1u << 10)
