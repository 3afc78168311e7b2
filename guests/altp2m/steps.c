/* SPDX-License-Identifier: Apache-2.0 */
/* Step-over: one instruction in another view and back, with everything that can come in between. */
#include "views.h"

static volatile uint32_t ticks;

static void count_tick(struct frame *f)
{
	(void)f;
	ticks++;
	apic_eoi();
}

#define VECTOR_TICK 0x60
#define FLAG_TF 0x100u

static void check_simple(void)
{
	uint16_t v = make_view(ACCESS_rwx), w = make_view(ACCESS_rwx);
	uint64_t value = 0;

	/* Read-only in v; a write is done in view 0. */
	fill(pages[0], 1);
	CHECK_EQUAL(altp2m_set_mem_access(DOMID_SELF, v, GFN(pages[0]), ACCESS_r), 0);
	CHECK_EQUAL(altp2m_set_step(DOMID_SELF, v, GFN(pages[0]), 0), 0);
	enter(v);
	for (uint64_t i = 0; i < 20; i++) {
		CHECK(!try_write(pages[0] + 8 * i, 50 + i));
		CHECK_EQUAL(view_now(), v);
		CHECK(!try_read(pages[0] + 8 * i, &value) && value == 50 + i);
	}
	/* Its neighbour has no such policy. */
	enter(0);
	CHECK_EQUAL(altp2m_set_mem_access(DOMID_SELF, v, GFN(pages[1]), ACCESS_r), 0);
	enter(v);
	REFUSED(try_write(pages[1], 1));

	/* The instruction sees the other view, all of it, and only that one instruction. */
	fill(pages[2], 2);
	fill(pages[3], 3);
	CHECK_EQUAL(altp2m_change_gfn(DOMID_SELF, w, GFN(pages[0]), GFN(pages[2])), 0);
	CHECK_EQUAL(altp2m_set_step(DOMID_SELF, v, GFN(pages[0]), w), 0);
	enter(v);
	CHECK(!try_write(pages[0], 77));
	CHECK(!try_read(pages[0], &value) && value == 50);
	CHECK_EQUAL(view_now(), v);
	enter(0);
	CHECK_EQUAL(*(volatile uint64_t *)pages[2], 77);

	/* Not allowed there either */
	CHECK_EQUAL(altp2m_set_mem_access(DOMID_SELF, w, GFN(pages[0]), ACCESS_r), 0);
	enter(v);
	REFUSED(try_write(pages[0], 78));
	CHECK_EQUAL(altp2m_set_mem_access(DOMID_SELF, w, GFN(pages[0]), ACCESS_rwx), 0);

	/* No policy any more */
	CHECK_EQUAL(altp2m_set_step(DOMID_SELF, v, GFN(pages[0]), ALTP2M_NO_VIEW), 0);
	enter(v);
	REFUSED(try_write(pages[0], 79));
	drop_view(v);
	drop_view(w);
}

/* The next instruction is no longer in the view stepped into, however short both are. */
static void check_only_one(void)
{
	uint16_t v = make_view(ACCESS_rwx), w = make_view(ACCESS_rwx);
	volatile uint64_t *stepped = (void *)pages[0], *next = (void *)pages[1], *hidden = (void *)pages[2];
	uint64_t flags;

	CHECK_EQUAL(altp2m_set_mem_access(DOMID_SELF, v, GFN(pages[0]), ACCESS_r), 0);
	CHECK_EQUAL(altp2m_set_step(DOMID_SELF, v, GFN(pages[0]), w), 0);
	CHECK_EQUAL(altp2m_change_gfn(DOMID_SELF, w, GFN(pages[1]), GFN(pages[2])), 0);
	for (uint64_t i = 1; i <= 100; i++) {
		*next = *hidden = 0;
		enter(v);
		asm volatile("movq %2, %0; movq %2, %1" : "=m"(*stepped), "=m"(*next) : "r"(i) : "memory");
		enter(0);
		CHECK_EQUAL(*stepped, i);
		CHECK_EQUAL(*next, i);
		CHECK_EQUAL(*hidden, 0);
		/* However it is done, the guest's flags don't show it: behind the step, or saved by it. */
		enter(v);
		asm volatile("movq %2, %0; pushfq; popq %1" : "=m"(*stepped), "=r"(flags) : "r"(i) : "memory");
		CHECK(!(flags & FLAG_TF));
		asm volatile("movq %%rsp, %%rcx; movq %0, %%rsp; pushfq; movq %%rcx, %%rsp"
			     :
			     : "r"(pages[0] + 64)
			     : "rcx", "memory");
		enter(0);
		CHECK(stepped[7] && !(stepped[7] & FLAG_TF));
	}
	drop_view(v);
	drop_view(w);
}

/* The view stepped into goes away: the policy that named it must not lead anywhere else. */
static void check_step_view_gone(void)
{
	uint16_t v = make_view(ACCESS_rwx), w = make_view(ACCESS_rwx), x;
	struct altp2m_op op;

	fill(pages[0], 1);
	fill(pages[1], 2);
	CHECK_EQUAL(altp2m_set_mem_access(DOMID_SELF, v, GFN(pages[0]), ACCESS_r), 0);
	CHECK_EQUAL(altp2m_set_step(DOMID_SELF, v, GFN(pages[0]), w), 0);
	drop_view(w);
	enter(v);
	REFUSED(try_write(pages[0], 5));
	CHECK_EQUAL(*(volatile uint64_t *)pages[0], 1);
	/* Its number is given to another view. */
	x = make_view(ACCESS_rwx);
	CHECK_EQUAL(x, w);
	CHECK_EQUAL(altp2m_change_gfn(DOMID_SELF, x, GFN(pages[0]), GFN(pages[1])), 0);
	CHECK_EQUAL(altp2m_get_entry(DOMID_SELF, v, GFN(pages[0]), &op), 0);
	if (op.u.entry.step == ALTP2M_NO_VIEW) {
		enter(v);
		REFUSED(try_write(pages[0], 6));
		CHECK_EQUAL(*(volatile uint64_t *)pages[1], 2);
	}
	drop_view(v);
	drop_view(x);
}

static void write_across(void *address)
{
	asm volatile("movq %0, (%1)" : : "r"(0x1122334455667788ull), "r"(address) : "memory");
}

/* Kinds of instructions: string, locked, across two such pages, faulting by themselves, with TF set. */
static void check_instructions(void)
{
	uint16_t v = make_view(ACCESS_rwx);
	uint64_t count, sum = 0, flags;
	uint8_t *to;
	void *half;

	memset(pages[4], 0, 3 * 4096);
	for (uint32_t i = 4; i < 7; i++) {
		CHECK_EQUAL(altp2m_set_mem_access(DOMID_SELF, v, GFN(pages[i]), ACCESS_r), 0);
		CHECK_EQUAL(altp2m_set_step(DOMID_SELF, v, GFN(pages[i]), 0), 0);
	}
	enter(v);
	to = pages[4] + 4096 - 24, count = 48;
	asm volatile("rep stosb" : "+D"(to), "+c"(count) : "a"(0x5a) : "memory");
	CHECK_EQUAL(view_now(), v);
	for (uint32_t i = 0; i < 48; i++)
		sum += ((volatile uint8_t *)pages)[5 * 4096 - 24 + i];
	CHECK_EQUAL(sum, 48 * 0x5a);
	CHECK(count == 0 && to == pages[5] + 24);
	write_across(pages[5] + 4096 - 3);
	CHECK_EQUAL(*(volatile uint32_t *)(pages[6] + 1), 0x11223344);
	CHECK_EQUAL(view_now(), v);
	for (uint32_t i = 0; i < 8; i++)
		__atomic_fetch_add((uint64_t *)pages[6] + 4, 3, __ATOMIC_SEQ_CST);
	CHECK_EQUAL(((volatile uint64_t *)pages[6])[4], 24);
	asm volatile("pushfq\n\tpopq %0\n\tmov %%ss, %%eax\n\tmov %%eax, %%ss\n\tmovq %0, (%1)"
		     : "=&r"(flags)
		     : "r"(pages[6] + 64)
		     : "rax", "memory");
	CHECK_EQUAL(*(volatile uint64_t *)(pages[6] + 64), flags);
	CHECK_EQUAL(view_now(), v);

	/* The second half of the write has no mapping: a page fault in the step, and back in v. */
	half = (uint8_t *)alias_map(20, (uint64_t)pages[4], MAP_PRESENT | MAP_WRITE) + 4096 - 4;
	alias_map(21, 0, 0);
	CHECK(trap_try(write_across, half));
	CHECK_EQUAL(this_cpu()->trap.vector, VECTOR_PF);
	CHECK_EQUAL(this_cpu()->trap.cr2, ALIAS_BASE + 21 * 4096);
	CHECK_EQUAL(view_now(), v);
	alias_map(20, 0, 0);
	enter(0);
	drop_view(v);
}

static volatile uint32_t singles;

static void single_step(struct frame *f)
{
	singles++;
	asm volatile("mov %0, %%dr6" : : "r"(0xffff0ff0ull));
	if (singles >= 4)
		f->rflags &= ~0x100ull;
}

/* The guest's own single-stepping goes on as if there had been no step of ours. */
static void check_trap_flag(void)
{
	uint16_t v = make_view(ACCESS_rwx);

	CHECK_EQUAL(altp2m_set_mem_access(DOMID_SELF, v, GFN(pages[0]), ACCESS_r), 0);
	CHECK_EQUAL(altp2m_set_step(DOMID_SELF, v, GFN(pages[0]), 0), 0);
	fill(pages[0], 0);
	trap_hook(VECTOR_DB, single_step);
	singles = 0;
	enter(v);
	asm volatile("pushfq\n\torl $0x100, (%%rsp)\n\tpopfq\n\t"
		     "movq $1, (%0)\n\tmovq $2, 8(%0)\n\tnop\n\tnop\n\tnop\n\tnop"
		     :
		     : "r"(pages[0])
		     : "memory", "cc");
	CHECK_EQUAL(singles, 4);
	CHECK_EQUAL(((volatile uint64_t *)pages[0])[0], 1);
	CHECK_EQUAL(((volatile uint64_t *)pages[0])[1], 2);
	CHECK_EQUAL(view_now(), v);
	enter(0);
	trap_hook(VECTOR_DB, NULL);
	drop_view(v);
}

/* Interrupts that wait when the step begins, and those that come during it. */
static void check_interrupts(void)
{
	uint16_t v = make_view(ACCESS_rwx);
	volatile uint64_t *word = (volatile uint64_t *)pages[0];
	uint64_t written = 0;

	apic_enable();
	trap_hook(VECTOR_TICK, count_tick);
	CHECK_EQUAL(altp2m_set_mem_access(DOMID_SELF, v, GFN(pages[0]), ACCESS_r), 0);
	CHECK_EQUAL(altp2m_set_step(DOMID_SELF, v, GFN(pages[0]), 0), 0);
	fill(pages[0], 0);
	enter(v);
	for (uint32_t i = 0; i < 200; i++) {
		uint32_t before = ticks;

		irq_off();
		apic_write(APIC_self_ipi, VECTOR_TICK);
		/* In its shadow: pending when the write violates. */
		asm volatile("sti\n\tmovq %1, (%0)\n\tmovq %1, 8(%0)\n\tnop\n\tnop\n\tcli"
			     :
			     : "r"(word), "r"(++written)
			     : "memory");
		if (word[0] != written || word[1] != written || ticks != before + 1) {
			test_failure("round %u: words %lu %lu, expected %lu; %u interrupts", i, word[0],
				     word[1], written, ticks - before);
			break;
		}
	}
	CHECK_EQUAL(view_now(), v);
	enter(0);
	trap_hook(VECTOR_TICK, NULL);
	drop_view(v);
}

/* One address that executes one page and reads and writes another. */
static void check_split(void)
{
	uint16_t v = make_view(ACCESS_rwx), w = make_view(ACCESS_rwx);
	uint64_t value = 0;

	fill_code(pages[0], 900);
	fill_code(pages[1], 901);
	fill(pages[2], 902);
	CHECK_EQUAL(altp2m_split_remap(DOMID_SELF, v, w, GFN(pages[0]), GFN(pages[1]), GFN(pages[2])), 0);
	for (uint32_t i = 0; i < 3; i++) {
		enter(v);
		CHECK(!try_run(pages[0], &value) && value == 901);
		CHECK(!try_read(pages[0] + 16, &value) && value == 902 + i);
		CHECK(!try_run(pages[0], &value) && value == 901);
		CHECK(!try_write(pages[0] + 16, 903 + i));
		CHECK_EQUAL(view_now(), v);
		enter(0);
		CHECK_EQUAL(*(volatile uint64_t *)(pages[2] + 16), 903 + i);
		CHECK_EQUAL(*(volatile uint64_t *)(pages[1] + 16), 0xccccccccccccccccull);
		CHECK_EQUAL(*(volatile uint64_t *)(pages[0] + 16), 0xccccccccccccccccull);
	}
	/* The page to be read goes away, then the one to be executed. */
	CHECK(balloon_out(pages[2]));
	enter(v);
	CHECK(!try_run(pages[0], &value) && value == 901);
	enter(0);
	CHECK(balloon_in(pages[2]));
	CHECK(balloon_out(pages[1]));
	enter(v);
	(void)try_run(pages[0], &value);
	CHECK(value != 901);
	enter(0);
	CHECK(balloon_in(pages[1]));
	drop_view(v);
	drop_view(w);
}

void check_steps(void)
{
	functions_on();
	check_simple();
	check_only_one();
	check_step_view_gone();
	check_instructions();
	check_trap_flag();
	check_interrupts();
	check_split();
	functions_off();
}
