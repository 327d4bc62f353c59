#!/bin/bash
# SPDX-License-Identifier: MIT
# timeout: 1000
# A dropped-in file with every kind of probe that BCC names.
. "$(dirname "$0")/../lib.sh"

cd "$TOP" || exit 1
cat >"$TMP/inside.sh" <<'INSIDE'
mkdir -m 755 /run/probes
cat >/run/probes/all.c <<'PROBE'
int kprobe__tcp_ack(struct pt_regs *ctx, struct sock *sk, struct sk_buff *skb)
{
	return show_skb(ctx, skb);
}
int kretprobe__tcp_rcv_established(struct pt_regs *ctx)
{
	return 0;
}
KFUNC_PROBE(tcp_v4_rcv, struct sk_buff *skb)
{
	return show_skb(ctx, skb);
}
KRETFUNC_PROBE(tcp_rcv_state_process, struct sock *sk, struct sk_buff *skb, int ret)
{
	return show_sock(ctx, sk);
}
RAW_TRACEPOINT_PROBE(tcp_rcv_space_adjust)
{
	return show_sock(ctx, (struct sock *)ctx->args[0]);
}
TRACEPOINT_PROBE(net, netif_rx)
{
	return show_skb_at_data(args, (struct sk_buff *)args->skbaddr);
}
PROBE
chmod 644 /run/probes/all.c
./linux_net_kernel -d --probe-dir /run/probes -p 9651 >/run/rows 2>/run/err &
tool=$!
while ! grep -q Started /run/err && kill -0 $tool; do sleep 0.1; done
python3 tests/traffic.py 127.0.0.1 9651 3
sleep 0.5
kill -INT $tool
wait $tool
echo "status $?"
cat /run/rows /run/err
# The same once more: every kind is loaded from the cache and attached.
./linux_net_kernel -v -d --probe-dir /run/probes -p 9651 >/run/rows2 2>/run/err2 &
tool=$!
while ! grep -q Started /run/err2 && kill -0 $tool; do sleep 0.1; done
python3 tests/traffic.py 127.0.0.1 9651 3
sleep 0.5
kill -INT $tool
wait $tool
sed 's/^/again: /' /run/rows2 /run/err2
# Forty callers sleep in one function: a kretprobe has no place for all of them.
rm /run/probes/all.c
cat >/run/probes/returns.c <<'PROBE'
int kretprobe__inet_csk_accept(struct pt_regs *ctx)
{
	struct sock *sk = (struct sock *)PT_REGS_RC(ctx);

	return show_sock(ctx, sk);
}
PROBE
chmod 644 /run/probes/returns.c
./linux_net_kernel --probe-dir /run/probes -R 0 >/run/rows3 2>/run/err3 &
tool=$!
while ! grep -q Started /run/err3 && kill -0 $tool; do sleep 0.1; done
python3 - <<'SLEEPERS'
import socket, threading, time
listeners = []
for _ in range(40):
    s = socket.socket()
    s.bind(("127.0.0.1", 0))
    s.listen()
    listeners.append(s)
threads = [threading.Thread(target=s.accept) for s in listeners]
for t in threads:
    t.start()
time.sleep(2)
for s in listeners:
    socket.create_connection(s.getsockname())
for t in threads:
    t.join()
SLEEPERS
sleep 0.5
kill -INT $tool
wait $tool
awk '$1 == "inet_csk_accept" && $2 == "return" {
	print "returns:", $3 + $10, ($10 ~ /^[1-9][0-9]*$/ ? "some missed" : "none missed") }' /run/err3
cat /run/err3
INSIDE
RUN_TIMEOUT=900 run scripts/vm.sh 6.1 --no-headers --timeout 880 -- sh -c "$(cat "$TMP/inside.sh")"
check "every kind of probe becomes a stage" expect_exit 0 -- expect_out 'status 0' -- \
	expect_out 'Stage tcp_ack: kprobe tcp_ack' -- \
	expect_out 'Stage tcp_rcv_established return: kretprobe tcp_rcv_established' -- \
	expect_out 'Stage tcp_v4_rcv: fentry tcp_v4_rcv' -- \
	expect_out 'Stage tcp_rcv_state_process return: fexit tcp_rcv_state_process' -- \
	expect_out 'Stage tcp_rcv_space_adjust: raw tracepoint tcp_rcv_space_adjust' -- \
	expect_out 'Stage net:netif_rx: tracepoint net:netif_rx'
for name in tcp_ack tcp_v4_rcv "tcp_rcv_state_process return" tcp_rcv_space_adjust net:netif_rx; do
	check "rows of $name" expect_out "[$name]"
done
check "-d names the place that was probed" expect_out "Debug - Function name: 'tcp_ack'" -- \
	grep -q 'Probed at: 0x[0-9a-f]* tcp_ack+0x[0-9a-f]* (kprobe tcp_ack, from the registers)' "$TMP/out" -- \
	grep -q 'Probed at: 0x[0-9a-f]* tcp_v4_rcv+0x0 (fentry tcp_v4_rcv, from kallsyms)' "$TMP/out"
check "the books balance" expect_out 'received: exact'
check "the same from the cache" expect_out 'again: cache: compiled before' -- \
	expect_out 'again: Stage tcp_v4_rcv: fentry tcp_v4_rcv' -- \
	expect_out 'again: Stage tcp_rcv_state_process return: fexit tcp_rcv_state_process' -- \
	expect_out 'again: [tcp_v4_rcv]' -- expect_out 'again: [tcp_ack]' -- \
	expect_out 'again: seen = filtered + limited + lost + received: exact'
check "a kretprobe's calls are seen or missed" expect_out 'returns: 40 some missed'
