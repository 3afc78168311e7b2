/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The part of Xen's guest ABI that the tiny guests use, and the runtime's
 * helpers for it: hypercalls, event channels, clock and timer.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define HC_platform_op	    7
#define HC_memory_op	    12
#define HC_multicall	    13
#define HC_set_timer_op	    15
#define HC_xen_version	    17
#define HC_console_io	    18
#define HC_grant_table_op   20
#define HC_vm_assist	    21
#define HC_vcpu_op	    24
#define HC_sched_op	    29
#define HC_event_channel_op 32
#define HC_physdev_op	    33
#define HC_hvm_op	    34
#define HC_sysctl	    35
#define HC_domctl	    36

#define MEM_decrease_reservation 1
#define MEM_current_reservation	 3
#define MEM_maximum_reservation	 4
#define MEM_populate_physmap	 6
#define MEM_add_to_physmap	 7
#define MEM_memory_map		 9
#define MEM_maximum_gpfn	 14
#define MEM_remove_from_physmap	 15

#define EVTCHN_bind_interdomain 0
#define EVTCHN_bind_virq	1
#define EVTCHN_close		3
#define EVTCHN_send		4
#define EVTCHN_status		5
#define EVTCHN_alloc_unbound	6
#define EVTCHN_bind_ipi		7
#define EVTCHN_bind_vcpu	8
#define EVTCHN_unmask		9
#define EVTCHN_reset		10

#define VIRQ_TIMER 0

#define VCPU_set_periodic    6
#define VCPU_stop_periodic   7
#define VCPU_set_singleshot  8
#define VCPU_stop_singleshot 9
#define VCPU_register_info   10
#define VCPU_send_nmi	     11

#define SCHED_yield    0
#define SCHED_block    1
#define SCHED_shutdown 2
#define SCHED_poll     3

#define SHUTDOWN_poweroff 0
#define SHUTDOWN_reboot	  1
#define SHUTDOWN_crash	  3

#define HVM_set_param	   0
#define HVM_get_param	   1
#define PARAM_callback	   0
#define PARAM_console_gfn  17
#define PARAM_console_port 18

#define DOMID_SELF 0x7ff0

#define XEN_EPERM  1
#define XEN_ENOENT 2
#define XEN_ESRCH  3
#define XEN_EFAULT 14
#define XEN_EINVAL 22
#define XEN_ENOSYS 38

struct start_info {
	uint32_t magic, version, flags, module_count;
	uint64_t modules, cmdline, rsdp, memmap;
	uint32_t memmap_count, reserved;
};
#define START_INFO_MAGIC 0x336ec578u

struct start_memory {
	uint64_t address, size;
	uint32_t type, reserved;
};

struct vcpu_time {
	uint32_t version, pad0;
	uint64_t tsc, system_time;
	uint32_t mul;
	int8_t shift;
	uint8_t flags, pad1[2];
};

struct vcpu_info {
	uint8_t upcall_pending, upcall_mask, pad[6];
	uint64_t pending_sel;
	uint64_t arch[2];
	struct vcpu_time time;
};
_Static_assert(sizeof(struct vcpu_info) == 64, "Xen's ABI");

struct shared_info {
	struct vcpu_info vcpu[32];
	uint64_t pending[64], mask[64];
	uint32_t wc_version, wc_sec, wc_nsec, wc_sec_hi;
	uint8_t rest[4096 - 3088];
};
_Static_assert(sizeof(struct shared_info) == 4096, "Xen's ABI");

struct console_ring {
	uint8_t in[1024], out[2048];
	uint32_t in_cons, in_prod, out_cons, out_prod;
};

struct xen_param {
	uint16_t domid, pad;
	uint32_t index;
	uint64_t value;
};

struct xen_physmap {
	uint16_t domid, size;
	uint32_t space;
	uint64_t index, gfn;
};

struct xen_reservation {
	uint64_t extents; /* address of a list of gfns */
	uint64_t count;
	uint32_t order, flags;
	uint16_t domid;
};

struct xen_multicall {
	uint64_t nr, result, arg[6];
};

static inline long hypercall(uint64_t nr, uint64_t a1, uint64_t a2, uint64_t a3, uint64_t a4, uint64_t a5)
{
	register uint64_t r10 asm("r10") = a4;
	register uint64_t r8 asm("r8") = a5;
	long result;

	asm volatile("vmcall"
		     : "=a"(result), "+D"(a1), "+S"(a2), "+d"(a3), "+r"(r10), "+r"(r8)
		     : "0"(nr)
		     : "memory");
	return result;
}

#define hypercall1(nr, a)	hypercall(nr, (uint64_t)(a), 0, 0, 0, 0)
#define hypercall2(nr, a, b)	hypercall(nr, (uint64_t)(a), (uint64_t)(b), 0, 0, 0)
#define hypercall3(nr, a, b, c) hypercall(nr, (uint64_t)(a), (uint64_t)(b), (uint64_t)(c), 0, 0)

extern const struct start_info *start_info;
extern const char *command_line; /* never NULL */

/* The number after `name` in the command line (decimal, or hexadecimal after 0x), or `otherwise`. */
uint64_t option_number(const char *name, uint64_t otherwise);

/* The first of Xen's CPUID leaves, 0: not under Xen's ABI. */
uint32_t xen_base(void);
uint32_t xen_tsc_khz(void);

long xen_get_param(uint32_t index, uint64_t *value);
long xen_set_param(uint32_t index, uint64_t value);

/* Ends this domain (SHUTDOWN_*); without Xen, ends or stops the machine. */
__attribute__((noreturn)) void xen_shutdown(uint32_t reason);

/* ---- events ------------------------------------------------------------- */
#define CALLBACK_VECTOR 0xf3

extern struct shared_info shared_info;

/* Maps shared_info, masks all ports, sets the callback vector. Once, on CPU 0. 0 or -errno. */
long event_init(void);
/* Registers this CPU's vcpu_info. 0 or -errno. */
long event_init_cpu(void);
/* Handler for a port: called with interrupts off on the vCPU it is bound to. */
void event_handle(uint32_t port, void (*handler)(uint32_t port));
extern volatile uint64_t event_count[4096];

/* Says which vCPU takes a port's events, for ports that were bound otherwise than below. */
void event_bound(uint32_t port, uint32_t vcpu);

/* A port or -errno. The port is unmasked. */
long event_bind_virq(uint32_t virq, uint32_t vcpu);
long event_bind_ipi(uint32_t vcpu);
long event_send(uint32_t port);
void event_mask(uint32_t port);
long event_unmask(uint32_t port);

/* ---- clock and timer ---------------------------------------------------- */
/* Nanoseconds since the hypervisor booted; needs event_init_cpu on this vCPU. */
uint64_t clock_ns(void);
/* Arms this vCPU's timer for an absolute time. 0 or -errno. */
long timer_set(uint64_t ns);
