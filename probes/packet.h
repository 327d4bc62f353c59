/* SPDX-License-Identifier: MIT */
/*
 * What every probe calls. A probe function has nothing to do but fetch the skb or the
 * sock from its arguments and say
 *
 *	return show_skb(ctx, skb);		the skb's network header is set
 *	return show_skb_at_data(ctx, skb);	only skb->data can be trusted
 *	return show_sock(ctx, sk);		there is no skb, only the socket
 *
 * The name in the table is that of the probe function itself.
 */

/* Counted whatever nests in whatever: an interrupt may run the same probe on this CPU
 * between the load and the store of a plain increment. */
#define COUNT(c, what) __sync_fetch_and_add(&(c)->what, 1)

BPF_PERCPU_ARRAY(lnk_counters, struct lnk_counters, LNK_MAX_HOOKS);
BPF_PERF_OUTPUT(lnk_events);

#if RATE_LIMIT
/* The windows of the rate limit: the second, and how many events wanted to be in it. */
BPF_HASH(lnk_rate, u64, u64, 64);
/* The two newest windows; [0] is the newest. */
BPF_ARRAY(lnk_rate_newest, u64, 2);

/* Opens the window of `second`. BPF_NOEXIST lets just one CPU win; the winner removes
 * the window before the previous one (the previous one may still be counted in by a CPU
 * that read the clock earlier). */
static __always_inline void lnk_open_window(u64 second)
{
	int newest = 0, older = 1;
	u64 zero = 0, *a, *b, old;

	if (lnk_rate.insert(&second, &zero))
		return;
	a = lnk_rate_newest.lookup(&newest);
	b = lnk_rate_newest.lookup(&older);
	if (!a || !b)
		return;
	old = *b;
	*b = *a;
	*a = second;
	lnk_rate.delete(&old);
}

/* True when this event is over the limit. The count is read after our own addition, so
 * with several CPUs it is never smaller than the number of events admitted before: a
 * second never sends more than the limit. */
static __always_inline int lnk_over_rate(u64 now_ns)
{
	u64 second = now_ns / 1000000000, *n;

	n = lnk_rate.lookup(&second);
	if (!n) {
		lnk_open_window(second);
		n = lnk_rate.lookup(&second);
		if (!n)
			return 1;
	}
	__sync_fetch_and_add(n, 1);
	return *(volatile u64 *)n > RATE_LIMIT;
}
#endif

/* True when the event is not what -i and -p ask for. */
static __always_inline int lnk_filtered(const struct lnk_event *e)
{
#if FILTER_IP
	const u32 *s = (const u32 *)e->saddr, *d = (const u32 *)e->daddr;

	if ((s[3] != FILTER_IP_WORD3 || s[2] != FILTER_IP_WORD2 || s[1] != FILTER_IP_WORD1 ||
	     s[0] != FILTER_IP_WORD0) &&
	    (d[3] != FILTER_IP_WORD3 || d[2] != FILTER_IP_WORD2 || d[1] != FILTER_IP_WORD1 ||
	     d[0] != FILTER_IP_WORD0))
		return 1;
#endif
#if FILTER_PORT
	if (e->sport != FILTER_PORT && e->dport != FILTER_PORT)
		return 1;
#endif
	return 0;
}

/* Filter, limit, send. `e` is inside a struct lnk_event_debug with -d. */
static __always_inline int lnk_send(void *ctx, struct lnk_counters *c, struct lnk_event *e,
				    u32 bytes)
{
	COUNT(c, seen);
	if (lnk_filtered(e)) {
		COUNT(c, filtered);
		return 0;
	}
#if STATS_ONLY
	__sync_fetch_and_add(&c->bytes, bytes);
#else
#if RATE_LIMIT
	if (lnk_over_rate(e->time_ns)) {
		COUNT(c, limited);
		return 0;
	}
#endif
#if DEBUG_FUNC
	if (lnk_events.perf_submit(ctx, e, sizeof(struct lnk_event_debug)))
		COUNT(c, lost);
#else
	if (lnk_events.perf_submit(ctx, e, sizeof(struct lnk_event)))
		COUNT(c, lost);
#endif
#endif
	return 0;
}

/* The parts of the headers that are read, as they lie on the wire. */
struct lnk_ipv4 {
	u8 version_ihl;
	u8 tos;
	u16 total_length;
	u16 id;
	u16 fragment; /* 3 bits of flags, 13 of offset */
	u8 ttl;
	u8 protocol;
	u16 check;
	u32 saddr;
	u32 daddr;
};

struct lnk_ipv6 {
	u32 version_flow;
	u16 payload_length;
	u8 next_header;
	u8 hop_limit;
	u8 saddr[16];
	u8 daddr[16];
};

struct lnk_tcp {
	u16 source;
	u16 dest;
	u32 seq;
	u32 ack_seq;
};

#define LNK_TCP_HEADER 20 /* bytes that must be there for a header to be believed */
#define LNK_IPV6_EXTENSIONS 6 /* how many are walked before giving up */

enum lnk_verdict { LNK_TCP, LNK_OTHER, LNK_FRAGMENT, LNK_UNREADABLE };

/* Bytes that may be read: everything a header needs lies in [at, end). */
struct lnk_span {
	const char *at;
	const char *end;
};

static __always_inline enum lnk_verdict lnk_read_tcp(struct lnk_span s, struct lnk_event *e)
{
	struct lnk_tcp th;

	if (s.at + LNK_TCP_HEADER > s.end || bpf_probe_read_kernel(&th, sizeof(th), s.at))
		return LNK_UNREADABLE;
	e->sport = bpf_ntohs(th.source);
	e->dport = bpf_ntohs(th.dest);
	e->seq = bpf_ntohl(th.seq);
	e->ack_seq = bpf_ntohl(th.ack_seq);
	return LNK_TCP;
}

static __always_inline enum lnk_verdict lnk_read_ipv4(struct lnk_span s, struct lnk_event *e)
{
	struct lnk_ipv4 ih;
	u32 *saddr = (u32 *)e->saddr, *daddr = (u32 *)e->daddr;
	u32 length;

	if (s.at + sizeof(ih) > s.end || bpf_probe_read_kernel(&ih, sizeof(ih), s.at))
		return LNK_UNREADABLE;
	if (ih.protocol != 6)
		return LNK_OTHER;
	if (ih.fragment & bpf_htons(0x1fff))
		return LNK_FRAGMENT;
	length = (ih.version_ihl & 15) * 4;
	if (length < sizeof(ih))
		return LNK_UNREADABLE;
	saddr[2] = bpf_htonl(0xffff);
	saddr[3] = ih.saddr;
	daddr[2] = bpf_htonl(0xffff);
	daddr[3] = ih.daddr;
	s.at += length;
	return lnk_read_tcp(s, e);
}

/* Hop-by-hop, routing, destination options, mobility, HIP and shim6 share one shape:
 * next header, length in 8 bytes beyond the first 8. */
static __always_inline int lnk_is_option_header(u8 next)
{
	return next == 0 || next == 43 || next == 60 || next == 135 || next == 139 || next == 140;
}

static __always_inline enum lnk_verdict lnk_read_ipv6(struct lnk_span s, struct lnk_event *e)
{
	struct lnk_ipv6 ih;
	u8 next, opt[4];
	int i;

	if (s.at + sizeof(ih) > s.end || bpf_probe_read_kernel(&ih, sizeof(ih), s.at))
		return LNK_UNREADABLE;
	__builtin_memcpy(e->saddr, ih.saddr, 16);
	__builtin_memcpy(e->daddr, ih.daddr, 16);
	s.at += sizeof(ih);
	next = ih.next_header;
	/* the verifier takes bounded loops since 5.3 */
#if LINUX_VERSION_CODE < KERNEL_VERSION(5, 3, 0)
#pragma unroll
#else
#pragma nounroll
#endif
	for (i = 0; i < LNK_IPV6_EXTENSIONS; i++) {
		if (next == 6)
			return lnk_read_tcp(s, e);
		if (next != 44 && next != 51 && !lnk_is_option_header(next))
			return LNK_OTHER;
		if (s.at + 8 > s.end || bpf_probe_read_kernel(opt, sizeof(opt), s.at))
			return LNK_UNREADABLE;
		if (next == 44) { /* fragment header: always 8 bytes */
			if ((opt[2] << 8 | opt[3]) & 0xfff8)
				return opt[0] == 6 ? LNK_FRAGMENT : LNK_OTHER;
			s.at += 8;
		} else if (next == 51) { /* authentication: length in 4 bytes, less 2 */
			s.at += (opt[1] + 2) * 4;
		} else {
			s.at += (opt[1] + 1) * 8;
		}
		next = opt[0];
	}
	return next == 6 ? lnk_read_tcp(s, e) : LNK_UNREADABLE;
}

/* 802.1Q and 802.1ad tags that still stand in the data (the card did not strip them). */
static __always_inline int lnk_is_vlan(u16 protocol)
{
	return protocol == bpf_htons(0x8100) || protocol == bpf_htons(0x88a8);
}

/*
 * Reads the packet. The linear area is [head, data + len - data_len). at_data: the IP
 * header is at skb->data (netif_receive_skb: __netif_receive_skb_core() sets
 * network_header only afterwards), else at head + network_header (set there, for every
 * packet, from ip_rcv_core()/ip6_rcv_core() on). *bytes: from the IP header to the end
 * of the packet.
 */
static __always_inline enum lnk_verdict lnk_read_skb(struct sk_buff *skb, int at_data,
						     struct lnk_event *e, u32 *bytes)
{
	unsigned char *head = 0, *data = 0;
	u32 len = 0, data_len = 0;
	u16 network = 0, protocol = 0;
	struct lnk_span s;
	u8 version = 0;

	bpf_probe_read_kernel(&data, sizeof(data), &skb->data);
	bpf_probe_read_kernel(&len, sizeof(len), &skb->len);
	bpf_probe_read_kernel(&data_len, sizeof(data_len), &skb->data_len);
	s.at = (const char *)data;
	s.end = s.at + (len - data_len);
	if (at_data) {
		bpf_probe_read_kernel(&protocol, sizeof(protocol), &skb->protocol);
		if (lnk_is_vlan(protocol)) {
			bpf_probe_read_kernel(&protocol, sizeof(protocol), s.at + 2);
			s.at += 4;
			if (lnk_is_vlan(protocol)) {
				bpf_probe_read_kernel(&protocol, sizeof(protocol), s.at + 2);
				s.at += 4;
			}
		}
		if (protocol != bpf_htons(0x0800) && protocol != bpf_htons(0x86dd))
			return LNK_OTHER;
	} else {
		bpf_probe_read_kernel(&head, sizeof(head), &skb->head);
		bpf_probe_read_kernel(&network, sizeof(network), &skb->network_header);
		s.at = (const char *)head + network;
	}
	*bytes = len + (u32)(data - (unsigned char *)s.at);
	if (s.at + sizeof(struct lnk_ipv4) > s.end || bpf_probe_read_kernel(&version, 1, s.at))
		return LNK_UNREADABLE;
	if (version >> 4 == 4)
		return lnk_read_ipv4(s, e);
	if (version >> 4 == 6)
		return lnk_read_ipv6(s, e);
	return LNK_UNREADABLE;
}

/* The row's memory; one struct serves both sizes. */
static __always_inline void lnk_start(struct lnk_event_debug *d, int hook, u64 ip)
{
	__builtin_memset(d, 0, sizeof(*d));
	d->event.time_ns = bpf_ktime_get_ns();
	d->event.hook = hook;
	d->ip = ip;
}

static __always_inline int lnk_show_skb(void *ctx, struct sk_buff *skb, int at_data, int hook,
					u64 ip)
{
	struct lnk_event_debug d;
	struct lnk_counters *c;
	u32 bytes = 0;

	c = lnk_counters.lookup(&hook);
	if (!c)
		return 0;
	lnk_start(&d, hook, ip);
	switch (lnk_read_skb(skb, at_data, &d.event, &bytes)) {
	case LNK_TCP:
		return lnk_send(ctx, c, &d.event, bytes);
	case LNK_OTHER:
		COUNT(c, other);
		break;
	case LNK_FRAGMENT:
		COUNT(c, fragment);
		break;
	case LNK_UNREADABLE:
		COUNT(c, unreadable);
		break;
	}
	return 0;
}

/* sk->sk_protocol: a field of its own since 5.6, before that the second of the four
 * bytes in front of sk_gso_max_segs (4.10 to 5.5). */
static __always_inline int lnk_is_tcp_sock(struct sock *sk)
{
	u16 type = 0, protocol = 0, family = 0;

	bpf_probe_read_kernel(&family, sizeof(family), &sk->__sk_common.skc_family);
	if (family != 2 && family != 10)
		return 0;
#if LINUX_VERSION_CODE >= KERNEL_VERSION(5, 6, 0)
	bpf_probe_read_kernel(&protocol, sizeof(protocol), &sk->sk_protocol);
	bpf_probe_read_kernel(&type, sizeof(type), &sk->sk_type);
#else
	bpf_probe_read_kernel(&protocol, 1, (char *)&sk->sk_gso_max_segs - 3);
	bpf_probe_read_kernel(&type, sizeof(type), (char *)&sk->sk_gso_max_segs - 2);
#endif
	return protocol == 6 && type == 1;
}

/*
 * A socket, shown as its packets come in: SRC is the peer, DST is this host, SEQ is
 * tcp_sock.rcv_nxt (the next byte expected from the peer), ACK SEQ is tcp_sock.snd_una
 * (the last acknowledgement that the peer sent). A listener has no peer.
 */
static __always_inline void lnk_read_sock(struct sock *sk, struct lnk_event *e)
{
	u32 *saddr = (u32 *)e->saddr, *daddr = (u32 *)e->daddr;
	struct tcp_sock *tp = (struct tcp_sock *)sk;
	u16 family = 0;
	u8 state = 0;

	bpf_probe_read_kernel(&family, sizeof(family), &sk->__sk_common.skc_family);
	bpf_probe_read_kernel(&state, sizeof(state), (void *)&sk->__sk_common.skc_state);
	bpf_probe_read_kernel(&e->dport, sizeof(e->dport), &sk->__sk_common.skc_num);
	if (family == 2) {
		bpf_probe_read_kernel(&daddr[3], 4, &sk->__sk_common.skc_rcv_saddr);
		if (daddr[3])
			daddr[2] = bpf_htonl(0xffff);
#if IS_ENABLED(CONFIG_IPV6)
	} else {
		bpf_probe_read_kernel(e->daddr, 16, &sk->__sk_common.skc_v6_rcv_saddr);
#endif
	}
	if (state == 10) /* TCP_LISTEN */
		return;
	bpf_probe_read_kernel(&e->sport, sizeof(e->sport), &sk->__sk_common.skc_dport);
	e->sport = bpf_ntohs(e->sport);
	if (family == 2) {
		bpf_probe_read_kernel(&saddr[3], 4, &sk->__sk_common.skc_daddr);
		saddr[2] = bpf_htonl(0xffff);
#if IS_ENABLED(CONFIG_IPV6)
	} else {
		bpf_probe_read_kernel(e->saddr, 16, &sk->__sk_common.skc_v6_daddr);
#endif
	}
	bpf_probe_read_kernel(&e->seq, sizeof(e->seq), &tp->rcv_nxt);
	bpf_probe_read_kernel(&e->ack_seq, sizeof(e->ack_seq), &tp->snd_una);
}

static __always_inline int lnk_show_sock(void *ctx, struct sock *sk, int hook, u64 ip)
{
	struct lnk_event_debug d;
	struct lnk_counters *c;

	c = lnk_counters.lookup(&hook);
	if (!c)
		return 0;
	if (!lnk_is_tcp_sock(sk)) {
		COUNT(c, other);
		return 0;
	}
	lnk_start(&d, hook, ip);
	lnk_read_sock(sk, &d.event);
	return lnk_send(ctx, c, &d.event, 0);
}

/* The instruction pointer, where the context is a kprobe's registers. */
static __always_inline u64 lnk_regs_ip(struct pt_regs *regs)
{
	return PT_REGS_IP(regs);
}

#if DEBUG_FUNC
#define LNK_IP(ctx)                                                                     \
	__builtin_choose_expr(                                                              \
		__builtin_types_compatible_p(__typeof__(ctx), struct pt_regs *),            \
		lnk_regs_ip((struct pt_regs *)(ctx)), 0)
#else
#define LNK_IP(ctx) 0
#endif

/* lnk_hook_id() is written by the host: it knows the probe functions by name. The
 * comparison is folded at compile time. */
#define show_skb(ctx, skb) lnk_show_skb(ctx, skb, 0, lnk_hook_id(__func__), LNK_IP(ctx))
#define show_skb_at_data(ctx, skb) lnk_show_skb(ctx, skb, 1, lnk_hook_id(__func__), LNK_IP(ctx))
#define show_sock(ctx, sk) lnk_show_sock(ctx, sk, lnk_hook_id(__func__), LNK_IP(ctx))
