/* SPDX-License-Identifier: MIT */
/*
 * Stage sock_def_readable: the reader is woken. The function serves every kind of
 * socket; only TCP ones are shown. There is no skb.
 */
#if USE_FENTRY
KFUNC_PROBE(sock_def_readable, struct sock *sk)
{
	return show_sock(ctx, sk);
}
#endif

#if USE_KPROBE
int kprobe__sock_def_readable(struct pt_regs *ctx, struct sock *sk)
{
	return show_sock(ctx, sk);
}
#endif

#if USE_SUBSTITUTES
/* Since 6.3, in sock_def_readable() and in its stand-ins (TLS, kernel sockets). */
RAW_TRACEPOINT_PROBE(sk_data_ready)
{
	struct sock *sk = (struct sock *)ctx->args[0];

	return show_sock(ctx, sk);
}
#endif
