#!/bin/bash
# SPDX-License-Identifier: MIT
# timeout: 120
# What the columns beyond the eight say of a connection that is known: one byte there, one
# byte back.
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/lib.sh"

if "$LNK" --dump-source 2>/dev/null | cmp -s - <("$LNK" --dump-source -o len 2>/dev/null); then
	skip "columns" "these probes collect nothing for columns"
	exit 0
fi

start columns -p 9691 --col one=1:hex --col 's=seq' --col 'neg=0-7' --col 'unknown=0-1' \
	-o function,sport,dport,seq,flags,len,ttl,delta,state,skb,ifname,srtt
client=$(traffic 127.0.0.1 9691 1)
sleep 0.3
stop columns "$SPAWNED"
# $2 and $3 the ports, 4 SEQ, 5 flags, 6 len, 7 ttl, 8 delta, 9 state, 10 skb, 11 interface,
# 12 srtt; 13 to 16 the test's own
check "the rows are there" expect_exit 0 -- expect_exact -- \
	expect_rows '$2 == 9691 || $3 == 9691'
check "columns of the user's own" \
	expect_rows '$13 == "0x1" && $14 == $4 && $15 == -7 && $16 == "-"'

# device FLAGS LEN FROM: how many packets came in like that.
device()
{
	rows | awk -F ' *[|] *' -v f="$1" -v l="$2" -v p="$3" \
		'/^\[netif_receive_skb\]/ && $5 == f && $6 == l && $2 == p { n++ } END { print n + 0 }'
}

# expect_device COUNT FLAGS LEN FROM
expect_device()
{
	[ "$(device "$2" "$3" "$4")" -eq "$1" ] ||
		fails "$(device "$2" "$3" "$4") packets $2 of $3 bytes from $4, not $1"
}

check "flags and len: the handshake and a byte each way" expect_device 1 S 0 "$client" -- \
	expect_device 1 S. 0 9691 -- expect_device 1 P. 1 "$client" -- expect_device 1 P. 1 9691
check "a packet has flags, len, ttl, interface and buffer" \
	expect_rows '!/netif_receive/ || ($5 != "-" && $6 != "-" && $7 > 0 && $11 == "lo" && $10 ~ /^0x[0-9a-f]+$/)'
check "a packet at the device has no socket" \
	expect_rows '!/netif_receive/ || ($9 == "-" && $12 == "-" && $8 == "-")'
# sock_def_readable, or what serves its stage: no packet, and no previous row of one
check "a socket has a state, and no packet" \
	expect_rows '!/readable|data_ready/ || ($9 ~ /^[A-Z]/ && $5 == "-" && $6 == "-" && $8 == "-" && $10 == "-")'
if rows | grep -qv 'netif_receive\|readable\|data_ready'; then
	check "further up a packet has a previous row, at most a second ago" \
		expect_rows '/netif_receive|readable|data_ready/ || ($8 > 0 && $8 < 1000000)'
else
	skip "further up a packet has a previous row" "no stage between the first and the last"
fi
