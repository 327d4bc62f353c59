/* SPDX-License-Identifier: MIT */
/* The rate limit: one budget for the whole host, in whole seconds of CLOCK_MONOTONIC. */

/* Without a filter every packet counts against the limit, so once a second is full the
 * rest of it need not be looked at: those calls are limited, whatever they carry. */
#define LNK_LIMIT_FIRST (RATE_LIMIT && !STATS_ONLY && !FILTERED)

#if LNK_LIMIT_FIRST
/* The last second that is known to be full. */
struct lnk_full {
	u64 end_ns;
	u64 jiffies; /* as long as the ticks have not come to this, it has not ended */
};
BPF_ARRAY(lnk_rate_full, struct lnk_full, 1);

/* Since 5.6; the helper is one load from memory, where a clock takes 70 ns. When the CPU that
 * counts the ticks is late (a virtual machine that was not run), so is the next second's first
 * row. */
static __always_inline u64 lnk_jiffies(void)
{
#if LINUX_VERSION_CODE >= KERNEL_VERSION(5, 6, 0)
	return bpf_jiffies64();
#else
	return ~0ULL;
#endif
}

/* Of a tick that is not yet over nobody knows how much has passed, so they are rounded down; and
 * whatever comes between the ticks and the clock makes it fewer. */
static __always_inline void lnk_rate_is_full(u64 end_ns)
{
	u64 ticks, now_ns;
	int zero = 0;
	struct lnk_full *full = lnk_rate_full.lookup(&zero);

	if (!full || full->end_ns == end_ns)
		return;
	full->end_ns = end_ns;
	ticks = lnk_jiffies();
	now_ns = bpf_ktime_get_ns();
	full->jiffies = now_ns < end_ns ? ticks + (end_ns - now_ns) / (1000000000 / KERNEL_HZ) : 0;
}

/* Reads the clock where the ticks do not tell. */
static __always_inline int lnk_second_is_full(u64 *now_ns)
{
	int zero = 0;
	struct lnk_full *full = lnk_rate_full.lookup(&zero);

	if (full && lnk_jiffies() < full->jiffies)
		return 1;
	*now_ns = bpf_ktime_get_ns();
	/* in (end - 1 s, end]: a division would cost more than the rest */
	return full && full->end_ns - *now_ns - 1 < 1000000000;
}
#endif

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
	if (*(volatile u64 *)n <= RATE_LIMIT)
		return 0;
#if LNK_LIMIT_FIRST
	lnk_rate_is_full((second + 1) * 1000000000);
#endif
	return 1;
}
#endif
