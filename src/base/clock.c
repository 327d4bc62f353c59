/* SPDX-License-Identifier: MIT */
#include "base/clock.h"

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

static bool new_second(struct clock_stamp *s)
{
	struct tm tm;
	char sign;
	long minutes;

	if (!(s->utc ? gmtime_r(&s->second, &tm) : localtime_r(&s->second, &tm)) ||
	    strftime(s->text, sizeof(s->text), "%Y-%m-%d %H:%M:%S.", &tm) != 20) {
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

const char *clock_stamp(struct clock_stamp *s, uint64_t wall_ns)
{
	time_t second = (time_t)(wall_ns / NSEC_PER_SEC);
	uint32_t us = (uint32_t)(wall_ns % NSEC_PER_SEC / 1000);
	int i;

	if (second != s->second || !s->text[0]) {
		s->second = second;
		if (!new_second(s))
			return "-";
	}
	for (i = 25; i >= 20; i--, us /= 10)
		s->text[i] = (char)('0' + us % 10);
	s->text[26] = '\0';
	return s->text;
}
