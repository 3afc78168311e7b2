/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A ticket lock: CPUs are served in the order in which they came. Held with
 * interrupts off.
 */
#pragma once

#include <stdint.h>

struct ticket_lock {
	uint32_t next, serving;
};

static inline void ticket_take(struct ticket_lock *lock)
{
	uint32_t ticket = __atomic_fetch_add(&lock->next, 1, __ATOMIC_RELAXED);

	/* Acquire: what the last holder wrote is seen from here on. */
	if (__builtin_expect(__atomic_load_n(&lock->serving, __ATOMIC_ACQUIRE) == ticket, 1))
		return;
	do
		__builtin_ia32_pause();
	while (__atomic_load_n(&lock->serving, __ATOMIC_ACQUIRE) != ticket);
}

static inline void ticket_release(struct ticket_lock *lock)
{
	/* Release: all writes are seen before the next ticket is called. */
	__atomic_store_n(&lock->serving, lock->serving + 1, __ATOMIC_RELEASE);
}
