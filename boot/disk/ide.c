/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reading the boot disk behind a PC's IDE controller: 48-bit addresses, by
 * bus-master DMA where the controller has it, else through the data port.
 * (ATA/ATAPI-6; Programming Interface for Bus Master IDE Controller 1.0.)
 */
#include "ide.h"
#include "interrupts.h"
#include "port.h"

#define SECTOR 512u

/* Offsets from the command block and the bits of its status register. */
enum { REG_DATA, REG_ERROR, REG_COUNT, REG_LBA0, REG_LBA1, REG_LBA2, REG_DRIVE, REG_COMMAND };
#define STATUS_ERR 0x01u
#define STATUS_DRQ 0x08u
#define STATUS_DF 0x20u
#define STATUS_BSY 0x80u

#define CMD_IDENTIFY 0xecu
#define CMD_READ_SECTORS_EXT 0x24u
#define CMD_READ_DMA_EXT 0x25u

/* Offsets from the bus-master block of a channel. */
#define BM_COMMAND 0
#define BM_STATUS 2
#define BM_TABLE 4
#define BM_COMMAND_START 0x01u
#define BM_COMMAND_READ 0x08u /* from the disk into memory */
#define BM_STATUS_ACTIVE 0x01u
#define BM_STATUS_ERROR 0x02u
#define BM_STATUS_IRQ 0x04u

#define TIMEOUT (10 * TICKS_PER_SECOND)

/* A piece of memory that doesn't cross 64 KiB; length 0 means 64 KiB. */
struct descriptor {
	uint32_t address;
	uint16_t length, flags;
};
#define DESCRIPTOR_LAST 0x8000u
#define DESCRIPTORS 512u

static struct descriptor *const table = (struct descriptor *)0x10000;

/* One command: at most what the table can describe at any alignment, and 65,536. */
#define DMA_SECTORS_MAX 16384u
#define PIO_SECTORS_MAX 256u

static struct {
	uint16_t command, control, master; /* master 0: no DMA */
	uint8_t drive;                     /* value of the drive register */
} disk;

/* ---- PCI ---------------------------------------------------------------- */

static uint32_t pci_read(uint32_t function, uint32_t offset)
{
	out32(0xcf8, 0x80000000u | function << 8 | offset);
	return in32(0xcfc);
}

static void pci_write(uint32_t function, uint32_t offset, uint32_t value)
{
	out32(0xcf8, 0x80000000u | function << 8 | offset);
	out32(0xcfc, value);
}

#define PCI_BUSES 8u
#define PCI_CLASS_IDE 0x0101u
#define PCI_NONE 0xffffffffu

/* Bus << 8 | device << 3 | function of the first IDE controller. */
static uint32_t pci_find_ide(void)
{
	for (uint32_t f = 0; f < PCI_BUSES << 8; f++) {
		if ((pci_read(f, 0x00) & 0xffff) == 0xffff)
			continue;
		if (pci_read(f, 0x08) >> 16 == PCI_CLASS_IDE)
			return f;
	}
	return PCI_NONE;
}

/* ---- one channel -------------------------------------------------------- */

/* Waits for BSY to go. The status then, or 0xff: gave up or nothing there. */
static uint8_t wait_ready(void)
{
	uint32_t start = timer_ticks;
	uint8_t status = in8(disk.control);

	for (uint32_t i = 0; status & STATUS_BSY; i++) {
		if (status == 0xff || timer_ticks - start > TIMEOUT)
			return 0xff;
		/* A command that isn't quick: let time pass. */
		if (i > 1000)
			interrupts_wait();
		status = in8(disk.control);
	}
	return status;
}

static void send_command(uint8_t command, uint32_t lba, uint32_t sectors)
{
	out8(disk.command + REG_DRIVE, disk.drive);
	/* The registers are two deep: the high bytes go first. */
	out8(disk.command + REG_COUNT, (uint8_t)(sectors >> 8));
	out8(disk.command + REG_LBA0, (uint8_t)(lba >> 24));
	out8(disk.command + REG_LBA1, 0);
	out8(disk.command + REG_LBA2, 0);
	out8(disk.command + REG_COUNT, (uint8_t)sectors);
	out8(disk.command + REG_LBA0, (uint8_t)lba);
	out8(disk.command + REG_LBA1, (uint8_t)(lba >> 8));
	out8(disk.command + REG_LBA2, (uint8_t)(lba >> 16));
	out8(disk.command + REG_COMMAND, command);
}

/* Fetches `sectors` sectors that a command brings through the data port. */
static const char *drain(uint32_t sectors, uint32_t to)
{
	for (; sectors; sectors--, to += SECTOR) {
		uint8_t status;

		/* The status is valid 400 ns after the command or the last word. */
		for (uint32_t i = 0; i < 4; i++)
			in8(disk.control);
		status = wait_ready();
		if (status == 0xff)
			return "the disk does not answer";
		if (status & (STATUS_ERR | STATUS_DF) || !(status & STATUS_DRQ))
			return "the disk reports a read error";
		in16_run(disk.command + REG_DATA, (void *)to, SECTOR / 2);
	}
	in8(disk.command + REG_COMMAND);
	return 0;
}

static const char *read_pio(uint32_t lba, uint32_t sectors, uint32_t to)
{
	send_command(CMD_READ_SECTORS_EXT, lba, sectors);
	return drain(sectors, to);
}

static const char *read_dma(uint32_t lba, uint32_t sectors, uint32_t to)
{
	uint32_t left = sectors * SECTOR, n = 0, start = timer_ticks;
	uint8_t status, master;

	while (left) {
		uint32_t piece = 0x10000 - (to & 0xffff);

		if (piece > left)
			piece = left;
		table[n++] = (struct descriptor){ to, (uint16_t)piece, 0 };
		to += piece;
		left -= piece;
	}
	table[n - 1].flags = DESCRIPTOR_LAST;

	out8(disk.master + BM_COMMAND, 0);
	out32(disk.master + BM_TABLE, (uint32_t)table);
	out8(disk.master + BM_STATUS, in8(disk.master + BM_STATUS) | BM_STATUS_ERROR | BM_STATUS_IRQ);
	out8(disk.master + BM_COMMAND, BM_COMMAND_READ);
	send_command(CMD_READ_DMA_EXT, lba, sectors);
	out8(disk.master + BM_COMMAND, BM_COMMAND_READ | BM_COMMAND_START);
	for (;;) {
		master = in8(disk.master + BM_STATUS);
		if (!(master & BM_STATUS_ACTIVE) || master & (BM_STATUS_ERROR | BM_STATUS_IRQ))
			break;
		if (timer_ticks - start > TIMEOUT)
			return "a DMA read does not end";
		interrupts_wait();
	}
	out8(disk.master + BM_COMMAND, 0);
	status = wait_ready();
	in8(disk.command + REG_COMMAND); /* takes the interrupt back */
	out8(disk.master + BM_STATUS, BM_STATUS_ERROR | BM_STATUS_IRQ);
	if (master & BM_STATUS_ERROR || status & (STATUS_ERR | STATUS_DF | STATUS_DRQ))
		return "the disk reports a DMA read error";
	return 0;
}

const char *ide_read(uint32_t lba, uint32_t sectors, uint32_t to)
{
	while (sectors) {
		uint32_t most = disk.master ? DMA_SECTORS_MAX : PIO_SECTORS_MAX;
		uint32_t n = sectors < most ? sectors : most;
		const char *why = disk.master ? read_dma(lba, n, to) : read_pio(lba, n, to);

		if (why)
			return why;
		lba += n;
		sectors -= n;
		to += n * SECTOR;
	}
	return 0;
}

bool ide_has_dma(void)
{
	return disk.master != 0;
}

/* ---- finding the disk --------------------------------------------------- */

#define BUFFER 0x20000u

/* Whether an ATA disk with 48-bit addresses is selected in `disk`. */
static bool identify(void)
{
	const uint16_t *words = (const uint16_t *)BUFFER;

	out8(disk.control, 0); /* interrupts on, no reset */
	out8(disk.command + REG_DRIVE, disk.drive);
	for (uint32_t i = 0; i < 4; i++)
		in8(disk.control);
	/* A floating bus reads as ones; an absent second drive as zero. */
	if (in8(disk.control) == 0xff || wait_ready() & (STATUS_BSY | STATUS_DRQ))
		return false;
	out8(disk.command + REG_COMMAND, CMD_IDENTIFY);
	if (in8(disk.control) == 0)
		return false;
	/* CD-ROM drives abort this command. */
	if (drain(1, BUFFER))
		return false;
	return words[83] & 1u << 10;
}

static bool same_sector(const void *a, const void *b)
{
	const uint32_t *x = a, *y = b;

	for (uint32_t i = 0; i < SECTOR / 4; i++)
		if (x[i] != y[i])
			return false;
	return true;
}

const char *ide_open(const void *first_sector)
{
	static const uint16_t legacy[2][2] = { { 0x1f0, 0x3f6 }, { 0x170, 0x376 } };
	uint32_t f = pci_find_ide(), bar, interface = 0, master = 0;
	bool any = false;

	if (f != PCI_NONE) {
		interface = pci_read(f, 0x08) >> 8 & 0xff;
		/* Interface bit 7: the controller can be bus master, through BAR 4. */
		bar = pci_read(f, 0x20);
		if (interface & 0x80 && bar & 1)
			master = bar & 0xfffc;
		/* I/O on, and DMA if wanted. The upper half is status: writing 1 clears. */
		pci_write(f, 0x04, (pci_read(f, 0x04) & 0xffff) | 1 | (master ? 4 : 0));
	}
	for (uint32_t i = 0; i < 4; i++) {
		uint32_t channel = i >> 1;

		disk.command = legacy[channel][0];
		disk.control = legacy[channel][1];
		/* Interface bits 0 and 2: the channel is where the BARs say. */
		if (interface & 1u << channel * 2) {
			disk.command = pci_read(f, 0x10 + channel * 8) & 0xfffc;
			disk.control = (pci_read(f, 0x14 + channel * 8) & 0xfffc) + 2;
		}
		disk.master = 0;
		disk.drive = (uint8_t)(0xe0 | (i & 1) << 4);
		if (!identify())
			continue;
		any = true;
		if (ide_read(0, 1, BUFFER) || !same_sector((const void *)BUFFER, first_sector))
			continue;
		if (master)
			disk.master = (uint16_t)(master + channel * 8);
		return 0;
	}
	return any ? "no IDE disk holds this boot sector" : "no IDE disk with 48-bit addresses found";
}
