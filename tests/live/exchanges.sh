#!/bin/bash
# SPDX-License-Identifier: MIT
# timeout: 300
# -C: a thousand programs one after the other, each asked for by a command, under traffic.
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/lib.sh"
need_command ip

SWAPS=${SWAPS:-1000}
PORT=9851
export XDG_STATE_HOME=$TMP/state
mkdir "$XDG_STATE_HOME"

# Both let all of the traffic pass, and both are in the cache after the first two.
questions()
{
	for ((i = 0; i < $1; i++)); do
		echo "port $PORT,$((PORT + 1 + i % 2))"
	done
}

# family PID: the process and all below it.
family()
{
	local child

	echo "$1"
	for child in $(pgrep -P "$1"); do
		family "$child"
	done
}

# What each of them has: name, descriptors, kB of memory.
takes_up()
{
	local pid

	for pid in $(family "$1"); do
		echo "$(cat "/proc/$pid/comm") $(fds "$pid") $(awk '/^VmRSS/ { print $2 }' "/proc/$pid/status")"
	done
}

# The same processes and descriptors, and none with a megabyte more.
expect_no_more()
{
	paste -d ' ' "$TMP/before" "$TMP/after" |
		awk '$1 != $4 || $2 != $5 || $6 > $3 + 1024 { exit 1 } END { exit NR < 2 }' ||
		fails "$(paste "$TMP/before" "$TMP/after" | tr '\n' ';')"
}

# exchanges ARGS...
exchanges()
{
	local name=$1 begun talk

	shift
	rm -f "$TMP/seen.enough"
	script "$name" -R 0 -p $PORT --buffer-pages 2048 "$@"
	spawn traffic unshare -n python3 "$LIVE" load $PORT 200 "$TMP/seen" 0.001
	talk=$SPAWNED
	SPAWNED=${LIB_PIDS[-2]}
	questions 60 >&8
	wait_until 60 said_times "$name" '^Changed: ' 60
	sleep 1
	takes_up "$SPAWNED" >"$TMP/before"
	begun=$(date +%s%N)
	questions "$SWAPS" >&8
	wait_until 180 said_times "$name" '^Changed: ' $((60 + SWAPS))
	took=$((($(date +%s%N) - begun) / 1000000))
	sleep 1
	takes_up "$SPAWNED" >"$TMP/after"
	touch "$TMP/seen.enough"
	reap "$talk" 60
	sleep 0.3
	over
	check "$name: $SWAPS exchanges by command in $took ms, each confirmed" \
		cmp -s <(questions 60; questions "$SWAPS") \
		<(sed -n 's/^Changed: \(port [0-9]*\), \([0-9]*\) (.*, no row lost)$/\1,\2/p' "$TMP/err") -- \
		[ "$(grep -c '^Building: ' "$TMP/err")" -eq $((60 + SWAPS)) ] -- \
		[ "$(grep -c '^Changed: .* (compiled before,' "$TMP/err")" -ge $((58 + SWAPS)) ]
	check "$name: no process, descriptor or memory is left ($(tr '\n' ';' <"$TMP/after"))" expect_no_more
	check_segments "$name: each segment has one row"
}

exchanges perf
if [ "$(uname -m)" = x86_64 ]; then
	SWAPS=$((SWAPS / 4)) exchanges shared --buffer=shared
else
	skip "shared: the same" "it takes x86-64"
fi
