#!/bin/bash
# SPDX-License-Identifier: MIT
# timeout: 2400
# --watch with every kind of hook, under traffic, against the kernel's own count of segments.
. "$(dirname "$0")/../lib.sh"

cd "$TOP" || exit 1
cat >"$TMP/inside.sh" <<'INSIDE'
attach=$1
mkdir -m 755 /run/probes
cp probes/*.[ch] /run/probes
cat >/run/probes/all.c <<'PROBE'
#if USE_KPROBE
int kprobe__tcp_ack(struct pt_regs *ctx, struct sock *sk, struct sk_buff *skb)
{
	return show_skb(ctx, skb);
}
#endif
#if USE_FENTRY
KRETFUNC_PROBE(tcp_rcv_state_process, struct sock *sk, struct sk_buff *skb, int ret)
{
	return show_sock(ctx, sk);
}
#endif
#if USE_TRACEPOINT
TRACEPOINT_PROBE(net, netif_rx)
{
	return show_skb_at_data(args, (struct sk_buff *)args->skbaddr);
}
#endif
PROBE
chmod 644 /run/probes/*
in_segs() { awk '/^Tcp:/ && $11 + 0 == $11 { print $11 }' /proc/net/snmp; }
reloaded() { while [ "$(grep -c '^Reloaded' /run/err)" -lt "$1" ] && kill -0 $tool; do sleep 0.2; done; }
./linux_net_kernel --watch --attach "$attach" -R 0 --probe-dir /run/probes -p 9651 >/run/rows 2>/run/err &
tool=$!
while ! grep -q Started /run/err && kill -0 $tool; do sleep 0.1; done
before=$(in_segs)
(
	while [ ! -e /run/enough ]; do
		python3 tests/traffic.py 127.0.0.1 9651 20
		sleep 1
	done
) >/dev/null &
load=$!
sleep 1
echo '/* one */' >>/run/probes/tcp_queue_rcv.c
reloaded 1
tail -n 1 /run/err
echo '/* two */' >>/run/probes/all.c
reloaded 2
tail -n 1 /run/err
rm /run/probes/all.c
reloaded 3
sleep 1
touch /run/enough
wait $load
sleep 1
after=$(in_segs)
grep -i cap /proc/$tool/status
kill -INT $tool
wait $tool
echo "status $?"
echo "names left: $(grep -c lnk_ /sys/kernel/tracing/kprobe_events)"
cat /run/err
for stage in netif_receive_skb ip_rcv_finish tcp_v4_do_rcv tcp_queue_rcv; do
	awk -v s=$stage -v want=$((after - before)) '$1 == s { print s, "received", $6 - want, "more than there were" }' /run/err
done
echo "segments $((after - before)), rows $(grep -c '^.ip_local_deliver' /run/rows)"
INSIDE

try()
{
	local name=$1 attach=$2

	shift 2
	RUN_TIMEOUT=1000 run scripts/vm.sh "$@" --timeout 900 -- sh -c "$(cat "$TMP/inside.sh")" inside "$attach"
	check "$name: three exchanges under traffic" expect_exit 0 -- expect_out 'status 0' -- \
		[ "$(grep -c '^Reloaded' "$TMP/out")" -eq 5 ] -- expect_out 'received: exact' -- \
		expect_out 'Stage tcp_ack: removed' -- expect_out 'names left: 0'
	check "$name: $(grep '^segments' "$TMP/out"), none lost or doubled" \
		expect_out 'netif_receive_skb received 0 more' -- \
		expect_out 'ip_rcv_finish received 0 more'
	[ -z "${SHOW:-}" ] || cat "$TMP/out" "$TMP/err"
}

try "6.1 kprobes" kprobe 6.1 --no-headers
try "6.12 fentry" auto 6.12 --no-headers
# VM_ALL=1: each of them takes some minutes
if [ -n "${VM_ALL:-}" ]; then
	try "6.1 fentry" auto 6.1 --no-headers
	try "5.10 fentry" auto 5.10 --no-headers
	try "5.10 kprobes" kprobe 5.10 --no-headers
fi
