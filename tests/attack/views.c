/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A core that attacks the nucleus through the gate's view calls. It is the honest
 * core, but for two entries: whenever a host event comes, on any CPU, a burst of
 * calls with edge and random arguments goes first, for domains that exist and that
 * don't; and what a guest may not do because of that is tried again, not punished.
 *
 * Every few bursts the rules are audited. The vCPUs go back to the base after each
 * burst, and views that vCPUs of a running guest may enter leave its own memory
 * alone, so that there is somebody to attack to the end.
 */
#include "core_internal.h"
#include "nucleus.h"

#define CALLS 200000u
#define BURST 4000u
#define AUDIT_EVERY 20000u
#define TAME_VIEWS 64u            /* of them guests see no difference where they look */
#define WILD_GFN 3072u            /* from here on guests of 16 MiB use nothing */

void honest_event(uint32_t cpu, uint32_t events);
void honest_exit(uint32_t cpu);

static uint64_t state = 88172645463325252ull;
static uint32_t calls, accepted, audits, busy;

static uint64_t random_number(void)
{
	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return state;
}

static uint64_t edge(void)
{
	uint64_t r = random_number();

	switch (r & 7) {
	case 0:
		return 0;
	case 1:
		return ~0ull;
	case 2:
		return 1ull << (r >> 8 & 63);
	case 3:
		return (1ull << (r >> 8 & 63)) - 1;
	case 4:
		return 0u - (r >> 8 & 4095);
	case 5:
		return r >> 8 & 0xffff;
	default:
		return r >> 8 & 63;
	}
}

/* Mostly one that exists. */
static uint32_t some_domain(void)
{
	uint64_t r = random_number();

	return r & 7 ? r >> 8 & 3 : (uint32_t)edge();
}

static uint32_t some_view(bool tame)
{
	uint64_t r = random_number();

	if (!(r & 15))
		return (uint32_t)edge() | (tame ? VIEWS_MAX : 0);
	return tame ? 1 + (r >> 8) % (TAME_VIEWS - 1) : TAME_VIEWS + (r >> 8) % 100;
}

static uint64_t some_gfn(bool tame)
{
	uint64_t r = random_number();

	return tame ? WILD_GFN + (r >> 8) % 1024 : r & 3 ? r >> 8 & 4095 : edge();
}

static int change(void)
{
	struct view_change c[4];
	bool tame = random_number() & 1;
	int error = 0, done;

	for (uint32_t i = 0; i < ARRAY_SIZE(c); i++) {
		c[i] = (struct view_change){ .gfn = some_gfn(tame), .new_gfn = some_gfn(false),
					     .set = (uint32_t)(random_number() & 31 ? random_number() & 15 : edge()),
					     .access = (uint8_t)(random_number() & 15),
					     .suppress_ve = (uint8_t)(random_number() & 3),
					     .step = (uint16_t)some_view(true) };
	}
	done = nuc_view_change(some_domain(), some_view(tame), c, (uint32_t)(random_number() % 5), &error);
	return done > 0 ? 0 : error ? error : -1;
}

static int look(void)
{
	struct view_entry entry;
	struct view_info info[3];

	if (random_number() & 1)
		return nuc_view_list(some_domain(), (uint32_t)edge(), info, (uint32_t)(random_number() % 4));
	return nuc_view_entry(some_domain(), some_view(false), (gfn_t){ some_gfn(false) }, &entry);
}

static uint32_t some_vcpu(void)
{
	uint64_t r = random_number();

	return r & 7 ? (r >> 8 & 3) * DOMAIN_VCPUS_MAX + (r >> 16 & 3) : (uint32_t)edge();
}

static int one_call(void)
{
	bool tame = random_number() & 1;

	switch (random_number() % 12) {
	case 0:
	case 1:
		return nuc_view_create(some_domain(), some_view(tame), tame ? 7 : (uint32_t)edge(),
				       tame ? 0 : (uint32_t)edge());
	case 2:
		return nuc_view_destroy(some_domain(), some_view(tame));
	case 3:
		return nuc_view_default(some_domain(), some_view(false), (uint32_t)edge());
	case 4:
		return nuc_view_enter(some_domain(), (uint32_t)edge(), some_view(true));
	case 5:
		return nuc_view_window(some_domain(), (uint32_t)edge(), (uint32_t)edge() % 1024, some_view(tame));
	case 6:
		return nuc_vcpu_window(some_vcpu(), (uint32_t)edge());
	case 7:
		return nuc_vcpu_functions_on(some_vcpu(), (gfn_t){ some_gfn(random_number() & 3) });
	case 8:
		return nuc_vcpu_functions_off(some_vcpu());
	case 9:
		return look();
	default:
		return change();
	}
}

static void check_rules(void)
{
	struct audit report;
	uint64_t broken;

	nuc_audit(&report);
	broken = report.writable_code;
	for (uint32_t i = 0; i < ARRAY_SIZE(report.broken); i++)
		broken += report.broken[i];
	if (broken)
		print("attack: views: %lu rules broken after %u calls", broken, calls);
	audits++;
}

static void burst(void)
{
	for (uint32_t i = 0; i < BURST && calls < CALLS; i++) {
		accepted += one_call() >= 0;
		calls++;
		if (calls % AUDIT_EVERY == 0)
			check_rules();
	}
	for (uint32_t d = 0; d < 4; d++) {
		if (nuc_view_enter(d, ~0u, 0) == -ENOMEM)
			print("attack: views: no way back to the base");
		for (uint32_t v = 0; v < DOMAIN_VCPUS_MAX; v++)
			(void)!nuc_vcpu_functions_off(d * DOMAIN_VCPUS_MAX + v);
	}
	if (calls == CALLS)
		print("attack: views: %u calls, %s accepted, %u audits", calls,
		      accepted > calls / 10 && accepted < calls - calls / 10 ? "some" : "too few or too many",
		      audits);
}

void core_event(uint32_t cpu, uint32_t events)
{
	/* One CPU at a time, so that the sums are right; the others run guests meanwhile. */
	if (calls < CALLS && !__atomic_exchange_n(&busy, 1, __ATOMIC_ACQUIRE)) {
		burst();
		__atomic_store_n(&busy, 0, __ATOMIC_RELEASE);
	}
	honest_event(cpu, events);
}

void core_exit(uint32_t cpu)
{
	if (calls < CALLS && core_exits[cpu].kind == EXIT_MEMORY)
		core_exits[cpu].verdict = VERDICT_RESUME;
	else
		honest_exit(cpu);
}
