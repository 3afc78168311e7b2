/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The ACPI tables of a guest: what makes Linux find its CPUs and look for
 * nothing else. Hardware-reduced, so that it wants no PIC, PIT, RTC or SCI.
 *
 * Layouts: ACPI 5.1, 5.2.5 (RSDP), 5.2.8 (XSDT), 5.2.9 (FADT), 5.2.12 (MADT).
 */
#include "x86.h"
#include "string.h"

struct rsdp {
	char signature[8];
	uint8_t checksum;             /* over the first 20 bytes */
	char oem[6];
	uint8_t revision;
	uint32_t rsdt, length;
	uint64_t xsdt;
	uint8_t extended_checksum;    /* over all 36 */
	uint8_t reserved[3];
} __attribute__((packed));

struct header {
	char signature[4];
	uint32_t length;
	uint8_t revision, checksum;
	char oem[6], oem_table[8];
	uint32_t oem_revision;
	char creator[4];
	uint32_t creator_revision;
} __attribute__((packed));

struct xsdt {
	struct header h;
	uint64_t entries[2];
} __attribute__((packed));

struct fadt {
	struct header h;
	uint32_t facs, dsdt;
	uint8_t unused1[65];
	uint16_t boot_flags;          /* offset 109 */
	uint8_t unused2;
	uint32_t flags;               /* offset 112 */
	uint8_t unused3[24];
	uint64_t x_dsdt;              /* offset 140 */
	uint8_t unused4[120];
} __attribute__((packed));

struct madt_cpu {
	uint8_t type, length, uid, apic_id;
	uint32_t flags;
} __attribute__((packed));

struct madt {
	struct header h;
	uint32_t lapic, flags;
	struct madt_cpu cpus[];
} __attribute__((packed));

_Static_assert(sizeof(struct rsdp) == 36 && sizeof(struct header) == 36, "ACPI layout");
_Static_assert(sizeof(struct fadt) == 268 && offsetof(struct fadt, boot_flags) == 109 &&
	       offsetof(struct fadt, flags) == 112 && offsetof(struct fadt, x_dsdt) == 140, "ACPI layout");

#define FADT_HW_REDUCED BIT(20)
#define FADT_FORCE_PHYSICAL BIT(19)
#define BOOT_NO_VGA BIT(2)
#define BOOT_NO_CMOS_RTC BIT(5)

/* Every table begins on 16 bytes. */
#define ROUND(n) (((n) + 15) & ~(size_t)15)
#define AT_XSDT ROUND(sizeof(struct rsdp))
#define AT_FADT (AT_XSDT + ROUND(sizeof(struct xsdt)))
#define AT_DSDT (AT_FADT + ROUND(sizeof(struct fadt)))
#define AT_MADT (AT_DSDT + ROUND(sizeof(struct header)))

static size_t madt_length(uint32_t count)
{
	return sizeof(struct madt) + count * sizeof(struct madt_cpu);
}

size_t acpi_size(uint32_t count)
{
	return AT_MADT + ROUND(madt_length(count));
}

/* What makes the sum of all bytes 0, the checksum byte itself being 0 yet. */
static uint8_t checksum(const void *table, size_t length)
{
	const uint8_t *bytes = table;
	uint8_t sum = 0;

	for (size_t i = 0; i < length; i++)
		sum = (uint8_t)(sum + bytes[i]);
	return (uint8_t)-sum;
}

static void begin(struct header *h, const char *signature, uint8_t revision, size_t length)
{
	memcpy(h->signature, signature, 4);
	h->length = (uint32_t)length;
	h->revision = revision;
	memcpy(h->oem, "RAVELN", 6);
	memcpy(h->oem_table, "RAVELIN ", 8);
	h->oem_revision = 1;
	memcpy(h->creator, "RVLN", 4);
	h->creator_revision = 1;
}

static void end(struct header *h)
{
	h->checksum = checksum(h, h->length);
}

uint64_t acpi_build(void *out, uint64_t base, uint32_t count)
{
	char *bytes = out;
	struct rsdp *rsdp = out;
	struct xsdt *xsdt = (void *)(bytes + AT_XSDT);
	struct fadt *fadt = (void *)(bytes + AT_FADT);
	struct header *dsdt = (void *)(bytes + AT_DSDT);
	struct madt *madt = (void *)(bytes + AT_MADT);

	memset(out, 0, acpi_size(count));

	memcpy(rsdp->signature, "RSD PTR ", 8);
	memcpy(rsdp->oem, "RAVELN", 6);
	rsdp->revision = 2;
	rsdp->length = sizeof(*rsdp);
	rsdp->xsdt = base + AT_XSDT;
	rsdp->checksum = checksum(rsdp, 20);
	rsdp->extended_checksum = checksum(rsdp, sizeof(*rsdp));

	begin(&xsdt->h, "XSDT", 1, sizeof(*xsdt));
	xsdt->entries[0] = base + AT_FADT;
	xsdt->entries[1] = base + AT_MADT;
	end(&xsdt->h);

	begin(&fadt->h, "FACP", 5, sizeof(*fadt));
	fadt->dsdt = (uint32_t)(base + AT_DSDT);
	fadt->x_dsdt = base + AT_DSDT;
	fadt->boot_flags = BOOT_NO_VGA | BOOT_NO_CMOS_RTC;
	fadt->flags = FADT_HW_REDUCED | FADT_FORCE_PHYSICAL;
	end(&fadt->h);

	begin(dsdt, "DSDT", 2, sizeof(*dsdt));
	end(dsdt);

	begin(&madt->h, "APIC", 3, madt_length(count));
	madt->lapic = 0xfee00000;
	for (uint32_t i = 0; i < count; i++)
		madt->cpus[i] = (struct madt_cpu){ .length = sizeof(struct madt_cpu), .uid = (uint8_t)i,
						   .apic_id = (uint8_t)i, .flags = 1 };
	end(&madt->h);
	return base;
}
