/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Views of the imaginary nucleus: each is a list of what was set, gfn by gfn, and
 * an answer is computed from the base, the view's default and that. No tables and
 * no flushes: those are the nucleus' own, and tested there.
 */
#include "fake_nucleus.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

struct fake_view fake_views[DOMAINS_MAX][VIEWS_MAX];

static struct fake_view *find(uint32_t domain, uint32_t view)
{
	struct fake_view *v = &fake_views[domain][view < VIEWS_MAX ? view : 0];

	return view < VIEWS_MAX && v->live ? v : NULL;
}

/* A call that takes tables: fails when the test has said so. */
static bool spent(void)
{
	if (fake.tables_limited && !fake.tables_left)
		return true;
	fake.tables_left -= fake.tables_limited;
	return false;
}

static const struct fake_entry nothing_set = { .access = VIEW_ACCESS_DEFAULT, .target = ~0ull,
					       .suppress = VIEW_SUPPRESS_DEFAULT, .step = VIEW_NONE };

static struct fake_entry *entry_of(struct fake_view *v, uint64_t gfn, bool make)
{
	if (!v->entries && make) {
		v->entries = malloc(FAKE_GFNS * sizeof(v->entries[0]));
		for (uint32_t i = 0; i < FAKE_GFNS; i++)
			v->entries[i] = nothing_set;
	}
	return v->entries ? &v->entries[gfn] : NULL;
}

static bool any_set(const struct fake_entry *e)
{
	return e && (e->access != VIEW_ACCESS_DEFAULT || e->target != ~0ull ||
		     e->suppress != VIEW_SUPPRESS_DEFAULT || e->step != VIEW_NONE);
}

static bool access_ok(uint32_t access)
{
	return access != 2 && access != 6 && access <= VIEW_ACCESS_N_TO_RWX;
}

void fake_views_begin(uint32_t domain)
{
	fake_views_end(domain);
	fake_views[domain][0] = (struct fake_view){ .live = true, .access = 7 };
}

void fake_views_end(uint32_t domain)
{
	for (uint32_t i = 0; i < VIEWS_MAX; i++) {
		free(fake_views[domain][i].entries);
		fake_views[domain][i] = (struct fake_view){ 0 };
	}
	fake.domains[domain].losses = 0;
}

/* The page at gfn has gone from the base. */
void fake_views_lost(uint32_t domain, uint64_t gfn)
{
	for (uint32_t i = 1; i < VIEWS_MAX; i++) {
		struct fake_view *v = find(domain, i);

		for (uint32_t at = 0; v && v->entries && at < FAKE_GFNS; at++) {
			if (v->entries[at].target == gfn) {
				v->entries[at].target = ~0ull;
				v->generation++;
				fake.domains[domain].losses++;
			}
		}
	}
}

int nuc_view_create(uint32_t domain, uint32_t view, uint32_t default_access, uint32_t flags)
{
	if (!fake.domains[domain].exists)
		return -ESRCH;
	if (!view || view >= VIEWS_MAX || !access_ok(default_access) || default_access > 7 ||
	    flags > VIEW_EMPTY)
		return -EINVAL;
	if (find(domain, view))
		return -EEXIST;
	fake_views[domain][view] = (struct fake_view){ .live = true, .access = (uint8_t)default_access,
							.flags = (uint8_t)flags };
	return 0;
}

static uint32_t vcpus_in(uint32_t domain, uint32_t view)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < DOMAIN_VCPUS_MAX; i++) {
		const struct fake_vcpu *v = &fake.vcpus[domain * DOMAIN_VCPUS_MAX + i];

		n += v->created && v->view == view;
	}
	return n;
}

int nuc_view_destroy(uint32_t domain, uint32_t view)
{
	struct fake_view *v = find(domain, view);

	if (!view)
		return -EINVAL;
	if (!v)
		return -ENOENT;
	if (vcpus_in(domain, view))
		return -EBUSY;
	for (uint32_t i = 0; i < DOMAIN_VCPUS_MAX; i++) {
		for (uint32_t slot = 0; slot < WINDOW_ENTRIES; slot++) {
			uint16_t *at = &fake.vcpus[domain * DOMAIN_VCPUS_MAX + i].slots[slot];

			if (*at == view + 1)
				*at = 0;
		}
	}
	free(v->entries);
	*v = (struct fake_view){ 0 };
	return 0;
}

int nuc_view_default(uint32_t domain, uint32_t view, uint32_t default_access)
{
	struct fake_view *v = find(domain, view);

	if (!v)
		return -ENOENT;
	if (!access_ok(default_access) || default_access > 7)
		return -EINVAL;
	v->access = (uint8_t)default_access;
	return 0;
}

static int change_one(uint32_t domain, uint32_t view, struct fake_view *v, const struct view_change *c)
{
	struct fake_entry *e;

	if ((!view && c->set & (VIEW_SET_TARGET | VIEW_SET_STEP)) ||
	    (c->set & VIEW_SET_ACCESS && c->access != VIEW_ACCESS_DEFAULT && !access_ok(c->access)) ||
	    (c->set & VIEW_SET_STEP && c->step != VIEW_NONE && (c->step == view || !find(domain, c->step))))
		return -EINVAL;
	if (c->gfn >= FAKE_GFNS)
		return -ESRCH;
	e = entry_of(v, c->gfn, false);
	if (!fake.domains[domain].type[c->gfn] && (!view || !any_set(e)))
		return -ESRCH;
	if (c->set & VIEW_SET_TARGET && c->new_gfn != ~0ull &&
	    (c->new_gfn >= FAKE_GFNS || !fake.domains[domain].type[c->new_gfn]))
		return -ESRCH;
	for (uint32_t i = 0; i < DOMAIN_VCPUS_MAX; i++) {
		const struct fake_vcpu *p = &fake.vcpus[domain * DOMAIN_VCPUS_MAX + i];

		if (p->functions && p->ve_gfn == c->gfn)
			return -EBUSY;
	}
	if (!any_set(e) && spent())
		return -ENOMEM;
	e = entry_of(v, c->gfn, true);
	if (c->set & VIEW_SET_ACCESS)
		e->access = c->access;
	if (c->set & VIEW_SET_TARGET)
		e->target = c->new_gfn;
	if (c->set & VIEW_SET_SUPPRESS_VE)
		e->suppress = c->suppress_ve;
	if (c->set & VIEW_SET_STEP)
		e->step = c->step;
	return 0;
}

int nuc_view_change(uint32_t domain, uint32_t view, const struct view_change *changes, uint32_t count,
		    int *error)
{
	struct fake_view *v = find(domain, view);
	uint32_t done;

	fake.view_changes++;
	*error = -ENOENT;
	for (done = 0; v && done < count; done++) {
		*error = change_one(domain, view, v, &changes[done]);
		if (*error)
			break;
	}
	return (int)done;
}

int nuc_view_entry(uint32_t domain, uint32_t view, gfn_t gfn, struct view_entry *out)
{
	struct fake_view *v = find(domain, view);
	struct fake_entry base = nothing_set, own = nothing_set;
	bool there;

	if (!v)
		return -ENOENT;
	if (gfn.gfn >= FAKE_GFNS)
		return -EINVAL;
	if (fake_views[domain][0].entries)
		base = fake_views[domain][0].entries[gfn.gfn];
	if (view && v->entries)
		own = v->entries[gfn.gfn];
	there = own.target != ~0ull || (fake.domains[domain].type[gfn.gfn] && !(v->flags & VIEW_EMPTY));
	*out = (struct view_entry){
		.target = !there ? ~0ull : own.target != ~0ull ? own.target : gfn.gfn,
		.step = own.step,
		.access = base.access == VIEW_ACCESS_DEFAULT ? 7 : base.access,
		.suppress_ve = base.suppress == VIEW_SUPPRESS_DEFAULT ? 1 : base.suppress,
		.own_access = own.access != VIEW_ACCESS_DEFAULT,
		.own_target = own.target != ~0ull,
		.own_suppress_ve = own.suppress != VIEW_SUPPRESS_DEFAULT,
		.own_step = own.step != VIEW_NONE,
	};
	if (view)
		out->access = out->own_access ? own.access : out->access & v->access;
	if (out->own_suppress_ve)
		out->suppress_ve = own.suppress;
	return 0;
}

int nuc_view_list(uint32_t domain, uint32_t from, struct view_info *info, uint32_t count)
{
	uint32_t n = 0;

	if (!fake.domains[domain].exists)
		return -ESRCH;
	if (count > VIEWS_MAX)
		return -EINVAL;
	for (uint32_t i = from; i < VIEWS_MAX && n < count; i++) {
		const struct fake_view *v = &fake_views[domain][i];

		if (!v->live)
			continue;
		info[n] = (struct view_info){ .view = i, .vcpus = vcpus_in(domain, i),
					      .generation = v->generation, .default_access = v->access,
					      .flags = v->flags };
		for (uint32_t gfn = 0; v->entries && gfn < FAKE_GFNS; gfn++)
			info[n].own_entries += any_set(&v->entries[gfn]);
		n++;
	}
	return (int)n;
}

uint64_t nuc_view_losses(uint32_t domain)
{
	return fake.domains[domain].losses;
}

int nuc_view_enter(uint32_t domain, uint32_t which, uint32_t view)
{
	if (!find(domain, view))
		return -ENOENT;
	if (view && spent())
		return -ENOMEM;
	for (uint32_t i = 0; i < DOMAIN_VCPUS_MAX; i++) {
		if (which >> i & 1)
			fake.vcpus[domain * DOMAIN_VCPUS_MAX + i].view = (uint16_t)view;
	}
	return 0;
}

uint32_t nuc_vcpu_view(uint32_t vcpu)
{
	return fake.vcpus[vcpu].view;
}

int nuc_view_window(uint32_t domain, uint32_t which, uint32_t slot, uint32_t view)
{
	if (slot >= WINDOW_ENTRIES)
		return -EINVAL;
	if (view != VIEW_NONE && !find(domain, view))
		return -ENOENT;
	if (view != VIEW_NONE && spent())
		return -ENOMEM;
	for (uint32_t i = 0; i < DOMAIN_VCPUS_MAX; i++) {
		if (which >> i & 1)
			fake.vcpus[domain * DOMAIN_VCPUS_MAX + i].slots[slot] = (uint16_t)(view + 1);
	}
	return 0;
}

/* Slots are kept as view + 1, modulo 65536, so that a zeroed vCPU shows nothing. */
int nuc_vcpu_window(uint32_t vcpu, uint32_t slot)
{
	return slot < WINDOW_ENTRIES ? (uint16_t)(fake.vcpus[vcpu].slots[slot] - 1) : -EINVAL;
}

int nuc_vcpu_functions_on(uint32_t vcpu, gfn_t ve_page)
{
	struct fake_vcpu *v = &fake.vcpus[vcpu];
	uint32_t domain = vcpu / DOMAIN_VCPUS_MAX;

	if (v->functions)
		return -EEXIST;
	if (ve_page.gfn >= FAKE_GFNS || fake.domains[domain].type[ve_page.gfn] != 1)
		return -ENOENT;
	for (uint32_t i = 0; i < VIEWS_MAX; i++) {
		const struct fake_view *w = &fake_views[domain][i];

		if (w->entries && any_set(&w->entries[ve_page.gfn]))
			return -ENOENT;
	}
	v->functions = true;
	v->ve_gfn = ve_page.gfn;
	return 0;
}

int nuc_vcpu_functions_off(uint32_t vcpu)
{
	fake.vcpus[vcpu].functions = false;
	return 0;
}
