/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Formulas over bits, as a graph of AND gates in which equal gates are one, and
 * a SAT solver (CaDiCaL) that keeps what it has learned from one question to the
 * next. A literal is twice a node's number, plus 1 if negated; literals 0 and 1
 * are the constants false and true.
 *
 * What holds on the path being explored is kept here too: `bits_path` adds to it
 * and `bits_path_reset` forgets it. `bits_always` adds what holds on every path.
 * Literals that follow from either by looking at gates alone read as constants.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

typedef uint32_t lit_t;
#define LIT_FALSE 0u
#define LIT_TRUE 1u

/* Complains, and ends the program. */
_Noreturn void die(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Makes room for element n of an array that has room for `room`; the includer has stdlib.h. */
#define GROW(p, n, room)                                                                \
	do {                                                                            \
		if ((n) >= (room)) {                                                    \
			(room) = (room) ? (room) * 2 : 1024;                            \
			(p) = realloc((p), (room) * sizeof(*(p)));                      \
			if (!(p)) {                                                     \
				die("out of memory");                                   \
			}                                                               \
		}                                                                       \
	} while (0)

lit_t bits_and(lit_t a, lit_t b);
static inline lit_t bits_or(lit_t a, lit_t b) { return bits_and(a ^ 1, b ^ 1) ^ 1; }
lit_t bits_xor(lit_t a, lit_t b);
/* c ? a : b */
lit_t bits_ite(lit_t c, lit_t a, lit_t b);
/* The n-th free bit since the last reset, or a new one: the same at each path, in order of asking. */
lit_t bits_free(void);

/* From here on holds for good; free bits asked for until now stay what they are. False: contradicts itself. */
bool bits_always(lit_t a);
void bits_free_keep(void);
/*
 * What holds on this path holds for good from here on, and is put into what held for good before:
 * the solver begins anew with that, and knows nothing else. False: it contradicts itself. After it,
 * bits_reduced makes a literal anew with all put in that is known.
 */
bool bits_settle(void);
lit_t bits_reduced(lit_t a);
/* More is known than when bits_reduced was last begun with: what it has made is made again when asked for. */
void bits_reduce_anew(void);

/* The literal, or the constant that it is on this path as far as is known without search. */
lit_t bits_known(lit_t a);
/* The same, of what it is made of: more work, and still no search. */
lit_t bits_deep(lit_t a);
void bits_path(lit_t a);
void bits_path_reset(void);
/* Nothing has been added: what is asked now is asked of all paths. */
bool bits_path_empty(void);
/* For a while only: what was added since the mark is taken back. */
struct bits_mark { uint32_t path, noted; };
struct bits_mark bits_mark(void);
void bits_path_back(struct bits_mark mark);

/* Whether the path allows it. After true, bits_model reads one way to do so. */
bool bits_possible(lit_t a);
bool bits_model(lit_t a);

struct bits_counts {
	uint64_t gates, questions, guessed;     /* guessed: answered by an earlier model */
};
extern struct bits_counts bits_counts;
