/* SPDX-License-Identifier: Apache-2.0 */
/* What the parts of the altp2m test share: pages to play with, accesses that may fault, views. */
#pragma once

#include "guest.h"

#define PAGES	     64
#define GFN(address) ((uint64_t)(address) >> 12)

/* Pages that no other part of the guest uses. Small ones and, in 2 MiB of its own, a big one. */
extern uint8_t pages[PAGES][4096];
extern uint8_t big[512][4096];
/* The #VE information page of each vCPU. */
extern struct ve_page {
	union {
		struct ve_info info;
		uint8_t bytes[4096];
	};
} ve_pages[CPU_MAX];

/* The parts, in this order. */
void check_off(void);	 /* the interface while altp2m is off */
void check_abi(void);	 /* every sub-op's checks, in the documented order */
void check_views(void);	 /* access, remaps, changes of the memory map below, defaults, empty views */
void check_steps(void);	 /* step-over and split remaps */
void check_vmfunc(void); /* VMFUNC, windows, user mode */
void check_ve(void);	 /* #VE: information page, suppress bit, busy word */
void check_smp(void);	 /* two vCPUs */
void check_many(void);	 /* 2,000 views */
void check_budget(void); /* out of table memory */

/* One call with just these fields of the union set: CALL(create_p2m, .view = { 0, 7 }). */
#define CALL(command, ...)                                                                                   \
	altp2m_call((struct altp2m_op[1]){{.version = ALTP2M_VERSION,                                        \
					   .cmd = ALTP2M_##command,                                          \
					   .domain = DOMID_SELF,                                             \
					   .u = {__VA_ARGS__}}})

/* A view with this default access; 0 and an error line when there is none to be had. */
uint16_t make_view(uint16_t default_access);
void drop_view(uint16_t view);
/* The view this vCPU is in, as the hypervisor says. */
uint16_t view_now(void);
/* This vCPU goes into a view by hypercall. */
void enter(uint16_t view);
/* Only view 0 is left, and no vCPU is counted anywhere else. */
void check_all_gone(void);
/* View 0 and `view` as list_views tells it. */
struct altp2m_view view_facts(uint16_t view);

/* Each is 0 or the vector of the fault that it ended in. */
uint32_t try_read(const volatile void *address, uint64_t *value);
uint32_t try_write(volatile void *address, uint64_t value);
uint32_t try_run(void *code, uint64_t *result); /* calls it */

/*
 * Expect #GP(0). What a view denies ends, with VMFUNC on, in view 0; where there is
 * no memory, or with VMFUNC off, the vCPU stays in its view. It is in view 0 afterwards.
 */
void refused(uint32_t vector, uint16_t expected, const char *what, const char *file, int line);
#define REFUSED(attempt)	  refused(attempt, 0, #attempt, __FILE__, __LINE__)
#define REFUSED_IN(view, attempt) refused(attempt, view, #attempt, __FILE__, __LINE__)

/* VMFUNC and #VE of this vCPU, on and off. */
void functions_on(void);
void functions_off(void);

/* Fills a page: the number everywhere, or a function that returns it. */
void fill(void *page, uint64_t number);
void fill_code(void *page, uint32_t number);

/* Takes a page out of the memory map, or puts a new one there. True: done. */
bool balloon_out(void *page);
bool balloon_in(void *page);
