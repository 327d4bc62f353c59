/* SPDX-License-Identifier: MIT */
/*
 * Stage ip_rcv_finish: the IP layer is done and the packet is for this host. The
 * function of that name is inlined into ip_rcv() on kernels of today; ip_local_deliver()
 * and ip6_input() see every packet that is delivered locally, once.
 */
#if USE_FENTRY
KFUNC_PROBE(ip_local_deliver, struct sk_buff *skb)
{
	return show_skb(ctx, skb);
}

KFUNC_PROBE(ip6_input, struct sk_buff *skb)
{
	return show_skb(ctx, skb);
}
#endif

#if USE_KPROBE
int kprobe__ip_local_deliver(struct pt_regs *ctx, struct sk_buff *skb)
{
	return show_skb(ctx, skb);
}

int kprobe__ip6_input(struct pt_regs *ctx, struct sk_buff *skb)
{
	return show_skb(ctx, skb);
}
#endif
