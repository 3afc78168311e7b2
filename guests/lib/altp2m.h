/* SPDX-License-Identifier: Apache-2.0 */
/*
 * HVMOP_altp2m as a guest calls it: the 80-byte argument, the sub-ops, a helper
 * for each, and the two things that need no call: VMFUNC and the #VE page.
 *
 * The first argument of every helper is the domain that is meant, DOMID_SELF or
 * another's number; each makes exactly one hypercall with a fresh argument and
 * returns what it returned: 0 or -errno.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "../../hyp/include/altp2m_abi.h"
#include "cpu.h"
#include "xen.h"

#define HVM_altp2m	 25 /* sub-op of HC_hvm_op; its argument is a struct altp2m_op */
#define PARAM_altp2m	 35 /* the mode, written by a control domain only */
#define ALTP2M_HOST	 0  /* the view that is always there */
#define ALTP2M_XEN_VIEWS 10 /* Xen 4.17 has views 0 .. 9 */

enum altp2m_mode { ALTP2M_DISABLED, ALTP2M_MIXED, ALTP2M_EXTERNAL, ALTP2M_LIMITED };

#define ALTP2M_XEN_CMDS 16

/* xenmem_access_t */
#define ACCESS_n       ALTP2M_n
#define ACCESS_r       ALTP2M_r
#define ACCESS_w       ALTP2M_w
#define ACCESS_rw      ALTP2M_rw
#define ACCESS_x       ALTP2M_x
#define ACCESS_rx      ALTP2M_rx
#define ACCESS_wx      ALTP2M_wx
#define ACCESS_rwx     ALTP2M_rwx
#define ACCESS_rx2rw   ALTP2M_rx2rw
#define ACCESS_n2rwx   ALTP2M_n2rwx
#define ACCESS_default ALTP2M_default

/* Errors that these calls give besides those of xen.h. */
#define XEN_ENOMEM     12
#define XEN_EBUSY      16
#define XEN_EEXIST     17
#define XEN_ENOSPC     28
#define XEN_ERANGE     34
#define XEN_EOPNOTSUPP 95

_Static_assert(__builtin_offsetof(struct altp2m_op, u) == 16, "Xen's ABI");

/* Aligned so that an argument never lies across two pages: a second page walk is not what a test means. */
#define ALTP2M_OP(name, dom, command)                                                                        \
	struct altp2m_op name __attribute__((aligned(128))) = {                                              \
		.version = ALTP2M_VERSION, .cmd = (command), .domain = (dom)}

static inline long altp2m_call(struct altp2m_op *op)
{
	return hypercall2(HC_hvm_op, HVM_altp2m, op);
}

/* *on is written only when the call succeeded; so are the results of all helpers below. */
static inline long altp2m_get_domain_state(uint16_t domain, bool *on)
{
	ALTP2M_OP(op, domain, ALTP2M_get_domain_state);
	long r = altp2m_call(&op);

	if (!r)
		*on = op.u.domain_state.state;
	return r;
}

static inline long altp2m_set_domain_state(uint16_t domain, bool on)
{
	ALTP2M_OP(op, domain, ALTP2M_set_domain_state);

	op.u.domain_state.state = on;
	return altp2m_call(&op);
}

/* gfn: the page that becomes this vCPU's #VE page, see struct ve_info. */
static inline long altp2m_enable_notify(uint16_t domain, uint32_t vcpu, uint64_t gfn)
{
	ALTP2M_OP(op, domain, ALTP2M_vcpu_enable_notify);

	op.u.enable_notify.vcpu_id = vcpu;
	op.u.enable_notify.gfn = gfn;
	return altp2m_call(&op);
}

static inline long altp2m_disable_notify(uint16_t domain, uint32_t vcpu)
{
	ALTP2M_OP(op, domain, ALTP2M_vcpu_disable_notify);

	op.u.disable_notify.vcpu_id = vcpu;
	return altp2m_call(&op);
}

static inline long altp2m_create(uint16_t domain, uint16_t default_access, uint16_t *view)
{
	ALTP2M_OP(op, domain, ALTP2M_create_p2m);
	long r;

	op.u.view.default_access = default_access;
	r = altp2m_call(&op);
	if (!r)
		*view = op.u.view.view;
	return r;
}

static inline long altp2m_destroy(uint16_t domain, uint16_t view)
{
	ALTP2M_OP(op, domain, ALTP2M_destroy_p2m);

	op.u.view.view = view;
	return altp2m_call(&op);
}

static inline long altp2m_switch(uint16_t domain, uint16_t view)
{
	ALTP2M_OP(op, domain, ALTP2M_switch_p2m);

	op.u.view.view = view;
	return altp2m_call(&op);
}

static inline long altp2m_set_mem_access(uint16_t domain, uint16_t view, uint64_t gfn, uint16_t access)
{
	ALTP2M_OP(op, domain, ALTP2M_set_mem_access);

	op.u.mem_access.view = view;
	op.u.mem_access.access = access;
	op.u.mem_access.gfn = gfn;
	return altp2m_call(&op);
}

static inline long altp2m_get_mem_access(uint16_t domain, uint16_t view, uint64_t gfn, uint16_t *access)
{
	ALTP2M_OP(op, domain, ALTP2M_get_mem_access);
	long r;

	op.u.mem_access.view = view;
	op.u.mem_access.gfn = gfn;
	r = altp2m_call(&op);
	if (!r)
		*access = op.u.mem_access.access;
	return r;
}

static inline long altp2m_set_mem_access_multi(uint16_t domain, uint16_t view, uint32_t nr,
					       const uint64_t *gfns, const uint8_t *accesses)
{
	ALTP2M_OP(op, domain, ALTP2M_set_mem_access_multi);

	op.u.mem_access_multi.view = view;
	op.u.mem_access_multi.nr = nr;
	op.u.mem_access_multi.gfns = (uint64_t)gfns;
	op.u.mem_access_multi.accesses = (uint64_t)accesses;
	return altp2m_call(&op);
}

/* In `view`, old_gfn leads where new_gfn does; ALTP2M_NO_GFN as new_gfn takes that back. */
static inline long altp2m_change_gfn(uint16_t domain, uint16_t view, uint64_t old_gfn, uint64_t new_gfn)
{
	ALTP2M_OP(op, domain, ALTP2M_change_gfn);

	op.u.change_gfn.view = view;
	op.u.change_gfn.old_gfn = old_gfn;
	op.u.change_gfn.new_gfn = new_gfn;
	return altp2m_call(&op);
}

static inline long altp2m_set_suppress_ve(uint16_t domain, uint16_t view, uint64_t gfn, bool suppress)
{
	ALTP2M_OP(op, domain, ALTP2M_set_suppress_ve);

	op.u.suppress_ve.view = view;
	op.u.suppress_ve.suppress = suppress;
	op.u.suppress_ve.gfn = gfn;
	return altp2m_call(&op);
}

static inline long altp2m_get_suppress_ve(uint16_t domain, uint16_t view, uint64_t gfn, bool *suppress)
{
	ALTP2M_OP(op, domain, ALTP2M_get_suppress_ve);
	long r;

	op.u.suppress_ve.view = view;
	op.u.suppress_ve.gfn = gfn;
	r = altp2m_call(&op);
	if (!r)
		*suppress = op.u.suppress_ve.suppress;
	return r;
}

/* Gfns first .. last; an error for one gfn does not end the call: *first_error and *first_error_gfn tell. */
static inline long altp2m_set_suppress_ve_multi(uint16_t domain, uint16_t view, uint64_t first, uint64_t last,
						bool suppress, int32_t *first_error,
						uint64_t *first_error_gfn)
{
	ALTP2M_OP(op, domain, ALTP2M_set_suppress_ve_multi);
	long r;

	op.u.suppress_ve_multi.view = view;
	op.u.suppress_ve_multi.suppress = suppress;
	op.u.suppress_ve_multi.first_gfn = first;
	op.u.suppress_ve_multi.last_gfn = last;
	r = altp2m_call(&op);
	if (!r) {
		*first_error = op.u.suppress_ve_multi.first_error;
		*first_error_gfn = op.u.suppress_ve_multi.first_error_gfn;
	}
	return r;
}

static inline long altp2m_get_vcpu_view(uint16_t domain, uint32_t vcpu, uint16_t *view)
{
	ALTP2M_OP(op, domain, ALTP2M_get_p2m_idx);
	long r;

	op.u.p2m_idx.vcpu_id = vcpu;
	r = altp2m_call(&op);
	if (!r)
		*view = op.u.p2m_idx.view;
	return r;
}

static inline long altp2m_set_visibility(uint16_t domain, uint16_t view, bool visible)
{
	ALTP2M_OP(op, domain, ALTP2M_set_visibility);

	op.u.visibility.view = view;
	op.u.visibility.visible = visible;
	return altp2m_call(&op);
}

/* ---- additions of Ravelin, 64 and up ------------------------------------- */

/* Fills views[0 .. *count) from view *from on; *from becomes where to go on, 0: that was all. */
static inline long altp2m_list_views(uint16_t domain, uint32_t *from, struct altp2m_view *views,
				     uint32_t *count)
{
	ALTP2M_OP(op, domain, ALTP2M_list_views);
	long r;

	op.u.list.from = *from;
	op.u.list.count = *count;
	op.u.list.buffer = (uint64_t)views;
	r = altp2m_call(&op);
	if (!r) {
		*from = op.u.list.from;
		*count = op.u.list.count;
	}
	return r;
}

/* The entry is op->u.entry. */
static inline long altp2m_get_entry(uint16_t domain, uint16_t view, uint64_t gfn, struct altp2m_op *op)
{
	*op = (struct altp2m_op){.version = ALTP2M_VERSION, .cmd = ALTP2M_get_entry, .domain = domain};
	op->u.entry.view = view;
	op->u.entry.gfn = gfn;
	return altp2m_call(op);
}

static inline long altp2m_switch_vcpu(uint16_t domain, uint32_t vcpu, uint16_t view)
{
	ALTP2M_OP(op, domain, ALTP2M_switch_vcpu);

	op.u.switch_vcpu.vcpu_id = vcpu;
	op.u.switch_vcpu.view = view;
	return altp2m_call(&op);
}

static inline long altp2m_set_window(uint16_t domain, uint32_t vcpu, uint16_t slot, uint16_t view)
{
	ALTP2M_OP(op, domain, ALTP2M_set_window);

	op.u.window.vcpu_id = vcpu;
	op.u.window.slot = slot;
	op.u.window.view = view;
	return altp2m_call(&op);
}

static inline long altp2m_set_default_access(uint16_t domain, uint16_t view, uint16_t access)
{
	ALTP2M_OP(op, domain, ALTP2M_set_default_access);

	op.u.default_access.view = view;
	op.u.default_access.access = access;
	return altp2m_call(&op);
}

static inline long altp2m_create_empty(uint16_t domain, uint16_t default_access, uint16_t *view)
{
	ALTP2M_OP(op, domain, ALTP2M_create_empty);
	long r;

	op.u.view.default_access = default_access;
	r = altp2m_call(&op);
	if (!r)
		*view = op.u.view.view;
	return r;
}

static inline long altp2m_split_remap(uint16_t domain, uint16_t view, uint16_t data_view, uint64_t gfn,
				      uint64_t exec_gfn, uint64_t data_gfn)
{
	ALTP2M_OP(op, domain, ALTP2M_split_remap);

	op.u.split_remap.view = view;
	op.u.split_remap.data_view = data_view;
	op.u.split_remap.gfn = gfn;
	op.u.split_remap.exec_gfn = exec_gfn;
	op.u.split_remap.data_gfn = data_gfn;
	return altp2m_call(&op);
}

/* On a violation at gfn: one instruction in step_view; ALTP2M_NO_VIEW: not so. */
static inline long altp2m_set_step(uint16_t domain, uint16_t view, uint64_t gfn, uint16_t step_view)
{
	ALTP2M_OP(op, domain, ALTP2M_set_step);

	op.u.step.view = view;
	op.u.step.step_view = step_view;
	op.u.step.gfn = gfn;
	return altp2m_call(&op);
}

static inline long altp2m_get_generation(uint16_t domain, uint16_t view, uint64_t *generation)
{
	ALTP2M_OP(op, domain, ALTP2M_get_generation);
	long r;

	op.u.generation.view = view;
	r = altp2m_call(&op);
	if (!r)
		*generation = op.u.generation.generation;
	return r;
}

static inline long altp2m_bind_invalidation(uint16_t domain, uint32_t port)
{
	ALTP2M_OP(op, domain, ALTP2M_bind_invalidation);

	op.u.invalidation.port = port;
	return altp2m_call(&op);
}

/* ---- without a call ------------------------------------------------------ */

#define VECTOR_VE 20 /* no error code */

/* What the CPU, or a hypervisor in its place, writes into a #VE page. */
struct ve_info {
	uint32_t reason;	/* 48, an EPT violation */
	volatile uint32_t busy; /* 0: the next violation may be converted; set to ~0 by each */
	uint64_t qualification; /* bits 0 read, 1 write, 2 fetch; 3 .. 5 what the entry allowed */
	uint64_t linear, physical;
	uint16_t view; /* index in the VMFUNC window */
};
_Static_assert(__builtin_offsetof(struct ve_info, view) == 32, "SDM, virtualization-exception information");

/* Leaf 0: this vCPU goes into entry `view` of its window. #UD where that is not allowed. */
static inline void vmfunc(uint32_t view)
{
	asm volatile(".byte 0x0f, 0x01, 0xd4" : : "a"(0), "c"(view) : "memory");
}

/* Any leaf. False: it faulted; this_cpu()->trap says how. */
static inline bool vmfunc_try(uint32_t leaf, uint32_t view)
{
	uint32_t ok = 0;

	asm volatile("1: .byte 0x0f, 0x01, 0xd4\n\tmovl $1, %0\n2:" FIXUP
		     : "+r"(ok)
		     : "a"(leaf), "c"(view)
		     : "memory");
	return ok;
}
