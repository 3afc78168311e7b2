/* SPDX-License-Identifier: Apache-2.0 */
/* VMFUNC: where it leads, where it must not, what it leaves alone, and from user mode. */
#include "views.h"

static bool ud(void)
{
	return this_cpu()->trap.vector == VECTOR_UD;
}

/* #UD, and no other view than before. */
static void no_such(uint32_t leaf, uint32_t slot, int line)
{
	uint16_t before = view_now();

	test_checks++;
	if (vmfunc_try(leaf, slot) || !ud() || view_now() != before)
		test_failure("vmfunc.c:%d: VMFUNC EAX %x ECX %x: trap %u, view %u, was %u; expected #UD",
			     line, leaf, slot, this_cpu()->trap.vector, view_now(), before);
}
#define NO_SUCH(leaf, slot) no_such(leaf, slot, __LINE__)

static void check_slots(void)
{
	static const uint32_t slots[] = {2, 300, 511, 512, 513, 0x7fff, 0xffff, 0x10000, 0x80000001, ~0u};
	uint16_t v = make_view(ACCESS_rwx), w;
	uint64_t value = 0;

	CHECK_EQUAL(v, 1);
	fill(pages[0], 61);
	fill(pages[1], 62);
	CHECK_EQUAL(altp2m_change_gfn(DOMID_SELF, v, GFN(pages[0]), GFN(pages[1])), 0);
	for (uint32_t i = 0; i < 2; i++) {
		uint16_t from = i ? v : 0;

		CHECK(vmfunc_try(0, from));
		CHECK_EQUAL(view_now(), from);
		CHECK(!try_read(pages[0], &value) && value == 61 + i);
		for (uint32_t j = 0; j < ARRAY_SIZE(slots); j++)
			NO_SUCH(0, slots[j]);
		for (uint32_t leaf = 1; leaf < 70; leaf++)
			NO_SUCH(leaf, v);
		NO_SUCH(0x80000000, v);
		NO_SUCH(~0u, v);
		CHECK(!try_read(pages[0], &value) && value == 61 + i);
	}
	CHECK(vmfunc_try(0, 0));
	CHECK(!try_read(pages[0], &value) && value == 61);

	CHECK_EQUAL(altp2m_set_visibility(DOMID_SELF, v, false), 0);
	NO_SUCH(0, v);
	CHECK_EQUAL(altp2m_set_visibility(DOMID_SELF, v, true), 0);
	CHECK(vmfunc_try(0, v));
	/* Hidden while we are there: we stay, and can leave, but not come back. */
	CHECK_EQUAL(altp2m_set_visibility(DOMID_SELF, v, false), 0);
	CHECK(!try_read(pages[0], &value) && value == 62);
	CHECK(vmfunc_try(0, 0));
	NO_SUCH(0, v);
	CHECK_EQUAL(altp2m_set_visibility(DOMID_SELF, v, true), 0);

	/* Nobody in it but by VMFUNC: the count must know. */
	vmfunc(v);
	CHECK_EQUAL(altp2m_destroy(DOMID_SELF, v), -XEN_EBUSY);
	CHECK_EQUAL(view_facts(v).vcpus, 1);
	vmfunc(0);
	drop_view(v);
	NO_SUCH(0, v);
	w = make_view(ACCESS_rwx);
	CHECK_EQUAL(w, v);
	CHECK(vmfunc_try(0, w));
	CHECK(!try_read(pages[0], &value) && value == 61);
	vmfunc(0);

	/* The window is a table of its own, one for each vCPU. */
	v = make_view(ACCESS_rwx);
	CHECK_EQUAL(altp2m_change_gfn(DOMID_SELF, v, GFN(pages[0]), GFN(pages[1])), 0);
	CHECK_EQUAL(altp2m_set_window(DOMID_SELF, 0, 500, v), 0);
	CHECK(vmfunc_try(0, 500));
	CHECK(!try_read(pages[0], &value) && value == 62);
	CHECK_EQUAL(view_now(), v);
	CHECK_EQUAL(altp2m_set_window(DOMID_SELF, 0, v, ALTP2M_NO_VIEW), 0);
	vmfunc(0);
	NO_SUCH(0, v);
	CHECK(vmfunc_try(0, 500));
	vmfunc(0);
	CHECK_EQUAL(altp2m_set_window(DOMID_SELF, 0, 500, w), 0);
	CHECK(vmfunc_try(0, 500));
	CHECK(!try_read(pages[0], &value) && value == 61);
	CHECK_EQUAL(view_now(), w);
	vmfunc(0);
	drop_view(w);
	NO_SUCH(0, 500);
	drop_view(v);
}

/* What the instruction must leave alone: registers, flags, the halves it ignores, single-stepping. */
static void check_state(void)
{
	uint16_t v = make_view(ACCESS_rwx);
	uint64_t a = 1ull << 32, b = 0x1234, c = 5ull << 33 | v, d = 0x5678, flags = 0, rsp_before, rsp_after;

	asm volatile("movq %%rsp, %6\n\tpushq $0xcd7\n\tpopfq\n\t.byte 0x0f, 0x01, 0xd4\n\tpushfq\n\tpopq "
		     "%4\n\tcld\n\t"
		     "movq %%rsp, %5"
		     : "+a"(a), "+b"(b), "+c"(c), "+d"(d), "=&r"(flags), "=&r"(rsp_after), "=&r"(rsp_before)
		     :
		     : "memory", "cc");
	CHECK_EQUAL(view_now(), v);
	CHECK_EQUAL(flags & 0xcd5, 0xcd5);
	CHECK(a == 1ull << 32 && b == 0x1234 && c == (5ull << 33 | v) && d == 0x5678 &&
	      rsp_before == rsp_after);
	vmfunc(0);
	drop_view(v);
}

static volatile uint64_t stepped[8];
static volatile uint32_t singles;

static void single_step(struct frame *f)
{
	if (singles < ARRAY_SIZE(stepped))
		stepped[singles] = f->rip;
	singles++;
	asm volatile("mov %0, %%dr6" : : "r"(0xffff0ff0ull));
	if (singles >= 3)
		f->rflags &= ~0x100ull;
}

static void check_single_step(void)
{
	uint16_t v = make_view(ACCESS_rwx);
	uint64_t start;

	trap_hook(VECTOR_DB, single_step);
	singles = 0;
	asm volatile("leaq 1f(%%rip), %0\n\tpushfq\n\torl $0x100, (%%rsp)\n\tpopfq\n\t"
		     "1: .byte 0x0f, 0x01, 0xd4\n\tnop\n\tnop\n\tnop"
		     : "=&r"(start)
		     : "a"(0), "c"(v)
		     : "memory", "cc");
	trap_hook(VECTOR_DB, NULL);
	CHECK_EQUAL(view_now(), v);
	CHECK_EQUAL(singles, 3);
	CHECK_EQUAL(stepped[0] - start, 3);
	CHECK_EQUAL(stepped[1] - start, 4);
	CHECK_EQUAL(stepped[2] - start, 5);
	vmfunc(0);
	drop_view(v);
}

static void go_user(void *unused)
{
	(void)unused;
	user_call(ALIAS_BASE + 30 * 4096, ALIAS_BASE + 32 * 4096);
}

/* Runs code at CPL 3 until it faults; its stack is pages[41], cleared first. */
static void run_user(const void *code, size_t size)
{
	memset(pages[40], 0xcc, 4096);
	memcpy(pages[40], code, size);
	memset(pages[41], 0, 4096);
	alias_map(30, (uint64_t)pages[40], MAP_PRESENT | MAP_USER);
	alias_map(31, (uint64_t)pages[41], MAP_PRESENT | MAP_WRITE | MAP_USER);
	CHECK(trap_try(go_user, NULL));
}

static void check_user(void)
{
	uint8_t go[] = {
		0xb9, 0,    0,	  0, 0,		       /* mov $slot, %ecx */
		0x31, 0xc0,			       /* xor %eax, %eax */
		0x0f, 0x01, 0xd4,		       /* vmfunc, at 7 */
		0x48, 0xb8, 0,	  0, 0, 0, 0, 0, 0, 0, /* mov $address, %rax */
		0xff, 0x30,			       /* push (%rax) */
		0x0f, 0x0b,			       /* ud2, at 22 */
	};
	static const uint8_t call[] = {
		0xb8, HC_hvm_op,  0,	0, 0,			   /* mov $hvm_op, %eax */
		0xbf, HVM_altp2m, 0,	0, 0,			   /* mov $altp2m, %edi */
		0x48, 0xbe,	  0,	0, 0x02, 0, 0x80, 0, 0, 0, /* mov $(ALIAS_BASE + 32 pages), %rsi */
		0x0f, 0x01,	  0xc1,				   /* vmcall */
		0x50,						   /* push %rax */
		0x0f, 0x0b,					   /* ud2, at 24 */
	};
	uint16_t v = make_view(ACCESS_rwx);
	uint64_t address = ALIAS_BASE + 33 * 4096;
	struct altp2m_op op = {.version = 1, .cmd = ALTP2M_create_p2m, .domain = DOMID_SELF};

	op.u.view.default_access = ACCESS_rwx;
	alias_map(32, (uint64_t)pages[42], MAP_PRESENT | MAP_WRITE | MAP_USER);
	alias_map(33, (uint64_t)pages[43], MAP_PRESENT | MAP_USER);
	fill(pages[43], 71);
	fill(pages[44], 72);
	CHECK_EQUAL(altp2m_change_gfn(DOMID_SELF, v, GFN(pages[43]), GFN(pages[44])), 0);
	memcpy(go + 12, &address, 8);

	/* User code goes where the kernel lets it. */
	go[1] = (uint8_t)v;
	run_user(go, sizeof(go));
	CHECK(ud());
	CHECK_EQUAL(this_cpu()->trap.rip, ALIAS_BASE + 30 * 4096 + 22);
	CHECK_EQUAL(*(volatile uint64_t *)(pages[41] + 4088), 72);
	CHECK_EQUAL(view_now(), v);
	vmfunc(0);
	/* And nowhere else. */
	go[1] = 200;
	run_user(go, sizeof(go));
	CHECK(ud());
	CHECK_EQUAL(this_cpu()->trap.rip, ALIAS_BASE + 30 * 4096 + 7);
	CHECK_EQUAL(view_now(), 0);
	CHECK_EQUAL(altp2m_set_visibility(DOMID_SELF, v, false), 0);
	go[1] = (uint8_t)v;
	run_user(go, sizeof(go));
	CHECK(ud());
	CHECK_EQUAL(this_cpu()->trap.rip, ALIAS_BASE + 30 * 4096 + 7);
	CHECK_EQUAL(view_now(), 0);

	/* The calls are the kernel's. */
	memcpy(pages[42], &op, sizeof(op));
	run_user(call, sizeof(call));
	CHECK(ud());
	CHECK_EQUAL(this_cpu()->trap.rip, ALIAS_BASE + 30 * 4096 + 24);
	CHECK_EQUAL(*(volatile uint64_t *)(pages[41] + 4088), -XEN_EPERM);
	for (uint32_t i = 30; i < 34; i++)
		alias_map(i, 0, 0);
	drop_view(v);
}

void check_vmfunc(void)
{
	functions_on();
	check_slots();
	check_state();
	check_single_step();
	check_user();
	functions_off();
	NO_SUCH(0, 0);
}
