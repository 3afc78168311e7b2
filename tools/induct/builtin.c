/* SPDX-License-Identifier: Apache-2.0 */
#include "builtin.h"

#include <string.h>

#include "cells.h"
#include "parts.h"
#include "path.h"

#define COPIED_MAX 64u          /* bytes, of a copy of which it is not known how long it is */

/* ---- the harness's -------------------------------------------------------------- */

static void do_any(const struct val *args, struct val *out)
{
	uint64_t k, i;

	if (!val_const(args[0], &k) || k > 64) {
		die("%s: any() of unknown bits", path.operation);
	}
	for (i = 0; i < k; i++) {
		out->b[i] = bits_known(bits_free());
	}
}

static void do_assume(const struct val *args, struct val *out)
{
	(void)out;
	path_assume(args[0].b[0]);
}

/* Forks, until the number is known. */
static void do_pick(const struct val *args, struct val *out)
{
	struct val v = val_known(args[0]);
	uint64_t n;
	uint32_t k;

	for (k = 0; !val_const(v, &n) && !path.ended; k++) {
		if (k == v.bits) {
			die("%s: pick()", path.operation);
		}
		path_decide(v.b[k]);
		v = val_known(args[0]);
	}
	*out = v;
}

static void do_claim(const struct val *args, struct val *out)
{
	(void)out;
	path_claim(args[0].b[0], cells_text(args[1]));
}

static void do_shown(const struct val *args, struct val *out)
{
	lit_t c = bits_or(path.guard ^ 1, args[0].b[0]);

	(void)out;
	if (!parts_inside) {
		die("%s: shown() before apart()", path.operation);
	}
	if (!bits_always(bits_known(c))) {
		die("%s: what has been shown is not so", path.operation);
	}
}

static void do_ask(const struct val *args, struct val *out)
{
	lit_t c = bits_known(args[0].b[0]);

	/* On one side of a merge it would be known for that side only. */
	if (c > 1 && path.guard == LIT_TRUE) {
		c = !bits_possible(c) ? LIT_FALSE : !bits_possible(c ^ 1) ? LIT_TRUE : c;
	}
	out->b[0] = c;
}

static void do_apart(const struct val *args, struct val *out)
{
	(void)args;
	(void)out;
	parts_apart();
}

static void do_panic(const struct val *args, struct val *out)
{
	(void)out;
	path_claim(LIT_FALSE, cells_text(args[0]));
	if (!path.merging) {
		path_end();
	}
}

/* ---- the compiler's -------------------------------------------------------------- */

static void do_nothing(const struct val *args, struct val *out)
{
	(void)args;
	(void)out;
}

static void do_same(const struct val *args, struct val *out)
{
	*out = args[0];
}

/* While merging, so many bytes that it is not known: words, as long as there may be one more. */
static void copy_words(const struct val *args)
{
	uint64_t k;

	for (k = 0;; k += 8) {
		struct val at = val_of(k, 64);
		lit_t more = val_less(at, val_known(args[2]));
		struct val to = val_add(args[0], at, LIT_FALSE), from = val_add(args[1], at, LIT_FALSE);

		to.object = args[0].object;
		from.object = args[1].object;
		if (cells_may_be(more) == LIT_FALSE) {
			return;
		}
		cells_store_to(to, val_ite(more, cells_load_from(from, 64), cells_load_from(to, 64)));
	}
}

static void do_copy(const struct val *args, struct val *out)
{
	uint64_t k;

	if (out->bits) {
		*out = args[0];
	}
	if (!val_const(val_known(args[2]), &k)) {
		if (path.merging) {
			copy_words(args);
			return;
		}
		for (k = 0; k <= COPIED_MAX && !path_decide(val_eq_const(val_known(args[2]), k)); k++) {
			if (path.ended) {
				return;
			}
		}
		if (k > COPIED_MAX) {
			die("%s: so many bytes copied that it is not known", path.operation);
		}
	}
	if (k) {
		cells_copy(args[0], args[1], k);
	}
}

static void do_set(const struct val *args, struct val *out)
{
	struct val p = val_known(args[0]), v = val_new(8);
	uint64_t k, at;

	(void)out;
	if (!val_const(val_known(args[2]), &k)) {
		die("%s: so many bytes set that it is not known", path.operation);
	}
	if (!k) {
		return;
	}
	memcpy(v.b, args[1].b, 8 * sizeof(lit_t));
	if (!path.merging) {
		at = cells_settle(p, (uint32_t)k);
	} else if (!val_const(p, &at)) {
		die("%s: bytes set while merging", path.operation);
	}
	for (; !path.ended && k; k--) {
		cells_store(at++, v);
	}
}

static void do_min(const struct val *args, struct val *out)
{
	*out = val_ite(val_less(args[0], args[1]), args[0], args[1]);
}

static void do_max(const struct val *args, struct val *out)
{
	*out = val_ite(val_less(args[0], args[1]), args[1], args[0]);
}

static void do_subtract(const struct val *args, struct val *out)
{
	struct val d = val_add(args[0], val_not(args[1]), LIT_TRUE);

	*out = val_ite(val_less(args[0], args[1]), val_of(0, d.bits), d);
}

static void do_count(const struct val *args, struct val *out)
{
	uint32_t i;

	for (i = 0; i < args[0].bits; i++) {
		struct val one = val_of(0, out->bits);

		one.b[0] = args[0].b[i];
		*out = val_add(*out, one, LIT_FALSE);
	}
}

/* By name; of the compiler's, by how it begins. */
static const struct {
	const char *name;
	bool begins;
	void (*run)(const struct val *args, struct val *out);
} builtins[] = {
	{ "any", false, do_any },
	{ "assume", false, do_assume },
	{ "pick", false, do_pick },
	{ "claim", false, do_claim },
	{ "shown", false, do_shown },
	{ "ask", false, do_ask },
	{ "apart", false, do_apart },
	{ "machine_panic", false, do_panic },
	{ "memcpy", false, do_copy },
	{ "llvm.memcpy", true, do_copy },
	{ "llvm.memmove", true, do_copy },
	{ "llvm.memset", true, do_set },
	{ "llvm.expect", true, do_same },
	{ "llvm.umin", true, do_min },
	{ "llvm.umax", true, do_max },
	{ "llvm.usub.sat", true, do_subtract },
	{ "llvm.ctpop", true, do_count },
	{ "llvm.lifetime", true, do_nothing },
	{ "llvm.dbg", true, do_nothing },
	{ "llvm.assume", true, do_nothing },
	{ "llvm.experimental.noalias", true, do_nothing },
};

bool builtin(const struct function *f, const struct val *args, struct val *out)
{
	uint32_t i;

	for (i = 0; i < sizeof(builtins) / sizeof(builtins[0]); i++) {
		if (builtins[i].begins ? begins(f->name, builtins[i].name) : !strcmp(f->name, builtins[i].name)) {
			builtins[i].run(args, out);
			return true;
		}
	}
	return false;
}
