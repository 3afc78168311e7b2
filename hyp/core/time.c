/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Time as guests see it: Xen's pvclock, the wall clock and the single-shot
 * timer. System time is nanoseconds since `boot_tsc`, computed here with the
 * very multiplier that guests are given, so that both sides agree to the tick.
 * The guest's TSC is the machine's.
 */
#include "core_internal.h"
#include "hypercall.h"

static struct {
	uint64_t boot_tsc, wallclock;
	uint32_t khz, mul;
	int8_t shift;
	bool stable;
} clock;

/*
 * ns = ((ticks << shift) * mul) >> 32, or ticks >> -shift: mul is made as large
 * as 32 bits allow, for the best precision.
 */
static void clock_scale(uint32_t khz)
{
	uint64_t ns_per_tick = (1000000ull << 32) / khz; /* 32.32 */
	int shift = 0;

	while (ns_per_tick >> (32 + shift))
		shift++;
	while (shift > -12 && !((1000000ull << (32 - shift)) / khz >> 31))
		shift--;
	clock.shift = (int8_t)shift;
	clock.mul = (uint32_t)((1000000ull << (32 - shift)) / khz);
}

void time_init(const struct boot_info *info)
{
	uint32_t r[4];

	clock.boot_tsc = info->boot_tsc;
	clock.wallclock = info->wallclock;
	clock.khz = info->tsc_khz;
	clock_scale(info->tsc_khz);

	/*
	 * TSC_STABLE promises guests one clock for all CPUs at a constant rate. All
	 * CPUs agree (nuc_now); the rate is constant where the CPU says so
	 * (CPUID 8000_0007 EDX bit 8, SDM 3, 18.17.1).
	 */
	clock.stable = false;
	nuc_cpuid(0x80000000, 0, r);
	if (r[0] >= 0x80000007) {
		nuc_cpuid(0x80000007, 0, r);
		clock.stable = r[3] & (1u << 8);
	}
}

uint32_t time_tsc_khz(void)
{
	return clock.khz;
}

uint64_t time_ns(uint64_t tsc)
{
	uint64_t ticks = tsc - clock.boot_tsc;

	if (clock.shift >= 0)
		ticks <<= clock.shift;
	else
		ticks >>= -clock.shift;
	return (uint64_t)(((unsigned __int128)ticks * clock.mul) >> 32);
}

uint64_t time_tsc(uint64_t ns)
{
	/* (ns << 32) / mul in two steps, for want of a 128-bit division. */
	uint64_t high = ns / clock.mul, low = ((ns % clock.mul) << 32) / clock.mul, ticks;

	if (high >> 24) /* some 10^7 years at any rate: never */
		return NEVER;
	ticks = (high << 32) + low;
	if (clock.shift >= 0)
		ticks >>= clock.shift;
	else
		ticks <<= -clock.shift;
	/* Rounded down so far; a timer must not fire early. */
	while (time_ns(clock.boot_tsc + ticks) < ns)
		ticks++;
	return clock.boot_tsc + ticks;
}

void time_update_vcpu(struct vcpu *v)
{
	struct vcpu_time_info t;
	const uint32_t at = offsetof(struct vcpu_info, time);
	const uint32_t body = offsetof(struct vcpu_time_info, tsc_timestamp);
	uint32_t version;

	vcpu_info_read(v, at, &version, sizeof(version));
	version |= 1; /* odd: readers wait */
	vcpu_info_write(v, at, &version, sizeof(version));
	__atomic_thread_fence(__ATOMIC_SEQ_CST);

	memset(&t, 0, sizeof(t));
	t.tsc_timestamp = clock.boot_tsc;
	t.system_time = 0;
	t.tsc_to_system_mul = clock.mul;
	t.tsc_shift = clock.shift;
	t.flags = clock.stable ? PVCLOCK_TSC_STABLE : 0;
	vcpu_info_write(v, at + body, &t.tsc_timestamp, sizeof(t) - body);

	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	version++;
	vcpu_info_write(v, at, &version, sizeof(version));
}

void time_update_wallclock(struct domain *d)
{
	struct shared_info *s = domain_shared(d);
	uint32_t version = __atomic_load_n(&s->wc_version, __ATOMIC_RELAXED) | 1;

	__atomic_store_n(&s->wc_version, version, __ATOMIC_SEQ_CST);
	__atomic_store_n(&s->wc_sec, (uint32_t)clock.wallclock, __ATOMIC_SEQ_CST);
	__atomic_store_n(&s->wc_sec_hi, (uint32_t)(clock.wallclock >> 32), __ATOMIC_SEQ_CST);
	__atomic_store_n(&s->wc_nsec, 0, __ATOMIC_SEQ_CST);
	__atomic_store_n(&s->wc_version, version + 1, __ATOMIC_SEQ_CST);
}

/* The older timer call: absolute ns, 0 stops it. A time that has passed fires at once. */
long hypercall_set_timer_op(uint64_t timeout, uint64_t a2, uint64_t a3, uint64_t a4, uint64_t a5)
{
	struct vcpu *v = hypercall_begin();

	(void)a2, (void)a3, (void)a4, (void)a5;
	if (!v)
		return -CORE_EINTR;
	vcpu_set_timer(v, timeout ? time_tsc(timeout) : NEVER);
	core_unlock();
	return 0;
}
