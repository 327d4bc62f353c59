/* SPDX-License-Identifier: MIT */
#include "unit.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"

#define S(n) ((n)*NSEC_PER_SEC)

static void zone(const char *tz)
{
	setenv("TZ", tz, 1);
	tzset();
}

static const char *text_of(struct clock_stamp *s, uint64_t wall_ns)
{
	static char text[CLOCK_STAMP_LEN + 1];

	*clock_stamp(s, wall_ns, text) = '\0';
	return text;
}

static const char *stamp(uint64_t wall_ns)
{
	struct clock_stamp s = { 0 };

	return text_of(&s, wall_ns);
}

TEST(stamps)
{
	zone("UTC0");
	CHECK_STR(stamp(0), "1970-01-01 00:00:00.000000");
	CHECK_STR(stamp(S(1763812028) + 876543219), "2025-11-22 11:47:08.876543");
	CHECK_STR(stamp(S(1) - 1), "1970-01-01 00:00:00.999999"); /* cut, not rounded */
	CHECK_STR(stamp(999), "1970-01-01 00:00:00.000000");
	CHECK_STR(stamp(1000), "1970-01-01 00:00:00.000001");
	CHECK_STR(stamp(S(951782400)), "2000-02-29 00:00:00.000000");
	CHECK_STR(stamp(S(4102444799) + 999999999), "2099-12-31 23:59:59.999999");
	CHECK_INT(strlen(stamp(UINT64_MAX)), 26);
}

TEST(time_zones)
{
	zone("CST-8");
	CHECK_STR(stamp(S(1763812028)), "2025-11-22 19:47:08.000000");
	zone("XXX3:30");
	CHECK_STR(stamp(S(1763812028)), "2025-11-22 08:17:08.000000");
	/* the hour that summer time leaves out, and the one that comes twice */
	zone("CET-1CEST,M3.5.0,M10.5.0/3");
	CHECK_STR(stamp(S(1743296399)), "2025-03-30 01:59:59.000000");
	CHECK_STR(stamp(S(1743296400)), "2025-03-30 03:00:00.000000");
	CHECK_STR(stamp(S(1761440399)), "2025-10-26 02:59:59.000000");
	CHECK_STR(stamp(S(1761440400)), "2025-10-26 02:00:00.000000");
}

/* The date is kept for a second, and for no longer. */
TEST(stamps_in_a_row)
{
	struct clock_stamp s = { 0 };

	zone("UTC0");
	CHECK_STR(text_of(&s, S(59) + 999999000), "1970-01-01 00:00:59.999999");
	CHECK_STR(text_of(&s, S(60)), "1970-01-01 00:01:00.000000");
	CHECK_STR(text_of(&s, S(60) + 5000), "1970-01-01 00:01:00.000005");
	CHECK_STR(text_of(&s, S(60) + 400), "1970-01-01 00:01:00.000000");
	CHECK_STR(text_of(&s, S(86400) - 1), "1970-01-01 23:59:59.999999");
	CHECK_STR(text_of(&s, S(86400)), "1970-01-02 00:00:00.000000");
	CHECK_STR(text_of(&s, S(60)), "1970-01-01 00:01:00.000000"); /* and back */
	s = (struct clock_stamp){ 0 };
	CHECK_STR(text_of(&s, 5000), "1970-01-01 00:00:00.000005");
	CHECK_STR(text_of(&s, 6000), "1970-01-01 00:00:00.000006");
}

static int64_t wall(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_REALTIME, &ts);
	return (int64_t)ts.tv_sec * (int64_t)NSEC_PER_SEC + ts.tv_nsec;
}

/* Of several tries the best: the machine may be busy. */
TEST(the_distance_of_the_clocks)
{
	int64_t best = INT64_MAX, off, before, after;

	for (int i = 0; i < 200; i++) {
		off = clock_wall_offset_ns();
		before = wall();
		off += (int64_t)clock_monotonic_ns();
		after = wall();
		off = off < before ? before - off : off > after ? off - after : 0;
		best = off < best ? off : best;
	}
	if (!CHECK(best <= 20000))
		CHECK_INT(best, 0);
}

TEST(monotonic_time)
{
	uint64_t a = clock_monotonic_ns(), b;
	struct timespec ts;

	nanosleep(&(struct timespec){ .tv_nsec = 5000000 }, NULL);
	b = clock_monotonic_ns();
	CHECK(b - a >= 5 * NSEC_PER_MSEC);
	CHECK(b - a < 20 * NSEC_PER_SEC);
	clock_gettime(CLOCK_MONOTONIC, &ts);
	CHECK((uint64_t)ts.tv_sec - b / NSEC_PER_SEC <= 1);
}
