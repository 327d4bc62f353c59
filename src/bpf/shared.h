/* SPDX-License-Identifier: MIT */
/*
 * --buffer=shared: events pass through memory that probes and host share (the map lnk_shared;
 * probes/event.h tells how it is laid out), a ring for each hook on each CPU. The probes call
 * no helper to send one; the perf rings carry only the word that there is something to read.
 */
#ifndef LNK_SHARED_H
#define LNK_SHARED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bpf/rings.h"

struct shared;

/* What of an event's cost it saves leans on this: a program is never run inside itself on one
 * CPU, whatever its kind (Linux 6.2: bpf_prog_run() of raw tracepoints has looked at
 * prog->active since), and stores are seen in the order in which they are made (x86). Returns
 * NULL, or what is missing, in words. */
const char *shared_refusal(void);

/* How many events fit into each ring when a perf ring would have so many pages, a power of
 * two: together the rings of a CPU's busiest four hooks take what a perf ring takes. */
unsigned int shared_slots(unsigned int pages);

/* Maps the rings of `hooks` hooks on `cpus` possible CPUs; each event carries `extra` numbers.
 * The map stays the caller's. Returns 0 or -errno: -EINVAL when the map is smaller than that. */
int shared_open(struct shared **out, int map_fd, int hooks, int cpus, unsigned int slots,
		int extra);
void shared_close(struct shared *sh);

/* With `prompt` each ring's next event wakes a poll() of its CPU's perf ring; without only
 * when a quarter of a ring is full. A probe that looked just before this was said may miss it:
 * look again after SHARED_LATE_MS. */
void shared_set_prompt(struct shared *sh, bool prompt);
#define SHARED_LATE_MS 40

/* How many rings; they are numbered from 0. */
int shared_count(const struct shared *sh);

/* Hands over what ring i holds, one ring full at most; `first` is added to i for `sample`.
 * Returns how many samples there were. */
size_t shared_drain(struct shared *sh, int i, int first, rings_sample_fn sample, void *arg);

/* True when no ring holds anything. Looks at shared memory only. */
bool shared_is_empty(const struct shared *sh);

#endif
