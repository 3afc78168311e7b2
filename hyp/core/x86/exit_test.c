/* SPDX-License-Identifier: Apache-2.0 */
/* The exit table and what stands behind it: MSRs, ports, memory, HLT. */
#include "test_stubs.h"

static struct exit *run(uint32_t kind, struct exit e)
{
	core_exits[0] = e;
	core_exits[0].kind = kind;
	core_exits[0].vcpu = DOMAIN_VCPUS_MAX;
	core_exits[0].verdict = VERDICT_STOP;
	core_exit(0);
	assert_int_equal(stubs.locked, 0);
	return &core_exits[0];
}
#define RUN(kind, ...) run(kind, (struct exit){ __VA_ARGS__ })

static void every_kind_has_a_row(void **state)
{
	(void)state;
	for (uint32_t i = 0; i < EXIT_KINDS; i++) {
		if (i == EXIT_UNKNOWN)
			continue;
		assert_non_null(exit_rows[i].name);
		assert_non_null(exit_rows[i].effect);
		assert_non_null(exit_rows[i].why);
		assert_non_null(exit_rows[i].avoid);
		assert_int_equal(exit_rows[i].handle == NULL, i == EXIT_CPUID);
	}
}

static void unknown_stops_the_guest(void **state)
{
	(void)state;
	stub_domain(1);
	assert_int_equal(
		RUN(EXIT_UNKNOWN, .unknown = {.rip = 0x1234, .qualification = 0x77, .reason = 0x80000021})
			->verdict,
		VERDICT_STOP);
	assert_non_null(strstr(stubs.crash, "exit 33, VM entry failed"));
	assert_non_null(strstr(stubs.crash, "0x1234"));
	assert_non_null(strstr(stubs.crash, "0x77"));
	stub_domain(1);
	assert_int_equal(RUN(EXIT_KINDS + 5, .unknown = { .rip = 1 })->verdict, VERDICT_STOP);
	assert_non_null(strstr(stubs.crash, "no row"));
	stub_domain(1);
	assert_int_equal(RUN(EXIT_TRIPLE, .triple = { 0xabcd })->verdict, VERDICT_STOP);
	assert_non_null(strstr(stubs.crash, "0xabcd"));
}

static void a_dead_vcpu_is_not_served(void **state)
{
	struct domain *d = stub_domain(1);

	(void)state;
	d->vcpus[0]->state = VCPU_DEAD;
	assert_int_equal(RUN(EXIT_IO, .io = {.port = 0x64, .size = 1, .value = 0xfe})->verdict, VERDICT_STOP);
	assert_int_equal(stubs.shutdown, -1);
	assert_int_equal(stubs.tails, 1);
	/* Nor one that an INIT is stopping; but that one may start again on this very CPU. */
	d->vcpus[0]->state = VCPU_DOWN;
	d->vcpus[0]->stopping = true;
	assert_int_equal(RUN(EXIT_IO, .io = {.port = 0x64, .size = 1, .value = 0xfe})->verdict,
			 VERDICT_RESUME);
	assert_int_equal(stubs.shutdown, -1);
	assert_int_equal(stubs.tails, 2);
}

static void memory_policy(void **state)
{
	(void)state;
	stub_domain(1);
	for (int i = 0; i < 10; i++)
		assert_int_equal(RUN(EXIT_MEMORY, .memory = {.gpa = 0xfee00020, .write = true})->verdict,
				 VERDICT_GP);
	assert_int_equal(stubs.prints, MEMORY_REPORTS);
	assert_int_equal(memory_faults[1], 10);
	assert_string_equal(stubs.crash, "");
	assert_int_equal(RUN(EXIT_MEMORY, .memory = {.gpa = 0x99000, .fetch = true})->verdict, VERDICT_STOP);
	assert_non_null(strstr(stubs.crash, "0x99000"));
	stub_domain(1);
	assert_int_equal(
		RUN(EXIT_MEMORY, .memory = {.gpa = 0x98000, .read = true, .delivering = true})->verdict,
		VERDICT_STOP);
	assert_non_null(strstr(stubs.crash, "delivering"));
}

/* An access in `view` that its rights forbid. */
#define DENIED(v, ...) \
	RUN(EXIT_MEMORY, .memory = {.gpa = 0x98123, .rip = 7, .mapped = true, .view = v, __VA_ARGS__})

static void denied_by_a_view(void **state)
{
	(void)state;
	stub_domain(2);
	/* No VMFUNC: it stays where it is, whatever the access and the view. */
	memory_faults[1] = 0;
	assert_int_equal(DENIED(3, .write = true, .access = 5)->verdict, VERDICT_GP);
	assert_string_equal(stubs.note, "vcpu0: write at gpa 0x98123, which view 3 denies, rip 0x7: #GP");
	assert_int_equal(DENIED(3, .fetch = true, .access = 3)->verdict, VERDICT_GP);
	assert_int_equal(DENIED(0, .fetch = true, .access = 3)->verdict, VERDICT_GP);
	assert_int_equal(DENIED(0, .read = true, .access = 4, .functions = true)->verdict, VERDICT_GP);
	assert_int_equal(stubs.prints, 4);
	DENIED(3, .read = true);
	assert_int_equal(stubs.prints, MEMORY_REPORTS);
	assert_int_equal(memory_faults[1], 5);
	assert_int_equal(stubs.enters + stubs.view_changes, 0);
	assert_string_equal(stubs.crash, "");
	assert_int_equal(DENIED(3, .write = true, .delivering = true)->verdict, VERDICT_STOP);
	assert_non_null(strstr(stubs.crash, "write while delivering an event at gpa 0x98123, which view 3"));
	stub_domain(1);
	assert_int_equal(DENIED(0, .write = true, .delivering = true, .functions = true)->verdict,
			 VERDICT_STOP);
	assert_int_equal(stubs.enters, 0);
	/* Nothing mapped, in a view: data as in view 0; a fetch no longer stops the guest. */
	stub_domain(1);
	assert_int_equal(RUN(EXIT_MEMORY, .memory = {.gpa = 0x1000, .view = 4, .fetch = true})->verdict,
			 VERDICT_GP);
	assert_int_equal(
		RUN(EXIT_MEMORY, .memory = {.gpa = 0x1000, .view = 4, .read = true, .functions = true})
			->verdict,
		VERDICT_GP);
	assert_int_equal(stubs.enters, 0);
}

static void a_stray_vmfunc_ends_in_view_0(void **state)
{
	(void)state;
	stub_domain(2);
	memory_faults[1] = 0;
	assert_int_equal(DENIED(3, .write = true, .access = 5, .functions = true)->verdict, VERDICT_GP);
	assert_int_equal(stubs.enters, 1);
	assert_int_equal(stubs.entered, 1 << 0);
	assert_int_equal(stubs.entered_view, 0);
	assert_string_equal(stubs.note, "vcpu0: write at gpa 0x98123, which view 3 denies, rip 0x7: "
					"from view 3 back to 0, #GP");
	assert_int_equal(DENIED(3, .read = true, .functions = true, .delivering = true)->verdict,
			 VERDICT_RESUME);
	assert_int_equal(
		RUN(EXIT_MEMORY, .memory = {.gpa = 0x1000, .view = 4, .fetch = true, .functions = true})
			->verdict,
		VERDICT_GP);
	assert_int_equal(RUN(EXIT_MEMORY, .memory = {.gpa = 0x1000, .view = 4, .write = true,
						     .functions = true, .delivering = true})
				 ->verdict,
			 VERDICT_RESUME);
	assert_int_equal(stubs.enters, 4);
	assert_string_equal(stubs.crash, "");
}

static void access_that_changes_once(void **state)
{
	(void)state;
	stub_domain(1);
	memory_faults[1] = 0;
	stubs.view_access = VIEW_ACCESS_RX_TO_RW;
	assert_int_equal(DENIED(0, .write = true, .access = VIEW_ACCESS_RX_TO_RW)->verdict, VERDICT_RESUME);
	assert_int_equal(stubs.view_changes, 1);
	assert_int_equal(stubs.changed_view, 0);
	assert_int_equal(stubs.view_change.gfn, 0x98);
	assert_int_equal(stubs.view_change.set, VIEW_SET_ACCESS);
	assert_int_equal(stubs.view_change.access, 3);
	stubs.view_access = VIEW_ACCESS_N_TO_RWX;
	assert_int_equal(
		DENIED(5, .fetch = true, .access = VIEW_ACCESS_N_TO_RWX, .delivering = true)->verdict,
		VERDICT_RESUME);
	assert_int_equal(stubs.changed_view, 5);
	assert_int_equal(stubs.view_change.access, 7);
	/* Someone has set something else meanwhile: that is not overwritten. */
	stubs.view_access = 1;
	assert_int_equal(DENIED(5, .fetch = true, .access = VIEW_ACCESS_N_TO_RWX)->verdict, VERDICT_RESUME);
	assert_int_equal(stubs.view_changes, 2);
	/* No table left: then it is denied like any other. */
	stubs.view_access = VIEW_ACCESS_RX_TO_RW;
	stubs.view_change_error = -ENOMEM;
	assert_int_equal(DENIED(5, .write = true, .access = VIEW_ACCESS_RX_TO_RW)->verdict, VERDICT_GP);
	assert_int_equal(memory_faults[1], 1);
}

static void halting(void **state)
{
	struct domain *d = stub_domain(2);

	(void)state;
	assert_int_equal(RUN(EXIT_HLT, .hlt = { true })->verdict, VERDICT_SKIP);
	assert_int_equal(stubs.blocks, 1);
	assert_false(d->vcpus[0]->halted_irqs_off);
	assert_int_equal(stubs.halted_checks, 0);
	RUN(EXIT_HLT, .hlt = { false });
	assert_int_equal(stubs.blocks, 2);
	assert_int_equal(stubs.halted_checks, 1);
	assert_true(d->vcpus[0]->halted_irqs_off);
	/* A vector that waits ends the HLT at once; with interrupts off it doesn't. */
	lapic_raise(d->vcpus[0], 0x80);
	RUN(EXIT_HLT, .hlt = { true });
	assert_int_equal(stubs.blocks, 2);
	assert_int_equal(stubs.vector, 0x80);
	lapic_raise(d->vcpus[0], 0x90);
	RUN(EXIT_HLT, .hlt = { false });
	assert_int_equal(stubs.blocks, 3);
	d->vcpus[0]->nmi_raised = true;
	RUN(EXIT_HLT, .hlt = { false });
	assert_int_equal(stubs.blocks, 3);
	assert_int_equal(stubs.nmis, 1);
	assert_int_equal(RUN(EXIT_PAUSE, .hlt = { 0 })->verdict, VERDICT_SKIP);
	assert_int_equal(stubs.yields, 1);
	assert_int_equal(RUN(EXIT_CACHE, .hlt = { 0 })->verdict, VERDICT_SKIP);
}

static void the_tail_runs_when_asked(void **state)
{
	(void)state;
	stub_domain(1);
	RUN(EXIT_CACHE, .hlt = { 0 });
	assert_int_equal(stubs.tails, 0);
	cpus[0].work = true;
	RUN(EXIT_CACHE, .hlt = { 0 });
	assert_int_equal(stubs.tails, 1);
	assert_int_equal(cpus[0].exits[EXIT_CACHE], 2);
}

static void ports(void **state)
{
	(void)state;
	stub_domain(1);
	assert_int_equal(RUN(EXIT_IO, .io = { .port = 0xcfc, .size = 4, .in = true })->io.value, 0xffffffff);
	assert_int_equal(RUN(EXIT_IO, .io = { .port = 0x64, .size = 1, .in = true })->io.value, 0xff);
	assert_int_equal(RUN(EXIT_IO, .io = { .port = 0x1f0, .size = 2, .in = true })->io.value, 0xffff);
	assert_int_equal(RUN(EXIT_IO, .io = {.port = 0xe9, .size = 1, .string = true})->verdict, VERDICT_GP);
	assert_int_equal(RUN(EXIT_IO, .io = {.port = 0xcf8, .size = 4, .value = 0xffffffff})->verdict,
			 VERDICT_SKIP);
	RUN(EXIT_IO, .io = { .port = 0xcf9, .size = 4, .value = 6 });
	RUN(EXIT_IO, .io = { .port = 0xcf9, .size = 1, .value = 2 });
	RUN(EXIT_IO, .io = { .port = 0x64, .size = 1, .value = 0xd1 });
	RUN(EXIT_IO, .io = { .port = 0x64, .size = 1, .value = 0xfe, .in = true });
	assert_int_equal(stubs.shutdown, -1);
	RUN(EXIT_IO, .io = { .port = 0xcf9, .size = 1, .value = 6 });
	assert_int_equal(stubs.shutdown, 1);
	stub_domain(1);
	RUN(EXIT_IO, .io = { .port = 0x64, .size = 1, .value = 0xfe });
	assert_int_equal(stubs.shutdown, 1);
}

static void msr_is(uint32_t index, uint64_t value)
{
	struct exit *e = RUN(EXIT_RDMSR, .msr = { index, ~0ull });

	assert_int_equal(e->verdict, VERDICT_SKIP);
	assert_true(e->msr.value == value);
}

static uint32_t write_msr(uint32_t index, uint64_t value)
{
	return RUN(EXIT_WRMSR, .msr = { index, value })->verdict;
}

static void msrs(void **state)
{
	static const uint32_t none[] = {
		0,     0x3a,  0x3b,  0x48,	 0x49,	     0xc1,	 0xce,	     0xfe,	 0x10a,
		0x122, 0x140, 0x179, 0x186,	 0x200,	     0x2ff,	 0x38d,	     0x400,	 0x480,
		0x800, 0x801, 0x804, 0x809,	 0x80c,	     0x80e,	 0x829,	     0x82f,	 0x831,
		0x83a, 0x840, 0xda0, 0x3fffffff, 0x40000001, 0xc0000080, 0xc0000104, 0xc0011029, 0xffffffff};

	(void)state;
	stub_domain(2);
	msr_is(0x1b, 0xfee00d00);
	msr_is(0x1a0, 1);
	msr_is(0x17, 0);
	msr_is(0x8b, 1ull << 32);
	msr_is(0x6e0, 0);
	msr_is(0x40000000, 0);
	assert_int_equal(write_msr(0x1b, 0xfee00d00), VERDICT_SKIP);
	assert_int_equal(write_msr(0x1b, 0xfee00900), VERDICT_GP);
	assert_int_equal(write_msr(0x1b, 0), VERDICT_GP);
	assert_int_equal(write_msr(0x8b, 0), VERDICT_SKIP);
	assert_int_equal(write_msr(0x17, 0), VERDICT_GP);
	assert_int_equal(write_msr(0x10, 0), VERDICT_SKIP);
	assert_int_equal(write_msr(0x6e0, 99), VERDICT_SKIP);
	for (size_t i = 0; i < ARRAY_SIZE(none); i++) {
		assert_int_equal(RUN(EXIT_RDMSR, .msr = { none[i], 0 })->verdict, VERDICT_GP);
		assert_int_equal(write_msr(none[i], 0), VERDICT_GP);
	}
	assert_true(vcpus[DOMAIN_VCPUS_MAX + 1].lapic.base == 0xfee00c00);
}

static void msr_rows_are_sound(void **state)
{
	(void)state;
	for (size_t i = 0; i < msr_row_count; i++) {
		const struct msr_row *r = &msr_rows[i];

		assert_true(r->first <= r->last && r->name && r->effect && r->why && r->avoid);
		assert_true(r->nucleus == (!r->read && !r->write));
		assert_true(i == 0 || msr_rows[i - 1].last < r->first);
	}
	for (size_t i = 0; i < port_row_count; i++)
		assert_true(port_rows[i].first <= port_rows[i].last && port_rows[i].name &&
			    port_rows[i].effect);
	for (size_t i = 0; i < cpuid_row_count; i++)
		assert_true(cpuid_rows[i].name && cpuid_rows[i].effect && cpuid_rows[i].why &&
			    cpuid_rows[i].avoid && (i == 0 || cpuid_rows[i - 1].leaf < cpuid_rows[i].leaf));
}

static void hypercall_page(void **state)
{
	struct domain *d = stub_domain(1);

	(void)state;
	d->pages = 100;
	d->highest_gfn = gfn_of(99);
	stubs.memory_type = 1;
	assert_int_equal(write_msr(0x40000000, 0x5001), VERDICT_GP);
	assert_int_equal(write_msr(0x40000000, 0x5000), VERDICT_SKIP);
	assert_int_equal(stubs.shared_gfn, 5);
	assert_int_equal(d->pages, 99);
	assert_memory_equal(stubs.page + 17 * 32, "\xb8\x11\0\0\0\x0f\x01\xc1\xc3", 9);
	assert_memory_equal(stubs.page + 127 * 32, "\xb8\x7f\0\0\0\x0f\x01\xc1\xc3", 9);
	assert_memory_equal(stubs.page + 23 * 32, "\x0f\x0b", 2);
	stubs.memory_type = 2;
	assert_int_equal(write_msr(0x40000000, 0x5000), VERDICT_SKIP);    /* the same page again */
	assert_int_equal(write_msr(0x40000000, 0x6000), VERDICT_GP);      /* another shared page */
	assert_int_equal(write_msr(0x40000000, 0), VERDICT_GP);
	stubs.memory_type = 0;
	assert_int_equal(write_msr(0x40000000, 0x100000), VERDICT_SKIP);
	assert_int_equal(d->pages, 99);
	assert_int_equal(d->highest_gfn.gfn, 0x100);
	assert_int_equal(stubs.memory_changes, 3); /* the RAM there may have been shown by a view */
}

static void cr8(void **state)
{
	struct domain *d = stub_domain(1);

	(void)state;
	assert_int_equal(RUN(EXIT_CR8, .cr8 = { 5, true })->verdict, VERDICT_SKIP);
	assert_int_equal(d->vcpus[0]->lapic.tpr, 0x50);
	assert_int_equal(RUN(EXIT_CR8, .cr8 = { 0, false })->cr8.value, 5);
	assert_int_equal(RUN(EXIT_CR8, .cr8 = { 16, true })->verdict, VERDICT_GP);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_kind_has_a_row),
		cmocka_unit_test(unknown_stops_the_guest),
		cmocka_unit_test(a_dead_vcpu_is_not_served),
		cmocka_unit_test(memory_policy),
		cmocka_unit_test(denied_by_a_view),
		cmocka_unit_test(a_stray_vmfunc_ends_in_view_0),
		cmocka_unit_test(access_that_changes_once),
		cmocka_unit_test(halting),
		cmocka_unit_test(the_tail_runs_when_asked),
		cmocka_unit_test(ports),
		cmocka_unit_test(msrs),
		cmocka_unit_test(msr_rows_are_sound),
		cmocka_unit_test(hypercall_page),
		cmocka_unit_test(cr8),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
