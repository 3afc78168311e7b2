/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ravelin-image disk: loader, image, and zeroes up to a whole cylinder, which is
 * what emulators with a disk geometry want. The loader learns where the image is
 * from struct disk_ref.
 */
#include "image.h"

#include <inttypes.h>
#include <string.h>
#include <unistd.h>

#define CYLINDER (16u * 63u * SECTOR)

int64_t disk_ref_find(const uint8_t *loader, uint64_t size)
{
	for (uint64_t at = 0; at + sizeof(struct disk_ref) <= size; at++) {
		if (memcmp(loader + at, DISK_MAGIC, 8) == 0) {
			return (int64_t)at;
		}
	}
	return -1;
}

static enum status write_disk(const struct file *loader, const struct file *image, const char *path)
{
	uint8_t *boot = new_bytes(loader->size);
	int64_t at = disk_ref_find(loader->bytes, loader->size);
	uint64_t size = loader->size + image->size, whole;
	struct disk_ref ref;
	struct output out;
	bool good;

	if (loader->size == 0 || loader->size % SECTOR != 0) {
		complain("%s: is %" PRIu64 " bytes long; expected whole sectors of 512 bytes", loader->path,
			 loader->size);
		return STATUS_MISTAKE;
	}
	if (at < 0 || disk_ref_find(loader->bytes + at + 1, loader->size - (uint64_t)at - 1) >= 0) {
		complain("%s: has %s \"" DISK_MAGIC
			 "\"; expected exactly one, with 8 bytes to fill in behind it",
			 loader->path, at < 0 ? "no" : "more than one");
		return STATUS_MISTAKE;
	}
	memcpy(boot, loader->bytes, loader->size);
	memcpy(ref.magic, DISK_MAGIC, sizeof(ref.magic));
	ref.lba = (uint32_t)(loader->size / SECTOR);
	ref.sectors = (uint32_t)((image->size + SECTOR - 1) / SECTOR);
	memcpy(boot + at, &ref, sizeof(ref));
	whole = (size + CYLINDER - 1) / CYLINDER * CYLINDER;
	if (!output_begin(&out, path)) {
		return STATUS_TROUBLE;
	}
	good = output_write(&out, boot, loader->size) && output_write(&out, image->bytes, image->size) &&
	       output_write(&out, new_bytes(whole - size), whole - size);
	if (!output_end(&out, good)) {
		return STATUS_TROUBLE;
	}
	say("wrote %s: image at sector %" PRIu32 ", %" PRIu32 " sectors, %s in all", path, ref.lba,
	    ref.sectors, size_text(whole));
	return STATUS_OK;
}

enum status command_disk(int argc, char **argv)
{
	const char *loader_path = NULL, *out = NULL, *wrong;
	const struct file *loader;
	enum status status;
	struct image *image;
	int option;

	while ((option = getopt(argc, argv, "ql:o:")) != -1) {
		switch (option) {
		case 'q':
			quiet = true;
			break;
		case 'l':
			loader_path = optarg;
			break;
		case 'o':
			out = optarg;
			break;
		default:
			return STATUS_MISTAKE;
		}
	}
	if (optind + 1 != argc || loader_path == NULL || out == NULL) {
		complain("ravelin-image disk: expected -l loader.bin, -o disk.img and one image");
		return STATUS_MISTAKE;
	}
	wrong = file_read(loader_path, &loader);
	if (wrong != NULL) {
		complain("%s: %s; expected the disk loader", loader_path, wrong);
		return STATUS_MISTAKE;
	}
	image = new_bytes(sizeof(*image));
	status = image_open(image, argv[optind]);
	if (status != STATUS_OK) {
		return status;
	}
	if (image->elf_offset != 0) {
		complain("%s: is a disk already; expected an image", argv[optind]);
		return STATUS_MISTAKE;
	}
	return write_disk(loader, image->file, out);
}
