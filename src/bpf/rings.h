/* SPDX-License-Identifier: MIT */
/*
 * The perf rings that carry events from the probes to the host: one for each online CPU,
 * entered into the map lnk_events.
 */
#ifndef LNK_RINGS_H
#define LNK_RINGS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct rings;

/*
 * Opens the rings: `pages` data pages each (a power of two), waking a poll() after
 * `wakeup_events` events. Without a map (-1) they stay empty until rings_enter(). Returns
 * 0 or -errno.
 */
int rings_open(struct rings **out, int events_map_fd, unsigned int pages,
	       unsigned int wakeup_events);
void rings_close(struct rings *r);

/* Enters rings that were opened before into the map of a new program. Needs no right but
 * the descriptors. Returns 0 or -errno. */
int rings_enter(struct rings *r, int events_map_fd);

/* True when this process, as it is now, has the right to open rings. */
bool rings_may_open(const struct rings *r);

/*
 * To be called about once a second, after a drain: opens rings for CPUs that came online.
 * `lost`: what the probes counted as lost so far, by CPU. Needs the rights that
 * rings_open() needs. Returns 1 when a ring is new or has another descriptor, 0 when
 * nothing changed, -errno when a ring could not be opened; the others stay.
 */
int rings_refresh(struct rings *r, const uint64_t *lost);

/*
 * With `prompt` each event wakes a poll() of its ring, which costs whoever makes the event;
 * without (as at first) only every `wakeup_events`th does. Events that a probe was about to
 * send may still follow the old way. Returns 0 or -errno, and then it is without.
 */
int rings_set_prompt(struct rings *r, bool prompt);

int rings_count(const struct rings *r);
int rings_capacity(const struct rings *r);  /* what rings_count() may grow to */
int rings_fd(const struct rings *r, int i); /* to poll for POLLIN; -1: none */

/* One sample; `data` is aligned to 4 bytes and may be padded: size >= what was sent. */
typedef void (*rings_sample_fn)(void *arg, int ring, const void *data, size_t size);

/*
 * Hands over what ring i held when this was called, and no more: a ring that fills as
 * fast as it is read does not keep the caller here. Returns how many samples there were.
 */
size_t rings_drain(struct rings *r, int i, rings_sample_fn sample, void *arg);

/* True when no ring holds anything. Looks at shared memory only. */
bool rings_are_empty(const struct rings *r);

/* Events that the kernel says it dropped because a ring was full, so far. It says so only
 * with the next event that fits, so this may lag behind the probes' own count. */
uint64_t rings_lost(const struct rings *r);

#endif
