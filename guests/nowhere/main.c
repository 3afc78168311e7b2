/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Goes where there is no memory, so that nothing can be injected: what=0 fetches
 * an instruction there, what=1 takes a fault with the stack for it there.
 */
#include "guest.h"

const char test_name[] = "nowhere";

void test_main(void)
{
	uint64_t hole = 0xe0000000ull;

	print("nowhere: here it comes\n");
	print_flush();
	if (option_number("what=", 0) == 0)
		((void (*)(void))hole)();
	this_cpu()->tss.ist[STACK_TRAP - 1] = hole;
	asm volatile("ud2");
}
