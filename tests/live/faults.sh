#!/bin/bash
# SPDX-License-Identifier: MIT
# timeout: 300
# What may go wrong around a run: nothing is lost uncounted, and there is an end.
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/lib.sh"

# storm PORT: connections one after the other, in the background.
storm()
{
	# not traffic(): a shell that is killed would leave python and its port behind
	python3 "$TOP/tests/traffic.py" 127.0.0.1 "$1" 30 100000 >/dev/null 2>&1 &
	STORM=$!
	LIB_PIDS+=("$STORM")
}

calm()
{
	kill "$STORM" 2>/dev/null
	wait "$STORM" 2>/dev/null
}

# --- the program is stopped

storm 9671
start deep -R 0 -p 9671
deep=$SPAWNED
start shallow -R 0 -p 9671 --buffer-pages 1
shallow=$SPAWNED
kill -STOP "$deep" "$shallow"
sleep 3
kill -CONT "$deep" "$shallow"
sleep 0.5
stop deep "$deep"
check "stopped for seconds under load" expect_exit 0 -- expect_exact
stop shallow "$shallow"
check "the same with one page a CPU: what did not fit is counted" expect_exit 0 -- expect_exact -- \
	[ "$(cell total "$LOST")" -gt 0 ] -- \
	[ $(($(cell total "$LOST") + $(cell total "$RECEIVED") + $(cell total "$FILTERED"))) -eq "$(cell total "$SEEN")" ]

# --- a reader who takes his time

mkfifo "$TMP/slow"
# shellcheck disable=SC2016 # for the inner shell
spawn reader bash -c 'while read -r -N 4096 _; do sleep 0.05; done <"$1"' reader "$TMP/slow"
# shellcheck disable=SC2016
spawn slow bash -c 'exec "$1" -R 0 >"$2"' slow "$LNK" "$TMP/slow"
slow=$SPAWNED
wait_until 60 grep -q 'Started TCP' "$TMP/slow.err"
sleep 1
before=$(awk '$1 == "VmRSS:" { print $2 }' "/proc/$slow/status")
sleep 3
after=$(awk '$1 == "VmRSS:" { print $2 }' "/proc/$slow/status")
stop slow "$slow"
check "a slow reader: memory is bounded, losses are counted" expect_exit 0 -- expect_exact -- \
	[ "$after" -lt 32768 ] -- [ $((after - before)) -lt 8192 ] -- [ "$(cell total "$LOST")" -gt 0 ]

# --- many at once, and quick ones, while connections storm

pids=()
for i in 1 2 3 4 5 6 7 8 9 10; do
	spawn "many$i" "$LNK" -s 100
	pids+=("$SPAWNED")
done
for i in 1 2 3 4 5 6 7 8 9 10; do
	wait_until 120 grep -q 'Started TCP' "$TMP/many$i.err"
done
sleep 0.5
failed=0
for i in 1 2 3 4 5 6 7 8 9 10; do
	stop "many$i" "${pids[i - 1]}"
	{ expect_exit 0 && [ "$(cell netif_receive_skb "$SEEN")" -gt 0 ]; } || failed=$((failed + 1))
done
check "ten at once" [ "$failed" -eq 0 ]

failed=0
for i in 1 2 3 4 5 6 7 8 9 10; do
	run "$LNK" -R 0 -D 0.05
	{ expect_exit 0 && expect_exact; } || failed=$((failed + 1))
done
check "ten starts and ends in a storm" [ "$failed" -eq 0 ]
calm

# --- limits and missing places

# limited ULIMIT-ARGS ARGS...: it may work or not, but it says why and comes to an end.
limited()
{
	local limit=$1

	shift
	run bash -c 'ulimit $1 || exit 99; shift; exec "$@"' limited "$limit" "$LNK" "$@"
}
ends_well()
{
	if [ "$STATUS" -eq 0 ]; then
		expect_exact
	else
		expect_exit 1 || return 1
		grep -Eq '^(linux_net_kernel|Failed to compile BPF module): .' "$TMP/err" ||
			fails "no word of why"
	fi
}
for n in 8 12 16 20 24 32; do
	limited "-n $n" -D 0.1 --no-cache
	check "ulimit -n $n (exit status $STATUS)" ends_well
done
limited "-n 32" -D 0.1
check "32 descriptors are enough" expect_exit 0
for kb in 20000 100000 350000 400000; do
	limited "-v $kb" -D 0.1 --no-cache
	check "ulimit -v $kb (exit status $STATUS)" ends_well
done
limited "-d 80000" -D 0.1 --no-cache
check "ulimit -d 80000 is enough for a compile" expect_exit 0
STATUS=0
bash -c 'ulimit -f 0; exec "$1" -D 0.1 --no-cache 2>&1 >/dev/null' f "$LNK" </dev/null 2>&1 |
	cat >"$TMP/err"
check "ulimit -f 0: it says why" grep -Eq '^(linux_net_kernel|Failed to compile BPF module): .' "$TMP/err"

# Somewhere that none of the mounts below hides, wherever the tree is.
safe=$(mktemp -d /dev/shm/lnk-test.XXXXXX)
cp "$LNK" "$safe/"

# without SETUP ARGS...: where a place is missing.
without()
{
	local setup=$1

	shift
	run unshare --mount --propagation private sh -ec "$setup"'
		exec "$@"' sh "$safe/linux_net_kernel" "$@"
}
if unshare --mount --propagation private mount -t tmpfs tmpfs /mnt 2>/dev/null; then
	without 'mount -t tmpfs -o ro tmpfs /mnt; mount --bind /mnt /tmp; mount --bind /mnt /var/cache' \
		-D 0.1 --no-cache
	check "no /tmp and no cache to write in" expect_exit 0 -- expect_exact
	without 'mount -o remount,ro,bind / 2>/dev/null || exit 77; mount -t tmpfs -o ro tmpfs /run
		mount -t tmpfs -o ro tmpfs /tmp; ! touch /lnk-test 2>/dev/null' -D 0.1 --no-cache
	if [ "$STATUS" -eq 77 ]; then
		skip "everything read-only" "/ cannot be made so here"
	else
		check "everything read-only" expect_exit 0 -- expect_exact
	fi
	without 'for t in /sys/kernel/tracing /sys/kernel/debug; do mount -t tmpfs tmpfs $t; done' \
		-D 0.1 --no-cache
	check "no tracefs" expect_exit 0 -- expect_exact
	without 'mount -t tmpfs tmpfs /proc' -D 0.1 --no-cache
	check "no /proc (exit status $STATUS)" ends_well
else
	skip "missing places" "no mount namespace"
fi
rm -rf "$safe"

# --- the child that compiles

# Probes that take seconds to compile, so that the child can be caught at it.
mkdir -m 755 "$TMP/long"
for i in $(seq 100); do
	echo "int kprobe__f$i(struct pt_regs *ctx, struct sk_buff *skb) { return show_skb(ctx, skb); }"
done >"$TMP/long/long.c"
chmod 644 "$TMP/long/long.c"
chmod 755 "$TMP"

# child_of PID: the child, once it is there
child_of()
{
	CHILD=$(pgrep -P "$1")
}

for signal in KILL SEGV; do
	spawn "child$signal" "$LNK" --no-cache -D 5 --probe-dir "$TMP/long"
	pid=$SPAWNED
	wait_until 5 child_of "$pid"
	kill "-$signal" "$CHILD"
	finish "child$signal" "$pid"
	check "the compiler dies of SIG$signal" expect_exit 1 -- expect_err 'Failed to compile' -- \
		expect_err "signal $(kill -l "$signal")"
done

spawn hung "$LNK" --no-cache --probe-dir "$TMP/long"
pid=$SPAWNED
wait_until 5 child_of "$pid"
kill -STOP "$CHILD"
sleep 0.3
begun=$(date +%s%N)
stop hung "$pid"
check "the compiler hangs: a signal ends both" [ $((($(date +%s%N) - begun) / 1000000)) -lt 1500 ] -- \
	[ ! -e "/proc/$CHILD" ]

# --- probes that try the compiler's patience

chmod 755 "$TMP"
mkdir -m 755 "$TMP/errors" "$TMP/self"
# what libbcc calls the text that it compiles
{
	echo '#include "/virtual/main.c"'
	cat "$TOP/probes/kernel.h"
} >"$TMP/self/kernel.h"
# a warning is shown with its line: megabytes of text
{
	long=$(printf 'w%.0s' {1..2000})
	for ((i = 0; i < 500; i++)); do
		echo "#warning $long"
	done
	echo 'int f(void) { return undeclared; }'
} >"$TMP/errors/errors.c"
chmod 644 "$TMP"/errors/* "$TMP"/self/*

export RUN_TIMEOUT=120
run "$LNK" --probe-dir "$TMP/self" -D 0.1
check "a probe that includes itself" expect_exit 1 -- expect_err 'self/kernel.h:1:' -- \
	expect_err '#include nested too deeply' -- [ "$(wc -c <"$TMP/err")" -lt 4096 ]
run "$LNK" -v --probe-dir "$TMP/errors" -D 0.1
check "errors without end: one line sums them up" expect_exit 1 -- expect_err 'errors/errors.c:501:' -- \
	[ "$(grep -c '^Failed to compile BPF module: ' "$TMP/err")" -eq 1 ] -- \
	[ "$(wc -c <"$TMP/err")" -gt 2000000 ] -- [ "$(wc -c <"$TMP/err")" -lt 33554432 ]

# --- networks that come and go

if ip netns add lnk-fault-0 2>/dev/null; then
	ip netns del lnk-fault-0
	start nets -R 0 -p 9672
	nets=$SPAWNED
	for i in 1 2 3 4 5 6 7 8; do
		ip netns add "lnk-fault-$i"
		ip -n "lnk-fault-$i" link set lo up
		ip -n "lnk-fault-$i" link add lnk-va type veth peer name lnk-vb
		ip -n "lnk-fault-$i" link set lnk-va name "lnk-renamed-$i"
		ip netns exec "lnk-fault-$i" python3 "$TOP/tests/traffic.py" 127.0.0.1 9672 5 >/dev/null
		ip -n "lnk-fault-$i" link del "lnk-renamed-$i"
		ip netns del "lnk-fault-$i"
	done
	sleep 0.2
	stop nets "$nets"
	# 5 requests and replies on lo: 18 segments
	check "network namespaces that come and go" expect_exit 0 -- expect_exact -- \
		[ "$(rows | grep -c '^\[netif_receive_skb\]')" -eq $((8 * 18)) ]
else
	skip "network namespaces that come and go" "none to be had here"
fi
