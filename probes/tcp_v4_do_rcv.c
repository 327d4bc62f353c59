/* SPDX-License-Identifier: MIT */
/*
 * Stage tcp_v4_do_rcv: TCP takes the segment for a socket. Not called for the third
 * segment of a handshake (tcp_child_process() takes it) nor in TIME_WAIT. The tracepoint
 * tcp_probe stands in tcp_rcv_established() and sees established connections only.
 */
#if USE_FENTRY
KFUNC_PROBE(tcp_v4_do_rcv, struct sock *sk, struct sk_buff *skb)
{
	return show_skb_of(ctx, skb, sk);
}

KFUNC_PROBE(tcp_v6_do_rcv, struct sock *sk, struct sk_buff *skb)
{
	return show_skb_of(ctx, skb, sk);
}
#endif

#if USE_KPROBE
int kprobe__tcp_v4_do_rcv(struct pt_regs *ctx, struct sock *sk, struct sk_buff *skb)
{
	return show_skb_of(ctx, skb, sk);
}

int kprobe__tcp_v6_do_rcv(struct pt_regs *ctx, struct sock *sk, struct sk_buff *skb)
{
	return show_skb_of(ctx, skb, sk);
}
#endif

#if USE_SUBSTITUTES
RAW_TRACEPOINT_PROBE(tcp_probe)
{
	struct sock *sk = (struct sock *)ctx->args[0];
	struct sk_buff *skb = (struct sk_buff *)ctx->args[1];

	return show_skb_of(ctx, skb, sk);
}
#endif
