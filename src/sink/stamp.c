/* SPDX-License-Identifier: MIT */
#include "sink/stamp.h"

#include <string.h>

#include "sink/digits.h"

static const struct {
	const char *heading;
	size_t width;
} look[TIME_KIND_NR] = {
	[TIME_KIND_WALL] = { "TIMESTAMP", 26 }, [TIME_KIND_MONO] = { "MONOTONIC(s)", 16 },
	[TIME_KIND_START] = { "START(s)", 13 }, [TIME_KIND_DELTA] = { "DELTA(s)", 11 },
	[TIME_KIND_ISO] = { "TIMESTAMP", 32 },  [TIME_KIND_EPOCH] = { "EPOCH(s)", 17 },
};

const char *stamp_heading(enum time_kind kind)
{
	return look[kind].heading;
}

size_t stamp_width(enum time_kind kind)
{
	return look[kind].width;
}

static char *put_string(const char *s, char *p)
{
	size_t n = strlen(s);

	memcpy(p, s, n);
	return p + n;
}

static char *put_seconds(int64_t ns, char *p)
{
	return put_fixed(ns / 1000, 6, p);
}

/* The wall clock's text, with the letter and the zone of ISO 8601. */
static char *put_iso(struct clock_stamp *s, uint64_t wall_ns, char *p)
{
	char *start = p;

	p = clock_stamp(s, wall_ns, p);
	if (p - start < CLOCK_STAMP_LEN)
		return p;
	start[10] = 'T';
	return put_string(s->zone, p);
}

char *stamp_put(struct stamp *s, uint64_t time_ns, int64_t wall_offset_ns, const int64_t *gap_ns,
		char *p)
{
	uint64_t wall_ns = time_ns + (uint64_t)wall_offset_ns;

	switch (s->kind) {
	case TIME_KIND_MONO:
		return put_seconds((int64_t)time_ns, p);
	case TIME_KIND_START:
		return put_seconds((int64_t)(time_ns - s->start_ns), p);
	case TIME_KIND_DELTA:
		return gap_ns ? put_seconds(*gap_ns, p) : put_string("-", p);
	case TIME_KIND_EPOCH:
		return put_seconds((int64_t)wall_ns, p);
	case TIME_KIND_ISO:
		return put_iso(&s->clock, wall_ns, p);
	default:
		return clock_stamp(&s->clock, wall_ns, p);
	}
}
