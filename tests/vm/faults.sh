#!/bin/bash
# SPDX-License-Identifier: MIT
# timeout: 2600
# What a kernel with kprobes may be left with, processors that come and go, a clock that is
# set back, and what stays of root's rights, on Debian's kernels. The parts that run inside
# are the functions of faults.inc.
. "$(dirname "$0")/../lib.sh"

cd "$TOP" || exit 1

# vm KERNEL PART OPTIONS...: runs a part; what it says is in $TMP/out.
vm()
{
	local kernel=$1 part=$2

	shift 2
	RUN_TIMEOUT=920 run scripts/vm.sh "$kernel" --no-headers --timeout 900 "$@" -- \
		bash -c "export LNK=$LNK; . tests/vm/faults.inc; $part; echo done"
	check "$kernel $part: the run came to its end" grep -qxF 'done' "$TMP/out"
}

# said NAME LINE: the part said so.
said()
{
	check "$1" grep -qxF -e "$2" "$TMP/out"
}

# 5.10 with the PMU for kprobes hidden: as before 4.17 there is only tracefs
vm 5.10 kprobes
said "kprobes through tracefs" "7 entries, status 0, exact"
said "... are removed at a good end" "after a good end: 0 entries, 0 guards"
said "... and by the guard after SIGKILL" "after SIGKILL: 0 entries, 0 guards"
said "... stay when it is killed too" "after SIGKILL of both: 7 entries"
said "... and are swept at the next start" "after the next start: 0 entries, status 0, exact"
said "the guard has no rights" \
	"guard: CapPrm 0000000000000000 CapBnd 0000000000000000 NoNewPrivs 1 Seccomp 2"
said "only those of dead processes, and only ours" "of others: 2 entries"
said "20 kills at any moment" "after 20 kills: 0 entries, 0 guards"
said "... and a start" "after 20 kills and a start: 0 entries, 0 strays, status 0, exact"
said "bpf() is refused without CAP_BPF before 5.19: it alone is in effect" \
	"CapPrm 0000008000000000 CapEff 0000008000000000 CapBnd 0000000000000000 NoNewPrivs 1 Seccomp 2"
said "memory that may be locked is little, and accounted" "ulimit -l 64: status 0, exact"

# one processor at a time runs: patching code under emulation is not safe otherwise
LNK_VM_ACCEL=tcg,thread=single vm 6.1 processors --cpus 2
said "a CPU that was offline at the start gets its ring" "came online: 48 rows"
said "a CPU that went and came in an instant gets a new one" "went and came: 48 rows"
said "a CPU that is offline: the others go on" "went: 48 rows"
said "what was lost in between is counted" "status 0, exact"
said "nothing was said of it" "no complaint"
said "nothing is in effect" "CapEff 0000000000000000"

vm 6.1 clock_and_names
said "the clock is set back: rows follow, in the order of time" "rows 96, set back 1, status 0, exact"
said "-D is not by the wall clock" "ended in time: status 0, exact"
said "kptr_restrict=2: kprobes are attached all the same" "addresses hidden: status 0, exact"
said "... and -d shows none of their addresses" "-d names 5 functions, and shows 0 addresses"
said "kptr_restrict=0: -d shows them" "shown: all, status 0, exact"

vm 6.1 possible --cpus 1,4
said "four possible processors, one is there" "possible 0-3, online 0"
said "... rows" "rows 48, status 0, exact"
said "... -s" "-s: 48 calls, status 0"
said "... --doctor" "doctor: 0 problems, 1 books"
