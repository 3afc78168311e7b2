/* SPDX-License-Identifier: Apache-2.0 */
/* The smallest guest: says who and where it is, and ends. */
#include "guest.h"

const char test_name[] = "hello";

void test_main(void)
{
	uint64_t ram = 0;
	const struct start_memory *m = (const struct start_memory *)start_info->memmap;

	for (uint32_t i = 0; i < start_info->memmap_count; i++)
		ram += m[i].type == 1 ? m[i].size : 0;
	print("hello: %lu KiB of RAM, %u vCPUs, %s, \"%s\"\n", ram >> 10, smp_count(),
	      xen_base() ? "under Xen's ABI" : "no hypervisor interface", command_line);
}
