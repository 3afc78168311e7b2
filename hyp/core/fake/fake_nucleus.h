/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An imaginary nucleus under the real core, for host tests: it keeps what the
 * core asks of it where a test can look, and stops the test where the gate says
 * CHECK. Guest-virtual and guest-physical addresses are both offsets into one
 * flat memory. Host only.
 */
#pragma once

#include "core_internal.h"

#define FAKE_MEMORY 65536u        /* bytes of guest-virtual memory */
#define FAKE_GFNS 4096u           /* per domain; type of what is mapped there */
#define FAKE_CONSOLE 65536u

struct fake_entry {               /* what is set for a gfn in a view; the gate's values for "nothing" */
	uint64_t target;
	uint16_t step;
	uint8_t access, suppress;
};

struct fake_view {
	bool live;
	uint8_t access, flags;
	uint64_t generation;
	struct fake_entry *entries; /* FAKE_GFNS of them, or NULL */
};
extern struct fake_view fake_views[DOMAINS_MAX][VIEWS_MAX];

struct fake_vcpu {
	bool created, started, window;
	uint32_t chosen_on;       /* CPU, or VCPU_NONE */
	uint8_t window_bytes[64];
	uint32_t interrupts;      /* posted so far */
	uint8_t vector;           /* of the last */
	bool functions;           /* VMFUNC and #VE are on, with the page at ve_gfn */
	uint64_t ve_gfn;
	uint16_t view;
	uint16_t slots[WINDOW_ENTRIES]; /* nuc_vcpu_window tells */
};

struct fake_domain {
	bool exists;
	uint8_t type[FAKE_GFNS];  /* 0 nothing, 1 RAM, 2 shared */
	uint64_t shared_at[SHARE_SLOTS];
	uint8_t *shared[SHARE_SLOTS];
	uint64_t frames;
	uint64_t losses;
};

extern struct fake {
	uint64_t now;
	uint8_t memory[FAKE_MEMORY];
	bool memory_repeats;      /* reads beyond it find its middle, page after page */
	uint64_t copies;          /* calls of nuc_copy_* */
	char console[FAKE_CONSOLE];
	size_t console_length;
	const char *typed;        /* console input still to come */
	struct fake_vcpu vcpus[VCPUS_MAX];
	struct fake_domain domains[DOMAINS_MAX];
	struct { uint32_t vcpu; uint64_t deadline; uint32_t kicks; bool kick_pending; } cpus[CPUS_MAX];
	uint64_t free_frames;
	int power_off;            /* status, -1: on */
	const char *panic;
	bool fail_load, fail_share;
	struct audit audit;
	bool irq_pending[VCPUS_MAX]; /* besides callbacks */
	uint32_t stopped;         /* arch_vcpu_stopped calls */
	bool tables_limited;      /* views may take but tables_left more tables */
	uint32_t tables_left;
	uint32_t view_changes;    /* calls of nuc_view_change */
} fake;

/* fake_views.c: a domain begins and ends; its page at gfn has left the base. */
void fake_views_begin(uint32_t domain);
void fake_views_end(uint32_t domain);
void fake_views_lost(uint32_t domain, uint64_t gfn);

/* Everything as new: `cpus` CPUs, none up yet; this one is CPU 0. */
void fake_reset(uint32_t cpu_count);
void fake_cpu(uint32_t cpu);
/* A live domain with id, memory and vCPUs, vCPU 0 woken, as domain_build leaves it. */
struct domain *fake_domain(uint32_t id, uint32_t vcpu_count, uint32_t weight, bool control);
/* Makes v the one that runs on this CPU, as if it had been chosen. */
void fake_run(struct vcpu *v);
/* The entries, with the CPU they happen on. */
void fake_event(uint32_t cpu, uint32_t events);
long fake_hypercall(uint32_t nr, uint64_t a1, uint64_t a2, uint64_t a3);
/* Delivers all kicks that are under way. */
void fake_deliver_kicks(void);
/* Puts an object into guest memory; its address. */
uint64_t fake_put(uint64_t at, const void *object, size_t n);
