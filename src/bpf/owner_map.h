/* SPDX-License-Identifier: MIT */
/* The map lnk_owners (probes/event.h): who was seen to use a socket, and whose are others'. */
#ifndef LNK_OWNER_MAP_H
#define LNK_OWNER_MAP_H

#include <stdbool.h>
#include <stdint.h>

#include "probes/event.h"

/* Whether the probe has seen a process use the socket, and which; not where its numbers are
 * others than ours: in a PID namespace. */
bool owner_map_find(int map_fd, uint64_t inode, struct lnk_owner *found);

/* The probes reject the socket until then (CLOCK_MONOTONIC). */
void owner_map_reject(int map_fd, uint64_t inode, uint64_t until_ns);

/* Remembers in which PID namespace we are: before that cannot be asked any more. */
void owner_map_prepare(void);

#endif
