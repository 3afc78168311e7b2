/* SPDX-License-Identifier: Apache-2.0 */
/* Parts of an operation: processes, several of which may run at once. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

/* So many at once; and only every so manieth, from this one on. */
extern uint32_t parts_jobs, parts_every, parts_first;
/* Whether this process is one. */
extern bool parts_inside;

/* Before an operation: there are none yet. */
void parts_begin(void);
/*
 * The rest of the path becomes a process of its own, in which what is known is put into all
 * that is in memory; here the path ends. There, the operation begins with that for every path.
 */
void parts_apart(void);
/* Waits for all and adds up what they have done. A part ends here. False: one has failed. */
bool parts_end(bool good);
