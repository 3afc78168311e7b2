/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Checks from inside what a PVH guest is promised: entry state, tables, CPUID,
 * MSRs, ports, hypercalls, events, time. Every wrong thing is one "failure:"
 * line; the rest goes on.
 */
#include "selftest.h"

const char test_name[] = "selftest";

void test_main(void)
{
	static const struct {
		const char *name;
		void (*check)(void);
		bool needs_xen;
	} parts[] = {
		{ "entry", check_entry, false },
		{ "cpu", check_cpu, true },
		{ "calls", check_calls, true },
		{ "events", check_events, true },
	};

	for (uint32_t i = 0; i < ARRAY_SIZE(parts); i++) {
		if (parts[i].needs_xen && !xen_base()) {
			test_skip("%s: not under Xen's ABI", parts[i].name);
			continue;
		}
		parts[i].check();
		print("selftest: %s, %u checks so far\n", parts[i].name, test_checks);
	}
	test_note("(%u checks)", test_checks);
}
