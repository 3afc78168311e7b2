/* SPDX-License-Identifier: Apache-2.0 */
/* The little of ACPI that the guests need: find a table, list the processors. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct acpi_table {
	char signature[4];
	uint32_t length;
	uint8_t revision, checksum;
	char oem[6], oem_table[8];
	uint32_t oem_revision, creator, creator_revision;
};

struct acpi_rsdp {
	char signature[8];
	uint8_t checksum;
	char oem[6];
	uint8_t revision;
	uint32_t rsdt, length;
	uint64_t xsdt;
	uint8_t checksum2, reserved[3];
} __attribute__((packed));

/* True if the bytes add up to 0. */
bool acpi_sum_ok(const void *bytes, uint32_t length);
/* The root pointer named by start_info, NULL without one. */
const struct acpi_rsdp *acpi_rsdp(void);
/* A table by signature, NULL when there is none. */
const struct acpi_table *acpi_find(const char *signature);
/* Enabled local APICs of the MADT: fills ids[uid] and returns how many. */
uint32_t acpi_processors(uint32_t *ids, uint32_t max);
