/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Spinning vCPUs on fewer CPUs: each counts until a common TSC value, and the
 * counts show what share each of them got. Options: ms=<length of the run>,
 * percent=<allowed difference from the mean>.
 */
#include "guest.h"

const char test_name[] = "fair";

static struct barrier barrier;
static uint32_t cpus;
static volatile uint64_t end_tsc;
static volatile uint64_t counts[CPU_MAX];

static void run(uint32_t id)
{
	uint64_t n = 0;

	if (id == 0)
		end_tsc = rdtsc() + option_number("ms=", 500) * xen_tsc_khz();
	barrier_wait(&barrier, cpus);
	/* No PAUSE: a vCPU that spins politely would give its time away. */
	while (rdtsc() < end_tsc)
		n++;
	counts[id] = n;
	barrier_wait(&barrier, cpus);
}

void test_main(void)
{
	uint64_t total = 0, percent = option_number("percent=", 10);

	cpus = smp_count();
	if (!xen_base() || smp_start(run) != cpus) {
		test_error("needs Xen's clock and all vCPUs");
		return;
	}
	run(0);
	for (uint32_t i = 0; i < cpus; i++)
		total += counts[i];
	for (uint32_t i = 0; i < cpus; i++) {
		uint64_t share = counts[i] * cpus * 1000 / total;

		print("FAIR vcpu %u count %lu share %lu.%lu %% of the mean\n", i, counts[i], share / 10,
		      share % 10);
		if (share + percent * 10 < 1000 || share > 1000 + percent * 10)
			test_failure("vcpu %u got %lu.%lu %% of the mean", i, share / 10, share % 10);
	}
}
