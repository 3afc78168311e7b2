/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The only door to a guest's bytes while it runs: copies by guest-virtual address
 * on behalf of the vCPU whose hypercall is being served, and windows on memory
 * that a guest has named.
 *
 * The walk is that of a 4-level guest in 64-bit mode (SDM volume 3, 4.5), which
 * is what makes hypercalls; LA57 is never shown to guests. Xen's handles are
 * addresses of user space as often as not, so neither U/S nor SMAP counts.
 */
#include "vcpu.h"
#include "asm.h"
#include "ept.h"
#include "frame.h"
#include "lock.h"
#include "memory.h"
#include "string.h"
#include "vmcs.h"

#define COPY_MAX 65536ull
#define PTE_ACCESSED 32ull
#define PTE_DIRTY 64ull
#define WINDOW_MAX 64u

/*
 * Translations found lately, per CPU: a guest's argument takes five of them, its
 * page tables included. One is good as long as the domain has not been flushed
 * since: whatever takes a page or a right away flushes, and new pages were absent,
 * which is never remembered.
 */
#define REMEMBERED 64u

struct remembered {
	uint64_t gfn, generation;
	uint8_t *page;
	uint32_t domain, access;
};
static struct remembered remembered[CPUS_MAX][REMEMBERED];

/* A pointer to one byte of the domain's memory, good to the end of its page, or NULL. Nucleus lock held. */
static void *physical(uint32_t domain, uint64_t gpa, uint32_t access)
{
	uint64_t gfn = gpa >> PAGE_SHIFT, generation = vmx_flush_generation(domain);
	struct remembered *r = &remembered[gate_here->cpu][gfn % REMEMBERED];
	struct translation t;

	if (likely(r->gfn == gfn && r->domain == domain && r->generation == generation &&
		   (r->access & access) == access))
		return r->page + (gpa & PAGE_MASK);
	t = stage2_translate(&nuc_domains[domain].stage2, gfn_of(gfn));
	if (!t.present || (t.access & access) != access)
		return NULL;
	*r = (struct remembered){ gfn, generation, phys_to_ptr(t.mfn << PAGE_SHIFT), domain, t.access };
	return r->page + (gpa & PAGE_MASK);
}

bool guest_physical_read(uint32_t domain, uint64_t gpa, uint64_t *word)
{
	const uint64_t *p;

	nucleus_lock();
	p = physical(domain, gpa & ~7ull, ACCESS_R);
	if (p)
		*word = *p;
	nucleus_unlock();
	return p != NULL;
}

/*
 * The guest-physical address of gva, setting accessed and dirty flags as the CPU
 * would. False: the access would fault.
 */
static bool walk(uint32_t domain, uint64_t cr3, bool protect, uint64_t gva, bool write, uint64_t *gpa)
{
	uint64_t at = cr3 & PTE_ADDRESS;
	unsigned level;

	if ((uint64_t)((int64_t)(gva << 16) >> 16) != gva)
		return false;
	for (level = 3;; level--) {
		unsigned shift = PAGE_SHIFT + 9 * level;
		uint64_t *p = physical(domain, at + (gva >> shift & 511) * 8, ACCESS_R | ACCESS_W);
		uint64_t e, flags = PTE_ACCESSED;
		bool leaf;

		if (!p)
			return false;
		e = __atomic_load_n(p, __ATOMIC_RELAXED);
		if (!(e & PTE_PRESENT) || (write && protect && !(e & PTE_WRITE)))
			return false;
		leaf = level == 0 || (level < 3 && e & PTE_LARGE);
		if (leaf && write)
			flags |= PTE_DIRTY;
		if ((e & flags) != flags)
			__atomic_fetch_or(p, flags, __ATOMIC_RELAXED);
		if (leaf) {
			uint64_t mask = (1ull << shift) - 1;

			*gpa = (e & PTE_ADDRESS & ~mask) | (gva & mask);
			return true;
		}
		at = e & PTE_ADDRESS;
	}
}

/* One direction or the other, a page at a time. The core's side has been checked. */
static int copy(uint64_t gva, uint8_t *ours, uint64_t length, bool to_guest)
{
	const struct nuc_vcpu *v = cpu_here()->loaded;
	uint32_t domain;
	uint64_t cr3;
	bool protect;
	int rc = 0;

	if (!v || !v->long_mode)
		return -EFAULT;
	domain = vcpu_domain(v);
	cr3 = vmread(VMCS_GUEST_CR3);
	protect = vmread(VMCS_GUEST_CR0) & CR0_WP;
	nucleus_lock();
	while (length) {
		uint64_t gpa, n = PAGE_SIZE - (gva & PAGE_MASK);
		void *theirs;

		if (n > length)
			n = length;
		if (!walk(domain, cr3, protect, gva, to_guest, &gpa) ||
		    !(theirs = physical(domain, gpa, to_guest ? ACCESS_R | ACCESS_W : ACCESS_R))) {
			rc = -EFAULT;
			break;
		}
		if (to_guest)
			memcpy(theirs, ours, n);
		else
			memcpy(ours, theirs, n);
		gva += n;
		ours += n;
		length -= n;
	}
	nucleus_unlock();
	return rc;
}

int nuc_copy_in(void *to, gva_t from, uint64_t length)
{
	CHECK(length <= COPY_MAX && machine_core_range(to, length, true));
	return copy(from.gva, to, length, false);
}

int nuc_copy_out(gva_t to, const void *from, uint64_t length)
{
	CHECK(length <= COPY_MAX && machine_core_range(from, length, false));
	return copy(to.gva, (uint8_t *)(uintptr_t)from, length, true);
}

/* ---- windows --------------------------------------------------------------------- */

int nuc_window_open(uint32_t handle, gpa_t at, uint32_t length)
{
	struct nuc_vcpu *v;
	uint64_t gpa = at.gpa;
	mfn_t mfn;
	int rc;

	if (handle >= VCPUS_MAX || !length || length > WINDOW_MAX || gpa & 7 ||
	    length & 7 || (gpa & PAGE_MASK) + length > PAGE_SIZE)
		return -EINVAL;
	v = &nuc_vcpus[handle];
	nucleus_lock();
	rc = !v->created ? -EINVAL : v->window_length ? -EEXIST : memory_pin(handle / DOMAIN_VCPUS_MAX, gfn_of(gpa >> PAGE_SHIFT), &mfn);
	if (!rc) {
		v->window_mfn = mfn.mfn;
		v->window_offset = gpa & PAGE_MASK;
		v->window_length = length;
	}
	nucleus_unlock();
	return rc;
}

/* The place of [offset, offset + length) of a window. Nucleus lock held. */
static void *window(uint32_t handle, uint32_t offset, uint32_t length)
{
	struct nuc_vcpu *v = &nuc_vcpus[handle];

	CHECK(handle < VCPUS_MAX && v->created && v->window_length);
	CHECK(offset <= v->window_length && length <= v->window_length - offset);
	return phys_to_ptr(v->window_mfn << PAGE_SHIFT | (v->window_offset + offset));
}

uint64_t nuc_window_or(uint32_t handle, uint32_t offset, uint64_t bits)
{
	uint64_t old;

	CHECK(!(offset & 7));
	nucleus_lock();
	old = __atomic_fetch_or((uint64_t *)window(handle, offset, 8), bits, __ATOMIC_SEQ_CST);
	nucleus_unlock();
	return old;
}

uint64_t nuc_window_and(uint32_t handle, uint32_t offset, uint64_t bits)
{
	uint64_t old;

	CHECK(!(offset & 7));
	nucleus_lock();
	old = __atomic_fetch_and((uint64_t *)window(handle, offset, 8), bits, __ATOMIC_SEQ_CST);
	nucleus_unlock();
	return old;
}

void nuc_window_read(uint32_t handle, uint32_t offset, void *to, uint32_t length)
{
	CHECK(machine_core_range(to, length, true));
	nucleus_lock();
	memcpy(to, window(handle, offset, length), length);
	nucleus_unlock();
}

void nuc_window_write(uint32_t handle, uint32_t offset, const void *from, uint32_t length)
{
	CHECK(machine_core_range(from, length, false));
	nucleus_lock();
	memcpy(window(handle, offset, length), from, length);
	nucleus_unlock();
}
