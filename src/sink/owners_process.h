/* SPDX-License-Identifier: MIT */
/* The process that looks for sockets in the descriptors of others. */
#ifndef LNK_OWNERS_PROCESS_H
#define LNK_OWNERS_PROCESS_H

#include <linux/capability.h>
#include <stddef.h>

#include "base/privileges.h"
#include "sink/inode_set.h"
#include "sink/owners.h"

/* What it needs to see the descriptors of other users' processes. */
#define OWNERS_CAPABILITIES (PRIVILEGE(CAP_SYS_PTRACE) | PRIVILEGE(CAP_DAC_READ_SEARCH))

/*
 * Starts it. It reads inode numbers (8 bytes each) from pair[1] and answers each with a struct
 * owner, and takes a struct owners_order, whose filter's processes are those that have the
 * numbers then, and had begun at the time that it names. It ends when pair[0] is closed;
 * pair[0] is made non-blocking. Of capabilities it has those above, no other descriptor, and
 * with both of them another user. Returns 0 or -errno.
 */
int owners_process(const int pair[2]);

/* --- inside it, and for tests ------------------------------------------------------ */

/* Whom the filter means. */
struct owners_meant {
	struct owners_filter filter;
	const char *proc;
	int dir[OWNERS_PIDS]; /* /proc/PID of filter.pid, or one of enum owners_no_dir */
	/* who had one of its names when all were last looked at; not with numbers */
	uint32_t named[OWNERS_PIDS];
	int nnamed;
	/* what those that were last looked at had open, by their place in `people` */
	struct inode_set sockets;
	struct owner *people;
	size_t npeople, people_room;
};

enum owners_no_dir {
	OWNERS_UNSEEN = -1, /* it cannot be looked at: it has ended, or is hidden */
	OWNERS_ANOTHER = -2 /* its number is that of a process that began later */
};

/* Everybody at first. */
void owners_begin(struct owners_meant *m, const char *proc);
/* Opens the directories of its processes, which had begun at at_ns (CLOCK_BOOTTIME), but for
 * those that were meant before, too. */
void owners_mean(struct owners_meant *m, const struct owners_filter *filter, uint64_t at_ns);
/* Bit i: filter.pid[i] has ended; cannot be looked at. */
uint64_t owners_that_ended(const struct owners_meant *m);
uint64_t owners_unseen(const struct owners_meant *m);
void owners_forget(struct owners_meant *m);

/* One look through all processes: sets pid, comm and others of each of v, whose inode is set. */
void owners_scan(const struct owners_meant *m, struct owner *v, size_t n);

/* The same through those that had one of the filter's names before, so that what is not found
 * says nothing; and through all that the filter means, so that others stays 0. */
void owners_scan_named(struct owners_meant *m, struct owner *v, size_t n);
void owners_scan_meant(struct owners_meant *m, struct owner *v, size_t n);
/* By what the last of these two has seen, without a look. */
void owners_known(const struct owners_meant *m, struct owner *v, size_t n);

#endif
