/* SPDX-License-Identifier: Apache-2.0 */
/* The frame table and its allocator: see frame.h for the rules and the structures. */
#include "frame.h"

#include "check.h"

uint64_t frame_count, frame_free_count;
struct run runs[RUNS_MAX];
uint32_t run_lists[RUN_LISTS];

/*@ requires lists_ok && list < RUN_LISTS && r < RUNS_MAX;
    terminates \true; exits \false;
    assigns runs[0 .. RUNS_MAX - 1].next, runs[0 .. RUNS_MAX - 1].prev, run_lists[list];
    ensures lists_ok; */
static void list_insert(uint32_t list, uint32_t r)
{
	uint32_t head = run_lists[list];

	runs[r].prev = RUN_NIL;
	runs[r].next = head;
	if (head != RUN_NIL) {
		runs[head].prev = r;
	}
	run_lists[list] = r;
}

/*@ requires lists_ok && list < RUN_LISTS && r < RUNS_MAX;
    terminates \true; exits \false;
    assigns runs[0 .. RUNS_MAX - 1].next, runs[0 .. RUNS_MAX - 1].prev, run_lists[list];
    ensures lists_ok; */
static void list_remove(uint32_t list, uint32_t r)
{
	uint32_t prev = runs[r].prev, next = runs[r].next;

	if (prev != RUN_NIL) {
		runs[prev].next = next;
	} else {
		run_lists[list] = next;
	}
	if (next != RUN_NIL) {
		runs[next].prev = prev;
	}
}

/* A wholly free block out of its region, or RUN_NIL. The caller takes its frames. */
/*@ requires lists_ok;
    assigns runs[0 .. RUNS_MAX - 1], run_lists[0 .. RUN_LISTS - 1];
    ensures z3: lists_ok && (\result < BLOCKS_MAX || \result == RUN_NIL);
    ensures \result == RUN_NIL ==> \forall integer r; 0 <= r < RUNS_MAX ==> runs[r] == \old(runs[r]); */
static uint32_t block_take(void)
{
	uint32_t r = run_lists[SPLIT_REGIONS], i, b;

	if (r == RUN_NIL) {
		r = run_lists[WHOLE_REGIONS];
		if (r == RUN_NIL) {
			return RUN_NIL;
		}
		list_remove(WHOLE_REGIONS, r);
		list_insert(SPLIT_REGIONS, r);
	}
	CHECK(r >= BLOCKS_MAX && runs[r].free > 0);
	i = runs[r].chain;
	if (i == RUN) {
		i = runs[r].bump;
		CHECK(i < RUN);
	}
	b = (r - BLOCKS_MAX) * RUN + i;
	CHECK(runs[b].free == RUN);
	if (runs[r].chain == RUN) {
		runs[r].bump++;
	} else {
		runs[r].chain = runs[b].link;
	}
	runs[r].free--;
	if (runs[r].free == 0) {
		list_remove(SPLIT_REGIONS, r);
	}
	return b;
}

/* Gives a block, all of whose frames are free and which is on no list, to its region. */
/*@ requires lists_ok && b < BLOCKS_MAX;
    assigns runs[0 .. RUNS_MAX - 1], run_lists[0 .. RUN_LISTS - 1];
    ensures lists_ok; */
static void block_give(uint32_t b)
{
	uint32_t r = BLOCKS_MAX + b / RUN;

	CHECK(runs[r].free < RUN);
	runs[b].free = RUN;
	runs[b].chain = RUN;
	runs[b].bump = 0;
	runs[b].link = runs[r].chain;
	runs[r].chain = b % RUN;
	if (runs[r].free == 0) {
		list_insert(SPLIT_REGIONS, r);
	}
	runs[r].free++;
	if (runs[r].free == RUN) {
		list_remove(SPLIT_REGIONS, r);
		runs[r].chain = RUN;
		runs[r].bump = 0;
		list_insert(WHOLE_REGIONS, r);
	}
}

/* Puts a frame, already of type FREE, back into its block. */
/*@ requires frames_ok && m < frame_count;
    assigns runs[0 .. RUNS_MAX - 1], run_lists[0 .. RUN_LISTS - 1], frames[m].link;
    ensures frames_ok; */
ALWAYS_INLINE void frame_give(uint64_t m)
{
	uint32_t b = (uint32_t)(m / RUN);

	CHECK(runs[b].free < RUN);
	frames[m].link = runs[b].chain;
	runs[b].chain = m % RUN;
	if (runs[b].free == 0) {
		list_insert(SPLIT_BLOCKS, b);
	}
	runs[b].free++;
	if (runs[b].free == RUN) {
		list_remove(SPLIT_BLOCKS, b);
		block_give(b);
	}
}

/* The number of one free frame taken from the lists, or FRAMES_MAX. */
/*@ requires frames_ok;
    assigns runs[0 .. RUNS_MAX - 1], run_lists[0 .. RUN_LISTS - 1];
    ensures z3: frames_ok && (\result < frame_count || \result == FRAMES_MAX); */
NOINLINE static uint64_t frame_take(void)
{
	uint32_t b = run_lists[SPLIT_BLOCKS];
	uint64_t m;

	if (b == RUN_NIL) {
		b = block_take();
		if (b == RUN_NIL) {
			return FRAMES_MAX;
		}
		runs[b].bump = 0;
		runs[b].chain = RUN;
		list_insert(SPLIT_BLOCKS, b);
	}
	CHECK(b < BLOCKS_MAX && runs[b].free > 0);
	m = (uint64_t)b * RUN + (runs[b].chain < RUN ? runs[b].chain : runs[b].bump);
	CHECK(m < frame_count);
	if (runs[b].chain < RUN) {
		runs[b].chain = frames[m].link;
	} else {
		CHECK(runs[b].bump < RUN);
		runs[b].bump++;
	}
	runs[b].free--;
	if (runs[b].free == 0) {
		list_remove(SPLIT_BLOCKS, b);
	}
	return m;
}

/* All blocks of a region change sides: from in use (0) to free, or from free (RUN) to in use. */
/*@ requires lists_ok && BLOCKS_MAX <= r < RUNS_MAX && (from == 0 || from == RUN);
    assigns runs[0 .. RUNS_MAX - 1];
    ensures lists_ok && runs[r].free == RUN - from; */
static void region_turn(uint32_t r, uint16_t from)
{
	uint32_t first = (r - BLOCKS_MAX) * RUN, i;

	/*@ loop invariant 0 <= i <= RUN && lists_ok;
	    loop assigns i, runs[0 .. BLOCKS_MAX - 1];
	    loop variant RUN - i; */
	for (i = 0; i < RUN; i++) {
		CHECK(runs[first + i].free == from);
		runs[first + i].free = RUN - from;
		runs[first + i].bump = from;
		runs[first + i].chain = RUN;
	}
	runs[r].free = RUN - from;
	runs[r].bump = from;
	runs[r].chain = RUN;
}

/* The first frame of a free run taken from the lists, or FRAMES_MAX. */
/*@ requires frames_ok && order_valid(order);
    assigns runs[0 .. RUNS_MAX - 1], run_lists[0 .. RUN_LISTS - 1];
    ensures frames_ok && (\result + order_size(order) <= FRAMES_MAX || \result == FRAMES_MAX); */
static uint64_t run_take(uint32_t order)
{
	uint32_t r;

	if (order == ORDER_4K) {
		return frame_take();
	}
	if (order == ORDER_2M) {
		r = block_take();
		if (r == RUN_NIL) {
			return FRAMES_MAX;
		}
		runs[r].free = 0;
		runs[r].bump = RUN;
		runs[r].chain = RUN;
		return (uint64_t)r * RUN;
	}
	r = run_lists[WHOLE_REGIONS];
	if (r == RUN_NIL) {
		return FRAMES_MAX;
	}
	CHECK(r >= BLOCKS_MAX && runs[r].free == RUN);
	list_remove(WHOLE_REGIONS, r);
	region_turn(r, RUN);
	return (uint64_t)(r - BLOCKS_MAX) * RUN * RUN;
}

/* Puts a run, already of type FREE, back on the lists. */
/*@ requires frames_ok && order_valid(order);
    requires m % order_size(order) == 0 && m + order_size(order) <= frame_count;
    assigns runs[0 .. RUNS_MAX - 1], run_lists[0 .. RUN_LISTS - 1], frames[m].link;
    ensures frames_ok; */
static void run_give(uint64_t m, uint32_t order)
{
	uint32_t r;

	if (order == ORDER_4K) {
		frame_give(m);
	} else if (order == ORDER_2M) {
		r = (uint32_t)(m / RUN);
		CHECK(runs[r].free == 0);
		block_give(r);
	} else {
		r = BLOCKS_MAX + (uint32_t)(m / RUN / RUN);
		CHECK(runs[r].free == 0);
		region_turn(r, 0);
		list_insert(WHOLE_REGIONS, r);
	}
}

void frame_init(uint64_t count)
{
	uint64_t m;
	uint32_t r;

	frame_count = count;
	frame_free_count = 0;
	/*@ loop invariant 0 <= m <= count;
	    loop invariant \forall integer k; 0 <= k < m ==> frames[k].link <= RUN && frames[k].type == FRAME_NONE;
	    loop assigns m, frames[0 .. FRAMES_MAX - 1];
	    loop variant count - m; */
	for (m = 0; m < count; m++) {
		frames[m] = (struct frame){ .type = FRAME_NONE, .owner = DOMAIN_NONE, .link = RUN,
					    .where = WHERE_NONE, .next = FRAMES_MAX };
	}
	/*@ loop invariant 0 <= r <= RUNS_MAX;
	    loop invariant \forall integer k; 0 <= k < r ==> run_ok(k);
	    loop assigns r, runs[0 .. RUNS_MAX - 1];
	    loop variant RUNS_MAX - r; */
	for (r = 0; r < RUNS_MAX; r++) {
		runs[r] = (struct run){ .next = RUN_NIL, .prev = RUN_NIL, .bump = RUN, .chain = RUN, .link = RUN };
	}
	run_lists[SPLIT_BLOCKS] = RUN_NIL;
	run_lists[SPLIT_REGIONS] = RUN_NIL;
	run_lists[WHOLE_REGIONS] = RUN_NIL;
}

/* The end of [first, first + count), cut off at the last frame of the machine. */
/*@ requires frame_count <= FRAMES_MAX;
    terminates \true; exits \false; assigns \nothing;
    ensures \result <= frame_count;
    ensures \forall integer m; first <= m < frame_count && m < first + count ==> m < \result;
    ensures \forall integer m; first <= m < \result ==> m < first + count; */
static uint64_t range_end(uint64_t first, uint64_t count)
{
	if (first >= frame_count) {
		return 0;
	}
	return count > frame_count - first ? frame_count : first + count;
}

void frame_claim(mfn_t mfn, uint64_t count, uint8_t type)
{
	uint64_t m, end = range_end(mfn.mfn, count);

	/*@ loop invariant mfn.mfn <= m && (m <= end || m == mfn.mfn) && frames_ok;
	    loop invariant \forall integer k; mfn.mfn <= k < m ==> frames[k].type == type;
	    loop invariant frames_same_but{Pre,Here}(mfn.mfn, m - mfn.mfn);
	    loop assigns m, frames[0 .. FRAMES_MAX - 1];
	    loop variant end - m; */
	for (m = mfn.mfn; m < end; m++) {
		CHECK(frames[m].type != FRAME_FREE);
		frames[m].type = type;
	}
}

void frame_add(mfn_t mfn, uint64_t count)
{
	uint64_t m, end = range_end(mfn.mfn, count);

	/*@ loop invariant mfn.mfn <= m && (m <= end || m == mfn.mfn) && frames_ok;
	    loop invariant \forall integer k; 0 <= k < FRAMES_MAX ==> frame_same{Pre,Here}(k) ||
	                     (\at(frames[k].type,Pre) == FRAME_NONE && frames[k].type == FRAME_FREE);
	    loop assigns m, frames[0 .. FRAMES_MAX - 1], runs[0 .. RUNS_MAX - 1],
	                 run_lists[0 .. RUN_LISTS - 1], frame_free_count;
	    loop variant end - m; */
	for (m = mfn.mfn; m < end; m++) {
		if (frames[m].type == FRAME_NONE) {
			frames[m].type = FRAME_FREE;
			frames[m].dirty = 1;
			frame_free_count++;
			frame_give(m);
		}
	}
}

/*
 * Gives every frame of a run its new type and owner. CHECK: all were free, or
 * all in use, as `from_free` says. True if one was dirty.
 */
/*@ requires frames_ok && m + size <= FRAMES_MAX && type < FRAME_TYPES;
    assigns frames[0 .. FRAMES_MAX - 1];
    ensures frames_ok && m + size <= frame_count && frames_same_but{Pre,Here}(m, size);
    ensures \forall integer k; m <= k < m + size ==>
      (from_free ? \at(frames[k].type,Pre) == FRAME_FREE : \at(frames[k].type,Pre) > FRAME_FREE) &&
      frames[k].type == type && frames[k].owner == owner && frames[k].count == 0 &&
      frames[k].where == WHERE_NONE; */
static bool run_mark(uint64_t m, uint64_t size, bool from_free, uint8_t type, uint16_t owner)
{
	bool dirty = false;
	uint64_t k;

	CHECK(m + size <= frame_count);
	/*@ loop invariant m <= k <= m + size && frames_ok && frames_same_but{Pre,Here}(m, k - m);
	    loop invariant \forall integer j; m <= j < k ==>
	      (from_free ? \at(frames[j].type,Pre) == FRAME_FREE : \at(frames[j].type,Pre) > FRAME_FREE) &&
	      frames[j].type == type && frames[j].owner == owner && frames[j].count == 0 &&
	      frames[j].where == WHERE_NONE;
	    loop assigns k, dirty, frames[0 .. FRAMES_MAX - 1];
	    loop variant m + size - k; */
	for (k = m; k < m + size; k++) {
		CHECK(from_free ? frames[k].type == FRAME_FREE : frames[k].type > FRAME_FREE);
		if (frames[k].dirty) {
			dirty = true;
		}
		frames[k] = (struct frame){ .type = type, .owner = owner, .link = RUN,
					    .where = WHERE_NONE, .next = FRAMES_MAX };
	}
	return dirty;
}

int frame_alloc(uint32_t order, uint8_t type, uint16_t owner, mfn_t *mfn)
{
	uint64_t m = run_take(order), size = order_frames(order);

	if (m == FRAMES_MAX) {
		return -ENOMEM;
	}
	if (run_mark(m, size, true, type, owner)) {
		machine_scrub((mfn_t){ m }, order);
	}
	CHECK(frame_free_count >= size);
	frame_free_count -= size;
	mfn->mfn = m;
	return 0;
}

void frame_free(mfn_t mfn, uint32_t order)
{
	uint64_t m = mfn.mfn, size = order_frames(order);

	CHECK(m % size == 0 && m < frame_count && size <= frame_count - m);
	machine_scrub(mfn, order);
	run_mark(m, size, false, FRAME_FREE, DOMAIN_NONE);
	frame_free_count += size;
	run_give(m, order);
}

/* A free frame that was a table has RUN - link in `count`, as `link` chains it. */
uint64_t frame_alloc_table(uint16_t owner)
{
	uint32_t b = run_lists[SPLIT_BLOCKS];
	uint64_t m;

	if (b < BLOCKS_MAX && runs[b].chain < RUN && runs[b].free > 1) {
		/* As frame_take mostly finds it: one that was given back, and not the last of its block. */
		m = (uint64_t)b * RUN + runs[b].chain;
		CHECK(m < frame_count);
		runs[b].chain = frames[m].link;
		runs[b].free--;
	} else {
		m = frame_take();
		if (m == FRAMES_MAX) {
			return m;
		}
	}
	CHECK(frames[m].type == FRAME_FREE && frame_free_count > 0);
	frames[m] = (struct frame){ .type = FRAME_TABLE, .level = frames[m].level, .dirty = frames[m].dirty,
				    .owner = owner, .link = (uint16_t)(RUN - frames[m].count),
				    .where = WHERE_NONE, .next = FRAMES_MAX, .prev = FRAMES_MAX };
	frame_free_count--;
	return m;
}

void frame_free_table(mfn_t mfn)
{
	uint64_t m = mfn.mfn;

	CHECK(m < frame_count && frames[m].type == FRAME_TABLE && frames[m].where == WHERE_NONE);
	machine_freed(mfn);
	frames[m] = (struct frame){ .type = FRAME_FREE, .level = frames[m].level, .dirty = frames[m].dirty,
				    .owner = DOMAIN_NONE, .link = RUN, .count = RUN - frames[m].link,
				    .where = WHERE_NONE, .next = FRAMES_MAX };
	frame_free_count++;
	frame_give(m);
}

void frame_retype(mfn_t mfn, uint8_t type, uint16_t owner)
{
	CHECK(mfn.mfn < frame_count && frames[mfn.mfn].type > FRAME_FREE);
	CHECK(type > FRAME_FREE && type < FRAME_TYPES);
	frames[mfn.mfn].type = type;
	frames[mfn.mfn].owner = owner;
}

void limbo_add(struct limbo *l, mfn_t mfn, uint32_t order)
{
	CHECK(mfn.mfn < frame_count && frames[mfn.mfn].type > FRAME_FREE);
	frames[mfn.mfn].order = order;
	frames[mfn.mfn].next = FRAMES_MAX;
	if (l->head == FRAMES_MAX) {
		l->head = mfn.mfn;
	} else {
		frames[l->tail].next = (uint32_t)mfn.mfn;
	}
	l->tail = mfn.mfn;
}

void limbo_free(struct limbo *l, uint32_t domain)
{
	if (l->head == FRAMES_MAX) {
		return;
	}
	machine_flush_domain(domain);
	limbo_drain(l);
}

void limbo_drain(struct limbo *l)
{
	while (l->head != FRAMES_MAX) {
		uint64_t m = l->head;

		l->head = frames[m].next;
		if (frames[m].type == FRAME_TABLE) {
			frame_free_table((mfn_t){ m });
		} else {
			frame_free((mfn_t){ m }, frames[m].order);
		}
	}
}
