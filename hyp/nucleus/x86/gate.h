/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The per-CPU gate page: everything that code on both sides of the gate needs to
 * cross it. GS points at it in both address spaces; the core can only read it.
 * GDT and TSS live here too, since the CPU reads them whichever space is active.
 */
#pragma once

#include "gate_layout.h"
#include "limits.h"
#include "types.h"

struct tss {
	uint32_t reserved0;
	uint64_t rsp[3];
	uint64_t reserved1;
	uint64_t ist[7];
	uint64_t reserved2;
	uint16_t reserved3, iomap;
} __attribute__((packed));

/* What lies between core_sp and the end of the core's stack: a struct cpu *, and alignment. */
#define CORE_STACK_LINK 16ull

struct gate_cpu {
	uint64_t nucleus_cr3;         /* with bit 63 set where PCIDs allow not to flush */
	uint64_t core_cr3;
	uint64_t nucleus_sp;          /* top of the nucleus stack */
	uint64_t core_sp;             /* top of the core stack; the word there is a struct cpu * */
	uint64_t saved_core_sp;       /* while the core waits in a gate call */
	uint64_t regs;                /* &vcpu->regs of the loaded vCPU */
	uint64_t exit;                /* &core_exits[cpu] */
	uint32_t in_guest;            /* 1 from just before VM entry to just after VM exit */
	uint32_t credit;              /* entries left before the slow path must run; others may zero it */
	uint32_t cpu;
	uint32_t vcpu;                /* handle of the loaded vCPU */
	uint32_t events;              /* EVENT_*, noted by interrupt handlers */
	uint32_t nmis;                /* host NMIs taken, for the audit of a run */
	uint64_t upcall_return;       /* while the core runs */
	struct cpu_state *state;      /* this CPU's nucleus-only data */
	uint64_t gdt[8] ALIGNED(64);
	struct tss tss;
} ALIGNED(4096);

extern struct gate_cpu gate_cpus[CPUS_MAX];

/* This CPU's gate page. */
#define gate_here ((const __seg_gs struct gate_cpu *)0)
#define gate_here_rw ((__seg_gs struct gate_cpu *)0)

_Static_assert(offsetof(struct gate_cpu, nucleus_cr3) == GATE_NUCLEUS_CR3, "layout");
_Static_assert(offsetof(struct gate_cpu, core_cr3) == GATE_CORE_CR3, "layout");
_Static_assert(offsetof(struct gate_cpu, nucleus_sp) == GATE_NUCLEUS_SP, "layout");
_Static_assert(offsetof(struct gate_cpu, core_sp) == GATE_CORE_SP, "layout");
_Static_assert(offsetof(struct gate_cpu, saved_core_sp) == GATE_SAVED_CORE_SP, "layout");
_Static_assert(offsetof(struct gate_cpu, regs) == GATE_REGS, "layout");
_Static_assert(offsetof(struct gate_cpu, exit) == GATE_EXIT, "layout");
_Static_assert(offsetof(struct gate_cpu, in_guest) == GATE_IN_GUEST, "layout");
_Static_assert(offsetof(struct gate_cpu, credit) == GATE_CREDIT, "layout");
_Static_assert(offsetof(struct gate_cpu, cpu) == GATE_CPU_ID, "layout");
_Static_assert(offsetof(struct gate_cpu, vcpu) == GATE_VCPU, "layout");
_Static_assert(offsetof(struct gate_cpu, events) == GATE_EVENTS, "layout");
_Static_assert(offsetof(struct gate_cpu, nmis) == GATE_NMIS, "layout");
_Static_assert(offsetof(struct gate_cpu, upcall_return) == GATE_UPCALL_RETURN, "layout");
