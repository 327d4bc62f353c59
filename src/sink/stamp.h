/* SPDX-License-Identifier: MIT */
/* The time of a row, as -t asks for it. */
#ifndef LNK_STAMP_H
#define LNK_STAMP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/clock.h"

enum time_kind {
	TIME_KIND_WALL,  /* 2026-11-22 12:27:08.876123 */
	TIME_KIND_MONO,  /* CLOCK_MONOTONIC in seconds */
	TIME_KIND_START, /* seconds since the start */
	TIME_KIND_DELTA, /* seconds since the row before; "-" in the first */
	TIME_KIND_ISO,   /* 2026-11-22T12:27:08.876123+08:00 */
	TIME_KIND_EPOCH, /* seconds since 1970 */
	TIME_KIND_NR
};

struct stamp {
	enum time_kind kind;
	uint64_t start_ns; /* CLOCK_MONOTONIC of the start */
	struct clock_stamp clock;
};

/* The column's heading and width. */
const char *stamp_heading(enum time_kind kind);
size_t stamp_width(enum time_kind kind);

/* Writes at most 40 bytes at p and returns their end. `gap_ns` is the time since the row
 * before; NULL where there is none. */
char *stamp_put(struct stamp *s, uint64_t time_ns, int64_t wall_offset_ns, const int64_t *gap_ns,
		char *p);

#endif
