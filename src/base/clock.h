/* SPDX-License-Identifier: MIT */
/*
 * Time. The probes stamp events with CLOCK_MONOTONIC; people want the wall clock. The
 * distance of the two is taken again whenever events are read, so that a clock that is
 * set while the program runs is followed.
 */
#ifndef LNK_CLOCK_H
#define LNK_CLOCK_H

#include <stdbool.h>
#include <stdint.h>
#include <time.h>

#define NSEC_PER_SEC 1000000000ULL
#define NSEC_PER_MSEC 1000000ULL

uint64_t clock_monotonic_ns(void);
uint64_t clock_boottime_ns(void);

/* CLOCK_REALTIME - CLOCK_MONOTONIC in nanoseconds, to about a microsecond. */
int64_t clock_wall_offset_ns(void);

/* "YYYY-MM-DD HH:MM:SS.uuuuuu" of a wall-clock time in the local time zone, or in UTC,
 * written at p without a NUL; "-" where there is no such date. Returns the end. Keeps the date
 * part for the second in *s, which starts as { 0 } or { .utc = true }, and the zone's offset as
 * "+08:00" beside it. */
#define CLOCK_STAMP_LEN 26
struct clock_stamp {
	bool utc;
	uint64_t second_ns; /* when the second began */
	char text[32];
	char zone[8];
};
char *clock_stamp(struct clock_stamp *s, uint64_t wall_ns, char *p);

#endif
