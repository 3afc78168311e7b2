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

frame="list_insert list_remove block_take block_give frame_give frame_take region_turn run_take run_give \
frame_init range_end frame_claim frame_add run_mark frame_alloc frame_free frame_retype order_frames"
stage2="access_valid entry_empty entry_link entry_table entry_private entry_leaf entry_leaf_with entry_kind \
entry_mfn entry_access entry_suppress entry_turns entry_with_turns entry_with_own entry_kept entry_kept_access \
entry_own entry_step entry_piece entry_joined level_span gfn_slot gfn_offset index_of table_entries \
table_use access_turns access_settable access_rights mfn_of gfn_of find stage2_translate"
view="nuc_domain_find nucleus_lock nucleus_unlock view_find view_plain shared_entry base_at intent_of \
intent_any own_entry private_child base_below put sync_page"
look="tree_find rootless view_translate"
# Lemmas that CVC4 proves and Z3 doesn't; and one about `&` that takes a case for each value.
masks="bits_13 field_kept field_kept_access field_m field_mfn field_own field_turns tables_keep"
cases="and_valid"

# Those that take longest come first.
parts="stage2 view frame lemmas look view_z3 stage2_z3 frame_z3 masks cases"

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

# One prover at a time, so the second gets only the goals that the first has given up, and waits for as
# long as that may take. CVC4 proves most; what Z3 proves and CVC4 does not, or slowly, has the name `z3` in
# the sources.
cvc4() { file=$1; shift; prove "$file" cvc4,z3 -wp-par 1 -wp-timeout 20 "$@"; }
z3() { file=$1; shift; prove "$file" z3,cvc4 -wp-par 1 -wp-timeout 60 "$@"; }

# Goals are made in a third of the time if WP doesn't look into every branch for what is
# trivial: a prover does that sooner.
plain="-wp-no-pruning -wp-no-ground"

case $part in
"") ;;
frame) cvc4 frame.c $plain -wp-prop=-z3 -wp-fct "$(comma $frame)"; exit ;;
stage2) cvc4 stage2.c $plain -wp-prop=-z3 -wp-fct "$(comma $stage2)"; exit ;;
view) cvc4 view.c $plain -wp-prop=-z3 -wp-fct "$(comma $view)"; exit ;;
# Of view_translate a goal with all its branches is too much.
look) cvc4 view.c -wp-no-ground -wp-fct "$(comma $look)"; exit ;;
frame_z3) z3 frame.c $plain -wp-prop=z3 -wp-fct "$(comma $frame)"; exit ;;
stage2_z3) z3 stage2.c $plain -wp-prop=z3 -wp-fct "$(comma $stage2)"; exit ;;
view_z3) z3 view.c $plain -wp-prop=z3 -wp-fct "$(comma $view)"; exit ;;
lemmas) z3 view.c -wp-prop "@lemma,$(comma $(printf -- '-%s ' $masks $cases))"; exit ;;
masks) cvc4 view.c -wp-prop "$(comma $masks)"; exit ;;
cases) prove view.c tip,cvc4 -wp-par 1 -wp-timeout 10 -wp-prop "$cases" -wp-auto wp:range -wp-auto-width 100; exit ;;
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
covered stage2 $stage2
covered view $view
covered look $look

echo "$proved of $goals goals proved"
echo "assumed:" $assumed
echo "not proved, left to view-induct, view_test, view_explore and view_fuzz:" \
	$(functions view.c | grep -vxF "$(echo $view $look | tr ' ' '\n')")
[ $bad -eq 0 ] && [ "$goals" -gt 0 ] && [ "$proved" -eq "$goals" ]
