#!/bin/bash
# SPDX-License-Identifier: MIT
# timeout: 180
# The table as it is asked for: columns, time, names, and what a terminal gets.
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/lib.sh"

expect_header()
{
	local got

	got=$(grep -m 1 '^KERNEL FUNCTION' "$TMP/out" | sed 's/ *| */|/g; s/ *$//')
	[ "$got" = "$1" ] || fails "the header is $got"
}

# --- columns and time: a pipe or file gets all of them

start columns -p 9671 -o function,sport,dport,seq,ack,gap,time -t epoch --col a=1:hex
traffic 127.0.0.1 9671 3 >/dev/null
sleep 0.2
stop columns "$SPAWNED"
check "-o chooses the columns, -t the time, --col comes last" expect_exit 0 -- expect_exact -- \
	expect_header 'KERNEL FUNCTION|SRC PORT|DST PORT|SEQ|ACK SEQ|GAP(us)|EPOCH(s)|a' -- \
	expect_rows '$2 == 9671 || $3 == 9671'
now=$(date +%s)
check "the times are now's" expect_rows "\$7 > $now - 100 && \$7 < $now + 5"
# each gap is the distance of two times, but for what is below a microsecond
check "gap is the time since the row above" \
	expect_rows '(NR == 1 ? $6 == "-" : (d = ($7 - last) * 1e6 - $6) < 2 && d > -2) && (last = $7)'

# --- names

start names -p 9672 --resolve -o function,src,sport,dst,dport
pid=$SPAWNED
child=$(ps -o pid= --ppid "$pid" | tr -d ' ')
check "one process asks for names, and has no privileges" [ "$(echo "$child" | wc -w)" -eq 1 ] -- \
	grep -q '^CapEff:.0000000000000000$' "/proc/$child/status" -- \
	grep -q '^CapPrm:.0000000000000000$' "/proc/$child/status" -- \
	grep -q '^CapBnd:.0000000000000000$' "/proc/$child/status" -- \
	grep -q '^NoNewPrivs:.1$' "/proc/$child/status" -- \
	grep -q '^Uid:.65534.65534.65534.65534$' "/proc/$child/status" -- \
	[ "$(find "/proc/$child/fd" -type l | wc -l)" -eq 4 ]
for _ in 1 2 3 4 5; do
	traffic 127.0.0.1 9672 1 >/dev/null
	sleep 0.2
done
stop names "$pid"
if [ "$(getent hosts 127.0.0.1 | awk '{ print $2 }')" = localhost ]; then
	check "hosts have names once they are known" expect_exit 0 -- expect_exact -- \
		expect_out '| localhost ' -- expect_out '| 127.0.0.1 '
else
	skip "hosts have names" "this host does not call 127.0.0.1 localhost"
fi
# init may take its time to bury it
has_ended()
{
	! grep -q '^State:.[^ZX]' "/proc/$child/status" 2>/dev/null
}

check "the process for names has ended" wait_until 2 has_ended
start killed --resolve -p 9672
pid=$SPAWNED
child=$(ps -o pid= --ppid "$pid" | tr -d ' ')
kill -KILL "$pid"
wait "$pid" 2>/dev/null
check "... also after a SIGKILL" [ -n "$child" ] -- wait_until 2 has_ended

# --- a terminal

# on_terminal NAME ARGS...: like start, on a terminal of $TMP/width columns.
on_terminal()
{
	local name=$1

	shift
	TERM=xterm spawn "$name" python3 "$TOP/tests/terminal.py" "$TMP/width" "$LNK" "$@"
	wait_until 120 grep -q '^KERNEL FUNCTION' "$TMP/$name.out" && return
	not_ok "$name: the program starts"
	cat "$TMP/$name.err" >&2
	exit 1
}

echo 80 >"$TMP/width"
on_terminal tty -p 9673
pid=$SPAWNED
traffic 127.0.0.1 9673 2 >/dev/null
sleep 0.3
echo 200 >"$TMP/width"
wait_until 10 grep -q TIMESTAMP "$TMP/tty.out"
traffic 127.0.0.1 9673 2 >/dev/null
sleep 0.3
stop tty "$pid"

fits()
{
	sed 's/\x1b\[[0-9;]*m//g' "$TMP/out" >"$TMP/plain"
	awk -v n="$1" '/TIMESTAMP/ { exit } /^hidden/ { next } length > n { exit 1 }' "$TMP/plain" ||
		fails "a row is wider than the terminal"
}

check "80 columns: whole columns, and the header says which are hidden" expect_exit 0 -- \
	expect_exact -- fits 80 -- \
	expect_out 'hidden (the terminal has 80 columns; -W shows all): ' -- \
	expect_out ', seq, ack, time'
check "a terminal that becomes wide shows all of them" expect_out 'TIMESTAMP' -- \
	[ "$(grep -c '^KERNEL FUNCTION' "$TMP/out")" -eq 2 ]
check "both directions of a connection have one colour, and each row ends it" \
	grep -q "^$(printf '\033')\[38;5;[0-9]*m\[netif_receive_skb\].*$(printf '\033')\[0m\$" "$TMP/out" -- \
	[ "$(grep -o "^$(printf '\033')\[38;5;[0-9]*m\[netif" "$TMP/out" | sort -u | wc -l)" -le 2 ]

echo 80 >"$TMP/width"
NO_COLOR=1 on_terminal wide -p 9674 -W
pid=$SPAWNED
traffic 127.0.0.1 9674 1 >/dev/null
sleep 0.3
stop wide "$pid"
check "-W shows all; NO_COLOR shows no colour" expect_exit 0 -- \
	grep -q '^\[netif_receive_skb\].* | 20[0-9-]* [0-9:.]*$' "$TMP/out" -- \
	[ "$(grep -c hidden "$TMP/out")" -eq 0 ]

start pipe -p 9675 --color always
traffic 127.0.0.1 9675 1 >/dev/null
sleep 0.2
stop pipe "$SPAWNED"
check "--color always: also into a file" expect_exit 0 -- expect_exact -- \
	grep -q "^$(printf '\033')\[38;5;" "$TMP/out"
