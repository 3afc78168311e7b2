/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Event channels: Xen's 2-level ABI for 64-bit guests.
 *
 * Pending and mask bits lie in the page shared with the guest, selectors and
 * upcall flags in each vCPU's vcpu_info: there, or in the guest page named by
 * VCPUOP_register_vcpu_info, which only the nucleus can reach (a window). What
 * the guest scribbles over these harms only the guest: nothing read from them is
 * used as an index or trusted later.
 *
 * Ports whose other end is the core (core_owned) carry the PV console.
 */
#include "core_internal.h"
#include "hypercall.h"

/* ---- vcpu_info ------------------------------------------------------------ */

static struct vcpu_info *shared_vcpu_info(const struct vcpu *v)
{
	if (v->number >= SHARED_INFO_VCPUS || !v->domain->shared_info)
		return NULL;
	return &domain_shared(v->domain)->vcpu_info[v->number];
}

uint64_t vcpu_info_or(struct vcpu *v, uint32_t offset, uint64_t bits)
{
	struct vcpu_info *info;

	if (v->info_registered)
		return nuc_window_or(v->handle, offset, bits);
	info = shared_vcpu_info(v);
	if (!info)
		return bits; /* as if set already: nobody to tell */
	return __atomic_fetch_or((uint64_t *)((char *)info + offset), bits, __ATOMIC_SEQ_CST);
}

uint64_t vcpu_info_and(struct vcpu *v, uint32_t offset, uint64_t bits)
{
	struct vcpu_info *info;

	if (v->info_registered)
		return nuc_window_and(v->handle, offset, bits);
	info = shared_vcpu_info(v);
	if (!info)
		return 0;
	return __atomic_fetch_and((uint64_t *)((char *)info + offset), bits, __ATOMIC_SEQ_CST);
}

void vcpu_info_write(struct vcpu *v, uint32_t offset, const void *from, uint32_t length)
{
	struct vcpu_info *info;

	if (v->info_registered) {
		nuc_window_write(v->handle, offset, from, length);
		return;
	}
	info = shared_vcpu_info(v);
	if (info)
		memcpy((char *)info + offset, from, length);
}

void vcpu_info_read(struct vcpu *v, uint32_t offset, void *to, uint32_t length)
{
	struct vcpu_info *info;

	if (v->info_registered) {
		nuc_window_read(v->handle, offset, to, length);
		return;
	}
	info = shared_vcpu_info(v);
	if (info)
		memcpy(to, (const char *)info + offset, length);
	else
		memset(to, 0, length);
}

bool evtchn_upcall_pending(struct vcpu *v)
{
	uint64_t word;

	vcpu_info_read(v, offsetof(struct vcpu_info, upcall), &word, sizeof(word));
	return word & UPCALL_PENDING;
}

/* upcall_pending 0 -> 1 is the edge that interrupts the guest. */
static void mark_events_pending(struct vcpu *v)
{
	if (vcpu_info_or(v, offsetof(struct vcpu_info, upcall), 1) & UPCALL_PENDING)
		return;
	v->callback_raised = true;
	vcpu_kick(v);
}

int evtchn_register_vcpu_info(struct vcpu *v, gfn_t gfn, uint32_t offset)
{
	struct vcpu_info old;
	int r;

	if (v->info_registered)
		return -EINVAL;
	if (offset > PAGE_SIZE - sizeof(old) || offset % 8)
		return -EINVAL;
	if (gfn.gfn >> (64 - PAGE_SHIFT))
		return -EINVAL;
	/* Only on oneself, or on one that can't be looking at the old place. */
	if (v != this_cpu()->current && v->state != VCPU_DOWN)
		return -EINVAL;
	r = nuc_window_open(v->handle, gpa_of(gfn_to_gpa(gfn).gpa + offset), sizeof(old));
	if (r)
		return r == -ENOENT ? -EINVAL : r;

	vcpu_info_read(v, 0, &old, sizeof(old));
	nuc_window_write(v->handle, 0, &old, sizeof(old));
	v->info_registered = true;
	/*
	 * The guest may have changed flags in either place meanwhile: make it look at
	 * everything rather than lose an event.
	 */
	vcpu_info_or(v, offsetof(struct vcpu_info, pending_sel), ~0ull);
	vcpu_info_or(v, offsetof(struct vcpu_info, upcall), 1);
	v->callback_raised = true;
	vcpu_kick(v);
	return 0;
}

/* ---- raising -------------------------------------------------------------- */

bool evtchn_port_valid(const struct domain *d, uint32_t port)
{
	(void)d;
	return port < EVTCHN_PORTS;
}

bool evtchn_port_pending(const struct domain *d, uint32_t port)
{
	const uint64_t *word = &domain_shared(d)->evtchn_pending[port / 64];

	return __atomic_load_n(word, __ATOMIC_SEQ_CST) >> (port % 64) & 1;
}

static void wake_pollers(struct domain *d, uint32_t port)
{
	for (uint32_t i = 0; i < d->vcpu_count && d->pollers; i++) {
		struct vcpu *v = d->vcpus[i];

		if (v->state == VCPU_POLLING && (!v->poll_port || v->poll_port == port))
			vcpu_wake(v);
	}
}

/* Tells the vCPU of a pending, unmasked port. */
static void notify(struct domain *d, uint32_t port)
{
	struct vcpu *v = d->vcpus[d->evtchns[port].notify_vcpu];
	uint64_t bit = 1ull << (port / 64);

	if (!(vcpu_info_or(v, offsetof(struct vcpu_info, pending_sel), bit) & bit))
		mark_events_pending(v);
}

void evtchn_raise(struct domain *d, uint32_t port)
{
	struct shared_info *s = domain_shared(d);
	uint64_t bit = 1ull << (port % 64);

	if (d->dying || !port || port >= EVTCHN_PORTS || d->evtchns[port].state == EVTCHN_FREE)
		return;
	if (__atomic_fetch_or(&s->evtchn_pending[port / 64], bit, __ATOMIC_SEQ_CST) & bit)
		return;
	if (!(__atomic_load_n(&s->evtchn_mask[port / 64], __ATOMIC_SEQ_CST) & bit))
		notify(d, port);
	if (unlikely(d->pollers))
		wake_pollers(d, port);
}

static bool virq_is_global(uint32_t virq)
{
	return virq != VIRQ_TIMER && virq != VIRQ_DEBUG && virq != VIRQ_XENOPROF && virq != VIRQ_XENPMU;
}

void evtchn_raise_virq(struct vcpu *v, uint32_t virq)
{
	if (v->virq_port[virq])
		evtchn_raise(v->domain, v->virq_port[virq]);
}

/* ---- ports ---------------------------------------------------------------- */

void evtchn_domain_init(struct domain *d)
{
	memset(d->evtchns, 0, sizeof(d->evtchns));
	d->evtchns[0].state = EVTCHN_RESERVED;
	d->pollers = 0;
}

/* The lowest free port, or -ENOSPC. */
static int free_port(const struct domain *d)
{
	for (uint32_t port = 1; port < EVTCHN_PORTS; port++) {
		if (d->evtchns[port].state == EVTCHN_FREE)
			return (int)port;
	}
	return -ENOSPC;
}

static void clear_pending(struct domain *d, uint32_t port)
{
	uint64_t *word = &domain_shared(d)->evtchn_pending[port / 64];

	__atomic_fetch_and(word, ~(1ull << (port % 64)), __ATOMIC_SEQ_CST);
}

static int close_port(struct domain *d, uint32_t port)
{
	struct evtchn *e;

	if (!evtchn_port_valid(d, port))
		return -EINVAL;
	e = &d->evtchns[port];
	switch (e->state) {
	case EVTCHN_UNBOUND:
	case EVTCHN_IPI:
		break;
	case EVTCHN_VIRQ:
		for (uint32_t i = 0; i < d->vcpu_count; i++) {
			if (d->vcpus[i]->virq_port[e->virq] == port)
				d->vcpus[i]->virq_port[e->virq] = 0;
		}
		break;
	case EVTCHN_INTERDOMAIN:
		if (e->core_owned) {
			if (d->console_port == port)
				d->console_port = 0;
		} else {
			struct evtchn *other = &domains[e->remote_domain].evtchns[e->remote_port];

			/* The other end may be bound again, by this domain only. */
			other->state = EVTCHN_UNBOUND;
			other->remote_domain = (uint16_t)d->id;
			other->remote_port = 0;
		}
		break;
	default:
		return -EINVAL;
	}
	clear_pending(d, port);
	memset(e, 0, sizeof(*e));
	return 0;
}

void evtchn_domain_end(struct domain *d)
{
	if (!d->shared_info)
		return;
	for (uint32_t port = 1; port < EVTCHN_PORTS; port++) {
		if (d->evtchns[port].state != EVTCHN_FREE)
			close_port(d, port);
	}
}

uint32_t evtchn_alloc_core(struct domain *d, uint32_t vcpu)
{
	int port = free_port(d);

	if (port < 0)
		return 0;
	d->evtchns[port] = (struct evtchn){ .state = EVTCHN_INTERDOMAIN, .core_owned = 1,
					    .notify_vcpu = (uint16_t)vcpu };
	return (uint32_t)port;
}

/* ---- the hypercall: each sub-op checks everything, then acts --------------- */

static long op_alloc_unbound(struct vcpu *v, struct evtchn_alloc_unbound *a)
{
	struct domain *d;
	int r = domain_target(v, a->dom, &d), port;

	if (r)
		return r;
	port = free_port(d);
	if (port < 0)
		return port;
	d->evtchns[port] = (struct evtchn){
		.state = EVTCHN_UNBOUND,
		.remote_domain = a->remote_dom == DOMID_SELF ? (uint16_t)v->domain->id : a->remote_dom,
	};
	a->port = (uint32_t)port;
	return 0;
}

static long op_bind_interdomain(struct vcpu *v, struct evtchn_bind_interdomain *a)
{
	struct domain *d = v->domain, *other;
	struct evtchn *remote;
	int port;

	other = domain_find(a->remote_dom);
	if (!other || other->dying)
		return -ESRCH;
	port = free_port(d);
	if (port < 0)
		return port;
	if (!evtchn_port_valid(other, a->remote_port))
		return -EINVAL;
	remote = &other->evtchns[a->remote_port];
	/* Is it waiting, and for us? */
	if (remote->state != EVTCHN_UNBOUND || remote->remote_domain != d->id)
		return -EINVAL;
	/* A domain may bind to itself, but not a port to itself: free_port gave a free one. */

	remote->state = EVTCHN_INTERDOMAIN;
	remote->remote_domain = (uint16_t)d->id;
	remote->remote_port = (uint16_t)port;
	d->evtchns[port] = (struct evtchn){ .state = EVTCHN_INTERDOMAIN, .remote_domain = (uint16_t)other->id,
					    .remote_port = (uint16_t)a->remote_port };
	/* What was sent before anyone was bound is not lost. */
	evtchn_raise(d, (uint32_t)port);
	a->local_port = (uint32_t)port;
	return 0;
}

static struct vcpu *domain_vcpu(const struct domain *d, uint32_t number)
{
	return number < d->vcpu_count ? d->vcpus[number] : NULL;
}

static long op_bind_virq(struct vcpu *v, struct evtchn_bind_virq *a)
{
	struct domain *d = v->domain;
	struct vcpu *target;
	int port;

	if (a->virq >= NR_VIRQS)
		return -EINVAL;
	if (virq_is_global(a->virq) && a->vcpu != 0)
		return -EINVAL;
	target = domain_vcpu(d, a->vcpu);
	if (!target)
		return -ENOENT;
	if (target->virq_port[a->virq])
		return -EEXIST;
	port = free_port(d);
	if (port < 0)
		return port;
	d->evtchns[port] = (struct evtchn){ .state = EVTCHN_VIRQ, .virq = (uint8_t)a->virq,
					    .notify_vcpu = (uint16_t)a->vcpu };
	target->virq_port[a->virq] = (uint32_t)port;
	a->port = (uint32_t)port;
	return 0;
}

static long op_bind_ipi(struct vcpu *v, struct evtchn_bind_ipi *a)
{
	struct domain *d = v->domain;
	int port;

	if (!domain_vcpu(d, a->vcpu))
		return -ENOENT;
	port = free_port(d);
	if (port < 0)
		return port;
	d->evtchns[port] = (struct evtchn){ .state = EVTCHN_IPI, .notify_vcpu = (uint16_t)a->vcpu };
	a->port = (uint32_t)port;
	return 0;
}

static long op_send(struct vcpu *v, uint32_t port)
{
	struct domain *d = v->domain;
	const struct evtchn *e;

	if (!evtchn_port_valid(d, port))
		return -EINVAL;
	e = &d->evtchns[port];
	switch (e->state) {
	case EVTCHN_INTERDOMAIN:
		if (e->core_owned)
			console_ring_event(d);
		else
			evtchn_raise(&domains[e->remote_domain], e->remote_port);
		return 0;
	case EVTCHN_IPI:
		evtchn_raise(d, port);
		return 0;
	case EVTCHN_UNBOUND: /* nobody listens yet: dropped */
		return 0;
	default:
		return -EINVAL;
	}
}

static long op_status(struct vcpu *v, struct evtchn_status *a)
{
	const struct evtchn *e;
	struct domain *d;
	int r = domain_target(v, a->dom, &d);

	if (r)
		return r;
	if (!evtchn_port_valid(d, a->port))
		return -EINVAL;
	e = &d->evtchns[a->port];
	switch (e->state) {
	case EVTCHN_UNBOUND:
		a->status = EVTCHNSTAT_unbound;
		a->u.unbound.dom = e->remote_domain;
		break;
	case EVTCHN_INTERDOMAIN:
		a->status = EVTCHNSTAT_interdomain;
		a->u.interdomain.dom = e->remote_domain;
		a->u.interdomain.port = e->remote_port;
		break;
	case EVTCHN_VIRQ:
		a->status = EVTCHNSTAT_virq;
		a->u.virq = e->virq;
		break;
	case EVTCHN_IPI:
		a->status = EVTCHNSTAT_ipi;
		break;
	default:
		a->status = EVTCHNSTAT_closed;
		break;
	}
	a->vcpu = e->notify_vcpu;
	return 0;
}

static long op_bind_vcpu(struct vcpu *v, const struct evtchn_bind_vcpu *a)
{
	struct domain *d = v->domain;
	struct evtchn *e;

	if (!domain_vcpu(d, a->vcpu))
		return -ENOENT;
	if (!evtchn_port_valid(d, a->port))
		return -EINVAL;
	e = &d->evtchns[a->port];
	switch (e->state) {
	case EVTCHN_VIRQ:
		/* A vCPU's own timer can't tell another. */
		if (!virq_is_global(e->virq))
			return -EINVAL;
		break;
	case EVTCHN_UNBOUND:
	case EVTCHN_INTERDOMAIN:
		break;
	default:
		return -EINVAL;
	}
	e->notify_vcpu = (uint16_t)a->vcpu;
	return 0;
}

static long op_unmask(struct vcpu *v, uint32_t port)
{
	struct domain *d = v->domain;
	uint64_t bit = 1ull << (port % 64);

	if (!evtchn_port_valid(d, port))
		return -EINVAL;
	/* Raised again if it came while masked. */
	if ((__atomic_fetch_and(&domain_shared(d)->evtchn_mask[port / 64], ~bit, __ATOMIC_SEQ_CST) & bit) &&
	    evtchn_port_pending(d, port))
		notify(d, port);
	return 0;
}

static long op_reset(struct vcpu *v, uint16_t domid)
{
	struct domain *d;
	int r = domain_target(v, domid, &d);

	if (r)
		return r;
	/* Another domain's ports only while it can't be using them. */
	if (d != v->domain && !d->paused)
		return -EINVAL;
	for (uint32_t port = 1; port < EVTCHN_PORTS; port++) {
		if (d->evtchns[port].state != EVTCHN_FREE)
			close_port(d, port);
	}
	return 0;
}

/* What each sub-op's structure is: bytes to copy in, and whether it goes back. */
static const struct {
	uint8_t size;
	bool back;
} shapes[] = {
	[EVTCHNOP_bind_interdomain] = { sizeof(struct evtchn_bind_interdomain), true },
	[EVTCHNOP_bind_virq] = { sizeof(struct evtchn_bind_virq), true },
	[EVTCHNOP_close] = { sizeof(uint32_t), false },
	[EVTCHNOP_send] = { sizeof(uint32_t), false },
	[EVTCHNOP_status] = { sizeof(struct evtchn_status), true },
	[EVTCHNOP_alloc_unbound] = { sizeof(struct evtchn_alloc_unbound), true },
	[EVTCHNOP_bind_ipi] = { sizeof(struct evtchn_bind_ipi), true },
	[EVTCHNOP_bind_vcpu] = { sizeof(struct evtchn_bind_vcpu), false },
	[EVTCHNOP_unmask] = { sizeof(uint32_t), false },
	[EVTCHNOP_reset] = { sizeof(uint16_t), false },
};

union evtchn_arg {
	struct evtchn_bind_interdomain bind_interdomain;
	struct evtchn_bind_virq bind_virq;
	struct evtchn_status status;
	struct evtchn_alloc_unbound alloc_unbound;
	struct evtchn_bind_ipi bind_ipi;
	struct evtchn_bind_vcpu bind_vcpu;
	uint32_t port;
	uint16_t domid;
};

static long act(struct vcpu *v, uint32_t cmd, union evtchn_arg *a)
{
	switch (cmd) {
	case EVTCHNOP_bind_interdomain:
		return op_bind_interdomain(v, &a->bind_interdomain);
	case EVTCHNOP_bind_virq:
		return op_bind_virq(v, &a->bind_virq);
	case EVTCHNOP_close:
		return close_port(v->domain, a->port);
	case EVTCHNOP_send:
		return op_send(v, a->port);
	case EVTCHNOP_status:
		return op_status(v, &a->status);
	case EVTCHNOP_alloc_unbound:
		return op_alloc_unbound(v, &a->alloc_unbound);
	case EVTCHNOP_bind_ipi:
		return op_bind_ipi(v, &a->bind_ipi);
	case EVTCHNOP_bind_vcpu:
		return op_bind_vcpu(v, &a->bind_vcpu);
	case EVTCHNOP_unmask:
		return op_unmask(v, a->port);
	case EVTCHNOP_reset:
		return op_reset(v, a->domid);
	default:
		return -ENOSYS;
	}
}

long hypercall_event_channel(uint64_t cmd, uint64_t arg, uint64_t a3, uint64_t a4, uint64_t a5)
{
	union evtchn_arg a;
	struct vcpu *v;
	long r;

	(void)a3, (void)a4, (void)a5;
	cmd = (uint32_t)cmd;
	if (cmd >= ARRAY_SIZE(shapes) || !shapes[cmd].size)
		return -ENOSYS;
	if (nuc_copy_in(&a, gva_of(arg), shapes[cmd].size))
		return -EFAULT;
	v = hypercall_begin();
	if (!v)
		return -CORE_EINTR;
	r = act(v, (uint32_t)cmd, &a);
	core_unlock();
	/* As in Xen, a port whose number can't be told to the guest stays allocated. */
	if (!r && shapes[cmd].back && nuc_copy_out(gva_of(arg), &a, shapes[cmd].size))
		return -EFAULT;
	return r;
}
