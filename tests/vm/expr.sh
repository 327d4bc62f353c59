#!/bin/bash
# SPDX-License-Identifier: MIT
# timeout: 1800
# Expressions on an old kernel, by fentry with types from BTF and by kprobes with headers.
. "$(dirname "$0")/../lib.sh"

cd "$TOP" || exit 1
need_command "${CC:-cc}"
run "${CC:-cc}" -std=c11 -D_GNU_SOURCE -Isrc -I. -o "$TMP/translate" tests/expr/translate.c \
	src/bpf/expr*.c src/base/text.c
check "the translator compiles" expect_exit 0 || exit 1

inside()
{
	RUN_TIMEOUT=900 run scripts/vm.sh 5.10 "$1" --timeout 840 -- \
		env EXPR_TRANSLATE="$TMP/translate" START_SECONDS=600 tests/live/expr.sh --attach "$2"
	cat "$TMP/err" >&2
	sed -n "s/ - expr: / - expr: 5.10 $1: /p" "$TMP/out"
	check "5.10 $1: the run came to its end" expect_exit 0 -- expect_out "$2: all are taken"
}

inside --no-headers fentry
inside --no-btf kprobe
