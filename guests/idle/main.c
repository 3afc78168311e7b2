/* SPDX-License-Identifier: Apache-2.0 */
/* Halts with interrupts off on its only vCPU: that is a power-off. */
#include "guest.h"

const char test_name[] = "idle";

void test_main(void)
{
	print("idle: halting for good\n");
	print_flush();
	asm volatile("cli\n\thlt");
	test_failure("woken up");
}
