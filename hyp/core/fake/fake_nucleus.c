/* SPDX-License-Identifier: Apache-2.0 */
/* See fake_nucleus.h. */
#include "fake_nucleus.h"
#include "hypercall.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

struct fake fake;
struct cpu *fake_this_cpu;

static void broken(const char *what)
{
	fail_msg("CHECK: %s", what);
}

uint64_t nuc_now(void) { return fake.now; }
uint32_t nuc_cpu_id(void) { return this_cpu()->id; }

void nuc_cpuid(uint32_t leaf, uint32_t subleaf, uint32_t result[4])
{
	(void)subleaf;
	memset(result, 0, 4 * sizeof(result[0]));
	if (leaf == 0x80000000)
		result[0] = 0x80000008;
	if (leaf == 0x80000007)
		result[3] = 1u << 8;
}

void nuc_console_write(const char *bytes, size_t length)
{
	if (fake.console_length + length >= FAKE_CONSOLE)
		fake.console_length = 0;
	memcpy(fake.console + fake.console_length, bytes, length);
	fake.console_length += length;
	fake.console[fake.console_length] = 0;
}

int nuc_console_read(void)
{
	return fake.typed && *fake.typed ? (uint8_t)*fake.typed++ : -1;
}

NORETURN void nuc_panic(const char *message)
{
	fake.panic = message;
	fail_msg("panic: %s", message);
	abort();
}

/* Ends the machine; tests expect it by expect_assert_failure. */
NORETURN void nuc_power_off(uint32_t status)
{
	fake.power_off = (int)status;
	core_unlock();
	mock_assert(0, "nuc_power_off", __FILE__, __LINE__);
	abort();
}

void nuc_audit(struct audit *report)
{
	*report = fake.audit;
	report->free_frames = fake.free_frames;
}

void nuc_cpu_next(uint32_t handle, uint64_t deadline)
{
	uint32_t cpu = this_cpu()->id, old = fake.cpus[cpu].vcpu;

	if (old != VCPU_NONE)
		fake.vcpus[old].chosen_on = VCPU_NONE;
	if (handle != VCPU_NONE) {
		if (handle >= VCPUS_MAX || !fake.vcpus[handle].created || !fake.vcpus[handle].started)
			broken("nuc_cpu_next: not created and started");
		else if (fake.vcpus[handle].chosen_on != VCPU_NONE)
			broken("nuc_cpu_next: chosen on another CPU");
		else
			fake.vcpus[handle].chosen_on = cpu;
	}
	fake.cpus[cpu].vcpu = handle;
	fake.cpus[cpu].deadline = deadline;
}

void nuc_cpu_kick(uint32_t cpu)
{
	fake.cpus[cpu].kicks++;
	fake.cpus[cpu].kick_pending = true;
}

int nuc_domain_create(uint32_t id, uint32_t table_budget)
{
	(void)table_budget;
	if (fake.domains[id].exists)
		return -EEXIST;
	fake.domains[id] = (struct fake_domain){ .exists = true };
	fake_views_begin(id);
	return 0;
}

int nuc_domain_reclaim(uint32_t id, uint64_t frames)
{
	struct fake_domain *d = &fake.domains[id];

	if (!d->exists)
		return -ESRCH;
	for (uint32_t i = 0; i < DOMAIN_VCPUS_MAX; i++) {
		if (fake.vcpus[id * DOMAIN_VCPUS_MAX + i].created &&
		    fake.vcpus[id * DOMAIN_VCPUS_MAX + i].chosen_on != VCPU_NONE)
			return -EBUSY;
	}
	if (d->frames > frames) {
		d->frames -= frames;
		fake.free_frames += frames;
		return 1;
	}
	fake.free_frames += d->frames;
	for (uint32_t i = 0; i < SHARE_SLOTS; i++)
		free(d->shared[i]);
	memset(d, 0, sizeof(*d));
	fake_views_end(id);
	for (uint32_t i = 0; i < DOMAIN_VCPUS_MAX; i++) {
		memset(&fake.vcpus[id * DOMAIN_VCPUS_MAX + i], 0, sizeof(struct fake_vcpu));
		fake.vcpus[id * DOMAIN_VCPUS_MAX + i].chosen_on = VCPU_NONE;
	}
	return 0;
}

int nuc_memory_add(uint32_t id, gfn_t gfn, uint64_t count)
{
	struct fake_domain *d = &fake.domains[id];

	if (!d->exists)
		return -ESRCH;
	if (gfn.gfn >= FAKE_GFNS || count > FAKE_GFNS - gfn.gfn)
		return -EINVAL;
	for (uint64_t i = 0; i < count; i++) {
		if (d->type[gfn.gfn + i])
			return -EEXIST;
	}
	if (count > fake.free_frames)
		return -ENOMEM;
	fake.free_frames -= count;
	d->frames += count;
	memset(d->type + gfn.gfn, 1, count);
	return 0;
}

int nuc_memory_remove(uint32_t id, gfn_t gfn)
{
	struct fake_domain *d = &fake.domains[id];

	if (gfn.gfn >= FAKE_GFNS || d->type[gfn.gfn] != 1)
		return -ENOENT;
	d->type[gfn.gfn] = 0;
	d->frames--;
	fake.free_frames++;
	fake_views_lost(id, gfn.gfn);
	return 0;
}

int nuc_memory_type(uint32_t id, gfn_t gfn)
{
	return gfn.gfn < FAKE_GFNS ? fake.domains[id].type[gfn.gfn] : 0;
}

void *nuc_share_page(uint32_t id, uint32_t slot)
{
	struct fake_domain *d = &fake.domains[id];

	if (fake.fail_share || slot >= SHARE_SLOTS)
		return NULL;
	if (!d->shared[slot]) {
		d->shared[slot] = calloc(1, PAGE_SIZE);
		d->frames++;
		fake.free_frames--;
	}
	return d->shared[slot];
}

int nuc_share_map(uint32_t id, uint32_t slot, gfn_t gfn)
{
	struct fake_domain *d = &fake.domains[id];

	if (!d->shared[slot])
		return -ENOENT;
	if (gfn.gfn >= FAKE_GFNS)
		return -EINVAL;
	if (d->type[gfn.gfn] == 1) {
		d->frames--;
		fake.free_frames++;
		fake_views_lost(id, gfn.gfn);
	}
	if (d->shared_at[slot])
		d->type[d->shared_at[slot]] = 0;
	d->shared_at[slot] = gfn.gfn;
	d->type[gfn.gfn] = 2;
	return 0;
}

static bool in_memory(uint64_t at, uint64_t length)
{
	return at <= FAKE_MEMORY && length <= FAKE_MEMORY - at;
}

int nuc_copy_in(void *to, gva_t from, uint64_t length)
{
	fake.copies++;
	if (length > 65536)
		broken("nuc_copy_in: too long");
	if (fake.memory_repeats && from.gva >= FAKE_MEMORY)
		from.gva = FAKE_MEMORY / 2 + from.gva % PAGE_SIZE;
	if (!in_memory(from.gva, length))
		return -EFAULT;
	memcpy(to, fake.memory + from.gva, length);
	return 0;
}

int nuc_copy_out(gva_t to, const void *from, uint64_t length)
{
	fake.copies++;
	if (length > 65536)
		broken("nuc_copy_out: too long");
	if (!in_memory(to.gva, length))
		return -EFAULT;
	memcpy(fake.memory + to.gva, from, length);
	return 0;
}

static uint8_t *window(uint32_t handle, uint32_t offset, uint32_t length)
{
	if (handle >= VCPUS_MAX || !fake.vcpus[handle].window || offset + length > 64)
		broken("window: not open or out of range");
	return fake.vcpus[handle].window_bytes + offset;
}

int nuc_window_open(uint32_t handle, gpa_t gpa, uint32_t length)
{
	uint64_t gfn = gpa_to_gfn(gpa).gfn;

	if (length > 64 || gpa.gpa % 8)
		return -EINVAL;
	if (gfn >= FAKE_GFNS || fake.domains[handle / DOMAIN_VCPUS_MAX].type[gfn] != 1)
		return -ENOENT;
	if (fake.vcpus[handle].window)
		return -EEXIST;
	fake.vcpus[handle].window = true;
	return 0;
}

uint64_t nuc_window_or(uint32_t handle, uint32_t offset, uint64_t bits)
{
	uint8_t *at = window(handle, offset, 8);
	uint64_t old, new;

	memcpy(&old, at, 8);
	new = old | bits;
	memcpy(at, &new, 8);
	return old;
}

uint64_t nuc_window_and(uint32_t handle, uint32_t offset, uint64_t bits)
{
	uint8_t *at = window(handle, offset, 8);
	uint64_t old, new;

	memcpy(&old, at, 8);
	new = old & bits;
	memcpy(at, &new, 8);
	return old;
}

void nuc_window_read(uint32_t handle, uint32_t offset, void *to, uint32_t length)
{
	memcpy(to, window(handle, offset, length), length);
}

void nuc_window_write(uint32_t handle, uint32_t offset, const void *from, uint32_t length)
{
	memcpy(window(handle, offset, length), from, length);
}

int nuc_vcpu_create(uint32_t handle)
{
	if (fake.vcpus[handle].created)
		return -EEXIST;
	fake.vcpus[handle].created = true;
	return 0;
}

/* ---- the architecture's part, reduced to what the neutral core can see --------- */

struct exit core_exits[CPUS_MAX];

const char *arch_exit_name(uint32_t kind)
{
	(void)kind;
	return "exit";
}

void arch_init(const struct boot_info *info) { (void)info; }

void arch_vcpu_init(struct vcpu *v)
{
	v->wait_sipi = v->number != 0;
}

bool arch_vcpu_irq_pending(const struct vcpu *v)
{
	return v->nmi_raised || (!v->halted_irqs_off && (v->callback_raised || fake.irq_pending[v->handle]));
}

void arch_vcpu_deliver(struct vcpu *v)
{
	if (fake.vcpus[v->handle].chosen_on != this_cpu()->id)
		broken("arch_vcpu_deliver: not the current vCPU");
	if (v->callback_raised || v->nmi_raised || fake.irq_pending[v->handle])
		fake.vcpus[v->handle].interrupts++;
	v->callback_raised = v->nmi_raised = fake.irq_pending[v->handle] = false;
}

int arch_domain_load(struct domain *d, const struct manifest *m, const struct pack_domain *p)
{
	(void)m, (void)p;
	if (fake.fail_load)
		return -ENOMEM;
	d->map_count = 1;
	d->map[0] = (struct memory_range){ 0, d->memory, 1 };
	for (uint32_t i = 0; i < d->vcpu_count; i++)
		fake.vcpus[d->vcpus[i]->handle].started = true;
	return 0;
}

void arch_vcpu_stopped(struct vcpu *v)
{
	if (v->state != VCPU_DOWN || fake.vcpus[v->handle].chosen_on != VCPU_NONE)
		broken("arch_vcpu_stopped: still up");
	fake.stopped++;
}

uint32_t arch_memory_layout(uint64_t bytes, struct ram_range ram[2])
{
	ram[0] = (struct ram_range){ 0, bytes };
	return 1;
}

gfn_t arch_special_gfn(uint64_t bytes)
{
	return gfn_of(bytes >> PAGE_SHIFT);
}

/* ---- for tests ------------------------------------------------------------------ */

void fake_reset(uint32_t count)
{
	struct boot_info info = { .cpus = count, .tsc_khz = 1000000, .boot_tsc = 1000 };

	for (uint32_t i = 0; i < DOMAINS_MAX; i++) {
		for (uint32_t slot = 0; slot < SHARE_SLOTS; slot++)
			free(fake.domains[i].shared[slot]);
		fake_views_end(i);
	}
	memset(&fake, 0, sizeof(fake));
	memset(domains, 0, sizeof(domains));
	memset(vcpus, 0, sizeof(vcpus));
	memset(cpus, 0, sizeof(cpus));
	memset(&options, 0, sizeof(options));
	options.altp2m_policy = &altp2m_policies[0];
	fake.now = 1000;
	fake.power_off = -1;
	fake.free_frames = 1000000;
	boot_free_pages = 1000000;
	reap_pending = false;
	for (uint32_t i = 0; i < VCPUS_MAX; i++)
		fake.vcpus[i].chosen_on = VCPU_NONE;
	for (uint32_t i = 0; i < CPUS_MAX; i++) {
		cpus[i].id = i;
		fake.cpus[i].vcpu = VCPU_NONE;
		fake.cpus[i].deadline = NEVER;
	}
	cpu_count = count;
	fake_cpu(0);
	console_init();
	time_init(&info);
	sched_init();
	for (uint32_t i = 0; i < count; i++) {
		fake_cpu(i);
		core_cpu_up(i);
	}
	fake_cpu(0);
}

void fake_cpu(uint32_t cpu)
{
	fake_this_cpu = &cpus[cpu];
}

struct domain *fake_domain(uint32_t id, uint32_t vcpu_count, uint32_t weight, bool control)
{
	static struct pack_domain packs[DOMAINS_MAX];
	static const struct manifest none;
	struct pack_domain *p = &packs[id];

	memset(p, 0, sizeof(*p));
	snprintf(p->name, sizeof(p->name), "dom%u", id);
	p->flags = control ? PACK_DOMAIN_CONTROL : 0;
	p->vcpus = vcpu_count;
	p->memory = 1 << 20;
	p->weight = weight;
	core_lock();
	assert_int_equal(domain_build(&none, p, id), 0);
	core_unlock();
	fake_deliver_kicks();
	return &domains[id];
}

void fake_run(struct vcpu *v)
{
	core_lock();
	vcpu_wake(v);
	sched_tail(this_cpu());
	core_unlock();
	fake_deliver_kicks();
}

void fake_event(uint32_t cpu, uint32_t events)
{
	struct cpu *before = fake_this_cpu;

	fake_cpu(cpu);
	core_event(cpu, events);
	fake_this_cpu = before;
}

void fake_deliver_kicks(void)
{
	for (uint32_t i = 0; i < CPUS_MAX; i++) {
		if (fake.cpus[i].kick_pending) {
			fake.cpus[i].kick_pending = false;
			fake_event(i, EVENT_KICK);
			i = (uint32_t)-1; /* it may have kicked one we have passed */
		}
	}
	if (this_cpu()->work) {
		core_lock();
		sched_tail(this_cpu());
		core_unlock();
	}
}

long fake_hypercall(uint32_t nr, uint64_t a1, uint64_t a2, uint64_t a3)
{
	return core_hypercall(a1, a2, a3, 0, 0, nr);
}

uint64_t fake_put(uint64_t at, const void *object, size_t n)
{
	assert_true(in_memory(at, n));
	memcpy(fake.memory + at, object, n);
	return at;
}
