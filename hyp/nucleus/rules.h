/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the proofs say of tables (`make prove`): rule 1 and what it leans on, as
 * predicates of one quantifier each over all tables, reachable or not. Only
 * annotations; stage2.h includes it where its types are known.
 *
 * A table is `placed` while it may be led to. One that is reserved, or on its way
 * out, is `spare`: nothing leads to it, and its words may be anything.
 */
#pragma once

/*@ // Entries of a root that gfns below the limit lead to: one number for all domains of a machine.
    axiomatic Machine {
      logic integer root_slots;
      axiom root_slots_fit: 0 <= root_slots <= RUN;
    }
 */

#define PRIVATE_VIEWS (-1)        /* for `only`: all but the base */
#define ALL_VIEWS (-2)

/* Who leads to a private table: what makes it one, and no two. For the proofs only. */
//@ ghost uint64_t parent[FRAMES_MAX];

/*@ logic integer span(integer level) =
      level == 0 ? 1 : level == 1 ? SPAN1 : level == 2 ? SPAN2 : SPAN3;
    logic integer slot_gfn(integer slot, integer level) =
      level == 0 ? slot : level == 1 ? slot * SPAN1 : level == 2 ? slot * SPAN2 : slot * SPAN3;
    logic integer gfn_index(integer gfn, integer level) = gfn / span(level) % RUN;

    lemma prefix_3: \forall integer g; 0 <= g < GFN_LIMIT ==>
      g / SPAN3 % RUN == g / SPAN3 && g / GFN_LIMIT == 0;
    lemma prefix_2: \forall integer g; 0 <= g ==> (g / SPAN3) * RUN + g / SPAN2 % RUN == g / SPAN2;
    lemma prefix_1: \forall integer g; 0 <= g ==> (g / SPAN2) * RUN + g / SPAN1 % RUN == g / SPAN1;
    lemma prefix_0: \forall integer g; 0 <= g ==> (g / SPAN1) * RUN + g % RUN == g;

    lemma piece_gfn: \forall integer s, i, l; 1 <= l <= 3 ==>
      slot_gfn(s * RUN + i, l - 1) == slot_gfn(s, l) + i * span(l - 1);
    lemma piece_span: \forall integer i, l; 1 <= l <= 3 && 0 <= i < RUN ==>
      0 <= i * span(l - 1) && i * span(l - 1) + span(l - 1) <= span(l);
 */

/* ---- what a table and an entry may be ------------------------------------- */

/*@ predicate in_use{L}(integer t) =
      0 <= t < frame_count && frames[t].type == FRAME_TABLE && frames[t].where != WHERE_NONE;
    predicate is_spare{L}(integer t) =
      0 <= t < frame_count && frames[t].type == FRAME_TABLE && frames[t].where == WHERE_NONE;
    predicate placed{L}(integer t, integer d) =
      0 <= t < frame_count && frames[t].type == FRAME_TABLE && frames[t].owner == d &&
      frames[t].where != WHERE_NONE;
    predicate spare{L}(integer t, integer d) = is_spare(t) && frames[t].owner == d;
    // Just reserved.
    predicate fresh{L}(integer t, integer d) =
      spare(t, d) && frames[t].view == 0 && frames[t].next == FRAMES_MAX && frames[t].prev == FRAMES_MAX;
    predicate is_table{L}(integer t, integer d, integer level) =
      placed(t, d) && frames[t].view == 0 && frames[t].level == level;
    predicate is_copy{L}(integer t, integer d, integer v, integer level) =
      placed(t, d) && frames[t].view == v && frames[t].level == level;

    // The entries that some gfn leads to.
    predicate entry_at{L}(integer t, integer i) = 0 <= i < (frames[t].level == LEVEL_ROOT ? root_slots : RUN);

    // What an entry of level l may be, in domain d's view v, at slot gfn / span(l).
    // Its kind: no entry that hardware would misread.
    predicate kind_ok(integer e, integer v, integer l) =
      e_kind(e, l) != ENTRY_BAD &&
      (e_kind(e, l) == ENTRY_KEPT ==>
        v != 0 && access_valid(e_kept_access(e)) && (e_own(e) & OWN_TARGET) == 0) &&
      (e_kind(e, l) == ENTRY_TABLE || e_kind(e, l) == ENTRY_LEAF ==> access_valid(e_access(e)));
    // A link leads to a table of the same domain, of the view itself if it is private and of the base if it
    // isn't, one level below, in the place that its prefix says.
    predicate link_ok{L}(integer e, integer d, integer v, integer l, integer slot) =
      e_kind(e, l) == ENTRY_TABLE ==>
        \let c = e_mfn(e, l);
        placed(c, d) && frames[c].level == l - 1 && frames[c].where == slot &&
        (e_private(e) ? v != 0 && frames[c].view == v : frames[c].view == 0);
    // Rule 1: a leaf leads only to RAM of the domain, or to pages shared with it, and to frames that are
    // mapped at that place and no other, unless the view has remapped it.
    predicate leaf_ok{L}(integer e, integer d, integer v, integer l, integer slot) =
      e_kind(e, l) == ENTRY_LEAF ==>
        \let f = e_mfn(e, l);
        0 <= f && f + span(l) <= frame_count &&
        \forall integer k; f <= k < f + span(l) ==>
          (frames[k].type == FRAME_GUEST || frames[k].type == FRAME_SHARED) && frames[k].owner == d &&
          ((v != 0 && l == 0 && (e_own(e) & OWN_TARGET) != 0) ||
           frames[k].where == slot_gfn(slot, l) + (k - f));
    // A piece of a leaf that is right is right.
    lemma piece_1{L}: \forall integer e, p, d, slot, i; 0 <= i < RUN && leaf_ok{L}(e, d, 0, 1, slot) &&
      e_kind(e, 1) == ENTRY_LEAF && e_kind(p, 0) == ENTRY_LEAF && e_mfn(p, 0) == e_mfn(e, 1) + i ==>
      leaf_ok{L}(p, d, 0, 0, slot * RUN + i);
    lemma piece_2{L}: \forall integer e, p, d, slot, i; 0 <= i < RUN && leaf_ok{L}(e, d, 0, 2, slot) &&
      e_kind(e, 2) == ENTRY_LEAF && e_kind(p, 1) == ENTRY_LEAF && e_mfn(p, 1) == e_mfn(e, 2) + i * RUN ==>
      leaf_ok{L}(p, d, 0, 1, slot * RUN + i);
    predicate entry_ok{L}(integer e, integer d, integer v, integer l, integer slot) =
      kind_ok(e, v, l) && link_ok(e, d, v, l, slot) && leaf_ok(e, d, v, l, slot);
    predicate place_ok{L}(integer t) =
      frames[t].level <= LEVEL_ROOT &&
      frames[t].where < (frames[t].level == 3 ? 1 : frames[t].level == 2 ? SPAN1 :
                         frames[t].level == 1 ? SPAN2 : SPAN3);
    predicate word_ok{L}(integer t, integer i) =
      entry_ok(machine[t][i], frames[t].owner, frames[t].view, frames[t].level, frames[t].where * RUN + i);
    predicate is_private(integer e, integer l) = e_kind(e, l) == ENTRY_TABLE && e_private(e);
    predicate parent_ok{L}(integer t, integer i) =
      is_private(machine[t][i], frames[t].level) ==> parent[e_mfn(machine[t][i], frames[t].level)] == t;
 */

/* ---- the invariant -------------------------------------------------------- */

/*@ // So is every entry of every table of domain d.
    predicate places_ok{L}(integer d) = \forall integer t; placed(t, d) ==> place_ok(t);
    predicate words_ok{L}(integer d) = \forall integer t, i; placed(t, d) && entry_at(t, i) ==> word_ok(t, i);
    predicate tables_ok{L}(integer d) = places_ok(d) && words_ok(d);
    // At most one entry leads to a private table.
    predicate parents_ok{L}(integer d) =
      \forall integer t, i; placed(t, d) && entry_at(t, i) ==> parent_ok(t, i);

    // The copies of a table hang together, both ways, and are all in one place; so nothing that has gone is
    // still hung on to.
    predicate same_place{L}(integer t, integer u) =
      in_use(u) && frames[u].owner == frames[t].owner && frames[u].level == frames[t].level &&
      frames[u].where == frames[t].where;
    predicate chain_ok{L}(integer t) =
      (frames[t].next != FRAMES_MAX ==> same_place(t, frames[t].next) && frames[frames[t].next].prev == t) &&
      (frames[t].prev != FRAMES_MAX ==>
        frames[t].view != 0 && same_place(t, frames[t].prev) && frames[frames[t].prev].next == t);
    predicate chains_ok{L} = \forall integer t; in_use(t) ==> chain_ok(t);
    // Tables in limbo hang on to tables, or to what has been one.
    predicate was_table{L}(integer t) =
      0 <= t < frame_count && (frames[t].type == FRAME_TABLE || frames[t].type == FRAME_FREE);
    predicate limbo_ok{L} =
      \forall integer t; is_spare(t) && frames[t].next != FRAMES_MAX ==> was_table(frames[t].next);
    predicate limbo_of{L}(struct limbo *l) =
      l->head == FRAMES_MAX || (is_spare(l->head) && is_spare(l->tail));
    // Entries from `link` on are empty; of a free frame that was a table, the last `count`.
    predicate tails_ok{L} =
      (\forall integer t, i; 0 <= t < frame_count && frames[t].type == FRAME_TABLE && frames[t].level < LEVEL_ROOT &&
        frames[t].link <= i < RUN ==> e_kind(machine[t][i], frames[t].level) == ENTRY_EMPTY) &&
      (\forall integer t, i; 0 <= t < frame_count && frames[t].type == FRAME_FREE && frames[t].level < LEVEL_ROOT &&
        0 <= RUN - frames[t].count <= i < RUN ==> e_kind(machine[t][i], frames[t].level) == ENTRY_EMPTY) &&
      (\forall integer t; in_use(t) && frames[t].view != 0 && frames[t].level == 0 ==> frames[t].link == RUN);

    // All of it.
    predicate sound{L}(integer d) =
      frames_ok && tables_ok(d) && parents_ok(d) && chains_ok && limbo_ok && tails_ok;

    predicate stage2_ok{L}(struct stage2 *s) =
      0 <= s->domain < DOMAINS_MAX && s->root_entries == root_slots && s->gfn_limit <= GFN_LIMIT &&
      s->gfn_limit <= s->root_entries * SPAN3 &&
      is_table(s->root, s->domain, LEVEL_ROOT) && frames[s->root].where == 0;
 */

/* ---- what stays the same -------------------------------------------------- */

/*@ // What an entry may be depends on these alone.
    predicate shape_same{A,B}(integer m) =
      \at(frames[m].type,A) == \at(frames[m].type,B) && \at(frames[m].level,A) == \at(frames[m].level,B) &&
      \at(frames[m].owner,A) == \at(frames[m].owner,B) && \at(frames[m].view,A) == \at(frames[m].view,B) &&
      \at(frames[m].where,A) == \at(frames[m].where,B);
    predicate shapes_same{A,B} =
      \at(frame_count,A) == \at(frame_count,B) &&
      \forall integer m; 0 <= m < FRAMES_MAX ==> shape_same{A,B}(m);
    predicate shapes_same_but{A,B}(integer t) =
      \at(frame_count,A) == \at(frame_count,B) &&
      \forall integer m; 0 <= m < FRAMES_MAX && m != t ==> shape_same{A,B}(m);
    predicate hung_same{A,B}(integer m) =
      \at(frames[m].next,A) == \at(frames[m].next,B) && \at(frames[m].prev,A) == \at(frames[m].prev,B);
    predicate words_same{A,B}(integer t) =
      \forall integer i; 0 <= i < RUN ==> \at(machine[t][i],A) == \at(machine[t][i],B);
    predicate words_same_but{A,B}(integer t) =
      \forall integer m, i; 0 <= m < FRAMES_MAX && 0 <= i < RUN && m != t ==>
        \at(machine[m][i],A) == \at(machine[m][i],B);
    predicate parents_same{A,B} = \forall integer m; 0 <= m < FRAMES_MAX ==> \at(parent[m],A) == \at(parent[m],B);
    predicate parents_same_but{A,B}(integer t) =
      \forall integer m; 0 <= m < FRAMES_MAX && m != t ==> \at(parent[m],A) == \at(parent[m],B);

    // A change of domain d's view k may do this: free memory becomes tables, spare ones are placed in the
    // view, and the other way; words of those alone change. Nothing else of any frame does.
    predicate of_view{L}(integer m, integer k) =
      k == ALL_VIEWS || (k == PRIVATE_VIEWS ? frames[m].view != 0 : frames[m].view == k);
    predicate loose{L}(integer m, integer d, integer k) =
      0 <= m < frame_count &&
      (frames[m].type == FRAME_FREE ||
       (frames[m].type == FRAME_TABLE && frames[m].owner == d && (frames[m].where == WHERE_NONE || of_view(m, k))));
    predicate only_shapes{A,B}(integer d, integer k) = \forall integer m; 0 <= m < FRAMES_MAX ==>
      shape_same{A,B}(m) || (loose{A}(m, d, k) && loose{B}(m, d, k));
    predicate only_words{A,B}(integer d, integer k) = \forall integer m, i; 0 <= m < FRAMES_MAX && 0 <= i < RUN ==>
      loose{A}(m, d, k) || \at(machine[m][i],A) == \at(machine[m][i],B);
    predicate only{A,B}(integer d, integer k) =
      \at(frame_count,A) == \at(frame_count,B) && only_shapes{A,B}(d, k) && only_words{A,B}(d, k);
    // Free memory becomes fresh tables of d, spare tables free memory; nothing else changes at all.
    predicate reserved{A,B}(integer d) = \at(frame_count,A) == \at(frame_count,B) &&
      (\forall integer m; 0 <= m < FRAMES_MAX ==>
        shape_same{A,B}(m) || ((\at(frames[m].type,A) == FRAME_FREE || is_spare{A}(m)) &&
                               (\at(frames[m].type,B) == FRAME_FREE || spare{B}(m, d)))) &&
      (\forall integer m, i; 0 <= m < FRAMES_MAX && 0 <= i < RUN ==>
        \at(machine[m][i],A) == \at(machine[m][i],B) || \at(frames[m].type,A) == FRAME_FREE || is_spare{A}(m));
    predicate freed{A,B} = \at(frame_count,A) == \at(frame_count,B) &&
      (\forall integer m; 0 <= m < FRAMES_MAX ==>
        shape_same{A,B}(m) || (is_spare{A}(m) && \at(frames[m].type,B) == FRAME_FREE)) &&
      (\forall integer m, i; 0 <= m < FRAMES_MAX && 0 <= i < RUN ==> \at(machine[m][i],A) == \at(machine[m][i],B));
    // Nothing at all.
    predicate unchanged{A,B} = shapes_same{A,B} &&
      (\forall integer m, i; 0 <= m < FRAMES_MAX && 0 <= i < RUN ==> \at(machine[m][i],A) == \at(machine[m][i],B));
    // And in tables that stay, only what lies on the way to gfn.
    predicate on_way{L}(integer m, integer i, integer gfn) =
      0 <= frames[m].level <= 3 && frames[m].where * RUN + i == gfn / span(frames[m].level);
    predicate touches{A,B}(integer gfn) = \forall integer m, i; in_use{A}(m) && in_use{B}(m) && 0 <= i < RUN ==>
      \at(machine[m][i],A) == \at(machine[m][i],B) || on_way{A}(m, i, gfn);
    // Nothing comes but what was spare; nothing goes but to be spare.
    predicate only_comes{A,B} = \at(frame_count,A) == \at(frame_count,B) &&
      \forall integer m; in_use{A}(m) ==> shape_same{A,B}(m);
    predicate only_goes{A,B} = \at(frame_count,A) == \at(frame_count,B) &&
      \forall integer m; in_use{B}(m) ==> shape_same{A,B}(m);
    // Links only end.
    predicate links_end{A,B}(integer d) = only_goes{A,B} && \forall integer t, i; placed{B}(t, d) && entry_at{B}(t, i) ==>
      \at(machine[t][i],A) == \at(machine[t][i],B) ||
      e_kind(\at(machine[t][i],B), \at(frames[t].level,B)) != ENTRY_TABLE;
    // Nothing leads to t.
    predicate unled{L}(integer t, integer d) = \forall integer p, i; placed(p, d) && entry_at(p, i) &&
      e_kind(machine[p][i], frames[p].level) == ENTRY_TABLE ==> e_mfn(machine[p][i], frames[p].level) != t;
 */

/* ---- so the invariant is kept ---------------------------------------------- */

/*@ // If no shape changes, and every word that is not what it was is right.
    lemma shapes_on{A,B,C}: shapes_same{A,B} && shapes_same{B,C} ==> shapes_same{A,C};
    lemma placed_keeps{A,B}: \forall integer t, d; \at(frame_count,A) <= FRAMES_MAX && shapes_same{A,B} ==>
      (placed{A}(t, d) <==> placed{B}(t, d));
    lemma link_keeps{A,B}: \forall integer e, d, v, l, slot; \at(frame_count,A) <= FRAMES_MAX &&
      shapes_same{A,B} && link_ok{A}(e, d, v, l, slot) ==> link_ok{B}(e, d, v, l, slot);
    lemma leaf_keeps{A,B}: \forall integer e, d, v, l, slot; \at(frame_count,A) <= FRAMES_MAX &&
      0 <= l <= 3 && shapes_same{A,B} && leaf_ok{A}(e, d, v, l, slot) ==> leaf_ok{B}(e, d, v, l, slot);
    lemma entry_keeps{A,B}: \forall integer e, d, v, l, slot; \at(frame_count,A) <= FRAMES_MAX &&
      shapes_same{A,B} && 0 <= l <= 3 && entry_ok{A}(e, d, v, l, slot) ==> entry_ok{B}(e, d, v, l, slot);
    lemma place_keeps{A,B}: \forall integer t, d; \at(frame_count,A) <= FRAMES_MAX && placed{A}(t, d) &&
      shapes_same{A,B} && place_ok{A}(t) ==> place_ok{B}(t);
    lemma word_keeps{A,B}: \forall integer t, i, d; \at(frame_count,A) <= FRAMES_MAX && placed{A}(t, d) &&
      shapes_same{A,B} && place_ok{A}(t) && word_ok{A}(t, i) &&
      \at(machine[t][i],A) == \at(machine[t][i],B) ==> word_ok{B}(t, i);
    predicate words_right{A,B}(integer d) =
      \forall integer t, i; placed{B}(t, d) && entry_at{B}(t, i) ==>
        \at(machine[t][i],A) == \at(machine[t][i],B) || word_ok{B}(t, i);
    lemma places_keep{A,B}: \forall integer d; \at(frame_count,A) <= FRAMES_MAX && shapes_same{A,B} &&
      places_ok{A}(d) ==> places_ok{B}(d);
    lemma words_keep{A,B}: \forall integer d; \at(frame_count,A) <= FRAMES_MAX && shapes_same{A,B} &&
      places_ok{A}(d) && words_ok{A}(d) && words_right{A,B}(d) ==> words_ok{B}(d);
    lemma tables_keep{A,B}: \forall integer d; \at(frame_count,A) <= FRAMES_MAX && tables_ok{A}(d) &&
      shapes_same{A,B} && words_right{A,B}(d) ==> tables_ok{B}(d);
    predicate parents_right{A,B}(integer d) =
      \forall integer t, i; placed{B}(t, d) && entry_at{B}(t, i) ==>
        \at(machine[t][i],A) == \at(machine[t][i],B) || parent_ok{B}(t, i);
    lemma parents_keep{A,B}: \forall integer d; \at(frame_count,A) <= FRAMES_MAX && parents_ok{A}(d) &&
      tables_ok{A}(d) && shapes_same{A,B} && parents_same{A,B} && parents_right{A,B}(d) ==> parents_ok{B}(d);

    // If one frame changes its shape that nothing leads to, and is right itself.
    lemma unled_unplaced{A}: \forall integer t, d; tables_ok{A}(d) && !placed{A}(t, d) ==> unled{A}(t, d);
    lemma led_by{A}: \forall integer t, d, p, i; placed{A}(t, d) && frames[t].view != 0 && tables_ok{A}(d) &&
      parents_ok{A}(d) && placed{A}(p, d) && entry_at{A}(p, i) && e_kind(machine[p][i], frames[p].level) == ENTRY_TABLE &&
      e_mfn(machine[p][i], frames[p].level) == t ==>
      is_private(machine[p][i], frames[p].level) && parent[t] == p && frames[t].where == frames[p].where * RUN + i;
    lemma unled_root{A}: \forall integer t, d; placed{A}(t, d) && frames[t].level == LEVEL_ROOT &&
      tables_ok{A}(d) ==> unled{A}(t, d);
    predicate one_changes{A,B}(integer d, integer t) =
      0 <= t < FRAMES_MAX && \at(frame_count,A) <= FRAMES_MAX && shapes_same_but{A,B}(t) && words_same_but{A,B}(t) &&
      \at(frames[t].type,A) != FRAME_GUEST && \at(frames[t].type,A) != FRAME_SHARED && unled{A}(t, d);
    lemma link_but{A,B}: \forall integer p, i, d, t; one_changes{A,B}(d, t) && p != t && placed{A}(p, d) &&
      entry_at{A}(p, i) &&
      link_ok{A}(\at(machine[p][i],A), d, \at(frames[p].view,A), \at(frames[p].level,A), \at(frames[p].where,A) * RUN + i) ==>
      link_ok{B}(\at(machine[p][i],A), d, \at(frames[p].view,A), \at(frames[p].level,A), \at(frames[p].where,A) * RUN + i);
    lemma leaf_but{A,B}: \forall integer e, d, v, l, slot, t; one_changes{A,B}(d, t) && 0 <= l <= 3 &&
      leaf_ok{A}(e, d, v, l, slot) ==> leaf_ok{B}(e, d, v, l, slot);
    lemma word_but{A,B}: \forall integer p, i, d, t; one_changes{A,B}(d, t) && p != t && placed{A}(p, d) &&
      entry_at{A}(p, i) && place_ok{A}(p) && word_ok{A}(p, i) ==> word_ok{B}(p, i);

    // In a row.
    lemma only_same{A,B}: \forall integer d, k; shapes_same{A,B} &&
      (\forall integer m, i; 0 <= m < FRAMES_MAX && 0 <= i < RUN ==> \at(machine[m][i],A) == \at(machine[m][i],B)) ==>
      only{A,B}(d, k);
    lemma only_on{A,B,C}: \forall integer d, k; only{A,B}(d, k) && only{B,C}(d, k) ==> only{A,C}(d, k);
    lemma only_of{A,B}: \forall integer d, k; only{A,B}(d, k) && k > 0 ==> only{A,B}(d, PRIVATE_VIEWS);
    lemma links_on{A,B,C}: \forall integer d; links_end{A,B}(d) && links_end{B,C}(d) ==> links_end{A,C}(d);
    lemma unled_end{A,B}: \forall integer t, d; unled{A}(t, d) && links_end{A,B}(d) ==> unled{B}(t, d);

    // What a change of domain d leaves to others: their invariant, and what they have.
    lemma others_link{A,B}: \forall integer e, d, k, f, v, l, slot; \at(frame_count,A) <= FRAMES_MAX &&
      only{A,B}(d, k) && f != d &&
      link_ok{A}(e, f, v, l, slot) ==> link_ok{B}(e, f, v, l, slot);
    lemma others_leaf{A,B}: \forall integer e, d, k, f, v, l, slot; \at(frame_count,A) <= FRAMES_MAX &&
      only{A,B}(d, k) && 0 <= l <= 3 && leaf_ok{A}(e, f, v, l, slot) ==> leaf_ok{B}(e, f, v, l, slot);
    lemma others_placed{A,B}: \forall integer t, d, k, f; \at(frame_count,A) <= FRAMES_MAX &&
      only{A,B}(d, k) && f != d ==> (placed{A}(t, f) <==> placed{B}(t, f));
    lemma others_tables{A,B}: \forall integer d, k, f; \at(frame_count,A) <= FRAMES_MAX && only{A,B}(d, k) &&
      f != d && tables_ok{A}(f) ==> tables_ok{B}(f);

    // Where tables end, if only what hangs on them changes.
    predicate ends_same{A,B} = shapes_same{A,B} &&
      (\forall integer m; 0 <= m < FRAMES_MAX ==> 0 <= \at(frames[m].link,A) == \at(frames[m].link,B) &&
        \at(frames[m].count,A) == \at(frames[m].count,B)) &&
      (\forall integer m, i; 0 <= m < FRAMES_MAX && 0 <= i < RUN ==> \at(machine[m][i],A) == \at(machine[m][i],B));
    lemma tail_word{A,B}: \forall integer t, i; ends_same{A,B} && 0 <= t < FRAMES_MAX && 0 <= i < RUN &&
      e_kind(\at(machine[t][i],A), \at(frames[t].level,A)) == ENTRY_EMPTY ==>
      e_kind(\at(machine[t][i],B), \at(frames[t].level,B)) == ENTRY_EMPTY;
    lemma tails_table{A,B}: \at(frame_count,A) <= FRAMES_MAX && ends_same{A,B} && tails_ok{A} ==>
      \forall integer t, i; 0 <= t < \at(frame_count,B) && \at(frames[t].type,B) == FRAME_TABLE &&
        \at(frames[t].level,B) < LEVEL_ROOT && \at(frames[t].link,B) <= i < RUN ==>
        e_kind(\at(machine[t][i],B), \at(frames[t].level,B)) == ENTRY_EMPTY;
    lemma tails_free{A,B}: \at(frame_count,A) <= FRAMES_MAX && ends_same{A,B} && tails_ok{A} ==>
      \forall integer t, i; 0 <= t < \at(frame_count,B) && \at(frames[t].type,B) == FRAME_FREE &&
        \at(frames[t].level,B) < LEVEL_ROOT && 0 <= RUN - \at(frames[t].count,B) <= i < RUN ==>
        e_kind(\at(machine[t][i],B), \at(frames[t].level,B)) == ENTRY_EMPTY;
    lemma tails_own{A,B}: \at(frame_count,A) <= FRAMES_MAX && ends_same{A,B} && tails_ok{A} ==>
      \forall integer t; in_use{B}(t) && \at(frames[t].view,B) != 0 && \at(frames[t].level,B) == 0 ==>
        \at(frames[t].link,B) == RUN;
    lemma tails_keep{A,B}: \at(frame_count,A) <= FRAMES_MAX && ends_same{A,B} && tails_ok{A} ==> tails_ok{B};
 */

/* ---- translation, level by level -------------------------------------------- */

/*@ logic integer word{L}(integer t, integer gfn, integer level) = machine[t][gfn_index(gfn, level)];
    logic boolean down{L}(integer t, integer gfn, integer level) =
      e_kind(word(t, gfn, level), level) == ENTRY_TABLE;
    logic integer child{L}(integer t, integer gfn, integer level) = e_mfn(word(t, gfn, level), level);
    logic integer t2{L}(integer root, integer gfn) = child(root, gfn, 3);
    logic integer t1{L}(integer root, integer gfn) = child(t2(root, gfn), gfn, 2);
    logic integer t0{L}(integer root, integer gfn) = child(t1(root, gfn), gfn, 1);
    logic integer tr_level{L}(integer root, integer gfn, integer bottom) =
      bottom == 3 || !down(root, gfn, 3) ? 3 :
      bottom == 2 || !down(t2(root, gfn), gfn, 2) ? 2 :
      bottom == 1 || !down(t1(root, gfn), gfn, 1) ? 1 : 0;
    logic integer tr_table{L}(integer root, integer gfn, integer bottom) =
      \let l = tr_level(root, gfn, bottom);
      l == 3 ? root : l == 2 ? t2(root, gfn) : l == 1 ? t1(root, gfn) : t0(root, gfn);
    logic integer tr_word{L}(integer root, integer gfn) =
      word(tr_table(root, gfn, 0), gfn, tr_level(root, gfn, 0));
 */
