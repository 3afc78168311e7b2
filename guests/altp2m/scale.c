/* SPDX-License-Identifier: Apache-2.0 */
/* Thousands of views, and views without the memory for them. */
#include "views.h"

#define VIEWS_ALL     2047u /* besides view 0 */
#define TABLES_OF_ONE 4u    /* that one changed page may cost */

static struct altp2m_view list[256];

/* Walks the list in pieces; checks that it is 0 .. views, each with one entry, and sums up the tables. */
static void check_list(uint32_t views, uint32_t piece)
{
	uint32_t from = 0, seen = 0, wrong = 0;
	uint64_t tables = 0;

	do {
		uint32_t count = piece;

		if (!CHECK_EQUAL(altp2m_list_views(DOMID_SELF, &from, list, &count), 0) ||
		    !CHECK(count <= piece))
			return;
		for (uint32_t i = 0; i < count; i++, seen++) {
			if (list[i].view != seen ||
			    (seen && (list[i].own_entries != 1 || !list[i].tables ||
				      list[i].tables > TABLES_OF_ONE || list[i].vcpus))) {
				if (!wrong++)
					test_failure("row %u is view %u: %u tables, %u entries, %u vCPUs",
						     seen, list[i].view, list[i].tables, list[i].own_entries,
						     list[i].vcpus);
			}
			tables += seen ? list[i].tables : 0;
		}
	} while (from && !wrong);
	CHECK_EQUAL(seen, views + 1);
	print("altp2m: %u views with one change each: %lu tables\n", views, tables);
}

void check_many(void)
{
	uint32_t views = (uint32_t)option_number("views=", 2000), n;
	uint64_t value = 0;
	struct altp2m_view fresh;

	for (uint32_t i = 0; i < 512; i++)
		fill(big[i], i);
	fill(pages[0], 5000);
	for (n = 1; n <= views; n++) {
		uint16_t v = make_view(ACCESS_rwx);

		if (v != n) {
			test_failure("view %u is called %u", n, v);
			break;
		}
		if (n == 1) {
			fresh = view_facts(v);
			CHECK(fresh.tables <= 1 && fresh.own_entries == 0 && fresh.generation == 0);
		}
		if (!CHECK_EQUAL(altp2m_change_gfn(DOMID_SELF, v, GFN(big[n % 512]), GFN(pages[0])), 0))
			break;
	}
	views = n - 1;
	check_list(views, 256);
	check_list(views, 7);
	/* Each is what it is, also beyond what fits a window. */
	functions_on();
	for (uint32_t v = 1; v <= views; v += 97) {
		uint32_t slot = v < 512 ? v : 511;

		if (v >= 512) {
			CHECK(!vmfunc_try(0, v));
			CHECK_EQUAL(altp2m_set_window(DOMID_SELF, 0, 511, (uint16_t)v), 0);
		}
		CHECK(vmfunc_try(0, slot));
		CHECK(!try_read(big[v % 512], &value) && value == 5000);
		CHECK(!try_read(big[(v + 1) % 512], &value) && value == (v + 1) % 512);
		CHECK_EQUAL(view_now(), v);
		vmfunc(0);
	}
	/* One change of the memory map, and all have it. */
	CHECK(balloon_out(big[100]));
	for (uint32_t v = 3; v <= views; v += 211) {
		enter((uint16_t)v);
		REFUSED_IN((uint16_t)v, try_read(big[100], &value));
	}
	CHECK(balloon_in(big[100]));
	for (uint32_t v = 3; v <= views; v += 211) {
		enter((uint16_t)v);
		CHECK(!try_read(big[100], &value) && value == 0);
		CHECK(!try_read(big[v % 512], &value) && value == 5000);
		enter(0);
	}
	/* The page they all show goes, and so do all remaps. */
	CHECK(balloon_out(pages[0]));
	for (uint32_t v = 3; v <= views; v += 211) {
		struct altp2m_view facts = view_facts((uint16_t)v);

		CHECK(facts.own_entries == 0 || (facts.own_entries == 1 && facts.tables <= TABLES_OF_ONE));
		CHECK(facts.generation > 0);
		enter((uint16_t)v);
		CHECK(!try_read(big[v % 512], &value) && value == v % 512);
		enter(0);
	}
	CHECK(balloon_in(pages[0]));
	/* There is a last one. */
	for (n = views + 1; n <= VIEWS_ALL; n++) {
		if (make_view(ACCESS_rwx) != n)
			break;
	}
	CHECK_EQUAL(n, VIEWS_ALL + 1);
	CHECK_EQUAL(CALL(create_p2m, .view = {0, ACCESS_rwx}), -XEN_EINVAL);
	for (uint32_t v = n - 1; v >= 1; v--) {
		if (!CHECK_EQUAL(altp2m_destroy(DOMID_SELF, (uint16_t)v), 0))
			break;
	}
	functions_off();
}

static uint16_t held[VIEWS_ALL];

/* Views with one change each until memory for tables is short; how many. */
static uint32_t fill_views(void)
{
	uint32_t n = 0;
	long r = 0;

	while (n < ARRAY_SIZE(held)) {
		r = altp2m_create(DOMID_SELF, ACCESS_rwx, &held[n]);
		if (r)
			break;
		n++;
		r = altp2m_set_mem_access(DOMID_SELF, held[n - 1], GFN(big[n % 512]), ACCESS_r);
		if (r)
			break;
	}
	CHECK_EQUAL(r, -XEN_ENOMEM);
	return n;
}

/* And then harmless changes elsewhere, until there isn't a single table left. Where there is none for. */
static bool fill_up(uint32_t views, uint16_t *view, uint64_t *gfn)
{
	for (uint32_t i = 0; i < views; i++) {
		for (uint64_t g = 300; g < 16 << 8; g += 512) {
			long r = altp2m_set_suppress_ve(DOMID_SELF, held[i], g, false);

			if (!r)
				continue;
			*view = held[i];
			*gfn = g;
			return CHECK_EQUAL(r, -XEN_ENOMEM);
		}
	}
	return CHECK(!"tables run out");
}

static bool same_facts(const struct altp2m_view *before)
{
	struct altp2m_view after = view_facts((uint16_t)before->view);

	return !memcmp(before, &after, sizeof(after));
}

void check_budget(void)
{
	uint32_t first = 0;

	functions_on();
	for (uint32_t round = 0; round < 3; round++) {
		uint32_t n = fill_views();
		struct altp2m_view before, before_other;
		struct altp2m_op entry;
		uint16_t view = 0, other;
		uint64_t gfn = 0, gfns[2], value = 0;
		uint8_t accesses[2] = {ACCESS_r, ACCESS_r};

		/* As many each time: nothing is lost on the way. */
		if (!round)
			first = n;
		CHECK_EQUAL(n, first);
		if (!CHECK(n > 2 && n < ARRAY_SIZE(held)) || !fill_up(n, &view, &gfn))
			return;
		other = view == held[0] ? held[1] : held[0];
		before = view_facts(view);
		before_other = view_facts(other);
		gfns[0] = gfn;
		gfns[1] = gfn + 1;
		/* Whatever needs a table fails the same way, and leaves things as they are. */
		CHECK_EQUAL(altp2m_set_mem_access(DOMID_SELF, view, gfn, ACCESS_r), -XEN_ENOMEM);
		CHECK_EQUAL(altp2m_change_gfn(DOMID_SELF, view, gfn, GFN(pages[1])), -XEN_ENOMEM);
		CHECK_EQUAL(altp2m_set_suppress_ve(DOMID_SELF, view, gfn, false), -XEN_ENOMEM);
		CHECK_EQUAL(altp2m_set_step(DOMID_SELF, view, gfn, 0), -XEN_ENOMEM);
		CHECK_EQUAL(altp2m_set_mem_access_multi(DOMID_SELF, view, 2, gfns, accesses), -XEN_ENOMEM);
		CHECK_EQUAL(altp2m_split_remap(DOMID_SELF, view, other, gfn, GFN(pages[1]), GFN(pages[2])),
			    -XEN_ENOMEM);
		CHECK_EQUAL(altp2m_split_remap(DOMID_SELF, other, view, gfn, GFN(pages[1]), GFN(pages[2])),
			    -XEN_ENOMEM);
		CHECK(same_facts(&before));
		CHECK(same_facts(&before_other));
		CHECK_EQUAL(altp2m_get_entry(DOMID_SELF, view, gfn, &entry), 0);
		CHECK(!entry.u.entry.own && entry.u.entry.access == ACCESS_rwx &&
		      entry.u.entry.target == gfn);
		/* Those that exist go on working. */
		enter(held[0]);
		CHECK(!try_write(big[0], 1));
		REFUSED(try_write(big[1], 1));
		CHECK_EQUAL(altp2m_set_mem_access(DOMID_SELF, held[0], GFN(big[1]), ACCESS_rw), 0);
		enter(held[0]);
		CHECK(!try_write(big[1], 1));
		enter(0);
		/* So does the memory map: a page given away where that takes no table, or not at all. */
		if (balloon_out(pages[5])) {
			CHECK(balloon_in(pages[5]));
			CHECK(!try_read(pages[5], &value) && value == 0);
		}
		CHECK(!try_write(pages[6], 1));
		/* What one gives back another can have. */
		drop_view(other);
		CHECK_EQUAL(altp2m_set_mem_access(DOMID_SELF, view, gfn, ACCESS_rw), 0);
		for (uint32_t i = 0; i < n; i++) {
			if (held[i] != other)
				drop_view(held[i]);
		}
		check_all_gone();
	}
	functions_off();
	print("altp2m: room for %u views\n", first);
}
