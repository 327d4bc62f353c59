#!/bin/bash
# SPDX-License-Identifier: MIT
# timeout: 1800
# Expressions on an old kernel: its verifier takes them in fentry programs and in kprobes.
. "$(dirname "$0")/../lib.sh"

cd "$TOP" || exit 1
need_command "${CC:-cc}"
run "${CC:-cc}" -std=c11 -D_GNU_SOURCE -Isrc -I. -o "$TMP/translate" tests/expr/translate.c \
	src/bpf/expr*.c src/base/text.c
check "the translator compiles" expect_exit 0 || exit 1

RUN_TIMEOUT=1500 run scripts/vm.sh 5.10 --no-headers --timeout 1440 -- \
	env EXPR_TRANSLATE="$TMP/translate" START_SECONDS=600 tests/live/expr.sh --attach fentry kprobe
cat "$TMP/err" >&2
sed -n "s/ - expr: / - expr: 5.10: /p" "$TMP/out"
check "5.10: the run came to its end" expect_exit 0 -- expect_out "fentry: all are taken" -- \
	expect_out "kprobe: all are taken"
