/* SPDX-License-Identifier: Apache-2.0 */
/* The imaginary machine: see machine.h. */
#include "memory.h"

#include "check.h"
#include "lock.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FAKE_CPUS 2u
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

void fake_reset(uint64_t count)
{
	memset(&fake, 0, sizeof(fake));
	memset(nuc_domains, 0, sizeof(nuc_domains));
	memset(tlb_used, 0, sizeof(tlb_used));
	fake.order_max = ORDER_1G;
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

void machine_scrub(mfn_t mfn, uint32_t order)
{
	uint64_t size = order_frames(order);
	uint32_t cpu, i;

	fake.scrubs++;
	for (cpu = 0; cpu < FAKE_CPUS; cpu++) {
		for (i = 0; i < tlb_used[cpu]; i++) {
			fake.stale += tlb[cpu][i].mfn - mfn.mfn < size;
		}
	}
	memset(machine[mfn.mfn], 0, size * sizeof(machine[0]));
}

void machine_flush_domain(uint32_t domain)
{
	uint32_t cpu, i, n;

	fake.flushes++;
	if (fake.lose_flushes) {
		return;
	}
	for (cpu = 0; cpu < FAKE_CPUS; cpu++) {
		for (i = n = 0; i < tlb_used[cpu]; i++) {
			if (tlb[cpu][i].domain != domain) {
				tlb[cpu][n++] = tlb[cpu][i];
			}
		}
		tlb_used[cpu] = n;
	}
}

uint64_t machine_gfn_limit(void)
{
	return GFN_LIMIT / 2;
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
