/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The view engine held against its reference model: every visible result, every
 * translation, and what the CPUs still remember. For the programs that do so; a
 * divergence is printed, with `what` was done last, and aborts.
 */
#pragma once

#include "view_model.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define D 1u
#ifndef CPUS
#define CPUS 2u
#endif

static struct nuc_domain *dom = &nuc_domains[D];
static uint64_t steps, enomems;
static char what[256];

#define SAME(a, b) same_at(#a, (uint64_t)(a), (uint64_t)(b), __LINE__)
static void same_at(const char *name, uint64_t got, uint64_t want, int line)
{
	if (got != want) {
		fprintf(stderr, "views: step %llu, line %d: %s is %lld, not %lld; %s\n",
			(unsigned long long)steps, line, name, (long long)got, (long long)want, what);
		abort();
	}
}

static void compare_gfn(uint32_t id, uint64_t gfn)
{
	struct translation want = model_translate(id, gfn), got = view_translate(D, id, gfn_of(gfn));
	bool empty = model_view(id) && model_view(id)->flags & VIEW_EMPTY;

	if (got.present != want.present ||
	    (want.present && (got.mfn != want.mfn || got.access != want.access ||
			      got.suppress != want.suppress || got.turns != want.turns ||
			      (!empty && got.level != want.level)))) {
		fprintf(stderr,
			"views: step %llu: view %u, gfn %#llx: %d %#llx access %u suppress %u level %u, "
			"not %d %#llx %u %u %u; %s\n", (unsigned long long)steps, id, (unsigned long long)gfn,
			got.present, (unsigned long long)got.mfn, got.access, got.suppress, got.level,
			want.present, (unsigned long long)want.mfn, want.access, want.suppress, want.level,
			what);
		abort();
	}
}

static void compare_entry(uint32_t id, uint64_t gfn)
{
	struct view_entry want = model_entry(id, gfn), got;

	SAME(nuc_view_entry(D, id, gfn_of(gfn), &got), 0);
	SAME(got.target, want.target);
	SAME(got.step, want.step);
	SAME(got.access, want.access);
	SAME(got.suppress_ve, want.suppress_ve);
	SAME(got.own_access, want.own_access);
	SAME(got.own_target, want.own_target);
	SAME(got.own_suppress_ve, want.own_suppress_ve);
	SAME(got.own_step, want.own_step);
}

/* What a CPU gets, out of what it remembers, is what it should get. */
static void compare_cpu(uint32_t cpu, uint32_t id, uint64_t gfn)
{
	struct translation want = model_translate(id, gfn), got;

	if (!view_root(D, id)) {
		return;
	}
	got = fake_view_access(cpu, D, id, gfn);
	SAME(got.present && got.access, want.present && want.access);
	if (got.present && got.access) {
		SAME(got.mfn, want.mfn);
		SAME(got.access, want.access);
		SAME(got.suppress, want.suppress);
	} else if (want.present || (model_view(id) && model_view(id)->set[gfn].suppress_set)) {
		SAME(got.suppress, want.suppress);
	}
}

static void compare_counts(void)
{
	struct view_info info[MODEL_VIEWS + 2];
	uint32_t i, n = 0, live = 1;
	uint32_t tables[MODEL_VIEWS + 1];

	tables[0] = model_tables(0);
	for (i = 0; i < MODEL_VIEWS; i++) {
		live += model.view[i].live;
	}
	SAME(nuc_view_list(D, 0, info, ARRAY_SIZE(info)), live);
	SAME(info[0].view, 0);
	SAME(info[0].tables, tables[0]);
	for (i = 0; i < MODEL_VIEWS; i++) {
		const struct model_view *v = &model.view[i];

		if (v->live) {
			n++;
			SAME(info[n].view, model_ids[i]);
			SAME(info[n].tables, model_tables(model_ids[i]));
			SAME(info[n].own_entries, model_own(v));
			SAME(info[n].vcpus, fake.view_vcpus[model_ids[i]]);
			SAME(info[n].generation, v->generation);
			SAME(info[n].default_access, v->access);
			SAME(info[n].flags, v->flags);
		}
	}
	SAME(dom->stage2.tables_used, model_tables_all());
	SAME(fake.stale, 0);
	SAME(nuc_view_losses(D), model.losses);
}

static void audit(void)
{
	struct audit a;
	uint32_t i;

	nuc_audit(&a);
	for (i = 1; i <= 6; i++) {
		SAME(a.broken[i], 0);
	}
}

/* Reads the base's pages as the engine has laid them out. */
static void learn(uint64_t gfn, uint64_t count)
{
	uint64_t g;

	for (g = gfn; g < gfn + count; g++) {
		struct translation t = stage2_translate(&dom->stage2, gfn_of(g));

		SAME(t.present, true);
		model.page[g] = (struct model_page){ .mapped = true, .level = t.level, .access = model.access,
						     .suppress = 1, .mfn = t.mfn };
	}
}

/* ---- operations: on the engine and on the model, with the same outcome ---- */

/* Tables that can be had. */
static uint64_t room(void)
{
	uint64_t budget = model.budget - model_tables_all();

	return budget < frame_free_count ? budget : frame_free_count;
}

static void do_add(uint64_t gfn, uint64_t count)
{
	uint64_t free = frame_free_count, g;
	int error, want = 0;

	for (g = gfn; g < gfn + count; g++) {
		want = model.page[g].mapped ? -EEXIST : want;
	}
	snprintf(what, sizeof(what), "add %#llx %llu", (unsigned long long)gfn, (unsigned long long)count);
	error = nuc_memory_add(D, gfn_of(gfn), count);
	if (!want && error == -ENOMEM) {
		enomems++;
		SAME(frame_free_count, free);
		return;
	}
	SAME(error, want);
	if (!error) {
		learn(gfn, count);
	}
}

static void do_remove(uint64_t gfn)
{
	struct model_page *p = &model.page[gfn];
	int want = !p->mapped || p->shared ? -ENOENT : p->pinned ? -EBUSY : p->level > room() ? -ENOMEM : 0;

	snprintf(what, sizeof(what), "remove %#llx", (unsigned long long)gfn);
	SAME(nuc_memory_remove(D, gfn_of(gfn)), want);
	enomems += want == -ENOMEM;
	if (!want) {
		model_split(gfn);
		*p = (struct model_page){ .mapped = false };
		model_gone(gfn);
	}
}

static void do_share(uint32_t slot, uint64_t gfn)
{
	uint64_t earlier = model.share_gfn[slot];
	struct model_page *p = &model.page[gfn];
	uint64_t need = p->mapped ? p->level : model_base_missing(gfn);
	int want = earlier == gfn ? 0 : p->pinned ? -EBUSY : need > room() ? -ENOMEM : 0;
	uint32_t i;

	snprintf(what, sizeof(what), "share %u at %#llx, was at %#llx", slot, (unsigned long long)gfn,
		 (unsigned long long)earlier);
	SAME(nuc_share_map(D, slot, gfn_of(gfn)), want);
	enomems += want == -ENOMEM;
	if (want || earlier == gfn) {
		return;
	}
	if (p->mapped) {
		model_split(gfn);
		model_gone(gfn);
		for (i = 0; i < SHARE_SLOTS; i++) {
			if (model.share_gfn[i] == gfn) {
				model.share_gfn[i] = WHERE_NONE;
			}
		}
	}
	if (earlier != WHERE_NONE) {
		model.page[earlier] = (struct model_page){ .mapped = false };
		model_gone(earlier);
	}
	*p = (struct model_page){ .mapped = true, .shared = true, .access = ACCESS_RWX, .suppress = 1,
				  .mfn = dom->share_mfn[slot] };
	model.share_gfn[slot] = gfn;
}

static void do_create(uint32_t id, uint32_t access, uint32_t flags)
{
	int want = !access_valid(access) || flags > 1 ? -EINVAL : model_view(id) ? -EEXIST : 0;

	snprintf(what, sizeof(what), "create %u, access %u, flags %u", id, access, flags);
	SAME(nuc_view_create(D, id, access, flags), want);
	if (!want) {
		struct model_view *v = model_slot(id);

		memset(v, 0, sizeof(*v));
		v->live = true;
		v->access = (uint8_t)access;
		v->flags = (uint8_t)flags;
	}
}

static void do_destroy(uint32_t id)
{
	uint64_t free = frame_free_count;
	struct model_view *v = model_view(id);
	int want = !v ? -ENOENT : fake.view_vcpus[id] ? -EBUSY : 0;

	snprintf(what, sizeof(what), "destroy %u", id);
	fake.evicted = 0;
	if (!want) {
		free += model_tables(id);
	}
	SAME(nuc_view_destroy(D, id), want);
	SAME(frame_free_count, free);
	SAME(fake.evicted, want ? 0 : id);
	if (!want) {
		v->live = false;
	}
}

static void do_default(uint32_t id, uint32_t access)
{
	struct model_view *v = model_view(id);
	int want = id && !v ? -ENOENT : !access_valid(access) ? -EINVAL : 0;

	snprintf(what, sizeof(what), "default %u %u", id, access);
	SAME(nuc_view_default(D, id, access), want);
	if (!want && v) {
		v->access = (uint8_t)access;
	} else if (!want) {
		model.access = (uint8_t)access;
	}
}

static void do_root(uint32_t id)
{
	struct model_view *v = model_view(id);
	int want = !v ? -ENOENT : !v->root && !room() ? -ENOMEM : 0;
	uint64_t root = 99;

	snprintf(what, sizeof(what), "root of %u", id);
	SAME(view_root_need(D, id, &root), want);
	if (!want) {
		v->root = true;
		SAME(root, view_root(D, id));
	}
}

/* How many were applied. */
static uint32_t do_changes(uint32_t id, const struct view_change *list, uint32_t count)
{
	/* Memory is the frames free now and the tables that come and go with the changes. */
	uint64_t free = frame_free_count, tables = model_tables_all(), r;
	uint32_t done = 0;
	int error = 99, want = 0;

	if (id && !model_view(id)) {
		SAME(nuc_view_change(D, id, list, count, &error), 0);
		SAME(error, -ENOENT);
		return 0;
	}
	for (; done < count; done++) {
		uint64_t now = model_tables_all();

		r = model.budget - now;
		if (free + tables - now < r) {
			r = free + tables - now;
		}
		want = model_change(id, &list[done], r);
		if (want) {
			break;
		}
	}
	snprintf(what, sizeof(what),
		 "change %u, %u of %u: gfn %#llx new %#llx set %u access %u suppress %u step %u", id, done,
		 count, (unsigned long long)list[0].gfn, (unsigned long long)list[0].new_gfn, list[0].set,
		 list[0].access, list[0].suppress_ve, list[0].step);
	SAME(nuc_view_change(D, id, list, count, &error), done);
	SAME(error, want);
	SAME(frame_free_count, free + tables - model_tables_all());
	enomems += want == -ENOMEM;
	return done;
}
