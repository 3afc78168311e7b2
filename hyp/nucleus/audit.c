/* SPDX-License-Identifier: Apache-2.0 */
/*
 * nuc_audit: walks the frame table, every stage-2 table and the free lists, and
 * counts what breaks a frame rule. It trusts none of them. Tables are taken as
 * the frame table names them, not by following roots: what each is, and that
 * exactly one entry leads to it, then says that all are reached, and once.
 */
#include "memory.h"

#include "check.h"
#include "lock.h"

static bool domain_is(uint32_t domain, uint8_t state)
{
	return domain < DOMAINS_MAX && nuc_domains[domain].state == state;
}

/* Rule 1: a leaf of table t, entry i. */
static void audit_leaf(struct audit *a, uint64_t t, uint32_t i, uint64_t mfn)
{
	uint64_t size = level_span(frames[t].level), gfn = (frames[t].where * RUN + i) * size, k;

	a->leaves++;
	for (k = 0; k < size; k++) {
		if (mfn + k >= frame_count || frames[mfn + k].where != gfn + k ||
		    frames[mfn + k].owner != frames[t].owner ||
		    (frames[mfn + k].type != FRAME_GUEST && frames[mfn + k].type != FRAME_SHARED)) {
			a->broken[1]++;
		}
	}
}

/* Rule 3: an entry that leads to table c. The first parent of c is kept in its `next`. */
static void audit_child(struct audit *a, uint64_t t, uint32_t i, uint64_t c)
{
	if (c >= frame_count || frames[c].type != FRAME_TABLE || frames[c].owner != frames[t].owner ||
	    frames[c].view != frames[t].view || frames[c].level + 1u != frames[t].level ||
	    frames[c].where != frames[t].where * RUN + i || frames[c].next != FRAMES_MAX) {
		a->broken[3]++;
	} else {
		frames[c].next = t;
	}
}

/* One table; returns the number of frames that its leaves lead to. */
static uint64_t audit_table(struct audit *a, uint64_t t)
{
	uint32_t i, used = 0, level = frames[t].level;
	uint64_t leaf_frames = 0;

	a->tables++;
	if (level > LEVEL_ROOT) {
		a->broken[3]++;
		return 0;
	}
	for (i = 0; i < RUN; i++) {
		uint64_t e = machine[t][i];

		switch (entry_kind(e, level)) {
		case ENTRY_EMPTY:
			continue;
		case ENTRY_TABLE:
			audit_child(a, t, i, entry_mfn(e, level));
			break;
		case ENTRY_LEAF:
			audit_leaf(a, t, i, entry_mfn(e, level));
			leaf_frames += level_span(level);
			break;
		case ENTRY_BAD:
			a->broken[3]++;
			break;
		}
		used++;
	}
	if (used != frames[t].count) {
		a->broken[3]++;
	}
	return leaf_frames;
}

/* Tables of live domains, and whose the frames in use are. */
static void audit_domains(struct audit *a)
{
	uint64_t leaf_frames[DOMAINS_MAX] = { 0 }, tables[DOMAINS_MAX] = { 0 }, m;
	uint32_t d, slot;

	for (m = 0; m < frame_count; m++) {
		const struct frame *f = &frames[m];

		if (f->type == FRAME_TABLE && domain_is(f->owner, NUC_DOMAIN_LIVE)) {
			tables[f->owner]++;
			leaf_frames[f->owner] += audit_table(a, m);
		}
	}
	for (m = 0; m < frame_count; m++) {
		struct frame *f = &frames[m];

		if (f->type != FRAME_TABLE && f->type != FRAME_GUEST && f->type != FRAME_SHARED) {
			continue;
		}
		if (!domain_is(f->owner, NUC_DOMAIN_LIVE)) {
			/* What a dying domain still owns is unreachable until it is swept. */
			if (!domain_is(f->owner, NUC_DOMAIN_DYING) || f->type == FRAME_SHARED) {
				a->broken[4]++;
			}
		} else if (f->type == FRAME_TABLE) {
			bool root = m == nuc_domains[f->owner].stage2.root;

			if ((f->next == FRAMES_MAX) != root ||
			    (root && (f->level != LEVEL_ROOT || f->where)) || (!root && !f->count)) {
				a->broken[3]++;
			}
			f->next = FRAMES_MAX;
		} else if (f->where == WHERE_NONE) {
			a->broken[4]++;
		} else {
			leaf_frames[f->owner]--;
		}
	}
	for (d = 0; d < DOMAINS_MAX; d++) {
		const struct nuc_domain *n = &nuc_domains[d];

		if (n->state != NUC_DOMAIN_LIVE) {
			continue;
		}
		a->broken[1] += leaf_frames[d] != 0;
		a->broken[3] += tables[d] != n->stage2.tables_used || tables[d] > n->stage2.table_budget;
		for (slot = 0; slot < SHARE_SLOTS; slot++) {
			const struct frame *f = &frames[n->share_mfn[slot]];

			if (n->share_page[slot] &&
			    (f->type != (n->share_gfn[slot] == WHERE_NONE ? FRAME_CORE : FRAME_SHARED) ||
			     f->where != n->share_gfn[slot])) {
				a->broken[2]++;
			}
		}
	}
}

/* Whether child i of run r is free: a frame, or a wholly free block. */
static bool child_free(uint32_t r, uint32_t i)
{
	uint64_t c = (uint64_t)(r < BLOCKS_MAX ? r : r - BLOCKS_MAX) * RUN + i;

	if (r < BLOCKS_MAX) {
		return c < frame_count && frames[c].type == FRAME_FREE;
	}
	return c * RUN < frame_count && runs[c].free == RUN;
}

/* A run: what it says is free is free, and all of that can be found. */
static void audit_run(struct audit *a, uint32_t r)
{
	uint32_t i, free = 0, found = 0, base = (r < BLOCKS_MAX ? r : r - BLOCKS_MAX) * RUN;

	for (i = 0; i < RUN; i++) {
		free += child_free(r, i);
	}
	for (i = runs[r].chain; i < RUN && found <= RUN; found++) {
		a->broken[4] += !child_free(r, i);
		i = r < BLOCKS_MAX ? frames[base + i].link : runs[base + i].link;
	}
	for (i = runs[r].bump; i < RUN; i++, found++) {
		a->broken[4] += !child_free(r, i);
	}
	a->broken[4] += free != runs[r].free || found != free;
}

/* A list: `length` runs of its kind, partly (or wholly) free, linked both ways. */
static void audit_list(struct audit *a, uint32_t list, uint64_t length)
{
	uint32_t r = run_lists[list], prev = RUN_NIL;

	for (; r != RUN_NIL && length; length--) {
		bool ok = r < RUN_NIL && (r < BLOCKS_MAX) == (list == SPLIT_BLOCKS) && runs[r].prev == prev &&
			  (list == WHOLE_REGIONS ? runs[r].free == RUN : runs[r].free % RUN != 0);

		if (!ok) {
			break;
		}
		prev = r;
		r = runs[r].next;
	}
	a->broken[4] += r != RUN_NIL || length;
}

static void audit_free(struct audit *a)
{
	uint64_t lengths[RUN_LISTS] = { 0 }, m;
	uint32_t blocks = (uint32_t)((frame_count + RUN - 1) / RUN), regions = (blocks + RUN - 1) / RUN, r;

	for (r = 0; r < blocks; r++) {
		audit_run(a, r);
		lengths[SPLIT_BLOCKS] += runs[r].free % RUN != 0;
	}
	for (r = BLOCKS_MAX; r < BLOCKS_MAX + regions; r++) {
		audit_run(a, r);
		lengths[SPLIT_REGIONS] += runs[r].free % RUN != 0;
		lengths[WHOLE_REGIONS] += runs[r].free == RUN;
	}
	for (r = 0; r < RUN_LISTS; r++) {
		audit_list(a, r, lengths[r]);
	}
	for (m = 0; m < frame_count; m++) {
		a->frames++;
		a->free_frames += frames[m].type == FRAME_FREE;
		a->broken[4] += frames[m].type >= FRAME_TYPES;
	}
	a->broken[4] += a->free_frames != frame_free_count;
}

void nuc_audit(struct audit *report)
{
	struct audit a = { 0 };

	CHECK(machine_core_range(report, sizeof(*report), true));
	nucleus_lock();
	audit_domains(&a);
	audit_free(&a);
	machine_audit(&a);
	nucleus_unlock();
	*report = a;
}
