/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Spins on all its vCPUs for ms= milliseconds, or for ever without it: the
 * guest that others have to share the machine with.
 */
#include "guest.h"

const char test_name[] = "spin";

static volatile uint64_t end_tsc;

static void run(uint32_t id)
{
	(void)id;
	while (rdtsc() < end_tsc)
		;
}

void test_main(void)
{
	uint64_t ms = option_number("ms=", 0);

	end_tsc = ms ? rdtsc() + ms * xen_tsc_khz() : ~0ull;
	print("spin: %lu ms\n", ms);
	if (smp_count() > 1)
		smp_start(run);
	run(0);
}
