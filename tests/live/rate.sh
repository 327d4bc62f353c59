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
