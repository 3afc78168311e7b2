/* SPDX-License-Identifier: Apache-2.0 */
/* What every unit test of the core includes. Host only. */
#pragma once

#include "fake_nucleus.h"
#include "hypercall.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* Hypercalls by name, and a place in guest memory for their argument. */
enum { MEMORY_OP = 12, MULTICALL = 13, SET_TIMER = 15, VERSION = 17, CONSOLE_IO = 18, VM_ASSIST = 21,
       VCPU_OP = 24, SCHED_OP = 29, EVENT_CHANNEL = 32, HVM_OP = 34 };
#define ARG 0x1000u
#define BAD_ADDRESS 0xfffffffffffff000ull

#define CALL(nr, cmd, object) \
	fake_hypercall(nr, cmd, fake_put(ARG, &(object), sizeof(object)), 0)
#define RESULT(object) memcpy(&(object), fake.memory + ARG, sizeof(object))
