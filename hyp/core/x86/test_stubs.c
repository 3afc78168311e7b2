/* SPDX-License-Identifier: Apache-2.0 */
/* See test_stubs.h. */
#include "test_stubs.h"

struct stubs stubs;
struct domain domains[DOMAINS_MAX];
struct vcpu vcpus[VCPUS_MAX];
struct cpu cpus[CPUS_MAX];
uint32_t cpu_count = 2;
struct cpu *fake_this_cpu = &cpus[0];

struct domain *stub_domain(uint32_t count)
{
	struct domain *d = &domains[1];

	memset(&stubs, 0, sizeof(stubs));
	stubs.shutdown = -1;
	memset(d, 0, sizeof(*d));
	memset(cpus, 0, sizeof(cpus));
	d->id = 1;
	d->live = true;
	d->vcpu_count = count;
	strcpy(d->name, "test");
	for (uint32_t i = 0; i < count; i++) {
		struct vcpu *v = &vcpus[DOMAIN_VCPUS_MAX + i];

		memset(v, 0, sizeof(*v));
		v->domain = d;
		v->number = i;
		v->handle = DOMAIN_VCPUS_MAX + i;
		v->state = i ? VCPU_RUNNABLE : VCPU_RUNNING;
		d->vcpus[i] = v;
		arch_vcpu_init(v);
		v->wait_sipi = false;
		v->lapic.svr |= APIC_SVR_ENABLE;
	}
	cpus[0].current = d->vcpus[0];
	return d;
}

void core_lock(void) { assert_int_equal(stubs.locked++, 0); }
void core_unlock(void) { assert_int_equal(stubs.locked--, 1); }
void sched_tail(struct cpu *cpu) { (void)cpu; stubs.tails++; }
void domain_check_halted(struct domain *d) { (void)d; stubs.halted_checks++; }
void domain_shutdown(struct domain *d, uint32_t reason) { (void)d; stubs.shutdown = (int)reason; }
void vcpu_block(struct vcpu *v) { (void)v; stubs.blocks++; }
void vcpu_yield(struct vcpu *v) { (void)v; stubs.yields++; }
bool evtchn_upcall_pending(struct vcpu *v) { (void)v; return stubs.upcall_pending; }

void vcpu_kick(struct vcpu *v)
{
	stubs.kicks++;
	stubs.kicked = v;
}

void vcpu_wake(struct vcpu *v)
{
	stubs.wakes++;
	stubs.woken = v;
	v->state = VCPU_RUNNABLE;
}

/* A running vCPU goes down at once, or with stop_is_slow when the test says so. */
void vcpu_stop(struct vcpu *v)
{
	stubs.stops++;
	stubs.stopped = v;
	v->state = VCPU_DOWN;
	if (stubs.stop_is_slow)
		v->stopping = true;
	else
		arch_vcpu_stopped(v);
}

void domain_crash(struct domain *d, const char *format, ...)
{
	va_list args;

	(void)d;
	va_start(args, format);
	vsnprintf(stubs.crash, sizeof(stubs.crash), format, args);
	va_end(args);
}

void domain_note(struct domain *d, const char *format, ...)
{
	va_list args;

	(void)d;
	va_start(args, format);
	vsnprintf(stubs.note, sizeof(stubs.note), format, args);
	va_end(args);
	stubs.prints++;
}

size_t format_text(char *out, size_t size, const char *format, ...)
{
	va_list args;
	int n;

	va_start(args, format);
	n = vsnprintf(out, size, format, args);
	va_end(args);
	return (size_t)n;
}

void altp2m_memory_changed(struct domain *d) { (void)d; stubs.memory_changes++; }

void print(const char *format, ...)
{
	(void)format;
	stubs.prints++;
}

const char *manifest_string(const struct manifest *m, uint64_t offset)
{
	return (const char *)m->header + offset;
}

void nuc_cpuid(uint32_t leaf, uint32_t subleaf, uint32_t out[4])
{
	memset(out, 0, 16);
	for (size_t i = 0; i < stubs.host_count; i++)
		if (stubs.host[i].leaf == leaf && stubs.host[i].subleaf == subleaf)
			memcpy(out, stubs.host[i].r, 16);
}

uint64_t nuc_now(void) { return 12345; }

void nuc_panic(const char *message)
{
	fail_msg("nuc_panic: %s", message);
	abort();
}

int nuc_memory_type(uint32_t domain, gfn_t gfn)
{
	(void)domain;
	(void)gfn;
	return stubs.memory_type;
}

int nuc_view_entry(uint32_t domain, uint32_t view, gfn_t gfn, struct view_entry *entry)
{
	(void)domain;
	(void)view;
	*entry = (struct view_entry){ .target = gfn.gfn, .access = stubs.view_access };
	return 0;
}

int nuc_view_change(uint32_t domain, uint32_t view, const struct view_change *changes, uint32_t count,
		    int *error)
{
	(void)domain;
	assert_int_equal(count, 1);
	*error = stubs.view_change_error;
	if (*error)
		return 0;
	stubs.view_changes++;
	stubs.changed_view = view;
	stubs.view_change = *changes;
	return 1;
}

int nuc_view_enter(uint32_t domain, uint32_t which, uint32_t view)
{
	(void)domain;
	stubs.enters++;
	stubs.entered = which;
	stubs.entered_view = view;
	return 0;
}

int nuc_memory_load(uint32_t domain, gpa_t gpa, uint64_t offset, uint64_t length)
{
	(void)domain;
	assert_true(stubs.load_count < STUB_LOADS_MAX);
	stubs.loads[stubs.load_count].gpa = gpa.gpa;
	stubs.loads[stubs.load_count].offset = offset;
	stubs.loads[stubs.load_count].length = length;
	stubs.load_count++;
	return 0;
}

int nuc_memory_write(uint32_t domain, gpa_t gpa, const void *from, uint64_t length)
{
	(void)domain;
	assert_true(length <= STUB_WRITE_MAX);
	memcpy(stubs.written, from, length);
	stubs.write_gpa = gpa.gpa;
	stubs.write_length = length;
	return 0;
}

void *nuc_share_page(uint32_t domain, uint32_t slot)
{
	(void)domain;
	assert_int_equal(slot, SHARE_HYPERCALL);
	return stubs.page;
}

int nuc_share_map(uint32_t domain, uint32_t slot, gfn_t gfn)
{
	(void)domain;
	(void)slot;
	stubs.shared_gfn = gfn.gfn;
	return 0;
}

int nuc_vcpu_start(uint32_t vcpu, enum vcpu_start how, uint32_t entry, uint32_t argument)
{
	stubs.starts++;
	stubs.start_vcpu = vcpu;
	stubs.start_how = how;
	stubs.start_entry = entry;
	stubs.start_argument = argument;
	return 0;
}

int nuc_vcpu_interrupt(uint32_t vcpu, uint8_t vector)
{
	(void)vcpu;
	if (stubs.interrupt_busy)
		return -EBUSY;
	stubs.interrupts++;
	stubs.vector = vector;
	stubs.interrupt_busy = true;      /* until the test says that it went in */
	return 0;
}

void nuc_vcpu_nmi(uint32_t vcpu)
{
	(void)vcpu;
	stubs.nmis++;
}
