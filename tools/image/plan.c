/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reads the manifest: Xen's dom0less binding with our ravelin,* properties.
 *
 * The tables below are the binding. What is not in them is a mistake: a property
 * that is silently ignored would be a protection that is silently off.
 */
#include "altp2m_policy.h"
#include "image.h"

#include <inttypes.h>
#include <libfdt.h>
#include <string.h>

/*
 * Where guests have RAM: [0, 3 GiB) and on from 4 GiB, but for the PC's hole.
 * The hypervisor puts start info, ACPI and the like into the last MiB below 3 GiB.
 */
#define LOW_RAM_END  0xc0000000ull
#define TOP_RESERVED 0x100000ull
#define HOLE_START   0xa0000ull
#define HOLE_END     0x100000ull

#define TABLE_BUDGET_MAX (1u << 20)
#define WEIGHT_NORMAL	 256u

/* The messages below name these limits. */
_Static_assert(DOMAIN_VCPUS_MAX == 16 && PACK_MEMORY_MAX == 64ull << 30 && PACK_NAME_MAX == 32 &&
		       PACK_TEXT_MAX == 4096 && TABLE_BUDGET_MAX == 1048576 && ALTP2M_XEN_OPS == 16 &&
		       ALTP2M_OWN_OPS == 10,
	       "messages are wrong");

struct module {
	bool kernel, ramdisk;
	const char *file; /* as written; NULL: not given */
	const char *bootargs;
};

/* One property being read. */
struct reading {
	struct plan *plan;
	struct domain_plan *domain; /* NULL outside domains */
	struct module *module;	    /* NULL outside modules */
	const char *node;
	const struct property *row;
	const void *value;
	int length; /* bytes */
};

struct property {
	const char *name;
	const char *expected;
	void (*take)(struct reading *r);
};

static void wrong(const struct reading *r, const char *what)
{
	mistake(&r->plan->tree, r->node, r->row->name, "%s; expected %s", what, r->row->expected);
}

/* The readers of values; false if the value has another form, which is then reported. */

static bool take_u32(const struct reading *r, uint32_t *out)
{
	if (r->length != 4) {
		wrong(r, new_text("is %d bytes long, not one 4-byte cell", r->length));
		return false;
	}
	*out = fdt32_ld(r->value);
	return true;
}

static bool take_range(const struct reading *r, uint32_t low, uint32_t high, uint32_t *out)
{
	uint32_t value;

	if (!take_u32(r, &value)) {
		return false;
	}
	if (value < low || value > high) {
		wrong(r, new_text("is %" PRIu32, value));
		return false;
	}
	*out = value;
	return true;
}

static bool take_string(const struct reading *r, const char **out)
{
	const char *text = r->value;

	if (r->length < 1 || text[r->length - 1] != '\0') {
		wrong(r, "is not a string");
		return false;
	}
	if (strlen(text) + 1 != (size_t)r->length) {
		wrong(r, "is more than one string");
		return false;
	}
	*out = text;
	return true;
}

static bool take_text(const struct reading *r, const char **out)
{
	const char *text;

	if (!take_string(r, &text)) {
		return false;
	}
	if (strlen(text) >= PACK_TEXT_MAX) {
		wrong(r, new_text("is %zu bytes long", strlen(text)));
		return false;
	}
	*out = text;
	return true;
}

static bool take_choice(const struct reading *r, const char *const names[], uint32_t count, uint32_t *out)
{
	const char *text;

	if (!take_string(r, &text)) {
		return false;
	}
	for (uint32_t i = 0; i < count; i++) {
		if (strcmp(text, names[i]) == 0) {
			*out = i;
			return true;
		}
	}
	wrong(r, new_text("is \"%s\"", text));
	return false;
}

static void take_nothing(struct reading *r)
{
	(void)r; /* read beforehand, or without meaning here */
}

static void take_cells_size(struct reading *r)
{
	uint32_t ignored;

	/* Nothing of ours has an address, so either width will do. */
	(void)take_range(r, 0, 2, &ignored);
}

/* Domains. */

static void take_memory(struct reading *r)
{
	uint64_t kib;

	if (r->length != 8) {
		wrong(r, new_text("is %d bytes long, not two 4-byte cells", r->length));
		return;
	}
	kib = fdt64_ld(r->value);
	if (kib == 0 || kib > PACK_MEMORY_MAX / 1024 || kib % 4 != 0) {
		wrong(r, new_text("is %" PRIu64 " KiB", kib));
		return;
	}
	r->domain->memory = kib * 1024;
}

static void take_cpus(struct reading *r)
{
	(void)take_range(r, 1, DOMAIN_VCPUS_MAX, &r->domain->vcpus);
}

static void take_name(struct reading *r)
{
	const char *text;

	if (!take_string(r, &text)) {
		return;
	}
	if (text[0] == '\0' || strlen(text) >= PACK_NAME_MAX) {
		wrong(r, new_text("is %zu bytes long", strlen(text)));
		return;
	}
	for (const char *c = text; *c != '\0'; c++) {
		if (*c < ' ' || *c > '~') {
			wrong(r, new_text("has the unprintable byte 0x%02x", (uint8_t)*c));
			return;
		}
	}
	strcpy(r->domain->name, text);
}

static void take_control(struct reading *r)
{
	if (r->length != 0) {
		wrong(r, "has a value");
		return;
	}
	r->domain->control = true;
}

static void take_altp2m(struct reading *r)
{
	static const char *const modes[] = {
		[PACK_ALTP2M_DISABLED] = "disabled",
		[PACK_ALTP2M_MIXED] = "mixed",
		[PACK_ALTP2M_EXTERNAL] = "external",
		[PACK_ALTP2M_LIMITED] = "limited",
	};

	(void)take_choice(r, modes, ARRAY_SIZE(modes), &r->domain->altp2m_mode);
}

static void take_level(struct reading *r)
{
	static const char *const levels[] = {
		[PACK_OPEN] = "open",
		[PACK_GUARDED] = "guarded",
		[PACK_FUSED] = "fused",
	};

	if (take_choice(r, levels, ARRAY_SIZE(levels), &r->domain->level) && r->domain->level != PACK_OPEN) {
		wrong(r, new_text("\"%s\" is not available yet", levels[r->domain->level]));
	}
}

static void take_table_budget(struct reading *r)
{
	(void)take_range(r, 1, TABLE_BUDGET_MAX, &r->domain->table_budget);
}

static void take_weight(struct reading *r)
{
	(void)take_range(r, 1, 65535, &r->domain->weight);
}

static void withdraw(struct reading *r, const char *name)
{
	for (uint32_t row = 0; row < ALTP2M_OPS; row++) {
		if (strcmp(altp2m_rules[row].name, name) == 0) {
			r->domain->capabilities |= 1u << row;
			return;
		}
	}
	wrong(r, new_text("has the sub-op \"%s\"", name));
}

/* Names or numbers. No number of a sub-op begins with a byte that isn't 0, or ends with one that is. */
static void take_altp2m_deny(struct reading *r)
{
	const fdt32_t *cells = r->value;
	const char *text = r->value;

	if (r->length > 0 && text[0] != '\0' && text[r->length - 1] == '\0') {
		for (int at = 0; at < r->length; at += (int)strlen(text + at) + 1) {
			withdraw(r, text + at);
		}
		return;
	}
	if (r->length == 0 || r->length % 4 != 0) {
		wrong(r, new_text("is %d bytes long, neither strings nor 4-byte cells", r->length));
		return;
	}
	for (int i = 0; i < r->length / 4; i++) {
		uint32_t op = fdt32_ld(&cells[i]);

		if (altp2m_row(op) >= ALTP2M_OPS) {
			wrong(r, new_text("has the sub-op %" PRIu32, op));
			return;
		}
		r->domain->capabilities |= 1u << altp2m_row(op);
	}
}

/* Modules. */

static void take_file(struct reading *r)
{
	const char *text;

	if (take_string(r, &text)) {
		if (text[0] == '\0') {
			wrong(r, "is empty");
		}
		r->module->file = text;
	}
}

static void take_bootargs(struct reading *r)
{
	if (r->module->ramdisk) {
		wrong(r, "does not belong to a ramdisk");
		return;
	}
	(void)take_text(r, &r->module->bootargs);
}

static void take_module_reg(struct reading *r)
{
	wrong(r, "says where a boot loader has put the module");
}

/* /chosen. */

static void take_options(struct reading *r)
{
	(void)take_text(r, &r->plan->options);
}

#define CELLS_ROWS                                                                                           \
	{"#address-cells", "one cell, at most 2", take_cells_size},                                          \
	{                                                                                                    \
		"#size-cells", "one cell, at most 2", take_cells_size                                        \
	}

static const struct property domain_rows[] = {
	{"compatible", "\"xen,domain\"", take_nothing},
	CELLS_ROWS,
	{"memory", "two cells <high low>: KiB of RAM, a multiple of 4, at most 64 GiB", take_memory},
	{"cpus", "one cell, the number of vCPUs: 1 .. 16", take_cpus},
	{"ravelin,name", "one printable string of 1 .. 31 bytes", take_name},
	{"ravelin,control", "a flag, without a value", take_control},
	{"ravelin,altp2m", "\"disabled\", \"mixed\", \"external\" or \"limited\"", take_altp2m},
	{"ravelin,altp2m-deny", "altp2m sub-ops, by name or number: 1 .. 16, 64 .. 73", take_altp2m_deny},
	{"ravelin,level", "\"open\"", take_level},
	{"ravelin,table-budget", "one cell, 4 KiB frames for page tables: 1 .. 1048576", take_table_budget},
	{"ravelin,weight", "one cell: 1 .. 65535, 256 is normal", take_weight},
	{NULL, NULL, NULL},
};

static const struct property module_rows[] = {
	{"compatible", "\"multiboot,kernel\" or \"multiboot,ramdisk\", then \"multiboot,module\"",
	 take_nothing},
	{"ravelin,file", "the path of a file", take_file},
	{"bootargs", "the command line of the kernel, one string shorter than 4096 bytes", take_bootargs},
	{"reg", "ravelin,file instead: this tool loads the file itself", take_module_reg},
	{NULL, NULL, NULL},
};

static const struct property chosen_rows[] = {
	CELLS_ROWS,
	{"ravelin,options", "the hypervisor's options, one string shorter than 4096 bytes", take_options},
	{NULL, NULL, NULL},
};

static const struct property root_rows[] = {
	{"compatible", "anything", take_nothing},
	{"model", "anything", take_nothing},
	CELLS_ROWS,
	{NULL, NULL, NULL},
};

/* "memory, cpus, ..." for the message about an unknown one. */
static const char *row_names(const struct property *rows)
{
	const char *names = rows->name;

	for (rows++; rows->name != NULL; rows++) {
		names = new_text("%s, %s", names, rows->name);
	}
	return names;
}

static void read_properties(struct reading *r, int offset, const struct property *rows)
{
	const void *fdt = r->plan->tree.fdt;
	const char *name;
	int at;

	fdt_for_each_property_offset(at, fdt, offset)
	{
		r->value = fdt_getprop_by_offset(fdt, at, &name, &r->length);
		if (r->value == NULL) {
			mistake(&r->plan->tree, r->node, NULL, "has a property that cannot be read: %s",
				fdt_strerror(r->length));
			continue;
		}
		for (r->row = rows; r->row->name != NULL && strcmp(r->row->name, name) != 0; r->row++) {
		}
		if (r->row->name == NULL) {
			mistake(&r->plan->tree, r->node, name, "unknown property; expected one of %s",
				row_names(rows));
		} else {
			r->row->take(r);
		}
	}
}

static const char *node_path(const struct plan *p, int offset)
{
	char *path = new_bytes(1024);

	if (fdt_get_path(p->tree.fdt, offset, path, 1024) != 0) {
		return "(a node with a very long path)";
	}
	return path;
}

static bool is_compatible(const struct plan *p, int offset, const char *with)
{
	return fdt_node_check_compatible(p->tree.fdt, offset, with) == 0;
}

/* ${NAME} in paths. */

static struct variable {
	struct variable *next;
	const char *name, *value;
	size_t name_length;
} * variables;

bool plan_define(const char *definition)
{
	const char *equals = strchr(definition, '=');
	struct variable *v = new_bytes(sizeof(*v));

	if (equals == NULL || equals == definition) {
		complain("-D %s: not a definition; expected NAME=path", definition);
		return false;
	}
	v->name = definition;
	v->name_length = (size_t)(equals - definition);
	v->value = equals + 1;
	v->next = variables;
	variables = v;
	return true;
}

/* The path with its variables replaced, or NULL, the mistake being reported. */
static const char *expand(struct plan *p, const char *node, const char *text)
{
	const char *path = "", *open, *close;
	bool ours = text[0] != '/' && strncmp(text, "${", 2) != 0;

	while ((open = strstr(text, "${")) != NULL) {
		const struct variable *v;

		close = strchr(open, '}');
		if (close == NULL) {
			mistake(&p->tree, node, "ravelin,file", "has \"${\" without \"}\"; expected ${NAME}");
			return NULL;
		}
		for (v = variables; v != NULL; v = v->next) {
			if (v->name_length == (size_t)(close - open) - 2 &&
			    strncmp(v->name, open + 2, v->name_length) == 0) {
				break;
			}
		}
		if (v == NULL) {
			mistake(&p->tree, node, "ravelin,file",
				"%.*s is not defined; expected the option -D %.*s=path",
				(int)(close - open) + 1, open, (int)(close - open) - 2, open + 2);
			return NULL;
		}
		path = new_text("%s%.*s%s", path, (int)(open - text), text, v->value);
		text = close + 1;
	}
	/* A path that begins with a variable counts from where the tool runs. */
	return new_text("%s%s%s", ours ? p->tree.directory : "", path, text);
}

static void read_kernel(struct plan *p, struct domain_plan *d, const char *node, const struct module *m,
			const struct file *file)
{
	const char *fault;

	if (d->kernel_node != NULL) {
		mistake(&p->tree, node, NULL, "is a second kernel, after %s; expected one", d->kernel_node);
		return;
	}
	d->kernel_node = node;
	d->cmdline = m->bootargs;
	if (file == NULL) {
		return;
	}
	fault = kernel_open(file, &d->kernel);
	if (fault != NULL) {
		mistake(&p->tree, node, "ravelin,file", "%s", fault);
		d->kernel = NULL;
	}
}

static void read_ramdisk(struct plan *p, struct domain_plan *d, const char *node, const struct file *file)
{
	if (d->ramdisk_node != NULL) {
		mistake(&p->tree, node, NULL, "is a second ramdisk, after %s; expected one", d->ramdisk_node);
		return;
	}
	d->ramdisk_node = node;
	d->ramdisk = file;
	if (file != NULL && file->size == 0) {
		mistake(&p->tree, node, "ravelin,file", "%s is empty; expected a ramdisk, or no module",
			file->path);
		d->ramdisk = NULL;
	}
}

static void read_module(struct plan *p, struct domain_plan *d, int offset)
{
	struct module m = {.kernel = is_compatible(p, offset, "multiboot,kernel"),
			   .ramdisk = is_compatible(p, offset, "multiboot,ramdisk")};
	struct reading r = {.plan = p, .domain = d, .module = &m, .node = node_path(p, offset)};
	const struct file *file = NULL;
	const char *path, *fault;
	int child;

	if (!is_compatible(p, offset, "multiboot,module") || m.kernel == m.ramdisk) {
		mistake(&p->tree, r.node,
			fdt_getprop(p->tree.fdt, offset, "compatible", NULL) ? "compatible" : NULL,
			"unknown node; expected compatible = \"multiboot,kernel\", \"multiboot,module\" or "
			"\"multiboot,ramdisk\", \"multiboot,module\"");
		return;
	}
	read_properties(&r, offset, module_rows);
	fdt_for_each_subnode(child, p->tree.fdt, offset)
	{
		mistake(&p->tree, node_path(p, child), NULL, "unknown node; expected none in a module");
	}
	if (m.file == NULL) {
		if (fdt_getprop(p->tree.fdt, offset, "ravelin,file", NULL) == NULL) {
			mistake(&p->tree, r.node, "ravelin,file", "is missing; expected the path of a file");
		}
	} else if (m.file[0] != '\0') {
		path = expand(p, r.node, m.file);
		fault = path == NULL ? NULL : file_read(path, &file);
		if (fault != NULL) {
			mistake(&p->tree, r.node, "ravelin,file", "%s: %s; expected a %s", path, fault,
				m.kernel ? "kernel" : "ramdisk");
		}
	}
	if (m.kernel) {
		read_kernel(p, d, r.node, &m, file);
	} else {
		read_ramdisk(p, d, r.node, file);
	}
}

/* The end of the RAM that kernel and ramdisk may fill. */
static uint64_t usable_end(const struct domain_plan *d)
{
	uint64_t end = d->memory < LOW_RAM_END ? d->memory : LOW_RAM_END;

	return end < TOP_RESERVED ? 0 : end - TOP_RESERVED;
}

/* True if `size` bytes from a page on, somewhere above 1 MiB, touch no segment. */
static bool has_gap(const struct domain_plan *d, uint64_t size)
{
	uint64_t from = HOLE_END, end = usable_end(d);
	bool moved;

	/* Each pass steps over a segment or ends, so there are few. */
	do {
		moved = false;
		for (uint32_t i = 0; i < d->kernel->segment_count; i++) {
			const struct kernel_segment *s = &d->kernel->segments[i];
			uint64_t segment_end = s->gpa + s->memory_size;

			if (s->gpa < from + size && segment_end > from) {
				from = (segment_end + PAGE_MASK) & ~PAGE_MASK;
				moved = true;
			}
		}
	} while (moved);
	return from <= end && size <= end - from;
}

/* Does all of it fit? Only for what is known to be sound by itself. */
static void check_memory(struct plan *p, const struct domain_plan *d)
{
	uint64_t end = usable_end(d);
	bool fits = true;

	if (d->memory == 0 || d->kernel == NULL) {
		return;
	}
	for (uint32_t i = 0; i < d->kernel->segment_count; i++) {
		const struct kernel_segment *s = &d->kernel->segments[i];

		if (s->gpa > end || s->memory_size > end - s->gpa) {
			mistake(&p->tree, d->node, "memory",
				"%s does not hold %s: its segment 0x%" PRIx64 " .. 0x%" PRIx64
				" does not fit; expected it to end by 0x%" PRIx64
				", 1 MiB before the end of RAM or 3 GiB",
				memory_text(d->memory), d->kernel->file->path, s->gpa,
				s->gpa + s->memory_size, end);
			fits = false;
		}
		if (s->gpa < HOLE_END && s->gpa + s->memory_size > HOLE_START) {
			mistake(&p->tree, d->kernel_node, "ravelin,file",
				"%s has a segment at 0x%" PRIx64 " .. 0x%" PRIx64
				"; expected none in 0xa0000 .. 0xfffff, where a PC has no RAM",
				d->kernel->file->path, s->gpa, s->gpa + s->memory_size);
			fits = false;
		}
	}
	if (fits && d->ramdisk != NULL && !has_gap(d, d->ramdisk->size)) {
		mistake(&p->tree, d->node, "memory",
			"%s does not hold the ramdisk %s (%s) beside the kernel; expected that much room "
			"between "
			"1 MiB and 0x%" PRIx64,
			memory_text(d->memory), d->ramdisk->path, size_text(d->ramdisk->size), end);
	}
}

/*
 * Frames for stage-2 tables. The default is what the base view takes when each
 * of its superpages has been split, four times that where views may be made.
 */
static void set_table_budget(struct plan *p, struct domain_plan *d)
{
	uint64_t gib = (d->memory + (1ull << 30) - 1) >> 30, split = (d->memory + (2ull << 20) - 1) >> 21;
	uint64_t least = gib + 8;

	if (d->memory == 0) {
		return;
	}
	if (d->table_budget == 0) {
		d->table_budget =
			(uint32_t)((split + gib + 16) * (d->altp2m_mode == PACK_ALTP2M_DISABLED ? 1 : 4));
	} else if (d->table_budget < least) {
		mistake(&p->tree, d->node, "ravelin,table-budget",
			"%" PRIu32 " frames cannot map %s; expected %" PRIu64 " or more", d->table_budget,
			memory_text(d->memory), least);
	}
}

static void name_domain(struct plan *p, struct domain_plan *d, int offset)
{
	const char *name = fdt_get_name(p->tree.fdt, offset, NULL);
	size_t length = strcspn(name, "@");

	if (d->name[0] != '\0' || fdt_getprop(p->tree.fdt, offset, "ravelin,name", NULL) != NULL) {
		return;
	}
	if (length >= PACK_NAME_MAX) {
		mistake(&p->tree, d->node, NULL,
			"the node's name is %zu bytes long; expected at most 31, or ravelin,name", length);
		return;
	}
	memcpy(d->name, name, length);
}

static void read_domain(struct plan *p, struct domain_plan *d, int offset)
{
	struct reading r = {.plan = p, .domain = d, .node = node_path(p, offset)};
	static const char *const required[] = {"memory", "cpus"};
	int child;

	d->node = r.node;
	d->weight = WEIGHT_NORMAL;
	d->cmdline = NULL;
	read_properties(&r, offset, domain_rows);
	for (uint32_t i = 0; i < ARRAY_SIZE(required); i++) {
		const struct property *row = domain_rows;

		while (strcmp(row->name, required[i]) != 0) {
			row++;
		}
		if (fdt_getprop(p->tree.fdt, offset, required[i], NULL) == NULL) {
			mistake(&p->tree, d->node, row->name, "is missing; expected %s", row->expected);
		}
	}
	name_domain(p, d, offset);
	fdt_for_each_subnode(child, p->tree.fdt, offset)
	{
		read_module(p, d, child);
	}
	if (d->kernel_node == NULL) {
		mistake(&p->tree, d->node, NULL,
			"has no kernel; expected a node with compatible = \"multiboot,kernel\", "
			"\"multiboot,module\"");
	}
	set_table_budget(p, d);
	check_memory(p, d);
}

static void read_chosen(struct plan *p, int offset)
{
	struct reading r = {.plan = p, .node = "/chosen"};
	uint32_t count = 0;
	int child;

	read_properties(&r, offset, chosen_rows);
	fdt_for_each_subnode(child, p->tree.fdt, offset)
	{
		const char *node = node_path(p, child);

		if (!is_compatible(p, child, "xen,domain")) {
			mistake(&p->tree, node,
				fdt_getprop(p->tree.fdt, child, "compatible", NULL) ? "compatible" : NULL,
				"unknown node; expected a domain with compatible = \"xen,domain\"");
		} else if (++count > DOMAINS_MAX) {
			mistake(&p->tree, node, NULL, "is domain number %" PRIu32 "; expected at most %u",
				count, DOMAINS_MAX);
		} else {
			read_domain(p, &p->domains[p->domain_count++], child);
		}
	}
	if (count == 0 && p->tree.mistakes == 0) {
		mistake(&p->tree, "/chosen", NULL,
			"has no domain; expected at least one node with compatible = \"xen,domain\"");
	}
}

static void check_together(struct plan *p)
{
	const struct domain_plan *control = NULL;

	for (uint32_t i = 0; i < p->domain_count; i++) {
		const struct domain_plan *d = &p->domains[i];

		if (d->control && control != NULL) {
			mistake(&p->tree, d->node, "ravelin,control",
				"is a second control domain, after %s; expected at most one", control->node);
		} else if (d->control) {
			control = d;
		}
		for (uint32_t j = 0; j < i; j++) {
			if (d->name[0] != '\0' && strcmp(d->name, p->domains[j].name) == 0) {
				mistake(&p->tree, d->node, "ravelin,name",
					"\"%s\" is also the name of %s; expected another", d->name,
					p->domains[j].node);
				break;
			}
		}
	}
	if (p->tree.mistakes == 0 && pack_measure(p) > PACK_SIZE_MAX) {
		mistake(&p->tree, "/chosen", NULL, "kernels and ramdisks take %s; expected at most %s",
			size_text(pack_measure(p)), memory_text(PACK_SIZE_MAX));
	}
}

/* The control domain gets domain id 0, as tools written for Xen expect. */
static void put_control_first(struct plan *p)
{
	for (uint32_t i = 1; i < p->domain_count; i++) {
		if (p->domains[i].control) {
			struct domain_plan control = p->domains[i];

			memmove(&p->domains[1], &p->domains[0], i * sizeof(control));
			p->domains[0] = control;
			return;
		}
	}
}

enum status plan_open(struct plan *p, const char *path)
{
	struct reading r = {.plan = p, .node = "/"};
	int child, chosen;

	memset(p, 0, sizeof(*p));
	if (!tree_open(&p->tree, path)) {
		return STATUS_MISTAKE;
	}
	read_properties(&r, 0, root_rows);
	fdt_for_each_subnode(child, p->tree.fdt, 0)
	{
		if (strcmp(fdt_get_name(p->tree.fdt, child, NULL), "chosen") != 0) {
			mistake(&p->tree, node_path(p, child), NULL, "unknown node; expected only /chosen");
		}
	}
	chosen = fdt_path_offset(p->tree.fdt, "/chosen");
	if (chosen < 0) {
		mistake(&p->tree, "/", NULL, "has no node chosen; expected the domains in /chosen");
	} else {
		read_chosen(p, chosen);
		check_together(p);
		put_control_first(p);
	}
	if (p->tree.mistakes != 0) {
		complain("%s: %" PRIu32 " mistake%s", path, p->tree.mistakes,
			 p->tree.mistakes == 1 ? "" : "s");
		return STATUS_MISTAKE;
	}
	return STATUS_OK;
}
