/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The CPU that guests see. Built once from the host's CPUID by an allow-list of
 * leaves and of feature bits; afterwards an exit is two table look-ups.
 *
 * OSXSAVE (leaf 1) and OSPKE (leaf 7) mirror the guest's CR4: the nucleus sets
 * them in the answer, here they are 0.
 */
#include "x86.h"
#include "x86_policy.h"
#include "string.h"

#define BASIC_MAX 0x16u
#define XEN_BASE 0x40000000u
#define XEN_MAX 0x40000005u
#define EXTENDED_BASE 0x80000000u
#define EXTENDED_MAX 0x80000008u

#define CACHES_MAX 8u
#define XSAVE_SUBS 8u            /* D.0, D.1 and the components 2 .. 7 of XCR0_KNOWN */

/* What of an answer depends on the vCPU that asks. */
enum cpuid_patch {
	PATCH_NONE,
	PATCH_APIC_ID,           /* leaf 1 */
	PATCH_CACHE,             /* leaf 4 */
	PATCH_TOPOLOGY,          /* leaf 0xB */
	PATCH_XEN_IDS,           /* leaf 0x40000004 */
};

static struct cpuid_cell basic[BASIC_MAX + 1];
static struct cpuid_cell xen[XEN_MAX - XEN_BASE + 1];
static struct cpuid_cell extended[EXTENDED_MAX - EXTENDED_BASE + 1];
static struct cpuid_cell caches[CACHES_MAX], xsave[XSAVE_SUBS], xen_time[3], sub_zero[1];

/* The top two bits of a leaf choose the range. */
static const struct {
	struct cpuid_cell *cells;
	uint32_t count;
} ranges[4] = {
	{ basic, ARRAY_SIZE(basic) },
	{ xen, ARRAY_SIZE(xen) },
	{ extended, ARRAY_SIZE(extended) },
	{ NULL, 0 },
};
static const struct cpuid_cell zero;

/* What the whole policy is computed from. */
static struct {
	uint32_t basic_max, extended_max;
	uint64_t xcr0;
	uint32_t tsc_khz;
} host;

#define SHOW(leaf, reg, bit, name) { leaf, 0, reg, bit, FEATURE_SHOW, 0, name, NULL }
#define SHOWX(leaf, reg, bit, name, xcr0) { leaf, 0, reg, bit, FEATURE_SHOW, xcr0, name, NULL }
#define FORCE(leaf, reg, bit, name) { leaf, 0, reg, bit, FEATURE_FORCE, 0, name, NULL }
#define HIDE(leaf, reg, bit, name, why) { leaf, 0, reg, bit, FEATURE_HIDE, 0, name, why }
#define AVX 0x04
#define AVX512 0xe4

static const char no_perf[] = "performance monitoring is not virtualised";
static const char no_power[] = "power and temperature belong to the machine";
static const char no_spec[] = "its MSR is not virtualised";
static const char no_key[] =
	"the state would have to be switched with the vCPU; some emulators lack its XSAVE component";
static const char no_random[] = "random by nature: with it two runs of one image would differ";
static const char no_tsx[] = "transactional memory: long abandoned, a side channel";

const struct cpuid_feature cpuid_features[] = {
	SHOW(0x1, ECX, 0, "sse3"),
	SHOW(0x1, ECX, 1, "pclmulqdq"),
	HIDE(0x1, ECX, 2, "dtes64", no_perf),
	HIDE(0x1, ECX, 3, "monitor", "a guest must leave the CPU when idle, and MWAIT wouldn't exit"),
	HIDE(0x1, ECX, 4, "ds_cpl", no_perf),
	HIDE(0x1, ECX, 5, "vmx", "no nested virtualisation"),
	HIDE(0x1, ECX, 6, "smx", "measured launch belongs to the machine"),
	HIDE(0x1, ECX, 7, "est", no_power),
	HIDE(0x1, ECX, 8, "tm2", no_power),
	SHOW(0x1, ECX, 9, "ssse3"),
	SHOWX(0x1, ECX, 12, "fma", AVX),
	SHOW(0x1, ECX, 13, "cx16"),
	HIDE(0x1, ECX, 15, "pdcm", no_perf),
	SHOW(0x1, ECX, 17, "pcid"),
	SHOW(0x1, ECX, 19, "sse4_1"),
	SHOW(0x1, ECX, 20, "sse4_2"),
	FORCE(0x1, ECX, 21, "x2apic"),
	SHOW(0x1, ECX, 22, "movbe"),
	SHOW(0x1, ECX, 23, "popcnt"),
	FORCE(0x1, ECX, 24, "tsc_deadline"),
	SHOW(0x1, ECX, 25, "aes"),
	SHOW(0x1, ECX, 26, "xsave"),
	HIDE(0x1, ECX, 27, "osxsave", "the guest's CR4.OSXSAVE: the nucleus sets it"),
	SHOWX(0x1, ECX, 28, "avx", AVX),
	SHOWX(0x1, ECX, 29, "f16c", AVX),
	HIDE(0x1, ECX, 30, "rdrand", no_random),
	FORCE(0x1, ECX, 31, "hypervisor"),

	SHOW(0x1, EDX, 0, "fpu"),
	SHOW(0x1, EDX, 1, "vme"),
	SHOW(0x1, EDX, 2, "de"),
	SHOW(0x1, EDX, 3, "pse"),
	SHOW(0x1, EDX, 4, "tsc"),
	SHOW(0x1, EDX, 5, "msr"),
	SHOW(0x1, EDX, 6, "pae"),
	HIDE(0x1, EDX, 7, "mce", "machine checks belong to the machine"),
	SHOW(0x1, EDX, 8, "cx8"),
	SHOW(0x1, EDX, 9, "apic"),
	SHOW(0x1, EDX, 11, "sep"),
	HIDE(0x1, EDX, 12, "mtrr",
	     "all RAM is write-back and stays so; without it the kernel leaves the PAT alone too"),
	SHOW(0x1, EDX, 13, "pge"),
	HIDE(0x1, EDX, 14, "mca", "machine checks belong to the machine"),
	SHOW(0x1, EDX, 15, "cmov"),
	SHOW(0x1, EDX, 16, "pat"),
	SHOW(0x1, EDX, 17, "pse36"),
	SHOW(0x1, EDX, 19, "clflush"),
	HIDE(0x1, EDX, 21, "ds", no_perf),
	HIDE(0x1, EDX, 22, "acpi", no_power),
	SHOW(0x1, EDX, 23, "mmx"),
	SHOW(0x1, EDX, 24, "fxsr"),
	SHOW(0x1, EDX, 25, "sse"),
	SHOW(0x1, EDX, 26, "sse2"),
	SHOW(0x1, EDX, 27, "ss"),
	HIDE(0x1, EDX, 28, "htt", "set where the domain has more than one vCPU"),
	HIDE(0x1, EDX, 29, "tm", no_power),
	HIDE(0x1, EDX, 31, "pbe", no_power),

	FORCE(0x6, EAX, 2, "arat"),
	HIDE(0x6, EAX, 0, "dtherm", no_power),
	HIDE(0x6, EAX, 1, "turbo", no_power),
	HIDE(0x6, EAX, 7, "hwp", no_power),

	SHOW(0x7, EBX, 0, "fsgsbase"),
	HIDE(0x7, EBX, 1, "tsc_adjust", "the TSC is the clock of every guest and can't be moved"),
	HIDE(0x7, EBX, 2, "sgx", "enclaves need EPC memory"),
	SHOW(0x7, EBX, 3, "bmi1"),
	HIDE(0x7, EBX, 4, "hle", no_tsx),
	SHOWX(0x7, EBX, 5, "avx2", AVX),
	SHOW(0x7, EBX, 6, "fdp_excptn_only"),
	SHOW(0x7, EBX, 7, "smep"),
	SHOW(0x7, EBX, 8, "bmi2"),
	SHOW(0x7, EBX, 9, "erms"),
	SHOW(0x7, EBX, 10, "invpcid"),
	HIDE(0x7, EBX, 11, "rtm", no_tsx),
	HIDE(0x7, EBX, 12, "rdt_m", no_perf),
	SHOW(0x7, EBX, 13, "zero_fcs_fds"),
	HIDE(0x7, EBX, 14, "mpx", "withdrawn by its maker"),
	HIDE(0x7, EBX, 15, "rdt_a", no_perf),
	SHOWX(0x7, EBX, 16, "avx512f", AVX512),
	SHOWX(0x7, EBX, 17, "avx512dq", AVX512),
	HIDE(0x7, EBX, 18, "rdseed", no_random),
	SHOW(0x7, EBX, 19, "adx"),
	SHOW(0x7, EBX, 20, "smap"),
	SHOWX(0x7, EBX, 21, "avx512ifma", AVX512),
	SHOW(0x7, EBX, 23, "clflushopt"),
	SHOW(0x7, EBX, 24, "clwb"),
	HIDE(0x7, EBX, 25, "intel_pt", no_perf),
	SHOWX(0x7, EBX, 28, "avx512cd", AVX512),
	SHOW(0x7, EBX, 29, "sha"),
	SHOWX(0x7, EBX, 30, "avx512bw", AVX512),
	SHOWX(0x7, EBX, 31, "avx512vl", AVX512),

	SHOWX(0x7, ECX, 1, "avx512_vbmi", AVX512),
	SHOW(0x7, ECX, 2, "umip"),
	HIDE(0x7, ECX, 3, "pku", no_key),
	HIDE(0x7, ECX, 4, "ospke", no_key),
	HIDE(0x7, ECX, 5, "waitpkg", "a guest must leave the CPU when idle"),
	SHOWX(0x7, ECX, 6, "avx512_vbmi2", AVX512),
	HIDE(0x7, ECX, 7, "shstk", "its state lies in IA32_XSS, which is not virtualised"),
	SHOW(0x7, ECX, 8, "gfni"),
	SHOWX(0x7, ECX, 9, "vaes", AVX),
	SHOWX(0x7, ECX, 10, "vpclmulqdq", AVX),
	SHOWX(0x7, ECX, 11, "avx512_vnni", AVX512),
	SHOWX(0x7, ECX, 12, "avx512_bitalg", AVX512),
	HIDE(0x7, ECX, 13, "tme", "memory encryption belongs to the machine"),
	SHOWX(0x7, ECX, 14, "avx512_vpopcntdq", AVX512),
	HIDE(0x7, ECX, 16, "la57", "the nucleus walks four levels of guest tables"),
	SHOW(0x7, ECX, 22, "rdpid"),
	HIDE(0x7, ECX, 24, "bus_lock_detect", "its MSR is not virtualised"),
	HIDE(0x7, ECX, 29, "enqcmd", "no shared work queues"),

	HIDE(0x7, EDX, 4, "fsrm",
	     "a speed hint that kernels patch code by: not worth a difference between hosts"),
	SHOW(0x7, EDX, 10, "md_clear"),
	HIDE(0x7, EDX, 20, "ibt", "its state lies in IA32_XSS, which is not virtualised"),
	HIDE(0x7, EDX, 26, "spec_ctrl", no_spec),
	HIDE(0x7, EDX, 27, "stibp", no_spec),
	HIDE(0x7, EDX, 28, "l1d_flush", no_spec),
	HIDE(0x7, EDX, 29, "arch_capabilities", no_spec),
	HIDE(0x7, EDX, 31, "ssbd", no_spec),

	{0xd, 1, EAX, 0, FEATURE_SHOW, 0, "xsaveopt", NULL},
	{0xd, 1, EAX, 1, FEATURE_SHOW, 0, "xsavec", NULL},
	{0xd, 1, EAX, 2, FEATURE_SHOW, 0, "xgetbv1", NULL},
	{0xd, 1, EAX, 3, FEATURE_HIDE, 0, "xsaves", "IA32_XSS is not virtualised; XSAVEC is as compact"},
	{0xd, 1, EAX, 4, FEATURE_HIDE, 0, "xfd", "no component that it could switch off is shown"},

	SHOW(0x80000001, ECX, 0, "lahf_lm"),
	SHOW(0x80000001, ECX, 5, "lzcnt"),
	SHOW(0x80000001, ECX, 8, "prefetchw"),
	SHOW(0x80000001, EDX, 11, "syscall"),
	SHOW(0x80000001, EDX, 20, "nx"),
	SHOW(0x80000001, EDX, 26, "pdpe1gb"),
	SHOW(0x80000001, EDX, 27, "rdtscp"),
	SHOW(0x80000001, EDX, 29, "lm"),

	FORCE(0x80000007, EDX, 8, "invariant_tsc"),
};
const size_t cpuid_feature_count = ARRAY_SIZE(cpuid_features);

/* The host's answer, or zeroes beyond the leaves it has. */
static void host_cpuid(uint32_t leaf, uint32_t subleaf, uint32_t out[4])
{
	uint32_t max = leaf >= EXTENDED_BASE ? host.extended_max : host.basic_max;

	memset(out, 0, 4 * sizeof(out[0]));
	if (leaf <= max)
		nuc_cpuid(leaf, subleaf, out);
}

/* The answer of a leaf made of feature bits only. */
static void features(uint32_t leaf, uint32_t subleaf, uint32_t out[4])
{
	uint32_t from[4];

	host_cpuid(leaf, subleaf, from);
	memset(out, 0, 4 * sizeof(out[0]));
	for (size_t i = 0; i < ARRAY_SIZE(cpuid_features); i++) {
		const struct cpuid_feature *f = &cpuid_features[i];
		bool has = f->policy == FEATURE_FORCE ||
			   (f->policy == FEATURE_SHOW && from[f->reg] & BIT(f->bit));

		if (f->leaf == leaf && f->subleaf == subleaf && has && (host.xcr0 & f->xcr0) == f->xcr0)
			out[f->reg] |= BIT(f->bit);
	}
}

static void build_features(uint32_t leaf, struct cpuid_cell *cell)
{
	features(leaf, 0, cell->r);
}

static void build_host(uint32_t leaf, struct cpuid_cell *cell)
{
	host_cpuid(leaf, 0, cell->r);
}

static void build_max(uint32_t leaf, struct cpuid_cell *cell)
{
	host_cpuid(leaf, 0, cell->r);
	cell->r[EAX] = BASIC_MAX;
}

static void build_signature(uint32_t leaf, struct cpuid_cell *cell)
{
	uint32_t from[4];

	host_cpuid(leaf, 0, from);
	features(leaf, 0, cell->r);
	cell->r[EAX] = from[EAX];                /* family, model, stepping */
	cell->r[EBX] = from[EBX] & 0x0000ff00;   /* CLFLUSH line size */
	cell->patch = PATCH_APIC_ID;
}

static void build_caches(uint32_t leaf, struct cpuid_cell *cell)
{
	for (uint32_t i = 0; i < CACHES_MAX; i++) {
		host_cpuid(leaf, i, caches[i].r);
		if ((caches[i].r[EAX] & 0x1f) == 0) {     /* no more caches */
			memset(caches[i].r, 0, sizeof(caches[i].r));
			break;
		}
		caches[i].r[EAX] &= 0x3ff;                /* sharing and cores are ours */
		caches[i].patch = PATCH_CACHE;
	}
	cell->sub = caches;
	cell->sub_count = CACHES_MAX;
}

static void build_structured(uint32_t leaf, struct cpuid_cell *cell)
{
	features(leaf, 0, sub_zero[0].r);
	cell->sub = sub_zero;
	cell->sub_count = 1;
}

static void build_topology(uint32_t leaf, struct cpuid_cell *cell)
{
	(void)leaf;
	cell->patch = PATCH_TOPOLOGY;
}

/* SDM 1, 13.2 and 13.4: sizes for all components that a guest may enable. */
static void build_xsave(uint32_t leaf, struct cpuid_cell *cell)
{
	uint32_t standard = 576, compact = 576;

	memset(xsave, 0, sizeof(xsave));
	cell->sub = xsave;
	cell->sub_count = XSAVE_SUBS;
	if (!host.xcr0)
		return;
	features(leaf, 1, xsave[1].r);
	for (uint32_t i = 2; i < XSAVE_SUBS; i++) {
		uint32_t from[4];

		if (!(host.xcr0 >> i & 1))
			continue;
		host_cpuid(leaf, i, from);
		xsave[i].r[EAX] = from[EAX];              /* size */
		xsave[i].r[EBX] = from[EBX];              /* offset, standard form */
		xsave[i].r[ECX] = from[ECX] & BIT(1);     /* aligned in the compact form */
		if (from[EBX] + from[EAX] > standard)
			standard = from[EBX] + from[EAX];
		if (from[ECX] & BIT(1))
			compact = (compact + 63) & ~63u;
		compact += from[EAX];
	}
	xsave[0].r[EAX] = (uint32_t)host.xcr0;
	xsave[0].r[EBX] = standard;
	xsave[0].r[ECX] = standard;
	xsave[1].r[EBX] = compact;
}

static void build_frequency(uint32_t leaf, struct cpuid_cell *cell)
{
	(void)leaf;
	cell->r[EAX] = host.tsc_khz / 1000;              /* base and maximum, MHz */
	cell->r[EBX] = host.tsc_khz / 1000;
	cell->r[ECX] = 100;                              /* bus */
}

static void build_extended_max(uint32_t leaf, struct cpuid_cell *cell)
{
	(void)leaf;
	cell->r[EAX] = EXTENDED_MAX;
}

static void build_width(uint32_t leaf, struct cpuid_cell *cell)
{
	uint32_t from[4];

	host_cpuid(leaf, 0, from);
	cell->r[EAX] = from[EAX] & 0xff;                 /* physical bits */
	if (!cell->r[EAX])
		cell->r[EAX] = 36;
	cell->r[EAX] |= 48 << 8;                         /* linear bits: no LA57 */
}

static void build_xen_max(uint32_t leaf, struct cpuid_cell *cell)
{
	(void)leaf;
	cell->r[EAX] = XEN_MAX;
	memcpy(&cell->r[EBX], "XenVMMXenVMM", 12);
}

static void build_xen_version(uint32_t leaf, struct cpuid_cell *cell)
{
	(void)leaf;
	cell->r[EAX] = 4 << 16 | 17;
}

static void build_xen_page(uint32_t leaf, struct cpuid_cell *cell)
{
	(void)leaf;
	cell->r[EAX] = 1;
	cell->r[EBX] = XEN_BASE;                         /* the MSR */
}

static void build_xen_time(uint32_t leaf, struct cpuid_cell *cell)
{
	uint64_t khz = host.tsc_khz;
	int32_t shift = 0;
	uint32_t rdtscp[4];

	features(0x80000001, 0, rdtscp);
	(void)leaf;
	xen_time[0].r[EAX] = BIT(1) | (rdtscp[EDX] & BIT(27) ? BIT(2) : 0); /* host TSC safe, RDTSCP */
	xen_time[0].r[EBX] = 2;                          /* RDTSC is never emulated */
	xen_time[0].r[ECX] = host.tsc_khz;
	/* ns = (tsc << shift) * mul >> 32, with the largest mul that fits in 32 bits. */
	while (khz > 2000000) {
		khz >>= 1;
		shift--;
	}
	while (khz && khz <= 1000000) {
		khz <<= 1;
		shift++;
	}
	xen_time[1].r[ECX] = khz ? (uint32_t)((1000000ull << 32) / khz) : 0;
	xen_time[1].r[EDX] = (uint32_t)shift;
	xen_time[2].r[EAX] = host.tsc_khz;
	cell->sub = xen_time;
	cell->sub_count = ARRAY_SIZE(xen_time);
}

static void build_xen_ids(uint32_t leaf, struct cpuid_cell *cell)
{
	(void)leaf;
	cell->r[EAX] = BIT(3) | BIT(4);                  /* vCPU id and domain id are valid */
	cell->patch = PATCH_XEN_IDS;
}

static void build_zero(uint32_t leaf, struct cpuid_cell *cell)
{
	(void)leaf;
	(void)cell;
}

const struct cpuid_row cpuid_rows[] = {
	{0x0, "maximum and vendor", build_max, "the highest basic leaf is 0x16; the host's vendor",
	 "the maximum must reach 0x16; guests choose VMCALL by the vendor", "nothing"},
	{0x1, "signature and features", build_signature,
	 "host's family, model, stepping and allowed features; APIC id = vCPU number",
	 "every kernel starts here", "nothing"},
	{0x2, "cache descriptors", build_host, "as on the host",
	 "Linux asks it for the TLB sizes, C libraries for the cache sizes", "leaf 4 alone would do"},
	{0x4, "caches", build_caches,
	 "the host's caches; levels 1 and 2 private, higher ones shared by the domain's vCPUs",
	 "C libraries tune memcpy by it, some 400 times in a boot", "nothing"},
	{0x6, "power", build_features, "only ARAT: the APIC timer never stops",
	 "without it Linux wants a PIT as a broadcast timer", "nothing"},
	{0x7, "structured features", build_structured, "sub-leaf 0 only, allowed features",
	 "SMEP, SMAP, AVX2, FSGSBASE and so on", "nothing"},
	{0xa, "performance monitoring", build_zero, "zero: version 0", "says that there is no PMU",
	 "beyond-the-end zeroes would do"},
	{0xb, "topology", build_topology, "one thread per core, one package, x2APIC id = vCPU number",
	 "must agree with the MADT; leaf 0x1F would say the same and is beyond the maximum", "nothing"},
	{0xd, "xsave", build_xsave,
	 "sizes computed for x87, SSE, AVX and AVX-512, as far as the host has them; XSAVEC, no XSAVES",
	 "the host's own sizes count components that are hidden, and some emulators report them wrong",
	 "hiding XSAVE, and with it AVX"},
	{0x15, "crystal clock", build_zero, "zero", "leaf 0x16 says it; pvclock is exact",
	 "nothing: it must read as absent"},
	{0x16, "frequency", build_frequency, "the TSC's measured frequency in MHz",
	 "without it Linux calibrates by the PIT: 100,000 port reads from a device that is not there",
	 "nothing"},
	{0x40000000, "Xen: maximum and name", build_xen_max, "XenVMMXenVMM, up to 0x40000005",
	 "how a kernel learns that it runs on Xen's interface", "nothing"},
	{0x40000001, "Xen: version", build_xen_version, "4.17", "the interface that is provided", "nothing"},
	{0x40000002, "Xen: hypercall page", build_xen_page, "one page, MSR 0x40000000",
	 "small kernels and Linux before 6.1.123", "executing VMCALL directly"},
	{0x40000003, "Xen: time", build_xen_time, "the TSC is never emulated; frequency, scale",
	 "newer kernels take the TSC as their clock by it", "pvclock"},
	{0x40000004, "Xen: ids", build_xen_ids, "vCPU id, domain id; bit 6 clear: no per-vCPU upcall vector",
	 "Linux takes its vCPU id from here; the domain-wide callback vector needs no EOI", "nothing"},
	{0x40000005, "Xen: PV only", build_zero, "zero", "the last leaf of the interface", "nothing"},
	{0x80000000, "extended maximum", build_extended_max, "0x80000008", "says which leaves follow",
	 "nothing"},
	{0x80000001, "extended features", build_features, "allowed features", "SYSCALL, NX, long mode",
	 "nothing"},
	{0x80000002, "brand string", build_host, "as on the host", "shown to people", "beyond need"},
	{0x80000003, "brand string", build_host, "as on the host", "shown to people", "beyond need"},
	{0x80000004, "brand string", build_host, "as on the host", "shown to people", "beyond need"},
	{0x80000006, "second-level cache", build_host, "as on the host", "cache line and size", "leaf 4"},
	{0x80000007, "invariant TSC", build_features, "set", "the TSC never stops: one clock for all",
	 "nothing"},
	{0x80000008, "address widths", build_width, "the host's physical width, 48 linear bits",
	 "page-table masks are built from it", "nothing"},
};
const size_t cpuid_row_count = ARRAY_SIZE(cpuid_rows);

static struct cpuid_cell *cell_of(uint32_t leaf)
{
	uint32_t index = leaf & 0x3fffffff, range = leaf >> 30;

	return index < ranges[range].count ? &ranges[range].cells[index] : NULL;
}

void cpuid_init(uint32_t tsc_khz)
{
	uint32_t from[4];

	nuc_cpuid(0, 0, from);
	host.basic_max = from[EAX];
	nuc_cpuid(EXTENDED_BASE, 0, from);
	host.extended_max = from[EAX];
	host.tsc_khz = tsc_khz;
	host_cpuid(0x1, 0, from);
	host.xcr0 = 0;
	if (from[ECX] & BIT(26)) {
		host_cpuid(0xd, 0, from);
		host.xcr0 = xcr0_allowed((uint64_t)from[EDX] << 32 | from[EAX]);
	}

	memset(caches, 0, sizeof(caches));
	for (size_t i = 0; i < ARRAY_SIZE(cpuid_rows); i++) {
		struct cpuid_cell *cell = cell_of(cpuid_rows[i].leaf);

		if (!cell)
			nuc_panic("cpuid_init: a row lies outside the tables");
		memset(cell, 0, sizeof(*cell));
		cpuid_rows[i].build(cpuid_rows[i].leaf, cell);
	}
}

/* The bits that ids 0 .. count - 1 take. */
static uint32_t id_bits(uint32_t count)
{
	return count > 1 ? 32 - (uint32_t)__builtin_clz(count - 1) : 0;
}

/* Out of line, so that the plain leaves save no register for it. */
static __attribute__((noinline)) void patch(struct exit *e, uint32_t which)
{
	uint32_t id = e->vcpu % DOMAIN_VCPUS_MAX, domain = e->vcpu / DOMAIN_VCPUS_MAX % DOMAINS_MAX;
	uint32_t count = domains[domain].vcpu_count;
	uint32_t bits = id_bits(count), ids = BIT(bits);

	switch (which) {
	case PATCH_APIC_ID:
		e->cpuid.ebx |= id << 24 | ids << 16;
		if (count > 1)
			e->cpuid.edx |= BIT(28);
		break;
	case PATCH_CACHE:
		e->cpuid.eax |= (ids - 1) << 26;
		if ((e->cpuid.eax >> 5 & 7) > 2)
			e->cpuid.eax |= (ids - 1) << 14;
		break;
	case PATCH_TOPOLOGY:
		e->cpuid.edx = id;
		e->cpuid.ecx = e->cpuid.subleaf & 0xff;
		if (e->cpuid.subleaf == 0) {              /* threads */
			e->cpuid.ebx = 1;
			e->cpuid.ecx |= 1 << 8;
		} else if (e->cpuid.subleaf == 1) {       /* cores */
			e->cpuid.eax = bits;
			e->cpuid.ebx = count;
			e->cpuid.ecx |= 2 << 8;
		}
		break;
	case PATCH_XEN_IDS:
		e->cpuid.ebx = id;
		e->cpuid.ecx = domain;
		break;
	}
}

void cpuid_exit(struct exit *e)
{
	uint32_t index = e->cpuid.leaf & 0x3fffffff, range = e->cpuid.leaf >> 30;
	const struct cpuid_cell *cell = &zero;

	if (likely(index < ranges[range].count))
		cell = &ranges[range].cells[index];
	if (cell->sub_count)
		cell = e->cpuid.subleaf < cell->sub_count ? &cell->sub[e->cpuid.subleaf] : &zero;
	e->verdict = VERDICT_SKIP;
	__builtin_memcpy(&e->cpuid.eax, cell->r, sizeof(cell->r)); /* four moves, not a call */
	if (cell->patch)
		patch(e, cell->patch);
}
