/* SPDX-License-Identifier: Apache-2.0 */
/* Ends by a triple fault: the hypervisor must stop this guest, and only it. */
#include "guest.h"

const char test_name[] = "triple";

void test_main(void)
{
	struct {
		uint16_t limit;
		uint64_t base;
	} __attribute__((packed)) none = { 0, 0 };

	print("triple: here it comes\n");
	print_flush();
	asm volatile("lidt %0\n\tud2" : : "m"(none));
}
