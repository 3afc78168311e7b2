/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Sizes, offsets and numbers that xen_abi.h must have in common with Xen's
 * public headers; compiled once with each, compared by hypercall_test.c.
 */
#define SIZE(type) { "sizeof " #type, sizeof(struct type) },
#define OFFSET(type, field) { #type "." #field, offsetof(struct type, field) },
#define NUMBER(name) { #name, (unsigned long)(name) },

#define ABI_LIST \
	SIZE(vcpu_info) SIZE(vcpu_time_info) SIZE(xencons_interface) SIZE(xen_memory_reservation) \
	SIZE(xen_add_to_physmap) SIZE(xen_remove_from_physmap) SIZE(xen_memory_map) SIZE(multicall_entry) \
	SIZE(xen_hvm_param) SIZE(xen_hvm_evtchn_upcall_vector) SIZE(evtchn_alloc_unbound) \
	SIZE(evtchn_bind_interdomain) SIZE(evtchn_bind_virq) SIZE(evtchn_bind_ipi) SIZE(evtchn_bind_vcpu) \
	SIZE(evtchn_status) SIZE(sched_poll) SIZE(sched_remote_shutdown) SIZE(vcpu_runstate_info) \
	SIZE(vcpu_set_singleshot_timer) SIZE(vcpu_register_vcpu_info) SIZE(xen_compile_info) \
	SIZE(xen_feature_info) \
	OFFSET(shared_info, evtchn_pending) OFFSET(shared_info, evtchn_mask) OFFSET(shared_info, wc_version) \
	OFFSET(shared_info, wc_sec) OFFSET(shared_info, wc_nsec) OFFSET(shared_info, wc_sec_hi) \
	OFFSET(vcpu_info, time) OFFSET(vcpu_time_info, tsc_timestamp) OFFSET(vcpu_time_info, system_time) \
	OFFSET(vcpu_time_info, tsc_to_system_mul) OFFSET(vcpu_time_info, tsc_shift) \
	OFFSET(xencons_interface, out) OFFSET(xencons_interface, in_cons) \
	OFFSET(xencons_interface, in_prod) OFFSET(xencons_interface, out_cons) \
	OFFSET(xencons_interface, out_prod) OFFSET(xen_memory_reservation, nr_extents) \
	OFFSET(xen_memory_reservation, extent_order) OFFSET(xen_memory_reservation, domid) \
	OFFSET(xen_add_to_physmap, space) OFFSET(xen_add_to_physmap, idx) OFFSET(xen_add_to_physmap, gpfn) \
	OFFSET(xen_remove_from_physmap, gpfn) OFFSET(xen_memory_map, buffer) OFFSET(multicall_entry, result) \
	OFFSET(multicall_entry, args) OFFSET(xen_hvm_param, index) OFFSET(xen_hvm_param, value) \
	OFFSET(evtchn_bind_interdomain, remote_port) OFFSET(evtchn_bind_interdomain, local_port) \
	OFFSET(evtchn_status, status) OFFSET(evtchn_status, vcpu) OFFSET(evtchn_status, u.interdomain.port) \
	OFFSET(sched_poll, nr_ports) OFFSET(sched_poll, timeout) OFFSET(sched_remote_shutdown, reason) \
	OFFSET(vcpu_runstate_info, state_entry_time) OFFSET(vcpu_runstate_info, time) \
	OFFSET(vcpu_set_singleshot_timer, flags) OFFSET(vcpu_register_vcpu_info, offset) \
	NUMBER(XENVER_get_features) NUMBER(XENVER_commandline) NUMBER(XENVER_build_id) \
	NUMBER(XENFEAT_writable_page_tables) NUMBER(XENFEAT_auto_translated_physmap) \
	NUMBER(XENFEAT_hvm_callback_vector) NUMBER(XENFEAT_hvm_safe_pvclock) NUMBER(XENFEAT_dom0) \
	NUMBER(XENFEAT_memory_op_vnode_supported) NUMBER(XENFEAT_not_direct_mapped) NUMBER(VIRQ_TIMER) \
	NUMBER(VIRQ_DEBUG) NUMBER(VIRQ_CONSOLE) NUMBER(VIRQ_XENOPROF) NUMBER(VIRQ_XENPMU) NUMBER(NR_VIRQS) \
	NUMBER(EVTCHNOP_bind_interdomain) NUMBER(EVTCHNOP_bind_virq) NUMBER(EVTCHNOP_close) \
	NUMBER(EVTCHNOP_send) NUMBER(EVTCHNOP_status) NUMBER(EVTCHNOP_alloc_unbound) \
	NUMBER(EVTCHNOP_bind_ipi) NUMBER(EVTCHNOP_bind_vcpu) NUMBER(EVTCHNOP_unmask) NUMBER(EVTCHNOP_reset) \
	NUMBER(EVTCHNSTAT_closed) NUMBER(EVTCHNSTAT_unbound) NUMBER(EVTCHNSTAT_interdomain) \
	NUMBER(EVTCHNSTAT_virq) NUMBER(EVTCHNSTAT_ipi) NUMBER(SCHEDOP_yield) NUMBER(SCHEDOP_block) \
	NUMBER(SCHEDOP_shutdown) NUMBER(SCHEDOP_poll) NUMBER(SCHEDOP_remote_shutdown) \
	NUMBER(SHUTDOWN_poweroff) NUMBER(SHUTDOWN_reboot) NUMBER(SHUTDOWN_suspend) NUMBER(SHUTDOWN_crash) \
	NUMBER(SHUTDOWN_watchdog) NUMBER(SHUTDOWN_soft_reset) NUMBER(VCPUOP_is_up) \
	NUMBER(VCPUOP_get_runstate_info) NUMBER(VCPUOP_register_runstate_memory_area) \
	NUMBER(VCPUOP_stop_periodic_timer) NUMBER(VCPUOP_set_singleshot_timer) \
	NUMBER(VCPUOP_stop_singleshot_timer) NUMBER(VCPUOP_register_vcpu_info) NUMBER(VCPUOP_send_nmi) \
	NUMBER(VCPU_SSHOTTMR_future) NUMBER(RUNSTATE_running) NUMBER(RUNSTATE_runnable) \
	NUMBER(RUNSTATE_blocked) NUMBER(RUNSTATE_offline) NUMBER(XENMEM_decrease_reservation) \
	NUMBER(XENMEM_maximum_ram_page) NUMBER(XENMEM_current_reservation) \
	NUMBER(XENMEM_maximum_reservation) NUMBER(XENMEM_populate_physmap) NUMBER(XENMEM_add_to_physmap) \
	NUMBER(XENMEM_memory_map) NUMBER(XENMEM_maximum_gpfn) NUMBER(XENMEM_remove_from_physmap) \
	NUMBER(XENMAPSPACE_shared_info) NUMBER(XENMAPSPACE_grant_table) NUMBER(CONSOLEIO_write) \
	NUMBER(CONSOLEIO_read) NUMBER(VMASST_CMD_enable) NUMBER(VMASST_CMD_disable) \
	NUMBER(VMASST_TYPE_runstate_update_flag) NUMBER(HVMOP_set_param) NUMBER(HVMOP_get_param) \
	NUMBER(HVMOP_pagetable_dying) NUMBER(HVMOP_set_evtchn_upcall_vector) NUMBER(HVMOP_altp2m) \
	NUMBER(HVM_PARAM_CALLBACK_IRQ) NUMBER(HVM_PARAM_CONSOLE_PFN) NUMBER(HVM_PARAM_CONSOLE_EVTCHN) \
	NUMBER(HVM_PARAM_ALTP2M) NUMBER(HVM_PARAM_X87_FIP_WIDTH) \
	{ 0, 0 }

struct abi_fact {
	const char *name;
	unsigned long value;
};
extern const struct abi_fact abi_ours[], abi_theirs[];
