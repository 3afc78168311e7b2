/* SPDX-License-Identifier: Apache-2.0 */
/* Memory and string functions, and a seeded pseudo-random generator. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

void *memcpy(void *to, const void *from, size_t n);
void *memmove(void *to, const void *from, size_t n);
void *memset(void *to, int byte, size_t n);
int memcmp(const void *a, const void *b, size_t n);
size_t strlen(const char *s);
/* The first place of `needle` in `s`, or NULL. */
const char *find_text(const char *s, const char *needle);

/* splitmix64: every 64-bit seed is a good one, and the state is one word. */
struct random {
	uint64_t state;
};

uint64_t random_next(struct random *r);
/* A number in [0, n), n > 0. */
uint64_t random_below(struct random *r, uint64_t n);

/* Sorts n numbers, smallest first. */
void sort_u64(uint64_t *a, size_t n);
