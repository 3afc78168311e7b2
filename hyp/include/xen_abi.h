/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The part of Xen 4.17's guest ABI that the core speaks: numbers and 64-bit
 * layouts. Compared with Xen's public headers by hypercall_test.c.
 */
#pragma once

#include "types.h"

#define XEN_VERSION 0x00040011u
#define XEN_EXTRAVERSION ".0-ravelin"

#define XENVER_version 0u
#define XENVER_extraversion 1u
#define XENVER_compile_info 2u
#define XENVER_capabilities 3u
#define XENVER_changeset 4u
#define XENVER_platform_parameters 5u
#define XENVER_get_features 6u
#define XENVER_pagesize 7u
#define XENVER_guest_handle 8u
#define XENVER_commandline 9u
#define XENVER_build_id 10u

#define XENFEAT_writable_page_tables 0
#define XENFEAT_auto_translated_physmap 2
#define XENFEAT_hvm_callback_vector 8
#define XENFEAT_hvm_safe_pvclock 9
#define XENFEAT_dom0 11
#define XENFEAT_memory_op_vnode_supported 13
#define XENFEAT_not_direct_mapped 16

struct xen_compile_info {
	char compiler[64], compile_by[16], compile_domain[32], compile_date[32];
};

struct xen_feature_info {
	uint32_t submap_idx, submap;
};

#define VIRQ_TIMER 0u
#define VIRQ_DEBUG 1u
#define VIRQ_CONSOLE 2u
#define VIRQ_XENOPROF 7u
#define VIRQ_XENPMU 13u
#define NR_VIRQS 24u

#define EVTCHNOP_bind_interdomain 0u
#define EVTCHNOP_bind_virq 1u
#define EVTCHNOP_close 3u
#define EVTCHNOP_send 4u
#define EVTCHNOP_status 5u
#define EVTCHNOP_alloc_unbound 6u
#define EVTCHNOP_bind_ipi 7u
#define EVTCHNOP_bind_vcpu 8u
#define EVTCHNOP_unmask 9u
#define EVTCHNOP_reset 10u

#define EVTCHNSTAT_closed 0u
#define EVTCHNSTAT_unbound 1u
#define EVTCHNSTAT_interdomain 2u
#define EVTCHNSTAT_virq 4u
#define EVTCHNSTAT_ipi 5u

struct evtchn_alloc_unbound { uint16_t dom, remote_dom; uint32_t port; };
struct evtchn_bind_interdomain { uint16_t remote_dom, pad; uint32_t remote_port, local_port; };
struct evtchn_bind_virq { uint32_t virq, vcpu, port; };
struct evtchn_bind_ipi { uint32_t vcpu, port; };
struct evtchn_bind_vcpu { uint32_t port, vcpu; };
struct evtchn_status {
	uint16_t dom, pad;
	uint32_t port, status, vcpu;
	union {
		struct { uint16_t dom; } unbound;
		struct { uint16_t dom; uint16_t pad; uint32_t port; } interdomain;
		uint32_t virq;
	} u;
};

#define SCHEDOP_yield 0u
#define SCHEDOP_block 1u
#define SCHEDOP_shutdown 2u
#define SCHEDOP_poll 3u
#define SCHEDOP_remote_shutdown 4u
#define SCHED_POLL_PORTS_MAX 128u

#define SHUTDOWN_poweroff 0u
#define SHUTDOWN_reboot 1u
#define SHUTDOWN_suspend 2u
#define SHUTDOWN_crash 3u
#define SHUTDOWN_watchdog 4u
#define SHUTDOWN_soft_reset 5u

struct sched_poll { uint64_t ports; uint32_t nr_ports, pad; uint64_t timeout; };
struct sched_remote_shutdown { uint16_t domain_id, pad; uint32_t reason; };

#define VCPUOP_is_up 3u
#define VCPUOP_get_runstate_info 4u
#define VCPUOP_register_runstate_memory_area 5u
#define VCPUOP_stop_periodic_timer 7u
#define VCPUOP_set_singleshot_timer 8u
#define VCPUOP_stop_singleshot_timer 9u
#define VCPUOP_register_vcpu_info 10u
#define VCPUOP_send_nmi 11u
#define VCPU_SSHOTTMR_future 1u

#define RUNSTATE_running 0u
#define RUNSTATE_runnable 1u
#define RUNSTATE_blocked 2u
#define RUNSTATE_offline 3u

struct vcpu_runstate_info { int32_t state; uint32_t pad; uint64_t state_entry_time, time[4]; };
struct vcpu_set_singleshot_timer { uint64_t timeout_abs_ns; uint32_t flags, pad; };
struct vcpu_register_vcpu_info { uint64_t mfn; uint32_t offset, rsvd; };

#define XENMEM_decrease_reservation 1u
#define XENMEM_maximum_ram_page 2u
#define XENMEM_current_reservation 3u
#define XENMEM_maximum_reservation 4u
#define XENMEM_populate_physmap 6u
#define XENMEM_add_to_physmap 7u
#define XENMEM_memory_map 9u
#define XENMEM_maximum_gpfn 14u
#define XENMEM_remove_from_physmap 15u
#define MEMOP_EXTENT_SHIFT 6
#define MEMOP_CMD_MASK 63u
#define XENMEMF_populate_on_demand (1u << 16)

#define XENMAPSPACE_shared_info 0u
#define XENMAPSPACE_grant_table 1u

struct xen_memory_reservation {
	uint64_t extent_start, nr_extents;
	uint32_t extent_order, mem_flags;
	uint16_t domid, pad[3];
};
struct xen_add_to_physmap { uint16_t domid, size; uint32_t space; uint64_t idx, gpfn; };
struct xen_remove_from_physmap { uint16_t domid, pad[3]; uint64_t gpfn; };
struct xen_memory_map { uint32_t nr_entries, pad; uint64_t buffer; };
struct e820_entry { uint64_t addr, size; uint32_t type; } __attribute__((packed));

struct multicall_entry { uint64_t op, result, args[6]; };

#define CONSOLEIO_write 0u
#define CONSOLEIO_read 1u

#define VMASST_CMD_enable 0u
#define VMASST_CMD_disable 1u
#define VMASST_TYPE_runstate_update_flag 5u

#define HVMOP_set_param 0u
#define HVMOP_get_param 1u
#define HVMOP_pagetable_dying 9u
#define HVMOP_set_evtchn_upcall_vector 23u
#define HVMOP_altp2m 25u

#define HVM_PARAM_CALLBACK_IRQ 0u
#define HVM_PARAM_CONSOLE_PFN 17u
#define HVM_PARAM_CONSOLE_EVTCHN 18u
#define HVM_PARAM_ALTP2M 35u
#define HVM_PARAM_X87_FIP_WIDTH 36u

struct xen_hvm_param { uint16_t domid, pad; uint32_t index; uint64_t value; };
struct xen_hvm_evtchn_upcall_vector { uint32_t vcpu; uint8_t vector, pad[3]; };

struct vcpu_time_info {
	uint32_t version, pad0;
	uint64_t tsc_timestamp, system_time;
	uint32_t tsc_to_system_mul;
	int8_t tsc_shift;
	uint8_t flags, pad1[2];
};
#define PVCLOCK_TSC_STABLE 1u

/* `upcall` is byte evtchn_upcall_pending (bits 7:0) and evtchn_upcall_mask (15:8). */
struct vcpu_info {
	uint64_t upcall, pending_sel, arch[2];
	struct vcpu_time_info time;
};
#define UPCALL_PENDING 0xffull
#define UPCALL_MASK 0xff00ull

#define SHARED_INFO_VCPUS 32u

struct shared_info {
	struct vcpu_info vcpu_info[SHARED_INFO_VCPUS];
	uint64_t evtchn_pending[64], evtchn_mask[64];
	uint32_t wc_version, wc_sec, wc_nsec, wc_sec_hi;
};

struct xencons_interface {
	char in[1024], out[2048];
	uint32_t in_cons, in_prod, out_cons, out_prod;
};

_Static_assert(sizeof(struct vcpu_info) == 64, "vcpu_info");
_Static_assert(offsetof(struct shared_info, evtchn_pending) == 2048, "shared_info");
_Static_assert(offsetof(struct shared_info, wc_version) == 3072, "shared_info");
_Static_assert(sizeof(struct xen_memory_reservation) == 32, "xen_memory_reservation");
_Static_assert(sizeof(struct vcpu_runstate_info) == 48, "vcpu_runstate_info");
_Static_assert(sizeof(struct evtchn_status) == 24, "evtchn_status");
