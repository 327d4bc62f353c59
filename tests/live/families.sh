#!/bin/bash
# SPDX-License-Identifier: MIT
# timeout: 300
# An IPv6 header may hold ::ffff:10.0.0.1 and ::. These are IPv6's there: no filter and no column
# takes the one for 10.0.0.1, nor the other for an address that is not known.
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/lib.sh"
need_command ip
need_command unshare

ASK=(-p 9703 -R 0 -o 'src,dst,sport,dport')
asked all
asked one -i 10.0.0.1
asked to --dst 10.0.0.2
asked net -i 10.0.0.0/24
asked nets -i 10.0.0.1,10.9.9.9
asked zero -i ::/0
asked mapped -i ::ffc0:0:0/90
asked v4 -4
asked v6 -6
start_all
run unshare -n "$TOP/tests/live/frames.py" 9703 mapped unspecified ipv4
if [ "$STATUS" -eq 77 ]; then
	skip families "$(cat "$TMP/err")"
	exit 0
fi
check "the frames are sent" expect_exit 0

IPV4='10.0.0.1>10.0.0.2' MAPPED='::ffff:10.0.0.1>::ffff:10.0.0.2' UNSPECIFIED='::>fd00::2'

all_have_come()
{
	[ "$(grep -c '| 9703' "$TMP/all.out")" -eq 3 ]
}

# shows NAME FROM>TO...: these have a row, and nothing else has.
shows()
{
	local name=$1

	shift
	# shellcheck disable=SC2154 # lib.sh has it
	stop "$name" "${pid[$name]}"
	awk -F ' *[|] *' '$4 ~ /^9703 *$/ { print $1 ">" $2 }' "$TMP/out" | sort >"$TMP/have"
	printf '%s\n' "$@" | sort >"$TMP/want"
	check "$name: $*" expect_exit 0 -- expect_exact -- cmp "$TMP/have" "$TMP/want"
}

wait_until 30 all_have_come || not_ok "all three have a row"
shows all "$IPV4" "$MAPPED" "$UNSPECIFIED"
shows one "$IPV4"
shows to "$IPV4"
shows net "$IPV4"
shows nets "$IPV4"
shows zero "$MAPPED" "$UNSPECIFIED"
shows mapped "$MAPPED"
shows v4 "$IPV4"
shows v6 "$MAPPED" "$UNSPECIFIED"
