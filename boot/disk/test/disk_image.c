/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Makes the disk that the disk loader's test boots: the loader, and an image of
 * segments that exercise what a loader can get wrong.
 *
 *	disk_image LOADER PAYLOAD OUT [DEFECT]
 *
 * A DEFECT makes an image that the loader must refuse: elf, low, high, long, entry.
 */
#include <elf.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "layout.h"

#define SECTOR 512u

static uint8_t image[PATTERN_SIZE + (2u << 20)];
static uint32_t image_size = SECTOR * 2;
static uint8_t loader[65536];
static uint8_t payload[65536];
static Elf32_Ehdr header = {
	.e_ident = { 0x7f, 'E', 'L', 'F', ELFCLASS32, ELFDATA2LSB, EV_CURRENT },
	.e_type = ET_EXEC,
	.e_machine = EM_386,
	.e_version = EV_CURRENT,
	.e_entry = PAYLOAD_BASE,
	.e_phoff = sizeof(Elf32_Ehdr),
	.e_ehsize = sizeof(Elf32_Ehdr),
	.e_phentsize = sizeof(Elf32_Phdr),
};
static Elf32_Phdr segments[4];

static void die(const char *what)
{
	perror(what);
	exit(1);
}

static size_t slurp(const char *path, uint8_t *to, size_t room)
{
	FILE *f = fopen(path, "rb");
	size_t n;

	if (!f)
		die(path);
	n = fread(to, 1, room, f);
	fclose(f);
	return n;
}

/* Adds a segment whose file bytes begin at `skew` within a sector. */
static uint8_t *segment(uint32_t address, uint32_t size, uint32_t memory, uint32_t skew)
{
	uint32_t offset = (image_size + SECTOR - 1) / SECTOR * SECTOR + skew;

	segments[header.e_phnum++] = (Elf32_Phdr){
		.p_type = PT_LOAD, .p_offset = offset, .p_vaddr = address, .p_paddr = address,
		.p_filesz = size, .p_memsz = memory, .p_flags = PF_R | PF_W | PF_X, .p_align = 1,
	};
	image_size = offset + size;
	return image + offset;
}

int main(int argc, char **argv)
{
	const char *defect = argc == 5 ? argv[4] : "";
	size_t loader_size, payload_size;
	uint32_t lba, sectors, *words;
	FILE *out;

	if (argc < 4) {
		fprintf(stderr, "usage: disk_image LOADER PAYLOAD OUT [DEFECT]\n");
		return 2;
	}
	loader_size = slurp(argv[1], loader, sizeof(loader));
	payload_size = slurp(argv[2], payload, sizeof(payload));

	memcpy(segment(PAYLOAD_BASE, (uint32_t)payload_size, (uint32_t)payload_size, 0), payload, payload_size);
	memcpy(segment(ODD_BASE, sizeof(ODD_TEXT), sizeof(ODD_TEXT), 77), ODD_TEXT, sizeof(ODD_TEXT));
	/* The next one's tail must be zeroed over these. */
	memset(segment(ZEROES_BASE, ZEROES_SIZE, ZEROES_SIZE, 0), 0xff, ZEROES_SIZE);
	words = (uint32_t *)segment(PATTERN_BASE, PATTERN_SIZE, PATTERN_SIZE + ZEROES_SIZE, 0);
	for (uint32_t i = 0; i < PATTERN_SIZE / 4; i++)
		words[i] = (PATTERN_BASE + 4 * i) * PATTERN_FACTOR;

	if (!strcmp(defect, "elf"))
		header.e_machine = EM_ARM;
	else if (!strcmp(defect, "low"))
		segments[1].p_paddr = 0x9000;
	else if (!strcmp(defect, "high"))
		segments[1].p_paddr = 0xfff00000;
	else if (!strcmp(defect, "long"))
		segments[1].p_offset = image_size + SECTOR;
	else if (!strcmp(defect, "entry"))
		header.e_entry = PATTERN_BASE - 4;
	memcpy(image, &header, sizeof(header));
	memcpy(image + sizeof(header), segments, sizeof(segments));

	lba = (uint32_t)(loader_size / SECTOR) + 3;
	sectors = (image_size + SECTOR - 1) / SECTOR;
	for (size_t i = 0; i + 16 <= loader_size; i++) {
		if (!memcmp(loader + i, "RVLNDISK", 8)) {
			memcpy(loader + i + 8, &lba, 4);
			memcpy(loader + i + 12, &sectors, 4);
		}
	}
	out = fopen(argv[3], "wb");
	if (!out || fwrite(loader, 1, loader_size, out) != loader_size)
		die(argv[3]);
	if (fseek(out, (long)(lba * SECTOR), SEEK_SET) || fwrite(image, SECTOR, sectors, out) != sectors)
		die(argv[3]);
	/* Bochs wants whole cylinders of 16 heads and 63 sectors. */
	if (fseek(out, (long)(((lba + sectors) / 1008 + 1) * 1008 * SECTOR) - 1, SEEK_SET) || fputc(0, out) < 0)
		die(argv[3]);
	return fclose(out) ? 1 : 0;
}
