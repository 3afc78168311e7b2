/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Views as anyone would write them who had no tables to save: an array per view
 * of what is set at each gfn, and one of what the base maps. Everything visible
 * is computed from these two, every time. For tests.
 */
#pragma once

#include "memory.h"
#include "view.h"

#ifndef MODEL_GFNS
#define MODEL_GFNS (RUN == 4 ? GFN_LIMIT / 2 : 4ull * RUN)
#endif
#ifndef MODEL_VIEWS
#define MODEL_VIEWS 6u
#define MODEL_IDS { 1, 2, 3, 64, 1025, VIEWS_MAX - 1 }
#endif

struct model_page {
	bool mapped, shared, pinned;    /* pinned: a #VE page */
	uint8_t level, access, suppress;  /* access: as VIEW_ACCESS_* */
	uint64_t mfn;
};

struct model_set {
	bool access_set, target_set, suppress_set, step_set;
	uint8_t access, suppress;
	uint16_t step;
	uint64_t target;            /* a gfn */
};

struct model_view {
	bool live, root;
	uint8_t access, flags;
	uint64_t generation;
	struct model_set set[MODEL_GFNS];
};

struct model {
	uint32_t budget, order_max;
	uint64_t losses;
	uint8_t access;             /* for RAM added later */
	struct model_page page[MODEL_GFNS];
	uint64_t share_gfn[SHARE_SLOTS];
	struct model_view view[MODEL_VIEWS];    /* the one with id model_ids[i] */
};
extern struct model model;
extern const uint32_t model_ids[MODEL_VIEWS];

/* What there is of a view, live or not; and of a live one, else NULL. */
struct model_view *model_slot(uint32_t id);
struct model_view *model_view(uint32_t id);

/* What a gfn shows in a view; a live one or 0. */
struct translation model_translate(uint32_t id, uint64_t gfn);
struct view_entry model_entry(uint32_t id, uint64_t gfn);

/* Tables of a view (0: the base), of all, and the entries set. */
uint32_t model_tables(uint32_t id);
uint32_t model_tables_all(void);
uint32_t model_own(const struct model_view *v);

/* Whether a view has set anything at gfn. */
bool model_any_set(uint64_t gfn);

/* Tables that a change needs and doesn't have: to set something, or to map or split in the base. */
uint32_t model_missing(const struct model_view *v, uint64_t gfn);
uint32_t model_base_missing(uint64_t gfn);

/* The page at gfn leaves it. */
void model_gone(uint64_t gfn);
/* The base's leaf at gfn becomes small, and the leaves around it large again if they can. */
void model_split(uint64_t gfn);
void model_merge(uint64_t gfn);

/* One change with `room` tables to be had; errors as nuc_view_change. */
int model_change(uint32_t id, const struct view_change *c, uint64_t room);
