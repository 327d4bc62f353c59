#!/bin/bash
# SPDX-License-Identifier: MIT
# timeout: 400
# Expressions in the kernel: the verifier takes them, and they are worth there what
# tests/cli/expr.sh says they are.
#
# expr.sh [--attach KIND...]: with these kinds of hook, instead of the tracepoints.
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/lib.sh"

KINDS=(tracepoint)
[ "${1-}" != --attach ] || KINDS=("${@:2}")

# $EXPR_TRANSLATE: made before, for where a compiler is slow.
TRANSLATE=${EXPR_TRANSLATE:-$TMP/translate}
if [ ! -x "$TRANSLATE" ]; then
	need_command "${CC:-cc}"
	run "${CC:-cc}" -std=c11 -D_GNU_SOURCE -I"$TOP/src" -I"$TOP" -o "$TRANSLATE" \
		"$TOP"/tests/expr/translate.c "$TOP"/src/bpf/expr*.c "$TOP/src/base/text.c"
	check "the translator compiles" expect_exit 0 || exit 1
fi

# Each is true for every segment of the traffic below, where there is an skb and a socket.
cat >"$TMP/socket" <<'EXPRESSIONS'
sk->__sk_common.skc_family == 2
sk->__sk_common.skc_state == 1
sk->__sk_common.skc_num == 9641 || sk->__sk_common.skc_dport == (9641 >> 8 | (9641 & 0xff) << 8)
sk->sk_rcvbuf > 0 && sk && !(sk == 0) && sk != 0
sk->__sk_common.skc_net.net->ns.inum > 0xe0000000
skb->dev == 0 && skb->dev->ifindex == 0 && skb->dev->name[0] == 0
tcp->snd_nxt - tcp->snd_una >= 0 || tcp->snd_una - tcp->snd_nxt > 1 << 31
EXPRESSIONS
# ... and where there is an skb.
cat >"$TMP/packet" <<'EXPRESSIONS'
len == skb->len && len >= skb->data_len
(skb == 0 ? 0 : skb->len) == len
skb->head && skb->head <= skb->data
skb->cb[0] >= -128 && skb->cb[47] < 128
skb->protocol == 8
skb->list.next->prev == skb->list.prev || skb->list.next != 0 || len
(len - 1000000) / 7 == -((1000000 - len) / 7)
(len - 1000000) % 7 == -((1000000 - len) % 7)
len / (len - len) == 0 && len % (len ^ len) == 0
len / -(len | 1) <= 0 && (len | 1) / -(len | 1) == -1
(1 << len % 64) != 0 && (1 << (len | 64)) == 0
(-1 >> len) == -1 && (-len - 1 >> 70) == -1
(0x8000000000000000 / -(len - len + 1)) == 0x8000000000000000
0x7fffffffffffffff + (len - len + 1) < 0
~len == -len - 1 && len * 3 - len - len == len
len < 0x10000 ? len > 0x10000 ? 0 : 1 : 0
EXPRESSIONS
cat >"$TMP/device" <<'EXPRESSIONS'
skb->dev->ifindex == 1
skb->dev->name[0] == 'l' && skb->dev->name[1] == 'o' && skb->dev->name[2] == 0
skb->dev->mtu >= len || skb->dev->mtu < len
(skb->dev)->nd_net.net->ns.inum != 0
skb->data[0] == 0x45 && skb->data[9] == 6
EXPRESSIONS

# all NAME FIRST COUNT: a function that is true when they all are.
all()
{
	local i

	printf 'static __always_inline s64 %s(struct sk_buff *skb, struct sock *sk)\n{\n\treturn 1' "$1"
	for ((i = $2; i < $2 + $3; i++)); do
		printf ' &&\n\t       expr%d(skb, sk)' "$i"
	done
	printf ';\n}\n'
}

# probes EXTRA: a tree whose probes show only what all the expressions are true for.
probes()
{
	local s p d

	echo "$1" >"$TMP/extra"
	rm -rf "$TMP/probes"
	mkdir -m 755 "$TMP/probes"
	s=$(wc -l <"$TMP/socket") p=$(wc -l <"$TMP/packet") d=$(wc -l <"$TMP/device")
	{
		cat <<'C'
static __always_inline s64 lnk_test_len(struct sk_buff *skb)
{
	u32 n = 0;

	bpf_probe_read_kernel(&n, sizeof(n), &skb->len);
	return n;
}

C
		cat "$TMP/socket" "$TMP/packet" "$TMP/device" "$TMP/extra" | "$TRANSLATE" || return 1
		all at_socket 0 $((s + p))
		all at_device "$s" $((p + d + 1))
		cat <<'C'
RAW_TRACEPOINT_PROBE(netif_receive_skb)
{
	struct sk_buff *skb = (struct sk_buff *)ctx->args[0];

	return at_device(skb, 0) ? show_skb_at_data(ctx, skb) : 0;
}

RAW_TRACEPOINT_PROBE(tcp_probe)
{
	struct sock *sk = (struct sock *)ctx->args[0];
	struct sk_buff *skb = (struct sk_buff *)ctx->args[1];

	return at_socket(skb, sk) ? show_skb(ctx, skb) : 0;
}

#if USE_FENTRY
KFUNC_PROBE(tcp_rcv_established, struct sock *sk, struct sk_buff *skb)
{
	return at_socket(skb, sk) ? show_skb(ctx, skb) : 0;
}
#endif

#if USE_KPROBE
int kprobe__tcp_rcv_established(struct pt_regs *ctx, struct sock *sk, struct sk_buff *skb)
{
	return at_socket(skb, sk) ? show_skb(ctx, skb) : 0;
}
#endif
C
	} >"$TMP/probes/netif_receive_skb.c"
	: >"$TMP/probes/tcp_v4_do_rcv.c" # tcp_probe is above
	chmod 644 "$TMP"/probes/*
}

# rows_at KIND EXTRA: how many rows the two stages had.
rows_at()
{
	probes "$2" || return 1
	start "$1" --probe-dir "$TMP/probes" --attach "$1" -p 9641
	traffic 127.0.0.1 9641 5 >/dev/null
	sleep 0.3
	stop "$1" "$SPAWNED"
	DEVICE=$(rows | grep -c '^\[netif_receive_skb\]')
	SOCKET=$(rows | grep -Ec '^\[(tcp_probe|tcp_rcv_established)\]')
}

chmod 755 "$TMP"
for kind in "${KINDS[@]}"; do
	rows_at "$kind" 1
	check "$kind: all are taken by the verifier, and are true" expect_exit 0 -- expect_exact -- \
		[ "$SOCKET" -ge 10 ] -- [ "$DEVICE" -ge 10 -o "$kind" = fentry -o "$kind" = kprobe ]
	[ "$kind" = tracepoint ] || continue
	rows_at "$kind" 'skb->dev->ifindex == 2'
	check "$kind: one that is false leaves no row" expect_exit 0 -- [ "$DEVICE" -eq 0 ] -- \
		[ "$SOCKET" -ge 10 ]
done

[ "${KINDS[0]}" = tracepoint ] || exit 0

# What clang has to refuse is told in the user's column.
probes '1 || skb->dev->nosuch'
run "$LNK" --probe-dir "$TMP/probes" --check
check "a member that is none" expect_exit 1 -- expect_err '--where:16:' -- \
	expect_err "no member named 'nosuch' in 'struct net_device'"
run "$LNK" --check --where 'len && skb->nosuch'
check "--where is quoted" expect_exit 1 -- expect_err_lines 1 -- \
	expect_err "--where:13: no member named 'nosuch' in 'struct sk_buff', in 'len && skb->nosuch'"
run "$LNK" --check --col 'fine=len' --col 'rtt=sk->sk_rcvbuf.x'
check "--col is quoted" expect_exit 1 -- expect_err_lines 1 -- expect_err '--col rtt:' -- \
	expect_err ", in 'sk->sk_rcvbuf.x'"
run "$LNK" --check --col 'sock=sk->__sk_common:hex'
check "what a macro asserts is said as it is" expect_exit 1 -- expect_err_lines 1 -- \
	expect_err "--col sock:1: a structure is no value: name a member of it, with '.', in"
