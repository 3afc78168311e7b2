/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Stand-ins for the nucleus and the neutral core that record what they are
 * asked, for the unit tests of this folder. Host only.
 */
#pragma once

#include "x86.h"

#include <stdarg.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define STUB_LOADS_MAX 16u
#define STUB_WRITE_MAX 65536u

struct host_cpuid {               /* what nuc_cpuid answers; all else is 0 */
	uint32_t leaf, subleaf, r[4];
};

extern struct stubs {
	const struct host_cpuid *host;
	size_t host_count;
	uint32_t locked, tails, halted_checks, kicks, blocks, yields, stops, wakes, prints;
	struct vcpu *kicked, *stopped, *woken;
	bool upcall_pending, interrupt_busy, stop_is_slow;
	uint32_t interrupts, nmis, starts;
	uint8_t vector;           /* of the last interrupt posted */
	enum vcpu_start start_how;
	uint32_t start_vcpu, start_entry, start_argument;
	char crash[256];          /* "" when no domain_crash */
	char note[256];           /* the last domain_note */
	uint32_t memory_changes;
	uint8_t view_access;      /* what nuc_view_entry says */
	int view_change_error;
	uint32_t view_changes, changed_view, enters, entered, entered_view;
	struct view_change view_change; /* the last one */
	int shutdown;             /* -1: none */
	int memory_type;
	uint64_t shared_gfn;
	uint8_t page[PAGE_SIZE];
	struct { uint64_t gpa, offset, length; } loads[STUB_LOADS_MAX];
	uint32_t load_count;
	uint64_t write_gpa, write_length;
	uint8_t written[STUB_WRITE_MAX];
} stubs;

/* A domain with id 1 and `count` vCPUs, all RUNNABLE but vCPU 0, which runs on CPU 0. */
struct domain *stub_domain(uint32_t count);
