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

#define RFLAGS_TF (1u << 8)
#define PENDING_STEP (1u << 14)        /* of pending debug exceptions and of a #DB exit's qualification */
#define CODE_64 (1u << 13)             /* CS.L in the access rights */
#define VECTOR_UD 6u
#define VECTOR_VE 20u

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
	uint8_t attention;            /* vcpu_attend before the next entry */
	uint64_t eptp;                /* as the VMCS has it since its last exit */
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

	/* vmfunc.c. Guarded by the nucleus lock, but for what a step remembers. */
	uint16_t slot;                /* EPTP index */
	bool functions;               /* VMFUNC and #VE are on */
	bool functions_changed, view_changed; /* and the VMCS doesn't know */
	bool stepping;
	bool step_tf;                 /* TF has been set for the step */
	uint8_t retries;
	uint16_t step_slot;
	uint32_t step_count;
	uint64_t step_eptp, step_back, step_rip, step_rcx; /* EPTP of the step and to go back to; where it began */
	uint64_t ve_mfn, ve_gfn;      /* the pinned #VE information page, if functions */
	uint64_t eptp_list;           /* physical; 0: none */
	uint32_t odd_slots;           /* slots of the window that show a view of another number */
	uint16_t window[WINDOW_ENTRIES];
};

_Static_assert(offsetof(struct nuc_vcpu, long_mode) == REGS_LONG_MODE, "layout");
_Static_assert(offsetof(struct nuc_vcpu, launched) == REGS_LAUNCHED, "layout");
_Static_assert(offsetof(struct nuc_vcpu, eptp) == REGS_EPTP, "layout");

extern struct nuc_vcpu nuc_vcpus[VCPUS_MAX];
extern uint32_t vmx_vcpus[DOMAINS_MAX];  /* of each domain: a bit for every vCPU that is created */

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
#define ROOT_FLUSHES 64u
extern uint64_t vmx_domain_flushes[DOMAINS_MAX], vmx_root_flushes[ROOT_FLUSHES];
/*
 * Goes up by each flush of the domain's translations, or of those that this root
 * gave; roots share counters, so it may go up besides. Never 0. Nucleus lock held.
 */
static inline uint64_t vmx_flush_generation(uint64_t domain, uint64_t eptp)
{
	return vmx_domain_flushes[domain] + vmx_root_flushes[eptp >> PAGE_SHIFT & (ROOT_FLUSHES - 1)];
}
uint8_t vmx_timer_shift(void);

/* Another CPU leaves the guest, now or before *count (NULL: none) has come up to `enough`; it is waited for. */
void vmx_expel(uint32_t cpu, const uint64_t *count, uint64_t enough);
/* No CPU keeps anything of what it has cached from this root, whoever's it was. */
void vmx_root_flush(uint32_t domain, uint64_t root);

/* #DB and #AC can be delivered without end, which no interrupt would ever break. */
#define EXCEPTIONS_TAKEN (1u << 1 | 1u << 17)

/* vcpu.c */
bool vcpu_is_chosen(const struct nuc_vcpu *v);
/* The instruction at RIP is done; go on at `next`. The VMCS is loaded. */
void vcpu_advance(uint64_t next);

/* vmfunc.c; the vCPU is loaded here */
/* Does what others have asked of it since its last entry. */
void vcpu_attend(struct nuc_vcpu *v);
/* View and functions into a VMCS that has been set up anew. */
void vmfunc_controls(struct nuc_vcpu *v);
/* #UD: true if it was a VMFUNC that the CPU lacks, and it has been done. */
bool vmfunc_emulate(struct nuc_vcpu *v);
/* The monitor trap flag says that the instruction of a step is done. */
void vmfunc_trap_flag(struct nuc_vcpu *v);
/* A single-step trap: true if it is that of a step, which is over, and not the guest's. */
bool vmfunc_step_trap(struct nuc_vcpu *v);
/* Adds vCPUs whose EPTP or EPTP list leads elsewhere than it must. Nucleus lock held. */
void vmfunc_audit(struct audit *report);
/* The vCPU goes. Nucleus lock held. */
void vmfunc_end(struct nuc_vcpu *v);
/*
 * An EPT violation, decoded in *e but for what the view says. VE: inject #VE;
 * RETRY: go on, perhaps in another view for one instruction; CORE: nothing was done.
 */
enum violation { VIOLATION_CORE, VIOLATION_VE, VIOLATION_RETRY };
enum violation vmfunc_violation(struct nuc_vcpu *v, struct exit *e);

/*
 * guestcopy.c: n bytes of code at a linear address of the loaded vCPU, as it would
 * fetch them at its CPL in its view. False where they can't be fetched, or paging
 * isn't that of 4 levels; the bytes are undefined then. Takes the nucleus lock.
 */
bool guest_linear_bytes(const struct nuc_vcpu *v, uint64_t linear, uint8_t *bytes, uint32_t n);

/*
 * guestcopy.c: the 64-bit word at a guest-physical address, through the view that
 * this CPU's vCPU, one of `domain`, is in; false: none there, or no right to read
 * it. Takes the nucleus lock.
 */
bool guest_physical_read(uint32_t domain, uint64_t gpa, uint64_t *word);
