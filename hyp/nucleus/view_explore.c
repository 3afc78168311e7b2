/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Every sequence of operations on views up to a length, exhaustively, with tables
 * of two entries: the engine that boots, beside its reference model.
 *
 *	view_explore DEPTH	prints what was explored; a divergence is printed and aborts
 *
 * Breadth first from one state: a superpage of the larger kind, two pages, one view. After each
 * operation its result, the memory it took and every CPU's remembered translations
 * are compared with the model; each state that is new is then compared whole and
 * audited. States are the same if all that can be told of the model, and all of the
 * engine's tables but for which frames they are, is the same: what follows then is,
 * too, for where the allocator finds its frames decides nothing here.
 */
#include "view_compare.h"

#define FRAMES 64u
#define BUDGET 11u              /* tables: the base takes 4, a path of a view 4 */
#define DEPTH_MAX 8u

/* ---- operations ----------------------------------------------------------- */

enum op_kind { CREATE, DESTROY, DEFAULT, ROOT, CHANGE, CHANGES, ADD, REMOVE, SHARE, VCPU, VE_PAGE, SHORT };

static const struct op {
	enum op_kind kind;
	uint32_t id;
	uint64_t a, b;              /* gfn and count; access and flags */
	struct view_change change;
} ops[] = {
	{ CREATE, 1, ACCESS_RWX, 0, { 0 } },
	{ CREATE, 2, ACCESS_R, 0, { 0 } },
	{ CREATE, 2, ACCESS_RWX, VIEW_EMPTY, { 0 } },
	{ DESTROY, 1, 0, 0, { 0 } },
	{ DESTROY, 2, 0, 0, { 0 } },
	{ DEFAULT, 1, 0, 0, { 0 } },
	{ DEFAULT, 1, ACCESS_RWX, 0, { 0 } },
	{ DEFAULT, 0, ACCESS_R, 0, { 0 } },
	{ ROOT, 1, 0, 0, { 0 } },
	{ VCPU, 1, 0, 0, { 0 } },
	{ CHANGE, 1, 0, 0, { .gfn = 0, .set = VIEW_SET_ACCESS, .access = ACCESS_R } },
	{ CHANGE, 1, 0, 0, { .gfn = 0, .set = VIEW_SET_ACCESS, .access = VIEW_ACCESS_DEFAULT } },
	{ CHANGE, 1, 0, 0, { .gfn = 3, .set = VIEW_SET_ACCESS, .access = VIEW_ACCESS_N_TO_RWX } },
	{ CHANGE, 1, 0, 0, { .gfn = 3, .set = VIEW_SET_TARGET, .new_gfn = 4 } },
	{ CHANGE, 1, 0, 0, { .gfn = 3, .set = VIEW_SET_TARGET, .new_gfn = 0 } },
	{ CHANGE, 1, 0, 0, { .gfn = 3, .set = VIEW_SET_TARGET | VIEW_SET_ACCESS, .new_gfn = ~0ull,
			     .access = VIEW_ACCESS_DEFAULT } },
	{ CHANGE, 1, 0, 0, { .gfn = 4, .set = VIEW_SET_SUPPRESS_VE, .suppress_ve = 0 } },
	{ CHANGE, 1, 0, 0, { .gfn = 4, .set = VIEW_SET_STEP, .step = 0 } },
	{ CHANGES, 1, 0, 0, { .gfn = 0, .set = VIEW_SET_ACCESS, .access = ACCESS_R | ACCESS_X } },
	{ CHANGES, 1, 0, 0, { .gfn = 0, .set = VIEW_SET_ACCESS, .access = VIEW_ACCESS_DEFAULT } },
	{ CHANGE, 2, 0, 0, { .gfn = 5, .set = VIEW_SET_TARGET, .new_gfn = 4 } },
	{ CHANGE, 2, 0, 0, { .gfn = 0, .set = VIEW_SET_ACCESS, .access = ACCESS_RWX } },
	{ CHANGE, 0, 0, 0, { .gfn = 0, .set = VIEW_SET_ACCESS, .access = VIEW_ACCESS_RX_TO_RW } },
	{ CHANGE, 0, 0, 0, { .gfn = 0, .set = VIEW_SET_ACCESS, .access = ACCESS_RWX } },
	{ ADD, 0, 0, 1, { 0 } },
	{ ADD, 0, 4, 2, { 0 } },
	{ ADD, 0, 6, 2, { 0 } },
	{ REMOVE, 0, 0, 0, { 0 } },
	{ REMOVE, 0, 4, 0, { 0 } },
	{ REMOVE, 0, 2, 0, { 0 } },
	{ ADD, 0, 2, 1, { 0 } },
	{ ADD, 0, 0, 4, { 0 } },
	{ VE_PAGE, 0, 1, 0, { 0 } },
	{ SHORT, 0, 0, 0, { 0 } },
	{ DEFAULT, 2, ACCESS_R | ACCESS_X, 0, { 0 } },
	{ CHANGE, 1, 0, 0, { .gfn = 4, .set = VIEW_SET_SUPPRESS_VE | VIEW_SET_STEP,
			     .suppress_ve = VIEW_SUPPRESS_DEFAULT, .step = VIEW_NONE } },
	{ CHANGE, 1, 0, 0, { .gfn = 6, .set = VIEW_SET_ACCESS, .access = ACCESS_RWX } },
	{ CHANGE, 1, 0, 0, { .gfn = 6, .set = VIEW_SET_ACCESS, .access = VIEW_ACCESS_DEFAULT } },
	{ CHANGE, 1, 0, 0, { .gfn = 2, .set = VIEW_SET_ACCESS | VIEW_SET_STEP, .access = 0, .step = 2 } },
	{ CHANGE, 2, 0, 0, { .gfn = 0, .set = VIEW_SET_ACCESS | VIEW_SET_TARGET, .new_gfn = ~0ull,
			     .access = VIEW_ACCESS_DEFAULT } },
	{ CHANGE, 2, 0, 0, { .gfn = 0, .set = VIEW_SET_TARGET, .new_gfn = 3 } },
	{ CHANGE, 0, 0, 0, { .gfn = 3, .set = VIEW_SET_SUPPRESS_VE, .suppress_ve = 0 } },
	{ CHANGE, 0, 0, 0, { .gfn = 3, .set = VIEW_SET_SUPPRESS_VE, .suppress_ve = 1 } },
	{ CHANGE, 0, 0, 0, { .gfn = 4, .set = VIEW_SET_ACCESS, .access = 0 } },
	{ SHARE, 0, 3, 0, { 0 } },
	{ SHARE, 0, 5, 0, { 0 } },
};

/* The #VE page comes or goes, where no view has set anything. */
static void ve_page_turn(uint64_t gfn)
{
	struct model_page *p = &model.page[gfn];
	mfn_t mfn;

	if (fake.ve_page) {
		memory_unpin(mfn_of(p->mfn));
	} else if (model_any_set(gfn) || !p->mapped || p->shared) {
		return;
	} else {
		SAME(memory_pin(D, gfn_of(gfn), &mfn), 0);
	}
	p->pinned = !fake.ve_page;
	fake.ve_page = fake.ve_page ? 0 : gfn;
}

/* All memory but one frame goes, or comes back. */
static void short_turn(void)
{
	uint64_t m;
	mfn_t mfn;

	if (frame_free_count > 1) {
		while (frame_free_count > 1) {
			SAME(frame_alloc(ORDER_4K, FRAME_NUCLEUS, DOMAIN_NONE, &mfn), 0);
		}
		return;
	}
	for (m = 0; m < FRAMES; m++) {
		if (frames[m].type == FRAME_NUCLEUS) {
			frame_free(mfn_of(m), ORDER_4K);
		}
	}
}

static void apply(const struct op *op)
{
	struct view_change list[3] = { op->change, op->change, op->change };

	switch (op->kind) {
	case CREATE:
		do_create(op->id, (uint32_t)op->a, (uint32_t)op->b);
		break;
	case DESTROY:
		do_destroy(op->id);
		break;
	case DEFAULT:
		do_default(op->id, (uint32_t)op->a);
		break;
	case ROOT:
		do_root(op->id);
		break;
	case CHANGE:
		do_changes(op->id, list, 1);
		break;
	case CHANGES:
		/* Two of one table and one of the next. */
		list[1].gfn++;
		list[2].gfn += 2;
		do_changes(op->id, list, 3);
		break;
	case ADD:
		do_add(op->a, op->b);
		break;
	case REMOVE:
		do_remove(op->a);
		break;
	case SHARE:
		do_share(0, op->a);
		break;
	case VCPU:
		fake.view_vcpus[op->id] = model_view(op->id) && !fake.view_vcpus[op->id];
		break;
	case VE_PAGE:
		ve_page_turn(op->a);
		break;
	case SHORT:
		short_turn();
		break;
	}
}

static void begin(void)
{
	fake_reset(FRAMES);
	fake.gfn_limit = GFN_LIMIT;     /* two entries of a root */
	memset(&model, 0, sizeof(model));
	model.budget = BUDGET;
	model.access = ACCESS_RWX;
	model.order_max = ORDER_1G;
	memset(model.share_gfn, 0xff, sizeof(model.share_gfn));
	SAME(nuc_domain_create(D, BUDGET), 0);
	SAME(nuc_share_page(D, 0) != NULL, true);
	do_add(0, 4);
	do_add(4, 2);
	do_create(1, ACCESS_RWX, 0);
}

/* ---- states --------------------------------------------------------------- */

/* All memory that a state is made of. */
static struct part { void *at; size_t size; } parts[] = {
	{ frames, FRAMES * sizeof(frames[0]) }, { runs, sizeof(runs) }, { run_lists, sizeof(run_lists) },
	{ &frame_free_count, sizeof(frame_free_count) }, { machine, FRAMES * sizeof(machine[0]) },
	{ nuc_domains, sizeof(nuc_domains) }, { nuc_views, sizeof(nuc_views) }, { &model, sizeof(model) },
	{ &fake, sizeof(fake) }, { NULL, 0 },
};
static uint8_t saved[1u << 16];

static void save(void)
{
	size_t n = 0;
	uint32_t i;

	for (i = 0; i < ARRAY_SIZE(parts); n += parts[i++].size) {
		SAME(n + parts[i].size <= sizeof(saved), true);
		memcpy(saved + n, parts[i].at, parts[i].size);
	}
}

static void restore(void)
{
	size_t n = 0;
	uint32_t i;

	for (i = 0; i < ARRAY_SIZE(parts); n += parts[i++].size) {
		memcpy(parts[i].at, saved + n, parts[i].size);
	}
}

static uint64_t hash_state;

static void mix(uint64_t word)
{
	hash_state = (hash_state ^ word) * 0x9e3779b97f4a7c15ull;
	hash_state ^= hash_state >> 29;
}

/* A table and all below, with frames named by what they are. */
static void mix_table(uint64_t t)
{
	uint32_t level = frames[t].level, i;
	uint64_t c;

	mix(frames[t].view * 8ull + level);
	mix(frames[t].count);
	mix(level == 1 || level == 2 ? frames[t].link : 0);
	for (c = frames[t].next; c != FRAMES_MAX; c = frames[c].next) {
		mix(frames[t].view ? 1 : frames[c].view);
	}
	for (i = 0; i < table_entries(&dom->stage2, level); i++) {
		uint64_t e = machine[t][i], m = entry_mfn(e, level);
		enum entry_kind kind = entry_kind(e, level);

		if (kind == ENTRY_TABLE) {
			mix((uint64_t)entry_access(e, level) * 8 + frames[m].view);
			if (frames[m].view == frames[t].view) {
				mix_table(m);
			}
		} else if (kind == ENTRY_LEAF) {
			mix(frames[m].where * 2 + 1);
			mix(e & ~(0xffffffffull << (8 + 4 * level)));
		} else {
			mix(e);
		}
	}
}

static uint64_t state_key(void)
{
	uint32_t i, k;
	uint64_t g;

	hash_state = 0;
	mix_table(dom->stage2.root);
	mix(dom->stage2.views_end);
	mix(nuc_views[D][0].access);
	for (i = 0; i < MODEL_VIEWS; i++) {
		const struct view *v = &nuc_views[D][model_ids[i]];

		mix(v->live * 64ull + v->access * 2u + v->flags);
		mix(fake.view_vcpus[model_ids[i]]);
		if (v->live) {
			mix(v->generation);
			mix(v->recent == FRAMES_MAX ? WHERE_NONE : frames[v->recent].where);
			if (v->root != FRAMES_MAX) {
				mix_table(v->root);
			}
		}
	}
	/* Leaves that could be larger differ from those that could not. */
	for (g = 0; g < MODEL_GFNS; g++) {
		mix(model.page[g].mapped ? frames[model.page[g].mfn].type * 16u + model.page[g].mfn % 4 : 0);
	}
	for (k = 0; k < SHARE_SLOTS; k++) {
		mix(dom->share_gfn[k]);
	}
	mix(frame_free_count);
	mix(fake.ve_page);
	return hash_state ? hash_state : 1;
}

/* ---- the search ----------------------------------------------------------- */

#define SEEN (1u << 24)
static uint64_t *seen;
static uint64_t states;

/* True the first time. */
static bool state_new(uint64_t key)
{
	uint64_t i = key % SEEN;

	while (seen[i]) {
		if (seen[i] == key) {
			return false;
		}
		i = (i + 1) % SEEN;
	}
	seen[i] = key;
	states++;
	SAME(states < SEEN / 2, true);
	return true;
}

static bool shown(uint32_t i)
{
	return i == 0 || model_view(i);
}

/* Every CPU uses every page in every view; `check` that it gets the right one. */
static void use_all(bool check)
{
	uint32_t id, cpu;
	uint64_t g;

	for (id = 0; id <= MODEL_VIEWS; id++) {
		for (g = 0; shown(id) && view_root(D, id) && g < MODEL_GFNS; g++) {
			for (cpu = 0; cpu < CPUS; cpu++) {
				if (check) {
					compare_cpu(cpu, id, g);
				} else {
					fake_view_access(cpu, D, id, g);
				}
			}
		}
	}
}

static void check_all(void)
{
	uint32_t id;
	uint64_t g;

	for (id = 0; id <= MODEL_VIEWS; id++) {
		for (g = 0; shown(id) && g < MODEL_GFNS; g++) {
			compare_gfn(id, g);
			compare_entry(id, g);
		}
	}
	compare_counts();
	audit();
}

struct path { uint8_t op[DEPTH_MAX]; };

int main(int argc, char **argv)
{
	uint32_t depth_wanted = argc > 1 ? (uint32_t)strtoul(argv[1], NULL, 0) : 4, depth, i, op;
	uint64_t from = 0, to = 1, next, s, n = 1;
	struct path *queue = malloc(sizeof(*queue) << 23);

	seen = calloc(SEEN, sizeof(*seen));
	parts[ARRAY_SIZE(parts) - 1].at = fake_view_memory(&parts[ARRAY_SIZE(parts) - 1].size);
	SAME(queue && seen && depth_wanted <= DEPTH_MAX, true);
	begin();
	check_all();
	state_new(state_key());
	for (depth = 0; depth < depth_wanted; depth++, from = to, to = next) {
		for (s = from, next = to; s < to; s++) {
			begin();
			for (i = 0; i < depth; i++) {
				apply(&ops[queue[s].op[i]]);
			}
			use_all(false);
			save();
			for (op = 0; op < ARRAY_SIZE(ops); op++) {
				steps++;
				apply(&ops[op]);
				use_all(true);
				SAME(fake.stale, 0);
				if (state_new(state_key())) {
					check_all();
					if (depth + 1 < depth_wanted) {
						SAME(n < 1u << 23, true);
						queue[n] = queue[s];
						queue[n++].op[depth] = (uint8_t)op;
					}
				}
				restore();
			}
		}
		next = n;
		printf("view_explore: depth %u: %llu operations, %llu states\n", depth + 1,
		       (unsigned long long)steps, (unsigned long long)states);
		fflush(stdout);
	}
	return 0;
}
