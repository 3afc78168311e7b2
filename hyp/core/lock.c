/* SPDX-License-Identifier: Apache-2.0 */
/* The one lock of the core. Interrupts are off whenever the core runs; it never nests. */
#include "core_internal.h"
#include "ticket.h"

static struct ticket_lock lock;

void core_lock(void) { ticket_take(&lock); }
void core_unlock(void) { ticket_release(&lock); }
