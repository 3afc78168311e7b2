/* SPDX-License-Identifier: Apache-2.0 */
/* Reports a crash of its own, as a kernel that panics does. */
#include "guest.h"

const char test_name[] = "crash";

void test_main(void)
{
	print("crash: here it comes\n");
	xen_shutdown(SHUTDOWN_crash);
}
