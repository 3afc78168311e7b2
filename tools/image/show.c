/* SPDX-License-Identifier: Apache-2.0 */
/* ravelin-image show: what is in an image, as tables that a person can check. */
#include "altp2m_policy.h"
#include "image.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define BAR_WIDTH 40u

/* "|  ####    |": which part of [0, whole) the range [from, to) is; at least one mark. */
static const char *bar(uint64_t from, uint64_t to, uint64_t whole)
{
	char *text = new_bytes(BAR_WIDTH + 3);
	double scale = (double)BAR_WIDTH / (double)whole;
	uint32_t first = (uint32_t)((double)from * scale), last = (uint32_t)((double)(to - 1) * scale);

	memset(text, '.', BAR_WIDTH + 2);
	text[0] = '|';
	text[BAR_WIDTH + 1] = '|';
	for (uint32_t i = first; i <= last && i < BAR_WIDTH; i++) {
		text[1 + i] = '#';
	}
	return text;
}

static void show_row(uint64_t from, uint64_t to, uint64_t whole, const char *what)
{
	printf("  0x%010" PRIx64 "  0x%010" PRIx64 "  %12s  %s  %s\n", from, to, size_text(to - from),
	       bar(from, to, whole), what);
}

static void show_memory(const struct image *i)
{
	const struct image_load *last = &i->loads[i->load_count - 1];
	uint64_t end = last->address + last->memory_size;
	const struct pack_header *h = i->manifest.header;

	printf("\nphysical memory once loaded\n  %-12s  %-12s  %12s\n", "from", "to", "size");
	for (uint32_t n = 0; n < i->load_count; n++) {
		const struct image_load *l = &i->loads[n];

		if (l->address == i->pack_address) {
			show_row(l->address, l->address + h->payload, end, "pack: manifest");
			show_row(l->address + h->payload, l->address + l->memory_size, end,
				 "pack: kernels and ramdisks");
		} else {
			show_row(l->address, l->address + l->memory_size, end, "hypervisor");
		}
	}
}

static void show_domains(const struct manifest *m)
{
	static const char *const modes[] = {"disabled", "mixed", "external", "limited"};
	static const char *const levels[] = {"open", "guarded", "fused"};

	printf("\n  id  %-16s  control  vcpus  %10s  weight  %-10s  tables  %-8s  %-7s  withdrawn\n",
	       "domain", "memory", "entry", "altp2m", "level");
	for (uint32_t i = 0; i < m->header->domain_count; i++) {
		const struct pack_domain *d = &m->domains[i];

		printf("  %2" PRIu32 "  %-16s  %-7s  %5" PRIu32 "  %10s  %6" PRIu32 "  0x%08" PRIx32
		       "  %6" PRIu32 "  %-8s  %-7s  ",
		       i, d->name, (d->flags & PACK_DOMAIN_CONTROL) != 0 ? "yes" : "no", d->vcpus,
		       memory_text(d->memory), d->weight, d->entry, d->table_budget, modes[d->altp2m_mode],
		       levels[d->level]);
		if (d->capabilities == 0) {
			fputs("-", stdout);
		}
		for (uint32_t row = 0; row < ALTP2M_OPS; row++) {
			if ((d->capabilities >> row & 1) != 0) {
				printf("%s ", altp2m_rules[row].name);
			}
		}
		putchar('\n');
	}
}

static void show_domain_contents(const struct image *i, const struct pack_domain *d)
{
	const struct manifest *m = &i->manifest;
	struct piece pieces[PACK_SEGMENTS_MAX];
	struct piece ramdisk = {i->pack + d->ramdisk, d->ramdisk_size};

	printf("\n%s: %s of guest-physical memory\n", d->name, memory_text(d->memory));
	for (uint32_t n = 0; n < d->segment_count; n++) {
		const struct pack_segment *s = &m->segments[d->segment_first + n];

		pieces[n] = (struct piece){i->pack + s->offset, s->file_size};
		show_row(s->gpa, s->gpa + s->memory_size, d->memory,
			 new_text("kernel, %s at 0x%" PRIx64 " in the pack", size_text(s->file_size),
				  s->offset));
	}
	printf("  kernel   sha256 %s (segments)\n", hash_text(pieces, d->segment_count));
	if (d->ramdisk_size != 0) {
		printf("  ramdisk  sha256 %s (%s at 0x%" PRIx64 " in the pack)\n", hash_text(&ramdisk, 1),
		       size_text(d->ramdisk_size), d->ramdisk);
	}
	printf("  cmdline  \"%s\"\n", manifest_string(m, d->cmdline));
}

enum status command_show(int argc, char **argv)
{
	enum status status;
	struct image *i;
	struct piece all, pack;

	if (getopt(argc, argv, "") != -1 || optind + 1 != argc) {
		complain("ravelin-image show: expected one image or disk");
		return STATUS_MISTAKE;
	}
	i = new_bytes(sizeof(*i));
	status = image_open(i, argv[optind]);
	if (status != STATUS_OK) {
		return status;
	}
	all = (struct piece){i->file->bytes, i->file->size};
	pack = (struct piece){i->pack, i->pack_size};
	printf("%-8s %s, %s%s\n", i->elf_offset != 0 ? "disk" : "image", i->file->path,
	       size_text(i->file->size),
	       i->elf_offset == 0 ? "" : new_text(", image at sector %" PRIu64, i->elf_offset / SECTOR));
	printf("%-8s %s\n", "sha256", hash_text(&all, 1));
	printf("%-8s 0x%08" PRIx32 "\n", "entry", i->entry);
	printf("%-8s 0x%08" PRIx64 ", %s, sha256 %s\n", "pack", i->pack_address, size_text(i->pack_size),
	       hash_text(&pack, 1));
	printf("%-8s \"%s\"\n", "options", manifest_string(&i->manifest, i->manifest.header->options));
	show_domains(&i->manifest);
	show_memory(i);
	for (uint32_t n = 0; n < i->manifest.header->domain_count; n++) {
		show_domain_contents(i, &i->manifest.domains[n]);
	}
	return STATUS_OK;
}
