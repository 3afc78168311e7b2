/* SPDX-License-Identifier: Apache-2.0 */
/*
 * memory_op: where shared_info lies, ballooning, and questions about size.
 *
 * Reservation calls return how many extents were done, not an error, as Xen's
 * do. Each call is bounded: a longer one ends early with the count it reached,
 * since the core runs every call to completion.
 */
#include "core_internal.h"
#include "hypercall.h"

#define EXTENT_ORDER_MAX 9u       /* 2 MiB */
#define PAGES_PER_CALL 4096u      /* then the rest counts as not done */
#define PAGES_PER_LOCK 64u        /* other CPUs get the lock in between */

static void note_gfn(struct domain *d, uint64_t gfn)
{
	if (gfn > d->highest_gfn.gfn)
		d->highest_gfn = gfn_of(gfn);
}

/* How far an extent got; false ends the call. */
static bool give_extent(struct domain *d, uint64_t gfn, uint64_t count)
{
	if (d->pages + count > d->pages_max || gfn + count < gfn)
		return false;
	if (nuc_memory_add(d->id, gfn_of(gfn), count))
		return false;
	d->pages += count;
	note_gfn(d, gfn + count - 1);
	return true;
}

static bool take_extent(struct domain *d, uint64_t gfn, uint64_t count)
{
	if (gfn + count < gfn)
		return false;
	for (uint64_t i = 0; i < count; i++) {
		if (nuc_memory_remove(d->id, gfn_of(gfn + i)))
			return false;
		d->pages--;
	}
	return true;
}

/* One piece of a reservation call: the core lock is held from here to the return. */
static uint64_t reservation_piece(struct domain *d, const struct xen_memory_reservation *a, uint64_t done,
				  uint64_t end, bool give, bool *stop)
{
	uint64_t count = 1ull << a->extent_order, pages = 0, gfn;

	for (; done < end && pages < PAGES_PER_LOCK; done++, pages += count) {
		if (nuc_copy_in(&gfn, gva_of(a->extent_start + done * sizeof(gfn)), sizeof(gfn)) ||
		    !(give ? give_extent(d, gfn, count) : take_extent(d, gfn, count))) {
			*stop = true;
			break;
		}
	}
	return done;
}

static long reservation(uint64_t arg, uint64_t start, bool give)
{
	struct xen_memory_reservation a;
	uint64_t done = start, end;
	bool stop = false;

	if (nuc_copy_in(&a, gva_of(arg), sizeof(a)))
		return (long)start;
	/* Is the list of a size that the result can count? */
	if (a.nr_extents > ~0ull >> (MEMOP_EXTENT_SHIFT + 1) || start >= a.nr_extents)
		return (long)start;
	if (a.extent_order > EXTENT_ORDER_MAX || (give && (a.mem_flags & XENMEMF_populate_on_demand)))
		return (long)start;
	end = min_u64(a.nr_extents, start + (PAGES_PER_CALL >> a.extent_order));

	while (done < end && !stop) {
		struct vcpu *v = hypercall_begin();
		struct domain *d;
		int r;

		if (!v)
			return -CORE_EINTR;
		/* Looked up anew for each piece: it may have ended in between. */
		r = domain_target(v, a.domid, &d);
		if (r) {
			core_unlock();
			return r == -ESRCH ? (long)done : r;
		}
		done = reservation_piece(d, &a, done, end, give, &stop);
		altp2m_memory_changed(d);
		core_unlock();
	}
	return (long)done;
}

static long add_to_physmap(uint64_t arg)
{
	struct xen_add_to_physmap a;
	struct domain *d;
	struct vcpu *v;
	bool was_ram;
	long r;

	if (nuc_copy_in(&a, gva_of(arg), sizeof(a)))
		return -EFAULT;
	if (a.space == XENMAPSPACE_grant_table)
		return -EINVAL; /* no grant table to map: what Xen says without one */
	if (a.space != XENMAPSPACE_shared_info)
		return -ENOSYS;
	if (a.idx != 0)
		return -EINVAL;
	v = hypercall_begin();
	if (!v)
		return -CORE_EINTR;
	r = domain_target(v, a.domid, &d);
	if (!r) {
		was_ram = nuc_memory_type(d->id, gfn_of(a.gpfn)) == 1;
		r = nuc_share_map(d->id, SHARE_INFO, gfn_of(a.gpfn));
		if (!r) {
			d->pages -= was_ram;
			note_gfn(d, a.gpfn);
			altp2m_memory_changed(d);
		}
	}
	core_unlock();
	return r;
}

static long remove_from_physmap(uint64_t arg)
{
	struct xen_remove_from_physmap a;
	struct domain *d;
	struct vcpu *v;
	long r;

	if (nuc_copy_in(&a, gva_of(arg), sizeof(a)))
		return -EFAULT;
	v = hypercall_begin();
	if (!v)
		return -CORE_EINTR;
	r = domain_target(v, a.domid, &d);
	if (!r) {
		r = nuc_memory_remove(d->id, gfn_of(a.gpfn));
		if (!r) {
			d->pages--;
			altp2m_memory_changed(d);
		}
	}
	core_unlock();
	return r;
}

/* Sub-ops whose argument is just a domain id. */
static long query(uint32_t cmd, uint64_t arg)
{
	uint16_t domid;
	struct domain *d;
	struct vcpu *v;
	long r;

	if (nuc_copy_in(&domid, gva_of(arg), sizeof(domid)))
		return -EFAULT;
	v = hypercall_begin();
	if (!v)
		return -CORE_EINTR;
	r = domain_target(v, domid, &d);
	if (!r)
		r = (long)(cmd == XENMEM_current_reservation ? d->pages :
			   cmd == XENMEM_maximum_reservation ? d->pages_max : d->highest_gfn.gfn);
	core_unlock();
	return r;
}

static long memory_map(uint64_t arg)
{
	struct e820_entry entries[ARRAY_SIZE(((struct domain *)0)->map)];
	struct xen_memory_map a;
	struct vcpu *v;
	uint32_t count;

	if (nuc_copy_in(&a, gva_of(arg), sizeof(a)))
		return -EFAULT;
	v = hypercall_begin();
	if (!v)
		return -CORE_EINTR;
	count = v->domain->map_count;
	for (uint32_t i = 0; i < count; i++) {
		const struct memory_range *m = &v->domain->map[i];

		entries[i] = (struct e820_entry){ m->start, m->size, m->type };
	}
	core_unlock();
	if (!count)
		return -ENOSYS;
	/* As many as the buffer takes, and how many these are. */
	if (count > a.nr_entries)
		count = a.nr_entries;
	a.nr_entries = count;
	if (count && nuc_copy_out(gva_of(a.buffer), entries, count * sizeof(entries[0])))
		return -EFAULT;
	return nuc_copy_out(gva_of(arg), &a, sizeof(a)) ? -EFAULT : 0;
}

long hypercall_memory_op(uint64_t cmd, uint64_t arg, uint64_t a3, uint64_t a4, uint64_t a5)
{
	uint64_t start = (cmd & 0xffffffffu) >> MEMOP_EXTENT_SHIFT;

	(void)a3, (void)a4, (void)a5;
	switch (cmd & MEMOP_CMD_MASK) {
	case XENMEM_decrease_reservation:
		return reservation(arg, start, false);
	case XENMEM_populate_physmap:
		return reservation(arg, start, true);
	case XENMEM_maximum_ram_page:
		return (long)boot_free_pages;
	case XENMEM_current_reservation:
	case XENMEM_maximum_reservation:
	case XENMEM_maximum_gpfn:
		return query(cmd & MEMOP_CMD_MASK, arg);
	case XENMEM_add_to_physmap:
		return add_to_physmap(arg);
	case XENMEM_memory_map:
		return memory_map(arg);
	case XENMEM_remove_from_physmap:
		return remove_from_physmap(arg);
	default:
		return -ENOSYS;
	}
}
