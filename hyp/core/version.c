/* SPDX-License-Identifier: Apache-2.0 */
/*
 * xen_version: what guests and tools ask to learn what they run on. Sub-op 0 is
 * the yardstick for the cost of a hypercall and takes no lock, like all others
 * here: everything they tell is constant once domains run.
 */
#include "core_internal.h"
#include "hypercall.h"

static const char capabilities[1024] = "xen-3.0-x86_64 hvm-3.0-x86_32 hvm-3.0-x86_32p hvm-3.0-x86_64 ";
static const struct xen_compile_info compile_info = {
	"gcc " __VERSION__, "ravelin", "ravelin", "reproducible",
};
static const char extraversion[16] = XEN_EXTRAVERSION;
static const char changeset[64] = "unavailable";
static const char denied[1024] = "<denied>";
static const uint8_t zeros[16];

static long out(uint64_t to, const void *from, uint64_t n)
{
	return nuc_copy_out(gva_of(to), from, n) ? -EFAULT : 0;
}

static long get_features(const struct domain *d, uint64_t arg)
{
	struct xen_feature_info info;

	if (nuc_copy_in(&info, gva_of(arg), sizeof(info)))
		return -EFAULT;
	if (info.submap_idx != 0)
		return -EINVAL;
	info.submap = 1u << XENFEAT_writable_page_tables | 1u << XENFEAT_auto_translated_physmap |
		      1u << XENFEAT_hvm_callback_vector | 1u << XENFEAT_hvm_safe_pvclock |
		      1u << XENFEAT_memory_op_vnode_supported | 1u << XENFEAT_not_direct_mapped;
	if (d->control)
		info.submap |= 1u << XENFEAT_dom0;
	return out(arg, &info, sizeof(info));
}

static long commandline(const struct domain *d, uint64_t arg)
{
	if (!d->control)
		return out(arg, denied, sizeof(denied));
	/* The field is 1024 bytes; the option text is shorter and NUL-terminated. */
	return out(arg, options.text, sizeof(options.text));
}

static __attribute__((noinline)) long version_slow(uint64_t cmd, uint64_t arg)
{
	const struct domain *d = this_cpu()->current->domain;

	switch (cmd) {
	case XENVER_extraversion:
		return out(arg, extraversion, sizeof(extraversion));
	case XENVER_compile_info:
		return out(arg, &compile_info, sizeof(compile_info));
	case XENVER_capabilities:
		return out(arg, capabilities, sizeof(capabilities));
	case XENVER_changeset:
		return out(arg, changeset, sizeof(changeset));
	case XENVER_platform_parameters: /* no part of the address space is ours: 0 */
		return out(arg, zeros, 8);
	case XENVER_get_features:
		return get_features(d, arg);
	case XENVER_pagesize:
		return arg ? -EINVAL : (long)PAGE_SIZE;
	case XENVER_guest_handle:
		return out(arg, zeros, sizeof(zeros));
	case XENVER_commandline:
		return commandline(d, arg);
	case XENVER_build_id:
		return d->control ? -CORE_ENODATA : -EPERM;
	default:
		return -ENOSYS;
	}
}

long hypercall_xen_version(uint64_t cmd, uint64_t arg, uint64_t a3, uint64_t a4, uint64_t a5)
{
	(void)a3, (void)a4, (void)a5;
	if (likely((uint32_t)cmd == XENVER_version))
		return XEN_VERSION;
	return version_slow((uint32_t)cmd, arg);
}
