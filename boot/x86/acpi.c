/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The one ACPI table the nucleus reads: the MADT, for the CPUs' APIC ids, the I/O
 * APIC and where ISA interrupt 4 (COM1) arrives. ACPI 6.4, 5.2.5 and 5.2.12.
 */
#include "platform.h"
#include "asm.h"
#include "string.h"

struct sdt {
	char signature[4];
	uint32_t length;
	uint8_t revision, checksum;
	char oem[6], oem_table[8];
	uint32_t oem_revision, creator, creator_revision;
} __attribute__((packed));

struct rsdp {
	char signature[8];
	uint8_t checksum;
	char oem[6];
	uint8_t revision;
	uint32_t rsdt, length;
	uint64_t xsdt;
	uint8_t checksum2, reserved[3];
} __attribute__((packed));

/* Firmware tables are read where the boot tables or the direct map show them. */
static const void *table_at(uint64_t physical, uint64_t length)
{
	if (!physical || physical + length > boot_memory.end + (1ull << 20))
		return NULL;
	return phys_to_ptr(physical);
}

static bool sums_to_zero(const void *p, size_t n)
{
	const uint8_t *b = p;
	uint8_t sum = 0;

	while (n--)
		sum = (uint8_t)(sum + *b++);
	return sum == 0;
}

static const struct rsdp *find_rsdp(uint64_t hint)
{
	const struct rsdp *r;
	uint64_t a;

	if (hint && (r = table_at(hint, sizeof(*r))) && !memcmp(r->signature, "RSD PTR ", 8))
		return r;
	for (a = 0xe0000; a < 0x100000; a += 16) {
		r = phys_to_ptr(a);
		if (!memcmp(r->signature, "RSD PTR ", 8) && sums_to_zero(r, 20))
			return r;
	}
	return NULL;
}

static const struct sdt *find_table(const struct rsdp *rsdp, const char *signature)
{
	bool wide = rsdp->revision >= 2 && rsdp->xsdt;
	const struct sdt *root = table_at(wide ? rsdp->xsdt : rsdp->rsdt, sizeof(*root));
	const uint8_t *entries;
	uint32_t i, count, size = wide ? 8 : 4;

	if (!root || root->length < sizeof(*root))
		return NULL;
	entries = (const uint8_t *)(root + 1);
	count = (root->length - (uint32_t)sizeof(*root)) / size;
	for (i = 0; i < count; i++) {
		uint64_t at = 0;
		const struct sdt *t;

		memcpy(&at, entries + i * size, size);
		t = table_at(at, sizeof(*t));
		if (t && !memcmp(t->signature, signature, 4) && sums_to_zero(t, t->length))
			return t;
	}
	return NULL;
}

static void add_cpu(struct madt *out, uint32_t apic_id, uint32_t flags)
{
	uint32_t i;

	/* Some firmware lists a CPU as both kinds of entry. */
	for (i = 0; i < out->cpus; i++) {
		if (out->apic_ids[i] == apic_id)
			return;
	}
	if (flags & 1 && out->cpus < CPUS_MAX)
		out->apic_ids[out->cpus++] = apic_id;
}

bool acpi_read_madt(struct madt *out, uint64_t rsdp_hint)
{
	const struct rsdp *rsdp = find_rsdp(rsdp_hint);
	const struct sdt *t = rsdp ? find_table(rsdp, "APIC") : NULL;
	const uint8_t *p, *end;

	*out = (struct madt){ .uart_interrupt = 4 };
	if (!t)
		return false;
	p = (const uint8_t *)(t + 1);
	end = (const uint8_t *)t + t->length;
	uint32_t low;
	memcpy(&low, p, 4);
	out->local_apic = low;
	for (p += 8; p + 2 <= end && p[1] >= 2 && p + p[1] <= end; p += p[1]) {
		uint32_t a, b;

		switch (p[0]) {
		case 0:               /* local APIC: uid, id, flags */
			memcpy(&a, p + 4, 4);
			add_cpu(out, p[3], a);
			break;
		case 1:               /* I/O APIC: id, 0, address, first interrupt */
			memcpy(&a, p + 4, 4);
			memcpy(&b, p + 8, 4);
			if (!out->io_apic || b == 0) {
				out->io_apic = a;
				out->io_apic_base = b;
			}
			break;
		case 2:               /* an ISA interrupt arrives elsewhere: bus, source, global */
			memcpy(&a, p + 4, 4);
			if (p[3] == 4)
				out->uart_interrupt = a;
			break;
		case 9:               /* local x2APIC: id at 4, flags at 8 */
			memcpy(&a, p + 4, 4);
			memcpy(&b, p + 8, 4);
			add_cpu(out, a, b);
			break;
		default:
			break;
		}
	}
	return true;
}
