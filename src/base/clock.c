/* SPDX-License-Identifier: MIT */
#include "base/clock.h"

#include <string.h>

static uint64_t now(clockid_t id)
{
	struct timespec ts;

	clock_gettime(id, &ts);
	return (uint64_t)ts.tv_sec * NSEC_PER_SEC + (uint64_t)ts.tv_nsec;
}

uint64_t clock_monotonic_ns(void)
{
	return now(CLOCK_MONOTONIC);
}

uint64_t clock_boottime_ns(void)
{
	return now(CLOCK_BOOTTIME);
}

int64_t clock_wall_offset_ns(void)
{
	uint64_t before, after, wall;
	int64_t offset = 0;
	uint64_t best = UINT64_MAX;
	int i;

	/* of three tries the one that was interrupted least */
	for (i = 0; i < 3; i++) {
		before = now(CLOCK_MONOTONIC);
		wall = now(CLOCK_REALTIME);
		after = now(CLOCK_MONOTONIC);
		if (after - before < best) {
			best = after - before;
			offset = (int64_t)(wall - (before + best / 2));
		}
	}
	return offset;
}

#define DATE_LEN 20 /* with the point behind it */

static bool new_second(struct clock_stamp *s)
{
	time_t second = (time_t)(s->second_ns / NSEC_PER_SEC);
	struct tm tm;
	char sign;
	long minutes;

	if (!(s->utc ? gmtime_r(&second, &tm) : localtime_r(&second, &tm)) ||
	    strftime(s->text, sizeof(s->text), "%Y-%m-%d %H:%M:%S.", &tm) != DATE_LEN) {
		s->text[0] = '\0';
		return false;
	}
	sign = tm.tm_gmtoff < 0 ? '-' : '+';
	minutes = (tm.tm_gmtoff < 0 ? -tm.tm_gmtoff : tm.tm_gmtoff) / 60;
	s->zone[0] = sign;
	s->zone[1] = (char)('0' + minutes / 600 % 10);
	s->zone[2] = (char)('0' + minutes / 60 % 10);
	s->zone[3] = ':';
	s->zone[4] = (char)('0' + minutes % 60 / 10);
	s->zone[5] = (char)('0' + minutes % 10);
	s->zone[6] = '\0';
	return true;
}

static void put_pair(uint32_t v, char *p)
{
	p[0] = (char)('0' + v / 10);
	p[1] = (char)('0' + v % 10);
}

char *clock_stamp(struct clock_stamp *s, uint64_t wall_ns, char *p)
{
	uint32_t us;

	if (wall_ns - s->second_ns >= NSEC_PER_SEC || !s->text[0]) {
		s->second_ns = wall_ns - wall_ns % NSEC_PER_SEC;
		if (!new_second(s)) {
			*p = '-';
			return p + 1;
		}
	}
	memcpy(p, s->text, DATE_LEN);
	us = (uint32_t)(wall_ns - s->second_ns) / 1000;
	put_pair(us / 10000, p + DATE_LEN);
	put_pair(us / 100 % 100, p + DATE_LEN + 2);
	put_pair(us % 100, p + DATE_LEN + 4);
	return p + CLOCK_STAMP_LEN;
}
