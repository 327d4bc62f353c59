/* SPDX-License-Identifier: MIT */
/*
 * What a running monitor gives up: capabilities, the way to new ones, and the system
 * calls that it has no use for. See docs/security.md for what stays and why.
 */
#ifndef LNK_PRIVILEGES_H
#define LNK_PRIVILEGES_H

#include <stdbool.h>
#include <stdint.h>

#define PRIVILEGE(cap) (1ULL << (cap))

/* Not in older headers: since Linux 5.8. */
#define PRIVILEGE_NR_PERFMON 38
#define PRIVILEGE_NR_BPF 39

/*
 * Bars every way to new privileges: empties the bounding (where it may) and ambient sets
 * and sets no_new_privs. What the process has, it keeps. Returns 0 or -errno.
 */
int privileges_bar(void);

/* Whether all of these are permitted. */
bool privileges_have(uint64_t caps);

/*
 * Gives up every capability but those of `keep` (bits 1 << CAP_X) that the process has.
 * They stay permitted, and effective where they are in `effective` too. Returns 0 or
 * -errno.
 */
int privileges_drop(uint64_t keep, uint64_t effective);

/* Makes all that is permitted effective. Returns what was before, for privileges_set(). */
uint64_t privileges_raise(void);
/* Makes just these effective, as far as they are permitted. */
void privileges_set(uint64_t effective);

/*
 * From here on only the system calls of a running monitor succeed, others fail with
 * EPERM. After privileges_bar(). `messages`: also the two that speak over a socket which is
 * open. Returns 0; -ENOSYS where the kernel or this build has no such filter; else -errno.
 */
int privileges_filter(bool messages);

/* The same for a process that answers questions out of files: it opens them for reading, and
 * can do nothing else to them, to a process or a network. */
int privileges_filter_reader(void);

#endif
