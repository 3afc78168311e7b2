/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The scheduler: one run queue per CPU, ordered by virtual time, which is the
 * same clock on all of them (ticks run * 256 / weight). Whoever has had least
 * goes next; a CPU whose own queue holds nobody, or only vCPUs that have had
 * more than someone waiting elsewhere, takes that one. All of it is guarded by
 * the core lock.
 *
 * What must hold:
 * - A vCPU that is `current` on a CPU is on no queue, whatever its state: it may
 *   be blocked or dead already, but leaves only in that CPU's sched_tail, where
 *   nuc_cpu_next names another. Until then waking it just makes it RUNNING.
 * - A vCPU waits in a queue only while no CPU idles with nothing queued, or an
 *   idle CPU has been kicked for it.
 * - A queue that holds someone has its CPU's slice timer running.
 * - Every armed timer is on the list of its vCPU's `cpu`, and that CPU's
 *   deadline is not later than the list's first, except while a vCPU on its
 *   queue brings its own timer along: it can't take the event before it runs.
 */
#include "core_internal.h"

#define SLICE_MS 10u
#define PREEMPT_MS 1u             /* how far behind one must be to interrupt another on waking */
#define REAP_MS 1u                /* how often a busy machine frees a piece of a dead domain */

struct run_queue {
	struct vcpu *head;        /* by virtual_time, then order of arrival */
	struct vcpu *timers;      /* by due time */
	uint64_t deadline;        /* given to the nucleus last */
	bool online;              /* core_boot or core_cpu_up has come to it */
	bool kicked;              /* a kick is under way; its tail will run */
	bool preempt;             /* someone on its queue should run before the slice ends */
};

static struct run_queue queues[CPUS_MAX];
static uint32_t waiting;          /* vCPUs on all queues */
static uint64_t floor_time;       /* no sleeper wakes with less virtual time than about this */
static uint64_t slice, preempt_after, reap_every; /* ticks */

struct cpu cpus[CPUS_MAX];
uint32_t cpu_count;

void sched_init(void)
{
	uint64_t khz = time_tsc_khz();

	memset(queues, 0, sizeof(queues));
	waiting = 0;
	floor_time = 0;
	slice = khz * SLICE_MS;
	preempt_after = khz * PREEMPT_MS;
	reap_every = khz * REAP_MS;
	for (uint32_t i = 0; i < CPUS_MAX; i++)
		queues[i].deadline = NEVER;
}

static struct run_queue *queue_of(const struct cpu *cpu)
{
	return &queues[cpu->id];
}

/* ---- states --------------------------------------------------------------- */

static const uint8_t runstates[] = {
	[VCPU_DOWN] = RUNSTATE_offline,
	[VCPU_RUNNABLE] = RUNSTATE_runnable,
	[VCPU_RUNNING] = RUNSTATE_running,
	[VCPU_BLOCKED] = RUNSTATE_blocked,
	[VCPU_POLLING] = RUNSTATE_blocked,
	[VCPU_DEAD] = RUNSTATE_offline,
};

static void set_state(struct vcpu *v, enum vcpu_state state, uint64_t now)
{
	uint8_t runstate = runstates[state];

	if (v->state == VCPU_POLLING)
		v->domain->pollers--;
	if (state == VCPU_POLLING)
		v->domain->pollers++;
	v->state = state;
	if (runstate == v->runstate)
		return;
	v->runstate_ticks[v->runstate] += now - v->runstate_since;
	v->runstate = runstate;
	v->runstate_since = now;
}

static bool is_current(const struct vcpu *v)
{
	return cpus[v->cpu].current == v;
}

static uint64_t weighted(const struct vcpu *v, uint64_t ticks)
{
	return ticks * 256 / v->domain->weight;
}

/* Virtual time up to now, also of one that is running. */
static uint64_t virtual_now(const struct vcpu *v, uint64_t now)
{
	return is_current(v) ? v->virtual_time + weighted(v, now - v->ran_since) : v->virtual_time;
}

static void account(struct vcpu *v, uint64_t now)
{
	uint64_t ran = now - v->ran_since;

	v->run_ticks += ran;
	v->virtual_time += weighted(v, ran);
	v->ran_since = now;
}

/* ---- timers --------------------------------------------------------------- */

static uint64_t due(const struct vcpu *v)
{
	return min_u64(v->timer, v->poll_deadline);
}

static void timer_remove(struct vcpu *v)
{
	for (struct vcpu **at = &queues[v->cpu].timers; *at; at = &(*at)->timer_next) {
		if (*at == v) {
			*at = v->timer_next;
			v->timer_next = NULL;
			return;
		}
	}
}

static void timer_insert(struct vcpu *v)
{
	struct vcpu **at = &queues[v->cpu].timers;

	if (due(v) == NEVER)
		return;
	while (*at && due(*at) <= due(v))
		at = &(*at)->timer_next;
	v->timer_next = *at;
	*at = v;
}

static void move_to_cpu(struct vcpu *v, uint32_t cpu)
{
	if (v->cpu == cpu)
		return;
	timer_remove(v);
	v->cpu = cpu;
	timer_insert(v);
}

/* ---- queues --------------------------------------------------------------- */

static void enqueue(struct vcpu *v)
{
	struct vcpu **at = &queues[v->cpu].head;

	while (*at && (*at)->virtual_time <= v->virtual_time)
		at = &(*at)->queue_next;
	v->queue_next = *at;
	*at = v;
	waiting++;
}

static void dequeue(struct vcpu *v)
{
	struct vcpu **at = &queues[v->cpu].head;

	while (*at && *at != v)
		at = &(*at)->queue_next;
	if (!*at)
		nuc_panic("sched: a runnable vCPU is not on its queue");
	*at = v->queue_next;
	v->queue_next = NULL;
	waiting--;
}

/* Makes the CPU run its tail: at once on this one, by a kick elsewhere. */
static void poke(uint32_t cpu)
{
	if (&cpus[cpu] == this_cpu()) {
		cpus[cpu].work = true;
	} else if (queues[cpu].online && !queues[cpu].kicked) {
		queues[cpu].kicked = true;
		nuc_cpu_kick(cpu);
	}
}

static bool is_idle(uint32_t cpu)
{
	return queues[cpu].online && !cpus[cpu].current && !queues[cpu].head;
}

/* An idle CPU, the preferred one if it is; cpu_count if none. */
static uint32_t find_idle(uint32_t preferred)
{
	if (is_idle(preferred))
		return preferred;
	for (uint32_t i = 0; i < cpu_count; i++) {
		if (is_idle(i))
			return i;
	}
	return cpu_count;
}

void sched_kick_idle(void)
{
	for (uint32_t i = 0; i < cpu_count; i++) {
		if (is_idle(i) && &cpus[i] != this_cpu()) {
			poke(i);
			return;
		}
	}
}

/*
 * A sleeper must not come back with so little virtual time that it would keep
 * everyone else off the CPU until it has caught up: it gets what the neediest of
 * the others has, less half a slice as a bonus for having slept.
 */
static void catch_up(struct vcpu *v, uint64_t now)
{
	uint64_t least = NEVER;

	for (uint32_t i = 0; i < cpu_count; i++) {
		const struct vcpu *current = cpus[i].current;

		if (current && current->state == VCPU_RUNNING && current != v)
			least = min_u64(least, virtual_now(current, now));
		if (queues[i].head)
			least = min_u64(least, queues[i].head->virtual_time);
	}
	if (least != NEVER)
		floor_time = max_u64(floor_time, least);
	if (floor_time > slice / 2)
		v->virtual_time = max_u64(v->virtual_time, floor_time - slice / 2);
}

/* The last one to leave the CPUs takes the clock along. */
static void keep_floor(const struct vcpu *leaving)
{
	if (waiting)
		return;
	for (uint32_t i = 0; i < cpu_count; i++) {
		if (cpus[i].current && cpus[i].current != leaving)
			return;
	}
	floor_time = max_u64(floor_time, leaving->virtual_time);
}

/* ---- what the rest of the core asks for ------------------------------------ */

void vcpu_wake(struct vcpu *v)
{
	uint64_t now = nuc_now();
	uint32_t cpu;

	if (v->state == VCPU_DEAD || v->state == VCPU_RUNNABLE || v->state == VCPU_RUNNING)
		return;
	v->halted_irqs_off = false;
	if (v->poll_deadline != NEVER) {
		timer_remove(v);
		v->poll_deadline = NEVER;
		timer_insert(v);
	}
	if (is_current(v)) {
		/* Its CPU hasn't let go of it yet. */
		set_state(v, VCPU_RUNNING, now);
		poke(v->cpu);
		return;
	}

	catch_up(v, now);
	set_state(v, VCPU_RUNNABLE, now);
	cpu = find_idle(v->cpu);
	if (cpu < cpu_count) {
		move_to_cpu(v, cpu);
		enqueue(v);
		poke(cpu);
		return;
	}
	/* All busy: it waits where it was, and that CPU must know that its slice counts now. */
	enqueue(v);
	if (cpus[v->cpu].current &&
	    v->virtual_time + preempt_after < virtual_now(cpus[v->cpu].current, now))
		queues[v->cpu].preempt = true;
	if (queues[v->cpu].preempt || !queues[v->cpu].head->queue_next)
		poke(v->cpu);
}

/*
 * Whether something waits that ends the sleep v is about to begin. The domain's
 * callback is level-triggered, as in Xen: a guest that goes to sleep with
 * upcall_pending still set is told again.
 */
static bool must_not_sleep(struct vcpu *v)
{
	if (!v->halted_irqs_off && !v->callback_vector && evtchn_upcall_pending(v))
		v->callback_raised = true;
	return v->halted_irqs_off ? v->nmi_raised : arch_vcpu_irq_pending(v);
}

void vcpu_block(struct vcpu *v)
{
	this_cpu()->work = true;
	if (v->state != VCPU_RUNNING)
		return;
	if (must_not_sleep(v)) {
		v->halted_irqs_off = false;
		return;
	}
	set_state(v, VCPU_BLOCKED, nuc_now());
}

void vcpu_poll(struct vcpu *v, uint32_t port, uint64_t deadline)
{
	this_cpu()->work = true;
	v->halted_irqs_off = false;
	if (v->state != VCPU_RUNNING || must_not_sleep(v))
		return;
	timer_remove(v);
	v->poll_port = port;
	v->poll_deadline = deadline;
	timer_insert(v);
	set_state(v, VCPU_POLLING, nuc_now());
}

void vcpu_yield(struct vcpu *v)
{
	v->yielded = true;
	this_cpu()->work = true;
}

void vcpu_kick(struct vcpu *v)
{
	switch (v->state) {
	case VCPU_RUNNING:
		poke(v->cpu);
		break;
	case VCPU_BLOCKED:
		if (v->halted_irqs_off && !v->nmi_raised)
			break;
		vcpu_wake(v);
		break;
	case VCPU_POLLING:
		vcpu_wake(v);
		break;
	default: /* RUNNABLE: it looks when it runs. DOWN, DEAD: nobody there. */
		break;
	}
}

/* Off the queue and out of the timers; still current if it was, until its CPU's tail. */
static void withdraw(struct vcpu *v, enum vcpu_state state)
{
	if (v->state == VCPU_RUNNABLE)
		dequeue(v);
	timer_remove(v);
	v->timer = v->poll_deadline = NEVER;
	set_state(v, state, nuc_now());
	if (is_current(v))
		poke(v->cpu);
}

void vcpu_kill(struct vcpu *v)
{
	if (v->state == VCPU_DEAD)
		return;
	withdraw(v, VCPU_DEAD);
	v->stopping = false;
}

void vcpu_stop(struct vcpu *v)
{
	if (v->state == VCPU_DEAD || v->stopping)
		return;
	if (is_current(v)) {
		timer_remove(v);
		v->timer = v->poll_deadline = NEVER;
		v->stopping = true; /* sched_tail there does the rest */
		poke(v->cpu);
		return;
	}
	withdraw(v, VCPU_DOWN);
	arch_vcpu_stopped(v);
}

void vcpu_set_timer(struct vcpu *v, uint64_t tsc)
{
	if (v->state == VCPU_DEAD || v->timer == tsc)
		return;
	timer_remove(v);
	v->timer = tsc;
	timer_insert(v);
	/* The deadline that the nucleus knows is no longer right. */
	if (queues[v->cpu].deadline != (queues[v->cpu].timers ? due(queues[v->cpu].timers) : NEVER))
		poke(v->cpu);
}

void sched_timer(struct cpu *cpu)
{
	struct run_queue *q = queue_of(cpu);
	uint64_t now = nuc_now();

	while (q->timers && due(q->timers) <= now) {
		struct vcpu *v = q->timers;
		bool timer = v->timer <= now, poll = v->poll_deadline <= now;

		timer_remove(v);
		if (timer)
			v->timer = NEVER;
		if (poll)
			v->poll_deadline = NEVER;
		timer_insert(v);
		if (timer)
			evtchn_raise_virq(v, VIRQ_TIMER);
		if (poll && v->state == VCPU_POLLING)
			vcpu_wake(v);
	}
}

/* ---- choosing -------------------------------------------------------------- */

/* The one that waits anywhere and has had least; this CPU's own among equals. */
static struct vcpu *neediest(const struct cpu *cpu)
{
	struct vcpu *best = queue_of(cpu)->head;

	for (uint32_t i = 0; i < cpu_count; i++) {
		struct vcpu *v = queues[i].head;

		if (v && (!best || v->virtual_time < best->virtual_time))
			best = v;
	}
	return best;
}

/*
 * Who runs next, taken off its queue; prev if it goes on, NULL to idle. A vCPU
 * of another CPU's queue is only taken if it is a slice behind what is here, for
 * moving costs.
 */
static struct vcpu *choose(struct cpu *cpu, struct vcpu *prev, uint64_t now)
{
	struct run_queue *q = queue_of(cpu);
	bool goes_on = prev && prev->state == VCPU_RUNNING && !prev->stopping;
	bool expired = now >= cpu->slice_end;
	struct vcpu *own = q->head, *best, *next;
	uint64_t local;

	if (!waiting)
		return goes_on ? prev : NULL;

	best = neediest(cpu);
	if (goes_on && !expired && !q->preempt && !prev->yielded)
		return prev;
	if (goes_on && prev->yielded) {
		/* Behind the first in line, for once; no further, or yielding would cost it its share. */
		prev->virtual_time = max_u64(prev->virtual_time, best->virtual_time);
		next = own ? own : best;
	} else {
		local = goes_on ? prev->virtual_time : NEVER;
		next = goes_on ? prev : NULL;
		if (own && own->virtual_time < local) {
			next = own;
			local = own->virtual_time;
		}
		if (!next || best->virtual_time + slice < local)
			next = best;
	}
	if (next != prev)
		dequeue(next);
	return next;
}

/*
 * Someone on this CPU's queue has waited while another CPU's vCPU got more: that
 * CPU shall take it. It has no reason of its own to look.
 */
static void balance(struct cpu *cpu, uint64_t now)
{
	const struct vcpu *needy = queue_of(cpu)->head;
	uint64_t most = 0;
	uint32_t target = cpu_count;

	if (!needy)
		return;
	for (uint32_t i = 0; i < cpu_count; i++) {
		uint64_t had;

		if (&cpus[i] == cpu || !cpus[i].current)
			continue;
		had = virtual_now(cpus[i].current, now);
		if (had > most) {
			most = had;
			target = i;
		}
	}
	if (target < cpu_count && needy->virtual_time + slice < most) {
		queues[target].preempt = true;
		poke(target);
	}
}

static uint64_t deadline_for(struct cpu *cpu, uint64_t now)
{
	struct run_queue *q = queue_of(cpu);
	uint64_t deadline = NEVER;

	if (waiting && cpu->current)
		deadline = cpu->slice_end;
	if (q->timers)
		deadline = min_u64(deadline, due(q->timers));
	if (reap_pending)
		deadline = min_u64(deadline, cpu->current ? now + reap_every : now);
	return deadline;
}

static void switch_to(struct cpu *cpu, struct vcpu *next, uint64_t now)
{
	struct vcpu *prev = cpu->current;

	if (prev && prev->stopping && prev->state != VCPU_DEAD)
		set_state(prev, VCPU_DOWN, now);
	if (prev && prev->state == VCPU_RUNNING) {
		set_state(prev, VCPU_RUNNABLE, now);
		enqueue(prev);
	} else if (prev && !next) {
		keep_floor(prev);
	}
	if (!prev)
		cpu->idle_ticks += now - cpu->idle_since;
	cpu->current = next;
	if (next) {
		move_to_cpu(next, cpu->id);
		set_state(next, VCPU_RUNNING, now);
		next->ran_since = now;
		cpu->slice_end = now + slice;
	} else {
		cpu->idle_since = now;
	}
}

static void tail_once(struct cpu *cpu)
{
	struct run_queue *q = queue_of(cpu);
	struct vcpu *prev = cpu->current, *next;
	uint64_t now = nuc_now(), deadline;
	bool expired;

	cpu->work = false;
	cpu->reschedule = false;
	q->kicked = false;
	if (q->timers && due(q->timers) <= now) {
		sched_timer(cpu);
		cpu->work = false; /* what it woke is looked at right below */
	}

	/* Alone and going on: nothing to account or to compare. */
	expired = now >= cpu->slice_end;
	if (prev && (waiting || prev->state != VCPU_RUNNING || prev->stopping || expired))
		account(prev, now);
	next = choose(cpu, prev, now);
	q->preempt = false;
	if (prev)
		prev->yielded = false;
	if (next != prev)
		switch_to(cpu, next, now);
	else if (expired)
		cpu->slice_end = now + slice;

	deadline = deadline_for(cpu, now);
	if (next != prev || deadline != q->deadline || deadline <= now) {
		q->deadline = deadline;
		nuc_cpu_next(next ? next->handle : VCPU_NONE, deadline);
	}
	if (waiting && expired)
		balance(cpu, now);
	if (prev && prev != next && prev->stopping) {
		prev->stopping = false;
		arch_vcpu_stopped(prev);
	}
	if (next && arch_vcpu_irq_pending(next))
		arch_vcpu_deliver(next);
}

void sched_tail(struct cpu *cpu)
{
	do
		tail_once(cpu);
	while (unlikely(cpu->work));
}

void sched_cpu_up(struct cpu *cpu)
{
	queue_of(cpu)->online = true;
	cpu->idle_since = nuc_now();
	cpu->work = true;
}
