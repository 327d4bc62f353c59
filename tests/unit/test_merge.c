/* SPDX-License-Identifier: MIT */
#include "unit.h"

#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "event/merge.h"

static void put(struct merge *m, int ring, const struct lnk_record *e)
{
	struct lnk_record *room = merge_room(m, ring);

	CHECK(room != NULL);
	if (!room)
		return;
	*room = *e;
	merge_put(m, ring);
}

static void add(struct merge *m, int ring, uint64_t time_ns, uint32_t mark)
{
	struct lnk_record e = { .event = { .time_ns = time_ns, .seq = mark } };

	put(m, ring, &e);
}

static void note(void *arg, const struct lnk_record *e)
{
	text_printf(arg, " %llu/%u", (unsigned long long)e->event.time_ns, e->event.seq);
}

/* " TIME/MARK TIME/MARK": what comes out below the horizon. */
static const char *take(struct merge *m, uint64_t horizon)
{
	static struct text out;

	text_reset(&out);
	merge_take(m, horizon, note, &out);
	return text_str(&out);
}

TEST(nothing)
{
	struct merge *m;

	CHECK_INT(merge_open(&m, 0, LNK_MAX_EXTRA), 0);
	CHECK_STR(take(m, UINT64_MAX), "");
	merge_close(m);
	CHECK_INT(merge_open(&m, 3, LNK_MAX_EXTRA), 0);
	CHECK_STR(take(m, UINT64_MAX), "");
	merge_close(m);
	merge_close(NULL);
}

TEST(rings_in_turn)
{
	struct merge *m;

	merge_open(&m, 3, LNK_MAX_EXTRA);
	add(m, 2, 30, 1);
	add(m, 0, 10, 2);
	add(m, 1, 20, 3);
	add(m, 0, 40, 4);
	add(m, 2, 50, 5);
	CHECK_STR(take(m, UINT64_MAX), " 10/2 20/3 30/1 40/4 50/5");
	CHECK_STR(take(m, UINT64_MAX), "");
	merge_close(m);
}

TEST(empty_or_not)
{
	struct merge *m;

	merge_open(&m, 3, LNK_MAX_EXTRA);
	CHECK(merge_is_empty(m));
	add(m, 2, 20, 1);
	CHECK(!merge_is_empty(m));
	add(m, 0, 10, 2);
	take(m, 15);
	CHECK(!merge_is_empty(m));
	take(m, 21);
	CHECK(merge_is_empty(m));
	merge_close(m);
}

TEST(the_horizon)
{
	struct merge *m;

	merge_open(&m, 2, LNK_MAX_EXTRA);
	for (uint32_t i = 0; i < 6; i++)
		add(m, (int)(i % 2), 10 * (i + 1), i);
	CHECK_STR(take(m, 0), "");
	CHECK_STR(take(m, 10), ""); /* older than it, not as old */
	CHECK_STR(take(m, 11), " 10/0");
	CHECK_STR(take(m, 11), "");
	CHECK_STR(take(m, 40), " 20/1 30/2");
	add(m, 0, 45, 9);
	CHECK_STR(take(m, 60), " 40/3 45/9 50/4");
	CHECK_STR(take(m, UINT64_MAX), " 60/5");
	merge_close(m);
}

/* UINT64_MAX means all of them. */
TEST(the_last_moment_of_all)
{
	struct merge *m;

	merge_open(&m, 1, LNK_MAX_EXTRA);
	add(m, 0, UINT64_MAX, 1);
	add(m, 0, UINT64_MAX - 1, 2);
	CHECK_STR(take(m, UINT64_MAX - 1), "");
	CHECK_STR(take(m, UINT64_MAX), " 18446744073709551614/2 18446744073709551615/1");
	merge_close(m);
}

/* Equal stamps keep the order in which they came, of several rings the lower first. */
TEST(equal_stamps)
{
	struct merge *m;

	merge_open(&m, 3, LNK_MAX_EXTRA);
	add(m, 2, 7, 20);
	add(m, 0, 7, 0);
	add(m, 1, 7, 10);
	add(m, 0, 7, 1);
	add(m, 2, 7, 21);
	add(m, 0, 6, 2);
	CHECK_STR(take(m, 7), " 6/2");
	CHECK_STR(take(m, 8), " 7/0 7/1 7/10 7/20 7/21");
	merge_close(m);
}

TEST(out_of_order_within_a_ring)
{
	struct merge *m;

	merge_open(&m, 1, LNK_MAX_EXTRA);
	add(m, 0, 50, 0);
	add(m, 0, 30, 1);
	add(m, 0, 40, 2);
	add(m, 0, 10, 3);
	add(m, 0, 60, 4);
	add(m, 0, 20, 5);
	CHECK_STR(take(m, 35), " 10/3 20/5 30/1");
	add(m, 0, 5, 6); /* too late for its place: at once */
	CHECK_STR(take(m, 41), " 5/6 40/2");
	CHECK_STR(take(m, UINT64_MAX), " 50/0 60/4");
	merge_close(m);
}

/* All of the event, not only its time. */
TEST(events_come_out_as_they_went_in)
{
	struct lnk_record in[3];
	struct merge *m;
	struct text got = { 0 };

	for (size_t i = 0; i < 3; i++) {
		memset(&in[i], (int)(0x11 * (i + 1)), sizeof(in[i]));
		in[i].event.time_ns = 3 - i;
	}
	merge_open(&m, 1, LNK_MAX_EXTRA);
	for (size_t i = 0; i < 3; i++)
		put(m, 0, &in[i]);
	merge_take(m, UINT64_MAX, note, &got);
	CHECK_STR(text_str(&got), " 1/858993459 2/572662306 3/286331153");
	text_free(&got);
	merge_close(m);
}

struct copy {
	struct lnk_record v[4];
	size_t n;
};

static void keep(void *arg, const struct lnk_record *e)
{
	struct copy *c = arg;

	if (c->n < 4)
		c->v[c->n] = *e;
	c->n++;
}

TEST(every_byte)
{
	struct lnk_record in;
	struct copy c = { 0 };
	struct merge *m;

	memset(&in, 0xc3, sizeof(in));
	merge_open(&m, 2, LNK_MAX_EXTRA);
	put(m, 1, &in);
	merge_take(m, UINT64_MAX, keep, &c);
	CHECK_INT(c.n, 1);
	CHECK_MEM(&c.v[0], &in, sizeof(in));
	merge_close(m);
}

/* Of one instant, in one ring: what came first is first, also behind what was stamped later. */
TEST(a_late_one_of_the_same_instant)
{
	struct merge *m;

	merge_open(&m, 1, LNK_MAX_EXTRA);
	add(m, 0, 10, 1);
	add(m, 0, 20, 2);
	add(m, 0, 30, 3);
	add(m, 0, 10, 4);
	add(m, 0, 20, 5);
	CHECK_STR(take(m, UINT64_MAX), " 10/1 10/4 20/2 20/5 30/3");
	merge_close(m);
}

/* A sample that turns out to be malformed has had its room. */
TEST(room_that_is_not_used)
{
	struct merge *m;
	uint64_t i;

	merge_open(&m, 2, LNK_MAX_EXTRA);
	memset(merge_room(m, 0), 0x11, sizeof(struct lnk_record));
	CHECK(merge_is_empty(m));
	CHECK_STR(take(m, UINT64_MAX), "");
	for (i = 0; i < 1024; i++) { /* to where a queue grows */
		add(m, 0, 2 * i + 1, 0);
		memset(merge_room(m, 0), 0x11, sizeof(struct lnk_record));
	}
	CHECK_STR(take(m, 4), " 1/0 3/0");
	add(m, 0, 2, 7);
	CHECK_STR(take(m, 6), " 2/7 5/0");
	merge_close(m);
}

/* --- many events against a plain sort ---------------------------------------------- */

#define RINGS 7
#define EVENTS 60000

struct check {
	uint64_t last;
	size_t n;
	bool *seen;
	bool sorted;
	bool twice;
};

static void check_one(void *arg, const struct lnk_record *e)
{
	struct check *c = arg;

	c->sorted &= e->event.time_ns >= c->last;
	c->last = e->event.time_ns;
	c->twice |= c->seen[e->event.seq];
	c->seen[e->event.seq] = true;
	c->n++;
}

static uint32_t rnd(uint32_t *state)
{
	*state = *state * 1664525 + 1013904223;
	return *state >> 8;
}

/* Rings that fill and empty as they do in use: time goes on, a few events are late by
 * less than the distance of the horizon, and now and then a ring stands still. */
TEST(many_events_stay_in_order)
{
	struct check c = { .seen = calloc(EVENTS, sizeof(bool)), .sorted = true };
	uint32_t state = 42;
	uint64_t now = 1000;
	struct merge *m;

	merge_open(&m, RINGS, LNK_MAX_EXTRA);
	for (uint32_t i = 0; i < EVENTS; i++) {
		now += rnd(&state) % 3;
		add(m, (int)(rnd(&state) % (i / 10000 + 1)), now - rnd(&state) % 100, i);
		if (rnd(&state) % (i < EVENTS / 2 ? 5000 : 50) == 0)
			merge_take(m, now - 100, check_one, &c);
	}
	CHECK(c.n > EVENTS / 2 && c.n < EVENTS);
	merge_take(m, UINT64_MAX, check_one, &c);
	CHECK_INT(c.n, EVENTS);
	CHECK(c.sorted);
	CHECK(!c.twice);
	merge_close(m);
	free(c.seen);
}

/* What nobody took is freed: the leak sanitizer looks. */
TEST(closing_with_events_left)
{
	struct copy c = { 0 };
	struct merge *m;

	merge_open(&m, 4, LNK_MAX_EXTRA);
	for (uint64_t i = 1; i <= 5000; i++) {
		add(m, 1, i, 0);
		if (i % 700 == 0)
			merge_take(m, i - 100, keep, &c);
	}
	CHECK_INT(c.n, 4799);
	merge_close(m);
}

TEST(the_oldest_that_waits)
{
	struct merge *m;

	merge_open(&m, 3, LNK_MAX_EXTRA);
	CHECK(merge_oldest_ns(m) == UINT64_MAX);
	add(m, 2, 30, 1);
	add(m, 0, 40, 2);
	CHECK_INT(merge_oldest_ns(m), 30);
	take(m, 31);
	CHECK_INT(merge_oldest_ns(m), 40);
	add(m, 1, 35, 3);
	CHECK_INT(merge_oldest_ns(m), 35);
	take(m, UINT64_MAX);
	CHECK(merge_oldest_ns(m) == UINT64_MAX);
	merge_close(m);
}
