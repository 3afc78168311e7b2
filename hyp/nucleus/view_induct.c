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
 * The allocator is not run but taken at its contract, which `make prove` shows of
 * frame.c: it gives any free frame, or none.
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

/* The allocator, at its contract: the next spare, or none. */

static uint32_t tables_given, pages_given;

uint64_t replace_frame_take(void)
{
	if (any(1)) {
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
	pages_given = (pages_given + size - 1) & ~(size - 1);
	claim(pages_given + size <= 8, "(of this file) there are pages enough");
	pages_given += size;
	return SPARE_PAGE + pages_given - size;
}

void replace_frame_give(uint64_t m)
{
	(void)m;
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
	spec_sound();
	spec_follows();
}

static uint32_t a_domain(void)
{
	return any(1) ? 0 : DOMAINS_MAX + (uint32_t)any(4);
}

/* The page-modification of one view: what may differ, and what else is kept. */
static void spec_view_after(int error, uint32_t view, uint64_t gfn)
{
	spec_sound();
	spec_flushed();
	claim(spec_other_domain(), "the other domain is untouched");
	claim((error == 0) | spec_nothing(), "what fails changes nothing");
	spec_leads_same(view == 0 ? VIEWS_MAX : view, gfn);
	spec_sets_kept(view, gfn);
	claim((view == 0) | spec_base_kept(NO_GFN), "a view's change leaves the base alone");
}

void op_create(void);
void op_create(void)
{
	uint32_t domain = a_domain(), view = (uint32_t)any(3);
	int error = nuc_view_create(domain, view, (uint32_t)any(4), (uint32_t)any(2));

	spec_view_after(error, view, ANY_GFN);
	claim(error || view, "the base is not created");
}

/* What follows a merged call is said once for all of its ways; a gfn or view that is known makes them fewer. */

static int merged_destroy(uint32_t domain, uint32_t view)
{
	return nuc_view_destroy(domain, view);
}

void op_destroy(void);
void op_destroy(void)
{
	uint32_t domain = a_domain(), view = (uint32_t)pick(any(3));
	int error = merged_destroy(domain, view);

	spec_view_after(error, view, ANY_GFN);
	claim(error || (view && !nuc_views[0][view].live), "it is gone");
}

static int merged_default(uint32_t domain, uint32_t view, uint32_t access)
{
	return nuc_view_default(domain, view, access);
}

void op_default(void);
void op_default(void)
{
	uint32_t domain = a_domain(), view = (uint32_t)pick(any(3));
	int error = merged_default(domain, view, (uint32_t)any(4));

	spec_sound();
	spec_flushed();
	claim(spec_other_domain(), "the other domain is untouched");
	claim(error == 0 || spec_nothing(), "what fails changes nothing");
	spec_sets_kept(NO_VIEW, ANY_GFN);
	claim(spec_base_kept(NO_GFN), "the base is left alone");
	spec_leads_same(view, ANY_GFN);
}

void op_root_need(void);
void op_root_need(void)
{
	uint32_t domain = a_domain(), view = (uint32_t)any(3);
	uint64_t root = FRAMES_MAX;
	int error = view_root_need(domain, view, &root);

	spec_view_after(error, NO_VIEW, ANY_GFN);
	claim(error || root == (view ? nuc_views[0][view].root : nuc_domains[0].stage2.root), "it is the root");
}

void op_translate(void);
void op_translate(void)
{
	uint32_t domain = a_domain(), view = (uint32_t)any(3);
	uint64_t gfn = any(4);
	struct translation t = view_translate(domain, view, gfn_of(gfn));

	claim(domain == 0 || !t.present, "no domain, no page");
	claim(gfn < GFNS || !t.present, "beyond the limit is nothing");
	claim(!t.present || (view < VIEWS_MAX && spec_view_live(0, view)), "no view, no page");
	if (domain == 0 && gfn < GFNS && view < VIEWS_MAX && spec_view_live(0, view)) {
		claim(spec_same_translation(t, leads[0][view][gfn]), "it is what hardware would find");
	}
	claim(spec_nothing(), "looking changes nothing");
}

/* What a change asks for has been done. */
static bool spec_change_done(uint32_t view, const struct view_change *c)
{
	uint64_t e = 0, was = 0, base = 0;
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
		base = g == c->gfn ? base_of[0][0][g] : base;
		if (g == c->new_gfn) {
			target = leads[0][0][g];
		}
	}
	own = e ? entry_own(e) : 0;
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

		r &= (e ? entry_step(e) : 0) == step;
		r &= view != 0;
	} else {
		r &= (was ? entry_step(was) : 0) == (e ? entry_step(e) : 0);
	}
	if (view) {
		uint32_t keeps = (c->set & VIEW_SET_ACCESS ? 0 : OWN_ACCESS) | (c->set & VIEW_SET_TARGET ? 0 : OWN_TARGET) |
				 (c->set & VIEW_SET_SUPPRESS_VE ? 0 : OWN_SUPPRESS);

		r &= (own & keeps) == ((was ? entry_own(was) : 0) & keeps);
	}
	(void)base;
	return r;
}

static struct view_change a_change(void)
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
	struct view_change c = a_change();
	uint32_t domain = a_domain(), view = (uint32_t)pick(any(2));
	int error = 99, done;

	assume(view != 0);
	c.gfn = pick(c.gfn);
	done = merged_change(domain, view, &c, 1, &error);
	claim(done == (error == 0), "how many are done");
	spec_view_after(error, view, c.gfn);
	claim((error != 0) | spec_change_done(view, &c), "what was asked is so");
}

/* One change of the base. */
void op_change_base(void);
void op_change_base(void)
{
	struct view_change c = a_change();
	uint32_t domain = a_domain();
	int error = 99, done;

	c.gfn = pick(c.gfn);
	done = merged_change(domain, 0, &c, 1, &error);
	claim(done == (error == 0), "how many are done");
	spec_view_after(error, 0, c.gfn);
	claim(spec_base_kept(c.gfn), "the rest of the base is left alone");
	claim((error != 0) | spec_change_done(0, &c), "what was asked is so");
	spec_sets_kept(NO_VIEW, ANY_GFN);
}

/* Two changes of the access of pages, in one call: the quick ways take both at once. */
void op_change_two(void);
void op_change_two(void)
{
	struct view_change c[2];
	uint32_t view = (uint32_t)pick(any(2));
	int error = 99, done;

	assume(view != 0);
	c[0] = (struct view_change){ .gfn = pick(any(3)), .set = VIEW_SET_ACCESS, .access = (uint8_t)any(4) };
	c[1] = c[0];
	c[1].gfn = pick(any(3));
	done = merged_change(0, view, c, 2, &error);
	spec_sound();
	spec_flushed();
	claim(spec_other_domain(), "the other domain is untouched");
	claim(error != 0 || done == 2, "how many are done");
	claim(done > 0 || spec_nothing(), "what fails changes nothing");
	claim(spec_base_kept(NO_GFN), "a view's change leaves the base alone");
	claim(done < 2 || (spec_change_done(view, &c[0]) & spec_change_done(view, &c[1])), "what was asked is so");
}

static int merged_remove(uint32_t domain, uint64_t gfn)
{
	return nuc_memory_remove(domain, gfn_of(gfn));
}

void op_memory_remove(void);
void op_memory_remove(void)
{
	uint64_t gfn = pick(any(4));
	uint32_t domain = a_domain();
	int error = merged_remove(domain, gfn);

	spec_sound();
	spec_flushed();
	claim(spec_other_domain(), "the other domain is untouched");
	claim((error == 0) | spec_nothing(), "what fails changes nothing");
	claim(spec_base_kept(gfn), "the rest of the base is left alone");
	claim(error || !leads[0][0][gfn].present, "the page is gone");
}

static int merged_add(uint32_t domain, uint64_t gfn, uint64_t count)
{
	return nuc_memory_add(domain, gfn_of(gfn), count);
}

void op_memory_add(void);
void op_memory_add(void)
{
	uint64_t gfn = pick(any(4)), count = 1u << pick(any(2)), g;
	uint32_t domain = a_domain();
	int error = merged_add(domain, gfn, count);

	spec_sound();
	spec_flushed();
	claim(spec_other_domain(), "the other domain is untouched");
	spec_sets_kept(NO_VIEW, ANY_GFN);
	for (g = 0; g < GFNS; g++) {
		claim(leads[0][0][g].present == (led[0][0][g].present || (!error && g >= gfn && g < gfn + count)) ||
		      !spec_live(0), "pages are where they were asked for, and nowhere else");
	}
}

static int merged_share(uint32_t domain, uint32_t slot, uint64_t gfn)
{
	return nuc_share_map(domain, slot, gfn_of(gfn));
}

void op_share_map(void);
void op_share_map(void)
{
	uint64_t gfn = pick(any(4));
	uint32_t domain = a_domain(), slot = (uint32_t)pick(any(1));
	int error = merged_share(domain, slot, gfn);

	spec_sound();
	spec_flushed();
	claim(spec_other_domain(), "the other domain is untouched");
	claim((error == 0) | spec_nothing(), "what fails changes nothing");
	claim(error || (leads[0][0][gfn].present && leads[0][0][gfn].mfn == nuc_domains[0].share_mfn[slot]),
	      "the page is there");
}
