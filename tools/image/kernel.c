/* SPDX-License-Identifier: Apache-2.0 */
/* A guest kernel: its loadable segments and its PVH entry. */
#include "image.h"

#include <gelf.h>
#include <inttypes.h>
#include <string.h>

#define NOTE_PHYS32_ENTRY 18 /* XEN_ELFNOTE_PHYS32_ENTRY */

/* Looks for the note in one PT_NOTE segment or note section; true if *entry is set. */
static bool find_entry(Elf_Data *data, uint64_t *entry)
{
	size_t next, at = 0, name, desc;
	GElf_Nhdr note;

	if (data == NULL) {
		return false;
	}
	while ((next = gelf_getnote(data, at, &note, &name, &desc)) != 0) {
		const uint8_t *bytes = (const uint8_t *)data->d_buf;
		uint32_t entry32;

		at = next;
		if (note.n_type != NOTE_PHYS32_ENTRY || note.n_namesz != 4 ||
		    memcmp(bytes + name, "Xen", 4) != 0) {
			continue;
		}
		if (note.n_descsz == 4) {
			memcpy(&entry32, bytes + desc, 4);
			*entry = entry32;
			return true;
		}
		if (note.n_descsz == 8) {
			memcpy(entry, bytes + desc, 8);
			return true;
		}
	}
	return false;
}

/*
 * Bytes up to the last one that is not zero, in whole pages: the rest is as good
 * as bss, and a vmlinux out of a bzImage has its bss in the file.
 */
static uint64_t trim(const uint8_t *bytes, uint64_t size)
{
	uint64_t used = size;

	while (used > 0 && bytes[used - 1] == 0) {
		used--;
	}
	used = (used + PAGE_MASK) & ~PAGE_MASK;
	return used < size ? used : size;
}

static const char *add_segment(struct kernel *k, const GElf_Phdr *ph)
{
	struct kernel_segment *s = &k->segments[k->segment_count];

	if (k->segment_count == PACK_SEGMENTS_MAX) {
		return new_text("has more than %u loadable segments", PACK_SEGMENTS_MAX);
	}
	if (ph->p_filesz > ph->p_memsz || ph->p_offset > k->elf_size ||
	    ph->p_filesz > k->elf_size - ph->p_offset || ph->p_paddr + ph->p_memsz < ph->p_paddr) {
		return "is damaged: a segment leaves the file; expected a whole ELF file";
	}
	s->gpa = ph->p_paddr;
	s->bytes = k->elf + ph->p_offset;
	s->file_size = trim(s->bytes, ph->p_filesz);
	s->memory_size = ph->p_memsz;
	for (uint32_t i = 0; i < k->segment_count; i++) {
		const struct kernel_segment *t = &k->segments[i];

		if (s->gpa < t->gpa + t->memory_size && t->gpa < s->gpa + s->memory_size) {
			return new_text("has segments that overlap: 0x%" PRIx64 " .. 0x%" PRIx64
					" and 0x%" PRIx64 " .. 0x%" PRIx64,
					t->gpa, t->gpa + t->memory_size, s->gpa, s->gpa + s->memory_size);
		}
	}
	k->segment_count++;
	return NULL;
}

static const char *read_elf(struct kernel *k, Elf *elf)
{
	uint64_t entry = 0;
	bool found = false;
	const char *wrong;
	GElf_Ehdr header;
	GElf_Phdr ph;
	size_t count;

	if (elf == NULL || elf_kind(elf) != ELF_K_ELF || gelf_getehdr(elf, &header) == NULL ||
	    elf_getphdrnum(elf, &count) != 0) {
		return "is not a sound ELF file";
	}
	if (header.e_ident[EI_DATA] != ELFDATA2LSB ||
	    (header.e_machine != EM_386 && header.e_machine != EM_X86_64)) {
		return "is for another kind of CPU; expected x86";
	}
	for (size_t i = 0; i < count; i++) {
		if (gelf_getphdr(elf, (int)i, &ph) == NULL) {
			return "is damaged: its program headers leave the file; expected a whole ELF file";
		}
		if (ph.p_type == PT_LOAD && ph.p_memsz != 0) {
			wrong = add_segment(k, &ph);
			if (wrong != NULL) {
				return wrong;
			}
		}
		if (ph.p_type == PT_NOTE && !found && ph.p_offset <= k->elf_size &&
		    ph.p_filesz <= k->elf_size - ph.p_offset) {
			found = find_entry(elf_getdata_rawchunk(elf, (int64_t)ph.p_offset, ph.p_filesz,
								ph.p_align == 8 ? ELF_T_NHDR8 : ELF_T_NHDR),
					   &entry);
		}
	}
	if (!found) {
		return "is not a PVH kernel: it has no Xen note PHYS32_ENTRY; expected a kernel built with "
		       "CONFIG_PVH";
	}
	for (uint32_t i = 0; i < k->segment_count; i++) {
		const struct kernel_segment *s = &k->segments[i];

		if (entry >= s->gpa && entry - s->gpa < s->memory_size && entry <= UINT32_MAX) {
			k->entry = (uint32_t)entry;
			return NULL;
		}
	}
	return new_text("has its PVH entry 0x%" PRIx64 " outside its segments or above 4 GiB", entry);
}

static const char *open_new(const struct file *file, struct kernel *k)
{
	const char *wrong;
	Elf *elf;

	k->file = file;
	wrong = unpack_kernel(file, k);
	if (wrong != NULL) {
		return new_text("%s is %s", file->path, wrong);
	}
	elf_version(EV_CURRENT);
	elf = elf_memory((char *)k->elf, k->elf_size);
	wrong = read_elf(k, elf);
	elf_end(elf);
	return wrong == NULL ? NULL : new_text("%s %s", file->path, wrong);
}

const char *kernel_open(const struct file *file, const struct kernel **out)
{
	static struct known {
		struct known *next;
		struct kernel kernel;
		const char *wrong;
	} * all;
	struct known *k;

	for (k = all; k != NULL; k = k->next) {
		if (k->kernel.file == file) {
			break;
		}
	}
	if (k == NULL) {
		k = new_bytes(sizeof(*k));
		k->wrong = open_new(file, &k->kernel);
		k->next = all;
		all = k;
	}
	*out = &k->kernel;
	return k->wrong;
}
