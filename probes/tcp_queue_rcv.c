/* SPDX-License-Identifier: MIT */
/*
 * Stage tcp_queue_rcv: in-order data (or a FIN) goes to the socket's receive queue.
 * skb->data is past the TCP header here; the network header still stands.
 */
#if USE_FENTRY
KFUNC_PROBE(tcp_queue_rcv, struct sock *sk, struct sk_buff *skb)
{
	return show_skb_of(ctx, skb, sk);
}
#endif

#if USE_KPROBE
int kprobe__tcp_queue_rcv(struct pt_regs *ctx, struct sock *sk, struct sk_buff *skb)
{
	return show_skb_of(ctx, skb, sk);
}
#endif
