/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Views other than the base: each is the base but for what has been set in it.
 *
 * A view's tree is path-copied: it has a root of its own, once it needs one, and
 * a private table wherever below it some gfn has been set; every other entry
 * leads to what the base's entry at the same place leads to, with the rights
 * that the view's default leaves. So a tree is a function of three things: the
 * base, what is set, and the default; and calls here keep it that function.
 *
 * A private table is a frame of type TABLE whose `view` is not 0. Its `count` is,
 * at level 0, the entries that are set in part; above, the private tables that it
 * leads to. A count of 0 means that the table goes, but for the root. A base
 * table's `next` begins the chain of its private copies (same domain, level and
 * prefix; `next` and `prev`), so that a change of the base reaches them all. A
 * private table where the base has none is on no chain: its parent is the way to it.
 *
 * What is set is kept in bits of the level-0 entry that hardware ignores, also
 * while there is nothing to lead to. What a remap shows is kept as the machine
 * frame, whose `where` is the gfn; a frame counts the remaps that show it (`prev`),
 * and a view its own (`remaps`), so that a page can go: O(tables of the views
 * that have remaps), and O(1) if nothing shows it.
 *
 * Cost, with T private copies of a table: view creation O(1); setting an entry
 * O(1), and a table's words for each table that has to be copied or split first;
 * a base change of one page O(T); a new default, or destroying, O(own tables), and
 * destroying a view with nothing set O(1). None depends on the number of views
 * otherwise; listing them does. `make view-cost` counts it in instructions.
 *
 * An entry is written only when it differs, and a flush is due only if hardware may
 * hold what it was: one a call, of the one view, or of the domain if tables go.
 *
 * A whole table whose entries are all restricted alike does not fold into its
 * parent. What is set replaces the base's access, so that a link that masks would
 * say the same only until the base changes; and the table that would then have to
 * come back might not be had, in a call that cannot fail. What restricts all of a
 * view at once is its default, and that is in the links of the root.
 *
 * The nucleus lock is held for all of this.
 */
#pragma once

#include "nucleus.h"
#include "stage2.h"

struct view {
	uint64_t generation;          /* remaps that have lost their page */
	uint32_t root;                /* a machine frame; FRAMES_MAX: none made yet */
	uint32_t recent;              /* a private table of level 0, the last looked for; FRAMES_MAX: none */
	uint32_t tables;              /* private tables, the root included; base: not kept */
	uint32_t own;                 /* entries of which something is set */
	uint32_t remaps;              /* of them that show another page */
	uint8_t live;
	uint8_t access;               /* the default; of the base: for RAM added later */
	uint8_t flags;                /* VIEW_* */
	uint8_t root_known;           /* the machine's: CPUs may have cached something from the root */
};

_Static_assert(sizeof(struct view) == 32, "indexing takes a shift");
_Static_assert(VIEWS_MAX <= STEPS, "an entry can name every view");

/* View 0 of a live domain is live, and the base. */
extern struct view nuc_views[DOMAINS_MAX][VIEWS_MAX];

/*@ // Domain d's view k, not the base: hardware can have its default; its tables are its own.
    predicate view_own{L}(struct view *v, integer d, integer k) =
      access_valid(v->access) && k != 0 &&
      (v->root != FRAMES_MAX ==> is_copy(v->root, d, k, LEVEL_ROOT) && frames[v->root].where == 0) &&
      (v->recent != FRAMES_MAX ==> v->root != FRAMES_MAX && is_copy(v->recent, d, k, 0));
    predicate view_some{L}(struct view *v, integer d) =
      v->root == FRAMES_MAX ? access_valid(v->access) && v->recent == FRAMES_MAX : view_own(v, d, frames[v->root].view);
    predicate views_ok{L}(integer d) = \forall integer k; 0 < k < VIEWS_MAX ==>
      access_valid(nuc_views[d][k].access) && (nuc_views[d][k].live != 0 ==> view_own(&nuc_views[d][k], d, k));
 */

/* Of a domain that begins, and of one that ends: its tables are swept with the rest. */
void views_begin(uint32_t domain);
void views_end(struct stage2 *s);

/*
 * The base's entry `index` of `table` has been written: private copies follow. True
 * if a CPU may hold something of them that is no longer so. Cannot fail.
 */
/*@ requires \valid_read(s) && sound(s->domain) && 0 <= s->domain < DOMAINS_MAX && views_ok(s->domain);
    requires table < FRAMES_MAX && is_table(table, s->domain, frames[table].level) && entry_at(table, index);
    assigns frames[0 .. FRAMES_MAX - 1], machine[0 .. FRAMES_MAX - 1][0 .. PAGE_WORDS - 1];
    ensures sound(s->domain) && shapes_same{Pre,Here} && only{Pre,Here}(s->domain, PRIVATE_VIEWS); */
bool view_base_changed(const struct stage2 *s, uint64_t table, uint32_t index);

/*
 * The frame is about to leave its place in the base: remaps that show it are no more,
 * what else is set stays. The caller flushes the domain. Cannot fail.
 */
void view_target_gone(struct stage2 *s, uint64_t mfn, struct limbo *limbo);

/* ---- for vCPUs ------------------------------------------------------------ */

/* The root table of a view: 0 if the view doesn't exist or has no table yet. Stays until it is destroyed. */
uint64_t view_root(uint32_t domain, uint32_t view);

/* The same, made if need be. -ESRCH, -ENOENT, -ENOMEM. */
MUST_USE int view_root_need(uint32_t domain, uint32_t view, uint64_t *root);

/* The view that a table belongs to, such as the root that a CPU has just left; 0 is the base. */
static inline uint32_t view_of_root(uint64_t root)
{
	return frames[root].view;
}

/* Whether a view of the domain has set something at gfn. O(views that have tables). */
bool view_any_set(uint32_t domain, gfn_t gfn);

/* Where gfn leads in the view, as hardware walks it: rights of all levels together. No view: nowhere. */
struct translation view_translate(uint32_t domain, uint32_t view, gfn_t gfn);

/* What nuc_view_entry answers. */
MUST_USE int view_entry_at(uint32_t domain, uint32_t view, gfn_t gfn, struct view_entry *entry);

/* ---- for the audit: of private tables ------------------------------------- */

/* The base's table at the place of private table t, or FRAMES_MAX. */
uint64_t view_base_table(const struct stage2 *s, uint64_t t);
/* Whether the entry is what the base, the view's default and what is set make it. */
bool view_entry_sound(const struct stage2 *s, uint64_t t, uint32_t index);
