/* SPDX-License-Identifier: MIT */
/*
 * Puts the events of several rings into the order in which they happened. Each CPU has
 * a ring of its own, and a packet's way may lead over several CPUs.
 */
#ifndef LNK_MERGE_H
#define LNK_MERGE_H

#include <stdbool.h>
#include <stdint.h>

#include "probes/event.h"

struct merge;

/* `extra`: how many extra numbers each record carries; no more of it is kept. */
int merge_open(struct merge **out, int rings, int extra);
void merge_close(struct merge *m);

/* Adds an event in two steps, so that it is copied once. Where the ring's next event is to be
 * written, or NULL when memory ran out; nothing is added by that alone. */
struct lnk_record *merge_room(struct merge *m, int ring);
/* It was written: adds it. What merge_room() returned is not to be used any more. */
void merge_put(struct merge *m, int ring);

/* True when no event waits to be handed over. */
bool merge_is_empty(const struct merge *m);

/* The time stamp of the oldest event that waits; UINT64_MAX: none waits. */
uint64_t merge_oldest_ns(const struct merge *m);

/* Hands over, oldest first, every event that is older than horizon_ns (CLOCK_MONOTONIC;
 * UINT64_MAX: all). An event may still be on its way into its ring for a moment after it
 * was stamped, so the horizon should lie a little before the last drain. */
void merge_take(struct merge *m, uint64_t horizon_ns,
		void (*use)(void *arg, const struct lnk_record *e), void *arg);

#endif
