/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The gate: everything the core can ask of the nucleus. This page is the whole
 * interface, and the core's undefined symbols are exactly these.
 *
 * Errors are negative errno values (errno.h); 0 or a count is success. Pointers
 * are to the core's own memory and are checked to be. A call that fails has
 * changed nothing. Calls take the nucleus's own locks; none waits for another
 * CPU to do more than leave its guest. Unless said otherwise a call is legal on
 * any CPU at any time. A core that breaks a rule marked "CHECK" stops the
 * machine: the core is at fault, never a guest.
 */
#pragma once

#include "errno.h"
#include "limits.h"
#include "types.h"

/* ---- machine ------------------------------------------------------------ */

/* Ticks of this machine's TSC, now. All CPUs agree. */
uint64_t nuc_now(void);

/* The id of this CPU, 0 .. cpus - 1. */
uint32_t nuc_cpu_id(void);

/* The CPU's own CPUID answer (unfiltered). `out` is eax, ebx, ecx, edx. */
void nuc_cpuid(uint32_t leaf, uint32_t subleaf, uint32_t out[4]);

/* Writes bytes to the machine's console, waiting for room. At most 4096 a call. */
void nuc_console_write(const char *bytes, size_t length);

/* One byte of console input, or -1 when there is none. */
int nuc_console_read(void);

/* Stops the machine: the core has found itself wrong. `message` is printed. */
NORETURN void nuc_panic(const char *message);

/* Ends the machine's run for good. status 0 means that all went well. */
NORETURN void nuc_power_off(uint32_t status);

/* What the audit of all rules found; every count of a broken rule must be 0. */
struct audit {
	uint64_t frames;            /* frames looked at */
	uint64_t tables;            /* table frames walked */
	uint64_t leaves;            /* stage-2 leaves walked */
	uint64_t broken[7];         /* broken[n]: violations of frame rule n, n = 1 .. 6 */
	uint64_t writable_code;     /* hypervisor pages both writable and executable */
	uint64_t core_reach;        /* pages the core can reach */
	uint64_t free_frames;
};

/* Walks the frame table, every stage-2 table and both hypervisor address spaces. */
void nuc_audit(struct audit *report);

/* ---- this CPU ----------------------------------------------------------- */

/*
 * What this CPU does once the core returns: enter `vcpu` (or idle, VCPU_NONE)
 * until the TSC reaches `deadline`, then core_event(EVENT_TIMER). ~0 is never.
 * CHECK: the vCPU is created, started, and chosen on no other CPU.
 */
void nuc_cpu_next(uint32_t vcpu, uint64_t deadline);

/* Makes another CPU leave its guest or its idling: core_event(EVENT_KICK) there. */
void nuc_cpu_kick(uint32_t cpu);

/* ---- domains and their memory ------------------------------------------- */

/*
 * Creates an empty domain: a base view with no memory in it. `table_budget` is
 * the number of 4 KiB frames its tables may take. -EEXIST, -EINVAL, -ENOMEM.
 */
MUST_USE int nuc_domain_create(uint32_t domain, uint32_t table_budget);

/*
 * Takes a domain apart: unmaps, scrubs and frees at most `frames` frames a
 * call. 1: call again; 0: the domain is gone; -EBUSY: one of its vCPUs is still
 * chosen on some CPU; -ESRCH.
 */
MUST_USE int nuc_domain_reclaim(uint32_t domain, uint64_t frames);

/*
 * Gives the domain zeroed RAM at [gfn, gfn + count), with the largest pages
 * that alignment allows. All or nothing. -ENOMEM, -EEXIST (something is mapped
 * there), -EINVAL (beyond the guest-physical width), -ESRCH.
 */
MUST_USE int nuc_memory_add(uint32_t domain, gfn_t gfn, uint64_t count);

/*
 * Takes one page away from the domain; scrubbed and freed once no CPU can reach
 * it. -ENOENT (nothing there, or not RAM of the domain), -EBUSY (a window is
 * open on it), -ENOMEM (a superpage had to be split and the budget is spent).
 */
MUST_USE int nuc_memory_remove(uint32_t domain, gfn_t gfn);

/*
 * Copies `length` bytes of the boot image's payload at `offset` to the guest's
 * memory at `gpa`. Only before the domain first ran. -EFAULT, -EINVAL, -EPERM.
 */
MUST_USE int nuc_memory_load(uint32_t domain, gpa_t gpa, uint64_t offset, uint64_t length);

/* The same from the core's memory: start info, ACPI tables. At most 64 KiB. */
MUST_USE int nuc_memory_write(uint32_t domain, gpa_t gpa, const void *from, uint64_t length);

/* What a gfn of the domain leads to: 1 RAM of its own, 2 shared page, 0 nothing. -ESRCH. */
MUST_USE int nuc_memory_type(uint32_t domain, gfn_t gfn);

/* ---- pages shared by a domain and the core ------------------------------ */

#define SHARE_SLOTS 4u
#define SHARE_INFO 0u           /* shared_info */
#define SHARE_CONSOLE 1u        /* the console ring */
#define SHARE_HYPERCALL 2u      /* unused by the nucleus: any page the core fills */

/*
 * A zeroed frame shared between the core and the domain; the core's address of
 * it, or NULL when memory is short. The same slot gives the same page again.
 */
void *nuc_share_page(uint32_t domain, uint32_t slot);

/*
 * Maps the slot's page at gfn, writable by the guest. RAM of the domain that was
 * there is freed; the slot's earlier place, if any, becomes empty.
 * -ENOENT (no such page), -EINVAL, -ENOMEM, -EBUSY (a window is open there).
 */
MUST_USE int nuc_share_map(uint32_t domain, uint32_t slot, gfn_t gfn);

/* ---- guest memory the guest named --------------------------------------- */

/*
 * Copies between the core and guest-virtual memory of the vCPU that made the
 * hypercall now being served on this CPU, through its own page tables and its
 * current view, with the rights of its kernel. All bytes or -EFAULT (then some
 * of the destination may be written). length at most 64 KiB.
 */
MUST_USE int nuc_copy_in(void *to, gva_t from, uint64_t length);
MUST_USE int nuc_copy_out(gva_t to, const void *from, uint64_t length);

/*
 * A window is a piece of one guest page, at most 64 bytes and 8-byte aligned,
 * that the guest has named for the hypervisor's use (vcpu_info). It pins the
 * page. One window per vCPU. -EINVAL, -ENOENT (no RAM there), -EEXIST.
 */
MUST_USE int nuc_window_open(uint32_t vcpu, gpa_t gpa, uint32_t length);
/* Atomic OR / AND on the 64-bit word at byte `offset`; the old value. CHECK: open, in range. */
uint64_t nuc_window_or(uint32_t vcpu, uint32_t offset, uint64_t bits);
uint64_t nuc_window_and(uint32_t vcpu, uint32_t offset, uint64_t bits);
/* Copies in or out of the window. CHECK: open, in range. */
void nuc_window_read(uint32_t vcpu, uint32_t offset, void *to, uint32_t length);
void nuc_window_write(uint32_t vcpu, uint32_t offset, const void *from, uint32_t length);

/* ---- vCPUs -------------------------------------------------------------- */

/* Creates the vCPU (not started). -EINVAL, -ESRCH, -EEXIST, -ENOMEM. */
MUST_USE int nuc_vcpu_create(uint32_t vcpu);

/*
 * (Re)starts a vCPU that is chosen on no CPU, all registers reset.
 * PVH: 32-bit protected mode, flat segments, at `entry`, EBX = `argument`.
 * SIPI: real mode at page `entry` (0 .. 0xff) << 12.
 */
enum vcpu_start { START_PVH, START_SIPI };
MUST_USE int nuc_vcpu_start(uint32_t vcpu, enum vcpu_start how, uint32_t entry, uint32_t argument);

/*
 * Posts an external interrupt, to be taken as soon as the guest lets it in.
 * -EBUSY: the one posted before is still waiting (EXIT_IRQ_WINDOW will tell).
 * The vCPU must be chosen on this CPU or on none.
 */
MUST_USE int nuc_vcpu_interrupt(uint32_t vcpu, uint8_t vector);

/* Posts an NMI; a second one before delivery merges with it. Same rule. */
void nuc_vcpu_nmi(uint32_t vcpu);

/* ---- views -------------------------------------------------------------- */

/*
 * A view is what a vCPU of a domain can reach. View 0 is the domain's memory map
 * itself (the base); others are the base but for what has been set in them, and
 * follow every change of the base at once. Ids are the core's to choose, 1 ..
 * VIEWS_MAX - 1, per domain. Tables come from the domain's budget.
 */
#ifndef VIEWS_MAX
#define VIEWS_MAX 2048u
#endif
#define VIEW_NONE 0xffffu
#define WINDOW_ENTRIES 512u       /* EPTP-list entries of one vCPU */

/* Access rights as in EPT: r 1, w 2, x 4. -w- and -wx don't exist in hardware: -EINVAL. */
#define VIEW_ACCESS_RX_TO_RW 8u   /* r-x; the write that it forbids is the core's to turn into rw- */
#define VIEW_ACCESS_N_TO_RWX 9u   /* ---; likewise, into rwx */
#define VIEW_ACCESS_DEFAULT 10u   /* whatever the view's default says */

#define VIEW_SUPPRESS_DEFAULT 2u  /* whatever the base says */

#define VIEW_EMPTY 1u             /* flag of nuc_view_create: nothing of the base shows */

/* -EEXIST, -EINVAL, -ESRCH. default_access, 0 .. 7, restricts whatever is not set. Takes no table. */
MUST_USE int nuc_view_create(uint32_t domain, uint32_t view, uint32_t default_access, uint32_t flags);
/* -ENOENT; -EBUSY: a vCPU is in it. Takes it out of every window; its tables come back. */
MUST_USE int nuc_view_destroy(uint32_t domain, uint32_t view);
/* Changes what is not set one by one. View 0: the base's default for RAM added later. -ENOENT, -EINVAL, -ESRCH. */
MUST_USE int nuc_view_default(uint32_t domain, uint32_t view, uint32_t default_access);

/* What one change sets; the rest of the entry's intent stays. */
#define VIEW_SET_ACCESS 1u
#define VIEW_SET_TARGET 2u        /* new_gfn: what gfn shows from now on; ~0: the base again */
#define VIEW_SET_SUPPRESS_VE 4u
#define VIEW_SET_STEP 8u          /* on a violation run one instruction in view `step`; VIEW_NONE: don't */

struct view_change {
	uint64_t gfn, new_gfn;
	uint32_t set;                 /* VIEW_SET_* */
	uint8_t access;               /* 0 .. 7 or VIEW_ACCESS_* */
	uint8_t suppress_ve;          /* 0, 1 or VIEW_SUPPRESS_DEFAULT */
	uint16_t step;
};

/*
 * Applies changes in order; one flush at the end, to the CPUs that need it.
 * Returns how many were applied; fewer than count means that the next one failed,
 * with *error: -ESRCH (no RAM at gfn or new_gfn), -EINVAL, -ENOMEM, -ENOENT (no
 * such view), -EBUSY (gfn is a vCPU's #VE page).
 * In view 0 only ACCESS and SUPPRESS_VE can be set.
 */
MUST_USE int nuc_view_change(uint32_t domain, uint32_t view, const struct view_change *changes, uint32_t count,
			     int *error);

/* What an entry is, whether set or inherited. */
struct view_entry {
	uint64_t target;              /* the gfn whose page shows; ~0: none */
	uint16_t step;                /* VIEW_NONE: nowhere */
	uint8_t access, suppress_ve;  /* access: 0 .. 9 */
	uint8_t own_access, own_target, own_suppress_ve, own_step; /* 1: set in this view, else from below */
	uint8_t level;                /* 0: 4 KiB leaf, 1: 2 MiB, 2: 1 GiB */
};
/* -ESRCH, -ENOENT, -EINVAL (gfn beyond what the machine has). */
MUST_USE int nuc_view_entry(uint32_t domain, uint32_t view, gfn_t gfn, struct view_entry *entry);

struct view_info {
	uint32_t view, tables;        /* tables of its own, the root included */
	uint32_t vcpus;               /* vCPUs in it; of those that run just now, when they last left the guest */
	uint32_t own_entries;
	uint64_t generation;          /* goes up when a remap of it lost its target */
	uint8_t default_access, flags;
};
/* Fills at most `count` from the first view >= `from`; how many. -ESRCH, -EINVAL. */
MUST_USE int nuc_view_list(uint32_t domain, uint32_t from, struct view_info *info, uint32_t count);
/* The sum of all generations of the domain's views ever: whether any remap has been lost. 0: no such domain. */
uint64_t nuc_view_losses(uint32_t domain);

/*
 * Puts the vCPUs whose bits are set into a view: none of them executes another
 * instruction in the view it was in. Bits of vCPUs that don't exist are ignored.
 * A stepping vCPU's step ends. -ESRCH, -ENOENT, -ENOMEM (no table for a root).
 */
MUST_USE int nuc_view_enter(uint32_t domain, uint32_t vcpus, uint32_t view);
/* The view that the vCPU is in; for one that runs just now, when it last left the guest. */
uint32_t nuc_vcpu_view(uint32_t vcpu);
/*
 * Slot 0 .. 511 of these vCPUs' VMFUNC windows shows `view` from now on; VIEW_NONE:
 * nothing. Kept while VMFUNC is off. -ESRCH, -ENOENT, -EINVAL, -ENOMEM: nothing changed.
 */
MUST_USE int nuc_view_window(uint32_t domain, uint32_t vcpus, uint32_t slot, uint32_t view);
/* Gives the window slot by slot: VIEW_NONE or a view. -EINVAL. */
MUST_USE int nuc_vcpu_window(uint32_t vcpu, uint32_t slot);

/*
 * VMFUNC and #VE for a vCPU, on, with the #VE information page at gfn, which is
 * pinned; or both off. The same to the guest whether the CPU has them or they
 * are emulated. The page must be RAM that the vCPU can read and write where it is
 * and in the base, and at which no view has anything set.
 * -EEXIST (on already), -ENOENT (no RAM, or one that a view changes), -EINVAL, -ENOMEM.
 */
MUST_USE int nuc_vcpu_functions_on(uint32_t vcpu, gfn_t ve_page);
/* 0 also if they were off. -EINVAL: no such vCPU. */
MUST_USE int nuc_vcpu_functions_off(uint32_t vcpu);
