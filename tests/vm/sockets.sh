#!/bin/bash
# SPDX-License-Identifier: MIT
# machines: 2
# timeout: 2800
# What is asked of sockets beyond their fields, on other kernels: cgroups, owners and --pid, by fentry
# with types from BTF and by kprobes with headers.
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/lib.sh"

cd "$TOP" || exit 1

# inside KERNEL KIND [OPTION]
inside()
{
	vm_start "$1" "$1" ${3+"$3"} --cpus 1 --timeout 1200 -- sh -c '
		START_SECONDS=800 tests/live/owner.sh --attach "$0" &&
			START_SECONDS=800 tests/live/pid.sh --attach "$0" &&
			START_SECONDS=800 tests/live/cgroup.sh --attach "$0"' "$2"
}

# said KERNEL [OPTION]
said()
{
	vm_end "$1" 1220
	cat "$TMP/err" >&2
	sed -n "s/ - \(cgroup\|owner\|pid\): / - \1: $1 ${2-}: /p" "$TMP/out"
	check "$1: the run came to its end" expect_exit 0 -- expect_out "ok - cgroup: --cgroup: above" -- \
		expect_out "the process that looked has ended"
}

inside 6.12 fentry --no-headers
inside 5.10 kprobe --no-headers
said 6.12 --no-headers
inside 6.1 kprobe --no-btf
said 5.10 --no-headers
said 6.1 --no-btf
