/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Checks the boot manifest before anything believes it.
 *
 * The pack comes from our own image builder, but it crosses a boot loader and a
 * disk on its way. After manifest_open has said yes, no reader of the manifest
 * needs to check an offset, a count or a string again.
 */
#include "altp2m_policy.h"
#include "limits.h"
#include "manifest.h"

/* [offset, offset + length) lies in [start, end). An empty range may begin at end. */
static bool within(uint64_t offset, uint64_t length, uint64_t start, uint64_t end)
{
	return start <= offset && offset <= end && length <= end - offset;
}

static const char *check_header(const void *base, uint64_t visible, uint64_t size)
{
	const struct pack_header *h = base;

	if ((uintptr_t)base % sizeof(uint64_t) != 0) {
		return "the pack is not 8-byte aligned in memory";
	}
	if (visible < sizeof(*h)) {
		return "the pack is shorter than its header";
	}
	if (h->magic != PACK_MAGIC) {
		return "the pack has the wrong magic number";
	}
	if (h->version != PACK_VERSION) {
		return "the pack is of another version than this hypervisor";
	}
	if (h->reserved != 0) {
		return "the header's reserved field is not 0";
	}
	if (h->size != size) {
		return "the pack's size is not the one the image says";
	}
	if (h->payload % PAGE_SIZE != 0) {
		return "the payload is not page-aligned";
	}
	if (h->payload > size || h->payload > visible) {
		return "the payload begins beyond the end of the pack";
	}
	return NULL;
}

static const char *check_tables(const struct pack_header *h)
{
	if (h->domain_count < 1 || h->domain_count > DOMAINS_MAX) {
		return "the number of domains is 0 or above the limit";
	}
	if (h->segment_count > DOMAINS_MAX * PACK_SEGMENTS_MAX) {
		return "the number of segments is above the limit";
	}
	if (h->domains % sizeof(uint64_t) != 0 || h->segments % sizeof(uint64_t) != 0) {
		return "a table is not 8-byte aligned";
	}
	/* Neither product can overflow: the counts are bounded above. */
	if (!within(h->domains, h->domain_count * sizeof(struct pack_domain), sizeof(*h), h->payload)) {
		return "the domain table leaves the part before the payload";
	}
	if (!within(h->segments, h->segment_count * sizeof(struct pack_segment), sizeof(*h), h->payload)) {
		return "the segment table leaves the part before the payload";
	}
	return NULL;
}

enum text_fault { TEXT_SOUND, TEXT_TOO_LONG, TEXT_OUTSIDE, TEXT_NUL };

/* A string of exactly `length` bytes before its NUL, all of it before the payload. */
static enum text_fault check_text(const struct pack_header *h, uint64_t offset, uint64_t length)
{
	const char *text;

	if (length >= PACK_TEXT_MAX) {
		return TEXT_TOO_LONG;
	}
	if (!within(offset, length + 1, sizeof(*h), h->payload)) {
		return TEXT_OUTSIDE;
	}
	text = (const char *)h + offset;
	for (uint64_t i = 0; i < length; i++) {
		if (text[i] == '\0') {
			return TEXT_NUL;
		}
	}
	return text[length] == '\0' ? TEXT_SOUND : TEXT_NUL;
}

/* The part of a segment that stands alone; its place in the guest is check_kernel's. */
static const char *check_segment(const struct pack_header *h, const struct pack_segment *s)
{
	if (s->memory_size == 0 || s->file_size > s->memory_size) {
		return "a segment is empty or has more bytes in the file than in memory";
	}
	if (s->gpa + s->memory_size < s->gpa) {
		return "a segment wraps around the guest's address space";
	}
	if (!within(s->offset, s->file_size, h->payload, h->size)) {
		return "a segment's bytes are not in the payload";
	}
	return NULL;
}

static const char *check_name(const char *name)
{
	uint32_t length = 0;

	while (length < PACK_NAME_MAX && name[length] != '\0') {
		if (name[length] < ' ' || name[length] > '~') {
			return "a domain's name has an unprintable byte";
		}
		length++;
	}
	if (length == PACK_NAME_MAX) {
		return "a domain's name has no NUL";
	}
	return length == 0 ? "a domain has no name" : NULL;
}

/* Both have passed check_name. */
static bool same_name(const char *a, const char *b)
{
	for (uint32_t i = 0; i < PACK_NAME_MAX; i++) {
		if (a[i] != b[i]) {
			return false;
		}
		if (a[i] == '\0') {
			break;
		}
	}
	return true;
}

static const char *check_settings(const struct pack_domain *d)
{
	if ((d->flags & ~PACK_DOMAIN_CONTROL) != 0) {
		return "a domain has an unknown flag";
	}
	if (d->vcpus < 1 || d->vcpus > DOMAIN_VCPUS_MAX) {
		return "a domain's number of vCPUs is 0 or above the limit";
	}
	if (d->memory == 0 || d->memory > PACK_MEMORY_MAX || d->memory % PAGE_SIZE != 0) {
		return "a domain's memory is 0, above the limit or not a multiple of 4096";
	}
	if (d->table_budget == 0) {
		return "a domain's table budget is 0";
	}
	if (d->altp2m_mode > PACK_ALTP2M_LIMITED) {
		return "a domain's altp2m mode is unknown";
	}
	if (d->capabilities >> ALTP2M_OPS != 0) {
		return "a domain withdraws an altp2m sub-op that does not exist";
	}
	if (d->level > PACK_FUSED) {
		return "a domain's level of protection is unknown";
	}
	if (d->weight < 1 || d->weight > 65535) {
		return "a domain's weight is not in 1 .. 65535";
	}
	return NULL;
}

/* The segments have passed check_segment. */
static const char *check_kernel(const struct manifest *m, const struct pack_domain *d)
{
	bool entry_inside = false;

	if (d->segment_count < 1 || d->segment_count > PACK_SEGMENTS_MAX) {
		return "a domain's number of kernel segments is 0 or above the limit";
	}
	if (!within(d->segment_first, d->segment_count, 0, m->header->segment_count)) {
		return "a domain's segments are not in the segment table";
	}
	for (uint32_t i = 0; i < d->segment_count; i++) {
		const struct pack_segment *s = &m->segments[d->segment_first + i];

		if (!within(s->gpa, s->memory_size, 0, d->memory)) {
			return "a domain's kernel does not fit its memory";
		}
		for (uint32_t j = 0; j < i; j++) {
			const struct pack_segment *t = &m->segments[d->segment_first + j];

			if (s->gpa < t->gpa + t->memory_size && t->gpa < s->gpa + s->memory_size) {
				return "a domain's kernel segments overlap";
			}
		}
		if (d->entry >= s->gpa && d->entry - s->gpa < s->memory_size) {
			entry_inside = true;
		}
	}
	return entry_inside ? NULL : "a domain's entry is in none of its segments";
}

static const char *check_domain(const struct manifest *m, const struct pack_domain *d)
{
	const struct pack_header *h = m->header;
	const char *wrong;

	wrong = check_name(d->name);
	if (wrong != NULL) {
		return wrong;
	}
	wrong = check_settings(d);
	if (wrong != NULL) {
		return wrong;
	}
	wrong = check_kernel(m, d);
	if (wrong != NULL) {
		return wrong;
	}
	if (d->ramdisk_size != 0) {
		if (!within(d->ramdisk, d->ramdisk_size, h->payload, h->size)) {
			return "a domain's ramdisk is not in the payload";
		}
		if (d->ramdisk_size > d->memory) {
			return "a domain's ramdisk does not fit its memory";
		}
	}
	switch (check_text(h, d->cmdline, d->cmdline_length)) {
	case TEXT_SOUND:
		return NULL;
	case TEXT_TOO_LONG:
		return "a domain's command line is too long";
	case TEXT_OUTSIDE:
		return "a domain's command line leaves the part before the payload";
	case TEXT_NUL:
		break;
	}
	return "a domain's command line has its NUL in the wrong place";
}

static const char *check_options(const struct pack_header *h)
{
	switch (check_text(h, h->options, h->options_length)) {
	case TEXT_SOUND:
		return NULL;
	case TEXT_TOO_LONG:
		return "the options are too long";
	case TEXT_OUTSIDE:
		return "the options leave the part before the payload";
	case TEXT_NUL:
		break;
	}
	return "the options have their NUL in the wrong place";
}

/* The rows of both tables one by one, then what they must be together. m->index tells which. */
static const char *check_rows(struct manifest *m)
{
	const struct pack_header *h = m->header;
	const char *wrong;
	uint32_t controls = 0;

	for (m->index = 0; m->index < h->segment_count; m->index++) {
		wrong = check_segment(h, &m->segments[m->index]);
		if (wrong != NULL) {
			return wrong;
		}
	}
	for (m->index = 0; m->index < h->domain_count; m->index++) {
		const struct pack_domain *d = &m->domains[m->index];

		wrong = check_domain(m, d);
		if (wrong != NULL) {
			return wrong;
		}
		if ((d->flags & PACK_DOMAIN_CONTROL) != 0 && ++controls > 1) {
			return "there is more than one control domain";
		}
		for (uint32_t i = 0; i < m->index; i++) {
			if (same_name(d->name, m->domains[i].name)) {
				return "two domains have the same name";
			}
		}
	}
	m->index = 0;
	return NULL;
}

const char *manifest_open(const void *base, uint64_t visible, uint64_t size, struct manifest *out)
{
	const struct pack_header *h = base;
	struct manifest m = {.header = h};
	const char *wrong;

	*out = (struct manifest){.header = NULL};
	wrong = check_header(base, visible, size);
	if (wrong != NULL) {
		return wrong;
	}
	wrong = check_tables(h);
	if (wrong != NULL) {
		return wrong;
	}
	wrong = check_options(h);
	if (wrong != NULL) {
		return wrong;
	}
	m.domains = (const void *)((const char *)base + h->domains);
	m.segments = (const void *)((const char *)base + h->segments);
	wrong = check_rows(&m);
	if (wrong != NULL) {
		out->index = m.index;
		return wrong;
	}
	*out = m;
	return NULL;
}

const char *manifest_string(const struct manifest *m, uint64_t offset)
{
	return (const char *)m->header + offset;
}
