/* SPDX-License-Identifier: MIT */
/* The buffers that carry events from the probes to us: how large, opened, kept up. */
#ifndef LNK_BUFFERS_H
#define LNK_BUFFERS_H

#include "app/session.h"
#include "conf/config.h"

/* Pages of each CPU's perf ring. */
unsigned int buffers_pages(const struct config *conf);

/* With --buffer=shared the events that each of its rings holds; else 0. */
unsigned int buffers_slots(const struct config *conf);

/* Opens the rings, and what the program shares with us. Errors are printed. Returns 0 or -errno. */
int buffers_open(struct session *s);

/* Maps what the program shares with us, where it does. Errors are printed. Returns 0 or
 * -errno. */
int buffers_open_shared(struct session *s);

/* Rings for CPUs that came online. Returns what rings_refresh() does. */
int buffers_refresh(struct session *s);

/* Hands over what they hold, one ring full of each at most; shared rings are numbered from
 * `first_shared` on. Returns how many events there were. */
size_t buffers_drain(struct session *s, int first_shared, rings_sample_fn sample, void *arg);

#endif
