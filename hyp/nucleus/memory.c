/* SPDX-License-Identifier: Apache-2.0 */
/* Domains and their memory: see memory.h, and nucleus.h for what each call promises. */
#include "memory.h"

#include "check.h"
#include "lock.h"
#include "string.h"
#include "view.h"

struct ticket_lock nucleus_lock_word;
struct nuc_domain nuc_domains[DOMAINS_MAX];

/* Sweeping looks at so many frames for each one it may free. */
#define SWEEP_LOOKS 64u
#define WRITE_MAX 65536u

/* ---- life and death ------------------------------------------------------ */

int nuc_domain_create(uint32_t domain, uint32_t table_budget)
{
	struct nuc_domain *d;
	uint32_t slot;
	int error;

	if (domain >= DOMAINS_MAX || !table_budget) {
		return -EINVAL;
	}
	d = &nuc_domains[domain];
	nucleus_lock();
	error = -EEXIST;
	if (d->state == NUC_DOMAIN_NONE) {
		error = stage2_create(&d->stage2, domain, table_budget);
	}
	if (!error) {
		views_begin(domain);
		/* The root's frame may have been another domain's. */
		machine_flush_domain(domain);
		d->state = NUC_DOMAIN_LIVE;
		d->ran = false;
		for (slot = 0; slot < SHARE_SLOTS; slot++) {
			d->share_gfn[slot] = WHERE_NONE;
		}
	}
	nucleus_unlock();
	return error;
}

/* From here on no CPU can reach anything of the domain's. */
static void domain_end(struct nuc_domain *d, uint32_t domain)
{
	uint32_t slot;

	d->state = NUC_DOMAIN_DYING;
	d->sweep = 0;
	machine_domain_end(domain);
	views_end(&d->stage2);
	machine_flush_domain(domain);
	for (slot = 0; slot < SHARE_SLOTS; slot++) {
		if (d->share_page[slot]) {
			mfn_t mfn = mfn_of(d->share_mfn[slot]);

			machine_scrub(mfn, ORDER_4K);
			frames[mfn.mfn].where = WHERE_NONE;
			frames[mfn.mfn].prev = 0;
			frame_retype(mfn, FRAME_CORE, DOMAIN_NONE);
			d->share_gfn[slot] = WHERE_NONE;
		}
	}
}

/* Whether the frame at m heads a whole block of the domain's RAM. */
static bool block_owned(uint64_t m, uint32_t domain)
{
	uint64_t k;

	if (m % RUN || m + RUN > frame_count) {
		return false;
	}
	for (k = m; k < m + RUN; k++) {
		if (frames[k].type != FRAME_GUEST || frames[k].owner != domain) {
			return false;
		}
	}
	return true;
}

/* Frees what is at frame m if it is the domain's: that frame, or a whole block of RAM. The next to look at. */
static uint64_t sweep_at(uint64_t m, uint32_t domain, uint64_t *budget)
{
	if (m % RUN == 0 && runs[m / RUN].free == RUN) {
		return m + RUN;
	}
	if (frames[m].owner != domain || frames[m].type <= FRAME_FREE) {
		return m + 1;
	}
	if (*budget >= RUN && block_owned(m, domain)) {
		frame_free(mfn_of(m), ORDER_2M);
		*budget -= RUN;
		return m + RUN;
	}
	frame_free(mfn_of(m), ORDER_4K);
	--*budget;
	return m + 1;
}

/*
 * Frees up to `budget` frames of an ended domain, in the order of the frame
 * table: whatever has the domain as its owner is found, mapped or not. True
 * when none is left.
 */
static bool domain_sweep(struct nuc_domain *d, uint32_t domain, uint64_t budget)
{
	uint64_t looks = budget * SWEEP_LOOKS;

	for (; d->sweep < frame_count && budget && looks; looks--) {
		d->sweep = sweep_at(d->sweep, domain, &budget);
	}
	return d->sweep >= frame_count;
}

int nuc_domain_reclaim(uint32_t domain, uint64_t budget)
{
	struct nuc_domain *d;
	int result = 1;

	if (domain >= DOMAINS_MAX) {
		return -ESRCH;
	}
	d = &nuc_domains[domain];
	nucleus_lock();
	if (d->state == NUC_DOMAIN_NONE) {
		result = -ESRCH;
	} else if (d->state == NUC_DOMAIN_LIVE && machine_domain_busy(domain)) {
		result = -EBUSY;
	} else {
		if (d->state == NUC_DOMAIN_LIVE) {
			domain_end(d, domain);
		}
		if (domain_sweep(d, domain, budget < FRAMES_MAX ? budget : FRAMES_MAX)) {
			d->state = NUC_DOMAIN_NONE;
			result = 0;
		}
	}
	nucleus_unlock();
	return result;
}

/* ---- RAM ----------------------------------------------------------------- */

static bool gfn_range_valid(const struct stage2 *s, uint64_t gfn, uint64_t count)
{
	return gfn < s->gfn_limit && count <= s->gfn_limit - gfn;
}

/* Whether nothing is mapped in the range. */
static bool range_empty(const struct stage2 *s, uint64_t gfn, uint64_t count)
{
	uint64_t g = gfn;

	while (g < gfn + count) {
		struct translation t = stage2_translate(s, gfn_of(g));
		uint64_t span = level_span(t.level);

		if (t.present) {
			return false;
		}
		g = (g / span + 1) * span;
	}
	return true;
}

/* Takes whole leaves out of [gfn, end), to be freed with the limbo. */
static void range_take(struct stage2 *s, uint64_t gfn, uint64_t end, struct limbo *limbo)
{
	while (gfn < end) {
		struct translation t = stage2_take(s, gfn_of(gfn), limbo);

		limbo_add(limbo, mfn_of(t.mfn), level_order(t.level));
		gfn += level_span(t.level);
	}
}

/* Maps a fresh run of at most `count` frames at gfn: the largest that fits and is free. */
static int memory_add_run(struct stage2 *s, uint64_t gfn, uint64_t count, uint64_t *added)
{
	uint32_t level = machine_order_max() >= ORDER_1G ? 2 : 1;
	int error;
	mfn_t mfn;

	for (;; level--) {
		uint64_t span = level_span(level);

		if (gfn % span == 0 && span <= count &&
		    frame_alloc(level_order(level), FRAME_GUEST, (uint16_t)s->domain, &mfn) == 0) {
			break;
		}
		if (level == 0) {
			return -ENOMEM;
		}
	}
	error = stage2_map(s, gfn_of(gfn), mfn, level_order(level),
			   nuc_views[s->domain][0].access);
	if (error) {
		frame_free(mfn, level_order(level));
		return error;
	}
	*added = level_span(level);
	return 0;
}

int nuc_memory_add(uint32_t domain, gfn_t gfn, uint64_t count)
{
	struct limbo limbo = LIMBO_EMPTY;
	struct nuc_domain *d;
	int error = -ESRCH;

	nucleus_lock();
	d = nuc_domain_find(domain);
	if (d) {
		struct stage2 *s = &d->stage2;
		uint64_t g = gfn.gfn, end, added;

		error = 0;
		if (!gfn_range_valid(s, g, count)) {
			error = -EINVAL;
		} else if (!range_empty(s, g, count)) {
			error = -EEXIST;
		} else if (count > frame_free_count) {
			error = -ENOMEM;
		}
		for (end = g + count; !error && g < end; g += added) {
			error = memory_add_run(s, g, end - g, &added);
			if (error) {
				range_take(s, gfn.gfn, g, &limbo);
				limbo_free(&limbo, domain);
				break;
			}
		}
	}
	nucleus_unlock();
	return error;
}

int nuc_memory_remove(uint32_t domain, gfn_t gfn)
{
	struct limbo limbo = LIMBO_EMPTY;
	struct nuc_domain *d;
	struct translation t;
	int error = -ESRCH;

	nucleus_lock();
	d = nuc_domain_find(domain);
	if (d) {
		t = stage2_translate(&d->stage2, gfn);
		if (!t.present || frames[t.mfn].type != FRAME_GUEST) {
			error = -ENOENT;
		} else if (frames[t.mfn].count) {
			error = -EBUSY;
		} else {
			error = stage2_split(&d->stage2, gfn, ORDER_4K);
		}
		if (!error) {
			t = stage2_take(&d->stage2, gfn, &limbo);
			limbo_add(&limbo, mfn_of(t.mfn), ORDER_4K);
			limbo_free(&limbo, domain);
		}
	}
	nucleus_unlock();
	return error;
}

int nuc_memory_type(uint32_t domain, gfn_t gfn)
{
	struct nuc_domain *d;
	struct translation t;
	int result = -ESRCH;

	nucleus_lock();
	d = nuc_domain_find(domain);
	if (d) {
		t = stage2_translate(&d->stage2, gfn);
		result = !t.present ? 0 : frames[t.mfn].type == FRAME_GUEST ? 1 : 2;
	}
	nucleus_unlock();
	return result;
}

/*
 * Walks [gpa, gpa + length), all of which must be RAM of the domain's own, and
 * copies `from` to it unless that is NULL.
 */
static int range_copy(const struct stage2 *s, uint64_t gpa, const uint8_t *from, uint64_t length)
{
	while (length) {
		struct translation t = stage2_translate(s, gfn_of(gpa / PAGE_SIZE));
		uint64_t offset = gpa % PAGE_SIZE;
		uint64_t part = PAGE_SIZE - offset < length ? PAGE_SIZE - offset : length;

		if (!t.present || frames[t.mfn].type != FRAME_GUEST) {
			return -EFAULT;
		}
		if (from) {
			memcpy((uint8_t *)machine[t.mfn] + offset, from, part);
			from += part;
		}
		gpa += part;
		length -= part;
	}
	return 0;
}

/* Checks all of the range and then copies. */
static int memory_fill(uint32_t domain, gpa_t gpa, const void *from, uint64_t length)
{
	struct nuc_domain *d;
	int error = -ESRCH;

	nucleus_lock();
	d = nuc_domain_find(domain);
	if (d) {
		error = d->ran ? -EPERM : gpa.gpa + length < gpa.gpa ? -EINVAL : 0;
	}
	if (!error) {
		error = range_copy(&d->stage2, gpa.gpa, NULL, length);
	}
	if (!error) {
		error = range_copy(&d->stage2, gpa.gpa, from, length);
	}
	nucleus_unlock();
	return error;
}

int nuc_memory_load(uint32_t domain, gpa_t gpa, uint64_t offset, uint64_t length)
{
	const void *from;

	if (!machine_payload(offset, length, &from)) {
		return -EINVAL;
	}
	return memory_fill(domain, gpa, from, length);
}

int nuc_memory_write(uint32_t domain, gpa_t gpa, const void *from, uint64_t length)
{
	if (length > WRITE_MAX || !machine_core_range(from, length, false)) {
		return -EINVAL;
	}
	return memory_fill(domain, gpa, from, length);
}

/* ---- shared pages -------------------------------------------------------- */

void *nuc_share_page(uint32_t domain, uint32_t slot)
{
	struct nuc_domain *d;
	void *page = NULL;
	mfn_t mfn;

	nucleus_lock();
	d = nuc_domain_find(domain);
	if (d && slot < SHARE_SLOTS) {
		page = d->share_page[slot];
		if (!page && frame_alloc(ORDER_4K, FRAME_CORE, DOMAIN_NONE, &mfn) == 0) {
			page = machine_core_map(mfn, domain, slot);
			if (page) {
				d->share_page[slot] = page;
				d->share_mfn[slot] = mfn.mfn;
			} else {
				frame_free(mfn, ORDER_4K);
			}
		}
	}
	nucleus_unlock();
	return page;
}

/* What was at the slot's new place leaves it: RAM is freed, another slot's page has no place now. */
static void share_displace(struct nuc_domain *d, struct translation old, struct limbo *limbo)
{
	uint32_t slot;

	if (frames[old.mfn].type == FRAME_GUEST) {
		limbo_add(limbo, mfn_of(old.mfn), ORDER_4K);
		return;
	}
	for (slot = 0; slot < SHARE_SLOTS; slot++) {
		if (d->share_page[slot] && d->share_mfn[slot] == old.mfn) {
			d->share_gfn[slot] = WHERE_NONE;
		}
	}
	frame_retype(mfn_of(old.mfn), FRAME_CORE, DOMAIN_NONE);
}

/*
 * Moves the slot's page to gfn, where `old` is now. That the page has two places in between is seen by
 * nobody: the lock is held, no view is remapped to it by then, and the flush comes after.
 */
static int share_move(struct nuc_domain *d, uint32_t slot, uint64_t gfn, struct translation old,
		      struct limbo *limbo)
{
	mfn_t mfn = mfn_of(d->share_mfn[slot]);
	uint64_t earlier = d->share_gfn[slot];
	int error = stage2_room(&d->stage2, gfn_of(gfn));

	if (error) {
		return error;
	}
	/* Nothing fails from here on. Remaps go first, while the pages are still where they were. */
	if (old.present) {
		view_target_gone(&d->stage2, old.mfn, limbo);
	}
	view_target_gone(&d->stage2, mfn.mfn, limbo);
	frames[mfn.mfn].where = WHERE_NONE;
	frame_retype(mfn, FRAME_SHARED, (uint16_t)d->stage2.domain);
	error = stage2_replace(&d->stage2, gfn_of(gfn), mfn, ACCESS_RWX);
	CHECK(!error);
	if (old.present) {
		share_displace(d, old, limbo);
	}
	if (earlier != WHERE_NONE) {
		stage2_take(&d->stage2, gfn_of(earlier), limbo);
		frames[mfn.mfn].where = gfn;
	}
	d->share_gfn[slot] = gfn;
	return 0;
}

int nuc_share_map(uint32_t domain, uint32_t slot, gfn_t gfn)
{
	struct limbo limbo = LIMBO_EMPTY;
	struct nuc_domain *d;
	struct translation t;
	int error = -EINVAL;

	nucleus_lock();
	d = nuc_domain_find(domain);
	if (!d || slot >= SHARE_SLOTS || !gfn_range_valid(&d->stage2, gfn.gfn, 1)) {
		goto out;
	}
	error = -ENOENT;
	if (!d->share_page[slot]) {
		goto out;
	}
	error = 0;
	if (d->share_gfn[slot] == gfn.gfn) {
		goto out;
	}
	t = stage2_translate(&d->stage2, gfn);
	if (t.present && frames[t.mfn].type == FRAME_GUEST && frames[t.mfn].count) {
		error = -EBUSY;
		goto out;
	}
	error = share_move(d, slot, gfn.gfn, t, &limbo);
	if (!error) {
		/* Even with nothing to free: the earlier place must not lead to the page. */
		machine_flush_domain(domain);
		limbo_free(&limbo, domain);
	}
out:
	nucleus_unlock();
	return error;
}

/* ---- windows ------------------------------------------------------------- */

int memory_pin(uint32_t domain, gfn_t gfn, mfn_t *mfn)
{
	struct nuc_domain *d = nuc_domain_find(domain);
	struct translation t;

	if (!d) {
		return -ESRCH;
	}
	t = stage2_translate(&d->stage2, gfn);
	if (!t.present || frames[t.mfn].type != FRAME_GUEST) {
		return -ENOENT;
	}
	frames[t.mfn].count++;
	mfn->mfn = t.mfn;
	return 0;
}

void memory_unpin(mfn_t mfn)
{
	CHECK(mfn.mfn < frame_count && frames[mfn.mfn].type == FRAME_GUEST && frames[mfn.mfn].count > 0);
	frames[mfn.mfn].count--;
}
