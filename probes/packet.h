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
/* The last second that is known to be full. */
BPF_ARRAY(lnk_rate_full, u64, 1);

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

static __always_inline void lnk_rate_is_full(u64 second)
{
	int zero = 0;
	u64 *full = lnk_rate_full.lookup(&zero);

	if (full && *full != second)
		*full = second;
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
	if (*(volatile u64 *)n <= RATE_LIMIT)
		return 0;
	lnk_rate_is_full(second);
	return 1;
}
#endif

/* Without a filter every packet counts against the limit, so once a second is full the
 * rest of it need not be looked at: those calls are limited, whatever they carry. */
#if RATE_LIMIT && !STATS_ONLY && !FILTER_IP && !FILTER_PORT
#define LNK_LIMIT_FIRST 1
static __always_inline int lnk_second_is_full(u64 now_ns)
{
	int zero = 0;
	u64 *full = lnk_rate_full.lookup(&zero);

	return full && *full == now_ns / 1000000000;
}
#else
#define LNK_LIMIT_FIRST 0
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

/* Filter, limit, send. `e` is the head of a struct lnk_sample. */
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
	if (lnk_events.perf_submit(ctx, e, LNK_RECORD_SIZE(EXTRA)))
		COUNT(c, lost);
#endif
	return 0;
}

/* The head of a packet, read in one go: an IPv4 and a TCP header without options, or an
 * IPv6 header. Fields are picked by their place on the wire, in units of their size. */
union lnk_head {
	u8 b[40];
	u16 h[20];
	u32 w[10];
};

/* Ports, SEQ and ACK SEQ: the part of a TCP header that is shown. */
union lnk_tcp {
	u16 h[6];
	u32 w[3];
};

#define LNK_IPV4_HEADER 20
#define LNK_IPV6_HEADER 40
#define LNK_TCP_HEADER 20     /* bytes that must be there for a header to be believed */
#define LNK_IPV6_EXTENSIONS 6 /* how many are walked before giving up */

enum lnk_verdict { LNK_TCP, LNK_OTHER, LNK_FRAGMENT, LNK_UNREADABLE };

/* Bytes that may be read: everything a header needs lies in [at, end). */
struct lnk_span {
	const char *at;
	const char *end;
};

static __always_inline void lnk_take_tcp(u32 ports, u32 seq, u32 ack_seq, struct lnk_event *e)
{
	ports = bpf_ntohl(ports);
	e->sport = ports >> 16;
	e->dport = ports & 0xffff;
	e->seq = bpf_ntohl(seq);
	e->ack_seq = bpf_ntohl(ack_seq);
}

static __always_inline enum lnk_verdict lnk_read_tcp(struct lnk_span s, struct lnk_event *e)
{
	union lnk_tcp th;

	if (s.at + LNK_TCP_HEADER > s.end || bpf_probe_read_kernel(&th, sizeof(th), s.at))
		return LNK_UNREADABLE;
	lnk_take_tcp(th.w[0], th.w[1], th.w[2], e);
	return LNK_TCP;
}

/* What lies behind the end of the IP packet (padding of a short frame) is not part of it.
 * A length of 0 is that of a packet too large for the field (BIG TCP). */
static __always_inline void lnk_end_at(struct lnk_span *s, u32 length)
{
	if (length && s->at + length < s->end)
		s->end = s->at + length;
}

/* `head` holds at least the IPv4 header, and with `whole` the 20 bytes behind it, if they
 * belong to the packet. */
static __always_inline enum lnk_verdict lnk_read_ipv4(struct lnk_span s, const union lnk_head *head,
						      int whole, struct lnk_event *e)
{
	u32 *saddr = (u32 *)e->saddr, *daddr = (u32 *)e->daddr;
	u32 length = (head->b[0] & 15) * 4;

	lnk_end_at(&s, bpf_ntohs(head->h[1]));

	if (head->b[9] != 6)
		return LNK_OTHER;
	if (head->h[3] & bpf_htons(0x1fff))
		return LNK_FRAGMENT;
	saddr[2] = bpf_htonl(0xffff);
	saddr[3] = head->w[3];
	daddr[2] = bpf_htonl(0xffff);
	daddr[3] = head->w[4];
	if (length == LNK_IPV4_HEADER && whole && s.at + sizeof(*head) <= s.end) {
		lnk_take_tcp(head->w[5], head->w[6], head->w[7], e);
		return LNK_TCP;
	}
	if (length < LNK_IPV4_HEADER)
		return LNK_UNREADABLE;
	s.at += length;
	return lnk_read_tcp(s, e);
}

/* Hop-by-hop, routing, destination options, mobility, HIP and shim6 share one shape:
 * next header, length in 8 bytes beyond the first 8. */
static __always_inline int lnk_is_option_header(u8 next)
{
	return next == 0 || next == 43 || next == 60 || next == 135 || next == 139 || next == 140;
}

static __always_inline enum lnk_verdict lnk_read_ipv6(struct lnk_span s, const union lnk_head *head,
						      struct lnk_event *e)
{
	u8 next = head->b[6], opt[4];
	int i;

	if (head->h[2])
		lnk_end_at(&s, LNK_IPV6_HEADER + bpf_ntohs(head->h[2]));
	else if (s.end - s.at <= 65535) /* not BIG TCP: nothing follows */
		s.end = s.at + LNK_IPV6_HEADER;
	__builtin_memcpy(e->saddr, &head->w[2], 16);
	__builtin_memcpy(e->daddr, &head->w[6], 16);
	s.at += LNK_IPV6_HEADER;
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
 * What is needed of an skb lies in two places: len and data_len, and the stretch from
 * protocol over network_header and head to data. Each is read in one go, the second in
 * whole words, so that its fields stand aligned on the stack.
 */
#define LNK_SKB_FROM (__builtin_offsetof(struct sk_buff, protocol) & ~7)
#define LNK_SKB_TO (__builtin_offsetof(struct sk_buff, data) + 8)
#define LNK_SKB_AT(field) (__builtin_offsetof(struct sk_buff, field) - LNK_SKB_FROM)

_Static_assert(LNK_SKB_TO > LNK_SKB_FROM && LNK_SKB_TO - LNK_SKB_FROM <= 96 &&
		       LNK_SKB_AT(network_header) < LNK_SKB_AT(head) &&
		       LNK_SKB_AT(head) < LNK_SKB_AT(data),
	       "struct sk_buff: protocol, network_header, head and data are not neighbours");
_Static_assert(__builtin_offsetof(struct sk_buff, data_len) ==
		       __builtin_offsetof(struct sk_buff, len) + 4,
	       "struct sk_buff: data_len does not follow len");

union lnk_skb {
	u16 h[(LNK_SKB_TO - LNK_SKB_FROM) / 2];
	u64 q[(LNK_SKB_TO - LNK_SKB_FROM) / 8];
};

/* Steps over up to two tags that still stand in the data; returns the protocol. */
static __always_inline u16 lnk_skip_vlan(struct lnk_span *s, u16 protocol)
{
	if (lnk_is_vlan(protocol)) {
		bpf_probe_read_kernel(&protocol, sizeof(protocol), s->at + 2);
		s->at += 4;
		if (lnk_is_vlan(protocol)) {
			bpf_probe_read_kernel(&protocol, sizeof(protocol), s->at + 2);
			s->at += 4;
		}
	}
	return protocol;
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
	union lnk_head head;
	union lnk_skb f;
	struct lnk_span s;
	u32 len[2]; /* len, data_len */
	u8 version, only = 0; /* the version that the frame announced */
	const char *data;
	u16 protocol;

	if (bpf_probe_read_kernel(len, sizeof(len), &skb->len) ||
	    bpf_probe_read_kernel(&f, sizeof(f), (char *)skb + LNK_SKB_FROM))
		return LNK_UNREADABLE;
	data = (const char *)f.q[LNK_SKB_AT(data) / 8];
	s.at = data;
	s.end = data + (len[0] - len[1]);
	if (at_data) {
		protocol = lnk_skip_vlan(&s, f.h[LNK_SKB_AT(protocol) / 2]);
		if (protocol == bpf_htons(0x0800))
			only = 4;
		else if (protocol == bpf_htons(0x86dd))
			only = 6;
		else
			return LNK_OTHER;
	} else {
		/* Not a received packet: tcp_send_rcvq() (TCP_REPAIR) queues bytes of the
		 * user's choice, with no headers, through tcp_queue_rcv(). */
		if (!f.h[LNK_SKB_AT(network_header) / 2] ||
		    f.h[LNK_SKB_AT(transport_header) / 2] == 0xffff)
			return LNK_OTHER;
		s.at = (const char *)f.q[LNK_SKB_AT(head) / 8] + f.h[LNK_SKB_AT(network_header) / 2];
	}
	*bytes = len[0] + (u32)(data - s.at);
	if (s.at + sizeof(head) <= s.end) {
		if (bpf_probe_read_kernel(&head, sizeof(head), s.at))
			return LNK_UNREADABLE;
		version = head.b[0] >> 4;
		if (only && version != only)
			return LNK_OTHER; /* ip_rcv() and ipv6_rcv() drop it */
		if (version == 4)
			return lnk_read_ipv4(s, &head, 1, e);
		if (version == 6)
			return lnk_read_ipv6(s, &head, e);
		return LNK_UNREADABLE;
	}
	/* Too short for TCP, or not in the linear area: at least tell which. */
	if (s.at + LNK_IPV4_HEADER > s.end ||
	    bpf_probe_read_kernel(&head, LNK_IPV4_HEADER, s.at) || head.b[0] >> 4 != 4 ||
	    only == 6)
		return LNK_UNREADABLE;
	return lnk_read_ipv4(s, &head, 0, e);
}

/* The head of a struct lnk_record, as long as this run needs it. */
struct lnk_sample {
	struct lnk_event event;
	u64 extra[EXTRA];
};

static __always_inline void lnk_start(struct lnk_sample *d, int hook, u64 ip, u64 now_ns)
{
	__builtin_memset(d, 0, sizeof(*d));
	d->event.time_ns = now_ns;
	d->event.hook = hook;
#if DEBUG_FUNC
	d->extra[0] = ip;
#endif
}

static __always_inline int lnk_show_skb(void *ctx, struct sk_buff *skb, int at_data, int hook,
					u64 ip)
{
	struct lnk_sample d;
	struct lnk_counters *c;
	u64 now = bpf_ktime_get_ns();
	u32 bytes = 0;

	c = lnk_counters.lookup(&hook);
	if (!c)
		return 0;
#if LNK_LIMIT_FIRST
	if (lnk_second_is_full(now)) {
		COUNT(c, seen);
		COUNT(c, limited);
		return 0;
	}
#endif
	lnk_start(&d, hook, ip, now);
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
	u16 type = 0, protocol = 0;

#if LINUX_VERSION_CODE >= KERNEL_VERSION(5, 6, 0)
	bpf_probe_read_kernel(&protocol, sizeof(protocol), &sk->sk_protocol);
	bpf_probe_read_kernel(&type, sizeof(type), &sk->sk_type);
#else
	bpf_probe_read_kernel(&protocol, 1, (char *)&sk->sk_gso_max_segs - 3);
	bpf_probe_read_kernel(&type, sizeof(type), (char *)&sk->sk_gso_max_segs - 2);
#endif
	return protocol == 6 && type == 1;
}

/* The head of struct sock_common, from the addresses to the state, in one go. */
#define LNK_SOCK_AT(field) __builtin_offsetof(struct sock_common, field)
#define LNK_SOCK_TO ((LNK_SOCK_AT(skc_state) + 8) & ~7)

_Static_assert(LNK_SOCK_TO <= 64 && LNK_SOCK_AT(skc_daddr) < LNK_SOCK_TO &&
		       LNK_SOCK_AT(skc_rcv_saddr) < LNK_SOCK_TO &&
		       LNK_SOCK_AT(skc_dport) < LNK_SOCK_TO && LNK_SOCK_AT(skc_num) < LNK_SOCK_TO &&
		       LNK_SOCK_AT(skc_family) < LNK_SOCK_TO,
	       "struct sock_common: addresses, ports, family and state are not at its head");

union lnk_sock {
	u8 b[LNK_SOCK_TO];
	u16 h[LNK_SOCK_TO / 2];
	u32 w[LNK_SOCK_TO / 4];
	u64 q[LNK_SOCK_TO / 8];
};

/*
 * A socket, shown as its packets come in: SRC is the peer, DST is this host, SEQ is
 * tcp_sock.rcv_nxt (the next byte expected from the peer), ACK SEQ is tcp_sock.snd_una
 * (the last acknowledgement that the peer sent). A listener has no peer.
 */
static __always_inline void lnk_read_sock(struct sock *sk, const union lnk_sock *c,
					  struct lnk_event *e)
{
	u32 *saddr = (u32 *)e->saddr, *daddr = (u32 *)e->daddr;
	struct tcp_sock *tp = (struct tcp_sock *)sk;
	int listens = c->b[LNK_SOCK_AT(skc_state)] == 10; /* TCP_LISTEN */

	e->dport = c->h[LNK_SOCK_AT(skc_num) / 2];
	if (!e->dport) { /* tcp_done() has given back a port that the kernel had picked */
		bpf_probe_read_kernel(&e->dport, sizeof(e->dport),
				      &((struct inet_sock *)sk)->inet_sport);
		e->dport = bpf_ntohs(e->dport);
	}
	if (c->h[LNK_SOCK_AT(skc_family) / 2] == 2) {
		daddr[3] = c->w[LNK_SOCK_AT(skc_rcv_saddr) / 4];
		if (daddr[3])
			daddr[2] = bpf_htonl(0xffff);
		if (!listens) {
			saddr[3] = c->w[LNK_SOCK_AT(skc_daddr) / 4];
			saddr[2] = bpf_htonl(0xffff);
		}
#if IS_ENABLED(CONFIG_IPV6)
	} else {
		bpf_probe_read_kernel(e->daddr, 16, &sk->__sk_common.skc_v6_rcv_saddr);
		if (!listens)
			bpf_probe_read_kernel(e->saddr, 16, &sk->__sk_common.skc_v6_daddr);
#endif
	}
	if (listens)
		return;
	e->sport = bpf_ntohs(c->h[LNK_SOCK_AT(skc_dport) / 2]);
	bpf_probe_read_kernel(&e->seq, sizeof(e->seq), &tp->rcv_nxt);
	bpf_probe_read_kernel(&e->ack_seq, sizeof(e->ack_seq), &tp->snd_una);
}

static __always_inline int lnk_show_sock(void *ctx, struct sock *sk, int hook, u64 ip)
{
	struct lnk_sample d;
	struct lnk_counters *c;
	union lnk_sock common;
	u64 now = bpf_ktime_get_ns();
	u16 family;

	c = lnk_counters.lookup(&hook);
	if (!c)
		return 0;
#if LNK_LIMIT_FIRST
	if (lnk_second_is_full(now)) {
		COUNT(c, seen);
		COUNT(c, limited);
		return 0;
	}
#endif
	if (bpf_probe_read_kernel(&common, sizeof(common), &sk->__sk_common)) {
		COUNT(c, unreadable);
		return 0;
	}
	family = common.h[LNK_SOCK_AT(skc_family) / 2];
	if ((family != 2 && family != 10) || !lnk_is_tcp_sock(sk)) {
		COUNT(c, other);
		return 0;
	}
	lnk_start(&d, hook, ip, now);
	lnk_read_sock(sk, &common, &d.event);
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
