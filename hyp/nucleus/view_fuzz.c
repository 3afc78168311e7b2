/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The view engine against its reference model, under random operations: after
 * each, results, translations, table counts and what the CPUs still remember
 * must be what the model says.
 *
 *	view_fuzz N SEED	N operations; a divergence is printed and aborts
 *
 * Built with -DLIBFUZZER and clang -fsanitize=fuzzer it takes its choices from
 * the fuzzer's input instead.
 */
#include "view_compare.h"

#include <string.h>
#include <time.h>

#define FRAMES (RUN == 4 ? 1024ull : 16ull * RUN)
#define BATCH 6u

static uint64_t random_state, lost, changes;
static const uint8_t *data;
static size_t data_left;
static mfn_t hogged[FRAMES_MAX];
static uint64_t hogs, frames_at_start;

static uint32_t draw(uint32_t below)
{
	if (data) {
		uint32_t r = data_left ? *data : 0;

		if (data_left) {
			data++;
			data_left--;
		}
		if (below > 256 && data_left) {
			r = r * 256 + *data++;
			data_left--;
		}
		return r % below;
	}
	random_state ^= random_state << 13;
	random_state ^= random_state >> 7;
	random_state ^= random_state << 17;
	return (uint32_t)((random_state >> 20) % below);
}

static uint64_t draw_gfn(void)
{
	static const uint32_t edges[] = { 0, 1, 2, RUN - 2, RUN - 1 };

	if (RUN == 4) {
		/* Mostly close together, so that tables fold and leaves merge. */
		return draw(3) ? draw(24) : draw((uint32_t)MODEL_GFNS);
	}
	return draw(4) * RUN + (draw(8) ? edges[draw(5)] : draw(RUN));
}

static uint64_t draw_mapped(void)
{
	uint64_t gfn = draw_gfn();
	uint32_t i;

	for (i = draw(8); i && !model.page[gfn].mapped; i--) {
		gfn = draw_gfn();
	}
	return gfn;
}

static uint32_t draw_view(void)
{
	return model_ids[draw(MODEL_VIEWS)];
}

/* ---- comparing ------------------------------------------------------------ */

static void compare_all(void)
{
	uint32_t i;
	uint64_t g;

	for (g = 0; g < MODEL_GFNS; g++) {
		compare_gfn(0, g);
		for (i = 0; i < MODEL_VIEWS; i++) {
			if (model.view[i].live) {
				compare_gfn(model_ids[i], g);
				compare_entry(model_ids[i], g);
			}
		}
	}
	compare_counts();
	audit();
}

/* A few gfns, as CPUs and as walks see them; and CPUs learn more. */
static void compare_some(void)
{
	uint32_t i;

	for (i = 0; i < 6; i++) {
		uint32_t id = i % 3 ? draw_view() : 0;
		uint64_t gfn = draw_gfn();

		if (!id || model_view(id)) {
			compare_gfn(id, gfn);
			compare_entry(id, gfn);
			compare_cpu(i % CPUS, id, gfn);
		}
	}
}

/* ---- operations ----------------------------------------------------------- */

static void op_add(void)
{
	uint64_t gfn = draw_gfn(), count = 1;

	switch (draw(4)) {
	case 0:
		gfn = gfn / RUN * RUN;
		count = RUN;
		break;
	case 1:
		if (RUN == 4) {
			gfn = gfn / SPAN2 * SPAN2;
			count = SPAN2;
		}
		break;
	case 2:
		count = 1 + draw(4);
		break;
	}
	if (gfn + count <= MODEL_GFNS) {
		do_add(gfn, count);
	}
}

static void op_share(void)
{
	uint32_t slot = draw(2);
	uint64_t gfn = draw_gfn();

	if (model.share_gfn[slot] != gfn || !draw(4)) {
		do_share(slot, gfn);
	}
}

static void op_create(void)
{
	uint32_t id = draw_view(), access = draw(2) ? ACCESS_RWX : draw(9);

	do_create(id, access, draw(3) ? 0 : draw(3));
}

static void draw_change(uint32_t id, struct view_change *c)
{
	static const uint8_t accesses[] = { 0, 1, 3, 4, 5, 7, 8, 9 };

	*c = (struct view_change){ .gfn = draw_mapped(), .new_gfn = draw(3) ? draw_mapped() : ~0ull };
	c->set = 1u << draw(4);
	if (!draw(3)) {
		c->set |= 1u << draw(4);
	}
	if (!id && draw(16)) {
		c->set &= VIEW_SET_ACCESS | VIEW_SET_SUPPRESS_VE;
	}
	if (!draw(200)) {
		c->set |= 1u << (4 + draw(28));
	}
	if (!draw(200)) {
		c->gfn = draw(2) ? ~0ull : GFN_LIMIT;
	}
	if (!draw(100)) {
		c->new_gfn = GFN_LIMIT + draw(2);
	}
	c->access = draw(50) ? accesses[draw(8)] : (uint8_t)draw(12);
	if (draw(2)) {
		c->access = VIEW_ACCESS_DEFAULT;
	}
	c->suppress_ve = draw(50) ? (uint8_t)draw(3) : 3;
	c->step = (uint16_t)(draw(2) ? VIEW_NONE : draw(6) ? draw_view() : draw(2) ? 0 : draw(65536));
}

static void op_change(void)
{
	struct view_change list[BATCH];
	uint32_t id = draw(4) ? draw_view() : 0, count = draw(3) ? 1 : draw(BATCH) + 1, i;

	for (i = 0; i < 4 && id && !model_view(id); i++) {
		id = draw_view();
	}
	for (i = 0; i < count; i++) {
		draw_change(id, &list[i]);
		if (i && !draw(2)) {
			list[i].gfn = list[i - 1].gfn;
		} else if (i && draw(2)) {
			/* Much the same to the next page: a run. */
			list[i] = list[i - 1];
			list[i].gfn += draw(3);
		}
	}
	changes += do_changes(id, list, count);
	for (i = 0; i < count && (!id || model_view(id)); i++) {
		if (list[i].gfn < MODEL_GFNS) {
			compare_gfn(id, list[i].gfn);
			compare_entry(id, list[i].gfn);
			compare_cpu(i % CPUS, id, list[i].gfn);
			compare_cpu(i % CPUS, id, list[i].gfn ^ 1);
		}
	}
}

static void op_vcpu(void)
{
	uint32_t id = draw_view();

	if (model_view(id)) {
		fake.view_vcpus[id] = fake.view_vcpus[id] && draw(3) ? 0 : 1 + draw(3);
	}
}

/* The #VE page comes or goes: the base's page, where no view has set anything. */
static void op_ve(void)
{
	uint64_t gfn = draw_mapped();
	bool set = model_any_set(gfn);
	mfn_t mfn;

	SAME(view_any_set(D, gfn_of(gfn)), set);
	if (fake.ve_page) {
		gfn = fake.ve_page;
		memory_unpin(mfn_of(model.page[gfn].mfn));
		model.page[gfn].pinned = false;
		fake.ve_page = 0;
	} else if (gfn && !set && model.page[gfn].mapped && !model.page[gfn].shared) {
		SAME(memory_pin(D, gfn_of(gfn), &mfn), 0);
		model.page[gfn].pinned = true;
		fake.ve_page = gfn;
	}
}

/* Memory gets short, or comes back. */
static void op_hog(void)
{
	if (hogs) {
		/* Only for speed: each scrub looks through all that CPUs remember. */
		machine_flush_domain(D);
		while (hogs) {
			frame_free(hogged[--hogs], ORDER_4K);
		}
	} else {
		uint64_t left = draw(5);

		while (frame_free_count > left) {
			SAME(frame_alloc(ORDER_4K, FRAME_NUCLEUS, DOMAIN_NONE, &hogged[hogs++]), 0);
		}
	}
}

static void begin(void)
{
	uint32_t slot;

	fake_reset(FRAMES);
	memset(&model, 0, sizeof(model));
	hogs = 0;
	model.budget = RUN == 4 ? 20 + draw(100) : 12 + draw(60);
	model.access = ACCESS_RWX;
	model.order_max = draw(2) ? ORDER_1G : ORDER_2M;
	fake.order_max = model.order_max;
	SAME(nuc_domain_create(D, model.budget), 0);
	for (slot = 0; slot < SHARE_SLOTS; slot++) {
		model.share_gfn[slot] = WHERE_NONE;
		if (slot < 2) {
			SAME(nuc_share_page(D, slot) != NULL, true);
		}
	}
	/* The domain's root comes back with the domain; its shared pages are the core's for good. */
	frames_at_start = frame_free_count + 1;
}

/* Everything that was taken comes back: with the views, and with the domain. */
static void end(void)
{
	uint32_t i;

	if (hogs) {
		op_hog();
	}
	compare_all();
	snprintf(what, sizeof(what), "end");
	for (i = 0; draw(2) && i < MODEL_VIEWS; i++) {
		if (model.view[i].live) {
			fake.view_vcpus[model_ids[i]] = 0;
			SAME(nuc_view_destroy(D, model_ids[i]), 0);
			model.view[i].live = false;
			compare_counts();
		}
	}
	lost += model.losses;
	while (nuc_domain_reclaim(D, 64) == 1) {
	}
	SAME(frame_free_count, frames_at_start);
	audit();
}

static void step(void)
{
	uint32_t op = draw(100);

	what[0] = 0;
	if (op < 55) {
		op_change();
	} else if (op < 67) {
		op_add();
	} else if (op < 74) {
		do_remove(draw_mapped());
	} else if (op < 77) {
		op_share();
	} else if (op < 84) {
		op_create();
	} else if (op < 87) {
		do_destroy(draw_view());
	} else if (op < 91) {
		do_default(draw(8) ? draw_view() : 0, draw(9));
	} else if (op < 94) {
		do_root(draw_view());
	} else if (op < 96) {
		op_vcpu();
	} else if (op < 97) {
		op_ve();
	} else if (hogs || !draw(6)) {
		op_hog();
	}
	compare_some();
	steps++;
}

#ifdef LIBFUZZER
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	data = bytes;
	data_left = size;
	begin();
	while (data_left) {
		step();
		compare_counts();
	}
	end();
	return 0;
}
#else
int main(int argc, char **argv)
{
	uint64_t total = argc > 1 ? strtoull(argv[1], NULL, 0) : 100000, life = RUN == 4 ? 1000 : 2000;
	uint64_t seed = argc > 2 ? strtoull(argv[2], NULL, 0) : 1;
	struct timespec from, to;
	double seconds;

	random_state = seed * 0x9e3779b97f4a7c15ull + 1;
	clock_gettime(CLOCK_MONOTONIC, &from);
	while (steps < total) {
		uint64_t until = steps + life;

		begin();
		while (steps < until && steps < total) {
			step();
			if (steps % 16 == 0) {
				compare_counts();
			}
			if (steps % (RUN == 4 ? 64 : 500) == 0) {
				compare_all();
			}
		}
		end();
	}
	clock_gettime(CLOCK_MONOTONIC, &to);
	seconds = (double)(to.tv_sec - from.tv_sec) + (double)(to.tv_nsec - from.tv_nsec) / 1e9;
	printf("view_fuzz: tables of %u, seed %llu: %llu operations, %llu changes, %llu out of memory, "
	       "%llu remaps lost; %.0f operations/s\n", RUN, (unsigned long long)seed,
	       (unsigned long long)steps, (unsigned long long)changes, (unsigned long long)enomems, (unsigned long long)lost,
	       (double)steps / seconds);
	return 0;
}
#endif
