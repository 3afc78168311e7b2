/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Memory: a byte is eight literals. While ways are put together, what is written is remembered,
 * so that one side's writing can be taken out and put in again where it meets the others.
 */
#pragma once

#include "val.h"

/* At a known address. */
struct val cells_load(uint64_t at, uint32_t bits);
void cells_store(uint64_t at, struct val v);
/*
 * Wherever the address is. If that is not known: forks, or while merging, all places that it may be
 * are looked at. What may be outside of every object fails.
 */
struct val cells_load_from(struct val p, uint32_t bits);
void cells_store_to(struct val p, struct val v);
void cells_copy(struct val to, struct val from, uint64_t n);
/* Makes an address known: forks. 0: the path is over. */
uint64_t cells_settle(struct val p, uint32_t bytes);
/*
 * The literal, or false if it is impossible here. Asked once for each side: of all
 * fields of a struct the answer is the same.
 */
lit_t cells_may_be(lit_t a);
/* The string there, or "?". */
const char *cells_text(struct val p);

/* What is there now, cells_back makes again. */
void cells_keep(void);
void cells_back(void);
/* Everything made anew, as bits_reduced does, and kept. */
void cells_reduce(void);
/* To stderr, by bits_model: as it was when kept, and as it is. */
void cells_show(void);

struct written {
	uint32_t at;
	lit_t b[8];
};
/* Nothing has been written yet. */
void cells_begin(void);
uint32_t cells_mark(void);
/* What was written since the mark is taken out: what it was, and how many. */
struct written *cells_take(uint32_t mark, uint32_t *count);
/* It is put in, if c. */
void cells_put(const struct written *wrote, uint32_t count, lit_t c);
