/* SPDX-License-Identifier: MIT */
/*
 * Reading a packet. Everything here is inlined into each probe, so what a run does not
 * ask for (a column, a filter) leaves no instruction behind.
 */

/* What is known of a call; bits of lnk_call.knows. */
#define LNK_KNOWS_SKB 1    /* skb is there */
#define LNK_KNOWS_SOCK 2   /* sk is there, and is TCP's */
#define LNK_KNOWS_PACKET 4 /* an IP and a TCP header were read */
#define LNK_KNOWS_IPV4 8   /* ... and which, */
#define LNK_KNOWS_IPV6 16  /* ... of the two */
#define LNK_KNOWS_DEVICE 32 /* skb->dev may be followed */

/* The packet from its IP header on, as pcap expressions see it. */
#define LNK_WIRE
struct lnk_wire {
	const char *ip; /* the IP header, in the kernel's memory */
	u32 linear;     /* bytes that may be read there; at most `length` */
	u32 length;     /* bytes of the IP packet */
	const u8 *head; /* the first of them, on the stack: */
	u32 head_len;   /* so many; at most 40, and `linear` but for a TCP header in a page */
};

struct lnk_call {
	struct sk_buff *skb;
	struct sock *sk;
	int knows;
	int direct; /* skb and sk are pointers that the verifier knows the type of */
	int at_data;
	int trimmed;  /* what is no part of the IP packet is cut off */
	u64 regs_ip;  /* kprobes: the instruction pointer; else 0 */
	u32 bytes;    /* from the IP header to the end of the skb */
	u32 tcp_at;   /* where the TCP header begins, from the IP header on */
	u32 tcp_word; /* its fourth word: data offset, flags, window; network byte order */
	struct lnk_wire wire;
};

/*
 * Since 6.2 the verifier lets any address be read without a helper call, once the kernel's
 * bpf_rdonly_cast() has said what lies there; what cannot be read is 0, as it is with the
 * helper. The words of the cast are of a structure that has nothing but u64: of one of them,
 * any part may be read. The host puts the numbers of both, in the kernel's BTF, in the place of
 * these (src/bpf/casts.c); the call itself leaves no instruction behind.
 */
#if CAST_READS
static const void *(*lnk_cast)(const void *at, u64 type) = (void *)LNK_CAST_FUNCTION;
#define LNK_WORDS(at) lnk_cast(at, LNK_CAST_TYPE)
#else
#define LNK_WORDS(at) (at)
#endif
/* Of what lies `offset` bytes behind it: where words is what LNK_WORDS() says of an address. */
#define LNK_AT(type, words, offset) (*(const type *)((const char *)(words) + (offset)))

/* A function, so that libbcc, which replaces the helper by an older one where it must,
 * finds the call outside of a macro. */
static __always_inline void lnk_read(void *to, u32 size, const void *from)
{
	if (CAST_READS && size == 8)
		*(u64 *)to = LNK_AT(u64, LNK_WORDS(from), 0);
	else if (CAST_READS && size == 4)
		*(u32 *)to = LNK_AT(u32, LNK_WORDS(from), 0);
	else if (CAST_READS && size == 2)
		*(u16 *)to = LNK_AT(u16, LNK_WORDS(from), 0);
	else if (CAST_READS && size == 1)
		*(u8 *)to = LNK_AT(u8, LNK_WORDS(from), 0);
	else
		bpf_probe_read_kernel(to, size, from);
}

/* Not 0 where it cannot be read. */
static __always_inline int lnk_copy(u64 *to, u32 words, const void *from)
{
#if CAST_READS
	const void *at = LNK_WORDS(from);
	u64 all = 0;
	u32 i;

#pragma unroll
	for (i = 0; i < words; i++)
		all |= to[i] = LNK_AT(u64, at, i * 8);
	if (all)
		return 0;
#endif
	return bpf_probe_read_kernel(to, words * 8, from);
}

/* A field of the skb or the sock: without a helper where the verifier knows the pointer. */
#define LNK_FETCH(call, dst, lvalue)                                                               \
	do {                                                                                       \
		if (DIRECT_READS && (call)->direct)                                                                \
			(dst) = (lvalue);                                                          \
		else                                                                               \
			lnk_read(&(dst), sizeof(dst), &(lvalue));                                  \
	} while (0)

/* Any other field, by value; the helper leaves zeros where it cannot read. The argument
 * stands once: reads nest. ((void)0, x) has x's type without const, and a pointer's for
 * an array. */
#define LNK_IS_ARRAY(x)                                                                            \
	(!__builtin_types_compatible_p(__typeof__(x), __typeof__((void)0, (x))))
#define LNK_IS_STRUCT(x)                                                                           \
	(__builtin_classify_type(x) == 12 || __builtin_classify_type(x) == 13)
#define LNK_LOAD(p)                                                                                \
	({                                                                                         \
		__typeof__((void)0, *(p)) lnk_load_v;                                              \
		lnk_read((void *)&lnk_load_v, sizeof(lnk_load_v), (const void *)(p));              \
		lnk_load_v;                                                                        \
	})
#define LNK_READ(x)                                                                                \
	({                                                                                         \
		__auto_type lnk_read_p = &(x);                                                     \
		_Static_assert(!LNK_IS_ARRAY(*lnk_read_p),                                         \
			       "an array is no value: give an index, as in member[0]");            \
		_Static_assert(!LNK_IS_STRUCT(*lnk_read_p),                                        \
			       "a structure is no value: name a member of it, with '.'");          \
		LNK_LOAD(lnk_read_p);                                                              \
	})

/* The head of a packet, read in one go: an IPv4 and a TCP header without options, or an
 * IPv6 header. Fields are picked by their place on the wire, in units of their size. */
union lnk_head {
	u8 b[40];
	u16 h[20];
	u32 w[10];
	u64 q[5];
};

/* Ports, SEQ, ACK SEQ, and the word with data offset, flags and window. */
union lnk_tcp {
	u32 w[4];
	u64 q[2];
};

#define LNK_VLAN_TAG 4
#define LNK_IPV4_HEADER 20
#define LNK_IPV6_HEADER 40
#define LNK_LENGTH_MAX 65535  /* of the length field of an IP header */
#define LNK_TCP_HEADER 20     /* bytes that must be there for a header to be believed */
#define LNK_IPV6_EXTENSIONS 6 /* how many are walked before giving up */

enum lnk_verdict { LNK_TCP, LNK_OTHER, LNK_FRAGMENT, LNK_UNREADABLE };
#define LNK_AHEAD 4 /* none yet: the TCP header is at the beginning of the span */

/* What the filters say. */
enum lnk_answer { LNK_SHOW, LNK_HIDE, LNK_CANNOT_READ, LNK_OWNERLESS };

/* Bytes that may be read: everything a header needs lies in [at, end). */
struct lnk_span {
	const char *at;
	const char *end;
};

#if PAGES
BPF_ARRAY(lnk_pages, struct lnk_pages, 1);

/* Under every name that it had since 5.4: bio_vec, skb_frag_t. */
struct lnk_fragment {
	u64 page; /* the address of its struct page */
	u32 length;
	u32 offset;
};

#define LNK_INFO_AT(field) __builtin_offsetof(struct skb_shared_info, field)
_Static_assert(sizeof(((struct skb_shared_info *)0)->frags[0]) == sizeof(struct lnk_fragment) &&
		       LNK_INFO_AT(nr_frags) < 8,
	       "struct skb_shared_info: fragments are not what they were");
/* Two words, of which the first holds `end` (an offset on 64-bit kernels), the second is `head`. */
#define LNK_END_AT __builtin_offsetof(struct sk_buff, end)
_Static_assert((LNK_END_AT & ~7) + 8 == __builtin_offsetof(struct sk_buff, head),
	       "struct sk_buff: head does not follow end");

/*
 * Moves s, which is at the end of the linear area, to what follows there: the first fragment.
 * Not 0 where nobody knows where that is: the address must be one of the array of struct page
 * (that of a device's memory, which is none, has bit 0 set).
 */
static __always_inline int lnk_turn_page(const struct lnk_call *call, struct lnk_span *s,
					 u64 words[2])
{
	struct lnk_fragment *f = (struct lnk_fragment *)words;
	const struct lnk_pages *pages;
	const char *at;

	words[0] = 0;
	pages = lnk_pages.lookup((int *)words);
	if (!pages ||
	    bpf_probe_read_kernel(words, 16, (const char *)call->skb + (LNK_END_AT & ~7)))
		return -1;
	at = (const char *)words[1] + (u32)(words[0] >> LNK_END_AT % 8 * 8);
	if (bpf_probe_read_kernel(words, 8, at) || !(u8)(words[0] >> LNK_INFO_AT(nr_frags) * 8) ||
	    bpf_probe_read_kernel(f, sizeof(*f), at + LNK_INFO_AT(frags)))
		return -1;
	f->page -= pages->array;
	if (f->page % LNK_STRUCT_PAGE || f->page / LNK_STRUCT_PAGE >= pages->count)
		return -1;
	s->at = (const char *)(pages->direct + f->page / LNK_STRUCT_PAGE * 4096 + f->offset);
	s->end = s->at + f->length;
	return 0;
}
#else
#define lnk_turn_page(call, s, words) ((void)(words), -1)
#endif

/*
 * What may lie in a page: all headers, where the card has left them; the TCP header, where the
 * IP layer has pulled its own into the linear area; none, where a socket is known. An argument
 * and no member of the call, so that clang sees soon what is left out.
 */
enum lnk_in_page { LNK_NONE_IN_PAGE, LNK_ALL_IN_PAGE, LNK_TCP_IN_PAGE };

static __always_inline int lnk_tcp_in_page(const struct lnk_call *call, struct lnk_span *s,
					   u64 words[2])
{
	return s->at == s->end && call->tcp_at + LNK_TCP_HEADER <= call->wire.length &&
	       !lnk_turn_page(call, s, words) && s->at + LNK_TCP_HEADER <= s->end;
}

static __always_inline void lnk_take_tcp(struct lnk_call *call, u32 ports, u32 seq, u32 ack_seq,
					 u32 word, struct lnk_event *e)
{
	ports = bpf_ntohl(ports);
	e->sport = ports >> 16;
	e->dport = ports & 0xffff;
	e->seq = bpf_ntohl(seq);
	e->ack_seq = bpf_ntohl(ack_seq);
	call->tcp_word = word;
}

static __always_inline enum lnk_verdict lnk_read_tcp(struct lnk_call *call, int in_page,
						     struct lnk_span s, struct lnk_event *e)
{
	union lnk_tcp th;
	int elsewhere = s.at + LNK_TCP_HEADER > s.end;

	call->tcp_at = s.at - call->wire.ip;
	if (elsewhere &&
	    (!PAGES || in_page != LNK_TCP_IN_PAGE || !lnk_tcp_in_page(call, &s, th.q)))
		return LNK_UNREADABLE;
	if (lnk_copy(th.q, 2, s.at))
		return LNK_UNREADABLE;
	if (PAGES && in_page == LNK_TCP_IN_PAGE && elsewhere && call->tcp_at == LNK_IPV4_HEADER) {
		/* where an expression looks for it */
		__builtin_memcpy((u8 *)call->wire.head + LNK_IPV4_HEADER, &th, sizeof(th));
		call->wire.head_len = LNK_IPV4_HEADER + sizeof(th);
	}
	lnk_take_tcp(call, th.w[0], th.w[1], th.w[2], th.w[3], e);
	return LNK_TCP;
}

/*
 * What lies behind the end of the IP packet (padding of a short frame) is not part of it.
 * Where the IP layer has cut that off already, skb->len is the truth and the header is not: a
 * socket's backlog joins segments (tcp_add_backlog()), and leaves the first one's IP header as it
 * was.
 */
static __always_inline void lnk_end_at(struct lnk_call *call, struct lnk_span *s, u32 length)
{
	if (call->trimmed)
		return;
	if (length < call->wire.length)
		call->wire.length = length;
	if (length < call->wire.linear) {
		call->wire.linear = length;
		s->end = s->at + length;
	}
	if (call->wire.linear < call->wire.head_len)
		call->wire.head_len = call->wire.linear;
}

/* `head` holds at least the IPv4 header, and with `whole` the 20 bytes behind it, if they
 * belong to the packet. Returns a verdict, or LNK_AHEAD. */
static __always_inline int lnk_read_ipv4(struct lnk_call *call, struct lnk_span *s,
					 const union lnk_head *head, int whole, struct lnk_event *e)
{
	u32 *saddr = (u32 *)e->saddr, *daddr = (u32 *)e->daddr;
	u32 length = (head->b[0] & 15) * 4;

	/* 0 with more behind it than the field could say is BIG TCP; else it is no packet */
	if (head->h[1] || call->wire.length <= LNK_LENGTH_MAX)
		lnk_end_at(call, s, bpf_ntohs(head->h[1]));

	if (head->b[9] != 6)
		return LNK_OTHER;
	if (head->h[3] & bpf_htons(0x1fff))
		return LNK_FRAGMENT;
	saddr[2] = bpf_htonl(0xffff);
	saddr[3] = head->w[3];
	daddr[2] = bpf_htonl(0xffff);
	daddr[3] = head->w[4];
	call->knows |= LNK_KNOWS_PACKET | LNK_KNOWS_IPV4;
	if (length == LNK_IPV4_HEADER && whole && s->at + sizeof(*head) <= s->end) {
		call->tcp_at = LNK_IPV4_HEADER;
		lnk_take_tcp(call, head->w[5], head->w[6], head->w[7], head->w[8], e);
		return LNK_TCP;
	}
	if (length < LNK_IPV4_HEADER)
		return LNK_UNREADABLE;
	s->at += length;
	return LNK_AHEAD;
}

/* Hop-by-hop, routing, destination options, mobility, HIP and shim6 share one shape:
 * next header, length in 8 bytes beyond the first 8. */
static __always_inline int lnk_is_option_header(u8 next)
{
	return next == 0 || next == 43 || next == 60 || next == 135 || next == 139 || next == 140;
}

static __always_inline int lnk_read_ipv6(struct lnk_call *call, struct lnk_span *s,
					 const union lnk_head *head, struct lnk_event *e)
{
	u8 next = head->b[6], opt[4];
	u32 length = bpf_ntohs(head->h[2]); /* of what follows */
	int i;

	/* 0 with more behind it than the field could say is BIG TCP, with or without a jumbo header;
	 * else nothing follows. */
	if (length || call->wire.length <= LNK_IPV6_HEADER + LNK_LENGTH_MAX)
		lnk_end_at(call, s, LNK_IPV6_HEADER + length);
	__builtin_memcpy(e->saddr, &head->w[2], 16);
	__builtin_memcpy(e->daddr, &head->w[6], 16);
	e->ipv6 = 1;
	call->knows |= LNK_KNOWS_PACKET | LNK_KNOWS_IPV6;
	s->at += LNK_IPV6_HEADER;
	/* the verifier takes bounded loops since 5.3 */
#if LINUX_VERSION_CODE < KERNEL_VERSION(5, 3, 0)
#pragma unroll
#else
#pragma nounroll
#endif
	for (i = 0; i < LNK_IPV6_EXTENSIONS; i++) {
		if (next == 6)
			return LNK_AHEAD;
		if (next != 44 && next != 51 && !lnk_is_option_header(next))
			return LNK_OTHER;
		if (s->at + 8 > s->end || bpf_probe_read_kernel(opt, sizeof(opt), s->at))
			return LNK_UNREADABLE;
		if (next == 44) { /* fragment header: always 8 bytes */
			if ((opt[2] << 8 | opt[3]) & 0xfff8)
				return opt[0] == 6 ? LNK_FRAGMENT : LNK_OTHER;
			s->at += 8;
		} else if (next == 51) { /* authentication: length in 4 bytes, less 2 */
			s->at += (opt[1] + 2) * 4;
		} else {
			s->at += (opt[1] + 1) * 8;
		}
		next = opt[0];
	}
	return next == 6 ? LNK_AHEAD : LNK_UNREADABLE;
}

/* 802.1Q and 802.1ad tags that still stand in the data (the card did not strip them). */
static __always_inline int lnk_is_vlan(u16 protocol)
{
	return protocol == bpf_htons(0x8100) || protocol == bpf_htons(0x88a8);
}

/* Steps over a tag, to the protocol that it names. Not 0 where it cannot be read. */
static __always_inline int lnk_skip_tag(struct lnk_span *s, u16 *protocol)
{
	if (s->at + LNK_VLAN_TAG > s->end ||
	    bpf_probe_read_kernel(protocol, sizeof(*protocol), s->at + 2))
		return -1;
	s->at += LNK_VLAN_TAG;
	return 0;
}

/* ... over up to two that still stand in the data. */
static __always_inline int lnk_skip_vlan(struct lnk_span *s, u16 *protocol)
{
	if (lnk_is_vlan(*protocol) && lnk_skip_tag(s, protocol))
		return -1;
	return lnk_is_vlan(*protocol) ? lnk_skip_tag(s, protocol) : 0;
}

/*
 * What is needed of an skb lies in two places: len and data_len, and the stretch from
 * protocol over network_header and head to data. Where every read is a helper call, each
 * is read in one go, the second in whole words, so that its fields stand aligned.
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

struct lnk_skb {
	u32 len, data_len;
	u16 protocol, network_header, transport_header;
	const char *head, *data;
};

static __always_inline int lnk_fetch_skb(const struct lnk_call *call, struct lnk_skb *f)
{
	struct sk_buff *skb = call->skb;
	u64 stretch[(LNK_SKB_TO - LNK_SKB_FROM) / 8];
	u32 len[2];
	const void *at = stretch, *len_at = len;

	if (DIRECT_READS && call->direct) {
		f->len = skb->len;
		f->data_len = skb->data_len;
		f->protocol = skb->protocol;
		f->network_header = skb->network_header;
		f->transport_header = skb->transport_header;
		f->head = (const char *)skb->head;
		f->data = (const char *)skb->data;
		return 0;
	}
	if (CAST_READS) {
		len_at = LNK_WORDS(&skb->len);
		at = LNK_WORDS((char *)skb + LNK_SKB_FROM);
	} else if (bpf_probe_read_kernel(len, sizeof(len), &skb->len) ||
		   bpf_probe_read_kernel(stretch, sizeof(stretch), (char *)skb + LNK_SKB_FROM)) {
		return -1;
	}
	f->len = LNK_AT(u32, len_at, 0);
	f->data_len = LNK_AT(u32, len_at, 4);
	f->protocol = LNK_AT(u16, at, LNK_SKB_AT(protocol));
	f->network_header = LNK_AT(u16, at, LNK_SKB_AT(network_header));
	f->transport_header = LNK_AT(u16, at, LNK_SKB_AT(transport_header));
	f->head = LNK_AT(char *, at, LNK_SKB_AT(head));
	f->data = LNK_AT(char *, at, LNK_SKB_AT(data));
	return 0;
}

/*
 * Reads the packet into e and call. The linear area is [head, data + len - data_len).
 * call->at_data: the IP header is at skb->data (netif_receive_skb:
 * __netif_receive_skb_core() sets network_header only afterwards), else at head +
 * network_header (set there, for every packet, from ip_rcv_core()/ip6_rcv_core() on).
 */
static __always_inline enum lnk_verdict lnk_read_skb(struct lnk_call *call, int in_page,
						     union lnk_head *head, struct lnk_event *e)
{
	struct lnk_skb f;
	struct lnk_span s;
	u8 version, only = 0; /* the version that the frame announced */
	u16 protocol;
	int whole, verdict;

	if (lnk_fetch_skb(call, &f))
		return LNK_UNREADABLE;
	s.at = f.data;
	s.end = f.data + (f.len - f.data_len);
	if (call->at_data) {
		protocol = f.protocol;
		if (lnk_skip_vlan(&s, &protocol))
			return LNK_UNREADABLE;
		if (protocol == bpf_htons(0x0800))
			only = 4;
		else if (protocol == bpf_htons(0x86dd))
			only = 6;
		else
			return LNK_OTHER;
	} else {
		/* Not a received packet: tcp_send_rcvq() (TCP_REPAIR) queues bytes of the
		 * user's choice, with no headers, through tcp_queue_rcv(). */
		if (!f.network_header || f.transport_header == 0xffff)
			return LNK_OTHER;
		s.at = f.head + f.network_header;
		call->trimmed = f.data > s.at; /* by ip_rcv_core(), ip6_rcv_core() */
	}
	call->bytes = f.len + (u32)(f.data - s.at);
	whole = s.at + sizeof(*head) <= s.end;
	if (PAGES && in_page == LNK_ALL_IN_PAGE && !whole && s.at == s.end &&
	    !lnk_turn_page(call, &s, head->q))
		whole = s.at + sizeof(*head) <= s.end;
	call->wire.ip = s.at;
	call->wire.length = call->bytes;
	call->wire.linear = s.at < s.end ? s.end - s.at : 0;
	call->wire.head = head->b;
	if (whole) {
		if (lnk_copy(head->q, 5, s.at))
			return LNK_UNREADABLE;
	} else if (s.at + LNK_IPV4_HEADER > s.end ||
		   bpf_probe_read_kernel(head, LNK_IPV4_HEADER, s.at)) {
		return LNK_UNREADABLE;
	}
	call->wire.head_len = whole ? sizeof(*head) : LNK_IPV4_HEADER;
	version = head->b[0] >> 4;
	if (only && version != only) /* ip_rcv() and ipv6_rcv() drop it */
		return whole ? LNK_OTHER : LNK_UNREADABLE;
	if (version == 4)
		verdict = lnk_read_ipv4(call, &s, head, whole, e);
	else if (version == 6 && whole)
		verdict = lnk_read_ipv6(call, &s, head, e);
	else /* too short for TCP, or not in the linear area */
		verdict = LNK_UNREADABLE;
	return verdict == LNK_AHEAD ? lnk_read_tcp(call, in_page, s, e) : verdict;
}
