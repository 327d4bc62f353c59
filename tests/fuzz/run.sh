#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# timeout: 2400
#
# run.sh [--seconds N] [--keep DIR] [NAME...]: builds the fuzz targets, and runs each for N
# seconds (10, or $CI_FUZZ_SECONDS) at the lowest priority, starting from its seeds in
# corpus/NAME. An input that breaks a target is kept in DIR (default: a directory that is
# named when it happens), and so is everything else that was found; run the target with
# the file as its argument to see it again.

# shellcheck source=tests/lib.sh
. "$(dirname "$0")/../lib.sh"

SECONDS_EACH=${CI_FUZZ_SECONDS:-10}
KEEP=
NAMES=()
while [ $# -gt 0 ]; do
	case $1 in
	--seconds)
		SECONDS_EACH=$2
		shift
		;;
	--keep)
		KEEP=$(realpath -m "$2")
		shift
		;;
	*) NAMES+=("$1") ;;
	esac
	shift
done
CLANG=${CLANG:-clang}
cd "$TOP" || exit 1

need_command "$CLANG"
echo 'int LLVMFuzzerTestOneInput(const char *p, long n); int LLVMFuzzerTestOneInput(const char *p, long n) { return 0 * *p * n; }' >"$TMP/probe.c"
if ! "$CLANG" -fsanitize=fuzzer,address,undefined "$TMP/probe.c" -o "$TMP/probe" 2>/dev/null; then
	skip all "$CLANG has no libFuzzer (libclang-rt-dev on Debian, compiler-rt on Fedora)"
	exit 0
fi

RUN_TIMEOUT=600 run nice -n 19 make -s -j"$(nproc)" CLANG="$CLANG" FUZZ=1 fuzz-targets
check "the targets build" expect_exit 0 || exit 1

if [ ${#NAMES[@]} -eq 0 ]; then
	for f in tests/fuzz/fuzz_*.c; do
		f=${f##*/fuzz_}
		NAMES+=("${f%.c}")
	done
fi

# The inputs that were found go to a directory of their own: corpus/ is not written to.
fuzz_one()
{
	local name=$1 found=${KEEP:-$TMP}/$1 executions

	mkdir -p "$found"
	# detect_leaks: LeakSanitizer wants ptrace, which a container may not have
	ASAN_OPTIONS=detect_leaks=${FUZZ_LEAKS:-1} RUN_TIMEOUT=$((SECONDS_EACH + 60)) \
		run nice -n 19 "build/fuzz/tests/fuzz/fuzz_$name" -max_total_time="$SECONDS_EACH" \
		-max_len=4096 -timeout=10 -print_final_stats=1 -artifact_prefix="$found/broken-" \
		"$found" "tests/fuzz/corpus/$name"
	executions=$(sed -n 's/^stat::number_of_executed_units: //p' "$TMP/err")
	if [ "$STATUS" -eq 0 ]; then
		ok "$name: ${executions:-?} executions in $SECONDS_EACH s"
		return
	fi
	grep -E 'not true|ERROR|runtime error|SUMMARY|^ +#[0-9]' "$TMP/err" | head -n 30 >&2
	if [ -z "$KEEP" ]; then
		cp -r "$found" "${TMPDIR:-/tmp}/lnk-fuzz-$name.$$"
		found=${TMPDIR:-/tmp}/lnk-fuzz-$name.$$
	fi
	not_ok "$name" "see $found/broken-*"
}

for name in "${NAMES[@]}"; do
	fuzz_one "$name"
done
