/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The table of hypercalls. A number without a row is -ENOSYS; the catalogue of
 * what is emulated is generated from the rows.
 */
#pragma once

#include "types.h"

#define HYPERCALLS_MAX 64u

/*
 * A handler gets the guest's five arguments and returns its RAX. No lock is
 * held; it takes the core lock itself. It sets this_cpu()->work when the tail
 * must run before the guest goes on.
 */
typedef long hypercall_fn(uint64_t a1, uint64_t a2, uint64_t a3, uint64_t a4, uint64_t a5);

struct hypercall_row {
	const char *name;
	hypercall_fn *fn;
	const char *why;      /* why a guest needs it */
	const char *avoid;    /* what a guest would do without it */
};

extern const struct hypercall_row hypercall_rows[HYPERCALLS_MAX];

/* The number's row, or -ENOSYS; for multicall. Doesn't run the tail. */
long hypercall_dispatch(uint64_t nr, const uint64_t a[5]);

hypercall_fn hypercall_memory_op, hypercall_multicall, hypercall_set_timer_op, hypercall_xen_version,
	hypercall_console_io, hypercall_vm_assist, hypercall_vcpu_op, hypercall_sched_op,
	hypercall_event_channel, hypercall_hvm_op;
