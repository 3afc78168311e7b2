/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The image: one ELF32 executable that GRUB and QEMU load as a multiboot kernel,
 * QEMU and others as a PVH kernel, and our disk loader by its program headers.
 *
 * It has the hypervisor's segments at their physical addresses (virtual ones are
 * the same: boot loaders look at either) and, above them, the pack. Sections are
 * there only so that objdump shows what is what.
 */
#include "image.h"

#include <gelf.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MULTIBOOT_MAGIC	    0x1badb002u
#define MULTIBOOT_ADDRESSES 0x10000u /* flag: load by the header's fields, not as an ELF */
#define MULTIBOOT_WITHIN    8192u    /* bytes of the file in which loaders look */
#define NOTE_PHYS32_ENTRY   18
#define PACK_ADDRESS_LEAST  (32ull << 20)
#define PACK_ALIGN	    (2ull << 20)
#define FOUR_GIB	    (1ull << 32)
#define NOTES_MAX	    4u

/* The hypervisor as it comes from the linker. */
struct hypervisor {
	const struct file *file;
	Elf *elf;
	uint32_t entry;
	uint32_t load_count, note_count;
	struct load {
		uint64_t offset, file_size, memory_size, address, virtual;
		uint32_t flags;
		uint8_t *bytes; /* a copy, to be patched */
		uint64_t out_offset;
	} loads[IMAGE_LOADS_MAX];
	struct note {
		uint64_t offset, size, align;
	} notes[NOTES_MAX];
	uint64_t multiboot; /* file offset */
};

static uint64_t align_up(uint64_t n, uint64_t to)
{
	return (n + to - 1) / to * to;
}

/* The load segment that has file bytes [offset, offset + size), or NULL. */
static struct load *load_with(struct hypervisor *h, uint64_t offset, uint64_t size)
{
	for (uint32_t i = 0; i < h->load_count; i++) {
		struct load *l = &h->loads[i];

		if (offset >= l->offset && offset - l->offset <= l->file_size &&
		    size <= l->file_size - (offset - l->offset)) {
			return l;
		}
	}
	return NULL;
}

static const char *add_load(struct hypervisor *h, const GElf_Phdr *ph)
{
	struct load *l = &h->loads[h->load_count];

	if (h->load_count == IMAGE_LOADS_MAX - 1) {
		return new_text("has more loadable segments than %u", IMAGE_LOADS_MAX - 1);
	}
	if (ph->p_offset > h->file->size || ph->p_filesz > h->file->size - ph->p_offset ||
	    ph->p_filesz > ph->p_memsz) {
		return "has a segment that leaves the file; expected a whole ELF file";
	}
	if (ph->p_paddr >= FOUR_GIB || ph->p_memsz > FOUR_GIB - ph->p_paddr) {
		return new_text("has a segment at physical address 0x%" PRIx64 "; expected all below 4 GiB",
				(uint64_t)ph->p_paddr);
	}
	for (uint32_t i = 0; i < h->load_count; i++) {
		const struct load *o = &h->loads[i];

		if (ph->p_paddr < o->address + o->memory_size && o->address < ph->p_paddr + ph->p_memsz) {
			return "has segments that overlap in physical memory";
		}
	}
	l->offset = ph->p_offset;
	l->file_size = ph->p_filesz;
	l->memory_size = ph->p_memsz;
	l->address = ph->p_paddr;
	l->virtual = ph->p_vaddr;
	l->flags = ph->p_flags;
	l->bytes = new_bytes(l->file_size + 1);
	memcpy(l->bytes, h->file->bytes + l->offset, l->file_size);
	h->load_count++;
	return NULL;
}

static const char *find_multiboot(struct hypervisor *h)
{
	uint32_t word[3];

	for (uint64_t at = 0; at + sizeof(word) <= MULTIBOOT_WITHIN && at + sizeof(word) <= h->file->size;
	     at += 4) {
		memcpy(word, h->file->bytes + at, sizeof(word));
		if (word[0] != MULTIBOOT_MAGIC || word[0] + word[1] + word[2] != 0) {
			continue;
		}
		if ((word[1] & MULTIBOOT_ADDRESSES) != 0) {
			return "has a multiboot header with load addresses (flag 16); expected one without";
		}
		if (load_with(h, at, sizeof(word)) == NULL) {
			return "has its multiboot header outside the loadable segments";
		}
		h->multiboot = at;
		return NULL;
	}
	return "has no multiboot header; expected one in the first 8 KiB";
}

static const char *add_note(struct hypervisor *h, const GElf_Phdr *ph)
{
	if (h->note_count == NOTES_MAX) {
		return new_text("has more note segments than %u", NOTES_MAX);
	}
	if (load_with(h, ph->p_offset, ph->p_filesz) == NULL) {
		return "has a note segment outside the loadable segments";
	}
	h->notes[h->note_count++] = (struct note){ph->p_offset, ph->p_filesz, ph->p_align};
	return NULL;
}

static bool has_pvh_note(const struct hypervisor *h)
{
	for (uint32_t i = 0; i < h->note_count; i++) {
		Elf_Data *data = elf_getdata_rawchunk(h->elf, (int64_t)h->notes[i].offset, h->notes[i].size,
						      h->notes[i].align == 8 ? ELF_T_NHDR8 : ELF_T_NHDR);
		size_t at = 0, name, desc;
		GElf_Nhdr note;

		while (data != NULL && (at = gelf_getnote(data, at, &note, &name, &desc)) != 0) {
			if (note.n_type == NOTE_PHYS32_ENTRY && note.n_namesz == 4 &&
			    memcmp((char *)data->d_buf + name, "Xen", 4) == 0) {
				return true;
			}
		}
	}
	return false;
}

/* A physical entry as it is; a virtual one by the segment that it is in. */
static const char *find_entry(struct hypervisor *h, uint64_t entry)
{
	for (uint32_t i = 0; i < h->load_count; i++) {
		const struct load *l = &h->loads[i];

		if (entry >= l->address && entry - l->address < l->memory_size) {
			h->entry = (uint32_t)entry;
			return NULL;
		}
	}
	for (uint32_t i = 0; i < h->load_count; i++) {
		const struct load *l = &h->loads[i];

		if (entry >= l->virtual && entry - l->virtual < l->memory_size) {
			h->entry = (uint32_t)(entry - l->virtual + l->address);
			return NULL;
		}
	}
	return new_text("has its entry 0x%" PRIx64 " in none of its segments", entry);
}

static int by_address(const void *a, const void *b)
{
	const struct load *x = a, *y = b;

	return x->address < y->address ? -1 : x->address > y->address;
}

static const char *read_hypervisor(struct hypervisor *h)
{
	const char *wrong = NULL;
	GElf_Ehdr header;
	GElf_Phdr ph;
	size_t count;

	elf_version(EV_CURRENT);
	h->elf = elf_memory((char *)h->file->bytes, h->file->size);
	if (h->elf == NULL || elf_kind(h->elf) != ELF_K_ELF || gelf_getehdr(h->elf, &header) == NULL ||
	    elf_getphdrnum(h->elf, &count) != 0) {
		return "is not a sound ELF file";
	}
	if (header.e_ident[EI_DATA] != ELFDATA2LSB ||
	    (header.e_machine != EM_386 && header.e_machine != EM_X86_64)) {
		return "is for another kind of CPU; expected x86";
	}
	for (size_t i = 0; i < count && wrong == NULL; i++) {
		if (gelf_getphdr(h->elf, (int)i, &ph) == NULL) {
			return "has program headers that leave the file; expected a whole ELF file";
		}
		if (ph.p_type == PT_LOAD && ph.p_memsz != 0) {
			wrong = add_load(h, &ph);
		}
	}
	for (size_t i = 0; i < count && wrong == NULL; i++) {
		if (gelf_getphdr(h->elf, (int)i, &ph) != NULL && ph.p_type == PT_NOTE && ph.p_filesz != 0) {
			wrong = add_note(h, &ph);
		}
	}
	if (wrong != NULL) {
		return wrong;
	}
	if (!has_pvh_note(h)) {
		return "has no Xen note PHYS32_ENTRY in a note segment";
	}
	wrong = find_multiboot(h);
	if (wrong != NULL) {
		return wrong;
	}
	qsort(h->loads, h->load_count, sizeof(h->loads[0]), by_address);
	return find_entry(h, header.e_entry);
}

/* Tells the hypervisor where its pack is. The place is unfilled, so code that names the magic isn't it. */
static const char *patch_image_ref(struct hypervisor *h, uint64_t pack_address, uint64_t pack_size)
{
	static const struct image_ref unfilled = {.magic = IMAGE_REF_MAGIC};
	struct image_ref filled = {IMAGE_REF_MAGIC, pack_address, pack_size};
	uint8_t *found = NULL;

	for (uint32_t i = 0; i < h->load_count; i++) {
		struct load *l = &h->loads[i];

		for (uint64_t at = align_up(l->address, 8) - l->address;
		     at + sizeof(unfilled) <= l->file_size; at += 8) {
			if (memcmp(l->bytes + at, &unfilled, sizeof(unfilled)) != 0) {
				continue;
			}
			if (found != NULL) {
				return "has more than one unfilled struct image_ref; expected exactly one";
			}
			found = l->bytes + at;
		}
	}
	if (found == NULL) {
		return "has no unfilled struct image_ref; expected exactly one";
	}
	memcpy(found, &filled, sizeof(filled));
	return NULL;
}

/* Where each segment goes in the output: the one with the multiboot header first. */
static const char *lay_out(struct hypervisor *h, uint64_t *end)
{
	struct load *first = load_with(h, h->multiboot, 12);
	uint64_t at = PAGE_SIZE;

	first->out_offset = at + first->address % PAGE_SIZE;
	at = first->out_offset + first->file_size;
	if (first->out_offset + (h->multiboot - first->offset) + 12 > MULTIBOOT_WITHIN) {
		return "has its multiboot header too far from the start of its segment; expected it in the "
		       "segment's first 4 KiB";
	}
	for (uint32_t i = 0; i < h->load_count; i++) {
		struct load *l = &h->loads[i];

		if (l != first) {
			l->out_offset = align_up(at, PAGE_SIZE) + l->address % PAGE_SIZE;
			at = l->out_offset + l->file_size;
		}
	}
	*end = at;
	return NULL;
}

/* The writer. Sections get their names from one table, "\0.load0\0...". */
struct writer {
	Elf *elf;
	Elf32_Phdr *segments;
	uint32_t segment_count;
	char names[512];
	uint32_t names_size;
};

static bool put_section(struct writer *w, const char *name, const void *bytes, uint64_t size, uint64_t offset,
			const Elf32_Shdr *form)
{
	Elf_Scn *section = elf_newscn(w->elf);
	Elf_Data *data = section == NULL ? NULL : elf_newdata(section);
	Elf32_Shdr *header = section == NULL ? NULL : elf32_getshdr(section);
	size_t length = strlen(name) + 1;

	if (data == NULL || header == NULL || w->names_size + length > sizeof(w->names)) {
		return false;
	}
	*header = *form;
	header->sh_name = w->names_size;
	header->sh_offset = (Elf32_Off)offset;
	header->sh_size = (Elf32_Word)size;
	memcpy(w->names + w->names_size, name, length);
	w->names_size += (uint32_t)length;
	data->d_buf = (void *)bytes;
	data->d_size = size;
	data->d_type = ELF_T_BYTE;
	data->d_align = 1;
	return true;
}

static bool put_load(struct writer *w, const char *name, const struct load *l)
{
	Elf32_Word flags = SHF_ALLOC | ((l->flags & PF_W) != 0 ? SHF_WRITE : 0) |
			   ((l->flags & PF_X) != 0 ? SHF_EXECINSTR : 0);
	Elf32_Shdr form = {.sh_type = SHT_PROGBITS,
			   .sh_flags = flags,
			   .sh_addr = (Elf32_Addr)l->address,
			   .sh_addralign = 1};

	w->segments[w->segment_count++] = (Elf32_Phdr){
		.p_type = PT_LOAD,
		.p_offset = (Elf32_Off)l->out_offset,
		.p_vaddr = (Elf32_Addr)l->address,
		.p_paddr = (Elf32_Addr)l->address,
		.p_filesz = (Elf32_Word)l->file_size,
		.p_memsz = (Elf32_Word)l->memory_size,
		.p_flags = l->flags,
		.p_align = PAGE_SIZE,
	};
	return l->file_size == 0 || put_section(w, name, l->bytes, l->file_size, l->out_offset, &form);
}

static bool put_all(struct writer *w, struct hypervisor *h, const struct load *pack)
{
	uint64_t end = align_up(pack->out_offset + pack->file_size, 16);
	const Elf32_Shdr names = {.sh_type = SHT_STRTAB, .sh_addralign = 1};
	Elf32_Ehdr *header = elf32_newehdr(w->elf);

	w->segments = elf32_newphdr(w->elf, h->load_count + 1 + h->note_count);
	if (header == NULL || w->segments == NULL) {
		return false;
	}
	elf_flagelf(w->elf, ELF_C_SET, ELF_F_LAYOUT);
	header->e_ident[EI_DATA] = ELFDATA2LSB;
	header->e_type = ET_EXEC;
	header->e_machine = EM_386;
	header->e_version = EV_CURRENT;
	header->e_entry = h->entry;
	header->e_phoff = sizeof(*header);
	w->names_size = 1;
	for (uint32_t i = 0; i < h->load_count; i++) {
		if (!put_load(w, new_text(".load%" PRIu32, i), &h->loads[i])) {
			return false;
		}
	}
	if (!put_load(w, ".pack", pack)) {
		return false;
	}
	for (uint32_t i = 0; i < h->note_count; i++) {
		const struct note *n = &h->notes[i];
		const struct load *l = load_with(h, n->offset, n->size);
		uint64_t into = n->offset - l->offset;

		w->segments[w->segment_count++] = (Elf32_Phdr){
			.p_type = PT_NOTE,
			.p_offset = (Elf32_Off)(l->out_offset + into),
			.p_vaddr = (Elf32_Addr)(l->address + into),
			.p_paddr = (Elf32_Addr)(l->address + into),
			.p_filesz = (Elf32_Word)n->size,
			.p_memsz = (Elf32_Word)n->size,
			.p_flags = PF_R,
			.p_align = (Elf32_Word)n->align,
		};
	}
	/* The table of names names itself, so its size is known only now. */
	if (!put_section(w, ".shstrtab", w->names, w->names_size + sizeof(".shstrtab"), end, &names)) {
		return false;
	}
	header->e_shstrndx = (Elf32_Half)(h->load_count + 2);
	for (uint32_t i = 0; i < h->load_count; i++) {
		header->e_shstrndx -= h->loads[i].file_size == 0;
	}
	header->e_shoff = (Elf32_Off)align_up(end + w->names_size, 16);
	return elf_update(w->elf, ELF_C_WRITE) > 0;
}

static enum status write_elf(struct hypervisor *h, const char *path, const struct load *pack)
{
	struct writer w = {.elf = NULL};
	struct output out;
	bool good;

	if (!output_begin(&out, path)) {
		return STATUS_TROUBLE;
	}
	w.elf = elf_begin(out.fd, ELF_C_WRITE, NULL);
	good = w.elf != NULL && put_all(&w, h, pack);
	if (!good) {
		complain("%s: cannot be written: %s", path, elf_errmsg(-1));
	}
	elf_end(w.elf);
	return output_end(&out, good) ? STATUS_OK : STATUS_TROUBLE;
}

enum status image_write(const char *hypervisor, const char *out, const uint8_t *pack, uint64_t pack_size)
{
	struct hypervisor *h = new_bytes(sizeof(*h));
	struct load l = {
		.file_size = pack_size, .memory_size = pack_size, .flags = PF_R, .bytes = (uint8_t *)pack};
	enum status status = STATUS_MISTAKE;
	const struct load *last;
	const char *wrong;

	wrong = file_read(hypervisor, &h->file);
	if (wrong != NULL) {
		complain("%s: %s; expected the hypervisor's ELF file", hypervisor, wrong);
		return STATUS_MISTAKE;
	}
	wrong = read_hypervisor(h);
	if (wrong == NULL) {
		wrong = lay_out(h, &l.out_offset);
	}
	if (wrong == NULL) {
		last = &h->loads[h->load_count - 1];
		l.address = align_up(last->address + last->memory_size, PACK_ALIGN);
		l.address = l.address < PACK_ADDRESS_LEAST ? PACK_ADDRESS_LEAST : l.address;
		l.out_offset = align_up(l.out_offset, PAGE_SIZE);
		wrong = patch_image_ref(h, l.address, pack_size);
		if (wrong == NULL && l.address + pack_size > FOUR_GIB) {
			wrong = "leaves no room for the pack below 4 GiB";
		}
	}
	if (wrong != NULL) {
		complain("%s: %s", hypervisor, wrong);
	} else {
		status = write_elf(h, out, &l);
	}
	elf_end(h->elf);
	if (status == STATUS_OK) {
		say("wrote %s: pack at 0x%" PRIx64 ", %s", out, l.address,
		    size_text(l.out_offset + pack_size));
	}
	return status;
}

static int by_load_address(const void *a, const void *b)
{
	const struct image_load *x = a, *y = b;

	return x->address < y->address ? -1 : x->address > y->address;
}

/* Finds the filled image_ref and with it the pack, one of the segments. */
static const char *find_pack(struct image *i, const uint8_t *elf, const uint64_t *offsets)
{
	struct image_ref ref;

	for (uint32_t n = 0; n < i->load_count; n++) {
		const struct image_load *l = &i->loads[n];

		for (uint64_t at = align_up(l->address, 8) - l->address; at + sizeof(ref) <= l->file_size;
		     at += 8) {
			memcpy(&ref, elf + offsets[n] + at, sizeof(ref));
			if (ref.magic != IMAGE_REF_MAGIC) {
				continue;
			}
			for (uint32_t m = 0; m < i->load_count; m++) {
				if (i->loads[m].address == ref.pack_address &&
				    i->loads[m].file_size == ref.pack_size && m != n) {
					i->pack_address = ref.pack_address;
					i->pack_size = ref.pack_size;
					i->pack = elf + offsets[m];
					return manifest_open(i->pack, i->pack_size, i->pack_size,
							     &i->manifest);
				}
			}
		}
	}
	return "no pack is in it";
}

static const char *read_image(struct image *i)
{
	const uint8_t *elf = i->file->bytes + i->elf_offset;
	uint64_t offsets[IMAGE_LOADS_MAX];
	const char *wrong = NULL;
	Elf *handle = elf_memory((char *)elf, i->elf_size);
	Elf32_Ehdr *header = handle == NULL ? NULL : elf32_getehdr(handle);
	Elf32_Phdr *ph = handle == NULL ? NULL : elf32_getphdr(handle);
	size_t count = 0;

	if (header == NULL || ph == NULL || elf_getphdrnum(handle, &count) != 0 ||
	    header->e_machine != EM_386) {
		elf_end(handle);
		return "not an ELF32 file for x86";
	}
	for (size_t n = 0; n < count && wrong == NULL; n++) {
		if (ph[n].p_type != PT_LOAD) {
			continue;
		}
		if (i->load_count == IMAGE_LOADS_MAX) {
			wrong = "too many segments";
		} else if (ph[n].p_offset > i->elf_size || ph[n].p_filesz > i->elf_size - ph[n].p_offset) {
			wrong = "a segment leaves the file; it has been cut off";
		} else {
			i->loads[i->load_count] =
				(struct image_load){ph[n].p_paddr, ph[n].p_filesz, ph[n].p_memsz};
			offsets[i->load_count++] = ph[n].p_offset;
		}
	}
	i->entry = header->e_entry;
	elf_end(handle);
	if (wrong == NULL) {
		wrong = find_pack(i, elf, offsets);
		qsort(i->loads, i->load_count, sizeof(i->loads[0]), by_load_address);
	}
	return wrong;
}

enum status image_open(struct image *i, const char *path)
{
	const char *wrong;
	struct disk_ref ref;
	int64_t at;

	memset(i, 0, sizeof(*i));
	wrong = file_read(path, &i->file);
	if (wrong != NULL) {
		complain("%s: %s; expected an image or a disk made by this tool", path, wrong);
		return STATUS_MISTAKE;
	}
	elf_version(EV_CURRENT);
	i->elf_size = i->file->size;
	if (i->file->size >= 4 && memcmp(i->file->bytes, ELFMAG, SELFMAG) != 0) {
		/* A disk then. The ELF on it could hold the magic too, but the loader comes first. */
		at = disk_ref_find(i->file->bytes, i->file->size < 65536 ? i->file->size : 65536);
		if (at >= 0) {
			memcpy(&ref, i->file->bytes + at, sizeof(ref));
			i->elf_offset = (uint64_t)ref.lba * SECTOR;
			i->elf_size = (uint64_t)ref.sectors * SECTOR;
		}
		if (at < 0 || i->elf_offset > i->file->size || i->elf_size > i->file->size - i->elf_offset ||
		    i->elf_size == 0) {
			wrong = "neither an ELF file nor a disk with one";
		}
	}
	if (wrong == NULL) {
		wrong = read_image(i);
	}
	if (wrong != NULL) {
		complain("%s: %s; expected an image or a disk made by this tool", path, wrong);
		return STATUS_MISTAKE;
	}
	return STATUS_OK;
}
