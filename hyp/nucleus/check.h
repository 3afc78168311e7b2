/* SPDX-License-Identifier: Apache-2.0 */
/*
 * CHECK: what must hold whatever a guest does. If it doesn't, the nucleus or the
 * core is wrong and the machine stops; never for a guest's input.
 */
#pragma once

#include "types.h"

#define CHECK_TEXT(x) #x
#define CHECK_LINE(x) CHECK_TEXT(x)

#ifndef CHECK
#define CHECK(c)                                                                        \
	do {                                                                            \
		if (!(c))                                                               \
			machine_panic(__FILE__ ":" CHECK_LINE(__LINE__) ": " #c);       \
	} while (0)
#endif

/*
 * Stops the machine, or ends the test.
 */
/*@ terminates \false;
    assigns \nothing;
    exits \true;
    ensures \false; */
NORETURN void machine_panic(const char *message);
