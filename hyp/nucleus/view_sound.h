/* SPDX-License-Identifier: Apache-2.0 */
/*
 * For view_induct.c: what a sound state is, how a state is compared with the one
 * before, and what frames are called in it. Written to be put together (merged), not
 * to be gone through: everything named spec_ ends without knowing anything.
 */
#pragma once

#define GFNS 8u
#define SPAN(level) (1u << (level))

/* A count of what there are at most 31 of: so its upper bits are known to be 0. */
static uint32_t spec_more(uint32_t n, bool one)
{
	return (n + one) & 31;
}

/* ---- names of frames ---------------------------------------------------------- */

/*
 * What a frame is called means nothing to the engine, but for the alignment of
 * superpages and whether pages lie in a row. So in the state before, tables and pages
 * are called after what they are: no state is lost by that.
 *
 *   tables    one for each domain, view, level and place, there or not
 *   spares    free; the allocator gives these, in order, or none
 *   pages     three for each domain and gfn, of which one at most is there: one that
 *             lies in a row with its neighbours; one that doesn't; and one that does
 *             with its neighbour of the same pair, but not as a pair with the next
 *   spare pages, and two share pages for each domain
 */
#define SPARES 8u
#define FIRST_SPARE (DOMAINS_MAX * VIEWS_MAX * 8u)
#define TABLES (FIRST_SPARE + SPARES)
#define FIRST_PAGE TABLES
#define ROWS 3u
#define SPARE_PAGE (FIRST_PAGE + DOMAINS_MAX * ROWS * 8u)
#define FIRST_SHARE (SPARE_PAGE + 8u)
#define SHARES 2u
_Static_assert(FIRST_SHARE + DOMAINS_MAX * SHARES == FRAMES_MAX, "all frames have a name");

#define PLACES(level) ((level) == 3 ? 1u : 4u >> (level))
/* Entries of a table of this level that gfns lead to. */
#define ENTRIES(level) ((level) == LEVEL_ROOT ? 1u : RUN)

static uint32_t table_name(uint32_t d, uint32_t k, uint32_t level, uint32_t where)
{
	return (d * VIEWS_MAX + k) * 8 + (level == 0 ? where : level == 1 ? 4 + where : level == 2 ? 6 : 7);
}

static uint32_t page_name(uint32_t d, uint32_t row, uint32_t gfn)
{
	return FIRST_PAGE + (d * ROWS + row) * 8 + (gfn ^ row);
}

static uint32_t share_name(uint32_t d, uint32_t slot)
{
	return FIRST_SHARE + d * SHARES + slot;
}

/* What the machine was asked to drop. */
static bool flushed_domain[DOMAINS_MAX], flushed_view[DOMAINS_MAX][VIEWS_MAX];

/* ---- looking -------------------------------------------------------------------------- */

/* How it is now, computed from frames and machine by spec_look. */
static uint32_t table_of[DOMAINS_MAX][VIEWS_MAX][LEVELS][4];    /* or FRAMES_MAX */
static bool tables_named;                                       /* every table is one of those */
static uint64_t base_of[DOMAINS_MAX][LEVELS][GFNS];     /* the base's entry, or what it has there, by slot */
static uint64_t page_of[DOMAINS_MAX][VIEWS_MAX][GFNS];  /* a view's own level-0 entry, or 0 */
static struct translation leads[DOMAINS_MAX][VIEWS_MAX][GFNS];

/* How it was before. */
static uint64_t page_was[DOMAINS_MAX][VIEWS_MAX][GFNS], base_was[DOMAINS_MAX][GFNS];
static struct translation led[DOMAINS_MAX][VIEWS_MAX][GFNS];
static struct frame frames_was[FRAMES_MAX];
static uint64_t machine_was[FRAMES_MAX][PAGE_WORDS];
static struct view views_was[DOMAINS_MAX][VIEWS_MAX];
static struct stage2 stage2_was[DOMAINS_MAX];
static uint64_t free_was;

/* Of the state before, op_nothing has shown it: that is said again of each part. */
static bool spec_again;

static void spec_claim(bool so, const char *what)
{
	if (spec_again) {
		shown(so);
	} else {
		claim(so, what);
	}
}

static bool spec_live(uint32_t d)
{
	return nuc_domains[d].state == NUC_DOMAIN_LIVE;
}

/* It has ended, and not all that was its own is free yet: of that nothing is said but whose it is. */
static bool spec_dying(uint32_t d)
{
	return nuc_domains[d].state == NUC_DOMAIN_DYING;
}

/* Of a frame of this type a domain sees what is in it. */
static bool spec_is_page(uint32_t type)
{
	return (type == FRAME_GUEST) | (type == FRAME_SHARED);
}

static bool spec_view_live(uint32_t d, uint32_t k)
{
	return spec_live(d) & (nuc_views[d][k].live != 0);
}

/* Table t is the one of domain d's view k at this level and place. */
static bool spec_is(uint32_t t, uint32_t d, uint32_t k, uint32_t level, uint64_t where)
{
	return (frames[t].type == FRAME_TABLE) & (frames[t].owner == d) & (frames[t].view == k) &
	       (frames[t].level == level) & (frames[t].where == where);
}

/*
 * Word i of the table that an entry leads to, at level l and place w of a view or of
 * the base. Something that is no entry if it leads to another: no need to look where.
 */
static uint64_t spec_word(uint64_t mfn, uint32_t d, uint32_t k, uint32_t l, uint32_t w, uint32_t i)
{
	uint32_t own = table_of[d][k][l][w], base = table_of[d][0][l][w];

	return mfn == FRAMES_MAX ? 0 : mfn == base ? machine[base][i] : mfn == own ? machine[own][i] : 0;
}

/* What lies in the base at slot s of level l, below this entry of level l + 1. */
static uint64_t spec_below(uint64_t e, uint32_t d, uint32_t l, uint32_t s)
{
	enum entry_kind kind = entry_kind(e, l + 1);

	if (kind == ENTRY_TABLE) {
		return spec_word(entry_mfn(e, l + 1), d, 0, l, s >> 1, s & 1);
	}
	return kind == ENTRY_LEAF ? entry_piece(e, (s & 1) * SPAN(l), l + 1) : entry_empty(l);
}

/* As hardware walks it. */
static struct translation spec_walk(uint32_t d, uint32_t k, uint64_t root, uint32_t gfn)
{
	uint64_t e = spec_word(root, d, k, LEVEL_ROOT, 0, 0);
	uint32_t rights = ACCESS_RWX, l;

	for (l = LEVEL_ROOT; l > 0 && entry_kind(e, l) == ENTRY_TABLE; l--) {
		rights &= entry_access(e, l);
		e = spec_word(entry_mfn(e, l), d, k, l - 1, gfn >> l, gfn >> (l - 1) & 1);
	}
	if (entry_kind(e, l) == ENTRY_LEAF) {
		return (struct translation){ true, (uint8_t)l, (uint8_t)(entry_access(e, l) & rights),
					     (uint8_t)(rights ? entry_suppress(e, l) : 1),
					     (uint8_t)(rights == ACCESS_RWX ? entry_turns(e, l) : 0),
					     entry_mfn(e, l) + (gfn & (SPAN(l) - 1)) };
	}
	return (struct translation){ .present = false };
}

/* What a view shows where nothing is set, from the base's entry for the page. */
static struct translation spec_shown(const struct view *v, uint64_t base)
{
	struct translation r = { .present = false };

	if ((entry_kind(base, 0) == ENTRY_LEAF) & !(v->flags & VIEW_EMPTY)) {
		r.present = true;
		r.mfn = entry_mfn(base, 0);
		r.access = (uint8_t)(entry_access(base, 0) & v->access);
		r.suppress = (uint8_t)(v->access ? entry_suppress(base, 0) : 1);
		r.turns = (uint8_t)(v->access == ACCESS_RWX ? entry_turns(base, 0) : 0);
	}
	return r;
}

static bool spec_any_set(uint64_t own)
{
	return (own != 0) & ((entry_own(own) != 0) | (entry_step(own) != 0));
}

static bool spec_remap(uint64_t own)
{
	return (own != 0) & ((entry_own(own) & OWN_TARGET) != 0);
}

/* What is set by an entry of a view's own, if it has one. */
static uint32_t spec_own(uint64_t own)
{
	return own ? entry_own(own) : 0;
}

static uint32_t spec_step(uint64_t own)
{
	return own ? entry_step(own) : 0;
}

static uint32_t spec_access(uint64_t own)
{
	return entry_kind(own, 0) == ENTRY_LEAF ? entry_access(own, 0) : entry_kept_access(own);
}

/* What a view must show over the base's entry for the page and what is set, in the documentation's words. */
static struct translation spec_meant(const struct view *v, uint64_t base, uint64_t own)
{
	struct translation r = spec_shown(v, base);
	uint32_t what = spec_any_set(own) ? entry_own(own) : 0;

	if ((what & OWN_TARGET) != 0) {
		/* A page shows that the base has none of, or that is hidden: with the view's default. */
		r.access = r.present ? r.access : v->access;
		r.suppress = r.present ? r.suppress : 1;
		r.present = true;
		r.mfn = entry_mfn(own, 0);
	}
	if ((what & OWN_ACCESS) != 0) {
		if (!r.present & (entry_kind(base, 0) == ENTRY_LEAF)) {
			/* An empty view shows what it has been given access to. */
			r.present = true;
			r.mfn = entry_mfn(base, 0);
			r.suppress = 1;
		}
		r.access = (uint8_t)spec_access(own);
		r.turns = (uint8_t)entry_turns(own, 0);
	}
	if ((what & OWN_SUPPRESS) != 0) {
		r.suppress = (uint8_t)entry_suppress(own, 0);
	}
	return r;
}

/* Where nothing is present, nothing else is told. */
static bool spec_same_translation(struct translation a, struct translation b)
{
	return (a.present == b.present) &
	       (!a.present | ((a.mfn == b.mfn) & (a.access == b.access) & (a.suppress == b.suppress) &
			      (a.turns == b.turns)));
}

/*
 * Whether there may be frames in limbo: tables that have no place any more and are not free yet. Within
 * an operation there may, after one there may not.
 */
static bool spec_limbo;

static bool spec_in_limbo(uint32_t t)
{
	return spec_limbo & (frames[t].type == FRAME_TABLE) & (frames[t].where == WHERE_NONE);
}

/* Finds the tables, of which there may be one at most in each place. */
static void spec_find(void)
{
	uint32_t d, k, l, w, t, n;

	tables_named = true;
	for (d = 0; d < DOMAINS_MAX; d++) {
		for (k = 0; k < VIEWS_MAX; k++) {
			for (l = 0; l < LEVELS; l++) {
				for (w = 0; w < PLACES(l); w++) {
					uint32_t name = table_name(d, k, l, w), at = FRAMES_MAX;

					at = spec_is(name, d, k, l, w) ? name : at;
					for (t = FIRST_SPARE; t < TABLES; t++) {
						bool is = ask(spec_is(t, d, k, l, w));

						tables_named &= !is | (at == FRAMES_MAX);
						at = is ? t : at;
					}
					table_of[d][k][l][w] = at;
					tables_named &= (frames[name].type != FRAME_TABLE) | (at == name) | spec_in_limbo(name);
				}
			}
		}
	}
	for (t = FIRST_SPARE; t < TABLES; t++) {
		bool found = (frames[t].type != FRAME_TABLE) | spec_in_limbo(t);

		for (d = 0; d < DOMAINS_MAX; d++) {
			for (k = 0; k < VIEWS_MAX; k++) {
				for (l = 0; l < LEVELS; l++) {
					for (w = 0; w < PLACES(l); w++) {
						found |= table_of[d][k][l][w] == t;
					}
				}
			}
		}
		tables_named &= found;
	}
	for (n = TABLES; n < FRAMES_MAX; n++) {
		tables_named &= frames[n].type != FRAME_TABLE;
	}
}

static void spec_look(void)
{
	uint32_t d, k, l, g;

	spec_find();
	for (d = 0; d < DOMAINS_MAX; d++) {
		const struct stage2 *s = &nuc_domains[d].stage2;

		base_of[d][3][0] = spec_word(s->root, d, 0, LEVEL_ROOT, 0, 0);
		for (l = LEVEL_ROOT; l-- > 0;) {
			for (g = 0; g < 8u >> l; g++) {
				base_of[d][l][g] = spec_below(base_of[d][l + 1][g >> 1], d, l, g);
			}
		}
		for (k = 0; k < VIEWS_MAX; k++) {
			for (g = 0; g < GFNS; g++) {
				const struct view *v = &nuc_views[d][k];
				uint32_t t = table_of[d][k][0][g >> 1];

				page_of[d][k][g] = k && t != FRAMES_MAX ? machine[t][g & 1] : 0;
				leads[d][k][g] = k == 0 ? spec_walk(d, 0, s->root, g) :
						 v->root == FRAMES_MAX ? spec_shown(v, base_of[d][0][g]) :
									 spec_walk(d, k, v->root, g);
			}
		}
	}
}

/* ---- what a sound state is --------------------------------------------------------------- */

/* Rule 1, of a leaf of the base: whose frames, and where. */
static bool spec_leaf(uint64_t e, uint32_t level, uint32_t d, uint32_t slot)
{
	uint64_t f = entry_mfn(e, level), i;
	bool r = (f >= TABLES) & (f < FRAMES_MAX) & ((f & (SPAN(level) - 1)) == 0) &
		 access_valid(entry_access(e, level)) & (level < LEVEL_ROOT) &
		 (e == entry_moved(e, level, f, level));

	for (i = 0; i < SPAN(level); i++) {
		r &= (frames[f + i].type == FRAME_GUEST) | ((frames[f + i].type == FRAME_SHARED) & (level == 0));
		r &= (frames[f + i].owner == d) & (frames[f + i].where == slot * SPAN(level) + i);
	}
	return r;
}

/* One table of the base. */
static bool spec_base_table(uint32_t d, uint32_t l, uint32_t w)
{
	uint32_t t = table_of[d][0][l][w], used = 0, i;
	bool r = l < LEVEL_ROOT || t == nuc_domains[d].stage2.root;

	for (i = 0; i < ENTRIES(l); i++) {
		uint64_t e = machine[t][i];
		uint32_t slot = w * RUN + i, c = l ? table_of[d][0][l - 1][slot] : FRAMES_MAX;
		enum entry_kind kind = entry_kind(e, l);

		/* A table below is there if and only if this leads to it. */
		r &= (kind == ENTRY_TABLE) == (c != FRAMES_MAX);
		r &= (kind == ENTRY_EMPTY) | ((kind == ENTRY_TABLE) & (e == entry_table(c, l))) |
		     ((kind == ENTRY_LEAF) && spec_leaf(e, l, d, slot));
		used = spec_more(used, kind != ENTRY_EMPTY);
		r &= (l == LEVEL_ROOT) | (i < frames[t].link) | (e == entry_empty(l));
	}
	r &= (l < LEVEL_ROOT) | (machine[t][1] == 0);
	r &= (frames[t].count == used) & ((l == LEVEL_ROOT) | (used > 0)) & (frames[t].link <= RUN) &
	     (frames[t].dirty != 0);
	return r;
}

/*
 * What is counted. Of a state that comes after another it is what was counted then, and what has
 * come and gone since, one by one, as the engine counts: that says the same, and what has stayed is
 * not added up again. Of a state without one before, it is the sum.
 */
static bool spec_first;

static uint32_t spec_counted(uint32_t n, bool was, bool is)
{
	if (spec_first) {
		return spec_more(n, is);
	}
	return was & !is ? n - 1 : is & !was ? n + 1 : n;
}

/* What to begin with, if so many were counted before. */
static uint32_t spec_count(uint32_t was)
{
	return spec_first ? 0 : was;
}

/* Frame f is a page of domain d. */
static bool spec_target(uint64_t f, uint32_t d)
{
	bool r = false;
	uint32_t m;

	for (m = TABLES; m < FRAMES_MAX; m++) {
		r |= (f == m) & spec_is_page(frames[m].type) & (frames[m].owner == d) & (frames[m].where < GFNS);
	}
	return r;
}

/* One private table, if it is there: each entry is what base, default and what is set make it. */
static void spec_view_table(uint32_t d, uint32_t k, uint32_t l, uint32_t w, bool is)
{
	const struct view *v = &nuc_views[d][k];
	uint32_t t = table_of[d][k][l][w], own = 0, i;
	bool r;

	for (i = 0; i < ENTRIES(l); i++) {
		uint64_t e = machine[t][i], base = base_of[d][l][w * RUN + i];
		uint32_t c = l ? table_of[d][k][l - 1][w * RUN + i] : FRAMES_MAX;

		r = (l == LEVEL_ROOT) | (i < frames[t].link) | (e == entry_empty(l));
		if (l == 0) {
			struct intent in = intent_of(e);
			bool remap = (in.own & OWN_TARGET) != 0;

			r &= (entry_kind(e, 0) != ENTRY_BAD) & (e == own_entry(v, base, in));
			r &= !remap | spec_target(in.target, d);
			r &= !(in.own & OWN_ACCESS) | access_valid(in.access);
			own = spec_more(own, spec_any_set(e));
		} else {
			r &= e == (c != FRAMES_MAX ? entry_private(c, l) : shared_entry(v, base, l));
			own = spec_more(own, c != FRAMES_MAX);
		}
		spec_claim(!is || r, "a view's entries are what base, default and what is set make them");
	}
	r = l < LEVEL_ROOT || t == v->root;
	r &= (l < LEVEL_ROOT) | (machine[t][1] == 0);
	r &= (l > 0) | (frames[t].link == RUN);
	r &= (frames[t].count == own) & ((l == LEVEL_ROOT) | (own > 0)) & (frames[t].link <= RUN) &
	     (frames[t].dirty != 0);
	spec_claim(!is || r, "a view's table counts what is its own, and ends where it says");
}

/* The copies of a base table are on its chain; where the base has none, they are on no chain. */
static bool spec_chain(uint32_t d, uint32_t l, uint32_t w)
{
	uint32_t b = table_of[d][0][l][w], x = table_of[d][1][l][w], y = table_of[d][2][l][w], n = FRAMES_MAX;
	bool r = true;

	if (b == n) {
		r &= (x == n) || ((frames[x].next == n) & (frames[x].prev == n));
		r &= (y == n) || ((frames[y].next == n) & (frames[y].prev == n));
	} else if ((x == n) & (y == n)) {
		r &= (frames[b].next == n) & (frames[b].prev == n);
	} else if ((x == n) | (y == n)) {
		x = x == n ? y : x;
		r &= (frames[b].next == x) & (frames[b].prev == n) & (frames[x].next == n) & (frames[x].prev == b);
	} else {
		uint32_t first = frames[b].next == x ? x : y, second = frames[b].next == x ? y : x;

		r &= (frames[b].next == first) & (frames[b].prev == n) & (frames[first].next == second) &
		     (frames[first].prev == b) & (frames[second].next == n) & (frames[second].prev == first);
	}
	return r;
}

/* What is live, its roots, and what it counts. */
static void spec_domain(uint32_t d)
{
	const struct stage2 *s = &nuc_domains[d].stage2, *o = &stage2_was[d];
	uint32_t tables = spec_count(o->tables_used), view_tables = spec_count(o->view_tables);
	uint32_t live = spec_count(o->views_live), end = 1, k, l, w, g;
	bool r;

	for (k = 0; k < VIEWS_MAX; k++) {
		const struct view *v = &nuc_views[d][k], *b = &views_was[d][k];
		/* A view that was not there had counted nothing. */
		uint32_t own = spec_count(b->live ? b->own : 0), remaps = spec_count(b->live ? b->remaps : 0);
		uint32_t mine = spec_count(b->live ? b->tables : 0);
		bool recent = v->recent == FRAMES_MAX, some = false;

		for (l = 0; l < LEVELS; l++) {
			for (w = 0; w < PLACES(l); w++) {
				bool was = frames_was[table_name(d, k, l, w)].type == FRAME_TABLE;
				bool is = table_of[d][k][l][w] != FRAMES_MAX;

				mine = spec_counted(mine, was, is);
				tables = spec_counted(tables, was, is);
				view_tables = k ? spec_counted(view_tables, was, is) : view_tables;
				some |= is;
				recent |= (l == 0) & (k > 0) & (v->recent == table_of[d][k][l][w]);
			}
		}
		for (g = 0; g < GFNS; g++) {
			uint64_t was = page_was[d][k][g], is = page_of[d][k][g];

			own = spec_counted(own, spec_any_set(was), spec_any_set(is));
			remaps = spec_counted(remaps, spec_remap(was), spec_remap(is));
		}
		r = v->live <= spec_live(d);
		if (spec_view_live(d, k)) {
			r &= access_valid(v->access) & recent;
			r &= v->root == (k ? table_of[d][k][LEVEL_ROOT][0] : FRAMES_MAX);
			r &= !k | (v->flags <= VIEW_EMPTY);
		} else {
			r &= !some;
		}
		spec_claim(r, "what a view says of itself is so");
		if (k) {
			r = (v->tables == mine) & (v->own == own) & (v->remaps == remaps);
			spec_claim(!spec_view_live(d, k) || r, "a view counts its tables, settings and remaps");
		}
		live = k ? spec_counted(live, b->live, v->live) : live;
		end = k && v->live ? k + 1 : end;
	}
	r = nuc_views[d][0].live & (nuc_views[d][0].flags == 0);
	r &= (s->root == table_of[d][0][LEVEL_ROOT][0]) & (s->domain == d) & (s->root_entries == 1) &
	     (s->gfn_limit == GFNS);
	r &= (s->tables_used <= s->table_budget) & (s->views_end >= end) & (s->views_end <= VIEWS_MAX) &
	     ((s->views_live != 0) | (s->views_end == 1));
	spec_claim(!spec_live(d) || r, "what a domain says of itself is so");
	r = (s->tables_used == tables) & (s->view_tables == view_tables) & (s->views_live == live);
	spec_claim(!spec_live(d) || r, "a domain counts its tables and views");
}

/* Tables of a domain, and that private ones hang together. */
static void spec_tables(uint32_t d)
{
	uint32_t k, l, w;

	for (l = 0; l < LEVELS; l++) {
		for (w = 0; w < PLACES(l); w++) {
			for (k = 0; k < VIEWS_MAX; k++) {
				bool is = table_of[d][k][l][w] != FRAMES_MAX;

				spec_claim(!is || l == LEVEL_ROOT || table_of[d][k][l + 1][w >> 1] != FRAMES_MAX,
				      "a table has one above it");
				if (k) {
					spec_view_table(d, k, l, w, is);
				} else {
					spec_claim(!is || spec_base_table(d, l, w),
					      "rule 1: the base's entries lead where they must");
				}
			}
			spec_claim(spec_chain(d, l, w), "every copy of a table is on its chain");
		}
	}
}

/* Free frames that were tables: what they say of their ends is so. */
static bool spec_spares(void)
{
	uint32_t t, i, come = 0, gone = 0;
	bool r = true;

	for (t = 0; t < TABLES; t++) {
		bool limbo = spec_in_limbo(t);
		uint32_t level = frames[t].level, end = limbo ? frames[t].link : RUN - frames[t].count;

		if ((frames[t].type == FRAME_FREE) | limbo) {
			r &= limbo | ((frames[t].count <= RUN) & (frames[t].owner == DOMAIN_NONE));
			r &= !limbo | (frames[t].link <= RUN);
			r &= level <= LEVEL_ROOT;
			for (i = 0; i < RUN; i++) {
				r &= (level == LEVEL_ROOT) | (i < end) | (machine[t][i] == entry_empty(level));
				r &= (frames[t].dirty != 0) | (machine[t][i] == 0);
			}
		}
	}
	/* Of those that count, only what comes and goes: so that it is easy to see. */
	for (t = 0; t < FRAMES_MAX; t++) {
		bool was = frames_was[t].type == FRAME_FREE, is = frames[t].type == FRAME_FREE;

		come = spec_more(come, is & !was);
		gone = spec_more(gone, was & !is);
	}
	return r & (frame_count == FRAMES_MAX) & (((frame_free_count + gone - free_was - come) & 127) == 0);
}

/* Pages: each mapped in the base where it says, and its remaps counted. */
static void spec_pages(void)
{
	uint32_t m, d, k, g;

	for (m = TABLES; m < FRAMES_MAX; m++) {
		uint32_t remaps = spec_count(spec_is_page(frames_was[m].type) ? frames_was[m].prev : 0);
		uint32_t type = frames[m].type;
		bool page = spec_is_page(type), mine = page, mapped = false, r = true;

		for (d = 0; d < DOMAINS_MAX; d++) {
			mine &= !((frames[m].owner == d) & spec_dying(d));
			for (g = 0; g < GFNS; g++) {
				mapped |= (frames[m].owner == d) & (frames[m].where == g) && spec_live(d) &&
					  entry_kind(base_of[d][0][g], 0) == ENTRY_LEAF &&
					  entry_mfn(base_of[d][0][g], 0) == m;
				/* The words of a domain's views lead to no page of another: see spec_view_table. */
				for (k = 1; k < VIEWS_MAX; k++) {
					uint64_t a = page_was[d][k][g], e = page_of[d][k][g];

					remaps = spec_counted(remaps, spec_remap(a) & (entry_mfn(a, 0) == m),
							      spec_remap(e) & (entry_mfn(e, 0) == m));
				}
			}
		}
		r &= (type == FRAME_FREE) | (type == FRAME_NUCLEUS) | (type == FRAME_CORE) | page;
		r &= !mine | mapped;
		r &= (type != FRAME_SHARED) | (frames[m].count == 0);
		r &= (type != FRAME_CORE) | ((frames[m].where == WHERE_NONE) & (frames[m].prev == 0));
		spec_claim(r, "a page is mapped where it says");
		spec_claim(!mine | (frames[m].prev == remaps), "a page counts its remaps");
	}
}

/* Share pages: the core's while they have no place, shared where they have. */
static bool spec_shares(void)
{
	bool r = true;
	uint32_t d, m, n;

	for (m = TABLES; m < FIRST_SHARE; m++) {
		r &= (frames[m].type != FRAME_SHARED) & (frames[m].type != FRAME_CORE);
	}
	for (d = 0; d < DOMAINS_MAX; d++) {
		for (n = 0; n < SHARES; n++) {
			const struct nuc_domain *o = &nuc_domains[d];
			const struct frame *f = &frames[share_name(d, n)];

			r &= o->share_page[n] ? (o->share_mfn[n] == share_name(d, n)) &
							((f->type == FRAME_CORE) | (f->type == FRAME_SHARED)) :
						(f->type != FRAME_CORE) & (f->type != FRAME_SHARED);
			r &= o->share_gfn[n] == (f->type == FRAME_SHARED ? f->where : WHERE_NONE);
			r &= (f->type != FRAME_SHARED) | (f->owner == d);
		}
	}
	return r;
}

/* Views show what documentation says. */
static void spec_views(void)
{
	uint32_t d, k, g;

	for (d = 0; d < DOMAINS_MAX; d++) {
		for (k = 1; k < VIEWS_MAX; k++) {
			for (g = 0; g < GFNS; g++) {
				spec_claim(!spec_view_live(d, k) ||
					      spec_same_translation(leads[d][k][g],
								    spec_meant(&nuc_views[d][k], base_of[d][0][g],
									       page_of[d][k][g])),
				      "a view shows what it should");
			}
		}
	}
}

/* Rule 1 as hardware sees it: wherever a live view leads, it is a page of that domain. */
static void spec_rule_1(void)
{
	uint32_t d, k, g;

	for (d = 0; d < DOMAINS_MAX; d++) {
		for (k = 0; k < VIEWS_MAX; k++) {
			for (g = 0; g < GFNS; g++) {
				struct translation t = leads[d][k][g];

				spec_claim(!(spec_view_live(d, k) & t.present) ||
					      ((t.mfn < FRAMES_MAX) & (frames[t.mfn].owner == d) &
					       spec_is_page(frames[t.mfn].type)),
				      "rule 1: a view leads only to pages of its domain");
			}
		}
	}
}

/* All of it, of the state last looked at. */
static void spec_sound_seen(void)
{
	uint32_t d;

	spec_claim(tables_named, "every table is somebody's, and alone in its place");
	for (d = 0; d < DOMAINS_MAX; d++) {
		if (!spec_dying(d)) {
			spec_domain(d);
			spec_tables(d);
		}
	}
	spec_claim(spec_spares(), "what was a table and is free is empty where it says so");
	spec_pages();
	spec_claim(spec_shares(), "share pages are where they say");
}

static void spec_sound(void)
{
	spec_look();
	spec_sound_seen();
}

/* What follows, whatever state is sound. */
static void spec_follows(void)
{
	spec_rule_1();
	spec_views();
}

/* ---- what is claimed afterwards ------------------------------------------------------ */

/* What entry a has set, b has: but for what `but` names, which it has not. */
static bool spec_kept(uint64_t a, uint64_t b, uint32_t but)
{
	uint32_t own = spec_own(a) & ~but;
	bool r = (own == spec_own(b)) & (spec_step(a) == spec_step(b));

	r &= !(own & OWN_ACCESS) | ((spec_access(a) == spec_access(b)) & (entry_turns(a, 0) == entry_turns(b, 0)));
	r &= !(own & OWN_SUPPRESS) | (entry_suppress(a, 0) == entry_suppress(b, 0));
	r &= !(own & OWN_TARGET) | (entry_mfn(a, 0) == entry_mfn(b, 0));
	return r;
}

/* All that a live view has set at gfn is as it was. */
static bool spec_set_same(uint32_t d, uint32_t k, uint32_t g)
{
	return spec_kept(page_was[d][k][g], page_of[d][k][g], 0);
}

#define NO_VIEW 99u
#define ANY_GFN ((1u << GFNS) - 1)      /* after `view`: at any gfn */

/* The set of this one gfn; of none, if there is no such. */
static uint32_t spec_gfn(uint64_t gfn)
{
	return gfn < GFNS ? 1u << gfn : 0;
}

/* Every view has set what it had: but view `view` of domain 0, at the gfns `but`. */
static void spec_sets_kept(uint32_t view, uint32_t but)
{
	uint32_t d, k, g;

	for (d = 0; d < DOMAINS_MAX; d++) {
		for (k = 1; k < VIEWS_MAX; k++) {
			for (g = 0; g < GFNS; g++) {
				bool meant = (d == 0) & (k == view) & ((but >> g & 1) != 0);

				claim(meant || spec_set_same(d, k, g), "all else that is set stays set");
			}
		}
	}
}

/* The base is as it was, but that of domain 0 at the gfns `but`. */
static void spec_base_kept(uint32_t but)
{
	uint32_t d, g;

	for (d = 0; d < DOMAINS_MAX; d++) {
		for (g = 0; g < GFNS; g++) {
			claim(((d == 0) & ((but >> g & 1) != 0)) || !spec_live(d) || base_was[d][g] == base_of[d][0][g],
			      "the base is as it was");
		}
	}
}

/*
 * Every view translates as before: but view `view` of domain 0 (VIEWS_MAX: all of
 * them), at the gfns `but`.
 */
static void spec_leads_same(uint32_t view, uint32_t but)
{
	uint32_t d, k, g;

	for (d = 0; d < DOMAINS_MAX; d++) {
		for (k = 0; k < VIEWS_MAX; k++) {
			for (g = 0; g < GFNS; g++) {
				bool meant = (d == 0) & ((view == k) | (view == VIEWS_MAX)) &
					     ((but >> g & 1) != 0);

				claim(meant || !spec_view_live(d, k) ||
					      spec_same_translation(led[d][k][g], leads[d][k][g]),
				      "all else translates as before");
			}
		}
	}
}

/* What a CPU may remember is still so, or has been flushed. */
static void spec_flushed(void)
{
	uint32_t d, k, g;

	for (d = 0; d < DOMAINS_MAX; d++) {
		for (k = 0; k < VIEWS_MAX; k++) {
			bool walked = (views_was[d][k].live != 0) & ((k == 0) | (views_was[d][k].root != FRAMES_MAX));

			for (g = 0; g < GFNS; g++) {
				struct translation a = led[d][k][g], b = leads[d][k][g];
				bool lost = a.present & (a.access != 0) &
					    (!b.present | (a.mfn != b.mfn) | ((a.access & ~b.access) != 0) |
					     (a.suppress != b.suppress));

				claim(!(walked & lost) || flushed_domain[d] || flushed_view[d][k],
				      "what CPUs may remember is so, or flushed");
			}
		}
	}
}

/* Frame m holds what it held and is what it was, but for its owner, which the caller looks at. */
static bool spec_frame_same(uint32_t m)
{
	struct frame a = frames_was[m], b = frames[m];

	return (machine_was[m][0] == machine[m][0]) & (machine_was[m][1] == machine[m][1]) & (a.type == b.type) &
	       (a.level == b.level) & (a.view == b.view) & (a.where == b.where) & (a.count == b.count) &
	       (a.next == b.next) & (a.prev == b.prev);
}

/* Domain 1's tables and pages are untouched to the last bit. */
static bool spec_other_domain(void)
{
	bool r = true;
	uint32_t m;

	for (m = 0; m < FRAMES_MAX; m++) {
		struct frame a = frames_was[m], b = frames[m];
		bool was = (a.owner == 1) & (a.type > FRAME_FREE), is = (b.owner == 1) & (b.type > FRAME_FREE);

		r &= was == is;
		r &= !was | spec_frame_same(m);
	}
	return r;
}

/* Unless `so`, nothing has changed: no table, no page, no view; free frames may have come out of use and back. */
static void spec_nothing_unless(bool so)
{
	uint32_t m, d, k;
	bool r;

	for (m = 0; m < FRAMES_MAX; m++) {
		struct frame a = frames_was[m], b = frames[m];

		r = a.type == b.type;
		r &= (a.type == FRAME_FREE) | (spec_frame_same(m) & (a.owner == b.owner) & (a.link == b.link));
		claim(so | r, "what fails changes no frame");
	}
	for (d = 0; d < DOMAINS_MAX; d++) {
		struct stage2 *s = &nuc_domains[d].stage2, *o = &stage2_was[d];

		r = (s->tables_used == o->tables_used) & (s->view_tables == o->view_tables) &
		    (s->views_end == o->views_end) & (s->views_live == o->views_live) & (s->losses == o->losses);
		claim(so | r, "what fails changes no domain");
		for (k = 0; k < VIEWS_MAX; k++) {
			struct view a = views_was[d][k], b = nuc_views[d][k];

			r = (a.root == b.root) & (a.live == b.live) & (a.access == b.access) & (a.flags == b.flags) &
			    (a.tables == b.tables) & (a.own == b.own) & (a.remaps == b.remaps) &
			    (a.generation == b.generation);
			claim(so | r, "what fails changes no view");
		}
	}
}
