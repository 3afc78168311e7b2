/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Domains and vCPUs as the core knows them. Everything here belongs to the core
 * and is guarded by the core lock, except where a field says otherwise.
 */
#pragma once

#include "exit.h"
#include "limits.h"
#include "manifest.h"
#include "nucleus.h"
#include "types.h"

#define HVM_PARAMS 39u
#define EVTCHN_PORTS 4096u        /* 2-level ABI, 64-bit guests; port 0 is never used */

/* Xen's domain ids for "myself" and the highest ordinary id. */
#define DOMID_SELF 0x7ff0u

enum vcpu_state {
	VCPU_DOWN,      /* created, not started, or waiting for SIPI */
	VCPU_RUNNABLE,  /* on a run queue */
	VCPU_RUNNING,   /* chosen on `cpu` */
	VCPU_BLOCKED,   /* halted until an event */
	VCPU_POLLING,   /* SCHEDOP_poll: like blocked, woken by named ports too */
	VCPU_DEAD,      /* its domain has ended */
};

struct lapic {                    /* core/x86/x2apic.c; the x2APIC registers of one vCPU */
	uint64_t base;                /* IA32_APIC_BASE */
	uint32_t irr[8], isr[8], tmr[8];
	uint32_t tpr, svr, esr, lvt[7], timer_divide, timer_initial;
	uint64_t icr;
};

struct vcpu {
	struct domain *domain;
	uint32_t number;              /* in its domain: Xen's vcpu id */
	uint32_t handle;              /* for nuc_vcpu_*: domain * DOMAIN_VCPUS_MAX + number */
	enum vcpu_state state;
	uint32_t cpu;                 /* where it runs, or ran last */

	/* sched.c */
	struct vcpu *queue_next;
	uint64_t virtual_time;        /* weighted ticks it has run */
	uint64_t ran_since;           /* TSC when chosen */
	uint64_t run_ticks;           /* total, for reports */
	uint64_t timer;               /* TSC of the single-shot timer, ~0: off */
	uint64_t poll_deadline;       /* TSC when SCHEDOP_poll gives up, ~0: never */
	struct vcpu *timer_next;      /* next on its CPU's list of armed timers */
	uint8_t runstate;             /* Xen's RUNSTATE_*, and since when (TSC) */
	uint64_t runstate_since;
	uint64_t runstate_ticks[4];
	bool halted_irqs_off;         /* in HLT with IF = 0: only NMI or SIPI can wake it */
	bool yielded;

	/* evtchn.c */
	bool info_registered;         /* a window is open: vcpu_info is the guest's own page */
	bool callback_raised;         /* upcall_pending went 0 -> 1 and the callback isn't posted yet */
	uint8_t callback_vector;      /* HVMOP_set_evtchn_upcall_vector; 0: the domain's callback */
	uint32_t virq_port[24];       /* 0: unbound */
	uint32_t poll_port;           /* VCPU_POLLING on one port; 0: any */

	/* x86 */
	struct lapic lapic;
	bool nmi_raised;
	bool wait_sipi;               /* after INIT, and from creation on for all but vCPU 0 */
	bool stopping;                /* vcpu_stop was called while it ran; its CPU's tail completes it */
	bool sipi_pending;            /* a SIPI came while it was still stopping */
	uint8_t sipi_page;            /* valid with sipi_pending */
	uint64_t misc_msr[4];         /* guest-written MSRs that are only stored: see msr.c */
};

enum evtchn_state { EVTCHN_FREE, EVTCHN_UNBOUND, EVTCHN_INTERDOMAIN, EVTCHN_VIRQ, EVTCHN_IPI, EVTCHN_RESERVED };

struct evtchn {
	uint8_t state;                /* enum evtchn_state */
	uint8_t virq;
	uint16_t remote_domain;       /* UNBOUND: who may bind; INTERDOMAIN: the other end */
	uint16_t remote_port;
	uint16_t notify_vcpu;
	uint8_t core_owned;           /* the other end is the core (console): see evtchn.c */
};

/* Views of a domain as altp2m.c counts them; all zero while altp2m is off. */
struct altp2m {
	bool on;
	bool windows;                 /* set_window was used: a view may show in slots other than its own */
	uint32_t first_free;          /* every view below it exists */
	uint64_t live[VIEWS_MAX / 64];    /* views that exist, by number */
	uint64_t visible[VIEWS_MAX / 64]; /* those that switch_p2m and windows may lead to */
	uint64_t losses;              /* nuc_view_losses when it was last looked at */
	/* Raised when a remap is lost: ports of the domain itself and of one other. 0: none. */
	uint32_t own_port, agent_port;
	uint32_t agent;               /* valid with agent_port */
};

struct domain {
	uint32_t id;
	bool live;                    /* the slot is in use */
	bool control;                 /* Xen's initial domain */
	bool dying;                   /* ended: no vCPU runs again; memory is being reclaimed */
	bool audited;                 /* option `audit`: done since it ended */
	bool paused;
	uint32_t shutdown_reason;     /* SHUTDOWN_*, valid when dying; see also `crashed` */
	bool crashed;                 /* stopped by us, or reported a crash */
	char name[PACK_NAME_MAX];
	uint32_t vcpu_count;
	struct vcpu *vcpus[DOMAIN_VCPUS_MAX];
	uint32_t weight;
	uint64_t memory;              /* bytes of RAM it started with */
	uint64_t pages;               /* 4 KiB pages of RAM it has now */
	uint64_t pages_max;
	gfn_t highest_gfn;            /* memory_op maximum_gpfn */
	uint32_t altp2m_mode, level, capabilities, table_budget;
	struct altp2m altp2m;

	uint64_t params[HVM_PARAMS];
	void *shared_info;            /* struct shared_info, shared with the guest */
	void *console_ring;           /* struct xencons_interface, shared with the guest */
	uint32_t console_port;        /* the guest's end */
	gfn_t console_gfn;
	uint32_t pollers;             /* vCPUs in VCPU_POLLING */
	uint32_t notes;               /* guest-caused messages printed lately: domain_note */
	uint64_t notes_since;
	/* The memory map shown to the guest; arch_domain_load fills it. Empty: memory_op 9 is -ENOSYS. */
	struct memory_range { uint64_t start, size; uint32_t type; } map[16];
	uint32_t map_count;
	struct evtchn evtchns[EVTCHN_PORTS];
	uint64_t hypercall_page_gfn;
};

extern struct domain domains[DOMAINS_MAX];
extern struct vcpu vcpus[VCPUS_MAX];

/* Per physical CPU. Only its own CPU writes it; under the core lock others read `current`. */
struct cpu {
	uint32_t id;
	struct vcpu *current;         /* the vCPU chosen on this CPU, NULL: idle */
	bool work;                    /* the tail must run before returning to the guest */
	bool reschedule;
	uint64_t slice_end;           /* TSC */
	uint64_t idle_ticks, idle_since;
	uint64_t hypercalls[64];      /* statistics by number */
	uint64_t exits[EXIT_KINDS];
};
extern struct cpu cpus[CPUS_MAX];
extern uint32_t cpu_count;

/*
 * This CPU's structure. The core's stack tells which CPU it is (core/x86/
 * this_cpu.h); host builds keep a variable.
 */
#include "this_cpu.h"

/* domain.c ---------------------------------------------------------------- */
/* The live domain with this id (DOMID_SELF resolves to the current one), or NULL. */
struct domain *domain_find(uint32_t id);
/* Ends a domain that did something impossible; says so on the console. Never returns to it. */
void domain_crash(struct domain *d, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* Ends a domain at its own wish: reason is Xen's SHUTDOWN_*. */
void domain_shutdown(struct domain *d, uint32_t reason);
/* A message that a guest can cause: "domain NAME: ...", a few a second at most, then silence. */
void domain_note(struct domain *d, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* Builds one domain from its manifest entry; leaves nothing behind on failure. */
MUST_USE int domain_build(const struct manifest *m, const struct pack_domain *p, uint32_t id);
/*
 * A vCPU has gone down or halted with IF = 0: if no vCPU of d can ever run again
 * (each is DOWN, or halted_irqs_off with no NMI waiting), this is power-off.
 */
void domain_check_halted(struct domain *d);
/* Frees the memory of ended domains a piece at a time; true while there is more. */
bool domain_reap(void);

/* sched.c ----------------------------------------------------------------- */
void sched_init(void);
/* Puts a vCPU that may run on a run queue, or marks it up. */
void vcpu_wake(struct vcpu *v);
/*
 * The current vCPU stops until an event. HLT sets v->halted_irqs_off first as
 * the guest's IF says. Does nothing when an event that could wake it waits
 * already (an NMI; or, with interrupts on, anything arch_vcpu_irq_pending).
 * Waking clears halted_irqs_off.
 */
void vcpu_block(struct vcpu *v);
/* Takes a vCPU off every queue and CPU for good. */
void vcpu_kill(struct vcpu *v);
void vcpu_yield(struct vcpu *v);
/*
 * Makes v VCPU_DOWN (it may be started again). Not running: taken off its queue
 * at once. Running, here or on another CPU: `stopping` is set and that CPU
 * kicked; the sched_tail there completes it. Either way, once v is chosen on no
 * CPU (nuc_cpu_next has named another), ends with arch_vcpu_stopped(v).
 */
void vcpu_stop(struct vcpu *v);
/* Arms (TSC) or disarms (~0) the single-shot timer. */
void vcpu_set_timer(struct vcpu *v, uint64_t tsc);
/* Interrupt state of v changed: wake it, and make its CPU look. */
void vcpu_kick(struct vcpu *v);
/* The end of every slow path: schedule, deliver, choose. Core lock held. */
void sched_tail(struct cpu *cpu);
void sched_timer(struct cpu *cpu);

/* evtchn.c ---------------------------------------------------------------- */
void evtchn_domain_init(struct domain *d);
void evtchn_domain_end(struct domain *d);
/* Marks a port pending and notifies its vCPU. */
void evtchn_raise(struct domain *d, uint32_t port);
void evtchn_raise_virq(struct vcpu *v, uint32_t virq);
long hypercall_event_channel(uint64_t cmd, uint64_t arg, uint64_t a3, uint64_t a4, uint64_t a5);
/* True if upcall_pending is set and events may be delivered. */
bool evtchn_upcall_pending(struct vcpu *v);
/* VCPUOP_register_vcpu_info: 0 or -errno. */
int evtchn_register_vcpu_info(struct vcpu *v, gfn_t gfn, uint32_t offset);

/* altp2m.c ---------------------------------------------------------------- */
/* Pages of d have gone or been replaced: tells those who wait for lost remaps. Core lock held. */
void altp2m_memory_changed(struct domain *d);
/* d has ended: no port of it is raised any more. */
void altp2m_domain_end(struct domain *d);

/* time.c ------------------------------------------------------------------ */
void time_init(const struct boot_info *info);
uint64_t time_ns(uint64_t tsc);            /* system time of a TSC value */
uint64_t time_tsc(uint64_t ns);            /* the first TSC not before that system time */
void time_update_vcpu(struct vcpu *v);     /* writes vcpu_info.time */
void time_update_wallclock(struct domain *d);
uint32_t time_tsc_khz(void);

/* console.c --------------------------------------------------------------- */
void console_init(void);
void console_input(void);                  /* EVENT_CONSOLE */
/* Bytes a domain wrote; lines get its prefix. */
void console_guest_output(struct domain *d, const char *bytes, size_t n);
void console_ring_event(struct domain *d); /* the guest kicked its console port */
long hypercall_console_io(uint64_t cmd, uint64_t count, uint64_t buffer, uint64_t a4, uint64_t a5);

/* x86: exit.c, irq.c, x2apic.c, cpuid.c, msr.c, pvh.c ---------------------- */
void arch_init(const struct boot_info *info);      /* CPUID and MSR policy from the host's */
void arch_vcpu_init(struct vcpu *v);
/* The name of an exit kind, for reports. */
const char *arch_exit_name(uint32_t kind);
/* Something (callback, LAPIC vector, NMI) waits to be taken by v. */
bool arch_vcpu_irq_pending(const struct vcpu *v);
/* Posts what waits and can be taken; v is the current vCPU of this CPU. */
void arch_vcpu_deliver(struct vcpu *v);
/*
 * Loads the kernel, builds start info and ACPI, starts vCPU 0 (nuc_vcpu_start);
 * domain_build wakes vCPU 0 afterwards. RAM lies as arch_memory_layout says.
 */
MUST_USE int arch_domain_load(struct domain *d, const struct manifest *m, const struct pack_domain *p);
/*
 * INIT and SIPI, to any vCPU in any state; core lock held. A SIPI counts only
 * after an INIT (or on a vCPU that never started), as the hardware has it.
 */
void vcpu_reset_wait_sipi(struct vcpu *v);
void vcpu_start_sipi(struct vcpu *v, uint8_t page);
/* From vcpu_stop: v is now DOWN and chosen on no CPU. Starts it if a SIPI waits. */
void arch_vcpu_stopped(struct vcpu *v);
/*
 * Where `bytes` of RAM lie in the guest-physical space: from 0, and beyond 3 GiB
 * from 4 GiB on. Fills out[] and returns how many ranges there are, 1 or 2.
 */
struct ram_range { uint64_t gpa, bytes; };
uint32_t arch_memory_layout(uint64_t bytes, struct ram_range out[2]);
/*
 * The first gfn above the RAM: the console ring's page goes there (d->console_gfn),
 * mapped by the neutral code before arch_domain_load, which reserves it in the map.
 */
gfn_t arch_special_gfn(uint64_t bytes);
/* Raises a fixed vector in the local APIC of v. */
void lapic_raise(struct vcpu *v, uint8_t vector);

/* lock.c: the one lock of the core. Taken by every slow path; never nests. */
void core_lock(void);
void core_unlock(void);

/*
 * print.c. A line "ravelin: ..." on the console; the newline is added if it is
 * missing. Core lock held (or in core_boot).
 */
void print(const char *format, ...) __attribute__((format(printf, 1, 2)));
size_t format_text(char *out, size_t size, const char *format, ...) __attribute__((format(printf, 3, 4)));
