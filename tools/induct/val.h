/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Numbers whose bits may be unknown. They live until values_forget, at the end of
 * a path; nothing is freed before.
 */
#pragma once

#include "bits.h"

struct val {
	uint32_t bits;
	uint32_t object;        /* pointers: 1 + the number of what it points into (module.h); 0: not known */
	lit_t *b;               /* from the lowest */
};

/* Memory that goes with the values. */
void *take(uint64_t bytes);
void values_forget(void);

struct val val_new(uint32_t bits);
struct val val_of(uint64_t n, uint32_t bits);
/* Whether all bits are constants, and the number. */
bool val_const(struct val v, uint64_t *n);

/*
 * With what is known on the path put in. Not while val_untold: specifications are
 * not told, so that of what an operation has not touched they say the same, gate
 * for gate, as of the state before it.
 */
extern bool val_untold;
struct val val_known(struct val v);
struct val val_deep(struct val v);
lit_t lit_known(lit_t a);

struct val val_ite(lit_t c, struct val a, struct val b);
lit_t val_eq(struct val a, struct val b);
lit_t val_eq_const(struct val a, uint64_t n);
struct val val_add(struct val a, struct val b, lit_t carry);
struct val val_not(struct val a);
struct val val_multiply(struct val a, struct val b);
/* a < b, without sign. */
lit_t val_less(struct val a, struct val b);
/* By so many bits left, or right with `fill` coming in. */
struct val val_shift(struct val a, struct val by, bool left, lit_t fill);
