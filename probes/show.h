/* SPDX-License-Identifier: MIT */
/*
 * What every probe calls. A probe function has nothing to do but fetch the skb or the
 * sock from its arguments and say
 *
 *	return show_skb(ctx, skb);		the skb's network header is set
 *	return show_skb_at_data(ctx, skb);	only skb->data can be trusted
 *	return show_skb_of(ctx, skb, sk);	... and the TCP socket is known
 *	return show_sock(ctx, sk);		there is no skb, only the socket
 *
 * The name in the table is that of the probe function itself.
 */

/* Since 6.2 the kernel does not run a program inside itself on one CPU, whatever its
 * kind; a hook's counters are written by one program only, so nothing comes between the
 * load and the store. Before, an interrupt may run the same probe there. */
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 2, 0)
#define ADD(c, what, n) ((c)->what += (n))
#else
#define ADD(c, what, n) __sync_fetch_and_add(&(c)->what, n)
#endif
#define COUNT(c, what) ADD(c, what, 1)

BPF_PERCPU_ARRAY(lnk_counters, struct lnk_counters, LNK_MAX_HOOKS);
BPF_PERF_OUTPUT(lnk_events);

/* The head of a struct lnk_record, as long as this run needs it. */
struct lnk_sample {
	struct lnk_event event;
	u64 extra[EXTRA];
};

#if RING_SLOTS
#define LNK_RINGS (LNK_HOOKS * RING_CPUS)

struct lnk_slot {
	u64 ready;
	struct lnk_sample sample;
};
BPF_F_TABLE("array", u32, struct lnk_slot, lnk_shared, LNK_RINGS * (1 + RING_SLOTS), BPF_F_MMAPABLE);

/* Two stores in this order: what the host runs on keeps them so. */
#define lnk_barrier() __asm__ __volatile__("" ::: "memory")

/* Nobody else writes to this ring: it is this hook's on this CPU, and no program runs inside
 * itself (see ADD). An event's number in its ring is what the counters say was sent before. */
static __always_inline int lnk_submit(void *ctx, const struct lnk_counters *c,
				      const struct lnk_sample *s)
{
	u64 n = c->seen - 1 - c->filtered - c->limited - c->lost;
	u32 cpu = bpf_get_smp_processor_id();
	u32 ring = s->event.hook * RING_CPUS + cpu;
	u32 at = LNK_RINGS + ring * RING_SLOTS + (n & (RING_SLOTS - 1));
	struct lnk_position *position = (struct lnk_position *)lnk_shared.lookup(&ring);
	struct lnk_slot *slot = lnk_shared.lookup(&at);
	u64 wake_at;

	if (!position || !slot || cpu >= RING_CPUS ||
	    n - *(volatile u64 *)&position->tail >= RING_SLOTS)
		return -1;
	slot->sample = *s;
	lnk_barrier();
	slot->ready = n + 1;
	lnk_barrier();
	wake_at = *(volatile u64 *)&position->wake_at;
	if (n >= wake_at && position->woken != wake_at + 1) {
		position->woken = wake_at + 1;
		lnk_events.perf_submit(ctx, &n, sizeof(n));
	}
	return 0;
}
#else
static __always_inline int lnk_submit(void *ctx, const struct lnk_counters *c, struct lnk_sample *s)
{
	return lnk_events.perf_submit(ctx, s, LNK_RECORD_SIZE(EXTRA));
}
#endif

/* Is this what the user asked for? The cheapest tests come first. */
static __always_inline enum lnk_answer lnk_filter(const struct lnk_call *call,
						  const struct lnk_event *e)
{
#if FILTER_IP
	const u32 *s = (const u32 *)e->saddr, *d = (const u32 *)e->daddr;

	/* an IPv4 address is in no IPv6 header, although it may be written there */
	if (!FILTER_IP_WORD0 && !FILTER_IP_WORD1 && FILTER_IP_WORD2 == bpf_htonl(0xffff) &&
	    call->knows & LNK_KNOWS_IPV6)
		return LNK_HIDE;
	if ((s[3] != FILTER_IP_WORD3 || s[2] != FILTER_IP_WORD2 || s[1] != FILTER_IP_WORD1 ||
	     s[0] != FILTER_IP_WORD0) &&
	    (d[3] != FILTER_IP_WORD3 || d[2] != FILTER_IP_WORD2 || d[1] != FILTER_IP_WORD1 ||
	     d[0] != FILTER_IP_WORD0))
		return LNK_HIDE;
#endif
#if FILTER_PORT
	if (e->sport != FILTER_PORT && e->dport != FILTER_PORT)
		return LNK_HIDE;
#endif
#if FILTER_QUESTION
	return lnk_question(call, e);
#else
	return LNK_SHOW;
#endif
}

/* Filter, limit, send. now_ns: 0 when no clock was read yet. */
static __always_inline int lnk_send(void *ctx, struct lnk_counters *c, const struct lnk_call *call,
				    struct lnk_sample *s, u64 now_ns)
{
	enum lnk_answer answer = lnk_filter(call, &s->event);

	if (answer == LNK_CANNOT_READ) {
		COUNT(c, unreadable);
		return 0;
	}
	COUNT(c, seen);
	if (answer == LNK_HIDE || answer == LNK_OWNERLESS) {
		COUNT(c, filtered);
		if (answer == LNK_OWNERLESS)
			COUNT(c, ownerless);
		return 0;
	}
#if STATS_ONLY
	if (call->bytes) /* clang makes an addition of 0 an atomic OR, which is of Linux 5.12 */
		ADD(c, bytes, call->bytes);
#else
	s->event.time_ns = LNK_LIMIT_FIRST ? now_ns : bpf_ktime_get_ns();
#if RATE_LIMIT
	if (lnk_over_rate(s->event.time_ns)) {
		COUNT(c, limited);
		return 0;
	}
#endif
#if DEBUG_FUNC
	s->extra[0] = call->regs_ip;
#endif
#if EXTRA > DEBUG_FUNC
	lnk_collect(call, &s->event, s->extra);
#endif
	if (lnk_submit(ctx, c, s))
		COUNT(c, lost);
#endif
	return 0;
}

/* What every call begins with. NULL: there is no more to do. */
static __always_inline struct lnk_counters *lnk_begin(int hook, struct lnk_sample *s, u64 *now_ns)
{
	struct lnk_counters *c = lnk_counters.lookup(&hook);

	if (!c)
		return 0;
#if LNK_LIMIT_FIRST
	if (lnk_second_is_full(now_ns)) {
		COUNT(c, seen);
		COUNT(c, limited);
		return 0;
	}
#endif
	__builtin_memset(s, 0, sizeof(*s));
	s->event.hook = hook;
	return c;
}

/* ... and ends with. */
static __always_inline int lnk_end(void *ctx, struct lnk_counters *c, const struct lnk_call *call,
				   struct lnk_sample *s, u64 now_ns, enum lnk_verdict verdict)
{
	switch (verdict) {
	case LNK_TCP:
		return lnk_send(ctx, c, call, s, now_ns);
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

static __always_inline int lnk_show_skb(void *ctx, int hook, struct lnk_call call, int in_page)
{
	union lnk_head head; /* call.wire points to it */
	struct lnk_counters *c;
	struct lnk_sample s;
	u64 now_ns = 0;

	c = lnk_begin(hook, &s, &now_ns);
	if (!c)
		return 0;
	return lnk_end(ctx, c, &call, &s, now_ns, lnk_read_skb(&call, in_page, &head, &s.event));
}

static __always_inline int lnk_show_sock(void *ctx, int hook, struct lnk_call call)
{
	struct lnk_counters *c;
	struct lnk_sample s;
	u64 now_ns = 0;

	c = lnk_begin(hook, &s, &now_ns);
	if (!c)
		return 0;
	return lnk_end(ctx, c, &call, &s, now_ns, lnk_read_sock(&call, &s.event));
}

/* What the context is tells what kind of program this is. */
#define LNK_IS_KPROBE(ctx) __builtin_types_compatible_p(__typeof__(ctx), struct pt_regs *)

/* The instruction pointer, where the context is a kprobe's registers. */
static __always_inline u64 lnk_regs_ip(struct pt_regs *regs)
{
	return PT_REGS_IP(regs);
}

#if DEBUG_FUNC
#define LNK_IP(ctx)                                                                                \
	__builtin_choose_expr(LNK_IS_KPROBE(ctx), lnk_regs_ip((struct pt_regs *)(ctx)), 0)
#else
#define LNK_IP(ctx) 0
#endif

/* fentry programs, and raw tracepoints that the host loads as typed ones. */
#define LNK_DIRECT(ctx)                                                                            \
	(DIRECT_READS && !LNK_IS_KPROBE(ctx) &&                                                    \
	 !__builtin_types_compatible_p(__typeof__(ctx), void *))

/* libbcc turns every read through a pointer that came with a probe's arguments into a
 * helper call; what a function returns it leaves alone. */
static __always_inline struct sk_buff *lnk_own_skb(struct sk_buff *skb)
{
	return skb;
}

static __always_inline struct sock *lnk_own_sock(struct sock *sk)
{
	return sk;
}

/* lnk_hook_id() is written by the host: it knows the probe functions by name. The
 * comparison is folded at compile time. */
#define LNK_CALL(ctx, ...)                                                                         \
	ctx, lnk_hook_id(__func__),                                                                \
		(struct lnk_call){ .direct = LNK_DIRECT(ctx), .regs_ip = LNK_IP(ctx), __VA_ARGS__ }

#define show_skb(ctx, packet)                                                                      \
	lnk_show_skb(LNK_CALL(ctx, .skb = lnk_own_skb(packet), .knows = LNK_KNOWS_SKB | LNK_KNOWS_DEVICE), LNK_TCP_IN_PAGE)
#define show_skb_at_data(ctx, packet)                                                              \
	lnk_show_skb(LNK_CALL(ctx, .skb = lnk_own_skb(packet), .knows = LNK_KNOWS_SKB | LNK_KNOWS_DEVICE, .at_data = 1), LNK_ALL_IN_PAGE)
#define show_skb_of(ctx, packet, socket)                                                           \
	lnk_show_skb(LNK_CALL(ctx, .skb = lnk_own_skb(packet), .sk = lnk_own_sock(socket), .knows = LNK_KNOWS_SKB | LNK_KNOWS_SOCK), LNK_NONE_IN_PAGE)
#define show_sock(ctx, socket) lnk_show_sock(LNK_CALL(ctx, .sk = lnk_own_sock(socket)))
