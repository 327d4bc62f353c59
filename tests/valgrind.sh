#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# valgrind.sh PROGRAM...: unit tests, and fuzz targets over their seeds, under valgrind.
# They must have been built without sanitizers (make valgrind does that).

# shellcheck source=tests/lib.sh
. "$(dirname "$0")/lib.sh"

need_command valgrind
export RUN_TIMEOUT=600 UNIT_TIMEOUT=300

VALGRIND=(nice -n 19 valgrind --quiet --error-exitcode=99 --leak-check=full
	--show-leak-kinds=definite --errors-for-leak-kinds=definite)

quiet_valgrind()
{
	! grep -q '^==[0-9]*== ' "$TMP/err" || fails "valgrind has something to say"
}

# look NAME COMMAND...
look()
{
	local name=$1

	shift
	run "${VALGRIND[@]}" "$@"
	check "$name" expect_exit 0 -- quiet_valgrind
}

for program; do
	name=${program##*/}
	case $name in
	fuzz_*) look "$name" "$program" "$TOP/tests/fuzz/corpus/${name#fuzz_}"/* ;;
	test_program | test_pcap_kernel) skip "$name" "it is LLVM that would be looked at, for minutes" ;;
	test_headers) # all but what compiles
		for cases in btf_tree btf_padding btf_without btf_failures dir_ kheaders; do
			look "$name: $cases" "$program" "$cases"
		done
		;;
	*) look "$name" "$program" ;;
	esac
done
