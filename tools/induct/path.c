/* SPDX-License-Identifier: Apache-2.0 */
#include "path.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "exec.h"

#define CLAIMS_MAX 4096u

/* One choice on the path: which of the ways was gone. */
struct choice {
	lit_t *way;
	uint32_t n, at;
};

struct path path;

static struct choice *choices;
static uint32_t choice_count, choice_at, choice_room;

static struct { char name[128]; lit_t cond; } claims[CLAIMS_MAX];
static uint32_t claim_count;
static lit_t assumed[CLAIMS_MAX];
static uint32_t assumed_count;

void path_begin(void)
{
	choice_at = claim_count = assumed_count = 0;
	path.ended = false;
	path.merging = path.blind = 0;
	path.guard = LIT_TRUE;
}

bool path_next(void)
{
	while (choice_count && choices[choice_count - 1].at + 1 >= choices[choice_count - 1].n) {
		free(choices[--choice_count].way);
	}
	if (!choice_count) {
		return false;
	}
	choices[choice_count - 1].at++;
	return true;
}

void path_forget(void)
{
	choice_count = choice_at = 0;
	path.failed = path.ended = false;
}

void path_end(void)
{
	path.ended = true;
}

void path_print(void)
{
	uint32_t i;

	for (i = 0; i < choice_at; i++) {
		fprintf(stderr, " %u/%u", choices[i].at + 1, choices[i].n);
	}
	fprintf(stderr, "\n");
}

void path_fail(const char *format, ...)
{
	va_list list;

	va_start(list, format);
	fprintf(stderr, "\ninduct: %s: FAILED: ", path.operation);
	vfprintf(stderr, format, list);
	fprintf(stderr, "\n");
	va_end(list);
	fprintf(stderr, "induct: ways gone:");
	path_print();
	path.failed = path.ended = true;
}

uint32_t path_choose(lit_t *ways, uint32_t n)
{
	struct choice *c;

	if (choice_at == choice_count) {
		GROW(choices, choice_count, choice_room);
		c = &choices[choice_count++];
		c->way = malloc((n ? n : 1) * sizeof(lit_t));
		memcpy(c->way, ways, n * sizeof(lit_t));
		c->n = n;
		c->at = 0;
	}
	c = &choices[choice_at++];
	if (c->n == 0) {
		path_end();
		return 0;
	}
	bits_path(c->way[c->at]);
	return c->at;
}

bool path_again(lit_t *way)
{
	if (choice_at == choice_count) {
		return false;
	}
	*way = choices[choice_at].way[choices[choice_at].at];
	return true;
}

bool path_decide(lit_t c)
{
	lit_t ways[2];
	uint32_t n = 0, i;

	c = bits_known(c);
	if (c <= 1) {
		return c;
	}
	if (choice_at < choice_count) {
		i = path_choose(NULL, 0);
		return choices[choice_at - 1].n && choices[choice_at - 1].way[i] == c;
	}
	if (bits_possible(c)) {
		ways[n++] = c;
	}
	if (bits_possible(c ^ 1)) {
		ways[n++] = c ^ 1;
	}
	i = path_choose(ways, n);
	return n && ways[i] == c;
}

void path_claim(lit_t c, const char *name)
{
	c = path.merging ? bits_or(path.guard ^ 1, c) : c;
	exec_counts.claims++;
	if (c == LIT_TRUE) {
		return;
	}
	if (claim_count == CLAIMS_MAX) {
		die("%s: too many claims", path.operation);
	}
	snprintf(claims[claim_count].name, sizeof(claims[0].name), "%s", name);
	claims[claim_count++].cond = c;
}

bool path_any_claims(void)
{
	return claim_count > 0;
}

lit_t path_claims_take(void)
{
	lit_t all = LIT_TRUE;
	uint32_t i;

	for (i = 0; i < claim_count; i++) {
		all = bits_and(all, claims[i].cond);
	}
	claim_count = 0;
	return all;
}

void path_assume(lit_t c)
{
	c = bits_known(c);
	if (path.merging && path.guard != LIT_TRUE) {
		c = bits_or(path.guard ^ 1, c);
	}
	if (path.setting_up) {
		path_claim(c, "what is assumed");
		return;
	}
	if (path.merging) {
		if (assumed_count == CLAIMS_MAX) {
			die("%s: too much is assumed", path.operation);
		}
		assumed[assumed_count++] = c;
	} else if (!bits_possible(c)) {
		path_end();
		return;
	}
	bits_path(c);
}

void path_merged(void)
{
	while (assumed_count) {
		bits_path(assumed[--assumed_count]);
	}
}

void path_check(void)
{
	uint32_t i, k;
	lit_t c;

	if (!bits_possible(LIT_TRUE)) {
		die("%s: a path that cannot be, of which anything holds", path.operation);
	}
	bits_reduce_anew();
	for (i = 0; i < claim_count; i++) {
		clock_t start = clock();
		bool broken;

		c = bits_known(bits_reduced(claims[i].cond));
		broken = bits_possible(c ^ 1);
		if (exec_verbose && clock() - start > CLOCKS_PER_SEC) {
			fprintf(stderr, "induct: %s: claim %u of %u took %.0f s: %s\n", path.operation, i, claim_count,
				(double)(clock() - start) / CLOCKS_PER_SEC, claims[i].name);
		}
		if (!broken) {
			if (!bits_path_empty()) {
				bits_path(c);
			} else {
				bits_always(c);
			}
			continue;
		}
		for (k = i; k < claim_count; k++) {
			if (!bits_model(claims[k].cond)) {
				fprintf(stderr, "\ninduct: %s: does not hold: %s", path.operation, claims[k].name);
			}
		}
		path_fail("a claim does not hold");
		return;
	}
}
