/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the CPUs turned out to have, their gate pages and IDT, and where a fault of
 * the hypervisor's own ends. boot/x86/cpu.c fills it all in.
 */
#include "platform.h"
#include "asm.h"

uint64_t cpu_xcr0_allowed, cpu_cr4_allowed;
bool cpu_has_pcid, cpu_has_1g_ept, cpu_has_pause_loop, cpu_has_1g_pages;
bool cpu_has_vmfunc, cpu_has_ve, cpu_has_mtf;
char cpu_feature_line[160];

struct gate_cpu gate_cpus[CPUS_MAX] __attribute__((section(".gate.data")));

/* Written once at boot through the nucleus' mapping; the core can only read it. */
struct idt_entry idt[256] __attribute__((section(".gate.data"), aligned(4096)));

/* What exception_common pushed. */
struct exception_frame {
	uint64_t r15, r14, r13, r12, r11, r10, r9, r8, rdi, rsi, rbp, rbx, rdx, rcx, rax;
	uint64_t vector, error, rip, cs, rflags, rsp, ss;
};

NORETURN void nucleus_exception(const struct exception_frame *f, uint64_t cr3);

void nucleus_exception(const struct exception_frame *f, uint64_t cr3)
{
	bool core = (cr3 & 0xfff) != 0 || (cr3 & ~0xfffull) != paging_roots.nucleus;

	panic("exception %lu (error %lx) in the %s at %lx, CR2 %lx, RSP %lx, RAX %lx, RDI %lx, RSI %lx", f->vector,
	      f->error, core ? "core" : "nucleus", f->rip, read_cr2(), f->rsp, f->rax, f->rdi, f->rsi);
}
