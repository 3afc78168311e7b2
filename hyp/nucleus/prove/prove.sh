#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# Proves the contracts of the nucleus' sources, and that they divide by nothing,
# overflow nowhere and stay inside every array: Frama-C/WP with Z3 and CVC4, on
# the very sources that boot, with the machine's entry format and 512 entries.
#
#	prove.sh OUT	(a directory; logs go there)
#
# Exit status 0 only if every goal of every function named below is proved.
set -u
cd "$(dirname "$0")/.." || exit 2
out=${1:?usage: prove.sh OUT}
jobs=$(nproc)

frame="list_insert list_remove block_take block_give frame_give frame_take region_turn run_take run_give \
frame_init range_end frame_claim frame_add run_mark frame_alloc frame_free frame_retype order_frames"
stage2="access_valid entry_empty entry_table entry_private entry_is_private entry_leaf entry_kind entry_mfn entry_access \
level_span gfn_slot gfn_offset index_of find stage2_translate"

for tool in frama-c why3 z3 cvc4; do
	command -v $tool >/dev/null || { echo "prove: $tool is not installed" >&2; exit 2; }
done
mkdir -p "$out" || exit 2
out=$(cd "$out" && pwd)
WHY3CONFIG=$out/why3.conf
export WHY3CONFIG
[ -s "$WHY3CONFIG" ] || why3 config detect >"$out/why3.log" 2>&1

proved=0 goals=0 bad=0

# prove FILE LOG OPTION...: adds to the sums; prints what was not proved.
prove()
{
	file=$1 log=$out/$2.log
	shift 2
	frama-c -c11 -machdep gcc_x86_64 -wp -wp-rte -wp-prover z3,cvc4 -wp-par "$jobs" -wp-timeout 20 \
		-cpp-extra-args="-w -Ifake -I. -I../include -DENTRY_FORMAT='\"../x86/ept.h\"'" \
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

prove frame.c frame -wp-fct "$(comma $frame)"
covered frame $frame
prove stage2.c stage2 -wp-fct "$(comma $stage2)"
covered stage2 $stage2
prove stage2.c lemmas -wp-prop @lemma

echo "$proved of $goals goals proved"
[ $bad -eq 0 ] && [ "$goals" -gt 0 ] && [ "$proved" -eq "$goals" ]
