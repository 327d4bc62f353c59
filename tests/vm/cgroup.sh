#!/bin/bash
# SPDX-License-Identifier: MIT
# timeout: 1300
# --cgroup and the column cgroup on other kernels: by fentry with types from BTF, by kprobes
# with headers.
. "$(dirname "$0")/../lib.sh"

cd "$TOP" || exit 1

# inside KERNEL KIND [OPTION]
inside()
{
	RUN_TIMEOUT=420 run scripts/vm.sh "$1" ${3+"$3"} --cpus 1 --timeout 400 -- \
		env START_SECONDS=300 tests/live/cgroup.sh --attach "$2"
	cat "$TMP/err" >&2
	sed -n "s/ - cgroup: / - cgroup: $1: /p" "$TMP/out"
	check "$1: the run came to its end" expect_exit 0 -- expect_out "ok - cgroup: --cgroup: above"
}

inside 6.12 fentry --no-headers
inside 6.1 kprobe --no-btf
inside 5.10 kprobe --no-btf
inside 5.10 kprobe --no-headers
