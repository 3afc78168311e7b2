/* SPDX-License-Identifier: Apache-2.0 */
/* The imaginary machine: see machine.h. */
#include "memory.h"

#include "check.h"
#include "lock.h"
#include "view.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#ifndef FAKE_CPUS
#define FAKE_CPUS 2u
#endif
#define FAKE_TLB 65536u
#define FAKE_PAYLOAD (64u * 1024)

struct frame frames[FRAMES_MAX];
uint64_t machine[FRAMES_MAX][PAGE_WORDS];
struct fake fake;
jmp_buf fake_panic_jump;

/* What each CPU remembers: everything, until flushed. */
static struct fake_tlb {
	uint32_t domain;
	uint64_t gfn, mfn;
} tlb[FAKE_CPUS][FAKE_TLB];
static uint32_t tlb_used[FAKE_CPUS];
static bool panic_armed;
static uint8_t payload[FAKE_PAYLOAD];
static uint8_t core_pages[DOMAINS_MAX][SHARE_SLOTS];

/*
 * What each CPU remembers of views: a translation per gfn, and the table that an
 * entry above led to with the rights so far, direct-mapped and otherwise forever.
 */
#ifndef FAKE_WALKS
#define FAKE_WALKS 64u
#endif
static struct fake_walk {
	uint64_t gfn;               /* the first that it covers */
	struct translation to;      /* of level 0: the translation; above: mfn is the table below */
	uint32_t domain, view;
	bool valid;
} walks[FAKE_CPUS][LEVELS][FAKE_WALKS];
static bool walks_any;              /* one of them may be valid */

/* Drops what leads into a run of frames, for which it is too late: counted as stale. */
static void walks_scrubbed(uint64_t mfn, uint64_t size)
{
	uint32_t cpu, level, i;

	for (cpu = 0; cpu < FAKE_CPUS && walks_any; cpu++) {
		for (level = 0; level < LEVELS; level++) {
			for (i = 0; i < FAKE_WALKS; i++) {
				struct fake_walk *w = &walks[cpu][level][i];

				fake.stale += w->valid && w->to.mfn - mfn < size;
			}
		}
	}
}

static void walks_flush(uint32_t domain, uint32_t view)
{
	uint32_t cpu, level, i;
	bool any = false;

	for (cpu = 0; cpu < FAKE_CPUS && walks_any; cpu++) {
		for (level = 0; level < LEVELS; level++) {
			for (i = 0; i < FAKE_WALKS; i++) {
				struct fake_walk *w = &walks[cpu][level][i];

				if (w->domain == domain && (view == ~0u || w->view == view)) {
					w->valid = false;
				}
				any |= w->valid;
			}
		}
	}
	walks_any = any;
}

void *fake_view_memory(size_t *size)
{
	walks_any = true;
	*size = sizeof(walks);
	return walks;
}

struct translation fake_view_access(uint32_t cpu, uint32_t domain, uint32_t view, uint64_t gfn)
{
	struct translation r = { .present = false };
	uint64_t table = view_root(domain, view), e;
	uint32_t level = LEVEL_ROOT, rights = ACCESS_RWX, l;

	for (l = 0; l < LEVELS; l++) {
		struct fake_walk *w = &walks[cpu][l][(gfn / level_span(l) + view * 7) % FAKE_WALKS];

		if (w->valid && w->domain == domain && w->view == view && w->gfn == gfn / level_span(l)) {
			if (l == 0) {
				return w->to;
			}
			table = w->to.mfn;
			rights = w->to.access;
			level = l - 1;
			break;
		}
	}
	walks_any = true;
	for (;; level--) {
		struct fake_walk *w = &walks[cpu][level][(gfn / level_span(level) + view * 7) % FAKE_WALKS];
		uint32_t access;

		e = machine[table][index_of(gfn, level)];
		r.suppress = (uint8_t)entry_suppress(e, level);
		if (entry_kind(e, level) != ENTRY_TABLE && entry_kind(e, level) != ENTRY_LEAF) {
			return r;
		}
		access = entry_access(e, level) & rights;
		if (entry_access(e, level) == 0 && entry_kind(e, level) == ENTRY_TABLE) {
			r.suppress = 1;
			return r;
		}
		if (entry_kind(e, level) == ENTRY_LEAF) {
			if (entry_access(e, level)) {
				r = (struct translation){ .present = true, .access = (uint8_t)access,
							  .suppress = r.suppress,
							  .mfn = entry_mfn(e, level) + gfn % level_span(level) };
				w = &walks[cpu][0][(gfn + view * 7) % FAKE_WALKS];
				*w = (struct fake_walk){ gfn, r, domain, view, true };
			}
			return r;
		}
		rights = access;
		table = entry_mfn(e, level);
		*w = (struct fake_walk){ gfn / level_span(level), { .access = (uint8_t)rights, .mfn = table },
					 domain, view, true };
	}
}

void fake_reset(uint64_t count)
{
	memset(&fake, 0, sizeof(fake));
	memset(nuc_domains, 0, sizeof(nuc_domains));
	memset(nuc_views, 0, sizeof(nuc_views));
	memset(walks, 0, sizeof(walks));
	memset(tlb_used, 0, sizeof(tlb_used));
	fake.order_max = ORDER_1G;
	fake.gfn_limit = GFN_LIMIT / 2;
	frame_init(count);
	frame_add(mfn_of(0), count);
}

uint64_t fake_access(uint32_t cpu, uint32_t domain, uint64_t gfn)
{
	struct translation t;
	uint32_t i;

	for (i = 0; i < tlb_used[cpu]; i++) {
		if (tlb[cpu][i].domain == domain && tlb[cpu][i].gfn == gfn) {
			return tlb[cpu][i].mfn;
		}
	}
	t = nuc_domain_find(domain) ? stage2_translate(&nuc_domains[domain].stage2, gfn_of(gfn))
				    : (struct translation){ .present = false };
	if (!t.present) {
		return FRAMES_MAX;
	}
	if (tlb_used[cpu] == FAKE_TLB) {
		abort();
	}
	tlb[cpu][tlb_used[cpu]++] = (struct fake_tlb){ domain, gfn, t.mfn };
	return t.mfn;
}

/* It is too late to flush what leads into these frames: counted. */
static void stale_count(uint64_t mfn, uint64_t size)
{
	uint32_t cpu, i;

	for (cpu = 0; cpu < FAKE_CPUS; cpu++) {
		for (i = 0; i < tlb_used[cpu]; i++) {
			fake.stale += tlb[cpu][i].mfn - mfn < size;
		}
	}
	walks_scrubbed(mfn, size);
}

void machine_scrub(mfn_t mfn, uint32_t order)
{
	uint64_t size = order_frames(order);

	fake.scrubs++;
	stale_count(mfn.mfn, size);
	memset(machine[mfn.mfn], 0, size * sizeof(machine[0]));
}

void machine_freed(mfn_t mfn)
{
	stale_count(mfn.mfn, 1);
}

void machine_flush_domain(uint32_t domain)
{
	uint32_t cpu, i, n;

	fake.flushes++;
	if (fake.lose_flushes) {
		return;
	}
	walks_flush(domain, ~0u);
	for (cpu = 0; cpu < FAKE_CPUS; cpu++) {
		for (i = n = 0; i < tlb_used[cpu]; i++) {
			if (tlb[cpu][i].domain != domain) {
				tlb[cpu][n++] = tlb[cpu][i];
			}
		}
		tlb_used[cpu] = n;
	}
}

void machine_flush_view(uint32_t domain, uint32_t view)
{
	fake.flushes++;
	if (!fake.lose_flushes) {
		walks_flush(domain, view);
	}
}

bool machine_view_evict(uint32_t domain, uint32_t view)
{
	if (fake.view_vcpus[view]) {
		return false;
	}
	if (!fake.lose_flushes) {
		walks_flush(domain, view);
	}
	fake.evicted = view;
	return true;
}

uint32_t machine_view_vcpus(uint32_t domain, uint32_t view)
{
	(void)domain;
	return fake.view_vcpus[view];
}

bool machine_ve_page(uint32_t domain, uint64_t gfn)
{
	(void)domain;
	return fake.ve_page == gfn && gfn;
}

uint64_t machine_gfn_limit(void)
{
	return fake.gfn_limit;
}

uint32_t machine_order_max(void)
{
	return fake.order_max;
}

void *machine_core_map(mfn_t mfn, uint32_t domain, uint32_t slot)
{
	(void)mfn;
	return fake.core_map_fails ? NULL : &core_pages[domain][slot];
}

bool machine_core_range(const void *p, uint64_t length, bool write)
{
	(void)write;
	return p && length < 1ull << 32;
}

bool machine_domain_busy(uint32_t domain)
{
	(void)domain;
	return fake.busy;
}

void machine_domain_end(uint32_t domain)
{
	fake.ended |= 1u << domain;
}

bool machine_payload(uint64_t offset, uint64_t length, const void **bytes)
{
	uint32_t i;

	if (offset > FAKE_PAYLOAD || length > FAKE_PAYLOAD - offset) {
		return false;
	}
	for (i = 0; i < FAKE_PAYLOAD; i++) {
		payload[i] = (uint8_t)(i * 7 + i / 256);
	}
	*bytes = payload + offset;
	return true;
}

void machine_audit(struct audit *report)
{
	(void)report;
}

void fake_panic_armed(bool armed)
{
	panic_armed = armed;
}

NORETURN void machine_panic(const char *message)
{
	fake.panic = message;
	nucleus_lock_word = (struct ticket_lock){ 0, 0 };
	if (panic_armed) {
		longjmp(fake_panic_jump, 1);
	}
	fprintf(stderr, "panic: %s\n", message);
	abort();
}
