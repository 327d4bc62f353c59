/* SPDX-License-Identifier: MIT */
/* The process that looks for sockets in the descriptors of others. */
#ifndef LNK_OWNERS_PROCESS_H
#define LNK_OWNERS_PROCESS_H

#include <linux/capability.h>
#include <stddef.h>

#include "base/privileges.h"
#include "sink/owners.h"

/* What it needs to see the descriptors of other users' processes. */
#define OWNERS_CAPABILITIES (PRIVILEGE(CAP_SYS_PTRACE) | PRIVILEGE(CAP_DAC_READ_SEARCH))

/*
 * Starts it. It reads inode numbers (8 bytes each) from pair[1], answers each with a struct
 * owner, and ends when pair[0] is closed; pair[0] is made non-blocking. Of capabilities it
 * has those above, no other descriptor, and with both of them another user. Returns 0 or
 * -errno.
 */
int owners_process(const int pair[2]);

/* One look through all processes that are seen in `proc`: sets pid and comm of each of v,
 * whose inode is set. Inside it, and for tests. */
void owners_scan(const char *proc, struct owner *v, size_t n);

#endif
