/* SPDX-License-Identifier: Apache-2.0 */
/* Random hypercalls with arguments that look right, nearly right or not at all. */
#include "hostile.h"

struct call {
	uint64_t nr, arg[5];
};

/* Words as they occur in argument structures, at an address in scratch memory or nowhere. */
static uint64_t structure(struct attacker *a)
{
	uint64_t address = edge_pointer(a);
	uint64_t words = 2 + random_below(&a->random, 9);
	uint8_t *to = (uint8_t *)address;

	/* Filled only where it is certainly ours; at the other places lies what lies there. */
	if (to < a->scratch || to + 128 > a->scratch + SCRATCH_PAGES * 4096)
		return address;
	for (uint64_t i = 0; i < words; i++) {
		uint64_t r = random_next(&a->random), word;

		switch (r & 3) {
		case 0:
			word = edge_number(a);
			break;
		case 1:
			word = edge_pointer(a);
			break;
		case 2:
			word = DOMID_SELF | (r >> 8 & 63) << 32;
			break;
		default:
			word = (r >> 8 & 15) | (r >> 16 & 63) << 32;
		}
		memcpy(to + 8 * i, &word, 8);
	}
	return address;
}

/* Copies an argument to where only we write, at an odd place now and then. */
static uint64_t put(struct attacker *a, const void *bytes, size_t n)
{
	uint8_t *to = a->arguments + a->arguments_used;

	if (random_below(&a->random, 8) == 0)
		to += random_below(&a->random, 8);
	a->arguments_used += (uint32_t)(n + 15) & ~7u;
	memcpy(to, bytes, n);
	return (uint64_t)to;
}

static uint16_t some_domid(struct attacker *a)
{
	return (uint16_t)(random_below(&a->random, 4) ? DOMID_SELF : edge_number(a));
}

/* Reservations, mappings: only of pages that we can lose. */
static void memory_call(struct attacker *a, struct call *c)
{
	static const uint8_t commands[] = { 0,	1,  1,	2,  3,	4,  6,	6,  6,	7,  7, 9,
					    11, 12, 14, 15, 20, 21, 22, 23, 24, 27, 28 };
	uint64_t gfns[8];
	uint64_t command = commands[random_below(&a->random, ARRAY_SIZE(commands))];

	c->nr = HC_memory_op;
	c->arg[0] = command;
	if (random_below(&a->random, 16) == 0)
		c->arg[0] |= edge_number(a) << 6; /* a made-up continuation */
	for (uint32_t i = 0; i < ARRAY_SIZE(gfns); i++)
		gfns[i] = edge_gfn(a);
	if (command == MEM_decrease_reservation || command == MEM_populate_physmap || command == 0) {
		struct xen_reservation r = {
			.extents = random_below(&a->random, 8) ? put(a, gfns, sizeof(gfns)) : edge_pointer(a),
			.count = random_below(&a->random, 8) ? random_below(&a->random, 9) : edge_number(a),
			/* Bigger extents are rare: zeroing them would take most of the time. */
			.order = random_below(&a->random, 64) ? 0 : (uint32_t)edge_number(a),
			.flags = (uint32_t)edge_number(a),
			.domid = some_domid(a),
		};

		/* A list from scratch memory could name a page of ours, a bigger extent could reach one. */
		if (command == MEM_decrease_reservation) {
			r.extents = put(a, gfns, sizeof(gfns));
			r.count %= 9;
			if (r.order)
				gfns[0] = 1ull << 40, r.extents = put(a, gfns, 8), r.count = 1;
		}
		c->arg[1] = put(a, &r, sizeof(r));
	} else if (command == MEM_add_to_physmap || command == MEM_remove_from_physmap) {
		struct xen_physmap map = { some_domid(a), (uint16_t)edge_number(a),
					   (uint32_t)random_below(&a->random, 7), edge_number(a),
					   edge_gfn(a) };

		/* From 2 on, the index may be a page of ours that moves. */
		if (map.space >= 2)
			map.index = edge_gfn(a);

		if (command == MEM_remove_from_physmap) {
			struct {
				uint16_t domid, pad[3];
				uint64_t gfn;
			} removal = { map.domid, { 0 }, map.gfn };

			c->arg[1] = put(a, &removal, sizeof(removal));
		} else {
			c->arg[1] = put(a, &map, sizeof(map));
		}
	} else if (command == 23 || command == 11) {
		/* Batches and exchanges carry lists that would have to be watched too: only broken ones. */
		c->arg[1] = UNMAPPED + edge_number(a) % 4096;
	} else {
		c->arg[1] = structure(a);
	}
}

static void event_call(struct attacker *a, struct call *c)
{
	uint64_t command = random_below(&a->random, 18);

	c->nr = HC_event_channel_op;
	c->arg[0] = command == 17 ? edge_number(a) : command;
	if ((uint32_t)c->arg[0] == EVTCHN_reset)
		c->arg[0] = EVTCHN_status; /* it would take our console away */
	if ((uint32_t)c->arg[0] == EVTCHN_close) {
		uint32_t port = (uint32_t)edge_number(a);

		if (port == console_event_port)
			port++;
		c->arg[1] = put(a, &port, 4);
	} else if (random_below(&a->random, 2)) {
		/* Well-formed: {domid or port, vcpu or port, port} */
		uint32_t words[4] = { random_below(&a->random, 2) ? DOMID_SELF
								  : (uint32_t)random_below(&a->random, 64),
				      (uint32_t)random_below(&a->random, 64),
				      (uint32_t)random_below(&a->random, 4), 0 };

		c->arg[1] = put(a, words, sizeof(words));
	} else {
		c->arg[1] = structure(a);
	}
}

static void sched_call(struct attacker *a, struct call *c)
{
	struct {
		uint64_t ports;
		uint32_t count, pad;
		uint64_t timeout;
	} poll = { edge_pointer(a), (uint32_t)edge_number(a), 0, 1 + random_below(&a->random, 1000) };

	c->nr = HC_sched_op;
	c->arg[0] = edge_number(a);
	c->arg[1] = structure(a);
	switch ((uint32_t)c->arg[0]) {
	case SCHED_shutdown:
	case 4: /* remote shutdown */
	case 6: /* watchdog */
	case SCHED_block:
		c->arg[0] = SCHED_yield;
		break;
	case SCHED_poll:
		/* Its time has always passed already. */
		c->arg[1] = random_below(&a->random, 4) ? put(a, &poll, sizeof(poll)) : UNMAPPED;
		break;
	}
}

static void hvm_call(struct attacker *a, struct call *c)
{
	c->nr = HC_hvm_op;
	c->arg[0] = random_below(&a->random, 3) ? random_below(&a->random, 30) : edge_number(a);
	c->arg[1] = structure(a);
	if ((uint32_t)c->arg[0] <= HVM_get_param) {
		struct xen_param p = { some_domid(a), (uint16_t)edge_number(a),
				       (uint32_t)random_below(&a->random, 45), edge_number(a) };

		c->arg[1] = put(a, &p, sizeof(p));
	} else if ((uint32_t)c->arg[0] == 25) {
		uint32_t words[20];

		for (uint32_t i = 0; i < ARRAY_SIZE(words); i++)
			words[i] = (uint32_t)edge_number(a);
		words[0] = 1;
		words[1] = (uint32_t)random_below(&a->random, 20);
		words[2] = some_domid(a);
		words[3] = 0;
		c->arg[1] = put(a, words, sizeof(words));
	}
}

static void vcpu_call(struct attacker *a, struct call *c)
{
	c->nr = HC_vcpu_op;
	c->arg[0] = random_below(&a->random, 3) ? random_below(&a->random, 15) : edge_number(a);
	if ((uint32_t)c->arg[0] == 2) /* down */
		c->arg[0] = 3;
	c->arg[1] = random_below(&a->random, 3) ? random_below(&a->random, 3) : edge_number(a);
	c->arg[2] = structure(a);
	if ((uint32_t)c->arg[0] == VCPU_register_info) {
		struct {
			uint64_t gfn;
			uint32_t offset, pad;
		} place = { edge_gfn(a), (uint32_t)edge_number(a), 0 };

		c->arg[2] = put(a, &place, sizeof(place));
	} else if ((uint32_t)c->arg[0] == 5 || (uint32_t)c->arg[0] == 13) {
		/* Areas that the hypervisor may write to later */
		uint64_t area = edge_pointer(a);

		c->arg[2] = put(a, &area, sizeof(area));
	}
}

static void any_call(struct attacker *a, struct call *c, bool nested)
{
	static const uint8_t others[] = { 0,  2,  3,  7,  15, 17, 17, 18, 20, 21, 26,
					  27, 33, 35, 36, 38, 39, 40, 41, 42, 48, 49 };

	for (uint32_t i = 0; i < 5; i++)
		c->arg[i] = random_below(&a->random, 2) ? edge_number(a) : structure(a);
	switch (random_below(&a->random, nested ? 9 : 10)) {
	case 0:
		memory_call(a, c);
		break;
	case 1:
		event_call(a, c);
		break;
	case 2:
		sched_call(a, c);
		break;
	case 3:
		hvm_call(a, c);
		break;
	case 4:
		vcpu_call(a, c);
		break;
	case 5:
	case 6:
	case 7:
		c->nr = others[random_below(&a->random, ARRAY_SIZE(others))];
		break;
	case 8:
		c->nr = edge_number(a);
		if ((uint32_t)c->nr <= HC_hvm_op)
			c->nr = 99; /* these have rules of their own */
		break;
	default: {
		struct xen_multicall list[6];
		uint64_t count = random_below(&a->random, ARRAY_SIZE(list) + 1);

		for (uint64_t i = 0; i < count; i++) {
			struct call inner = { 0 };

			any_call(a, &inner, true);
			list[i].nr = inner.nr;
			list[i].result = edge_number(a);
			memcpy(list[i].arg, inner.arg, sizeof(inner.arg));
			list[i].arg[5] = 0;
		}
		c->nr = HC_multicall;
		c->arg[0] = put(a, list, count * sizeof(list[0]));
		c->arg[1] = count;
		if (random_below(&a->random, 8) == 0)
			c->arg[0] = UNMAPPED, c->arg[1] = edge_number(a);
		return;
	}
	}
	switch ((uint32_t)c->nr) {
	case HC_console_io:
		/* No noise on the console: bytes that are there, or none, or an address that isn't. */
		if (random_below(&a->random, 2)) {
			c->arg[1] = 0;
		} else {
			c->arg[1] = 1 + random_below(&a->random, 4096);
			c->arg[2] = UNMAPPED + (c->arg[2] & 0xffff);
		}
		break;
	case HC_xen_version:
		c->arg[0] = random_below(&a->random, 12);
		c->arg[1] = edge_pointer(a);
		break;
	case HC_set_timer_op:
		c->arg[0] = edge_number(a);
		break;
	}
}

void attack_hypercall(void *attacker)
{
	struct attacker *a = attacker;
	struct call c = { 0 };

	any_call(a, &c, false);
	if (a->done >= trace_from)
		print("cpu %u call %lu %lx %lx %lx\n", this_cpu()->id, c.nr, c.arg[0], c.arg[1], c.arg[2]);
	if (hypercall(c.nr, c.arg[0], c.arg[1], c.arg[2], c.arg[3], c.arg[4]) >= 0)
		a->accepted++;
}
