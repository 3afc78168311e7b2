/* SPDX-License-Identifier: Apache-2.0 */
/*
 * I/O ports. There is no device: reads give all-ones, as an empty bus does, and
 * writes are dropped. Two old ways to reset a PC are honoured.
 */
#include "x86.h"

#include <xen/sched.h>

/* Keyboard controller, command 0xFE: pulse the reset line. */
static void write_keyboard(struct vcpu *v, uint32_t value, uint8_t size)
{
	if (size == 1 && value == 0xfe)
		domain_shutdown(v->domain, SHUTDOWN_reboot);
}

/* Reset control register: bit 2 starts the reset. A wider access is PCI configuration. */
static void write_reset(struct vcpu *v, uint32_t value, uint8_t size)
{
	if (size == 1 && value & BIT(2))
		domain_shutdown(v->domain, SHUTDOWN_reboot);
}

const struct port_row port_rows[] = {
	{ 0x64, 0x64, "keyboard controller", write_keyboard,
		"OUT of 0xFE reboots the domain; reads are all-ones",
		"the way Linux resets a PC when everything else has failed",
		"SCHEDOP_shutdown" },
	{ 0xcf9, 0xcf9, "reset control", write_reset,
		"a byte with bit 2 set reboots the domain; reads are all-ones",
		"the chipset's reset register, reboot=pci",
		"SCHEDOP_shutdown" },
};
const size_t port_row_count = ARRAY_SIZE(port_rows);

void port_access(struct vcpu *v, struct exit *e)
{
	if (e->io.string) {
		e->verdict = VERDICT_GP;
		return;
	}
	e->verdict = VERDICT_SKIP;
	if (e->io.in) {
		e->io.value = e->io.size >= 4 ? 0xffffffffu : BIT(8 * e->io.size) - 1;
		return;
	}
	for (size_t i = 0; i < ARRAY_SIZE(port_rows); i++) {
		const struct port_row *row = &port_rows[i];

		if (e->io.port >= row->first && e->io.port <= row->last && row->write) {
			row->write(v, e->io.value, e->io.size);
			return;
		}
	}
}
