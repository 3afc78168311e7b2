/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The path that an operation is on: the choices made, which are made again when the operation is
 * run from its start for the next one; what is assumed and claimed; and while ways are put
 * together, on which side of them it is.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "bits.h"

struct path {
	const char *operation;
	bool setting_up;
	bool failed, ended;
	uint32_t merging;       /* how deep in functions whose ways are put together */
	uint32_t blind;         /* how deep in those in which nobody asks whether a way is possible */
	lit_t guard;            /* while merging: this side is gone */
};
extern struct path path;

/* From the start of the operation, the choices of before being made again. */
void path_begin(void);
/* The next way of the last choice that has one. False: all are gone. */
bool path_next(void);
/* Before the first. */
void path_forget(void);

/* Goes one of the ways, each of which is possible. Its number. */
uint32_t path_choose(lit_t *ways, uint32_t n);
/* Whether the choice that comes is one made before; then the way that is gone. */
bool path_again(lit_t *way);
/* Whether c is so on this path. */
bool path_decide(lit_t c);
/* It is so on the rest of the path; on this side, while merging. */
void path_assume(lit_t c);
/* What was assumed while merging is so on the path that comes after. */
void path_merged(void);
void path_end(void);
/* It has gone wrong: said on stderr, with the ways gone. */
void path_fail(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* Which way of how many, at each choice on the path: to stderr. */
void path_print(void);

/* What is to be so at the end of the path; on this side, while merging. */
void path_claim(lit_t c, const char *name);
bool path_any_claims(void);
/* All of that, taken back. */
lit_t path_claims_take(void);
/*
 * What was claimed on the path that has ended, one by one: what has been shown helps with
 * the rest. What holds without anything assumed or chosen holds always, and is kept.
 */
void path_check(void);
