/* SPDX-License-Identifier: Apache-2.0 */
/* For view_induct.c: the operations on a domain's memory, and its life and death. */
#pragma once

/* ---- what is claimed afterwards ------------------------------------------------------ */

/* Unless it failed, gfn leads to the frame, or to nothing (FRAMES_MAX). */
static void spec_led(bool failed, uint64_t gfn, uint64_t mfn)
{
	bool r = failed;
	uint32_t g;

	for (g = 0; g < GFNS; g++) {
		r |= (g == gfn) & (mfn == FRAMES_MAX ? !leads[0][0][g].present :
						       leads[0][0][g].present & (leads[0][0][g].mfn == mfn));
	}
	claim(r, "the page is where it was asked for, or gone");
}

static void spec_added(bool done, uint64_t gfn, uint64_t count)
{
	uint32_t g;

	for (g = 0; g < GFNS; g++) {
		bool asked = done & (g >= gfn) & (g < gfn + count);

		claim(!spec_live(0) | (leads[0][0][g].present == (led[0][0][g].present | asked)),
		      "pages are where they were asked for, and nowhere else");
	}
}

/* ---- pages go and come ------------------------------------------------------------------ */

/*
 * A page that goes, or a share page that moves, takes the remaps along that show it. There may be any
 * number, one after the other: so each is an operation of its own, which keeps sound what is, and the
 * rest is run without them. In between, tables are in limbo, where nobody looks at them until they are
 * freed together.
 */

/* One leaf of the base becomes several, or room is made for a page. */
static int merged_split(uint64_t gfn, bool room)
{
	struct stage2 *s = &nuc_domains[0].stage2;

	return room ? stage2_room(s, gfn_of(gfn)) : stage2_split(s, gfn_of(gfn), any(1) ? ORDER_4K : ORDER_2M);
}

/* Then a page can be put at gfn. */
static void spec_roomy(bool asked, uint64_t gfn)
{
	struct stage2 *s = &nuc_domains[0].stage2;
	uint32_t g;

	for (g = 0; g < GFNS; g++) {
		struct translation t = leads[0][0][g];

		claim(!asked | (g != gfn) | (t.present ? t.level == 0 : t.level <= s->table_budget - s->tables_used),
		      "there is room for a page");
	}
}

void op_split(void);
void op_split(void)
{
	uint64_t gfn = any(3);
	uint32_t base = 0;
	bool room = any(1);
	int error;

	assume(pick_gfn(0, &base, &gfn));
	part();
	error = merged_split(gfn, room);
	spec_view_after(error, NO_VIEW, ANY_GFN);
	spec_roomy(error == 0 && room, gfn);
}

/* The first gfn of the view, `from` or later, at which it is remapped to the page; or GFNS. */
static uint32_t spec_first_remap(uint32_t view, uint64_t from, uint64_t mfn)
{
	uint32_t k, g, r = GFNS;

	for (k = 1; k < VIEWS_MAX; k++) {
		for (g = GFNS; g-- > 0;) {
			uint64_t e = page_of[0][k][g];

			r = (k == view) & (g >= from) & spec_remap(e) & (entry_mfn(e, 0) == mfn) ? g : r;
		}
	}
	return r;
}

/* Any page of domain 0's. */
static uint64_t spec_a_page(void)
{
	uint64_t gfn = any(3), r = FRAMES_MAX;
	uint32_t g;

	for (g = 0; g < GFNS; g++) {
		r = g == gfn ? page_at[0][g] : r;
	}
	assume(r != FRAMES_MAX);
	return r;
}

/* Tables in limbo may be anything that tables were. */
static void merged_fill(struct limbo *limbo, uint32_t most)
{
	uint64_t t;

	while (most--) {
		t = any(1) ? frame_alloc_table(0) : FRAMES_MAX;
		if (t != FRAMES_MAX) {
			limbo_add(limbo, mfn_of(t), ORDER_4K);
		}
	}
}

/* What has no place any more is in limbo. */
static void spec_limbo_kept(const struct limbo *limbo)
{
	uint64_t at[5];
	uint32_t t, i;

	at[0] = limbo->head;
	for (i = 0; i < 4; i++) {
		at[i + 1] = at[i] == FRAMES_MAX ? FRAMES_MAX : frames[at[i]].next;
	}
	claim(at[4] == FRAMES_MAX, "limbo ends");
	for (t = 0; t < TABLES; t++) {
		claim(!spec_in_limbo(t) | (at[0] == t) | (at[1] == t) | (at[2] == t) | (at[3] == t),
		      "what has no place any more is in limbo");
	}
}

static bool merged_drop(uint32_t view, uint64_t mfn, uint64_t *gfn, struct limbo *limbo)
{
	return remap_drop(&nuc_domains[0].stage2, view, mfn, gfn, limbo);
}

/* Of what is set there, only the remap is gone. */
static void spec_dropped(uint32_t view, uint32_t first)
{
	bool r = first == GFNS;
	uint32_t k, g;

	for (k = 1; k < VIEWS_MAX; k++) {
		for (g = 0; g < GFNS; g++) {
			r |= (k == view) & (g == first) & spec_kept(page_was[0][k][g], page_of[0][k][g], OWN_TARGET);
		}
	}
	claim(r, "only the remap is gone");
}

void op_remap_drop(void);
void op_remap_drop(void)
{
	struct limbo limbo = LIMBO_EMPTY;
	uint32_t view = (uint32_t)any(2), first;
	uint64_t mfn = spec_a_page(), gfn = any(4);
	bool dropped;

	assume((view != 0) & (gfn <= GFNS));
	assume(pick_live(0, &view));
	assume(nuc_views[0][view].remaps > 0);
	first = (uint32_t)pick(spec_first_remap(view, gfn, mfn));
	if (first < GFNS) {
		pick_base(first);
	}
	part();
	merged_fill(&limbo, 1);
	dropped = merged_drop(view, mfn, &gfn, &limbo);
	claim(dropped == (first < GFNS), "it is found if there is one");
	claim(!dropped | (gfn == first), "where it is");
	spec_limbo = true;
	spec_sound();
	spec_limbo_kept(&limbo);
	claim(spec_other_domain(), "the other domain is untouched");
	spec_base_kept(0);
	spec_sets_kept(view, spec_gfn(first));
	spec_dropped(view, first);
	spec_leads_same(view, spec_gfn(first));
}

static void merged_limbo(void)
{
	struct limbo limbo = LIMBO_EMPTY;

	merged_fill(&limbo, 3);
	claim(limbo.head == FRAMES_MAX || !flushed_domain[0], "not before");
	limbo_free(&limbo, 0);
	claim(limbo.head == FRAMES_MAX, "limbo is empty");
}

/* Tables in limbo become free. */
void op_limbo(void);
void op_limbo(void)
{
	part();
	merged_limbo();
	spec_view_after(-ENOMEM, NO_VIEW, ANY_GFN);
}

/* No view is remapped to the page at gfn. */
static bool spec_unremapped(uint64_t gfn)
{
	bool r = true;
	uint32_t m;

	for (m = TABLES; m < FRAMES_MAX; m++) {
		r &= !(spec_is_page(frames[m].type) & (frames[m].owner == 0) & (frames[m].where == gfn)) |
		     (frames[m].prev == 0);
	}
	return r;
}

static int merged_remove(uint32_t domain, uint64_t gfn)
{
	return nuc_memory_remove(domain, gfn_of(gfn));
}

void op_memory_remove(void);
void op_memory_remove(void)
{
	uint32_t domain = spec_a_domain(), base = 0;
	uint64_t gfn = any(4);
	int error;

	assume(spec_unremapped(gfn));
	pick_gfn(domain, &base, &gfn);
	part();
	error = merged_remove(domain, gfn);
	spec_after();
	spec_nothing_unless(error == 0);
	spec_base_kept(spec_gfn(gfn));
	spec_sets_kept(NO_VIEW, ANY_GFN);
	spec_led(error != 0, gfn, FRAMES_MAX);
}

/* The gfns of the leaf that begins at gfn. */
static uint32_t pick_leaf(uint64_t gfn)
{
	uint32_t l = LEVEL_ROOT, r = 0, g;

	while (l-- > 0 && !pick(has_leaf[0][l][gfn >> l])) {
	}
	assume((l < LEVEL_ROOT) && gfn % SPAN(l) == 0);
	for (g = 0; g < GFNS; g++) {
		r |= g >> l == gfn >> l ? 1u << g : 0;
	}
	return r;
}

/* None of the pages at these gfns is shared or pinned, or shown by a remap. */
static bool spec_loose(uint32_t gfns)
{
	bool r = true;
	uint32_t g, m;

	for (g = 0; g < GFNS; g++) {
		for (m = TABLES; m < FRAMES_MAX; m++) {
			r &= !(gfns >> g & 1) | (page_at[0][g] != m) |
			     ((frames[m].type == FRAME_GUEST) & (frames[m].count == 0) & (frames[m].prev == 0));
		}
	}
	return r;
}

static void merged_take(uint64_t gfn)
{
	struct limbo limbo = LIMBO_EMPTY;

	range_take(&nuc_domains[0].stage2, gfn, gfn + 1, &limbo);
	limbo_free(&limbo, 0);
}

/* A whole leaf goes, as those do that had come before memory ended. */
void op_memory_take(void);
void op_memory_take(void)
{
	uint64_t gfn = any(3);
	uint32_t base = 0, leaf, g;

	assume(pick_gfn(0, &base, &gfn) && pick(page_at[0][gfn] != FRAMES_MAX));
	leaf = pick_leaf(gfn);
	assume(spec_loose(leaf));
	part();
	merged_take(gfn);
	spec_after();
	spec_sets_kept(NO_VIEW, ANY_GFN);
	spec_base_kept(leaf);
	for (g = 0; g < GFNS; g++) {
		claim(!(leaf >> g & 1) | !leads[0][0][g].present, "the leaf is gone");
	}
}

/* What the base has on the way to gfn, and if that is nothing, how many pages are asked for. */
static void pick_hole(uint32_t domain, uint64_t *gfn, uint64_t *count)
{
	uint32_t base = 0;

	if (pick_gfn(domain, &base, gfn) && pick(page_at[0][*gfn] == FRAMES_MAX) && pick(*gfn + *count <= GFNS)) {
		*count = pick(*count);
	}
}

static int merged_add(uint32_t domain, uint64_t gfn, uint64_t count)
{
	return nuc_memory_add(domain, gfn_of(gfn), count);
}

/* Up to two pages: if there is no memory for the second, the first is taken out again. */
void op_memory_add(void);
void op_memory_add(void)
{
	uint32_t domain = spec_a_domain();
	uint64_t count = any(4), gfn = any(4);
	int error;

	assume((count <= 2) | (gfn + count > GFNS));
	pick_hole(domain, &gfn, &count);
	part();
	error = merged_add(domain, gfn, count);
	spec_after();
	spec_sets_kept(NO_VIEW, ANY_GFN);
	spec_added(error == 0, gfn, count);
}

static int merged_add_run(uint64_t gfn, uint64_t count, uint64_t *added)
{
	return memory_add_run(&nuc_domains[0].stage2, gfn, count, added);
}

/* One run, of which nuc_memory_add puts any number of pages together. */
void op_memory_add_run(void);
void op_memory_add_run(void)
{
	uint64_t count = any(4), gfn = any(4), added = 0;
	uint32_t base = 0, g;
	int error;

	assume((count > 0) & (gfn + count <= GFNS));
	for (g = 0; g < GFNS; g++) {
		assume((g < gfn) | (g >= gfn + count) | (page_at[0][g] == FRAMES_MAX));
	}
	if (!pick_gfn(0, &base, &gfn)) {
		assume(false);
	}
	part();
	error = merged_add_run(gfn, count, &added);
	spec_after();
	spec_nothing_unless(error == 0);
	spec_sets_kept(NO_VIEW, ANY_GFN);
	spec_added(error == 0, gfn, added);
	claim((error != 0) | ((added > 0) & (added <= count)), "something is added, and no more than asked for");
}

/* The frame that is to be the first slot's page is a free one, unless it is that already. */
static bool spec_share_free(void)
{
	uint32_t m = share_name(0, 0);
	bool is = frames[m].type == FRAME_NUCLEUS;

	if (is) {
		frames[m].type = FRAME_FREE;
		frame_free_count = (frame_free_count + 1) & 127;
	}
	return is;
}

static bool merged_share_page(uint32_t domain, uint32_t slot)
{
	return nuc_share_page(domain, slot) != NULL;
}

void op_share_page(void);
void op_share_page(void)
{
	uint32_t domain = spec_a_domain(), slot = any(1) ? 0 : SHARE_SLOTS;
	bool page, none;

	part();
	none = spec_share_free();
	spec_remember();
	share_given = share_name(0, 0);
	page = merged_share_page(domain, slot);
	spec_view_after(page & none ? 0 : -ENOMEM, NO_VIEW, ANY_GFN);
	spec_base_kept(0);
	claim(!page | (nuc_domains[0].share_page[0] != NULL), "it is there");
}

static int merged_share(uint32_t domain, uint32_t slot, uint64_t gfn)
{
	return nuc_share_map(domain, slot, gfn_of(gfn));
}

/*
 * The first slot's page, the others being like it, once there is room for it and no view is remapped to
 * it, nor to what is at gfn: op_split and op_remap_drop are how it comes to that.
 */
void op_share_map(void);
void op_share_map(void)
{
	uint32_t domain = spec_a_domain(), slot = any(1) ? 0 : SHARE_SLOTS, base = 0;
	uint64_t gfn = any(4), earlier = nuc_domains[0].share_gfn[0];
	int error;

	assume(spec_unremapped(gfn) & (frames[share_name(0, 0)].prev == 0));
	if (pick(slot == 0)) {
		pick_gfn(domain, &base, &gfn);
	}
	part();
	error = merged_share(domain, slot, gfn);
	spec_after();
	spec_nothing_unless(error == 0);
	spec_sets_kept(NO_VIEW, ANY_GFN);
	spec_base_kept(spec_gfn(gfn) | spec_gfn(earlier));
	spec_led(error != 0, gfn, nuc_domains[0].share_mfn[0]);
}

static int merged_pin(uint32_t domain, uint64_t gfn, bool back)
{
	mfn_t mfn;
	int error = memory_pin(domain, gfn_of(gfn), &mfn);

	if (!error && back) {
		memory_unpin(mfn);
	}
	return error;
}

/* A page is pinned, and perhaps not any more. */
void op_pin(void);
void op_pin(void)
{
	uint32_t domain = spec_a_domain();
	uint64_t gfn = any(4);
	bool back = any(1);
	int error;

	part();
	error = merged_pin(domain, gfn, back);
	spec_view_after((error != 0) | back ? -EINVAL : 0, NO_VIEW, ANY_GFN);
}

/* ---- domains ------------------------------------------------------------------------------ */

static int merged_domain_create(uint32_t domain, uint32_t budget)
{
	return nuc_domain_create(domain, budget);
}

void op_domain_create(void);
void op_domain_create(void)
{
	uint32_t domain = spec_a_domain(), g;
	int error;

	part();
	error = merged_domain_create(domain, (uint32_t)any(3));
	spec_after();
	spec_nothing_unless(error == 0);
	claim((error != 0) | spec_live(0), "it is live");
	for (g = 0; g < GFNS; g++) {
		claim((error != 0) | !leads[0][0][g].present, "it has nothing");
	}
}

/*
 * A domain ends in two steps: nothing of it can be reached any more; then what it owned is freed, a
 * frame or a block at a time, in the order of frames.
 */
static void merged_end(void)
{
	domain_end(&nuc_domains[0], 0);
}

/* Pages have something in them. */
static void spec_written(void)
{
	uint32_t m;

	for (m = TABLES; m < FRAMES_MAX; m++) {
		machine[m][0] = spec_is_page(frames[m].type) ? any(8) : 0;
	}
}

void op_domain_end(void);
void op_domain_end(void)
{
	uint32_t k, m;

	assume(pick(spec_live(0)));
	part();
	spec_written();
	spec_remember();
	merged_end();
	spec_sound();
	spec_flushed();
	claim(spec_other_domain(), "the other domain is untouched");
	claim(spec_dying(0) & flushed_domain[0], "it has ended, and no CPU remembers anything");
	for (k = 0; k < VIEWS_MAX; k++) {
		claim(!nuc_views[0][k].live, "it has no view");
	}
	for (m = 0; m < FRAMES_MAX; m++) {
		bool shared = frames_was[m].type == FRAME_SHARED;

		claim(!shared | (frames_was[m].owner != 0) | ((frames[m].type == FRAME_CORE) & (machine[m][0] == 0)),
		      "share pages are the core's, and empty");
		claim((shared & (frames_was[m].owner == 0)) | spec_frame_same(m), "all else is as it was");
	}
}

/* What lies before frame m has been swept. */
static void spec_swept(uint64_t m)
{
	uint32_t t;

	for (t = 0; t < FRAMES_MAX; t++) {
		if ((t < m) & (frames[t].owner == 0) & (frames[t].type > FRAME_FREE)) {
			frames[t] = (struct frame){ .type = FRAME_FREE, .owner = DOMAIN_NONE, .link = RUN,
						    .where = WHERE_NONE, .next = FRAMES_MAX };
			machine[t][0] = machine[t][1] = 0;
			frame_free_count = (frame_free_count + 1) & 127;
		}
	}
}

static uint64_t merged_sweep(uint64_t m, uint64_t *budget)
{
	return sweep_at(m, 0, budget);
}

void op_domain_sweep(void);
void op_domain_sweep(void)
{
	uint64_t m = any(7), budget = any(3), next, before;
	uint32_t t;

	assume((m < FRAMES_MAX) & (budget > 0) & spec_live(0));
	m = pick(m);
	part();
	spec_written();
	merged_end();
	spec_swept(m);
	spec_remember();
	before = frame_free_count + budget;
	next = merged_sweep(m, &budget);
	spec_sound();
	claim(spec_other_domain(), "the other domain is untouched");
	claim((next > m) & (next <= FRAMES_MAX), "it goes on");
	claim(frame_free_count + budget == before, "what is freed is paid for");
	for (t = 0; t < FRAMES_MAX; t++) {
		bool mine = (frames_was[t].owner == 0) & (frames_was[t].type > FRAME_FREE);

		claim((t >= next) | (frames[t].owner != 0) | (frames[t].type <= FRAME_FREE), "what it has passed is free");
		claim((mine & (t >= m) & (t < next)) | spec_frame_same(t), "all else is as it was");
		claim(!mine | (frames[t].type != FRAME_FREE) | (machine[t][0] == 0), "what is freed is empty");
	}
}
