/* SPDX-License-Identifier: Apache-2.0 */
/* The little of ACPI that the guests need. */
#include "acpi.h"
#include "util.h"
#include "xen.h"

bool acpi_sum_ok(const void *bytes, uint32_t length)
{
	const uint8_t *b = bytes;
	uint8_t sum = 0;

	for (uint32_t i = 0; i < length; i++)
		sum = (uint8_t)(sum + b[i]);
	return sum == 0;
}

const struct acpi_rsdp *acpi_rsdp(void)
{
	return (const struct acpi_rsdp *)start_info->rsdp;
}

const struct acpi_table *acpi_find(const char *signature)
{
	const struct acpi_rsdp *rsdp = acpi_rsdp();
	const struct acpi_table *root;
	bool wide;

	if (!rsdp)
		return NULL;
	wide = rsdp->revision >= 2 && rsdp->xsdt;
	root = (const struct acpi_table *)(wide ? rsdp->xsdt : rsdp->rsdt);
	for (uint32_t at = sizeof(*root); at < root->length; at += wide ? 8 : 4) {
		const struct acpi_table *t;
		uint64_t address = 0;

		memcpy(&address, (const uint8_t *)root + at, wide ? 8 : 4);
		t = (const struct acpi_table *)address;
		if (!memcmp(t->signature, signature, 4))
			return t;
	}
	return NULL;
}

uint32_t acpi_processors(uint32_t *ids, uint32_t max)
{
	const struct acpi_table *madt = acpi_find("APIC");
	const uint8_t *b = (const uint8_t *)madt;
	uint32_t count = 0;

	for (uint32_t at = 44; madt && at + 8 <= madt->length && b[at + 1]; at += b[at + 1]) {
		if (b[at] == 0 && (b[at + 4] & 1) && b[at + 2] < max) {
			ids[b[at + 2]] = b[at + 3];
			count++;
		}
	}
	return count;
}
