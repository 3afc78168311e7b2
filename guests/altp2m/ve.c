/* SPDX-License-Identifier: Apache-2.0 */
/* #VE: which violations become one, what the information page says, and the busy word. */
#include "views.h"

#define VE_READ	 1u
#define VE_WRITE 2u
#define VE_FETCH 4u

static struct ve_info *const info = &ve_pages[0].info;

/*
 * Also right as an index, besides the one that is named. Bochs 2.7 keeps a copy of
 * the VMCS's EPTP index that only VMFUNC sets: after an entry by hypercall its #VE
 * still tells the slot of the last VMFUNC. The manual's CPU, and emulated #VE, tell
 * the slot of the view.
 */
static uint32_t stale_slot = ~0u;

/*
 * The information page tells of this access; it is taken (busy word cleared), and
 * the vCPU is back in view 0. `rights` is what the entry allowed.
 */
static void told(uint32_t vector, uint32_t kind, uint32_t rights, const void *linear, uint64_t physical,
		 uint16_t slot, int line)
{
	uint64_t want = kind | rights << 3 | 0x180;

	test_checks++;
	if (vector != VECTOR_VE || info->reason != 48 || info->busy != ~0u ||
	    (info->qualification & 0x1bf) != want || info->linear != (uint64_t)linear ||
	    info->physical != physical || (info->view != slot && info->view != stale_slot))
		test_failure("ve.c:%d: vector %u reason %u busy %x qualification %lx linear %lx physical %lx "
			     "index %u; "
			     "expected qualification %lx linear %p physical %lx index %u",
			     line, vector, info->reason, info->busy, info->qualification, info->linear,
			     info->physical, info->view, want, linear, physical, slot);
	/* It is delivered where it happened. */
	info->busy = 0;
	vmfunc(0);
}
#define TOLD(attempt, kind, rights, address, slot)                                                           \
	told(attempt, kind, rights, address, (uint64_t)(address), slot, __LINE__)

static void check_information(void)
{
	uint16_t v = make_view(ACCESS_rwx);
	uint64_t value = 0;

	fill_code(pages[0], 1);
	memset((void *)info, 0, 64);
	CHECK_EQUAL(altp2m_set_mem_access(DOMID_SELF, v, GFN(pages[0]), ACCESS_r), 0);
	/* Suppressed, as every entry is until somebody says otherwise. */
	vmfunc(v);
	REFUSED(try_write(pages[0] + 8, 1));
	CHECK_EQUAL(info->busy, 0);
	CHECK_EQUAL(info->reason, 0);

	CHECK_EQUAL(altp2m_set_suppress_ve(DOMID_SELF, v, GFN(pages[0]), false), 0);
	vmfunc(v);
	TOLD(try_write(pages[0] + 8, 1), VE_WRITE, 1, pages[0] + 8, v);
	vmfunc(v);
	TOLD(try_run(pages[0], &value), VE_FETCH, 1, pages[0], v);
	CHECK_EQUAL(altp2m_set_mem_access(DOMID_SELF, v, GFN(pages[0]), ACCESS_x), 0);
	vmfunc(v);
	TOLD(try_read(pages[0] + 16, &value), VE_READ, 4, pages[0] + 16, v);
	vmfunc(v);
	TOLD(try_write(pages[0] + 16, 1), VE_WRITE, 4, pages[0] + 16, v);
	CHECK_EQUAL(altp2m_set_mem_access(DOMID_SELF, v, GFN(pages[0]), ACCESS_n), 0);
	vmfunc(v);
	TOLD(try_read(pages[0] + 4088, &value), VE_READ, 0, pages[0] + 4088, v);
	vmfunc(v);
	TOLD(try_run(pages[0], &value), VE_FETCH, 0, pages[0], v);
	CHECK_EQUAL(altp2m_set_mem_access(DOMID_SELF, v, GFN(pages[0]), ACCESS_rw), 0);
	vmfunc(v);
	TOLD(try_run(pages[0], &value), VE_FETCH, 3, pages[0], v);
	CHECK_EQUAL(altp2m_set_mem_access(DOMID_SELF, v, GFN(pages[0]), ACCESS_rx), 0);
	vmfunc(v);
	TOLD(try_write(pages[0] + 24, 1), VE_WRITE, 5, pages[0] + 24, v);

	/* Entered by hypercall it is the same, and so it is through another address. */
	enter(v);
	stale_slot = 0;
	TOLD(try_write(pages[0] + 24, 1), VE_WRITE, 5, pages[0] + 24, v);
	stale_slot = ~0u;
	alias_map(50, (uint64_t)pages[0], MAP_PRESENT | MAP_WRITE);
	vmfunc(v);
	told(try_write((void *)(ALIAS_BASE + 50 * 4096 + 32), 1), VE_WRITE, 5,
	     (void *)(ALIAS_BASE + 50 * 4096 + 32), (uint64_t)pages[0] + 32, v, __LINE__);
	alias_map(50, 0, 0);

	/* The index is the slot of the window that led here. */
	CHECK_EQUAL(altp2m_set_window(DOMID_SELF, 0, 400, v), 0);
	vmfunc(400);
	TOLD(try_write(pages[0] + 24, 1), VE_WRITE, 5, pages[0] + 24, 400);
	drop_view(v);
}

/* While the guest hasn't taken the last one there is no other: what would be one is refused. */
static void check_busy(void)
{
	uint16_t v = make_view(ACCESS_rwx);

	fill(pages[0], 0);
	CHECK_EQUAL(altp2m_set_mem_access(DOMID_SELF, v, GFN(pages[0]), ACCESS_r), 0);
	CHECK_EQUAL(altp2m_set_suppress_ve(DOMID_SELF, v, GFN(pages[0]), false), 0);
	vmfunc(v);
	CHECK_EQUAL(try_write(pages[0] + 40, 1), VECTOR_VE);
	CHECK_EQUAL(view_now(), v);
	REFUSED(try_write(pages[0] + 48, 1));
	CHECK_EQUAL(info->busy, ~0u);
	CHECK_EQUAL(info->linear, (uint64_t)pages[0] + 40);
	/* Any value but 0 is busy. */
	info->busy = 1;
	vmfunc(v);
	REFUSED(try_write(pages[0] + 56, 1));
	CHECK_EQUAL(info->busy, 1);
	info->busy = 0;
	vmfunc(v);
	TOLD(try_write(pages[0] + 64, 1), VE_WRITE, 1, pages[0] + 64, v);
	drop_view(v);
}

static volatile uint32_t handled;
static volatile uint16_t lift_in;

/* The way these are used: lift the restriction, or leave, and do it again. */
static void handle_ve(struct frame *f)
{
	(void)f;
	handled++;
	if (handled > 100) {
		test_error("#VE again and again at %lx", f->rip);
		test_end();
	}
	if (lift_in)
		CHECK_EQUAL(altp2m_set_mem_access(DOMID_SELF, lift_in, info->physical >> 12, ACCESS_rwx), 0);
	else
		vmfunc(0);
	info->busy = 0;
}

static void check_handler(void)
{
	uint16_t v = make_view(ACCESS_rwx);

	for (uint32_t i = 0; i < 8; i++) {
		fill(pages[i], 0);
		CHECK_EQUAL(altp2m_set_mem_access(DOMID_SELF, v, GFN(pages[i]), ACCESS_r), 0);
		CHECK_EQUAL(altp2m_set_suppress_ve(DOMID_SELF, v, GFN(pages[i]), false), 0);
	}
	trap_hook(VECTOR_VE, handle_ve);
	handled = 0;
	lift_in = v;
	vmfunc(v);
	for (uint32_t i = 0; i < 4; i++) {
		CHECK(!try_write(pages[i], i + 1));
		CHECK(!try_write(pages[i] + 8, i + 1));
	}
	CHECK_EQUAL(handled, 4);
	CHECK_EQUAL(view_now(), v);
	lift_in = 0;
	CHECK(!try_write(pages[4], 5));
	CHECK_EQUAL(handled, 5);
	CHECK_EQUAL(view_now(), 0);
	for (uint32_t i = 0; i < 5; i++)
		CHECK_EQUAL(*(volatile uint64_t *)pages[i], i + 1);
	trap_hook(VECTOR_VE, NULL);
	drop_view(v);
}

/* A fresh view is entered and used without a single violation, though all of them would be told. */
static void check_none_spurious(void)
{
	uint16_t v = make_view(ACCESS_rwx);
	int32_t first_error = 0;
	uint64_t gfn = 0, value = 0;

	trap_hook(VECTOR_VE, handle_ve);
	handled = 0;
	lift_in = 0;
	vmfunc(v);
	for (uint32_t i = 0; i < PAGES; i++)
		CHECK(!try_write(pages[i], i) && !try_read(pages[i], &value));
	for (uint32_t i = 0; i < 512; i++)
		CHECK(!try_write(big[i], i));
	vmfunc(0);
	CHECK_EQUAL(altp2m_set_suppress_ve_multi(DOMID_SELF, v, GFN(big), GFN(big) + 511, false, &first_error,
						 &gfn),
		    0);
	vmfunc(v);
	for (uint32_t i = 0; i < 512; i++)
		CHECK(!try_read(big[i], &value) && value == i);
	for (uint64_t a = 0; a < 16 << 20; a += 4096)
		(void)*(volatile uint8_t *)a;
	CHECK_EQUAL(handled, 0);
	CHECK_EQUAL(view_now(), v);
	vmfunc(0);
	trap_hook(VECTOR_VE, NULL);
	drop_view(v);
}

/* A violation in the walk of the guest's own page tables: told as such. */
static void check_walk(void)
{
	extern uint64_t alias_pt[512];
	uint16_t v = make_view(ACCESS_rwx);
	uint8_t *address = alias_map(60, (uint64_t)pages[1], MAP_PRESENT | MAP_WRITE);
	uint64_t value = 0;
	uint32_t vector;

	CHECK_EQUAL(altp2m_set_mem_access(DOMID_SELF, v, GFN(alias_pt), ACCESS_n), 0);
	CHECK_EQUAL(altp2m_set_suppress_ve(DOMID_SELF, v, GFN(alias_pt), false), 0);
	vmfunc(v);
	vector = try_read(address + 8, &value);
	CHECK_EQUAL(vector, VECTOR_VE);
	CHECK_EQUAL(info->linear, (uint64_t)address + 8);
	CHECK_EQUAL(info->physical >> 12, GFN(alias_pt));
	CHECK_EQUAL(info->qualification & 0x1bf, 0x81);
	info->busy = 0;
	vmfunc(0);
	alias_map(60, 0, 0);
	drop_view(v);
}

static void breakpoint(void *unused)
{
	(void)unused;
	asm volatile("int3");
}

static void go_user(void *unused)
{
	(void)unused;
	user_call(ALIAS_BASE + 30 * 4096, ALIAS_BASE + 32 * 4096);
}

/* From user mode; and in the middle of delivering something else, when there can be none. */
static void check_odd_times(void)
{
	static const uint8_t code[] = {0x50, 0x0f, 0x0b}; /* push %rax; ud2 */
	uint16_t v = make_view(ACCESS_rwx);
	struct cpu_block *block = &cpu_blocks[0];
	uint32_t vector;

	memcpy(pages[40], code, sizeof(code));
	alias_map(30, (uint64_t)pages[40], MAP_PRESENT | MAP_USER);
	alias_map(31, (uint64_t)pages[41], MAP_PRESENT | MAP_WRITE | MAP_USER);
	CHECK_EQUAL(altp2m_set_mem_access(DOMID_SELF, v, GFN(pages[41]), ACCESS_r), 0);
	CHECK_EQUAL(altp2m_set_suppress_ve(DOMID_SELF, v, GFN(pages[41]), false), 0);
	vmfunc(v);
	told(trap_try(go_user, NULL) ? this_cpu()->trap.vector : 0, VE_WRITE, 1,
	     (void *)(ALIAS_BASE + 32 * 4096 - 8), (uint64_t)pages[41] + 4088, v, __LINE__);
	alias_map(30, 0, 0);
	alias_map(31, 0, 0);

	/* The stack for exceptions can't be written in v. */
	CHECK_EQUAL(altp2m_set_mem_access(DOMID_SELF, v, GFN(block->trap_stack[0]), ACCESS_r), 0);
	CHECK_EQUAL(altp2m_set_suppress_ve(DOMID_SELF, v, GFN(block->trap_stack[0]), false), 0);
	vmfunc(v);
	CHECK(trap_try(breakpoint, NULL));
	vector = this_cpu()->trap.vector;
	CHECK(vector == 3 || vector == VECTOR_GP || vector == VECTOR_DF);
	CHECK_EQUAL(view_now(), 0);
	CHECK_EQUAL(info->busy, 0);
	enter(0);
	drop_view(v);
}

/* No view can make the page another one, or unwritable: the CPU would write elsewhere, or nowhere. */
static void check_page_protected(void)
{
	uint16_t v = make_view(ACCESS_rwx);
	uint64_t g = GFN(&ve_pages[0]);
	struct altp2m_op op;

	CHECK_EQUAL(altp2m_change_gfn(DOMID_SELF, v, g, GFN(pages[0])), -XEN_EBUSY);
	CHECK_EQUAL(altp2m_set_mem_access(DOMID_SELF, v, g, ACCESS_r), -XEN_EBUSY);
	CHECK_EQUAL(altp2m_set_mem_access(DOMID_SELF, 0, g, ACCESS_r), -XEN_EBUSY);
	CHECK_EQUAL(altp2m_set_step(DOMID_SELF, v, g, 0), -XEN_EBUSY);
	CHECK_EQUAL(altp2m_get_entry(DOMID_SELF, v, g, &op), 0);
	CHECK(op.u.entry.target == g && op.u.entry.access == ACCESS_rwx && !op.u.entry.own);
	CHECK(!balloon_out(&ve_pages[0]));
	/* Nor does a page serve that some view already treats so. */
	CHECK_EQUAL(altp2m_disable_notify(DOMID_SELF, 0), 0);
	CHECK_EQUAL(altp2m_change_gfn(DOMID_SELF, v, g, GFN(pages[0])), 0);
	CHECK_EQUAL(altp2m_enable_notify(DOMID_SELF, 0, g), -XEN_EINVAL);
	CHECK_EQUAL(altp2m_change_gfn(DOMID_SELF, v, g, ALTP2M_NO_GFN), 0);
	CHECK_EQUAL(altp2m_set_mem_access(DOMID_SELF, v, g, ACCESS_rx), 0);
	CHECK_EQUAL(altp2m_enable_notify(DOMID_SELF, 0, g), -XEN_EINVAL);
	drop_view(v);
	/* Nor one that the base, or the view that the vCPU is in, doesn't let the guest write to. */
	CHECK_EQUAL(altp2m_set_mem_access(DOMID_SELF, 0, g, ACCESS_r), 0);
	CHECK_EQUAL(altp2m_enable_notify(DOMID_SELF, 0, g), -XEN_EINVAL);
	CHECK_EQUAL(altp2m_set_mem_access(DOMID_SELF, 0, g, ACCESS_rwx), 0);
	v = make_view(ACCESS_rwx);
	CHECK_EQUAL(altp2m_set_mem_access(DOMID_SELF, v, GFN(pages[0]), ACCESS_rx), 0);
	enter(v);
	CHECK_EQUAL(altp2m_enable_notify(DOMID_SELF, 0, GFN(pages[0])), -XEN_EINVAL);
	enter(0);
	drop_view(v);
	CHECK_EQUAL(altp2m_enable_notify(DOMID_SELF, 0, g), 0);
}

/* Switched off inside a view: no #VE and no VMFUNC any more, but still the view. */
static void check_off_inside(void)
{
	uint16_t v = make_view(ACCESS_rwx);

	CHECK_EQUAL(altp2m_set_mem_access(DOMID_SELF, v, GFN(pages[0]), ACCESS_r), 0);
	CHECK_EQUAL(altp2m_set_suppress_ve(DOMID_SELF, v, GFN(pages[0]), false), 0);
	vmfunc(v);
	CHECK_EQUAL(altp2m_disable_notify(DOMID_SELF, 0), 0);
	CHECK_EQUAL(view_now(), v);
	CHECK(!vmfunc_try(0, 0) && this_cpu()->trap.vector == VECTOR_UD);
	REFUSED_IN(v, try_write(pages[0], 1));
	drop_view(v);
}

void check_ve(void)
{
	functions_on();
	check_information();
	check_busy();
	check_handler();
	check_none_spurious();
	check_walk();
	check_odd_times();
	check_page_protected();
	check_off_inside();
	functions_off();
}
