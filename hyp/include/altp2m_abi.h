/* SPDX-License-Identifier: Apache-2.0 */
/*
 * HVMOP_altp2m as guests and tools call it: hvm_op (34), sub-op 25, with the
 * address of one struct altp2m_op of 80 bytes. Commands 1 to 16 are Xen's, to the
 * byte; 64 and above are additions to the same operation. Stands alone, so that
 * guests and tools can include it.
 */
#pragma once

#include <stdint.h>

#define ALTP2M_VERSION 1u
#define ALTP2M_DOMID_SELF 0x7ff0u
#define ALTP2M_NO_VIEW 0xffffu
#define ALTP2M_NO_GFN (~0ull)

enum altp2m_cmd {
	ALTP2M_get_domain_state = 1,
	ALTP2M_set_domain_state = 2,
	ALTP2M_vcpu_enable_notify = 3,
	ALTP2M_create_p2m = 4,
	ALTP2M_destroy_p2m = 5,
	ALTP2M_switch_p2m = 6,
	ALTP2M_set_mem_access = 7,
	ALTP2M_change_gfn = 8,
	ALTP2M_set_mem_access_multi = 9,
	ALTP2M_set_suppress_ve = 10,
	ALTP2M_get_suppress_ve = 11,
	ALTP2M_get_mem_access = 12,
	ALTP2M_vcpu_disable_notify = 13,
	ALTP2M_get_p2m_idx = 14,
	ALTP2M_set_suppress_ve_multi = 15,
	ALTP2M_set_visibility = 16,

	ALTP2M_list_views = 64,
	ALTP2M_get_entry = 65,
	ALTP2M_switch_vcpu = 66,
	ALTP2M_set_window = 67,
	ALTP2M_set_default_access = 68,
	ALTP2M_create_empty = 69,
	ALTP2M_split_remap = 70,
	ALTP2M_set_step = 71,
	ALTP2M_get_generation = 72,
	ALTP2M_bind_invalidation = 73,
};

enum altp2m_access {
	ALTP2M_n, ALTP2M_r, ALTP2M_w, ALTP2M_rw, ALTP2M_x, ALTP2M_rx, ALTP2M_wx, ALTP2M_rwx,
	ALTP2M_rx2rw, ALTP2M_n2rwx, ALTP2M_default,
};

struct altp2m_view {              /* what list_views fills in */
	uint32_t view, tables;        /* tables: page-table pages of its own, the root included */
	uint32_t vcpus, own_entries;
	uint64_t generation;
	uint8_t default_access, empty, visible, pad[5];
};

#define ALTP2M_OWN_ACCESS 1u
#define ALTP2M_OWN_TARGET 2u
#define ALTP2M_OWN_SUPPRESS_VE 4u
#define ALTP2M_OWN_STEP 8u

struct altp2m_op {
	uint32_t version, cmd;
	uint16_t domain, pad1;
	uint32_t pad2;
	union {
		struct { uint8_t state; } domain_state;
		struct { uint32_t vcpu_id, pad; uint64_t gfn; } enable_notify;
		struct { uint32_t vcpu_id; } disable_notify;
		struct { uint16_t view, default_access; } view;      /* create, destroy, switch, create_empty */
		struct { uint16_t view, access; uint32_t pad; uint64_t gfn; } mem_access;
		struct { uint16_t view, pad1; uint32_t pad2; uint64_t old_gfn, new_gfn; } change_gfn;
		struct {
			uint16_t view, pad;
			uint32_t nr;
			uint64_t opaque, gfns, accesses;     /* addresses of uint64_t[nr] and uint8_t[nr] */
		} mem_access_multi;
		struct { uint16_t view; uint8_t suppress, pad1; uint32_t pad2; uint64_t gfn; } suppress_ve;
		struct {
			uint16_t view;
			uint8_t suppress, pad1;
			int32_t first_error;
			uint64_t first_gfn, last_gfn, first_error_gfn;
		} suppress_ve_multi;
		struct { uint32_t vcpu_id; uint16_t view; } p2m_idx;
		struct { uint16_t view; uint8_t visible, pad; } visibility;

		struct {
			uint32_t from;               /* in: first view wanted; out: where to go on, 0: that was all */
			uint32_t count;              /* in: room in the buffer; out: filled */
			uint64_t buffer;             /* address of struct altp2m_view[count] */
		} list;
		struct {
			uint16_t view, pad1;
			uint32_t pad2;
			uint64_t gfn;
			uint64_t target;             /* out: the gfn whose page shows, ALTP2M_NO_GFN: none */
			uint16_t step;               /* out: ALTP2M_NO_VIEW: none */
			uint8_t access, suppress, own, level; /* out: own is ALTP2M_OWN_*; level 0: 4 KiB, 1: 2 MiB, 2: 1 GiB */
			uint16_t pad3;
		} entry;
		struct { uint32_t vcpu_id; uint16_t view, pad; } switch_vcpu;
		struct { uint32_t vcpu_id; uint16_t slot, view; } window; /* ALTP2M_NO_VIEW: shows nothing */
		struct { uint16_t view, access; uint32_t pad; } default_access;
		struct {
			uint16_t view;               /* executes exec_gfn's page at gfn, and reads and writes ... */
			uint16_t data_view;          /* ... data_gfn's, one instruction at a time in this view */
			uint32_t pad;
			uint64_t gfn, exec_gfn, data_gfn;
		} split_remap;
		struct { uint16_t view, step_view; uint32_t pad; uint64_t gfn; } step;
		struct { uint16_t view, pad1; uint32_t pad2; uint64_t generation; } generation; /* NO_VIEW: sum of all */
		struct { uint32_t port, pad; } invalidation; /* the caller's event channel; 0: none any more */
		uint8_t size[64];
	} u;
};

_Static_assert(sizeof(struct altp2m_op) == 80, "Xen's ABI");
_Static_assert(sizeof(struct altp2m_view) == 32, "the buffer of list_views");
