#!/bin/bash
# SPDX-License-Identifier: MIT
# timeout: 200
# Names of interfaces and network namespaces: ours, others', and those that are new or get
# another name while rows come.
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/lib.sh"

need_command ip
if "$LNK" --dump-source 2>/dev/null | cmp -s - <("$LNK" --dump-source -o ifname,netns 2>/dev/null); then
	skip "names of interfaces" "these probes collect nothing for columns"
	exit 0
fi
FIRST=lnk-$$-a LATER=lnk-$$-b
if ! ip netns add "$FIRST" 2>/dev/null; then
	skip "names of interfaces" "no network namespace can be made here"
	exit 0
fi
remove()
{
	ip link del lnkv0 2>/dev/null || ip link del lnkv1 2>/dev/null
	ip netns del "$FIRST"
	ip netns del "$LATER" 2>/dev/null
}
trap 'remove; lib_cleanup' EXIT

ip link add lnkv0 type veth peer name lnkp0 netns "$FIRST"
ip addr add 10.213.77.1/30 dev lnkv0
ip link set lnkv0 up
ip -n "$FIRST" addr add 10.213.77.2/30 dev lnkp0
ip -n "$FIRST" link set lnkp0 up
ip -n "$FIRST" link set lo up

# A server in the namespace, and a connection to it from here.
across()
{
	: >"$TMP/server"
	ip netns exec "$FIRST" python3 -c '
import socket
s = socket.create_server(("10.213.77.2", 9681))
print("ready", flush=True)
c, _ = s.accept()
c.sendall(c.recv(10))' >"$TMP/server" &
	wait_until 10 grep -q ready "$TMP/server"
	python3 -c '
import socket
c = socket.create_connection(("10.213.77.2", 9681), 10)
c.sendall(b"x")
c.recv(10)'
	wait $!
	sleep 0.3
}

start names -p 9681 -o function,src,ifname,netns,dst
pid=$SPAWNED
across
ip link set lnkv0 down
ip link set lnkv0 name lnkv1
ip link set lnkv1 up
across
ip netns add "$LATER"
ip -n "$LATER" link set lo up
ip netns exec "$LATER" python3 "$TOP/tests/traffic.py" 127.0.0.1 9681 1 >/dev/null
sleep 0.3
stop names "$pid"

# cells SOURCE: the interfaces and namespaces of the packets from there, as they came in.
cells()
{
	rows | awk -F ' *[|] *' -v from="$1" '/^\[netif_receive_skb\]/ && $2 == from { print $3 " " $4 }' | uniq
}

ours=$(stat -Lc %i /proc/self/ns/net)
ours=$(ip netns identify $$ | grep . || echo "$ours")
theirs=$(ip netns exec "$FIRST" cat /sys/class/net/lnkp0/ifindex)
cells 10.213.77.2 >"$TMP/ours"
cells 10.213.77.1 >"$TMP/theirs"
cells 127.0.0.1 >"$TMP/later"
check "an interface of ours, and its new name" expect_exit 0 -- expect_exact -- \
	[ "$(cat "$TMP/ours")" = "lnkv0 $ours
lnkv1 $ours" ]
check "one of another namespace: number and name" \
	[ "$(cat "$TMP/theirs")" = "$theirs@$FIRST $FIRST" ]
check "a namespace that was made while rows came" [ "$(cat "$TMP/later")" = "1@$LATER $LATER" ]

# --- one that is deleted while it is watched

GONE=lnk-$$-c
trap 'ip netns del "$GONE" 2>/dev/null; remove; lib_cleanup' EXIT
for args in "-o function" "-s 0.5"; do
	ip netns add "$GONE" 2>/dev/null
	number=$(stat -c %i "/run/netns/$GONE")
	# shellcheck disable=SC2086 # several words
	start gone -N "$GONE" -p 9681 $args
	pid=$SPAWNED
	sleep 1.5 # a second look finds it where it was
	before=$(grep -c 'is gone' "$TMP/gone.err")
	ip netns del "$GONE"
	wait_until 10 grep -q 'is gone' "$TMP/gone.err"
	stop gone "$pid"
	check "-N: a namespace that is deleted is told once ($args)" [ "$before" -eq 0 ] -- expect_exit 0 -- \
		[ "$(grep -c "^linux_net_kernel: -N: '$GONE' is gone: rows are chosen by its number, $number," "$TMP/err")" -eq 1 ]
done

# --- ... and while a program that asks for it is compiled

# held PARENT: what compiles for PARENT is caught at it and stands still, as $CHILD.
held()
{
	CHILD=$(pgrep -P "$1") && kill -STOP "$CHILD" 2>/dev/null &&
		wait_until 10 grep -q '^State:[[:space:]]*[TZ]' "/proc/$CHILD/status" 2>/dev/null &&
		grep -q '^State:[[:space:]]*T' "/proc/$CHILD/status"
}

# delete_meanwhile PARENT NAME DONE [SAID]: the same, and the namespace is deleted; SAID is waited
# for before it goes on. False where NAME said DONE before, and nothing was deleted.
delete_meanwhile()
{
	local end=$((SECONDS + 10))

	until held "$1"; do
		[ "$SECONDS" -lt "$end" ] && ! grep -q "$3" "$TMP/$2.err" || return
	done
	DELETED=0
	grep -q "$3" "$TMP/$2.err" || DELETED=1
	[ "$DELETED" -eq 0 ] || ip netns del "$GONE"
	[ "$DELETED" -eq 0 ] || [ $# -eq 3 ] || wait_until 10 grep -q "$4" "$TMP/$2.err"
	kill -CONT "$CHILD"
	wait_until 60 grep -q "$3" "$TMP/$2.err"
	[ "$DELETED" -eq 0 ] || wait_until 10 grep -q 'is gone' "$TMP/$2.err"
}

told_once()
{
	[ "$(grep -c "^linux_net_kernel: -N: '$GONE' is gone: rows are chosen by its number, $number," "$TMP/err")" -eq 1 ]
}

# few_tries NAME COMMAND...: a compile that is over before it is caught shows nothing.
few_tries()
{
	local name=$1

	shift
	DELETED=0
	for _ in 1 2 3 4 5; do
		ip netns add "$GONE" 2>/dev/null
		number=$(stat -c %i "/run/netns/$GONE")
		"$@"
		[ "$DELETED" -eq 0 ] || break
	done
	check "-N: one that is deleted while $name" [ "$DELETED" -eq 1 ] -- expect_exit 0 -- told_once
}

at_start()
{
	spawn early "$LNK" --no-cache -N "$GONE" -p 9681 -o function
	delete_meanwhile "$SPAWNED" early 'Started TCP monitoring'
	stop early "$SPAWNED"
}

# at_change NAME COMMAND SAID ARGS...
at_change()
{
	local name=$1 command=$2 said=$3

	shift 3
	rm -f "$TMP/$name.in"
	script "$name" --no-cache -p 9681 -o function "$@"
	echo "$command" >&8
	delete_meanwhile "$(broker_of "$SPAWNED")" "$name" '^Changed:' ${said:+"$said"}
	sleep 1.5 # for a second look, which has nothing to say
	over
}

few_tries "the program starts" at_start
few_tries "it is asked for" at_change later "set netns $GONE" ""
few_tries "something else is asked for" at_change known "port 9682" "is gone" -N "$GONE"
