/* SPDX-License-Identifier: Apache-2.0 */
/* The reference model of views: see view_model.h. */
#include "view_model.h"

struct model model;
const uint32_t model_ids[MODEL_VIEWS] = MODEL_IDS;

struct model_view *model_slot(uint32_t id)
{
	uint32_t i;

	for (i = 0; i < MODEL_VIEWS; i++) {
		if (model_ids[i] == id) {
			return &model.view[i];
		}
	}
	return NULL;
}

struct model_view *model_view(uint32_t id)
{
	struct model_view *v = model_slot(id);

	return v && v->live ? v : NULL;
}

static bool set_any(const struct model_set *s)
{
	return s->access_set || s->target_set || s->suppress_set || s->step_set;
}

/* Whether anything is set in the naturally aligned `span` gfns around gfn. */
static bool set_around(const struct model_view *v, uint64_t gfn, uint64_t span)
{
	uint64_t first = gfn / span * span, g;

	for (g = first; g < first + span && g < MODEL_GFNS; g++) {
		if (set_any(&v->set[g])) {
			return true;
		}
	}
	return false;
}

/* What hardware allows of an access. */
static uint8_t rights(uint8_t access)
{
	return access == 8 ? 5 : access == 9 ? 0 : access;
}

struct translation model_translate(uint32_t id, uint64_t gfn)
{
	const struct model_page *p = &model.page[gfn];
	const struct model_view *v = model_view(id);
	struct translation t = { .present = p->mapped, .level = p->level, .suppress = p->suppress,
				 .mfn = p->mfn };
	const struct model_set *s;
	uint8_t access = p->access;     /* as VIEW_ACCESS_* */

	if (!v) {
		t.access = rights(access);
		t.turns = access > 7;
		return t;
	}
	s = &v->set[gfn];
	t.suppress = 1;
	if (p->mapped && !(v->flags & VIEW_EMPTY)) {
		access = v->access == 7 ? access : rights(access) & v->access;
		t.suppress = v->access ? p->suppress : 1;
	} else {
		access = v->access;
	}
	if (s->access_set) {
		access = s->access;
	}
	t.access = rights(access);
	t.turns = access > 7;
	if (s->suppress_set) {
		t.suppress = s->suppress;
	}
	t.present = s->target_set || (p->mapped && (!(v->flags & VIEW_EMPTY) || s->access_set));
	t.mfn = s->target_set ? model.page[s->target].mfn : p->mfn;
	if (set_around(v, gfn, SPAN1)) {
		t.level = 0;
	} else if (set_around(v, gfn, SPAN2) && t.level > 1) {
		t.level = 1;
	}
	return t;
}

struct view_entry model_entry(uint32_t id, uint64_t gfn)
{
	struct translation t = model_translate(id, gfn);
	const struct model_view *v = model_view(id);
	struct view_entry e = { .target = ~0ull, .step = VIEW_NONE, .suppress_ve = 1, .level = t.level };
	const struct model_set *s;

	if (t.present) {
		e.access = t.turns ? (t.access ? 8 : 9) : t.access;
		e.suppress_ve = t.suppress;
		e.target = gfn;
	}
	if (!v) {
		return e;
	}
	s = &v->set[gfn];
	e.own_access = s->access_set;
	e.own_target = s->target_set;
	e.own_suppress_ve = s->suppress_set;
	e.own_step = s->step_set;
	e.access = s->access_set ? s->access : e.access;
	e.suppress_ve = s->suppress_set ? s->suppress : e.suppress_ve;
	e.step = s->step_set ? s->step : e.step;
	e.target = s->target_set ? s->target : e.target;
	return e;
}

/* Whether the base has a table of this level over gfn. */
static bool base_table(uint64_t gfn, uint32_t level)
{
	uint64_t span = level_span(level) * RUN, first = gfn / span * span, g;

	for (g = first; g < first + span && g < MODEL_GFNS; g++) {
		if (model.page[g].mapped && model.page[g].level <= level) {
			return true;
		}
	}
	return false;
}

uint32_t model_tables(uint32_t id)
{
	const struct model_view *v = model_view(id);
	uint64_t last[LEVEL_ROOT] = { WHERE_NONE, WHERE_NONE, WHERE_NONE }, g;
	uint32_t n = v ? v->root : 1, level;

	/* One for each stretch that a table covers in which something needs it. */
	for (g = 0; g < MODEL_GFNS; g++) {
		if (v ? !set_any(&v->set[g]) : !model.page[g].mapped) {
			continue;
		}
		for (level = v ? 0 : model.page[g].level; level < LEVEL_ROOT; level++) {
			uint64_t stretch = gfn_slot(g, level + 1);

			n += last[level] != stretch;
			last[level] = stretch;
		}
	}
	return n;
}

uint32_t model_tables_all(void)
{
	uint32_t n = model_tables(0), i;

	for (i = 0; i < MODEL_VIEWS; i++) {
		n += model.view[i].live ? model_tables(model_ids[i]) : 0;
	}
	return n;
}

uint32_t model_own(const struct model_view *v)
{
	uint32_t n = 0;
	uint64_t g;

	for (g = 0; g < MODEL_GFNS; g++) {
		n += set_any(&v->set[g]);
	}
	return n;
}

bool model_any_set(uint64_t gfn)
{
	uint32_t i;

	for (i = 0; i < MODEL_VIEWS; i++) {
		if (model.view[i].live && set_any(&model.view[i].set[gfn])) {
			return true;
		}
	}
	return false;
}

uint32_t model_missing(const struct model_view *v, uint64_t gfn)
{
	return !v->root + !set_around(v, gfn, SPAN1) + !set_around(v, gfn, SPAN2) +
	       !set_around(v, gfn, SPAN3);
}

uint32_t model_base_missing(uint64_t gfn)
{
	return !base_table(gfn, 0) + !base_table(gfn, 1) + !base_table(gfn, 2);
}

void model_gone(uint64_t gfn)
{
	uint64_t g;
	uint32_t i;

	for (i = 0; i < MODEL_VIEWS; i++) {
		struct model_view *v = &model.view[i];

		for (g = 0; v->live && g < MODEL_GFNS; g++) {
			if (v->set[g].target_set && v->set[g].target == gfn) {
				v->set[g].target_set = false;
				v->generation++;
				model.losses++;
			}
		}
	}
}

void model_split(uint64_t gfn)
{
	uint8_t level;
	uint64_t g;

	for (level = model.page[gfn].level; level > 0; level--) {
		uint64_t span = level_span(level), first = gfn / span * span;

		for (g = first; g < first + span; g++) {
			model.page[g].level = level - 1;
		}
	}
}

void model_merge(uint64_t gfn)
{
	uint8_t level;
	uint64_t g;

	for (level = 0; level < (model.order_max >= ORDER_1G ? 2 : 1); level++) {
		uint64_t span = level_span(level) * RUN, first = gfn / span * span;
		const struct model_page *p = &model.page[first];

		for (g = first; g < first + span; g++) {
			const struct model_page *q = &model.page[g];

			if (!q->mapped || q->shared || q->level != level || q->mfn != p->mfn + (g - first) ||
			    q->access != p->access || q->suppress != p->suppress || p->mfn % span) {
				return;
			}
		}
		for (g = first; g < first + span; g++) {
			model.page[g].level = level + 1;
		}
	}
}

static bool change_sound(uint32_t id, const struct view_change *c)
{
	if (c->set >= 16 || (id == 0 && c->set & (VIEW_SET_TARGET | VIEW_SET_STEP))) {
		return false;
	}
	if (c->set & VIEW_SET_ACCESS && (c->access > 10 || c->access == 2 || c->access == 6)) {
		return false;
	}
	if (c->set & VIEW_SET_SUPPRESS_VE && c->suppress_ve > 2) {
		return false;
	}
	return !(c->set & VIEW_SET_STEP) || c->step == VIEW_NONE ||
	       (c->step != id && (c->step == 0 || model_view(c->step)));
}

static int base_change(const struct view_change *c, uint64_t room)
{
	struct model_page *p = &model.page[c->gfn], new = *p;

	if (!p->mapped) {
		return -ESRCH;
	}
	if (c->set & VIEW_SET_ACCESS) {
		new.access = c->access == VIEW_ACCESS_DEFAULT ? model.access : c->access;
	}
	if (c->set & VIEW_SET_SUPPRESS_VE) {
		new.suppress = c->suppress_ve > 0;
	}
	if (new.access == p->access && new.suppress == p->suppress) {
		return 0;
	}
	if (p->level > room) {
		return -ENOMEM;
	}
	model_split(c->gfn);
	p->access = new.access;
	p->suppress = new.suppress;
	model_merge(c->gfn);
	return 0;
}

int model_change(uint32_t id, const struct view_change *c, uint64_t room)
{
	struct model_view *v = model_view(id);
	struct model_set s;

	if (!change_sound(id, c)) {
		return -EINVAL;
	}
	if (c->gfn >= MODEL_GFNS) {
		return -ESRCH;
	}
	if (model.page[c->gfn].pinned) {
		return -EBUSY;
	}
	if (!v) {
		return base_change(c, room);
	}
	s = v->set[c->gfn];
	if (!model.page[c->gfn].mapped && !set_any(&s)) {
		return -ESRCH;
	}
	if (c->set & VIEW_SET_ACCESS) {
		s.access_set = c->access != VIEW_ACCESS_DEFAULT;
		s.access = c->access;
	}
	if (c->set & VIEW_SET_SUPPRESS_VE) {
		s.suppress_set = c->suppress_ve != VIEW_SUPPRESS_DEFAULT;
		s.suppress = c->suppress_ve;
	}
	if (c->set & VIEW_SET_STEP) {
		s.step_set = c->step != VIEW_NONE;
		s.step = c->step;
	}
	if (c->set & VIEW_SET_TARGET) {
		s.target_set = c->new_gfn != ~0ull;
		s.target = c->new_gfn;
		if (s.target_set && (s.target >= MODEL_GFNS || !model.page[s.target].mapped)) {
			return -ESRCH;
		}
	}
	if (set_any(&s)) {
		if (model_missing(v, c->gfn) > room) {
			return -ENOMEM;
		}
		v->root = true;
	}
	v->set[c->gfn] = s;
	return 0;
}
