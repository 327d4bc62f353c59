#!/bin/bash
# SPDX-License-Identifier: MIT
# timeout: 200
#
# -i and -p to the last bit: addresses that differ from the one in question in one of their
# four words, as source and as destination, ports on both sides. In a network namespace,
# where any address may be had; every segment of a connection is counted.
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/lib.sh"
need_command ip

BASE=2001:db8:1:2:3:4:5:6
OTHER=fd00:a:b:c:d:e:f:1
WORDS=(2001:db9:1:2:3:4:5:6 2001:db8:1:3:3:4:5:6 2001:db8:1:2:3:5:5:6 2001:db8:1:2:3:4:5:7)
# inside IPv4: the last word; and an IPv6 address that shares it
V4=127.1.2.3

cat >"$TMP/inside" <<'INSIDE'
ip link set lo up
for a in $BASE $OTHER $WORDS ::7f01:203; do
	ip addr add "$a/128" dev lo nodad || exit 77
done
port=9690
talk()
{
	python3 "$TOP/tests/traffic.py" "$1" "$port" 5 1 "$2" >/dev/null || exit 1
	port=$((port + 1))
}
talk $BASE $BASE
talk $BASE $OTHER
talk $OTHER $BASE
for a in $WORDS; do
	talk "$a" "$a"
done
talk 127.1.2.3 127.1.2.3
talk 127.1.2.4 127.1.2.4
talk 127.1.2.4 127.1.2.3
talk ::7f01:203 ::7f01:203
INSIDE

start v6 -R 0 -i $BASE
v6=$SPAWNED
start v4 -R 0 -i $V4
v4=$SPAWNED
start both -R 0 -i $BASE -p 9691
both=$SPAWNED
start port -R 0 -p 9693
port=$SPAWNED
start stats -i $BASE -s 100
stats=$SPAWNED
run env TOP="$TOP" BASE=$BASE OTHER=$OTHER WORDS="${WORDS[*]}" unshare --net sh "$TMP/inside"
if [ "$STATUS" -eq 77 ]; then
	skip all "no such network namespace: $(head -n 1 "$TMP/err")"
	exit 0
fi
check "the traffic was had" expect_exit 0
sleep 0.5

# segments AWK-CONDITION: of the first stage
segments()
{
	rows | grep '^\[netif_receive_skb\]' | awk -F ' *[|] *' "$1" | wc -l
}

# 5 requests and replies: 18 segments, 10 from the client and 8 to it
stop v6 "$v6"
check "-i: IPv6" expect_exit 0 -- expect_exact -- expect_rows "\$2 == \"$BASE\" || \$3 == \"$BASE\"" -- \
	[ "$(segments 1)" -eq 54 ] -- [ "$(segments '$5 == 9690 || $4 == 9690')" -eq 18 ] -- \
	[ "$(segments '$5 == 9691 || $4 == 9691')" -eq 18 ] -- [ "$(segments '$5 == 9692 || $4 == 9692')" -eq 18 ]
stop v4 "$v4"
check "-i: IPv4" expect_exit 0 -- expect_exact -- expect_rows "\$2 == \"$V4\" || \$3 == \"$V4\"" -- \
	[ "$(segments 1)" -eq 36 ] -- [ "$(segments '$2 == "127.1.2.4"')" -gt 5 ] -- \
	[ "$(segments '$3 == "127.1.2.4"')" -gt 5 ]
stop both "$both"
check "-i and -p" expect_exit 0 -- expect_exact -- [ "$(segments 1)" -eq 18 ] -- \
	[ "$(segments '$4 == 9691')" -gt 5 ] -- [ "$(segments '$5 == 9691')" -gt 5 ]
stop port "$port"
check "-p: as source and as destination" expect_exit 0 -- expect_exact -- [ "$(segments 1)" -eq 18 ] -- \
	[ "$(segments '$4 == 9693')" -gt 5 ] -- [ "$(segments '$5 == 9693')" -gt 5 ]
stop stats "$stats"
check "-s: what is filtered is not counted among the events" expect_exit 0 -- \
	[ $(($(cell netif_receive_skb "$SEEN") - $(cell netif_receive_skb "$FILTERED"))) -eq 54 ]
