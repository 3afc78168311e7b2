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
set -u
cd "$(dirname "$0")/.." || exit 2
out=${1:?usage: prove.sh OUT}
jobs=$(nproc)

frame="list_insert list_remove block_take block_give frame_give frame_take region_turn run_take run_give \
frame_init range_end frame_claim frame_add run_mark frame_alloc frame_free frame_retype order_frames"
stage2="access_valid entry_empty entry_link entry_table entry_private entry_leaf entry_leaf_with entry_kind \
entry_mfn entry_access entry_suppress entry_turns entry_with_turns entry_with_own entry_kept entry_kept_access \
entry_own entry_step entry_piece entry_joined level_span gfn_slot gfn_offset index_of table_entries \
table_use access_turns access_settable access_rights mfn_of gfn_of find stage2_translate"
view="nuc_domain_find nucleus_lock nucleus_unlock view_find view_plain shared_entry base_at intent_of \
intent_any own_entry private_child put sync_page"
# With a goal that takes a prover longer than the others.
long="base_below"
long_lemma="word_but"
look="tree_find rootless view_translate"

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

proved=0 goals=0 bad=0

time=10         # seconds a prover has for a goal
# prove FILE LOG PROVERS OPTION...: adds to the sums; prints what was not proved.
prove()
{
	file=$1 log=$out/$2.log provers=$3
	shift 3
	frama-c -c11 -machdep gcc_x86_64 -session "$out/session" -wp -wp-rte -wp-prover "$provers" \
		-wp-par "$jobs" -wp-timeout "$time" \
		-cpp-extra-args="-w -Iprove -Ifake -I. -I../include -DFRAMES_MAX='(1ull<<24)' -DENTRY_FORMAT='\"../x86/ept.h\"'" \
		"$@" "$file" >"$log" 2>&1 || { tail -5 "$log"; bad=1; }
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

comma() { echo "$@" | tr -s ' ' ','; }

# The functions of a file, one a line.
functions() { sed -n '/^[A-Za-z].*(/{/;/!{s/(.*//;s/.*[ *]//;p;}}' "$1" | grep -v '^__' | sort -u; }

prove frame.c frame z3,cvc4 -wp-fct "$(comma $frame)"
covered frame $frame
prove stage2.c stage2 z3,cvc4 -wp-fct "$(comma $stage2)"
covered stage2 $stage2
prove view.c view z3,cvc4 -wp-fct "$(comma $view $look)"
covered view $view $look
# Lemmas about `&` take a case for each value.
prove view.c lemmas tip,z3,cvc4 -wp-prop "@lemma,-$long_lemma" -wp-auto wp:range -wp-auto-width 100
time=60
prove view.c long cvc4,z3 -wp-fct "$(comma $long)"
covered long $long
prove view.c long_lemma z3,cvc4 -wp-prop "$long_lemma"

echo "$proved of $goals goals proved"
echo "assumed:" $assumed
echo "not proved, left to view_test, view_explore and view_fuzz:" \
	$(functions view.c | grep -vxF "$(echo $view $long $look | tr ' ' '\n')")
[ $bad -eq 0 ] && [ "$goals" -gt 0 ] && [ "$proved" -eq "$goals" ]
