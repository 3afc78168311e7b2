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
#include "view.h"

static bool domain_is(uint32_t domain, uint8_t state)
{
	return domain < DOMAINS_MAX && nuc_domains[domain].state == state;
}

/* What a domain's tables and frames add up to. */
struct sums {
	uint64_t leaf_frames;           /* that the base's leaves lead to, less those mapped */
	uint64_t tables, view_tables;
	uint64_t view_own, view_remaps; /* entries of private tables */
	uint64_t remaps;                /* as the frames count them */
	uint64_t copies, chained;       /* private tables that a base table has, and those on chains */
};

static struct sums sums[DOMAINS_MAX];

/* Rule 1: a leaf of table t, entry i, that shows another gfn's page if `remap`. */
static void audit_leaf(struct audit *a, uint64_t t, uint32_t i, uint64_t mfn, bool remap)
{
	uint64_t size = level_span(frames[t].level), gfn = (frames[t].where * RUN + i) * size, k;

	a->leaves++;
	for (k = 0; k < size; k++) {
		if (mfn + k >= frame_count || frames[mfn + k].owner != frames[t].owner ||
		    (frames[mfn + k].type != FRAME_GUEST && frames[mfn + k].type != FRAME_SHARED) ||
		    (remap ? frames[mfn + k].where == WHERE_NONE : frames[mfn + k].where != gfn + k)) {
			a->broken[1]++;
		}
	}
}

/* Rule 3: an entry that leads to table c. A view's entry may lead to a table of the base. */
static void audit_child(struct audit *a, uint64_t t, uint32_t i, uint64_t c)
{
	if (c >= frame_count || frames[c].type != FRAME_TABLE || frames[c].owner != frames[t].owner ||
	    (frames[c].view != frames[t].view && frames[c].view != 0) || frames[c].level + 1u != frames[t].level ||
	    frames[c].where != frames[t].where * RUN + i) {
		a->broken[3]++;
	} else if (frames[c].view == frames[t].view) {
		/* Reached by its own kind, once. */
		a->broken[3] += frames[c].order != 0;
		frames[c].order = 1;
	}
}

/* What no gfn leads to is empty. */
static void audit_rest(struct audit *a, uint64_t t)
{
	uint32_t i;

	for (i = table_entries(&nuc_domains[frames[t].owner].stage2, frames[t].level); i < RUN; i++) {
		a->broken[3] += machine[t][i] != 0;
	}
	for (i = frames[t].link; i < RUN && frames[t].level && frames[t].level < LEVEL_ROOT; i++) {
		a->broken[3] += machine[t][i] != entry_empty(frames[t].level);
	}
}

/* One base table: its entries, and the chain of its copies. */
static void audit_base(struct audit *a, uint64_t t)
{
	uint32_t i, used = 0, level = frames[t].level;
	struct sums *sum = &sums[frames[t].owner];
	uint64_t c, prev = t;

	audit_rest(a, t);
	for (i = 0; i < table_entries(&nuc_domains[frames[t].owner].stage2, level); i++) {
		uint64_t e = machine[t][i];

		switch (entry_kind(e, level)) {
		case ENTRY_EMPTY:
			continue;
		case ENTRY_TABLE:
			audit_child(a, t, i, entry_mfn(e, level));
			a->broken[3] += entry_access(e, level) != ACCESS_RWX ||
					(entry_mfn(e, level) < frame_count && frames[entry_mfn(e, level)].view);
			break;
		case ENTRY_LEAF:
			audit_leaf(a, t, i, entry_mfn(e, level), false);
			sum->leaf_frames += level_span(level);
			break;
		case ENTRY_KEPT:
		case ENTRY_BAD:
			a->broken[3]++;
			break;
		}
		used++;
	}
	a->broken[3] += used != frames[t].count || frames[t].prev != FRAMES_MAX;
	for (c = frames[t].next; c != FRAMES_MAX; prev = c, c = frames[c].next) {
		if (c >= frame_count || frames[c].type != FRAME_TABLE || frames[c].owner != frames[t].owner ||
		    frames[c].view == 0 || frames[c].level != level || frames[c].where != frames[t].where ||
		    frames[c].prev != prev || sum->chained > frame_count) {
			a->broken[3]++;
			break;
		}
		sum->chained++;
	}
}

/* One private table, each entry of which must be what the base and the view's settings make it. */
static void audit_private(struct audit *a, uint64_t t)
{
	uint32_t i, own = 0, level = frames[t].level;
	struct sums *sum = &sums[frames[t].owner];
	bool copy;

	sum->view_tables++;
	if (frames[t].view >= VIEWS_MAX || !nuc_views[frames[t].owner][frames[t].view].live) {
		a->broken[3]++;
		return;
	}
	copy = view_base_table(&nuc_domains[frames[t].owner].stage2, t) != FRAMES_MAX;
	sum->copies += copy;
	a->broken[3] += !copy && (frames[t].prev != FRAMES_MAX || frames[t].next != FRAMES_MAX);
	audit_rest(a, t);
	for (i = 0; i < table_entries(&nuc_domains[frames[t].owner].stage2, level); i++) {
		uint64_t e = machine[t][i];
		bool remap = level == 0 && entry_own(e) & OWN_TARGET;

		a->broken[3] += !view_entry_sound(&nuc_domains[frames[t].owner].stage2, t, i);
		switch (entry_kind(e, level)) {
		case ENTRY_EMPTY:
			continue;
		case ENTRY_TABLE:
			audit_child(a, t, i, entry_mfn(e, level));
			own += entry_mfn(e, level) < frame_count && frames[entry_mfn(e, level)].view;
			continue;
		case ENTRY_LEAF:
			audit_leaf(a, t, i, entry_mfn(e, level), remap);
			sum->view_remaps += remap;
			own += level == 0 && (entry_own(e) || entry_step(e));
			continue;
		case ENTRY_KEPT:
			own++;
			continue;
		case ENTRY_BAD:
			a->broken[3]++;
			continue;
		}
	}
	a->broken[3] += own != frames[t].count;
	sum->view_own += level == 0 ? own : 0;
}

/* Whether the table is the root of a view, or of the base. */
static bool is_root(uint64_t m)
{
	return m == (frames[m].view ? nuc_views[frames[m].owner][frames[m].view % VIEWS_MAX].root :
				      nuc_domains[frames[m].owner].stage2.root);
}

/* Rules 3 and 4, of a frame that has an owner. */
static void audit_owned(struct audit *a, uint64_t m)
{
	struct frame *f = &frames[m];

	if (!domain_is(f->owner, NUC_DOMAIN_LIVE)) {
		/* What a dying domain still owns is unreachable until it is swept. */
		a->broken[4] += !domain_is(f->owner, NUC_DOMAIN_DYING) || f->type == FRAME_SHARED;
	} else if (f->type == FRAME_TABLE) {
		bool root = is_root(m);

		if ((f->order == 0) != root || (root && (f->level != LEVEL_ROOT || f->where)) ||
		    (!root && !f->count)) {
			a->broken[3]++;
		}
		f->order = 0;
	} else {
		a->broken[4] += f->where == WHERE_NONE;
		sums[f->owner].leaf_frames--;
		sums[f->owner].remaps += f->prev;
	}
}

/* What the domain says of itself against what was found. */
static void audit_domain(struct audit *a, uint32_t domain)
{
	const struct nuc_domain *n = &nuc_domains[domain];
	struct sums *sum = &sums[domain];
	uint64_t tables = 0, own = 0, remaps = 0;
	uint32_t i;

	a->broken[1] += sum->leaf_frames != 0;
	a->broken[3] += sum->tables != n->stage2.tables_used || sum->tables > n->stage2.table_budget ||
			sum->view_tables != n->stage2.view_tables || sum->copies != sum->chained;
	for (i = 1; i < n->stage2.views_end; i++) {
		if (nuc_views[domain][i].live) {
			tables += nuc_views[domain][i].tables;
			own += nuc_views[domain][i].own;
			remaps += nuc_views[domain][i].remaps;
		}
	}
	a->broken[3] += tables != sum->view_tables || own != sum->view_own || remaps != sum->view_remaps;
	a->broken[4] += sum->remaps != sum->view_remaps;
	for (i = 0; i < SHARE_SLOTS; i++) {
		const struct frame *f = &frames[n->share_mfn[i]];

		if (n->share_page[i] && (f->type != (n->share_gfn[i] == WHERE_NONE ? FRAME_CORE : FRAME_SHARED) ||
					 f->where != n->share_gfn[i])) {
			a->broken[2]++;
		}
	}
}

/* Tables of live domains, and whose the frames in use are. */
static void audit_domains(struct audit *a)
{
	uint64_t m;
	uint32_t d;

	for (d = 0; d < DOMAINS_MAX; d++) {
		sums[d] = (struct sums){ 0 };
	}
	for (m = 0; m < frame_count; m++) {
		if (frames[m].type != FRAME_TABLE || !domain_is(frames[m].owner, NUC_DOMAIN_LIVE)) {
			continue;
		}
		a->tables++;
		sums[frames[m].owner].tables++;
		if (frames[m].level > LEVEL_ROOT) {
			a->broken[3]++;
		} else if (frames[m].view) {
			audit_private(a, m);
		} else {
			audit_base(a, m);
		}
	}
	for (m = 0; m < frame_count; m++) {
		if (frames[m].type == FRAME_TABLE || frames[m].type == FRAME_GUEST ||
		    frames[m].type == FRAME_SHARED) {
			audit_owned(a, m);
		}
	}
	for (d = 0; d < DOMAINS_MAX; d++) {
		if (nuc_domains[d].state == NUC_DOMAIN_LIVE) {
			audit_domain(a, d);
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
