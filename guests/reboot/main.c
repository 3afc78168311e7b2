/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Asks for a reboot: by hypercall, or with how=1 by the keyboard controller,
 * how=2 by the reset register. until=<ms>: not any more once that time has
 * passed since the hypervisor booted.
 */
#include "guest.h"

const char test_name[] = "reboot";

void test_main(void)
{
	uint64_t how = option_number("how=", 0), until = option_number("until=", 0);

	if (until && !event_init() && !event_init_cpu()) {
		if (clock_ns() > until * 1000000)
			return;
		print("reboot: again\n");
	}
	print("reboot: way %lu\n", how);
	print_flush();
	if (how == 1)
		out8(0x64, 0xfe);
	else if (how == 2)
		out8(0xcf9, 0x06);
	else
		xen_shutdown(SHUTDOWN_reboot);
	test_failure("still here");
}
