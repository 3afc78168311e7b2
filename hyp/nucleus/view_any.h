/* SPDX-License-Identifier: Apache-2.0 */
/* For view_induct.c: makes any sound state, and remembers it as the one before. */
#pragma once

#include "view_sound.h"

/* Where the domain's pages are: by gfn, or FRAMES_MAX. */
static uint64_t page_at[DOMAINS_MAX][GFNS];
/* What the base has at each level and slot, of what there is. */
static bool has_leaf[DOMAINS_MAX][LEVELS][GFNS], has_table[DOMAINS_MAX][LEVELS][GFNS];

static uint64_t spec_any_leaf(uint64_t mfn, uint32_t level)
{
	uint32_t access = (uint32_t)any(3), suppress = (uint32_t)any(1), turns = (uint32_t)any(1);

	assume(access_valid(access));
	return entry_leaf_with(mfn, access, suppress, level) | (turns ? FAKE_TURNS(level) : 0);
}

/* A table that is there if it can be and happens to be, with any place for its end. */
static bool spec_any_table(uint32_t d, uint32_t k, uint32_t l, uint32_t w, bool can)
{
	uint32_t t = table_name(d, k, l, w);
	bool is = can & (bool)any(1);

	frames[t] = (struct frame){ .type = is ? FRAME_TABLE : FRAME_NUCLEUS, .level = (uint8_t)l, .dirty = 1,
				    .owner = (uint16_t)d, .link = (uint16_t)any(2), .view = k, .where = w,
				    .next = FRAMES_MAX, .prev = FRAMES_MAX };
	assume(frames[t].link <= RUN);
	machine[t][1] = 0;
	return is;
}

/* The base of a domain: from the top, so that it is known whether anything leads to a table. */
static void spec_any_base(uint32_t d)
{
	uint32_t l, w, i, g, t;
	bool led[LEVELS][GFNS];
	bool live = spec_live(d);

	for (g = 0; g < GFNS; g++) {
		page_at[d][g] = FRAMES_MAX;
	}
	led[3][0] = live;
	for (l = LEVELS; l-- > 0;) {
		for (w = 0; w < PLACES(l); w++) {
			bool is = spec_any_table(d, 0, l, w, led[l][w]);
			uint32_t used = 0;

			/* Led to means there. */
			assume(is == led[l][w]);
			t = table_name(d, 0, l, w);
			for (i = 0; i < ENTRIES(l); i++) {
				uint32_t slot = w * RUN + i, row = (uint32_t)any(2), share = (uint32_t)any(1);
				bool leaf = (l < LEVEL_ROOT) & (bool)any(1), table = (l > 0) & (bool)any(1) & !leaf;
				uint64_t mfn = l == 2 ? page_name(d, 0, slot * 4) :
					       l == 1 ? (row & 1 ? page_name(d, 2, slot * 2) : page_name(d, 0, slot * 2)) :
					       row == 3 ? share_name(d, share) : page_name(d, 0, slot);

				mfn = l == 0 && row == 1 ? page_name(d, 1, slot) : l == 0 && row == 2 ?
				      page_name(d, 2, slot) : mfn;
				has_leaf[d][l][slot] = leaf;
				has_table[d][l][slot] = table;
				machine[t][i] = table ? entry_table(table_name(d, 0, l ? l - 1 : 0, slot), l) :
						leaf ? spec_any_leaf(mfn, l) : entry_empty(l);
				if (l) {
					led[l - 1][slot] = is & table;
				}
				for (g = 0; g < (l < LEVEL_ROOT ? SPAN(l) : 0); g++) {
					page_at[d][slot * SPAN(l) + g] = is & leaf ? mfn + g :
									 page_at[d][slot * SPAN(l) + g];
				}
				used = spec_more(used, leaf | table);
				assume((l == LEVEL_ROOT) | (i < frames[t].link) | !(leaf | table) | !is);
			}
			frames[t].count = used;
			assume(!is | (l == LEVEL_ROOT) | (used > 0));
		}
	}
	nuc_domains[d].stage2.root = table_name(d, 0, LEVEL_ROOT, 0);
}

/* The frames of a domain's pages, as the base has them. */
static void spec_any_pages(uint32_t d)
{
	uint32_t row, g, n;

	for (g = 0; g < GFNS; g++) {
		for (row = 0; row < ROWS; row++) {
			uint32_t m = page_name(d, row, g);
			bool is = page_at[d][g] == m, free = any(1);
			uint32_t pins = (uint32_t)any(1), dirty = (uint32_t)any(1);

			frames[m] = (struct frame){ .type = is ? FRAME_GUEST : free ? FRAME_FREE : FRAME_NUCLEUS,
						    .owner = is ? (uint16_t)d : DOMAIN_NONE, .count = is ? pins : 0,
						    .dirty = is ? 0 : (uint8_t)dirty, .link = RUN,
						    .where = is ? g : WHERE_NONE, .next = FRAMES_MAX };
		}
	}
	for (n = 0; n < SHARE_SLOTS; n++) {
		nuc_domains[d].share_page[n] = NULL;
		nuc_domains[d].share_mfn[n] = 0;
		nuc_domains[d].share_gfn[n] = WHERE_NONE;
	}
	for (n = 0; n < SHARES; n++) {
		uint32_t m = share_name(d, n);
		uint64_t at = WHERE_NONE;
		bool page = any(1);

		for (g = 0; g < GFNS; g++) {
			bool here = page_at[d][g] == m;

			assume(!here | (at == WHERE_NONE));
			at = here ? g : at;
		}
		/* A domain that ended has left its share pages to the core. */
		assume(page | (at == WHERE_NONE));
		frames[m] = (struct frame){ .type = !page ? FRAME_NUCLEUS : at == WHERE_NONE ? FRAME_CORE : FRAME_SHARED,
					    .owner = at == WHERE_NONE ? DOMAIN_NONE : (uint16_t)d, .link = RUN,
					    .where = at, .next = FRAMES_MAX };
		nuc_domains[d].share_page[n] = page ? (void *)machine : NULL;
		nuc_domains[d].share_mfn[n] = page ? m : 0;
		nuc_domains[d].share_gfn[n] = at;
	}
}

/* What is set at a gfn of a view, if anything. */
static struct intent spec_any_intent(uint32_t d)
{
	struct intent w = { .own = (uint32_t)any(3), .access = (uint32_t)any(3), .suppress = (uint32_t)any(1),
			    .turns = (uint32_t)any(1), .step = (uint32_t)any(11), .target = FRAMES_MAX };
	uint32_t from = (uint32_t)any(3), g;

	for (g = 0; g < GFNS; g++) {
		w.target = from == g ? page_at[d][g] : w.target;
	}
	assume(access_valid(w.access) & (!(w.own & OWN_TARGET) | (w.target != FRAMES_MAX)));
	return w;
}

/* One view's tables, every entry as it must be; spec_look has been told of the base. */
static void spec_any_view(uint32_t d, uint32_t k)
{
	struct view *v = &nuc_views[d][k];
	uint32_t l, w, i, t, m, tables = 0, own = 0, remaps = 0, recent = (uint32_t)any(2);
	bool live = (bool)any(1) & spec_live(d), is[LEVELS][4];

	*v = (struct view){ .generation = any(8), .root = FRAMES_MAX, .recent = FRAMES_MAX, .live = live,
			    .access = (uint8_t)any(3), .flags = (uint8_t)any(1), .root_known = (uint8_t)any(1) };
	assume(access_valid(v->access));
	for (l = LEVELS; l-- > 0;) {
		for (w = 0; w < PLACES(l); w++) {
			is[l][w] = spec_any_table(d, k, l, w, l == LEVEL_ROOT ? live : is[l + 1][w >> 1]);
			tables = spec_more(tables, is[l][w]);
		}
	}
	for (l = 0; l < LEVELS; l++) {
		for (w = 0; w < PLACES(l); w++) {
			uint32_t used = 0;

			t = table_name(d, k, l, w);
			for (i = 0; i < ENTRIES(l); i++) {
				uint64_t base = base_of[d][l][w * RUN + i];

				if (l == 0) {
					struct intent in = spec_any_intent(d);
					bool set = is[0][w] & intent_any(in), remap = set & ((in.own & OWN_TARGET) != 0);

					machine[t][i] = own_entry(v, base, in);
					used = spec_more(used, set);
					remaps = spec_more(remaps, remap);
					for (m = TABLES; m < FRAMES_MAX; m++) {
						if (m >= FIRST_SHARE || (m < SPARE_PAGE && (m - FIRST_PAGE) / (ROWS * 8) == d)) {
							frames[m].prev = spec_more(frames[m].prev, remap & (in.target == m));
						}
					}
				} else {
					bool child = is[l - 1][w * RUN + i];

					machine[t][i] = child ? entry_private(table_name(d, k, l - 1, w * RUN + i), l) :
								shared_entry(v, base, l);
					used = spec_more(used, child);
				}
				assume((l == LEVEL_ROOT) | (i < frames[t].link) | (machine[t][i] == entry_empty(l)) |
				       !is[l][w]);
			}
			assume(!is[l][w] | (l == LEVEL_ROOT) | (used > 0));
			assume((l > 0) | !is[l][w] | (frames[t].link == RUN));
			frames[t].count = used;
			own = l == 0 ? (own + used) & 31 : own;
		}
	}
	v->root = is[3][0] ? table_name(d, k, LEVEL_ROOT, 0) : FRAMES_MAX;
	v->tables = tables;
	v->own = own;
	v->remaps = remaps;
	if (any(1)) {
		v->recent = table_name(d, k, 0, 0) + recent;
		assume(recent == 0 ? is[0][0] : recent == 1 ? is[0][1] : recent == 2 ? is[0][2] : is[0][3]);
	}
}

/* Chains, in either order. */
static void spec_any_chains(uint32_t d)
{
	uint32_t l, w;

	for (l = 0; l < LEVELS; l++) {
		for (w = 0; w < PLACES(l); w++) {
			uint32_t b = table_name(d, 0, l, w), x = table_name(d, 1, l, w), y = table_name(d, 2, l, w);
			bool is = frames[b].type == FRAME_TABLE, turn = any(1);
			bool one = is & (frames[x].type == FRAME_TABLE), two = is & (frames[y].type == FRAME_TABLE);
			bool both = one & two;

			frames[b].next = both ? (turn ? y : x) : one ? x : two ? y : FRAMES_MAX;
			frames[x].prev = !one ? FRAMES_MAX : both & turn ? y : b;
			frames[x].next = both & !turn ? y : FRAMES_MAX;
			frames[y].prev = !two ? FRAMES_MAX : both & !turn ? x : b;
			frames[y].next = both & turn ? x : FRAMES_MAX;
		}
	}
}

static void spec_any_spares(void)
{
	uint32_t t, i;

	for (t = FIRST_SPARE; t < TABLES; t++) {
		frames[t] = (struct frame){ .type = FRAME_FREE, .level = (uint8_t)any(2), .dirty = (uint8_t)any(1),
					    .owner = DOMAIN_NONE, .link = RUN, .count = (uint32_t)any(2),
					    .where = WHERE_NONE, .next = FRAMES_MAX };
		for (i = 0; i < RUN; i++) {
			machine[t][i] = any(64);
		}
	}
	for (t = SPARE_PAGE; t < FIRST_SHARE; t++) {
		frames[t] = (struct frame){ .type = FRAME_FREE, .dirty = (uint8_t)any(1), .owner = DOMAIN_NONE,
					    .link = RUN, .where = WHERE_NONE, .next = FRAMES_MAX };
	}
}

/* What each domain counts. */
static void spec_any_counts(uint32_t d)
{
	struct stage2 *s = &nuc_domains[d].stage2;
	uint32_t k, t, tables = 0, views = 0, live = 0, end = 1;

	for (k = 0; k < VIEWS_MAX; k++) {
		for (t = table_name(d, k, 0, 0); t < table_name(d, k, 0, 0) + 8; t++) {
			tables = spec_more(tables, frames[t].type == FRAME_TABLE);
			views = spec_more(views, (k > 0) & (frames[t].type == FRAME_TABLE));
		}
		live = k ? spec_more(live, nuc_views[d][k].live) : 0;
		end = k && nuc_views[d][k].live ? k + 1 : end;
	}
	s->tables_used = tables;
	s->view_tables = views;
	s->table_budget = (tables + (uint32_t)any(3)) & 63;
	s->views_live = live;
	s->views_end = (uint32_t)any(2);
	assume((s->views_end >= end) & (s->views_end <= VIEWS_MAX) & ((live != 0) | (s->views_end == 1)));
}

/* The state as it is becomes the one before. */
static void spec_remember(void)
{
	uint32_t t, d, k, g;

	free_was = frame_free_count;
	for (t = 0; t < FRAMES_MAX; t++) {
		frames_was[t] = frames[t];
		machine_was[t][0] = machine[t][0];
		machine_was[t][1] = machine[t][1];
	}
	spec_look();
	for (d = 0; d < DOMAINS_MAX; d++) {
		stage2_was[d] = nuc_domains[d].stage2;
		for (g = 0; g < GFNS; g++) {
			base_was[d][g] = base_of[d][0][g];
		}
		for (k = 0; k < VIEWS_MAX; k++) {
			views_was[d][k] = nuc_views[d][k];
			for (g = 0; g < GFNS; g++) {
				page_was[d][k][g] = page_of[d][k][g];
				led[d][k][g] = leads[d][k][g];
			}
		}
	}
}

void spec_any_state(void);
void spec_any_state(void)
{
	uint32_t t, d, k, n;

	frame_count = FRAMES_MAX;
	for (n = 0; n < RUN_LISTS; n++) {
		run_lists[n] = RUN_NIL;
	}
	spec_any_spares();
	for (d = 0; d < DOMAINS_MAX; d++) {
		nuc_domains[d].state = any(1) ? NUC_DOMAIN_LIVE : NUC_DOMAIN_NONE;
		nuc_domains[d].stage2 = (struct stage2){ .domain = d, .root_entries = 1, .gfn_limit = GFNS,
							 .losses = any(8) };
		spec_any_base(d);
		spec_any_pages(d);
		nuc_views[d][0] = (struct view){ .root = FRAMES_MAX, .recent = FRAMES_MAX, .live = spec_live(d),
						 .access = (uint8_t)any(3), .generation = any(8) };
		assume(access_valid(nuc_views[d][0].access));
	}
	spec_look();
	for (d = 0; d < DOMAINS_MAX; d++) {
		for (k = 1; k < VIEWS_MAX; k++) {
			spec_any_view(d, k);
		}
		spec_any_chains(d);
		spec_any_counts(d);
	}
	frame_free_count = 0;
	for (t = 0; t < FRAMES_MAX; t++) {
		frame_free_count = (frame_free_count + (frames[t].type == FRAME_FREE)) & 127;
	}
	spec_remember();
	assume(spec_spares());
}
