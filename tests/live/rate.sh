#!/bin/bash
# SPDX-License-Identifier: MIT
# timeout: 300
# The rate limit, full rings, and the books under load.
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/lib.sh"

load()
{
	traffic 127.0.0.1 9621 15000 2 >/dev/null &
	traffic 127.0.0.1 9622 15000 2 >/dev/null
	wait $!
}

start limited -R 100
limited=$SPAWNED
start free -R 0
free=$SPAWNED
start small -R 0 --buffer-pages 1
small=$SPAWNED
load
stop limited "$limited"
# the kernel's seconds are those of CLOCK_MONOTONIC, not of the wall clock
seconds=$(rows | awk -F ' *[|] *' '{ split($8, t, /[: .]/); s = t[2] * 3600 + t[3] * 60 + t[4] + t[5] / 1e6
	if (NR == 1) first = s } END { print int(s - first) + 2 }')
n=$(rows | wc -l)
check "-R 100: never more in a second" expect_exact -- [ "$n" -gt 0 ] -- [ "$n" -le $((seconds * 100)) ] -- \
	[ "$(cell total "$LIMITED")" -gt 0 ]
# whole seconds under load are used to the last event
check "-R 100: and not much less" [ "$n" -ge 100 ]

stop free "$free"
check "-R 0: every event is a row or counted as lost" expect_exact -- \
	[ "$(cell total "$LIMITED")" -eq 0 ] -- [ "$(cell total "$RECEIVED")" -eq "$(rows | wc -l)" ] -- \
	[ "$(cell total "$RECEIVED")" -gt 100000 ]

stop small "$small"
check "one page for each CPU: what does not fit is counted" expect_exact -- \
	[ $(($(cell total "$LOST") + $(cell total "$RECEIVED"))) -eq "$(cell total "$SEEN")" ] -- \
	expect_err "Error count: $(cell total "$LOST")"

# Under load without a pause each second begins with its whole budget in one burst: bursts
# are told apart by the silence between them, and all but the first and the last are whole.
# bursts NAME ARGS...
bursts()
{
	local name=$1 end

	start bursts -R 10 "${@:2}"
	end=$((SECONDS + 5))
	while [ "$SECONDS" -lt "$end" ]; do
		traffic 127.0.0.1 9621 200 5 >/dev/null
	done
	stop bursts "$SPAWNED"
	rows | awk -F ' *[|] *' '{ split($8, t, /[: .]/); s = t[2] * 3600 + t[3] * 60 + t[4] + t[5] / 1e6
		if (NR > 1 && s - last > 0.2) { print n; n = 0 } n++; last = s } END { print n }' >"$TMP/bursts"
	check "$name" expect_exact -- [ "$(wc -l <"$TMP/bursts")" -ge 4 ] -- \
		[ "$(sed '1d; $d' "$TMP/bursts" | sort -u)" = 10 ]
	cat "$TMP/bursts" >&2
}

bursts "-R 10 with a filter: ten in every whole second" -p 9621
# a full second is known by the ticks
bursts "-R 10: ten in every whole second"
