/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The nucleus' one lock: a ticket lock, so that CPUs are served in the order in
 * which they came. It guards the frame table, every stage-2 table and every
 * struct nuc_domain. It never nests and is held with interrupts off.
 */
#pragma once

#include "types.h"

struct nucleus_lock {
	uint32_t next, serving;
};
extern struct nucleus_lock nucleus_lock_word;

static inline void nucleus_lock(void)
{
	uint32_t ticket = __atomic_fetch_add(&nucleus_lock_word.next, 1, __ATOMIC_RELAXED);

	/* Acquire: what the last holder wrote is seen from here on. */
	while (__atomic_load_n(&nucleus_lock_word.serving, __ATOMIC_ACQUIRE) != ticket)
		__builtin_ia32_pause();
}

static inline void nucleus_unlock(void)
{
	/* Release: all writes are seen before the next ticket is called. */
	__atomic_store_n(&nucleus_lock_word.serving, nucleus_lock_word.serving + 1, __ATOMIC_RELEASE);
}
