/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Does what exits and has no row in the hypervisor's table: a task switch, which
 * no 64-bit kernel has any use for. The guest must be stopped, and the exit named.
 */
#include "guest.h"

const char test_name[] = "badexit";

void task_switch(void);

void test_main(void)
{
	print("badexit: here it comes\n");
	print_flush();
	task_switch();
	test_failure("still here");
}
