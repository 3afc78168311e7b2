/* SPDX-License-Identifier: Apache-2.0 */
/* CPUID policy from sample hosts, and the answers per vCPU. */
#include "test_stubs.h"
#include "x86_policy.h"

/* In the manner of a Skylake-X: AVX-512, XSAVES, MPX, PKU, leaf 0x16. */
static const struct host_cpuid skylake[] = {
	{ 0x0, 0, { 0x16, 0x756e6547, 0x6c65746e, 0x49656e69 } },
	{ 0x1, 0, { 0x00050654, 0x05100800, 0xfffafbff & ~BIT(27), 0xbfebfbff } },
	{ 0x2, 0, { 0x76036301, 0x00f0b5ff, 0, 0x00c30000 } },
	{ 0x4, 0, { 0x1c004121, 0x01c0003f, 0x3f, 0 } },
	{ 0x4, 1, { 0x1c004122, 0x01c0003f, 0x3f, 0 } },
	{ 0x4, 2, { 0x1c004143, 0x03c0003f, 0x3ff, 0 } },
	{ 0x4, 3, { 0x1c03c163, 0x0280003f, 0x4fff, 4 } },
	{ 0x5, 0, { 0x40, 0x40, 3, 0x2020 } },
	{ 0x6, 0, { 0x77, 2, 9, 0 } },
	{ 0x7, 0, { 0, 0xd39fffff, 0x00000018, 0xbc000400 } },
	{ 0xa, 0, { 0x07300404, 0, 0, 0x603 } },
	{ 0xb, 0, { 1, 2, 0x100, 5 } },
	{ 0xb, 1, { 4, 16, 0x201, 5 } },
	{ 0xd, 0, { 0x2ff, 0xa80, 0xa88, 0 } },
	{ 0xd, 1, { 0xf, 0x340, 0x100, 0 } },
	{ 0xd, 2, { 0x100, 0x240, 0, 0 } },
	{ 0xd, 3, { 0x40, 0x3c0, 0, 0 } },
	{ 0xd, 4, { 0x40, 0x400, 0, 0 } },
	{ 0xd, 5, { 0x40, 0x440, 0, 0 } },
	{ 0xd, 6, { 0x200, 0x480, 0, 0 } },
	{ 0xd, 7, { 0x400, 0x680, 2, 0 } },
	{ 0xd, 8, { 0x80, 0, 1, 0 } },
	{ 0xd, 9, { 8, 0xa80, 0, 0 } },
	{ 0x14, 0, { 1, 0xf, 7, 0 } },
	{ 0x15, 0, { 2, 0xa8, 0, 0 } },
	{ 0x16, 0, { 0x834, 0xe10, 0x64, 0 } },
	{ 0x80000000, 0, { 0x80000008, 0, 0, 0 } },
	{ 0x80000001, 0, { 0, 0, 0x121, 0x2c100800 } },
	{ 0x80000002, 0, { 0x65746e49, 0x2952286c, 0x726f4320, 0x4d542865 } },
	{ 0x80000006, 0, { 0, 0, 0x01006040, 0 } },
	{ 0x80000007, 0, { 0, 0, 0, 0x100 } },
	{ 0x80000008, 0, { 0x302e, 0, 0, 0 } },
};

/* In the manner of a Haswell: basic leaves end at 0xD, AVX2, no XSAVEC, no invariant TSC announced. */
static const struct host_cpuid haswell[] = {
	{ 0x0, 0, { 0xd, 0x756e6547, 0x6c65746e, 0x49656e69 } },
	{ 0x1, 0, { 0x000306c3, 0x02100800, 0x7fdafbbf & ~BIT(21), 0xbfebfbff } },
	{ 0x7, 0, { 0, 0x000027ab, 0, 0 } },
	{ 0xd, 0, { 7, 0x340, 0x340, 0 } },
	{ 0xd, 1, { 1, 0, 0, 0 } },
	{ 0xd, 2, { 0x100, 0x240, 0, 0 } },
	{ 0x80000000, 0, { 0x80000008, 0, 0, 0 } },
	{ 0x80000001, 0, { 0, 0, 0x21, 0x2c100800 } },
	{ 0x80000008, 0, { 0x3027, 0, 0, 0 } },
	/* Beyond its maximum a real CPU answers with other leaves' data. */
	{ 0x16, 0, { 0x1234, 0x1234, 0x1234, 0x1234 } },
	{ 0x40000000, 0, { 7, 7, 7, 7 } },
};

static struct exit asked;

static void ask(uint32_t vcpu, uint32_t leaf, uint32_t subleaf)
{
	memset(&asked, 0xa5, sizeof(asked));
	asked.kind = EXIT_CPUID;
	asked.vcpu = DOMAIN_VCPUS_MAX + vcpu;
	asked.verdict = VERDICT_STOP;
	asked.cpuid.leaf = leaf;
	asked.cpuid.subleaf = subleaf;
	cpuid_exit(&asked);
	assert_int_equal(asked.verdict, VERDICT_SKIP);
}

static void answer_is(uint32_t eax, uint32_t ebx, uint32_t ecx, uint32_t edx)
{
	assert_int_equal(asked.cpuid.eax, eax);
	assert_int_equal(asked.cpuid.ebx, ebx);
	assert_int_equal(asked.cpuid.ecx, ecx);
	assert_int_equal(asked.cpuid.edx, edx);
}

static void on(const struct host_cpuid *host, size_t count, uint32_t vcpu_count)
{
	stub_domain(vcpu_count);
	stubs.host = host;
	stubs.host_count = count;
	cpuid_init(2100000);
}
#define ON(host, vcpu_count) on(host, ARRAY_SIZE(host), vcpu_count)

static void maximum_is_raised_and_vendor_kept(void **state)
{
	(void)state;
	ON(haswell, 1);
	ask(0, 0, 0);
	answer_is(0x16, 0x756e6547, 0x6c65746e, 0x49656e69);
	ask(0, 0x16, 0);
	answer_is(2100, 2100, 100, 0);
	ask(0, 0x15, 0);
	answer_is(0, 0, 0, 0);
}

static void leaf_1(void **state)
{
	(void)state;
	ON(skylake, 3);
	ask(2, 1, 0);
	assert_int_equal(asked.cpuid.eax, 0x00050654);
	assert_int_equal(asked.cpuid.ebx, 0x02040800);    /* id 2; 4 ids; the host's id and count are gone */
	/* Hidden: dtes64 monitor ds_cpl vmx smx est tm2 cntx-id sdbg xtpr pdcm dca rdrand osxsave. */
	assert_int_equal(asked.cpuid.ecx &
				 (BIT(2) | BIT(3) | BIT(4) | BIT(5) | BIT(6) | BIT(7) | BIT(8) | BIT(10) |
				  BIT(11) | BIT(14) | BIT(15) | BIT(18) | BIT(27) | BIT(30)),
			 0);
	assert_int_equal(asked.cpuid.ecx & (BIT(17) | BIT(21) | BIT(24) | BIT(26) | BIT(28) | BIT(31)),
			 BIT(17) | BIT(21) | BIT(24) | BIT(26) | BIT(28) | BIT(31));
	/* Hidden: mce mtrr mca psn ds acpi tm pbe; htt since there are 3 vCPUs. */
	assert_int_equal(asked.cpuid.edx & (BIT(7) | BIT(12) | BIT(14) | BIT(18) | BIT(21) | BIT(22) |
					    BIT(29) | BIT(31)),
			 0);
	assert_int_equal(asked.cpuid.edx & (BIT(9) | BIT(13) | BIT(16) | BIT(28)),
			 BIT(9) | BIT(13) | BIT(16) | BIT(28));

	ON(haswell, 1);
	ask(0, 1, 0);
	assert_int_equal(asked.cpuid.ebx, 0x00010800);
	assert_int_equal(asked.cpuid.ecx & BIT(21), BIT(21)); /* x2APIC is ours, whatever the host has */
	assert_int_equal(asked.cpuid.edx & BIT(28), 0);
}

static void leaf_7_filters(void **state)
{
	(void)state;
	ON(skylake, 1);
	ask(0, 7, 0);
	/* tsc_adjust sgx hle rtm rdt mpx rdt_a rdseed pt are gone; avx512 fdq cd bw vl stay. */
	answer_is(0,
		  0xd39fffff & ~(BIT(1) | BIT(2) | BIT(4) | BIT(11) | BIT(12) | BIT(14) | BIT(15) | BIT(18) |
				 BIT(22) | BIT(25)),
		  0, BIT(10));
	ask(0, 7, 1);
	answer_is(0, 0, 0, 0);
}

static void xsave_sizes(void **state)
{
	(void)state;
	ON(skylake, 1);
	ask(0, 0xd, 0);
	answer_is(0xe7, 0xa80, 0xa80, 0);                /* no PKRU, no MPX */
	ask(0, 0xd, 1);
	answer_is(7, 576 + 0x100 + 0x40 + 0x200 + 0x400, 0, 0);
	ask(0, 0xd, 2);
	answer_is(0x100, 0x240, 0, 0);
	ask(0, 0xd, 3);
	answer_is(0, 0, 0, 0);
	ask(0, 0xd, 7);
	answer_is(0x400, 0x680, 2, 0);
	ask(0, 0xd, 8);
	answer_is(0, 0, 0, 0);
	ask(0, 0xd, 9);
	answer_is(0, 0, 0, 0);

	ON(haswell, 1);
	ask(0, 0xd, 0);
	answer_is(7, 0x340, 0x340, 0);
	ask(0, 0xd, 1);
	answer_is(1, 0x340, 0, 0);
	ask(0, 0xd, 7);
	answer_is(0, 0, 0, 0);
}

static void avx512_needs_its_state(void **state)
{
	struct host_cpuid host[ARRAY_SIZE(skylake)];

	(void)state;
	memcpy(host, skylake, sizeof(host));
	for (size_t i = 0; i < ARRAY_SIZE(host); i++)
		if (host[i].leaf == 0xd && host[i].subleaf == 0)
			host[i].r[EAX] = 0x27;           /* opmask without ZMM */
	ON(host, 1);
	ask(0, 0xd, 0);
	answer_is(7, 0x340, 0x340, 0);
	ask(0, 7, 0);
	assert_int_equal(asked.cpuid.ebx & (BIT(16) | BIT(17) | BIT(28) | BIT(30) | BIT(31)), 0);
	assert_int_equal(asked.cpuid.ebx & BIT(5), BIT(5));
	assert_int_equal(xcr0_allowed(0x2e3), 0x3);      /* no AVX, no AVX-512 */
}

static void topology(void **state)
{
	(void)state;
	ON(skylake, 3);
	ask(1, 0xb, 0);
	answer_is(0, 1, 0x100, 1);
	ask(1, 0xb, 1);
	answer_is(2, 3, 0x201, 1);
	ask(1, 0xb, 7);
	answer_is(0, 0, 7, 1);
	ask(1, 0x1f, 0);
	answer_is(0, 0, 0, 0);
	ON(skylake, 1);
	ask(0, 0xb, 1);
	answer_is(0, 1, 0x201, 0);
}

static void caches(void **state)
{
	(void)state;
	ON(skylake, 3);
	ask(0, 4, 0);
	answer_is(0x121 | 3u << 26, 0x01c0003f, 0x3f, 0);
	ask(0, 4, 3);
	answer_is(0x163 | 3u << 26 | 3 << 14, 0x0280003f, 0x4fff, 4);
	ask(0, 4, 4);
	answer_is(0, 0, 0, 0);
	ask(0, 4, 100);
	answer_is(0, 0, 0, 0);
}

static void xen_leaves(void **state)
{
	(void)state;
	ON(skylake, 3);
	ask(2, 0x40000000, 0);
	answer_is(0x40000005, 0x566e6558, 0x65584d4d, 0x4d4d566e);
	ask(2, 0x40000001, 0);
	answer_is(0x00040011, 0, 0, 0);
	ask(2, 0x40000002, 0);
	answer_is(1, 0x40000000, 0, 0);
	ask(2, 0x40000003, 0);
	answer_is(6, 2, 2100000, 0);
	ask(2, 0x40000003, 1);
	/* A second's worth of ticks of 2.1 GHz in ns, as pvclock computes it. */
	assert_in_range((2100000000ull >> -(int32_t)asked.cpuid.edx) * asked.cpuid.ecx >> 32, 999999990,
			1000000000);
	ask(2, 0x40000003, 2);
	answer_is(2100000, 0, 0, 0);
	ask(2, 0x40000003, 3);
	answer_is(0, 0, 0, 0);
	ask(2, 0x40000004, 0);
	answer_is(0x18, 2, 1, 0);
	ask(2, 0x40000100, 0);
	answer_is(0, 0, 0, 0);
	ON(haswell, 1);
	ask(0, 0x40000006, 0);
	answer_is(0, 0, 0, 0);
}

static void extended_leaves(void **state)
{
	(void)state;
	ON(skylake, 1);
	ask(0, 0x80000000, 0);
	answer_is(0x80000008, 0, 0, 0);
	ask(0, 0x80000001, 0);
	answer_is(0, 0, 0x121, 0x2c100800);
	ask(0, 0x80000008, 0);
	answer_is(0x302e, 0, 0, 0);
	ON(haswell, 1);
	ask(0, 0x80000007, 0);
	answer_is(0, 0, 0, 0x100);
	ask(0, 0x80000002, 0);
	answer_is(0, 0, 0, 0);
}

static void everything_else_is_zero(void **state)
{
	static const uint32_t leaves[] = {
		3,	    5,		8,	    9,		0xa,	    0xc,       0xe,	   0xf,
		0x10,	    0x12,	0x14,	    0x17,	0x1f,	    0x20,      0x3fffffff, 0x4000ff00,
		0x7fffffff, 0x80000005, 0x80000009, 0xbfffffff, 0xc0000000, 0xffffffff};

	(void)state;
	ON(skylake, 1);
	for (size_t i = 0; i < ARRAY_SIZE(leaves); i++)
		for (uint32_t sub = 0; sub < 3; sub++) {
			ask(0, leaves[i], sub);
			answer_is(0, 0, 0, 0);
		}
	ask(0, 6, 0);
	answer_is(4, 0, 0, 0);
}

static void no_feature_twice(void **state)
{
	(void)state;
	for (size_t i = 0; i < cpuid_feature_count; i++) {
		const struct cpuid_feature *f = &cpuid_features[i];

		assert_true(f->reg < 4 && f->bit < 32 && f->name);
		assert_int_equal(f->policy == FEATURE_HIDE, f->hidden != NULL);
		for (size_t j = 0; j < i; j++)
			assert_false(cpuid_features[j].leaf == f->leaf &&
				     cpuid_features[j].subleaf == f->subleaf &&
				     cpuid_features[j].reg == f->reg && cpuid_features[j].bit == f->bit);
	}
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(maximum_is_raised_and_vendor_kept),
		cmocka_unit_test(leaf_1),
		cmocka_unit_test(leaf_7_filters),
		cmocka_unit_test(xsave_sizes),
		cmocka_unit_test(avx512_needs_its_state),
		cmocka_unit_test(topology),
		cmocka_unit_test(caches),
		cmocka_unit_test(xen_leaves),
		cmocka_unit_test(extended_leaves),
		cmocka_unit_test(everything_else_is_zero),
		cmocka_unit_test(no_feature_twice),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
