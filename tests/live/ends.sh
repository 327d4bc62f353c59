#!/bin/bash
# SPDX-License-Identifier: MIT
# timeout: 300
# Every way to end: one path, the closing statistics, nothing left behind.
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/lib.sh"

ended()
{
	expect_exit 0 && expect_exact && expect_err 'Monitoring Statistics:' || return
	[ "$(tail -n 1 "$TMP/err")" = 'Monitoring stopped.' ] || fails "the last line is another"
}

for signal in INT TERM HUP; do
	start "$signal"
	traffic 127.0.0.1 9611 3 >/dev/null
	stop "$signal" "$SPAWNED" "$signal"
	check "SIG$signal" ended -- expect_err 'Received signal'
done

start count -c 7 -p 9611
traffic 127.0.0.1 9611 20 >/dev/null
finish count "$SPAWNED"
check "-c 7" ended -- [ "$(rows | wc -l)" -eq 7 ] -- [ "$(cell total "$PRINTED")" -eq 7 ]

start duration -D 0.5
finish duration "$SPAWNED"
check "-D 0.5" ended

spawn pipe bash -c '"$1" -p 9611 2>"$2" | head -n 4' pipe "$LNK" "$TMP/pipe.tool"
wait_until 60 grep -q 'Started TCP' "$TMP/pipe.tool"
traffic 127.0.0.1 9611 50 >/dev/null
finish pipe "$SPAWNED"
cp "$TMP/pipe.tool" "$TMP/err"
check "the reader of the pipe leaves" ended -- [ "$(grep -c '' "$TMP/out")" -eq 4 ]

# nobody reads: the pipe fills, and a signal must still end it
mkfifo "$TMP/fifo"
exec 9<>"$TMP/fifo"
spawn stuck bash -c 'exec "$1" -p 9611 -R 0 >"$2"' stuck "$LNK" "$TMP/fifo"
stuck=$SPAWNED
wait_until 60 grep -q 'Started TCP' "$TMP/stuck.err"
traffic 127.0.0.1 9611 3000 >/dev/null
stop stuck "$stuck"
exec 9<&-
check "a reader that stopped reading" expect_exit 0 -- expect_exact

if [ -c /dev/full ]; then
	STATUS=0
	timeout 60 "$LNK" -D 5 -p 9611 >/dev/full 2>"$TMP/err" </dev/null || STATUS=$?
	: >"$TMP/out"
	check "/dev/full is an error" expect_exit 1 -- expect_err 'No space left on device'
fi

# Ctrl-C during the compile ends it at once, and the child with it.
spawn compile "$LNK" -v
sleep 0.05
kill -INT "$SPAWNED"
begun=$(date +%s%N)
finish compile "$SPAWNED"
check "a signal during the compile" expect_err 'Monitoring stopped.' -- \
	[ $((($(date +%s%N) - begun) / 1000000)) -lt 1000 ]
sleep 0.2
if pgrep -f "^$LNK -v" >/dev/null; then not_ok "no child is left"; else ok "no child is left"; fi
