/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The only door to a guest's bytes while it runs: copies by guest-virtual address
 * on behalf of the vCPU whose hypercall is being served, and windows on memory
 * that a guest has named.
 *
 * The walk is that of a 4-level guest in 64-bit mode (SDM volume 3, 4.5), which
 * is what makes hypercalls; LA57 is never shown to guests. Xen's handles are
 * addresses of user space as often as not, so neither U/S nor SMAP counts. Every
 * guest-physical address, those of the guest's tables too, goes through the view
 * that the vCPU is in, with what that view allows.
 *
 * A copy takes three instructions a level instead of twenty where the same page
 * was copied before: what a walk found is kept, and is good for as long as every
 * entry still reads the same and nothing of the view has been flushed. So it never
 * tells what the guest's tables don't say at that moment.
 */
#include "vcpu.h"
#include "asm.h"
#include "ept.h"
#include "frame.h"
#include "lock.h"
#include "memory.h"
#include "string.h"
#include "view.h"
#include "vmcs.h"

#define COPY_MAX 65536ull
#define PTE_USER 4ull
#define PTE_ACCESSED 32ull
#define PTE_DIRTY 64ull
#define WINDOW_MAX 64u
#define ENTRY_TRIES 64u

/* The address space that this CPU's vCPU is in. Good while the nucleus lock is held. */
struct space {
	uint64_t cr3, eptp;
	uint64_t generation;          /* of the translations in it */
	uint32_t handle, domain;
	struct remembered *remembered;
};

/*
 * Translations found lately, per CPU. One is good as long as neither the domain nor
 * the view has been flushed since: whatever takes a page or a right away flushes,
 * and new pages were absent, which is never remembered.
 */
#define REMEMBERED 64u

struct remembered {
	uint64_t gfn, generation;
	uint64_t who;                 /* EPTP, and the domain in the bits above it */
	uint8_t *page;                /* with the rights in its low bits */
};
static struct remembered remembered[CPUS_MAX][REMEMBERED];

/* Walks that ended well, per CPU. */
#define WALKS 32u

struct walk {
	uint64_t gva;                 /* of the page; the vCPU's handle in its low bits */
	uint64_t cr3, eptp, generation;
	struct {
		const uint64_t *at;
		uint64_t is;
	} entry[4];                   /* what was read where; levels below a large page: 0 at `nothing` */
	uint8_t *page;                /* the host's address of gva */
	bool write;                   /* guest and view allow it, whatever CR0.WP says; D is set */
} ALIGNED(128);
static struct walk walks[CPUS_MAX][WALKS];
static const uint64_t nothing;

_Static_assert(VCPUS_MAX <= PAGE_SIZE, "a handle fits below a page's address");
_Static_assert(DOMAINS_MAX <= 4096, "a domain fits above a physical address");
_Static_assert(offsetof(struct nuc_vcpu, regs) == 0, "the gate page knows the vCPU by its registers");

static struct translation translate(const struct space *s, uint64_t gfn)
{
	return view_translate(s->domain, frames[(s->eptp & PTE_ADDRESS) >> PAGE_SHIFT].view, gfn_of(gfn));
}

/* The space of v, which is loaded here. Nucleus lock held. */
static struct space space_of(const struct nuc_vcpu *v)
{
	uint32_t handle = vcpu_handle(v);

	return (struct space){
		.cr3 = vmread(VMCS_GUEST_CR3),
		.eptp = v->eptp,
		.generation = vmx_flush_generation(handle / DOMAIN_VCPUS_MAX, v->eptp),
		.handle = handle,
		.domain = handle / DOMAIN_VCPUS_MAX,
		.remembered = remembered[gate_here->cpu],
	};
}

/* The page at gfn and the rights to it; NULL: none. Good until the next call. */
static inline const struct remembered *place(const struct space *s, uint64_t gfn)
{
	struct remembered *r = &s->remembered[gfn % REMEMBERED];
	uint64_t who = s->eptp | (uint64_t)s->domain << 52;
	struct translation t;

	if (likely(r->gfn == gfn && r->who == who && r->generation == s->generation))
		return r;
	t = translate(s, gfn);
	if (!t.present)
		return NULL;
	r->gfn = gfn;
	r->who = who;
	r->generation = s->generation;
	r->page = (uint8_t *)phys_to_ptr(t.mfn << PAGE_SHIFT) + t.access;
	return r;
}

static inline bool allows(const struct remembered *r, uint64_t access)
{
	return ((uint64_t)r->page & access) == access;
}

static inline uint8_t *page_of(const struct remembered *r)
{
	return (uint8_t *)((uint64_t)r->page & ~PAGE_MASK);
}

bool guest_physical_read(uint32_t domain, uint64_t gpa, uint64_t *word)
{
	const struct nuc_vcpu *v = cpu_here()->loaded;
	const struct remembered *r;
	struct space s;
	bool ok;

	if (!v || vcpu_domain(v) != domain)
		return false;
	nucleus_lock();
	s = space_of(v);
	r = place(&s, gpa >> PAGE_SHIFT);
	ok = r && allows(r, ACCESS_R);
	if (ok)
		*word = *(const uint64_t *)(page_of(r) + (gpa & PAGE_MASK & ~7ull));
	nucleus_unlock();
	return ok;
}

/* What a walk found on its way, besides the page. */
struct findings {
	uint64_t all, any;            /* the entries' bits, all and any of them */
};

/*
 * Walks to gva's page for one kind of access (ACCESS_R, _W or _X), setting
 * accessed and dirty flags as the CPU would. False: the access would fault, or
 * violate the view; for _X the caller judges NX and U/S by the findings.
 * `protect` is CR0.WP.
 */
static bool walk(const struct space *s, uint64_t gva, uint32_t access, bool protect, struct walk *w,
		 struct findings *f)
{
	uint64_t at = s->cr3 & PTE_ADDRESS, e, mask;
	bool write = access & ACCESS_W, leaf;
	const struct remembered *r;
	unsigned level, i;

	if ((uint64_t)((int64_t)(gva << 16) >> 16) != gva)
		return false;
	*f = (struct findings){ ~0ull, 0 };
	for (level = 3;; level--) {
		unsigned shift = PAGE_SHIFT + 9 * level, tries = 0;
		uint64_t *p, flags = PTE_ACCESSED;

		r = place(s, at >> PAGE_SHIFT);
		if (!r || !allows(r, ACCESS_R))
			return false;
		p = (uint64_t *)page_of(r) + (gva >> shift & 511);
		e = __atomic_load_n(p, __ATOMIC_RELAXED);
		for (;;) {
			if (!(e & PTE_PRESENT) || (write && protect && !(e & PTE_WRITE)))
				return false;
			leaf = level == 0 || (level < 3 && e & PTE_LARGE);
			if (leaf && write)
				flags |= PTE_DIRTY;
			if ((e & flags) == flags)
				break;
			/* The guest's other vCPUs change it, too; one that never stops gets a fault. */
			if (!allows(r, ACCESS_W) || tries++ == ENTRY_TRIES)
				return false;
			if (__atomic_compare_exchange_n(p, &e, e | flags, false, __ATOMIC_RELAXED,
							__ATOMIC_RELAXED))
				e |= flags;
		}
		w->entry[level].at = p;
		w->entry[level].is = e;
		f->all &= e;
		f->any |= e;
		at = e & PTE_ADDRESS;
		if (leaf)
			break;
	}
	for (i = 0; i < level; i++) {
		w->entry[i].at = &nothing;
		w->entry[i].is = 0;
	}
	mask = (1ull << (PAGE_SHIFT + 9 * level)) - 1;
	r = place(s, ((at & ~mask) | (gva & mask)) >> PAGE_SHIFT);
	if (!r || !allows(r, access))
		return false;
	w->page = page_of(r);
	w->write = f->all & PTE_WRITE && e & PTE_DIRTY && allows(r, ACCESS_R | ACCESS_W);
	w->gva = (gva & ~PAGE_MASK) | s->handle;
	w->cr3 = s->cr3;
	w->eptp = s->eptp;
	w->generation = s->generation;
	return true;
}

/* Few instructions for a handful of words, as arguments are, and one a word for more. */
static inline void copy_bytes(void *to, const void *from, uint64_t n)
{
	uint64_t count = n / 8;

	asm volatile("rep movsq" : "+D"(to), "+S"(from), "+c"(count) : : "memory");
	count = n & 7;
	if (unlikely(count))
		asm volatile("rep movsb" : "+D"(to), "+S"(from), "+c"(count) : : "memory");
}

static inline void copy_between(uint8_t *theirs, uint8_t *ours, uint64_t n, bool to_guest)
{
	if (to_guest)
		copy_bytes(theirs, ours, n);
	else
		copy_bytes(ours, theirs, n);
}

static inline struct walk *walk_slot(uint64_t gva, uint64_t eptp)
{
	/* A guest that goes to and fro between two views has its walks in both. */
	struct walk *w = &walks[gate_here->cpu][(gva ^ eptp) >> PAGE_SHIFT & (WALKS - 1)];

	asm("" : "+r"(w));            /* computed once, for the compiler would do it for each member */
	return w;
}

static inline bool still(const struct walk *w, unsigned level)
{
	return __atomic_load_n(w->entry[level].at, __ATOMIC_RELAXED) == w->entry[level].is;
}

/* Whether w, which is of this page and of this vCPU, loaded here, is what a walk would find. */
static inline bool walk_stands(const struct walk *w, uint64_t handle, bool write)
{
	const struct nuc_vcpu *v = (const struct nuc_vcpu *)gate_here->regs;

	return likely(v->long_mode) && likely(w->eptp == v->eptp) &&
	       likely(w->cr3 == vmread(VMCS_GUEST_CR3)) &&
	       likely(w->generation == vmx_flush_generation(handle / DOMAIN_VCPUS_MAX, v->eptp)) &&
	       likely(still(w, 3)) && likely(still(w, 2)) && likely(still(w, 1)) && likely(still(w, 0)) &&
	       likely(!write || w->write);
}

/* Any piece of memory of the core's, any number of pages. */
static __attribute__((noinline)) int copy_slow(uint64_t gva, uint8_t *ours, uint64_t length, bool to_guest)
{
	const struct nuc_vcpu *v = cpu_here()->loaded;
	int rc = 0;

	CHECK(length <= COPY_MAX && machine_core_range(ours, length, !to_guest));
	if (!v || !v->long_mode)
		return -EFAULT;
	nucleus_lock();
	while (length) {
		uint64_t offset = gva & PAGE_MASK, n = PAGE_SIZE - offset;
		struct walk *w = walk_slot(gva, v->eptp);

		if (n > length)
			n = length;
		if (w->gva != ((gva & ~PAGE_MASK) | vcpu_handle(v)) ||
		    !walk_stands(w, vcpu_handle(v), to_guest)) {
			struct space s = space_of(v);
			struct findings f;

			w->generation = 0;
			if (!walk(&s, gva, to_guest ? ACCESS_R | ACCESS_W : ACCESS_R,
				  vmread(VMCS_GUEST_CR0) & CR0_WP, w, &f)) {
				rc = -EFAULT;
				break;
			}
		}
		copy_between(w->page + offset, ours, n, to_guest);
		gva += n;
		ours += n;
		length -= n;
	}
	nucleus_unlock();
	return rc;
}

/*
 * The copy that hypercalls make: an argument on this CPU's core stack, within one
 * guest page that was walked to before. Calls nothing, so that it need save nothing.
 */
static inline __attribute__((always_inline)) int copy(uint64_t gva, uint8_t *ours, uint64_t length,
						       bool to_guest)
{
	/* Bytes from `ours` to where the link at the stack's end begins. */
	uint64_t above = gate_here->core_sp - (uint64_t)ours, offset = gva & PAGE_MASK;
	uint64_t handle = gate_here->vcpu;
	struct walk *w;

	if (unlikely(above > CORE_STACK_SIZE - CORE_STACK_LINK))
		goto slow;
	if (unlikely(length > above))
		goto slow;
	if (unlikely(offset + length > PAGE_SIZE || handle == VCPU_NONE))
		goto slow;
	w = walk_slot(gva, ((const struct nuc_vcpu *)gate_here->regs)->eptp);
	if (unlikely(w->gva != ((gva & ~PAGE_MASK) | handle)))
		goto slow;
	nucleus_lock();
	if (unlikely(!walk_stands(w, handle, to_guest))) {
		nucleus_unlock();
		goto slow;
	}
	copy_between(w->page + offset, ours, length, to_guest);
	nucleus_unlock();
	return 0;
slow:
	return copy_slow(gva, ours, length, to_guest);
}

int nuc_copy_in(void *to, gva_t from, uint64_t length)
{
	return copy(from.gva, to, length, false);
}

int nuc_copy_out(gva_t to, const void *from, uint64_t length)
{
	return copy(to.gva, (uint8_t *)(uintptr_t)from, length, true);
}

bool guest_linear_bytes(const struct nuc_vcpu *v, uint64_t linear, uint8_t *bytes, uint32_t n)
{
	uint64_t cr4 = vmread(VMCS_GUEST_CR4);
	bool user = (vmread(VMCS_GUEST_SS_RIGHTS) >> 5 & 3) == 3, ok = true;
	struct findings f;
	struct space s;
	struct walk w;
	uint32_t i;

	if (!(vmread(VMCS_GUEST_EFER) & EFER_LMA) || v != cpu_here()->loaded)
		return false;
	nucleus_lock();
	s = space_of(v);
	for (i = 0; ok && i < n; i++, linear++) {
		if (i == 0 || !(linear & PAGE_MASK))
			ok = walk(&s, linear, ACCESS_X, false, &w, &f) && !(f.any & PTE_NX) &&
			     (user ? f.all & PTE_USER : !(f.all & PTE_USER && cr4 & CR4_SMEP));
		if (ok)
			bytes[i] = w.page[linear & PAGE_MASK];
	}
	nucleus_unlock();
	return ok;
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
