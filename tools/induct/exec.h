/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Runs LLVM bitcode on values whose bits may be unknown (val.h), on all of its paths.
 *
 * It runs in one of two ways. *Forking*: where a branch or an address is not
 * known, each way that is possible is gone in turn, the operation being run again
 * from its start for each. *Merging*: all ways are gone, and what comes of them is put
 * together as "if c then this, else that". So run functions whose name begins with
 * spec_ or entry_, and those named to exec_merge; for such it must be known without
 * asking where they end. In those whose name begins with merged_, and in what they
 * call, it is asked of each way whether it is possible at all.
 *
 * What the bitcode calls to be told, or to tell:
 *
 *	uint64_t any(uint32_t bits)         any number of so many bits
 *	void assume(bool)                   it is so, from here on
 *	uint64_t pick(uint64_t n)           n, known from here on: forks
 *	void claim(bool, const char *)      must be so, if the path comes to its end
 *	machine_panic(const char *)         must not be reached
 *	apart()                             the rest of the path is a part of its own
 *	shown(bool)                         so it is in every state, as op_nothing shows; in a part
 *	ask(bool)                           the same: as a constant, if it can only be so or only not
 *
 * A part is a process. In it, what is known on the path is put into everything in memory, so
 * that much of what was open becomes known or simple. Nothing may have been changed before.
 *
 * A function replace_x runs in the place of x. An access that may be outside of every
 * object fails, and so does a path on which a claim need not hold.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

/* Complains and ends the program if there is something in the file that cannot be run. */
void exec_load(const char *file);
void exec_merge(const char *name);
/* The n-th function whose name begins with op_, or NULL. */
const char *exec_operation(uint32_t n);
/*
 * Runs a function without arguments once, merging, and keeps the memory that it
 * leaves as that from which exec_all starts. False if what it assumes contradicts itself.
 */
bool exec_setup(const char *name);
/* Runs a function without arguments on all its paths. False if one fails; that is told on stderr. */
bool exec_all(const char *name);

struct exec_counts {
	uint64_t parts, left_out, paths, claims;
};
extern struct exec_counts exec_counts;
/* Tells how far it is, and of what fails what was in memory before and after. */
extern bool exec_verbose;
