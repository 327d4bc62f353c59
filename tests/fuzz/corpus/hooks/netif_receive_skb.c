/* SPDX-License-Identifier: MIT */
/*
 * Stage netif_receive_skb: a packet enters the protocol stack. Once for each device
 * layer that hands it up (a bridge port and the bridge are two). The IP header is at
 * skb->data; the network header is not set yet on a NAPI card without GRO.
 */
#if USE_TRACEPOINT
RAW_TRACEPOINT_PROBE(netif_receive_skb)
{
	struct sk_buff *skb = (struct sk_buff *)ctx->args[0];

	return show_skb_at_data(ctx, skb);
}

#if TP_NETIF_RECEIVE_SKB_SKBADDR
/* Where raw tracepoints are missing (Linux < 4.17). */
int tracepoint__net__netif_receive_skb(void *ctx)
{
	struct sk_buff *skb = *(struct sk_buff **)((char *)ctx + TP_NETIF_RECEIVE_SKB_SKBADDR);

	return show_skb_at_data(ctx, skb);
}
#endif
#endif

/* From 5.8 on the first argument is a pointer to the pointer; before that it depends on
 * the stable release, so the tracepoint above has to serve there. */
#if USE_KPROBE && LINUX_VERSION_CODE >= KERNEL_VERSION(5, 8, 0)
int kprobe____netif_receive_skb_core(struct pt_regs *ctx, struct sk_buff **pskb)
{
	struct sk_buff *skb = 0;

	bpf_probe_read_kernel(&skb, sizeof(skb), pskb);
	return show_skb_at_data(ctx, skb);
}
#endif
