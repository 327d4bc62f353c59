#!/bin/bash
# SPDX-License-Identifier: MIT
# timeout: 120
# What the running monitor has given up (docs/security.md), and how the binary is built.
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/lib.sh"

# field PID NAME: of /proc/PID/status
field()
{
	awk -v f="$2:" '$1 == f { print $2 }' "/proc/$1/status"
}

expect_field()
{
	local got

	got=$(field "$1" "$2")
	[ "$got" = "$3" ] || fails "$2 is $got, not $3"
}

NONE=0000000000000000
# CAP_PERFMON or CAP_SYS_ADMIN, with CAP_IPC_LOCK: for a CPU that comes online
expect_permitted()
{
	case $(field "$1" CapPrm) in
	"$NONE" | 0000004000004000 | 0000000000204000) ;;
	*) fails "CapPrm is $(field "$1" CapPrm)" ;;
	esac
}

# niceness PID
niceness()
{
	ps -o ni= -p "$1" | tr -d ' '
}
expect_niceness()
{
	[ "$(niceness "$1")" = "$2" ] || fails "the niceness is $(niceness "$1"), not $2"
}

start rows -p 9661
pid=$SPAWNED
check "rows are fetched though others are busy" expect_niceness "$pid" -5
# bpf() may need CAP_BPF before Linux 5.19 (tests/vm/privileges.sh looks at 5.10)
check "no capability is in effect" expect_field "$pid" CapEff $NONE -- expect_permitted "$pid" -- \
	expect_field "$pid" CapInh $NONE -- expect_field "$pid" CapAmb $NONE
check "no way to get one back" expect_field "$pid" CapBnd $NONE -- expect_field "$pid" NoNewPrivs 1
if [ -n "$(field "$pid" Seccomp)" ] && [[ $(uname -m) =~ ^(x86_64|aarch64)$ ]]; then
	check "system calls are filtered" expect_field "$pid" Seccomp 2
else
	skip "system calls are filtered" "this kernel has no seccomp, or another processor"
fi
traffic 127.0.0.1 9661 5 >/dev/null
sleep 0.2
stop rows "$pid"
# shellcheck disable=SC2016 # awk's
check "it works without them" expect_exit 0 -- expect_exact -- expect_rows '$4 == 9661 || $5 == 9661'

start stats -s 0.2
check "... with -s there are none" expect_niceness "$SPAWNED" 0
pid=$SPAWNED
check "-s: none at all" expect_field "$pid" CapEff $NONE -- expect_field "$pid" CapPrm $NONE
sleep 0.5
stop stats "$pid"
check "-s: counters are still read" expect_exit 0 -- expect_out 'netif_receive_skb'

spawn chosen nice -n 4 "$LNK" -p 9663
pid=$SPAWNED
wait_until "${START_SECONDS:-120}" grep -q 'Started TCP monitoring' "$TMP/chosen.err"
check "a niceness that was chosen stays" expect_niceness "$pid" 4
stop chosen "$pid"

# The filters themselves, on a terminal.
if command -v "${CC:-cc}" >/dev/null; then
	run "${CC:-cc}" -std=c11 -D_GNU_SOURCE -I"$TOP/src" "$TOP/tests/live/calls.c" \
		"$TOP/src/base/privileges.c" -o "$TMP/calls"
	check "the test of the filters compiles" expect_exit 0
	for who in monitor lone reader; do
		run python3 -c 'import os, sys
own, terminal = os.openpty()
os.set_inheritable(own, True)
os.execv(sys.argv[1], [*sys.argv[1:], os.ttyname(terminal)])' "$TMP/calls" "$who"
		[ "$STATUS" -eq 77 ] && skip "what the filter lets through: $who" "no seccomp" && continue
		check "what the filter lets through, and what not: $who" expect_exit 0 -- expect_no_out
	done
else
	skip "the filters" "needs a compiler"
fi

# The monitor itself is made to try what it has given up: a file to write, one to read, a socket, a
# process, a signal, a BPF program, a namespace. (gdb could do so, but for processors with AMX,
# whose state gdb 13 cannot write.) A process that has given up nothing is the witness.
REFUSED=/run/lnk-test-refused
inject()
{
	run timeout 20 "$TMP/inject" "$1"
	rm -f "$REFUSED"
}
refuses()
{
	grep -qx "getpid $1" "$TMP/out" || fails "getpid() did not say $1"
	[ "$(grep -c ' -[0-9]*$' "$TMP/out")" -eq 7 ] || fails "not all seven were refused"
}
if command -v "${CC:-cc}" >/dev/null && [ "$(uname -m)" = x86_64 ]; then
	run "${CC:-cc}" -std=c11 -D_GNU_SOURCE "$TOP/tests/live/inject.c" -o "$TMP/inject"
	check "what tries them compiles" expect_exit 0
	spawn witness sleep 20
	pid=$SPAWNED
	wait_until 5 grep -q sleep "/proc/$pid/comm"
	sleep 0.2
	inject "$pid"
	check "who has given up nothing is let" expect_exit 0 -- grep -qx "getpid $pid" "$TMP/out" -- \
		[ "$(grep -cE '^(create|read|socket|kill) [0-9]+$' "$TMP/out")" -eq 4 ]
	kill "$pid"
	start tried -p 9662
	pid=$SPAWNED
	inject "$pid"
	check "what it has no use for is refused" expect_exit 0 -- refuses "$pid"
	traffic 127.0.0.1 9662 5 >/dev/null
	sleep 0.2
	stop tried "$pid"
	check "... and it goes on" expect_exit 0 -- expect_exact -- expect_rows '$4 == 9662 || $5 == 9662'
else
	skip "refused operations" "needs a compiler, and x86-64"
fi

# --- the binary

if command -v readelf >/dev/null; then
	readelf -hldW "$LNK" >"$TMP/elf" 2>&1
	readelf -sW --dyn-syms "$LNK" >"$TMP/symbols" 2>&1
	check "position independent, read-only after relocation, bound at start" \
		grep -q 'Type: *DYN' "$TMP/elf" -- grep -q GNU_RELRO "$TMP/elf" -- \
		grep -Eq 'BIND_NOW|FLAGS_1.*NOW' "$TMP/elf"
	check "no stack that can be run" grep -Eq 'GNU_STACK.* RW +0x' "$TMP/elf"
	check "stack protector, checked copies" grep -q __stack_chk_fail "$TMP/symbols" -- \
		grep -q '__[a-z]*printf_chk' "$TMP/symbols"
else
	skip "the binary" "needs readelf"
fi
