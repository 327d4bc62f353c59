/* SPDX-License-Identifier: MIT */
#include "unit.h"

#include <string.h>

#include "event/account.h"

/* Every field another number, times k. */
static struct tally tally(uint64_t k)
{
	return (struct tally){
		.kernel = { .seen = 10000 * k,
			    .filtered = 1000 * k,
			    .limited = 100 * k,
			    .lost = 10 * k,
			    .other = 3 * k,
			    .fragment = 5 * k,
			    .unreadable = 7 * k,
			    .bytes = 11 * k },
		.received = 8890 * k,
		.malformed = 13 * k,
		.printed = 17 * k,
		.missed = 19 * k,
	};
}

static void check_tally(const struct tally *t, uint64_t k)
{
	struct tally want = tally(k);

	CHECK_MEM(&t->kernel, &want.kernel, sizeof(want.kernel));
	CHECK_INT(t->received, want.received);
	CHECK_INT(t->malformed, want.malformed);
	CHECK_INT(t->printed, want.printed);
	CHECK_INT(t->missed, want.missed);
}

TEST(opens_with_zeroes)
{
	struct account a;
	struct tally sum, none = { 0 };

	memset(&a, 0xff, sizeof(a));
	CHECK_INT(account_open(&a, 3), 0);
	CHECK_INT(a.n, 3);
	CHECK(!a.stats_only);
	sum = account_total(&a);
	CHECK_MEM(&sum.kernel, &none.kernel, sizeof(none.kernel));
	CHECK_INT(sum.received + sum.malformed + sum.printed + sum.missed, 0);
	CHECK(!sum.missed_unknown);
	CHECK_INT(account_open_items(&a), 0);
	CHECK_INT(account_events(&a), 0);
	CHECK_INT(account_errors(&a), 0);
	account_close(&a);
	CHECK_INT(a.n, 0);
	sum = account_total(&a);
	CHECK_INT(sum.received, 0);
	account_close(&a);
}

TEST(no_hooks_at_all)
{
	struct account a;

	CHECK_INT(account_open(&a, 0), 0);
	CHECK_INT(account_events(&a), 0);
	account_close(&a);
}

TEST(adding)
{
	struct tally sum = tally(2), more = tally(40);

	account_add(&sum, &more);
	check_tally(&sum, 42);
	CHECK(!sum.missed_unknown);
	more = (struct tally){ .missed_unknown = true };
	account_add(&sum, &more);
	check_tally(&sum, 42);
	CHECK(sum.missed_unknown);
	more.missed_unknown = false;
	account_add(&sum, &more);
	CHECK(sum.missed_unknown); /* part of the sum stays unknown */
}

TEST(the_sum_of_all_hooks)
{
	struct account a;
	struct tally sum;

	account_open(&a, 4);
	for (uint64_t i = 0; i < 4; i++)
		a.v[i] = tally(i + 1);
	a.v[3].missed_unknown = true;
	sum = account_total(&a);
	check_tally(&sum, 10);
	CHECK(sum.missed_unknown);
	account_close(&a);
}

TEST(the_books_balance)
{
	struct account a;

	account_open(&a, 2);
	a.v[0] = tally(1); /* 10000 = 1000 + 100 + 10 + 8890 */
	a.v[1] = tally(3);
	CHECK_INT(account_open_items(&a), 0);
	CHECK_INT(account_events(&a), 4 * 8890);
	CHECK_INT(account_errors(&a), 4 * (10 + 13));
	a.v[0].received -= 5; /* still in the rings */
	CHECK_INT(account_open_items(&a), 5);
	a.v[0].received += 7;
	CHECK_INT(account_open_items(&a), -2);
	a.v[0] = tally(1);
	a.v[1].kernel.filtered++;
	CHECK_INT(account_open_items(&a), -1);
	a.v[1].kernel.limited--;
	CHECK_INT(account_open_items(&a), 0);
	a.v[1].kernel.lost--;
	CHECK_INT(account_open_items(&a), 1);
	/* neither these nor what is malformed are terms of the equation */
	a.v[1].kernel.other++;
	a.v[1].kernel.fragment++;
	a.v[1].kernel.unreadable++;
	a.v[1].malformed++;
	a.v[1].missed++;
	a.v[1].printed++;
	CHECK_INT(account_open_items(&a), 1);
	account_close(&a);
}

/* A malformed sample of no known hook was received, and is an error. */
TEST(strays)
{
	struct account a;
	struct tally sum;

	account_open(&a, 1);
	a.v[0] = tally(1);
	a.v[0].received -= 4;
	a.stray = 4;
	CHECK_INT(account_open_items(&a), 0);
	CHECK_INT(account_events(&a), 8890);
	CHECK_INT(account_errors(&a), 10 + 13 + 4);
	sum = account_total(&a);
	CHECK_INT(sum.received, 8890);
	CHECK_INT(sum.malformed, 17);
	account_close(&a);
}

/* Nothing is sent: what passed the filter was counted. */
/* They have come, but nobody asked for them. */
TEST(rows_of_others)
{
	struct account a;

	account_open(&a, 2);
	a.v[0].kernel.seen = a.v[0].received = 9;
	a.v[0].others = 4;
	a.v[1].kernel.seen = a.v[1].received = 3;
	a.v[1].others = 1;
	CHECK_INT(account_events(&a), 7);
	CHECK_INT(account_open_items(&a), 0);
	account_close(&a);
}

TEST(stats_only)
{
	struct account a;

	account_open(&a, 2);
	a.stats_only = true;
	a.v[0].kernel.seen = 100;
	a.v[0].kernel.filtered = 30;
	a.v[1].kernel.seen = 7;
	CHECK_INT(account_events(&a), 77);
	CHECK_INT(account_errors(&a), 0);
	CHECK_INT(account_open_items(&a), 0);
	account_close(&a);
}

TEST(large_numbers)
{
	struct account a;

	account_open(&a, 2);
	a.v[0].kernel.seen = 1ULL << 62;
	a.v[0].received = 1ULL << 62;
	a.v[1].kernel.seen = (1ULL << 62) + 3;
	a.v[1].received = 1ULL << 62;
	CHECK_INT(account_open_items(&a), 3);
	CHECK(account_events(&a) == 1ULL << 63);
	account_close(&a);
}

TEST(programs_of_before)
{
	struct account a, b;
	struct tally t, sum = { 0 };

	CHECK_INT(account_open(&a, 1), 0);
	t = tally(1);
	CHECK_INT(account_leave(&a, "tcp_ack", &t), 0);
	t = tally(2); /* as of now: takes the place of what was said before */
	CHECK_INT(account_leave(&a, "tcp_ack", &t), 0);
	CHECK_INT(a.retired_n, 1);
	CHECK_INT(account_open_items(&a), account_open_of(&t));
	account_settle(&a);
	t = tally(3);
	CHECK_INT(account_leave(&a, "tcp_ack", &t), 0);
	account_settle(&a);
	account_settle(&a);
	CHECK(account_add_retired(&a, "tcp_ack", &sum));
	check_tally(&sum, 5);
	CHECK(!account_add_retired(&a, "other", &sum));
	check_tally(&sum, 5);
	CHECK_INT(account_open(&b, 2), 0);
	account_inherit(&b, &a);
	CHECK_INT(a.retired_n, 0);
	sum = account_total(&a);
	CHECK_INT(sum.received, 0);
	b.v[1] = tally(10);
	sum = account_total(&b);
	check_tally(&sum, 15);
	account_close(&a);
	account_close(&b);
}
