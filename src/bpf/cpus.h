/* SPDX-License-Identifier: MIT */
#ifndef LNK_CPUS_H
#define LNK_CPUS_H

#include <stdbool.h>

/* How many CPUs this kernel could ever have: the length of a per-CPU map value. -errno
 * when sysfs does not tell. It never changes, so it is read once. */
int cpus_possible(void);

/* True when a CPU may come or go while we run: one that is not online now, or one that can
 * be taken offline. */
bool cpus_may_change(void);

/* Parses a list such as "0-3,8,10-11". Returns the highest number plus one and, for each
 * CPU in the list, calls use() with it (NULL: none); -EINVAL for anything else. */
int cpus_parse(const char *list, void (*use)(void *arg, int cpu), void *arg);

/* Calls use() for each CPU that is online. Returns 0 or -errno. The list's file stays
 * open after the first call, so that later ones need not be allowed to open it. */
int cpus_online(void (*use)(void *arg, int cpu), void *arg);

#endif
