/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Views from inside: a guest in mixed mode that uses HVMOP_altp2m, VMFUNC and
 * #VE on itself. Every wrong thing is one "failure:" line; the rest goes on.
 * Options: parts=<bit mask of the parts below>, views=<number for "many", 2000>.
 */
#include "views.h"

const char test_name[] = "altp2m";

uint8_t pages[PAGES][4096] __attribute__((aligned(4096)));
uint8_t big[512][4096] __attribute__((aligned(2 << 20)));
struct ve_page ve_pages[CPU_MAX] __attribute__((aligned(4096)));

uint16_t make_view(uint16_t default_access)
{
	uint16_t view = 0;

	if (!CHECK_EQUAL(altp2m_create(DOMID_SELF, default_access, &view), 0))
		return 0;
	CHECK(view != 0 && view != ALTP2M_NO_VIEW);
	return view;
}

void drop_view(uint16_t view)
{
	CHECK_EQUAL(altp2m_destroy(DOMID_SELF, view), 0);
}

uint16_t view_now(void)
{
	uint16_t view = ALTP2M_NO_VIEW;

	CHECK_EQUAL(altp2m_get_vcpu_view(DOMID_SELF, this_cpu()->id, &view), 0);
	return view;
}

void enter(uint16_t view)
{
	CHECK_EQUAL(altp2m_switch_vcpu(DOMID_SELF, this_cpu()->id, view), 0);
}

struct altp2m_view view_facts(uint16_t view)
{
	struct altp2m_view facts = {0};
	uint32_t from = view, count = 1;

	CHECK_EQUAL(altp2m_list_views(DOMID_SELF, &from, &facts, &count), 0);
	if (!CHECK(count == 1 && facts.view == view))
		facts = (struct altp2m_view){0};
	return facts;
}

void check_all_gone(void)
{
	struct altp2m_view views[2];
	uint32_t from = 0, count = 2;

	CHECK_EQUAL(altp2m_list_views(DOMID_SELF, &from, views, &count), 0);
	CHECK_EQUAL(count, 1);
	CHECK_EQUAL(from, 0);
	CHECK_EQUAL(views[0].view, 0);
	CHECK_EQUAL(views[0].vcpus, smp_count());
}

uint32_t try_read(const volatile void *address, uint64_t *value)
{
	uint32_t ok = 0;
	uint64_t v = 0;

	asm volatile("1: movq (%2), %1\n\tmovl $1, %0\n2:" FIXUP
		     : "+&r"(ok), "+&r"(v)
		     : "r"(address)
		     : "memory");
	*value = v;
	return ok ? 0 : this_cpu()->trap.vector;
}

uint32_t try_write(volatile void *address, uint64_t value)
{
	uint32_t ok = 0;

	asm volatile("1: movq %2, (%1)\n\tmovl $1, %0\n2:" FIXUP
		     : "+&r"(ok)
		     : "r"(address), "r"(value)
		     : "memory");
	return ok ? 0 : this_cpu()->trap.vector;
}

struct run {
	void *code;
	uint64_t result;
};

static void run_it(void *argument)
{
	struct run *r = argument;
	uint64_t (*code)(void);

	memcpy(&code, &r->code, sizeof(code));
	r->result = code();
}

uint32_t try_run(void *code, uint64_t *result)
{
	struct run r = {code, 0};
	bool faulted = trap_try(run_it, &r);

	*result = r.result;
	return faulted ? this_cpu()->trap.vector : 0;
}

void refused(uint32_t vector, uint16_t expected, const char *what, const char *file, int line)
{
	/* Read before anything else can fault. */
	uint32_t error = this_cpu()->trap.error;
	uint16_t view = view_now();

	test_checks++;
	if (view)
		enter(0);
	if (vector != VECTOR_GP || error || view != expected)
		test_failure(
			"%s:%d: %s ends with vector %u, error %x, in view %u; expected #GP(0) in view %u",
			file, line, what, vector, error, view, expected);
}

void functions_on(void)
{
	uint32_t id = this_cpu()->id;

	CHECK_EQUAL(altp2m_enable_notify(DOMID_SELF, id, GFN(&ve_pages[id])), 0);
	ve_pages[id].info.busy = 0;
}

void functions_off(void)
{
	CHECK_EQUAL(altp2m_disable_notify(DOMID_SELF, this_cpu()->id), 0);
}

void fill(void *page, uint64_t number)
{
	for (uint32_t i = 0; i < 512; i++)
		((volatile uint64_t *)page)[i] = number;
}

void fill_code(void *page, uint32_t number)
{
	uint8_t *code = page;

	memset(page, 0xcc, 4096);
	code[0] = 0xb8; /* mov $number, %eax; ret */
	memcpy(code + 1, &number, 4);
	code[5] = 0xc3;
}

static bool reservation(uint64_t command, void *page)
{
	uint64_t gfn = GFN(page);
	struct xen_reservation r = {.extents = (uint64_t)&gfn, .count = 1, .domid = DOMID_SELF};

	return hypercall2(HC_memory_op, command, &r) == 1;
}

bool balloon_out(void *page)
{
	return reservation(MEM_decrease_reservation, page);
}

bool balloon_in(void *page)
{
	return reservation(MEM_populate_physmap, page);
}

void test_main(void)
{
	static const struct {
		const char *name;
		void (*check)(void);
	} parts[] = {
		{"off", check_off},	{"abi", check_abi},	  {"views", check_views},
		{"steps", check_steps}, {"vmfunc", check_vmfunc}, {"ve", check_ve},
		{"smp", check_smp},	{"many", check_many},	  {"budget", check_budget},
	};
	uint64_t wanted = option_number("parts=", 0xff), mode = 0;

	if (!xen_base()) {
		test_skip("not under Xen's ABI");
		return;
	}
	CHECK_EQUAL(xen_get_param(PARAM_altp2m, &mode), 0);
	CHECK_EQUAL(mode, ALTP2M_MIXED);
	for (uint32_t i = 0; i < ARRAY_SIZE(parts); i++) {
		if (!(wanted >> i & 1))
			continue;
		/* On is on: a second time changes nothing. */
		if (i && !CHECK_EQUAL(altp2m_set_domain_state(DOMID_SELF, true), 0))
			return;
		parts[i].check();
		print("altp2m: %s, %u checks so far\n", parts[i].name, test_checks);
		if (i)
			check_all_gone();
	}
	if (wanted >> 1) {
		bool on = true;

		CHECK_EQUAL(altp2m_set_domain_state(DOMID_SELF, false), 0);
		CHECK_EQUAL(altp2m_get_domain_state(DOMID_SELF, &on), 0);
		CHECK(!on);
	}
	test_note("(%u checks)", test_checks);
}
