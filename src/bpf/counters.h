/* SPDX-License-Identifier: MIT */
/* Reads the counters that the probes keep in the kernel, summed over the CPUs. */
#ifndef LNK_COUNTERS_H
#define LNK_COUNTERS_H

#include <stdint.h>

#include "probes/event.h"

/* Fills out[0 .. n-1], one for each hook. Returns 0 or -errno. */
int counters_read(int map_fd, struct lnk_counters *out, int n);

/* The same of one hook. */
int counters_of(int map_fd, int hook, struct lnk_counters *out);

/* The same by CPU, summed over the hooks, and only what was lost: out[0 .. cpus_possible()-1]. */
int counters_lost(int map_fd, uint64_t *out, int n);

#endif
