/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The nucleus' one lock. It guards the frame table, every stage-2 table and every
 * struct nuc_domain. It never nests and is held with interrupts off.
 */
#pragma once

#include "ticket.h"

extern struct ticket_lock nucleus_lock_word;

//@ terminates \true; exits \false; assigns nucleus_lock_word;
static inline void nucleus_lock(void) { ticket_take(&nucleus_lock_word); }
//@ terminates \true; exits \false; assigns nucleus_lock_word;
static inline void nucleus_unlock(void) { ticket_release(&nucleus_lock_word); }
