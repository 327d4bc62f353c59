/* SPDX-License-Identifier: MIT */
/* Reading a socket: what there is at hooks that have no packet. */

/* sk->sk_protocol: a field of its own since 5.6, before that the second of the four
 * bytes in front of sk_gso_max_segs (4.10 to 5.5). */
static __always_inline int lnk_is_tcp_sock(const struct lnk_call *call)
{
	struct sock *sk = call->sk;
	u16 type = 0, protocol = 0;

#if LINUX_VERSION_CODE >= KERNEL_VERSION(5, 6, 0)
	LNK_FETCH(call, protocol, sk->sk_protocol);
	LNK_FETCH(call, type, sk->sk_type);
#else
	bpf_probe_read_kernel(&protocol, 1, (char *)&sk->sk_gso_max_segs - 3);
	bpf_probe_read_kernel(&type, sizeof(type), (char *)&sk->sk_gso_max_segs - 2);
#endif
	return protocol == 6 && type == 1;
}

/* The head of struct sock_common, from the addresses to the state, in one go where every
 * read is a helper call. */
#define LNK_SOCK_AT(field) __builtin_offsetof(struct sock_common, field)
#define LNK_SOCK_TO ((LNK_SOCK_AT(skc_state) + 8) & ~7)

_Static_assert(LNK_SOCK_TO <= 64 && LNK_SOCK_AT(skc_daddr) < LNK_SOCK_TO &&
		       LNK_SOCK_AT(skc_rcv_saddr) < LNK_SOCK_TO &&
		       LNK_SOCK_AT(skc_dport) < LNK_SOCK_TO && LNK_SOCK_AT(skc_num) < LNK_SOCK_TO &&
		       LNK_SOCK_AT(skc_family) < LNK_SOCK_TO,
	       "struct sock_common: addresses, ports, family and state are not at its head");

struct lnk_sock {
	u32 daddr, rcv_saddr;
	u16 dport, num, family;
	u8 state;
};

static __always_inline int lnk_fetch_sock(const struct lnk_call *call, struct lnk_sock *f)
{
	struct sock *sk = call->sk;
	u64 stretch[LNK_SOCK_TO / 8];
	const void *at = stretch;

	if (DIRECT_READS && call->direct) {
		f->daddr = sk->__sk_common.skc_daddr;
		f->rcv_saddr = sk->__sk_common.skc_rcv_saddr;
		f->dport = sk->__sk_common.skc_dport;
		f->num = sk->__sk_common.skc_num;
		f->family = sk->__sk_common.skc_family;
		f->state = sk->__sk_common.skc_state;
		return 0;
	}
	if (CAST_READS)
		at = LNK_WORDS(&sk->__sk_common);
	else if (bpf_probe_read_kernel(stretch, sizeof(stretch), &sk->__sk_common))
		return -1;
	f->daddr = LNK_AT(u32, at, LNK_SOCK_AT(skc_daddr));
	f->rcv_saddr = LNK_AT(u32, at, LNK_SOCK_AT(skc_rcv_saddr));
	f->dport = LNK_AT(u16, at, LNK_SOCK_AT(skc_dport));
	f->num = LNK_AT(u16, at, LNK_SOCK_AT(skc_num));
	f->family = LNK_AT(u16, at, LNK_SOCK_AT(skc_family));
	f->state = LNK_AT(u8, at, LNK_SOCK_AT(skc_state));
	return 0;
}

/* A field of struct tcp_sock, of which the verifier does not know that sk is one. */
#define LNK_TCP_SOCK(call, field) LNK_READ(((struct tcp_sock *)(call)->sk)->field)

/*
 * A socket, shown as its packets come in: SRC is the peer, DST is this host, SEQ is
 * tcp_sock.rcv_nxt (the next byte expected from the peer), ACK SEQ is tcp_sock.snd_una
 * (the last acknowledgement that the peer sent). A listener has no peer.
 */
static __always_inline enum lnk_verdict lnk_read_sock(struct lnk_call *call, struct lnk_event *e)
{
	u32 *saddr = (u32 *)e->saddr, *daddr = (u32 *)e->daddr;
	struct sock *sk = call->sk;
	struct lnk_sock f;
	int listens;

	if (lnk_fetch_sock(call, &f))
		return LNK_UNREADABLE;
	if ((f.family != 2 && f.family != 10) || !lnk_is_tcp_sock(call))
		return LNK_OTHER;
	listens = f.state == 10; /* TCP_LISTEN */
	call->knows |= LNK_KNOWS_SOCK;
	e->dport = f.num;
	if (!e->dport) /* tcp_done() has given back a port that the kernel had picked */
		e->dport = bpf_ntohs(LNK_READ(((struct inet_sock *)sk)->inet_sport));
	if (f.family == 2) {
		daddr[3] = f.rcv_saddr;
		if (daddr[3])
			daddr[2] = bpf_htonl(0xffff);
		if (!listens) {
			saddr[3] = f.daddr;
			saddr[2] = bpf_htonl(0xffff);
		}
#if IS_ENABLED(CONFIG_IPV6)
	} else {
		lnk_copy((u64 *)e->daddr, 2, &sk->__sk_common.skc_v6_rcv_saddr);
		if (!listens)
			lnk_copy((u64 *)e->saddr, 2, &sk->__sk_common.skc_v6_daddr);
#endif
	}
	if (listens)
		return LNK_TCP;
	e->sport = bpf_ntohs(f.dport);
	e->seq = LNK_TCP_SOCK(call, rcv_nxt);
	e->ack_seq = LNK_TCP_SOCK(call, snd_una);
	return LNK_TCP;
}
