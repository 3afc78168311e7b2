/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The hostile guest: what its parts share. Everything random comes from the
 * vCPU's own generator, so that seed and vCPU count decide what each vCPU does.
 */
#pragma once

#include "guest.h"

/*
 * Three kinds of memory. Scratch: the hypervisor may write anything there, so no
 * call may be dangerous whatever it reads from it. Arguments: written by us
 * only, for calls that must say exactly what we mean. Lost pages: may be taken
 * away or replaced.
 */
#define SCRATCH_PAGES 8
#define LOST_PAGES    64

struct attacker {
	struct random random;
	uint64_t done;	    /* operations so far */
	uint64_t faults;    /* of them ended by a fault */
	uint64_t accepted;  /* hypercalls that gave 0 or more */
	uint8_t *scratch;   /* SCRATCH_PAGES of this vCPU's own */
	uint8_t *arguments; /* a page */
	uint32_t arguments_used;
	uint64_t hole; /* a gpa without memory */
};

/* A number that is more often near an edge than not. */
uint64_t edge_number(struct attacker *a);
/* An address for an argument: scratch memory or one that leads nowhere; never our own code or data. */
uint64_t edge_pointer(struct attacker *a);
/* A gfn that we can lose: a sacrificed page, a hole, nonsense. */
uint64_t edge_gfn(struct attacker *a);

/* One operation each, run under trap_try. */
void attack_hypercall(void *attacker);
void attack_msr(void *attacker);
void attack_cpuid(void *attacker);
void attack_port(void *attacker);
void attack_memory(void *attacker);
void attack_register(void *attacker);
void attack_instruction(void *attacker);
/* What attack_register may leave behind: remembered once, on the first vCPU, and undone. */
void save_registers(void);
void restore_registers(void);

/* Entry points of SYSCALL and SYSENTER that are never anything but a fault. */
#define UNMAPPED (2ull << 39)

extern uint8_t lost_pages[LOST_PAGES][4096];
extern uint32_t console_event_port;
extern uint64_t trace_from;
