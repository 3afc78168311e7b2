/* SPDX-License-Identifier: Apache-2.0 */
/* The ticket lock, for the prover: one CPU is looked at, and what the lock guards holds when it is taken. */
#pragma once

#include <stdint.h>

struct ticket_lock {
	uint32_t next, serving;
};

//@ terminates \true; exits \false; assigns *lock;
void ticket_take(struct ticket_lock *lock);
//@ terminates \true; exits \false; assigns *lock;
void ticket_release(struct ticket_lock *lock);
