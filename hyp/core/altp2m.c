/* SPDX-License-Identifier: Apache-2.0 */
/*
 * HVMOP_altp2m: Xen's sixteen sub-ops and ten more. docs/altp2m.md describes
 * each, docs/abi.md says where they are not Xen's on purpose.
 *
 * View 0 is the domain's memory map itself. Everything that a view is lies in
 * the nucleus; here is only which numbers are in use and which views are visible.
 * A created view shows in slot `number` of the VMFUNC window of every vCPU, if
 * the number is below 512, also while VMFUNC is off there.
 *
 * A call is served in a fixed order: the whole argument is copied in, checks in
 * Xen's order, the sub-op, and what it wrote is copied back.
 */
#include "core_internal.h"

#define CHUNK 512u                /* entries changed per gate call: one flush for each */
#define WORK_MAX 65536u           /* entries per call; then -EAGAIN, to be called again */
#define GFN_LAST ((1ull << 52) - 1)
#define LIST_CHUNK 64u

_Static_assert(CHUNK * sizeof(uint64_t) <= 65536 && WORK_MAX % CHUNK == 0, "one copy takes a chunk");
_Static_assert(ALTP2M_NO_VIEW == VIEW_NONE && ALTP2M_default == VIEW_ACCESS_DEFAULT &&
		       ALTP2M_rx2rw == VIEW_ACCESS_RX_TO_RW && ALTP2M_n2rwx == VIEW_ACCESS_N_TO_RWX &&
		       ALTP2M_r == 1 && ALTP2M_w == 2 && ALTP2M_x == 4,
	       "the ABI's values are the gate's");
_Static_assert(ALTP2M_OPS <= 32, "one capability bit for each sub-op");
_Static_assert(DOMAIN_VCPUS_MAX < 32, "a mask has a bit for each vCPU");

struct call {
	struct domain *d;             /* whose views */
	struct vcpu *v;               /* who asks */
	struct altp2m_op a;
};

/* The core lock guards these; they are too large for the stack. */
static struct view_change changes[CHUNK];
static uint64_t gfns[CHUNK];
static uint8_t accesses[CHUNK];
static struct view_info infos[LIST_CHUNK];
static struct altp2m_view rows[LIST_CHUNK];

static bool test(const uint64_t *bits, uint32_t n) { return bits[n / 64] >> (n % 64) & 1; }
static void set(uint64_t *bits, uint32_t n) { bits[n / 64] |= 1ull << (n % 64); }
static void clear(uint64_t *bits, uint32_t n) { bits[n / 64] &= ~(1ull << (n % 64)); }

static bool view_live(const struct domain *d, uint32_t view)
{
	return view < VIEWS_MAX && test(d->altp2m.live, view);
}

/* Access values of an entry; -w- and -wx don't exist in hardware. */
static bool access_valid(uint32_t access)
{
	return access <= ALTP2M_default && access != ALTP2M_w && access != ALTP2M_wx;
}

/* Access values of a whole view, with its `default` meaning: as the base. False: none. */
static bool default_valid(uint32_t access, uint32_t *out)
{
	*out = access == ALTP2M_default ? ALTP2M_rwx : access;
	return access_valid(access) && *out <= ALTP2M_rwx;
}

static uint32_t handle_of(const struct domain *d, uint32_t number)
{
	return d->id * DOMAIN_VCPUS_MAX + number;
}

/* Bits of all vCPUs, up or not. */
static uint32_t all_vcpus(const struct domain *d)
{
	return (1u << d->vcpu_count) - 1;
}

/* One change; 0 or -errno. */
static int change(const struct domain *d, uint32_t view, const struct view_change *c)
{
	int error;

	return nuc_view_change(d->id, view, c, 1, &error) == 1 ? 0 : error;
}

/* Facts about one view that exists. */
static int info_of(const struct domain *d, uint32_t view, struct view_info *info)
{
	return nuc_view_list(d->id, view, info, 1) == 1 && info->view == view ? 0 : -EINVAL;
}

/*
 * Lets other CPUs have the core lock between two pieces of a long call. False:
 * the domain, or the caller, isn't what it was; the lock is held all the same.
 */
static bool breathe(const struct call *c, uint32_t view)
{
	core_unlock();
	core_lock();
	if (c->v->state == VCPU_DEAD) {
		this_cpu()->work = true;
		return false;
	}
	return c->d->live && !c->d->dying && view_live(c->d, view);
}

/* ---- the domain's state ----------------------------------------------------- */

static long op_get_domain_state(struct call *c)
{
	c->a.u.domain_state.state = c->d->altp2m.on;
	return 0;
}

/* No slot of any vCPU shows the view any more. A guest that used set_window pays for the search. */
static int hide_everywhere(const struct domain *d, uint32_t view)
{
	for (uint32_t i = 0; i < d->vcpu_count; i++) {
		for (uint32_t slot = 0; slot < WINDOW_ENTRIES; slot++) {
			int r = 0;

			if (nuc_vcpu_window(handle_of(d, i), slot) == (int)view)
				r = nuc_view_window(d->id, 1u << i, slot, VIEW_NONE);
			if (r)
				return r;
		}
	}
	return 0;
}

static int hide(const struct domain *d, uint32_t view)
{
	if (d->altp2m.windows)
		return hide_everywhere(d, view);
	return view < WINDOW_ENTRIES ? nuc_view_window(d->id, all_vcpus(d), view, VIEW_NONE) : 0;
}

static int show(const struct domain *d, uint32_t view)
{
	return view < WINDOW_ENTRIES ? nuc_view_window(d->id, all_vcpus(d), view, view) : 0;
}

static int switch_on(struct domain *d)
{
	int r = show(d, 0);

	if (r)
		return r;
	memset(&d->altp2m, 0, sizeof(d->altp2m));
	set(d->altp2m.live, 0);
	set(d->altp2m.visible, 0);
	d->altp2m.first_free = 1;
	d->altp2m.losses = nuc_view_losses(d->id);
	d->altp2m.on = true;
	return 0;
}

/* What fails leaves altp2m on, with the views that are still there. */
static int switch_off(struct domain *d)
{
	int r;

	/* In this order: without VMFUNC no vCPU leaves view 0 again. */
	for (uint32_t i = 0; i < d->vcpu_count; i++) {
		r = nuc_vcpu_functions_off(handle_of(d, i));
		if (r)
			return r;
	}
	r = nuc_view_enter(d->id, all_vcpus(d), 0);
	for (uint32_t view = 1; view < VIEWS_MAX && !r; view++) {
		if (!d->altp2m.live[view / 64]) {
			view |= 63;
			continue;
		}
		if (!test(d->altp2m.live, view))
			continue;
		r = nuc_view_destroy(d->id, view);
		if (!r)
			clear(d->altp2m.live, view);
		d->altp2m.first_free = 1;
	}
	if (!r)
		r = hide(d, 0);
	if (!r)
		memset(&d->altp2m, 0, sizeof(d->altp2m));
	return r;
}

static long op_set_domain_state(struct call *c)
{
	bool on = c->a.u.domain_state.state;

	if (on == c->d->altp2m.on)
		return 0;
	return on ? switch_on(c->d) : switch_off(c->d);
}

/* ---- views -------------------------------------------------------------------- */

static long create(struct call *c, uint32_t flags)
{
	struct altp2m *s = &c->d->altp2m;
	uint32_t word = s->first_free / 64, view, access;
	int r;

	if (!default_valid(c->a.u.view.default_access, &access))
		return -EINVAL;
	while (word < ARRAY_SIZE(s->live) && !~s->live[word])
		word++;
	if (word == ARRAY_SIZE(s->live))
		return -EINVAL;
	view = word * 64 + (uint32_t)__builtin_ctzll(~s->live[word]);
	r = nuc_view_create(c->d->id, view, access, flags);
	if (r)
		return r;
	r = show(c->d, view);
	if (r) {
		if (nuc_view_destroy(c->d->id, view))
			domain_crash(c->d, "altp2m: view %u, which nobody saw, is in use", view);
		return r;
	}
	set(s->live, view);
	set(s->visible, view);
	s->first_free = view + 1;
	c->a.u.view.view = (uint16_t)view;
	return 0;
}

static long op_create(struct call *c) { return create(c, 0); }
static long op_create_empty(struct call *c) { return create(c, VIEW_EMPTY); }

/* Xen has one error for all that can be wrong. */
static long op_destroy(struct call *c)
{
	struct altp2m *s = &c->d->altp2m;
	uint32_t view = c->a.u.view.view;

	if (!view || !view_live(c->d, view) || nuc_view_destroy(c->d->id, view))
		return -EBUSY;
	clear(s->live, view);
	clear(s->visible, view);
	if (view < s->first_free)
		s->first_free = view;
	return 0;
}

static long enter(struct call *c, uint32_t which, uint32_t view)
{
	if (!view_live(c->d, view) || !test(c->d->altp2m.visible, view))
		return -EINVAL;
	return nuc_view_enter(c->d->id, which, view);
}

static long op_switch(struct call *c)
{
	return enter(c, all_vcpus(c->d), c->a.u.view.view);
}

static long op_switch_vcpu(struct call *c)
{
	if (c->a.u.switch_vcpu.pad || c->a.u.switch_vcpu.vcpu_id >= c->d->vcpu_count)
		return -EINVAL;
	return enter(c, 1u << c->a.u.switch_vcpu.vcpu_id, c->a.u.switch_vcpu.view);
}

static long op_set_visibility(struct call *c)
{
	struct altp2m *s = &c->d->altp2m;
	uint32_t view = c->a.u.visibility.view;
	int r;

	if (c->a.u.visibility.pad || !view_live(c->d, view))
		return -EINVAL;
	r = c->a.u.visibility.visible ? show(c->d, view) : hide(c->d, view);
	if (r)
		return r;
	if (c->a.u.visibility.visible)
		set(s->visible, view);
	else
		clear(s->visible, view);
	return 0;
}

static long op_set_window(struct call *c)
{
	uint32_t vcpu = c->a.u.window.vcpu_id, slot = c->a.u.window.slot, view = c->a.u.window.view;
	int r;

	if (vcpu >= c->d->vcpu_count || slot >= WINDOW_ENTRIES)
		return -EINVAL;
	if (view != VIEW_NONE && (!view_live(c->d, view) || !test(c->d->altp2m.visible, view)))
		return -EINVAL;
	r = nuc_view_window(c->d->id, 1u << vcpu, slot, view);
	if (!r && view != VIEW_NONE && view != slot)
		c->d->altp2m.windows = true;
	return r;
}

static long op_set_default_access(struct call *c)
{
	uint32_t access;

	if (c->a.u.default_access.pad || !view_live(c->d, c->a.u.default_access.view) ||
	    !default_valid(c->a.u.default_access.access, &access))
		return -EINVAL;
	return nuc_view_default(c->d->id, c->a.u.default_access.view, access);
}

static long op_get_p2m_idx(struct call *c)
{
	if (c->a.u.p2m_idx.vcpu_id >= c->d->vcpu_count)
		return -EINVAL;
	c->a.u.p2m_idx.view = (uint16_t)nuc_vcpu_view(handle_of(c->d, c->a.u.p2m_idx.vcpu_id));
	return 0;
}

/* ---- VMFUNC and #VE ------------------------------------------------------------- */

static long op_enable_notify(struct call *c)
{
	int r;

	if (c->a.u.enable_notify.pad || c->a.u.enable_notify.vcpu_id >= c->d->vcpu_count)
		return -EINVAL;
	r = nuc_vcpu_functions_on(handle_of(c->d, c->a.u.enable_notify.vcpu_id),
				  gfn_of(c->a.u.enable_notify.gfn));
	return r == -ENOENT ? -EINVAL : r;
}

static long op_disable_notify(struct call *c)
{
	if (c->a.u.disable_notify.vcpu_id >= c->d->vcpu_count)
		return -EINVAL;
	return nuc_vcpu_functions_off(handle_of(c->d, c->a.u.disable_notify.vcpu_id));
}

/* ---- entries ---------------------------------------------------------------------- */

static long op_set_mem_access(struct call *c)
{
	struct view_change w = { .gfn = c->a.u.mem_access.gfn, .set = VIEW_SET_ACCESS };
	uint32_t access = c->a.u.mem_access.access;
	int r;

	if (c->a.u.mem_access.pad || !view_live(c->d, c->a.u.mem_access.view) || !access_valid(access))
		return -EINVAL;
	/* The base's default, whichever view was named: Xen's rule. `default` is what it is already. */
	if (unlikely(w.gfn == ALTP2M_NO_GFN)) {
		if (access == ALTP2M_default)
			return 0;
		return default_valid(access, &access) ? nuc_view_default(c->d->id, 0, access) : -EINVAL;
	}
	w.access = (uint8_t)access;
	r = change(c->d, c->a.u.mem_access.view, &w);
	return r == -ESRCH ? 0 : r; /* nothing there to restrict: done */
}

static long op_get_mem_access(struct call *c)
{
	uint32_t view = c->a.u.mem_access.view;
	struct view_entry entry;
	struct view_info info;

	if (c->a.u.mem_access.pad || !view_live(c->d, view))
		return -EINVAL;
	if (c->a.u.mem_access.gfn == ALTP2M_NO_GFN) {
		if (info_of(c->d, view, &info))
			return -EINVAL;
		c->a.u.mem_access.access = info.default_access;
		return 0;
	}
	if (nuc_view_entry(c->d->id, view, gfn_of(c->a.u.mem_access.gfn), &entry) ||
	    entry.target == ALTP2M_NO_GFN)
		return -ESRCH;
	c->a.u.mem_access.access = entry.access;
	return 0;
}

/*
 * The page of new_gfn shows at old_gfn; #VE goes to a guest that set this up
 * itself, not to one whose agent did. Reverting takes back both.
 */
static long op_change_gfn(struct call *c)
{
	struct view_change w = {
		.gfn = c->a.u.change_gfn.old_gfn,
		.new_gfn = c->a.u.change_gfn.new_gfn,
		.set = VIEW_SET_TARGET | VIEW_SET_SUPPRESS_VE,
		.suppress_ve = c->v->domain != c->d,
	};
	int r;

	/* The base is what is remapped from: it has nothing below it to show instead. */
	if (c->a.u.change_gfn.pad1 || c->a.u.change_gfn.pad2 || !c->a.u.change_gfn.view ||
	    !view_live(c->d, c->a.u.change_gfn.view))
		return -EINVAL;
	if (w.new_gfn == ALTP2M_NO_GFN)
		w.suppress_ve = VIEW_SUPPRESS_DEFAULT;
	r = change(c->d, c->a.u.change_gfn.view, &w);
	return r == -ESRCH && w.new_gfn == ALTP2M_NO_GFN ? 0 : r;
}

/* Applies changes[0 .. n - 1] but for those of gfns without RAM. */
static long change_chunk(const struct domain *d, uint32_t view, uint32_t n)
{
	for (uint32_t done = 0; done < n; done++) {
		int error = 0;

		done += (uint32_t)nuc_view_change(d->id, view, changes + done, n - done, &error);
		if (done < n && error != -ESRCH)
			return error;
	}
	return 0;
}

/*
 * Does at most n of the caller's entries from `start` on, n <= CHUNK. How many, or
 * -errno: then those before the bad one are done, as they are in Xen.
 */
static long access_chunk(const struct call *c, uint64_t start, uint32_t n)
{
	uint64_t at = c->a.u.mem_access_multi.gfns + start * sizeof(gfns[0]);
	uint32_t i;
	long r;

	if (nuc_copy_in(accesses, gva_of(c->a.u.mem_access_multi.accesses + start), n) ||
	    nuc_copy_in(gfns, gva_of(at), n * sizeof(gfns[0]))) {
		/* One by one up to what can't be read. */
		return n == 1 ? -EFAULT : access_chunk(c, start, 1);
	}
	for (i = 0; i < n && access_valid(accesses[i]); i++) {
		changes[i].gfn = gfns[i];
		changes[i].set = VIEW_SET_ACCESS;
		changes[i].access = accesses[i];
	}
	r = change_chunk(c->d, c->a.u.mem_access_multi.view, i);
	if (r)
		return r;
	return i < n ? -EINVAL : (long)n;
}

static long op_set_mem_access_multi(struct call *c)
{
	uint64_t start = c->a.u.mem_access_multi.opaque;
	uint32_t view = c->a.u.mem_access_multi.view, nr = c->a.u.mem_access_multi.nr, work = 0;

	if (c->a.u.mem_access_multi.pad || start > nr || !view_live(c->d, view))
		return -EINVAL;
	while (start < nr) {
		long n = access_chunk(c, start, (uint32_t)min_u64(nr - start, CHUNK));

		if (n < 0)
			return n;
		start += (uint64_t)n;
		work += (uint32_t)n;
		if (start == nr)
			break;
		if (work >= WORK_MAX) {
			c->a.u.mem_access_multi.opaque = start;
			return -EAGAIN;
		}
		if (!breathe(c, view))
			return -ESRCH;
	}
	return 0;
}

static long op_set_suppress_ve(struct call *c)
{
	struct view_change w = {
		.gfn = c->a.u.suppress_ve.gfn,
		.set = VIEW_SET_SUPPRESS_VE,
		.suppress_ve = c->a.u.suppress_ve.suppress != 0,
	};

	if (c->a.u.suppress_ve.pad1 || c->a.u.suppress_ve.pad2 || !view_live(c->d, c->a.u.suppress_ve.view))
		return -EINVAL;
	return change(c->d, c->a.u.suppress_ve.view, &w);
}

static long op_get_suppress_ve(struct call *c)
{
	struct view_entry entry;

	if (c->a.u.suppress_ve.pad1 || c->a.u.suppress_ve.pad2 || !view_live(c->d, c->a.u.suppress_ve.view))
		return -EINVAL;
	if (nuc_view_entry(c->d->id, c->a.u.suppress_ve.view, gfn_of(c->a.u.suppress_ve.gfn), &entry) ||
	    entry.target == ALTP2M_NO_GFN)
		return -ESRCH;
	c->a.u.suppress_ve.suppress = entry.suppress_ve;
	return 0;
}

static void first_error(struct call *c, uint64_t gfn, int error)
{
	if (c->a.u.suppress_ve_multi.first_error)
		return;
	c->a.u.suppress_ve_multi.first_error = error;
	c->a.u.suppress_ve_multi.first_error_gfn = gfn;
}

/* n gfns from `gfn` on, n <= CHUNK; an error is noted and passed over. */
static void suppress_chunk(struct call *c, uint64_t gfn, uint32_t n)
{
	uint8_t suppress = c->a.u.suppress_ve_multi.suppress != 0;

	for (uint32_t i = 0; i < n; i++) {
		changes[i].gfn = gfn + i;
		changes[i].set = VIEW_SET_SUPPRESS_VE;
		changes[i].suppress_ve = suppress;
	}
	for (uint32_t done = 0; done < n; done++) {
		int error = 0;

		done += (uint32_t)nuc_view_change(c->d->id, c->a.u.suppress_ve_multi.view, changes + done,
						  n - done, &error);
		if (done < n)
			first_error(c, gfn + done, error);
	}
}

static long op_set_suppress_ve_multi(struct call *c)
{
	uint64_t first = c->a.u.suppress_ve_multi.first_gfn;
	uint64_t last = min_u64(c->a.u.suppress_ve_multi.last_gfn, GFN_LAST);
	uint32_t view = c->a.u.suppress_ve_multi.view, work = 0;
	long r = 0;

	if (c->a.u.suppress_ve_multi.pad1 || first > last || !view_live(c->d, view))
		return -EINVAL;
	c->a.u.suppress_ve_multi.last_gfn = last;
	while (first <= last) {
		uint64_t end = min_u64(last, c->d->highest_gfn.gfn);
		uint32_t n;

		if (first > end) {
			/* Beyond all RAM: the same error for each. */
			first_error(c, first, -ESRCH);
			first = last + 1;
			break;
		}
		if (work >= WORK_MAX) {
			r = -EAGAIN;
			break;
		}
		if (work && !breathe(c, view))
			return -ESRCH;
		n = (uint32_t)min_u64(end - first + 1, CHUNK);
		suppress_chunk(c, first, n);
		first += n;
		work += n;
	}
	c->a.u.suppress_ve_multi.first_gfn = first;
	return r;
}

/* ---- beyond Xen's ------------------------------------------------------------------ */

/* One piece of the list; how many views, or -errno. *from moves on behind the last. */
static long list_piece(struct call *c, uint32_t *from, uint32_t filled, uint32_t n)
{
	int count = nuc_view_list(c->d->id, *from, infos, n);

	if (count <= 0)
		return count;
	for (int i = 0; i < count; i++) {
		rows[i] = (struct altp2m_view){
			.view = infos[i].view,
			.tables = infos[i].tables,
			.vcpus = infos[i].vcpus,
			.own_entries = infos[i].own_entries,
			.generation = infos[i].generation,
			.default_access = infos[i].default_access,
			.empty = infos[i].flags & VIEW_EMPTY ? 1 : 0,
			.visible = test(c->d->altp2m.visible, infos[i].view),
		};
	}
	*from = infos[count - 1].view + 1;
	if (nuc_copy_out(gva_of(c->a.u.list.buffer + filled * sizeof(rows[0])), rows,
			 (uint64_t)count * sizeof(rows[0])))
		return -EFAULT;
	return count;
}

static long op_list_views(struct call *c)
{
	uint32_t from = c->a.u.list.from, room = c->a.u.list.count, filled = 0;
	long n = 0;

	while (filled < room) {
		n = list_piece(c, &from, filled, (uint32_t)min_u64(room - filled, LIST_CHUNK));
		if (n < 0)
			return n;
		if (!n)
			break;
		filled += (uint32_t)n;
	}
	n = nuc_view_list(c->d->id, from, infos, 1);
	if (n < 0)
		return n;
	c->a.u.list.count = filled;
	c->a.u.list.from = n ? infos[0].view : 0;
	return 0;
}

static long op_get_entry(struct call *c)
{
	struct view_entry entry;
	int r;

	if (c->a.u.entry.pad1 || c->a.u.entry.pad2 || !view_live(c->d, c->a.u.entry.view))
		return -EINVAL;
	r = nuc_view_entry(c->d->id, c->a.u.entry.view, gfn_of(c->a.u.entry.gfn), &entry);
	if (r)
		return r;
	c->a.u.entry.target = entry.target;
	c->a.u.entry.step = entry.step;
	c->a.u.entry.access = entry.access;
	c->a.u.entry.suppress = entry.suppress_ve;
	c->a.u.entry.own = (uint8_t)((entry.own_access ? ALTP2M_OWN_ACCESS : 0) |
				     (entry.own_target ? ALTP2M_OWN_TARGET : 0) |
				     (entry.own_suppress_ve ? ALTP2M_OWN_SUPPRESS_VE : 0) |
				     (entry.own_step ? ALTP2M_OWN_STEP : 0));
	c->a.u.entry.level = entry.level;
	c->a.u.entry.pad3 = 0;
	return 0;
}

/* Both views or neither: should the second fail, the first is put back as it was. */
static long op_split_remap(struct call *c)
{
	uint32_t view = c->a.u.split_remap.view, data = c->a.u.split_remap.data_view;
	uint64_t gfn = c->a.u.split_remap.gfn;
	struct view_change read = { .gfn = gfn, .new_gfn = c->a.u.split_remap.data_gfn,
				    .set = VIEW_SET_TARGET | VIEW_SET_ACCESS, .access = ALTP2M_rwx };
	struct view_change run = { .gfn = gfn, .new_gfn = c->a.u.split_remap.exec_gfn,
				   .set = VIEW_SET_TARGET | VIEW_SET_ACCESS | VIEW_SET_SUPPRESS_VE |
					  VIEW_SET_STEP,
				   .access = ALTP2M_x, .suppress_ve = 1, .step = (uint16_t)data };
	struct view_entry old;
	int r;

	if (c->a.u.split_remap.pad || !view || !data || view == data || !view_live(c->d, view) ||
	    !view_live(c->d, data))
		return -EINVAL;
	r = nuc_view_entry(c->d->id, data, gfn_of(gfn), &old);
	if (r)
		return r == -EINVAL ? -ESRCH : r;
	r = change(c->d, data, &read);
	if (r)
		return r;
	r = change(c->d, view, &run);
	if (!r)
		return 0;
	read.new_gfn = old.own_target ? old.target : ALTP2M_NO_GFN;
	read.access = old.own_access ? old.access : VIEW_ACCESS_DEFAULT;
	if (change(c->d, data, &read))
		domain_crash(c->d, "altp2m: gfn 0x%lx of view %u can't be put back", gfn, data);
	return r;
}

static long op_set_step(struct call *c)
{
	uint32_t view = c->a.u.step.view, step = c->a.u.step.step_view;
	struct view_change w = { .gfn = c->a.u.step.gfn, .set = VIEW_SET_STEP, .step = (uint16_t)step };

	if (c->a.u.step.pad || !view || !view_live(c->d, view))
		return -EINVAL;
	if (step != VIEW_NONE && (step == view || !view_live(c->d, step)))
		return -EINVAL;
	return change(c->d, view, &w);
}

static long op_get_generation(struct call *c)
{
	struct view_info info;

	if (c->a.u.generation.pad1 || c->a.u.generation.pad2)
		return -EINVAL;
	if (c->a.u.generation.view == VIEW_NONE) {
		c->a.u.generation.generation = nuc_view_losses(c->d->id);
		return 0;
	}
	if (!view_live(c->d, c->a.u.generation.view) || info_of(c->d, c->a.u.generation.view, &info))
		return -EINVAL;
	c->a.u.generation.generation = info.generation;
	return 0;
}

static long op_bind_invalidation(struct call *c)
{
	struct altp2m *s = &c->d->altp2m;
	uint32_t port = c->a.u.invalidation.port;

	if (c->a.u.invalidation.pad)
		return -EINVAL;
	if (port) {
		const struct evtchn *e = &c->v->domain->evtchns[port < EVTCHN_PORTS ? port : 0];

		/* Of the caller's own, and none that something else raises. */
		if (e->core_owned || (e->state != EVTCHN_UNBOUND && e->state != EVTCHN_INTERDOMAIN &&
				      e->state != EVTCHN_IPI))
			return -EINVAL;
	}
	if (c->v->domain == c->d) {
		s->own_port = port;
	} else {
		s->agent_port = port;
		s->agent = c->v->domain->id;
	}
	return 0;
}

void altp2m_memory_changed(struct domain *d)
{
	uint64_t losses;

	if (likely(!d->altp2m.on))
		return;
	losses = nuc_view_losses(d->id);
	if (likely(losses == d->altp2m.losses))
		return;
	d->altp2m.losses = losses;
	if (d->altp2m.own_port)
		evtchn_raise(d, d->altp2m.own_port);
	if (d->altp2m.agent_port)
		evtchn_raise(&domains[d->altp2m.agent], d->altp2m.agent_port);
}

void altp2m_domain_end(struct domain *d)
{
	for (uint32_t i = 0; i < DOMAINS_MAX; i++) {
		if (domains[i].altp2m.agent == d->id)
			domains[i].altp2m.agent_port = 0;
	}
	memset(&d->altp2m, 0, sizeof(d->altp2m));
}

/* ---- the dispatcher ------------------------------------------------------------------ */

/* What a sub-op writes goes back, on success and with -EAGAIN: `size` bytes at `offset` of `u`. */
struct handler {
	long (*run)(struct call *c);
	uint8_t offset, size;
	bool again_only;              /* not on success */
};

#define U(member) offsetof(struct altp2m_op, u.member) - offsetof(struct altp2m_op, u)
#define BACK(member) U(member), sizeof(((struct altp2m_op *)0)->u.member), false
#define XEN(name) [ALTP2M_##name - 1]
#define OWN(name) [ALTP2M_##name - ALTP2M_OWN_FIRST + ALTP2M_XEN_OPS]

static const struct handler handlers[ALTP2M_OPS] = {
	XEN(get_domain_state) = { op_get_domain_state, BACK(domain_state.state) },
	XEN(set_domain_state) = { .run = op_set_domain_state },
	XEN(vcpu_enable_notify) = { .run = op_enable_notify },
	XEN(create_p2m) = { op_create, BACK(view.view) },
	XEN(destroy_p2m) = { .run = op_destroy },
	XEN(switch_p2m) = { .run = op_switch },
	XEN(set_mem_access) = { .run = op_set_mem_access },
	XEN(change_gfn) = { .run = op_change_gfn },
	XEN(set_mem_access_multi) = { op_set_mem_access_multi, U(mem_access_multi.opaque), 8, true },
	XEN(set_suppress_ve) = { .run = op_set_suppress_ve },
	XEN(get_suppress_ve) = { op_get_suppress_ve, BACK(suppress_ve.suppress) },
	XEN(get_mem_access) = { op_get_mem_access, BACK(mem_access.access) },
	XEN(vcpu_disable_notify) = { .run = op_disable_notify },
	XEN(get_p2m_idx) = { op_get_p2m_idx, BACK(p2m_idx.view) },
	XEN(set_suppress_ve_multi) = { op_set_suppress_ve_multi, BACK(suppress_ve_multi) },
	XEN(set_visibility) = { .run = op_set_visibility },
	OWN(list_views) = { op_list_views, BACK(list) },
	OWN(get_entry) = { op_get_entry, BACK(entry) },
	OWN(switch_vcpu) = { .run = op_switch_vcpu },
	OWN(set_window) = { .run = op_set_window },
	OWN(set_default_access) = { .run = op_set_default_access },
	OWN(create_empty) = { op_create_empty, BACK(view.view) },
	OWN(split_remap) = { .run = op_split_remap },
	OWN(set_step) = { .run = op_set_step },
	OWN(get_generation) = { op_get_generation, BACK(generation) },
	OWN(bind_invalidation) = { .run = op_bind_invalidation },
};

/* The checks that all sub-ops share and that need the lock, in Xen's order. */
static int permitted(struct call *c, uint32_t row)
{
	const struct vcpu *v = c->v;
	struct domain *d = c->a.domain == ALTP2M_DOMID_SELF ? v->domain : domain_find(c->a.domain);
	enum altp2m_caller caller;

	if (!d || d->dying)
		return -ESRCH;
	c->d = d;
	if (!d->altp2m.on && row > altp2m_row(ALTP2M_set_domain_state))
		return -EOPNOTSUPP;
	caller = v->domain->control ? ALTP2M_CONTROL : v->domain == d ? ALTP2M_SELF : ALTP2M_OTHER;
	if (options.altp2m_policy->decide(row, d->altp2m_mode, caller) >= ALTP2M_DENIED)
		return d->altp2m_mode == PACK_ALTP2M_DISABLED ? -EINVAL : -EPERM;
	return d->capabilities >> row & 1 ? -EPERM : 0;
}

long altp2m_op(uint64_t arg)
{
	const struct handler *h;
	struct call c;
	uint32_t row;
	long r;

	if (unlikely(options.altp2m_off))
		return -EOPNOTSUPP;
	if (nuc_copy_in(&c.a, gva_of(arg), sizeof(c.a)))
		return -EFAULT;
	if (c.a.version != ALTP2M_VERSION || c.a.pad1 || c.a.pad2)
		return -EINVAL;
	row = altp2m_row(c.a.cmd);
	if (row >= ALTP2M_OPS)
		return -EOPNOTSUPP;
	h = &handlers[row];
	c.v = hypercall_begin();
	if (!c.v)
		return -CORE_EINTR;
	r = permitted(&c, row);
	if (likely(!r))
		r = h->run(&c);
	core_unlock();
	if (h->size && (r == -EAGAIN || (!r && !h->again_only))) {
		uint64_t at = arg + offsetof(struct altp2m_op, u) + h->offset;

		if (nuc_copy_out(gva_of(at), (const char *)&c.a.u + h->offset, h->size))
			return -EFAULT;
	}
	return r;
}
