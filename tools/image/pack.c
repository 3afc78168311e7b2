/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Lays the flat manifest out (hyp/include/manifest.h): tables and strings, then
 * the payload, each piece on a page of its own and equal pieces only once.
 */
#include "image.h"

#include <stdlib.h>
#include <string.h>

#define PIECES_MAX (DOMAINS_MAX * (PACK_SEGMENTS_MAX + 1))

/* Where everything goes; the first pass measures, the second writes. */
struct layout {
	uint64_t segments, text, payload, size;
	uint32_t segment_count, piece_count;
	struct placed {
		const uint8_t *bytes;
		uint64_t size, offset;
	} pieces[PIECES_MAX];
};

static uint64_t page_up(uint64_t n)
{
	return (n + PAGE_MASK) & ~PAGE_MASK;
}

/* The offset of these bytes in the payload; adds them unless they are there already. */
static uint64_t place(struct layout *l, const uint8_t *bytes, uint64_t size)
{
	struct placed *p;

	for (uint32_t i = 0; i < l->piece_count; i++) {
		p = &l->pieces[i];
		if (p->size == size && (p->bytes == bytes || memcmp(p->bytes, bytes, size) == 0)) {
			return p->offset;
		}
	}
	p = &l->pieces[l->piece_count++];
	p->bytes = bytes;
	p->size = size;
	p->offset = l->size;
	l->size = page_up(l->size + size);
	return p->offset;
}

static const char *cmdline_of(const struct domain_plan *d)
{
	return d->cmdline == NULL ? "" : d->cmdline;
}

static const char *options_of(const struct plan *p)
{
	return p->options == NULL ? "" : p->options;
}

static struct layout *lay_out(const struct plan *p)
{
	struct layout *l = new_bytes(sizeof(*l));

	for (uint32_t i = 0; i < p->domain_count; i++) {
		l->segment_count += p->domains[i].kernel->segment_count;
	}
	l->segments = sizeof(struct pack_header) + p->domain_count * sizeof(struct pack_domain);
	l->text = l->segments + l->segment_count * sizeof(struct pack_segment);
	l->payload = l->text + strlen(options_of(p)) + 1;
	for (uint32_t i = 0; i < p->domain_count; i++) {
		l->payload += strlen(cmdline_of(&p->domains[i])) + 1;
	}
	l->payload = page_up(l->payload);
	l->size = l->payload;
	for (uint32_t i = 0; i < p->domain_count; i++) {
		const struct domain_plan *d = &p->domains[i];

		for (uint32_t j = 0; j < d->kernel->segment_count; j++) {
			(void)place(l, d->kernel->segments[j].bytes, d->kernel->segments[j].file_size);
		}
		if (d->ramdisk != NULL) {
			(void)place(l, d->ramdisk->bytes, d->ramdisk->size);
		}
	}
	return l;
}

uint64_t pack_measure(const struct plan *p)
{
	return lay_out(p)->size;
}

static uint64_t put_text(uint8_t *pack, uint64_t *at, const char *text)
{
	uint64_t offset = *at;

	memcpy(pack + offset, text, strlen(text) + 1);
	*at += strlen(text) + 1;
	return offset;
}

static void put_domain(struct pack_domain *to, const struct domain_plan *d, struct layout *l)
{
	memcpy(to->name, d->name, sizeof(to->name));
	to->flags = d->control ? PACK_DOMAIN_CONTROL : 0;
	to->vcpus = d->vcpus;
	to->memory = d->memory;
	to->table_budget = d->table_budget;
	to->altp2m_mode = d->altp2m_mode;
	to->level = d->level;
	to->capabilities = d->capabilities;
	to->entry = d->kernel->entry;
	to->weight = d->weight;
	to->segment_count = d->kernel->segment_count;
	if (d->ramdisk != NULL) {
		to->ramdisk = place(l, d->ramdisk->bytes, d->ramdisk->size);
		to->ramdisk_size = d->ramdisk->size;
	}
	to->cmdline_length = strlen(cmdline_of(d));
}

const uint8_t *pack_make(const struct plan *p, uint64_t *size)
{
	struct layout *l = lay_out(p);
	uint8_t *pack = new_bytes(l->size);
	struct pack_header *h = (void *)pack;
	struct pack_segment *s = (void *)(pack + l->segments);
	uint64_t text = l->text;
	struct manifest check;
	const char *wrong;

	*h = (struct pack_header){
		.magic = PACK_MAGIC,
		.size = l->size,
		.version = PACK_VERSION,
		.domain_count = p->domain_count,
		.segment_count = l->segment_count,
		.domains = sizeof(*h),
		.segments = l->segments,
		.payload = l->payload,
		.options_length = strlen(options_of(p)),
	};
	h->options = put_text(pack, &text, options_of(p));
	for (uint32_t i = 0; i < p->domain_count; i++) {
		const struct domain_plan *d = &p->domains[i];
		struct pack_domain *to = (struct pack_domain *)(void *)(pack + h->domains) + i;

		put_domain(to, d, l);
		to->cmdline = put_text(pack, &text, cmdline_of(d));
		to->segment_first = (uint32_t)(s - (struct pack_segment *)(void *)(pack + l->segments));
		for (uint32_t j = 0; j < d->kernel->segment_count; j++) {
			const struct kernel_segment *from = &d->kernel->segments[j];

			*s++ = (struct pack_segment){.gpa = from->gpa,
						     .file_size = from->file_size,
						     .memory_size = from->memory_size,
						     .offset = place(l, from->bytes, from->file_size)};
		}
	}
	for (uint32_t i = 0; i < l->piece_count; i++) {
		memcpy(pack + l->pieces[i].offset, l->pieces[i].bytes, l->pieces[i].size);
	}
	/* What the hypervisor will refuse must not leave this tool. */
	wrong = manifest_open(pack, l->payload, l->size, &check);
	if (wrong != NULL) {
		complain("ravelin-image: made a pack that the hypervisor would refuse: %s (row %u)", wrong,
			 check.index);
		exit(STATUS_TROUBLE);
	}
	*size = l->size;
	return pack;
}
