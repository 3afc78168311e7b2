/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A vCPU as the nucleus keeps it, and what each CPU is doing. A vCPU's fields
 * belong to the CPU on which it is loaded; while it's loaded nowhere, to whoever
 * the core lets act on it.
 */
#pragma once

#include "exit.h"
#include "gate.h"
#include "limits.h"
#include "nucleus.h"
#include "platform.h"

#define CPU_NONE 0xffffffffu

struct guest_regs {                   /* in the order in which vmexit_entry pushes, backwards */
	uint64_t r15, r14, r13, r12, r11, r10, r9, r8, rdi, rsi, rbp, rbx, rdx, rcx, rax;
};

/* MSRs that guests access without exit and that the VMCS does not switch. */
#define SWITCHED_MSRS 6u

struct nuc_vcpu {
	struct guest_regs regs;
	uint8_t long_mode;            /* EFER.LMA: hypercalls take the fast path */
	uint8_t launched;
	bool created, started, start_wanted;
	uint8_t start_how;            /* enum vcpu_start, applied when it is loaded next */
	uint32_t start_entry, start_argument;
	uint32_t chosen;              /* CPU on which the core wanted it last: see vcpu_is_chosen */
	uint32_t loaded;              /* CPU whose hardware holds it, or CPU_NONE */
	uint32_t last_cpu;
	uint32_t inject, inject_error; /* an exception or re-delivered event; 0: none */
	int32_t posted;               /* external interrupt vector that waits, or -1 */
	bool more_wanted;             /* an interrupt was refused: tell the core when one can be taken */
	bool nmi_posted;
	uint32_t proc_controls;       /* as in the VMCS */
	uint64_t vmcs;                /* physical */
	void *xsave;
	uint64_t xcr0;
	uint64_t cr2, dr[4], dr6;
	uint64_t msrs[SWITCHED_MSRS];
	/* nuc_window_*: a piece of one pinned page. */
	uint64_t window_mfn;
	uint32_t window_offset, window_length; /* length 0: closed */
};

extern struct nuc_vcpu nuc_vcpus[VCPUS_MAX];

struct cpu_state {
	struct nuc_vcpu *loaded;      /* whose state the hardware holds, or NULL */
	uint32_t loaded_domain;       /* of `loaded`; read by flushing CPUs */
	uint32_t next;                /* what the core chose: a handle or VCPU_NONE */
	uint64_t deadline;            /* TSC */
	uint32_t exit_kind;           /* of the exit the core is looking at */
	bool exit_open;               /* its verdict hasn't been applied yet */
	bool timer_armed;
	uint64_t flushed[DOMAINS_MAX]; /* flush generation up to which this CPU is clean */
};

extern struct cpu_state cpu_states[CPUS_MAX];

/* What the assembly loop does next: STEP_* in RAX, an argument in RDX. */
struct step {
	uint64_t what, argument;
};

static inline struct cpu_state *cpu_here(void) { return gate_here->state; }
static inline uint32_t vcpu_handle(const struct nuc_vcpu *v) { return (uint32_t)(v - nuc_vcpus); }
static inline uint32_t vcpu_domain(const struct nuc_vcpu *v) { return vcpu_handle(v) / DOMAIN_VCPUS_MAX; }

/* vmx.c */
void vmx_init(void);                  /* once: what all VMCSs share */
void vmx_cpu_init(uint32_t cpu);      /* VMXON */
/* Makes `v` the vCPU of this CPU, waiting for another CPU to let go of it. */
void vmx_load(struct nuc_vcpu *v);
/* Saves and lets go of this CPU's vCPU, if any. */
void vmx_unload(void);
/* Before an entry: drops translations of the domain that are out of date. */
void vmx_flush_if_needed(struct nuc_vcpu *v);
uint64_t vmx_eptp(uint32_t domain);
/* Goes up by each flush of the domain's translations. Nucleus lock held, for a stable answer. */
uint64_t vmx_flush_generation(uint32_t domain);
uint8_t vmx_timer_shift(void);

/* vcpu.c */
bool vcpu_is_chosen(const struct nuc_vcpu *v);

/* guestcopy.c: the 64-bit word at a guest-physical address of the domain's RAM; false: none there. */
bool guest_physical_read(uint32_t domain, uint64_t gpa, uint64_t *word);
