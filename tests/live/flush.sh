#!/bin/bash
# SPDX-License-Identifier: MIT
# timeout: 600
# Commands that come while rows wait for a reader who does not read: they are taken in the middle
# of printing, and what they change or free is not used after.
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/lib.sh"

PORT=9861
export ASAN_OPTIONS=detect_leaks=0 # its search for leaks needs rights that are given up

said()
{
	grep -qF -e "$1" "$TMP/$NAME.err"
}

# waiting NAME PROGRAM: it is stopped until there are more rows than a pipe and what is written at
# once can hold, and commands. So it goes on with all of both.
waiting()
{
	NAME=$1
	mkfifo "$TMP/$NAME.in" "$TMP/$NAME.fifo"
	exec 9<>"$TMP/$NAME.fifo" # the reader
	"$2" -C -R 0 -p $PORT --buffer-pages 1024 <"$TMP/$NAME.in" >"$TMP/$NAME.fifo" 2>"$TMP/$NAME.err" 9>&- &
	SPAWNED=$!
	LIB_PIDS+=("$SPAWNED")
	exec 8>"$TMP/$NAME.in"
	wait_until 120 said 'Started TCP monitoring'
	kill -STOP "$SPAWNED"
	traffic 127.0.0.1 $PORT 500 >/dev/null
	printf '%s\n' 'set time mono' 'columns function,dport,seq,time' 'set count 1000000' show >&8
	kill -CONT "$SPAWNED"
	wait_until 60 said 'End: after 1000000 rows'
	answered=$?
	cat <"$TMP/$NAME.fifo" >"$TMP/$NAME.out" 9>&- &
	reader=$!
	exec 9>&-
	# there is no command that it would wait for now, so it sees a signal
	wait_until 60 grep -q '| *[0-9]*\.[0-9]* *$' "$TMP/$NAME.out"
	kill -INT "$SPAWNED"
	finish "$NAME" "$SPAWNED"
	exec 8>&-
	reap "$reader" 10
	cp "$TMP/$NAME.out" "$TMP/out"
}

# 4 rows for each of 1006 segments, but for those without data or a socket
all_rows()
{
	[ "$(rows | wc -l)" -eq "$(cell total "$PRINTED")" ] && [ "$(rows | wc -l)" -gt 2000 ]
}

waiting plain "$LNK"
check "commands while rows wait: they are answered, and no other is waited for" \
	[ "$answered" -eq 0 ] -- expect_exit 0 -- expect_exact -- all_rows

SAN=build/san/linux_net_kernel
if RUN_TIMEOUT=500 run make -s -C "$TOP" SAN=1 "$SAN" && [ "$STATUS" -eq 0 ]; then
	waiting sanitized "$TOP/$SAN"
	check "... and what they free is not used any more" [ "$answered" -eq 0 ] -- expect_exit 0 -- \
		expect_exact -- all_rows
else
	not_ok "the program with ASan can be built"
fi
