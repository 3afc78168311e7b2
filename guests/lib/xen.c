/* SPDX-License-Identifier: Apache-2.0 */
/* Hypercall helpers: parameters, events, clock, shutdown. */
#include "xen.h"
#include "cpu.h"
#include "print.h"
#include "trap.h"
#include "util.h"

struct shared_info shared_info __attribute__((aligned(4096)));
volatile uint64_t event_count[4096];
static void (*event_handlers[4096])(uint32_t);
/* Ports bound to a vCPU: pending bits lie in one page for all, and each takes its own. */
static uint64_t event_mine[CPU_MAX][64];

const struct start_info *start_info;
const char *command_line = "";

uint64_t option_number(const char *name, uint64_t otherwise)
{
	const char *s = find_text(command_line, name);
	uint64_t value = 0, base = 10;

	if (!s)
		return otherwise;
	s += strlen(name);
	if (s[0] == '0' && s[1] == 'x') {
		base = 16;
		s += 2;
	}
	for (;; s++) {
		uint64_t digit;

		if (*s >= '0' && *s <= '9')
			digit = (uint64_t)(*s - '0');
		else if (*s >= 'a' && *s <= 'f')
			digit = (uint64_t)(*s - 'a') + 10;
		else
			return value;
		if (digit >= base)
			return value;
		value = value * base + digit;
	}
}

uint32_t xen_base(void)
{
	static uint32_t base = ~0u;

	if (base != ~0u)
		return base;
	for (uint32_t leaf = 0x40000000; leaf <= 0x40010000; leaf += 0x100) {
		struct cpuid c = cpuid(leaf, 0);

		if (c.ebx == 0x566e6558 && c.ecx == 0x65584d4d && c.edx == 0x4d4d566e && c.eax - leaf >= 2) {
			base = leaf;
			return base;
		}
	}
	base = 0;
	return base;
}

uint32_t xen_tsc_khz(void)
{
	return cpuid(xen_base() + 3, 0).ecx;
}

long xen_get_param(uint32_t index, uint64_t *value)
{
	struct xen_param p = { .domid = DOMID_SELF, .index = index };
	long r = hypercall2(HC_hvm_op, HVM_get_param, &p);

	*value = p.value;
	return r;
}

long xen_set_param(uint32_t index, uint64_t value)
{
	struct xen_param p = { .domid = DOMID_SELF, .index = index, .value = value };

	return hypercall2(HC_hvm_op, HVM_set_param, &p);
}

void xen_shutdown(uint32_t reason)
{
	print_flush();
	if (xen_base()) {
		hypercall2(HC_sched_op, SCHED_shutdown, &reason);
	} else {
		for (uint32_t i = 0; i < 1000000 && !(in8(0x3fd) & 0x40); i++)
			relax();
		out16(0x604, 0x2000); /* QEMU's ACPI power-off */
		for (const char *s = "Shutdown"; *s; s++)
			out8(0x8900, (uint8_t)*s); /* Bochs */
	}
	for (;;)
		asm volatile("cli\n\thlt");
}

/* Takes every pending event of this vCPU; the callback vector needs no EOI. */
static void upcall(struct frame *f)
{
	struct vcpu_info *info = this_cpu()->info;
	const uint64_t *mine = event_mine[this_cpu()->id];
	uint64_t words;

	(void)f;
	while (__atomic_exchange_n(&info->upcall_pending, 0, __ATOMIC_SEQ_CST)) {
		words = __atomic_exchange_n(&info->pending_sel, 0, __ATOMIC_SEQ_CST);
		while (words) {
			uint32_t w = (uint32_t)__builtin_ctzll(words);
			uint64_t bits;

			words &= words - 1;
			bits = __atomic_load_n(&shared_info.pending[w], __ATOMIC_SEQ_CST) &
			       ~shared_info.mask[w] & mine[w];
			while (bits) {
				uint32_t port = w * 64 + (uint32_t)__builtin_ctzll(bits);

				__atomic_fetch_and(&shared_info.pending[w], ~(bits & -bits),
						   __ATOMIC_SEQ_CST);
				bits &= bits - 1;
				event_count[port]++;
				if (event_handlers[port])
					event_handlers[port](port);
			}
		}
	}
}

long event_init(void)
{
	struct xen_physmap map = { .domid = DOMID_SELF, .gfn = (uint64_t)&shared_info >> 12 };
	long r = hypercall2(HC_memory_op, MEM_add_to_physmap, &map);

	if (r)
		return r;
	for (uint32_t i = 0; i < 64; i++)
		shared_info.mask[i] = ~0ull;
	for (uint32_t i = 0; i < CPU_MAX; i++)
		cpu_blocks[i].cpu.info = &shared_info.vcpu[i];
	trap_hook(CALLBACK_VECTOR, upcall);
	return xen_set_param(PARAM_callback, 2ull << 56 | CALLBACK_VECTOR);
}

long event_init_cpu(void)
{
	struct cpu *c = this_cpu();
	struct {
		uint64_t gfn;
		uint32_t offset, reserved;
	} place = { (uint64_t)&c->info_registered >> 12, (uint32_t)(uint64_t)&c->info_registered & 4095, 0 };
	long r = hypercall3(HC_vcpu_op, VCPU_register_info, c->id, &place);

	if (!r)
		c->info = &c->info_registered;
	return r;
}

void event_handle(uint32_t port, void (*handler)(uint32_t port))
{
	event_handlers[port] = handler;
}

void event_mask(uint32_t port)
{
	__atomic_fetch_or(&shared_info.mask[port / 64], 1ull << port % 64, __ATOMIC_SEQ_CST);
}

long event_unmask(uint32_t port)
{
	return hypercall2(HC_event_channel_op, EVTCHN_unmask, &port);
}

void event_bound(uint32_t port, uint32_t vcpu)
{
	for (uint32_t i = 0; i < CPU_MAX; i++)
		__atomic_fetch_and(&event_mine[i][port / 64], ~(1ull << port % 64), __ATOMIC_SEQ_CST);
	__atomic_fetch_or(&event_mine[vcpu][port / 64], 1ull << port % 64, __ATOMIC_SEQ_CST);
}

/* A bind call's result: from here on the port is this vCPU's and unmasked. */
static long bound(long result, uint32_t port, uint32_t vcpu)
{
	if (result)
		return result;
	event_bound(port, vcpu);
	result = event_unmask(port);
	return result ? result : (long)port;
}

long event_bind_virq(uint32_t virq, uint32_t vcpu)
{
	struct {
		uint32_t virq, vcpu, port;
	} bind = { virq, vcpu, 0 };
	long r = hypercall2(HC_event_channel_op, EVTCHN_bind_virq, &bind);

	return bound(r, bind.port, vcpu);
}

long event_bind_ipi(uint32_t vcpu)
{
	struct {
		uint32_t vcpu, port;
	} bind = { vcpu, 0 };
	long r = hypercall2(HC_event_channel_op, EVTCHN_bind_ipi, &bind);

	return bound(r, bind.port, vcpu);
}

long event_send(uint32_t port)
{
	return hypercall2(HC_event_channel_op, EVTCHN_send, &port);
}

uint64_t clock_ns(void)
{
	const volatile struct vcpu_time *t = &this_cpu()->info->time;
	uint64_t ns, delta;
	uint32_t version;

	do {
		version = t->version;
		asm volatile("" : : : "memory");
		delta = rdtsc() - t->tsc;
		delta = t->shift < 0 ? delta >> -t->shift : delta << t->shift;
		ns = t->system_time + (uint64_t)(((unsigned __int128)delta * t->mul) >> 32);
		asm volatile("" : : : "memory");
	} while ((version & 1) || version != t->version);
	return ns;
}

long timer_set(uint64_t ns)
{
	struct {
		uint64_t ns;
		uint32_t flags, pad;
	} timer = { ns, 0, 0 };

	return hypercall3(HC_vcpu_op, VCPU_set_singleshot, this_cpu()->id, &timer);
}
