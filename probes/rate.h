/* SPDX-License-Identifier: MIT */
/* The rate limit: one budget for the whole host, in whole seconds of CLOCK_MONOTONIC. */
#if RATE_LIMIT
/* The windows of the rate limit: the second, and how many events wanted to be in it. */
BPF_HASH(lnk_rate, u64, u64, 64);
/* The two newest windows; [0] is the newest. */
BPF_ARRAY(lnk_rate_newest, u64, 2);
/* When the last second that is known to be full ends. */
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

static __always_inline void lnk_rate_is_full(u64 end_ns)
{
	int zero = 0;
	u64 *full = lnk_rate_full.lookup(&zero);

	if (full && *full != end_ns)
		*full = end_ns;
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
	lnk_rate_is_full((second + 1) * 1000000000);
	return 1;
}
#endif

/* Without a filter every packet counts against the limit, so once a second is full the
 * rest of it need not be looked at: those calls are limited, whatever they carry. */
#if RATE_LIMIT && !STATS_ONLY && !FILTERED
#define LNK_LIMIT_FIRST 1
static __always_inline int lnk_second_is_full(u64 now_ns)
{
	int zero = 0;
	u64 *full = lnk_rate_full.lookup(&zero);

	/* in (end - 1 s, end]: a division would cost more than the rest */
	return full && *full - now_ns - 1 < 1000000000;
}
#else
#define LNK_LIMIT_FIRST 0
#endif

