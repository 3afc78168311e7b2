/* SPDX-License-Identifier: Apache-2.0 */
/* Hypercalls, their arguments in all sorts of memory, and the domain's memory. */
#include "selftest.h"

static uint8_t page_a[4096] __attribute__((aligned(4096)));
static uint8_t page_b[4096] __attribute__((aligned(4096)));
static uint8_t page_c[4096] __attribute__((aligned(4096)));

#define VERSION 0x00040011

static void check_versions(void)
{
	struct {
		uint32_t submap, bits;
	} features = { 0, 0 };
	char text[1024];

	CHECK_EQUAL(hypercall2(HC_xen_version, 0, 0), VERSION);
	memset(text, 0x55, sizeof(text));
	CHECK_EQUAL(hypercall2(HC_xen_version, 1, text), 0);
	CHECK(strlen(text) < 16 && text[16] == 0x55);
	CHECK_EQUAL(hypercall2(HC_xen_version, 3, text), 0);
	CHECK(find_text(text, "xen-3.0-x86_64") || find_text(text, "hvm-3.0-x86_64"));
	CHECK_EQUAL(hypercall2(HC_xen_version, 6, &features), 0);
	CHECK_EQUAL(features.bits & 0x305,
		    0x305); /* writable tables, translated, callback vector, safe clock */
	CHECK(!(features.bits & 1u << 10));
	features.submap = 7;
	CHECK_EQUAL(hypercall2(HC_xen_version, 6, &features), -XEN_EINVAL);
	CHECK_EQUAL(hypercall2(HC_xen_version, 7, 0), 4096);
	CHECK_EQUAL(hypercall2(HC_xen_version, 99, 0), -XEN_ENOSYS);
}

static void check_unknown(void)
{
	static const uint64_t unknown[] = { 1,	23, 30, 37,  43,   47,	       50,
					    56, 63, 64, 100, 4095, 0x7fffffff, 0xffffffff };

	for (uint32_t i = 0; i < ARRAY_SIZE(unknown); i++)
		CHECK_EQUAL(hypercall1(unknown[i], 0), -XEN_ENOSYS);
	CHECK_EQUAL(hypercall2(HC_sched_op, 77, 0), -XEN_ENOSYS);
	CHECK_EQUAL(hypercall2(HC_sched_op, SCHED_yield, 0), 0);
	CHECK_EQUAL(hypercall3(HC_vcpu_op, 3, 0, 0), 1); /* is_up */
	CHECK_EQUAL(hypercall3(HC_vcpu_op, 3, 1000, 0), -XEN_ENOENT);
}

/* A hypercall from CPL 3: VMCALL there reaches the hypervisor, which refuses. */
static void go_user(void *unused)
{
	(void)unused;
	user_call(ALIAS_BASE + 0x1000 * 1, ALIAS_BASE + 0x1000 * 3);
}

static void check_user(void)
{
	static const uint8_t code[] = {
		0xb8, HC_xen_version, 0,    0, 0, /* mov $xen_version, %eax */
		0x31, 0xff,			  /* xor %edi, %edi */
		0x0f, 0x01,	      0xc1,	  /* vmcall */
		0x50,				  /* push %rax */
		0x0f, 0x0b,			  /* ud2 */
	};

	memcpy(page_a, code, sizeof(code));
	memset(page_b, 0, sizeof(page_b));
	alias_map(1, (uint64_t)page_a, MAP_PRESENT | MAP_USER);
	alias_map(2, (uint64_t)page_b, MAP_PRESENT | MAP_WRITE | MAP_USER);
	CHECK(trap_try(go_user, NULL));
	CHECK_EQUAL(this_cpu()->trap.vector, VECTOR_UD);
	CHECK_EQUAL(*(uint64_t *)(page_b + 4088), -XEN_EPERM);
	alias_map(1, 0, 0);
	alias_map(2, 0, 0);
}

static void call_stub_23(void *unused)
{
	(void)unused;
	asm volatile("call *%0" : : "r"(page_a + 23 * 32) : "memory", "rax");
}

static void check_hypercall_page(void)
{
	uint64_t result, value;

	CHECK(!wrmsr_try(0x40000000, (uint64_t)page_a | 8));
	memset(page_a, 0xcc, sizeof(page_a));
	if (!CHECK(wrmsr_try(0x40000000, (uint64_t)page_a)))
		return;
	CHECK(rdmsr_try(0x40000000, &value) && value == 0);
	asm volatile("call *%1"
		     : "=a"(result)
		     : "r"(page_a + HC_xen_version * 32), "D"(0), "S"(0)
		     : "rcx", "rdx", "r8", "r9", "r10", "r11", "memory");
	CHECK_EQUAL(result, VERSION);
	CHECK(trap_try(call_stub_23, NULL) && this_cpu()->trap.vector == VECTOR_UD);
}

/* get_param(console gfn), its argument at `p`. */
static long ask(struct xen_param *p)
{
	return hypercall2(HC_hvm_op, HVM_get_param, p);
}

static void check_pointers(void)
{
	struct xen_param good = { .domid = DOMID_SELF, .index = PARAM_console_gfn }, *p;
	uint64_t gfn = 0;
	uint8_t *alias;

	CHECK_EQUAL(xen_get_param(PARAM_console_gfn, &gfn), 0);

	/* Nowhere, in all ways */
	CHECK_EQUAL(ask((struct xen_param *)(1ull << 63)), -XEN_EFAULT);
	CHECK_EQUAL(ask((struct xen_param *)0x0000800000000000ull), -XEN_EFAULT);
	CHECK_EQUAL(ask((struct xen_param *)0x00007ffffffffff8ull), -XEN_EFAULT);
	CHECK_EQUAL(ask((struct xen_param *)(uint64_t)-8), -XEN_EFAULT);
	CHECK_EQUAL(ask((struct xen_param *)(1ull << 40)), -XEN_EFAULT);
	CHECK_EQUAL(ask((struct xen_param *)hole_gpa()), -XEN_EFAULT);
	CHECK_EQUAL(hypercall2(HC_xen_version, 3, 1ull << 40), -XEN_EFAULT);

	/* Crossing between two pages that are not neighbours in memory */
	alias = alias_map(10, (uint64_t)page_c, MAP_PRESENT | MAP_WRITE);
	alias_map(11, (uint64_t)page_a, MAP_PRESENT | MAP_WRITE);
	alias_map(12, 0, 0);
	p = (struct xen_param *)(alias + 4096 - 7);
	memcpy(p, &good, sizeof(good));
	CHECK_EQUAL(ask(p), 0);
	memcpy(&good, p, sizeof(good));
	CHECK_EQUAL(good.value, gfn);
	good.value = 0;

	/* Crossing into nothing, into a hole, into a page of CPL 3 (which a kernel may use) */
	p = (struct xen_param *)(alias + 8192 - 8);
	memcpy(page_a + 4096 - 8, &good, 8);
	CHECK_EQUAL(ask(p), -XEN_EFAULT);
	alias_map(12, hole_gpa(), MAP_PRESENT | MAP_WRITE);
	CHECK_EQUAL(ask(p), -XEN_EFAULT);
	alias_map(12, (uint64_t)page_b, MAP_PRESENT | MAP_WRITE | MAP_USER);
	memset(page_b, 0, sizeof(page_b));
	CHECK_EQUAL(ask(p), 0);
	CHECK_EQUAL(*(uint64_t *)page_b, gfn);

	/* Reading from a read-only page is fine, writing to it is not */
	alias_map(11, (uint64_t)page_a, MAP_PRESENT);
	memcpy(page_a + 64, &good, sizeof(good));
	CHECK_EQUAL(ask((struct xen_param *)(alias + 4096 + 64)), -XEN_EFAULT);
	CHECK_EQUAL(((struct xen_param *)(page_a + 64))->value, 0);
	CHECK_EQUAL(hypercall2(HC_xen_version, 1, alias + 4096), -XEN_EFAULT);
	/* A reserved bit in the guest's own table */
	alias_map(11, (uint64_t)page_a, MAP_PRESENT | MAP_WRITE | 1ull << 51);
	CHECK_EQUAL(ask((struct xen_param *)(alias + 4096 + 64)), -XEN_EFAULT);
	for (uint32_t i = 10; i < 13; i++)
		alias_map(i, 0, 0);
}

/*
 * One address again and again, each time in another state: what the guest's own
 * tables say at that moment is what counts, however often it was used before.
 */
static void check_remapped(void)
{
	static const struct xen_param good = { .domid = DOMID_SELF, .index = PARAM_console_gfn };
	struct xen_param *a = (struct xen_param *)(page_a + 128), *b = (struct xen_param *)(page_b + 128), *p;
	uint64_t gfn = 0;
	uint8_t *alias;

	CHECK_EQUAL(xen_get_param(PARAM_console_gfn, &gfn), 0);
	CHECK(gfn);
	for (uint32_t round = 0; round < 3; round++) {
		*a = *b = good;
		alias = alias_map(10, (uint64_t)page_a, MAP_PRESENT | MAP_WRITE);
		p = (struct xen_param *)(alias + 128);
		CHECK_EQUAL(ask(p), 0);
		CHECK_EQUAL(a->value, gfn);
		a->value = 0;
		CHECK_EQUAL(ask(p), 0);
		CHECK_EQUAL(a->value, gfn);
		CHECK_EQUAL(b->value, 0);
		CHECK_EQUAL(alias_entry(10) & (MAP_ACCESSED | MAP_DIRTY), MAP_ACCESSED | MAP_DIRTY);
		/* Another page there */
		a->value = 0;
		alias_map(10, (uint64_t)page_b, MAP_PRESENT | MAP_WRITE);
		CHECK_EQUAL(ask(p), 0);
		CHECK_EQUAL(a->value, 0);
		CHECK_EQUAL(b->value, gfn);
		CHECK_EQUAL(alias_entry(10) & (MAP_ACCESSED | MAP_DIRTY), MAP_ACCESSED | MAP_DIRTY);
		/* The same, read-only, after having been written to */
		b->value = 0;
		alias_map(10, (uint64_t)page_b, MAP_PRESENT | MAP_ACCESSED | MAP_DIRTY);
		CHECK_EQUAL(ask(p), -XEN_EFAULT);
		CHECK_EQUAL(b->value, 0);
		/* Writable, but not dirty yet: reading it does not make it so */
		alias_map(10, (uint64_t)page_b, MAP_PRESENT | MAP_WRITE);
		CHECK_EQUAL(hypercall2(HC_hvm_op, HVM_set_param, p), -XEN_EPERM);
		CHECK_EQUAL(alias_entry(10) & (MAP_ACCESSED | MAP_DIRTY), MAP_ACCESSED);
		CHECK_EQUAL(ask(p), 0);
		CHECK_EQUAL(b->value, gfn);
		CHECK_EQUAL(alias_entry(10) & (MAP_ACCESSED | MAP_DIRTY), MAP_ACCESSED | MAP_DIRTY);
		/* Nothing */
		alias_map(10, 0, 0);
		CHECK_EQUAL(ask(p), -XEN_EFAULT);
	}
}

static void check_params(void)
{
	struct xen_param p = { .domid = 9, .index = PARAM_console_gfn };
	uint64_t value;

	CHECK((long)ask(&p) < 0); /* another domain */
	CHECK_EQUAL(xen_get_param(39, &value), -XEN_EINVAL);
	CHECK_EQUAL(xen_get_param(~0u, &value), -XEN_EINVAL);
	CHECK_EQUAL(xen_get_param(4, &value), -XEN_EINVAL);
	CHECK_EQUAL(xen_set_param(PARAM_console_gfn, 1), -XEN_EPERM);
	CHECK_EQUAL(xen_set_param(39, 0), -XEN_EINVAL);
}

static void check_multicall(void)
{
	struct xen_param p = { .domid = DOMID_SELF, .index = PARAM_console_port };
	struct xen_multicall calls[] = {
		{ .nr = HC_xen_version, .result = 1 },
		{ .nr = 63, .result = 1 },
		{ .nr = HC_hvm_op, .result = 1, .arg = { HVM_get_param, (uint64_t)&p } },
		{ .nr = HC_hvm_op, .result = 1, .arg = { HVM_get_param, 1ull << 40 } },
	};
	uint64_t port;

	CHECK_EQUAL(hypercall2(HC_multicall, calls, ARRAY_SIZE(calls)), 0);
	CHECK_EQUAL(calls[0].result, VERSION);
	CHECK_EQUAL(calls[1].result, -XEN_ENOSYS);
	CHECK_EQUAL(calls[2].result, 0);
	CHECK_EQUAL(xen_get_param(PARAM_console_port, &port), 0);
	CHECK_EQUAL(p.value, port);
	CHECK_EQUAL(calls[3].result, -XEN_EFAULT);
	CHECK_EQUAL(hypercall2(HC_multicall, calls, 0), 0);
	CHECK_EQUAL(hypercall2(HC_multicall, 1ull << 40, 2), -XEN_EFAULT);
}

static void read_at(void *address)
{
	(void)*(volatile uint64_t *)address;
}

static void write_at(void *address)
{
	*(volatile uint64_t *)address = 0;
}

static void check_memory(void)
{
	uint64_t gfn = (uint64_t)page_c >> 12;
	struct xen_reservation r = { .extents = (uint64_t)&gfn, .count = 1, .domid = DOMID_SELF };
	struct {
		uint16_t domid;
	} self = { DOMID_SELF };
	uint64_t hole = hole_gpa();
	long top = hypercall2(HC_memory_op, MEM_maximum_gpfn, &self);

	CHECK(top > 0 && (uint64_t)top < hole >> 12);

	CHECK(trap_try(read_at, (void *)hole) && this_cpu()->trap.vector == VECTOR_GP);
	CHECK(trap_try(write_at, (void *)(hole + 0x1000)) && this_cpu()->trap.vector == VECTOR_GP);
	CHECK(trap_try(read_at, (void *)0xfee00020) && this_cpu()->trap.vector == VECTOR_GP);

	CHECK_EQUAL(hypercall2(HC_xen_version, 1, page_c), 0); /* and so known to the hypervisor */
	memset(page_c, 0xa5, sizeof(page_c));
	CHECK_EQUAL(hypercall2(HC_memory_op, MEM_decrease_reservation, &r), 1);
	CHECK(trap_try(read_at, page_c) && this_cpu()->trap.vector == VECTOR_GP);
	CHECK_EQUAL(hypercall2(HC_memory_op, MEM_decrease_reservation, &r), 0);
	CHECK_EQUAL(hypercall2(HC_xen_version, 1, page_c), -XEN_EFAULT);
	CHECK_EQUAL(hypercall2(HC_memory_op, MEM_populate_physmap, &r), 1);
	for (uint32_t i = 0; i < 4096; i += 8) {
		if (*(uint64_t *)(page_c + i)) {
			test_failure("a page that was given back is not zero");
			break;
		}
	}
	memset(page_c, 0x5a, sizeof(page_c));
	CHECK_EQUAL(page_c[4095], 0x5a);
	r.extents = 1ull << 40;
	CHECK((long)hypercall2(HC_memory_op, MEM_decrease_reservation, &r) <= 0);
	r.extents = (uint64_t)&gfn;
	gfn = 1ull << 50;
	CHECK_EQUAL(hypercall2(HC_memory_op, MEM_populate_physmap, &r), 0);
	CHECK_EQUAL(hypercall2(HC_memory_op, 63, &r), -XEN_ENOSYS);
}

void check_calls(void)
{
	check_versions();
	check_unknown();
	check_user();
	check_hypercall_page();
	check_pointers();
	check_remapped();
	check_params();
	check_multicall();
	check_memory();
}
