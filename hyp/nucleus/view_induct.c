/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What operations on views keep, from any state: for tools/induct, which runs the
 * engine that boots on bits that are not known.
 *
 * The state before is not one that was reached, but any that is *sound*, by what
 * spec_sound says of tables, frames, views and domains. Then one operation is run, with
 * any arguments, and what must hold afterwards is claimed: that the state is sound
 * again, and that only what was asked has changed (docs/architecture.md). By induction
 * it then holds after any number of such operations.
 *
 * The machine is small: tables of two entries, eight gfns, two domains, two views beside
 * the base. Everything in it is there: each table of each view that there can be, each
 * page, what is set at each gfn of each view.
 *
 * spec_any_state makes the sound states, from the base down to the last count, of bits
 * that are left open; that it makes no other, op_nothing shows. That it leaves none out,
 * it must be read for: every field is open there, or is what spec_sound asks for.
 *
 * The allocator is not run but taken at its contract: it gives any free frame, or none, as
 * `make prove` shows of frame.c, and not none after a frame was given back, which is tested.
 */
#include "stage2.c"
#include "frame.c"
#include "memory.c"
#include "view.c"

/* ---- what tools/induct provides ----------------------------------------------- */

uint64_t any(uint32_t bits);            /* any number of so many bits */
void assume(bool so);                   /* the rest of the path is about states in which it is so */
uint64_t pick(uint64_t n);              /* n, known from here on: the rest is run for each that it may be */
void claim(bool so, const char *what);  /* it is so, on this path */
void apart(void);                       /* the rest of the path is run by itself, with what is known put in */
bool ask(bool so);                      /* so: as a constant, if it can only be so or only not */
void shown(bool so);                    /* it is so in every state, as op_nothing shows */

#include "view_sound.h"
#include "view_any.h"

/* ---- the machine --------------------------------------------------------------- */

struct frame frames[FRAMES_MAX];
uint64_t machine[FRAMES_MAX][PAGE_WORDS];

void machine_scrub(mfn_t mfn, uint32_t order)
{
	uint64_t m;

	for (m = mfn.mfn; m < mfn.mfn + order_frames(order); m++) {
		machine[m][0] = 0;
		machine[m][1] = 0;
	}
}

void machine_freed(mfn_t mfn)
{
	(void)mfn;
}

void machine_flush_domain(uint32_t domain)
{
	flushed_domain[domain] = true;
}

void machine_flush_view(uint32_t domain, uint32_t view)
{
	flushed_view[domain][view] = true;
}

uint64_t machine_gfn_limit(void)
{
	return GFNS;
}

uint32_t machine_order_max(void)
{
	return any(1) ? ORDER_1G : ORDER_2M;
}

bool machine_core_range(const void *p, uint64_t length, bool write)
{
	(void)p;
	(void)length;
	(void)write;
	return true;
}

void *machine_core_map(mfn_t mfn, uint32_t domain, uint32_t slot)
{
	(void)mfn;
	(void)domain;
	(void)slot;
	return any(1) ? machine : NULL;
}

bool machine_domain_busy(uint32_t domain)
{
	(void)domain;
	return any(1);
}

bool machine_view_evict(uint32_t domain, uint32_t view)
{
	if (any(1)) {
		return false;
	}
	flushed_view[domain][view] = true;
	return true;
}

uint32_t machine_view_vcpus(uint32_t domain, uint32_t view)
{
	(void)domain;
	(void)view;
	return 0;
}

bool machine_ve_page(uint32_t domain, uint64_t gfn)
{
	(void)domain;
	(void)gfn;
	return any(1);
}

void machine_domain_end(uint32_t domain)
{
	(void)domain;
}

bool machine_payload(uint64_t offset, uint64_t length, const void **bytes)
{
	(void)offset;
	(void)length;
	(void)bytes;
	return false;
}

/*
 * The allocator, at its contract: the next spare, or none. But for as many tables as have been given
 * back there are frames.
 */

static uint32_t tables_given, tables_back, pages_given;
static uint64_t share_given = FRAMES_MAX;       /* what is called a share page, is the next */

uint64_t replace_frame_take(void)
{
	if (tables_back) {
		tables_back--;
	} else if (any(1)) {
		return FRAMES_MAX;
	}
	claim(tables_given < SPARES, "(of this file) there are spares enough");
	return FIRST_SPARE + tables_given++;
}

uint64_t replace_run_take(uint32_t order)
{
	uint32_t size = (uint32_t)order_frames(order);

	if (any(1)) {
		return FRAMES_MAX;
	}
	if (share_given != FRAMES_MAX) {
		return share_given;
	}
	pages_given = (pages_given + size - 1) & ~(size - 1);
	claim(pages_given + size <= 8, "(of this file) there are pages enough");
	pages_given += size;
	return SPARE_PAGE + pages_given - size;
}

void replace_frame_give(uint64_t m)
{
	tables_back++;
	if (m + 1 == FIRST_SPARE + tables_given) {
		tables_given--;
	}
}

void replace_run_give(uint64_t m, uint32_t order)
{
	(void)m;
	(void)order;
}

/* ---- the operations, of domain 0: the two domains are alike -------------------------- */

/* What was made is what is claimed afterwards: one more operation, which does nothing. */
void op_nothing(void);
void op_nothing(void)
{
	apart();
	spec_first = true;
	spec_sound();
	spec_follows();
}

/* ---- parts ---------------------------------------------------------------------------- */

/*
 * From here on, what was picked is the same everywhere. Picked is what decides where pointers
 * lead; all parts together are all states. That the state is sound, op_nothing shows of all: it
 * is said again in the words of what is left open.
 */
static void part(void)
{
	apart();
	spec_remember();
	spec_again = spec_first = true;
	spec_sound_seen();
	spec_again = spec_first = false;
}

/* Whether the call is of a live domain and view, which then is known: if not, no more is picked. */
static bool pick_live(uint32_t domain, uint32_t *view)
{
	if (!pick(domain == 0) || !pick(spec_live(0)) || !pick(*view < VIEWS_MAX)) {
		return false;
	}
	*view = (uint32_t)pick(*view);
	return pick(nuc_views[0][*view].live);
}

static bool is_table(uint32_t k, uint32_t l, uint32_t w)
{
	return frames[table_name(0, k, l, w)].type == FRAME_TABLE;
}

/* Which tables the view has on the way to gfn. */
static void pick_path(uint32_t view, uint32_t gfn)
{
	uint32_t l = LEVELS;

	while (l-- > 0 && pick(is_table(view, l, gfn >> (l + 1)))) {
	}
}

/* Which tables it has at all. */
static void pick_tree(uint32_t view)
{
	uint32_t l, w;

	for (l = LEVELS; l-- > 0;) {
		for (w = 0; w < PLACES(l); w++) {
			pick(is_table(view, l, w));
		}
	}
}

/* What the base has on the way to gfn. */
static void pick_base(uint32_t gfn)
{
	uint32_t l;

	for (l = LEVEL_ROOT; l < LEVELS && pick(has_table[0][l][gfn >> l]); l--) {
	}
	if (l < LEVEL_ROOT) {
		pick(has_leaf[0][l][gfn >> l]);
	}
}

/* Of a live domain and view, what the base has on the way to gfn. True: gfn is below the limit, and known. */
static bool pick_gfn(uint32_t domain, uint32_t *view, uint64_t *gfn)
{
	if (!pick_live(domain, view) || !pick(*gfn < GFNS)) {
		return false;
	}
	*gfn = pick(*gfn);
	pick_base((uint32_t)*gfn);
	return true;
}

static uint32_t spec_a_domain(void)
{
	return any(1) ? 0 : DOMAINS_MAX + (uint32_t)any(4);
}

/* After any operation. */
static void spec_after(void)
{
	spec_sound();
	spec_flushed();
	claim(spec_other_domain(), "the other domain is untouched");
}

/* After a change of one view, at these gfns: what else is kept. */
static void spec_view_after(int error, uint32_t view, uint32_t gfns)
{
	spec_after();
	spec_nothing_unless(error == 0);
	spec_leads_same(view == 0 ? VIEWS_MAX : view, gfns);
	spec_sets_kept(view, gfns);
	if (view) {
		spec_base_kept(0);
	}
}

/* What follows a merged call is said once for all of its ways. */

static int merged_create(uint32_t domain, uint32_t view, uint32_t access, uint32_t flags)
{
	return nuc_view_create(domain, view, access, flags);
}

void op_create(void);
void op_create(void)
{
	uint32_t domain = spec_a_domain(), view = (uint32_t)any(3);
	int error;

	part();
	error = merged_create(domain, view, (uint32_t)any(4), (uint32_t)any(2));
	spec_view_after(error, view, ANY_GFN);
	claim((error != 0) | (view != 0), "the base is not created");
}

static void spec_view_gone(bool failed, uint32_t view)
{
	claim(failed || (view > 0 && view < VIEWS_MAX && !nuc_views[0][view].live), "it is gone");
}

static int merged_destroy(uint32_t domain, uint32_t view)
{
	return nuc_view_destroy(domain, view);
}

void op_destroy(void);
void op_destroy(void)
{
	uint32_t domain = spec_a_domain(), view = (uint32_t)any(3);
	int error;

	if (pick_live(domain, &view) && view) {
		pick_tree(view);
	}
	part();
	error = merged_destroy(domain, view);
	spec_view_after(error, view, ANY_GFN);
	spec_view_gone(error != 0, view);
}

/* Unless it failed, the view's default is this; no other's has changed, and nothing else of any. */
static void spec_default_after(bool failed, uint32_t view, uint32_t access)
{
	uint32_t d, k;

	for (d = 0; d < DOMAINS_MAX; d++) {
		for (k = 0; k < VIEWS_MAX; k++) {
			const struct view *a = &views_was[d][k], *b = &nuc_views[d][k];
			bool asked = !failed & (d == 0) & (k == view);

			claim((a->live == b->live) & (a->flags == b->flags) & (b->access == (asked ? access : a->access)),
			      "the default is what was asked for");
		}
	}
}

static int merged_default(uint32_t domain, uint32_t view, uint32_t access)
{
	return nuc_view_default(domain, view, access);
}

void op_default(void);
void op_default(void)
{
	uint32_t domain = spec_a_domain(), view = (uint32_t)any(3), access = (uint32_t)any(4);
	int error;

	if (pick_live(domain, &view) && view) {
		pick_tree(view);
	}
	part();
	error = merged_default(domain, view, access);
	spec_default_after(error != 0, view, access);
	spec_after();
	spec_nothing_unless(error == 0);
	spec_sets_kept(NO_VIEW, ANY_GFN);
	spec_base_kept(0);
	spec_leads_same(view, ANY_GFN);
}

static int merged_root_need(uint32_t domain, uint32_t view, uint64_t *root)
{
	return view_root_need(domain, view, root);
}

/* What was found is the root that the view has now. */
static void spec_root(int error, uint32_t view, uint64_t root)
{
	bool r = error != 0;
	uint32_t k;

	for (k = 0; k < VIEWS_MAX; k++) {
		r |= (k == view) & (root == (k ? nuc_views[0][k].root : nuc_domains[0].stage2.root));
	}
	claim(r, "it is the root");
}

void op_root_need(void);
void op_root_need(void)
{
	uint32_t domain = spec_a_domain(), view = (uint32_t)any(3);
	uint64_t root = FRAMES_MAX;
	int error;

	if (pick_live(domain, &view) && view) {
		pick(is_table(view, LEVEL_ROOT, 0));
	}
	part();
	error = merged_root_need(domain, view, &root);
	spec_view_after(error, NO_VIEW, ANY_GFN);
	spec_root(error, view, root);
}

static struct translation merged_translate(uint32_t domain, uint32_t view, uint64_t gfn)
{
	return view_translate(domain, view, gfn_of(gfn));
}

/* It is what hardware would find, of a live view and below the limit; else nothing. */
static void spec_translated(struct translation t, uint32_t domain, uint32_t view, uint64_t gfn)
{
	struct translation none = { .present = false };
	bool r = !t.present;
	uint32_t k, g;

	for (k = 0; k < VIEWS_MAX; k++) {
		for (g = 0; g < GFNS; g++) {
			bool here = (domain == 0) & (view == k) & (gfn == g);

			r = here ? spec_same_translation(t, spec_view_live(0, k) ? leads[0][k][g] : none) : r;
		}
	}
	claim(r, "it is what hardware would find");
}

void op_translate(void);
void op_translate(void)
{
	uint32_t domain = spec_a_domain(), view = (uint32_t)any(3);
	uint64_t gfn = any(4);
	struct translation t;

	part();
	t = merged_translate(domain, view, gfn);
	spec_look();
	spec_translated(t, domain, view, gfn);
	spec_nothing_unless(false);
}

/* What a change asks for has been done. */
static bool spec_change_done(uint32_t view, const struct view_change *c)
{
	uint64_t e = 0, was = 0;
	struct translation t = { .present = false }, target = { .present = false };
	bool r = true;
	uint32_t k, g, own;

	for (g = 0; g < GFNS; g++) {
		for (k = 0; k < VIEWS_MAX; k++) {
			e = (k == view) & (g == c->gfn) ? page_of[0][k][g] : e;
			was = (k == view) & (g == c->gfn) ? page_was[0][k][g] : was;
			if ((k == view) & (g == c->gfn)) {
				t = leads[0][k][g];
			}
		}
		if (g == c->new_gfn) {
			target = leads[0][0][g];
		}
	}
	own = spec_own(e);
	if ((c->set & VIEW_SET_ACCESS) != 0) {
		uint32_t rights = c->access == 8 ? ACCESS_R | ACCESS_X : c->access == 9 ? 0 : c->access;

		r &= c->access <= VIEW_ACCESS_DEFAULT;
		if (view) {
			r &= ((own & OWN_ACCESS) != 0) == (c->access != VIEW_ACCESS_DEFAULT);
		}
		if (c->access != VIEW_ACCESS_DEFAULT) {
			r &= !t.present | ((t.access == rights) & (t.turns == (c->access >= 8)));
		}
	}
	if ((c->set & VIEW_SET_SUPPRESS_VE) != 0) {
		if (view) {
			r &= ((own & OWN_SUPPRESS) != 0) == (c->suppress_ve != VIEW_SUPPRESS_DEFAULT);
			r &= (c->suppress_ve == VIEW_SUPPRESS_DEFAULT) | !t.present | (t.suppress == c->suppress_ve);
		} else {
			r &= !t.present | (t.suppress == (c->suppress_ve != 0));
		}
	}
	if ((c->set & VIEW_SET_TARGET) != 0) {
		r &= ((own & OWN_TARGET) != 0) == (c->new_gfn != ~0ull);
		r &= (c->new_gfn == ~0ull) | (t.present & target.present & (t.mfn == target.mfn));
		r &= view != 0;
	}
	if ((c->set & VIEW_SET_STEP) != 0) {
		uint32_t step = c->step == VIEW_NONE ? 0 : (c->step - view) & (STEPS - 1);

		r &= spec_step(e) == step;
		r &= view != 0;
	} else {
		r &= spec_step(was) == spec_step(e);
	}
	if (view) {
		uint32_t keeps = (c->set & VIEW_SET_ACCESS ? 0 : OWN_ACCESS) | (c->set & VIEW_SET_TARGET ? 0 : OWN_TARGET) |
				 (c->set & VIEW_SET_SUPPRESS_VE ? 0 : OWN_SUPPRESS);

		r &= (own & keeps) == (spec_own(was) & keeps);
	}
	return r;
}

static struct view_change spec_a_change(void)
{
	struct view_change c = { .gfn = any(4), .new_gfn = any(1) ? ~0ull : any(4), .set = (uint32_t)any(5),
				 .access = (uint8_t)any(4), .suppress_ve = (uint8_t)any(2) };
	uint16_t step = (uint16_t)any(2);

	c.step = any(1) ? VIEW_NONE : step;
	return c;
}

static int merged_change(uint32_t domain, uint32_t view, const struct view_change *c, uint32_t count,
			 int *error)
{
	return nuc_view_change(domain, view, c, count, error);
}

/* One change of a view that isn't the base. */
void op_change(void);
void op_change(void)
{
	struct view_change c = spec_a_change();
	uint32_t domain = spec_a_domain(), view = (uint32_t)any(2);
	int error = 99, done;

	assume(view != 0);
	if (pick_gfn(domain, &view, &c.gfn)) {
		pick_path(view, (uint32_t)c.gfn);
	}
	part();
	done = merged_change(domain, view, &c, 1, &error);
	claim(done == (error == 0), "how many are done");
	spec_view_after(error, view, spec_gfn(c.gfn));
	claim((error != 0) | spec_change_done(view, &c), "what was asked is so");
}

/* One change of the base. */
void op_change_base(void);
void op_change_base(void)
{
	struct view_change c = spec_a_change();
	uint32_t domain = spec_a_domain(), base = 0;
	int error = 99, done;

	pick_gfn(domain, &base, &c.gfn);
	part();
	done = merged_change(domain, 0, &c, 1, &error);
	claim(done == (error == 0), "how many are done");
	spec_view_after(error, 0, spec_gfn(c.gfn));
	spec_base_kept(spec_gfn(c.gfn));
	claim((error != 0) | spec_change_done(0, &c), "what was asked is so");
	spec_sets_kept(NO_VIEW, ANY_GFN);
}

/*
 * Of several changes in one call each is an operation, but those that a quick way takes at once: the
 * same access of pages that lie in one table, which is the view's. Two of them are all that fit.
 */
static uint32_t merged_quick(uint32_t view, const struct view_change *c, uint64_t what, bool *flush)
{
	const struct stage2 *s = &nuc_domains[0].stage2;
	struct view *v = &nuc_views[0][view];

	return c->access == VIEW_ACCESS_DEFAULT ? access_clears(s, v, c, 2, what, flush) :
						  access_changes(s, v, c, 2, what, flush);
}

/* Where the first `done` of these changes are. */
static uint32_t spec_places(const struct view_change *c, uint32_t done)
{
	return (done > 0 ? spec_gfn(c[0].gfn) : 0) | (done > 1 ? spec_gfn(c[1].gfn) : 0);
}

void op_change_quick(void);
void op_change_quick(void)
{
	struct view_change c[2];
	uint32_t view = (uint32_t)any(2), done, gfns;
	uint8_t access = (uint8_t)any(4);
	bool flush = false;
	uint64_t gfn = any(3);

	assume((view != 0) & access_settable(access));
	assume(pick_gfn(0, &view, &gfn));
	assume(is_table(view, 0, (uint32_t)gfn >> 1));
	c[0] = (struct view_change){ .gfn = gfn, .set = VIEW_SET_ACCESS, .access = access };
	c[1] = c[0];
	c[1].gfn ^= pick(any(1));
	part();
	done = merged_quick(view, c, word(c, 2), &flush);
	spec_sound();
	flushed_view[0][view] = flush;
	spec_flushed();
	claim(spec_other_domain(), "the other domain is untouched");
	claim(done <= 2, "how many are done");
	spec_nothing_unless(done > 0);
	spec_base_kept(0);
	gfns = spec_places(c, done);
	spec_sets_kept(view, gfns);
	spec_leads_same(view, gfns);
	claim((done < 1) | spec_change_done(view, &c[0]), "the first is done");
	claim((done < 2) | spec_change_done(view, &c[1]), "the second is done");
}

/* The same of memory and domains. */
#include "memory_induct.h"
