/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The one lock of the core: a ticket lock, so that CPUs get it in the order in
 * which they asked. Interrupts are off whenever the core runs; it never nests.
 */
#include "core_internal.h"

static struct {
	uint32_t next, serving;
} lock;

#if defined(__x86_64__)
#define relax() __builtin_ia32_pause()
#else
#define relax() ((void)0)
#endif

void core_lock(void)
{
	uint32_t ticket = __atomic_fetch_add(&lock.next, 1, __ATOMIC_RELAXED);

	/* Acquire: what the last holder wrote is seen. */
	while (__atomic_load_n(&lock.serving, __ATOMIC_ACQUIRE) != ticket)
		relax();
}

void core_unlock(void)
{
	/* Only the holder writes it, so that load and store need not be one step. */
	__atomic_store_n(&lock.serving, lock.serving + 1, __ATOMIC_RELEASE);
}
