#!/bin/bash
# SPDX-License-Identifier: MIT
# machines: 2
# timeout: 2000
# What can be asked, on other kernels: every name has its value, by fentry with types from
# BTF and by kprobes with headers.
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/lib.sh"

cd "$TOP" || exit 1

# inside KERNEL KIND [OPTION]
inside()
{
	vm_start "$1" "$1" ${3+"$3"} --cpus 1 --timeout 800 -- env START_SECONDS=600 tests/live/ask.sh --attach "$2"
}

# said KERNEL KIND
said()
{
	vm_end "$1" 820
	cat "$TMP/err" >&2
	sed -n "s/ - ask: / - ask: $1: /p" "$TMP/out"
	check "$1: the run came to its end" expect_exit 0 -- expect_out "$2: every name has a value"
}

inside 6.12 fentry
inside 6.1 kprobe --no-btf
said 6.12 fentry
inside 5.10 kprobe --no-btf
said 6.1 kprobe
said 5.10 kprobe
