#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# Proves the contracts of the nucleus' sources, and that they divide by nothing,
# overflow nowhere and stay inside every array: Frama-C/WP with Z3 and CVC4, on
# the very sources that boot, with the machine's entry format and 512 entries, and
# with room for so many frames that a leaf of each size fits beside its tables:
# with less, what is said of the largest would be true of nothing.
#
#	prove.sh OUT	(a directory; logs go there)
#
# Exit status 0 only if every goal of every function named below is proved. What
# the proofs take as given, and what of the view engine they don't reach, is
# printed at the end.
#
# Frama-C makes goals with one thread, so several of it run side by side, each on a
# part of the functions: prove.sh OUT PART does one part, and leaves PART.log and
# PART.status.
set -u
cd "$(dirname "$0")/.." || exit 2
out=${1:?usage: prove.sh OUT}
part=${2:-}
jobs=$(nproc)

# Functions with a goal that one prover soon proves and the other doesn't are among the
# "both": see prove.
frame="list_insert list_remove block_give frame_give region_turn run_take run_give \
frame_init range_end frame_claim frame_add run_mark frame_alloc frame_free frame_retype order_frames"
frame_both="block_take frame_take"
stage2="access_valid entry_empty entry_link entry_table entry_private entry_leaf entry_leaf_with entry_kind \
entry_mfn entry_access entry_suppress entry_turns entry_with_turns entry_with_own entry_kept entry_kept_access \
entry_own entry_step entry_piece entry_joined level_span gfn_slot gfn_offset index_of table_entries \
table_use access_turns access_settable access_rights mfn_of gfn_of"
stage2_both="find stage2_translate"
view="nuc_domain_find nucleus_lock nucleus_unlock view_find view_plain shared_entry base_at intent_of \
intent_any own_entry private_child"
view_both="base_below put sync_page"
look="tree_find rootless view_translate"
# A lemma about `&` that takes a case for each value.
cases="and_valid"

# Those that take longest come first.
parts="view_both frame stage2_both stage2 lemmas look view cases frame_both"

# Contracts that proofs use and that are not proved: written with masks (entry_test tries them), and the machine's.
assumed="entry_is_private entry_any_own machine_scrub machine_flush_domain machine_panic ticket_take ticket_release"

for tool in frama-c why3 z3 cvc4; do
	command -v $tool >/dev/null || { echo "prove: $tool is not installed" >&2; exit 2; }
done
mkdir -p "$out" || exit 2
out=$(cd "$out" && pwd)
WHY3CONFIG=$out/why3.conf
export WHY3CONFIG
[ -s "$WHY3CONFIG" ] || why3 config detect >"$out/why3.log" 2>&1

comma() { echo "$@" | tr -s ' ' ','; }

# prove FILE PROVERS OPTION...: this part.
prove()
{
	file=$1 provers=$2
	shift 2
	frama-c -c11 -machdep gcc_x86_64 -session "$out/session/$part" -wp -wp-rte -wp-prover "$provers" \
		-cpp-extra-args="-w -Iprove -Ifake -I. -I../include -DFRAMES_MAX='(1ull<<24)' -DENTRY_FORMAT='\"../x86/ept.h\"'" \
		"$@" "$file" >"$out/$part.log" 2>&1
	status=$?
	echo $status >"$out/$part.status"
	return $status
}

# One prover runs at a time, so Z3 gets only the goals that CVC4 has given up: it waits
# for as long as CVC4 may take.
in_turn() { file=$1; shift; prove "$file" cvc4,z3 -wp-par 1 -wp-timeout 20 "$@"; }
# Both provers start on a goal, and the one that proves it ends the other.
both() { file=$1; shift; prove "$file" z3,cvc4 -wp-par 2 -wp-timeout 60 "$@"; }

# Goals are made in a third of the time if WP doesn't look into every branch for what is
# trivial: a prover does that sooner.
plain="-wp-no-pruning -wp-no-ground"

case $part in
"") ;;
frame) in_turn frame.c $plain -wp-fct "$(comma $frame)"; exit ;;
frame_both) both frame.c $plain -wp-fct "$(comma $frame_both)"; exit ;;
stage2) in_turn stage2.c $plain -wp-fct "$(comma $stage2)"; exit ;;
stage2_both) both stage2.c $plain -wp-fct "$(comma $stage2_both)"; exit ;;
view) in_turn view.c $plain -wp-fct "$(comma $view)"; exit ;;
view_both) both view.c $plain -wp-fct "$(comma $view_both)"; exit ;;
# Of view_translate a goal with all its branches is too much for Z3.
look) both view.c -wp-no-ground -wp-fct "$(comma $look)"; exit ;;
lemmas) both view.c -wp-prop "@lemma,-$cases"; exit ;;
cases) prove view.c tip,cvc4,z3 -wp-par 1 -wp-timeout 10 -wp-prop "$cases" -wp-auto wp:range -wp-auto-width 100; exit ;;
*) echo "prove: no part $part" >&2; exit 2 ;;
esac

proved=0 goals=0 bad=0

# account PART: adds to the sums; prints what was not proved.
account()
{
	log=$out/$1.log
	[ "$(cat "$out/$1.status")" = 0 ] || { echo "prove: $1:"; tail -5 "$log"; bad=1; }
	grep -E '^\[wp\] \[(Failed|Timeout|Unknown)' "$log" && bad=1
	sum=$(sed -n 's/.*Proved goals: *\([0-9]*\) *\/ *\([0-9]*\).*/\1 \2/p' "$log")
	[ -n "$sum" ] || { bad=1; sum="0 0"; }
	proved=$((proved + ${sum% *})) goals=$((goals + ${sum#* }))
}

# covered LOG FUNCTION...: each function has goals, that is, none was renamed away.
covered()
{
	log=$out/$1.log
	shift
	for f in "$@"; do
		grep -q "Goal typed_${f}_.* : Valid" "$log" || { echo "prove: no goal of $f"; bad=1; }
	done
}

# The functions of a file, one a line.
functions() { sed -n '/^[A-Za-z].*(/{/;/!{s/(.*//;s/.*[ *]//;p;}}' "$1" | grep -v '^__' | sort -u; }

# What an earlier run left must not pass for this one's.
for p in $parts; do
	rm -f "$out/$p.log" "$out/$p.status"
done
# One more than there are cores: Frama-C and a prover wait for each other now and then.
echo $parts | xargs -n 1 -P $((jobs + 1)) prove/prove.sh "$out" || bad=1
for p in $parts; do
	account $p
done
covered frame $frame
covered frame_both $frame_both
covered stage2 $stage2
covered stage2_both $stage2_both
covered view $view
covered view_both $view_both
covered look $look

echo "$proved of $goals goals proved"
echo "assumed:" $assumed
echo "not proved, left to view_test, view_explore and view_fuzz:" \
	$(functions view.c | grep -vxF "$(echo $view $view_both $look | tr ' ' '\n')")
[ $bad -eq 0 ] && [ "$goals" -gt 0 ] && [ "$proved" -eq "$goals" ]
