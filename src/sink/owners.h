/* SPDX-License-Identifier: MIT */
/*
 * Which process has a socket, by the inode number of the socket's file, without waiting for
 * it. The kernel keeps no process with a socket, only its file; who has that open is found
 * as ss(8) does, in the descriptors of all processes. The confined monitor could not look
 * there: a process of its own does, and is asked over a socket. Until its answer is there,
 * a socket has no owner.
 *
 * An answer is of the moment when it was looked, so it is asked for again while the socket
 * has rows, and not believed when it is too old.
 *
 * With a filter it matters whether one of certain processes has the socket. Those are looked
 * at first, which is short, and the others only where none of them has it.
 */
#ifndef LNK_OWNERS_H
#define LNK_OWNERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "probes/event.h"

#define OWNER_COMM 16 /* TASK_COMM_LEN */
/* Sockets that are remembered, and questions that are open at a time. */
#define OWNERS_SOCKETS 4096
#define OWNERS_OPEN 128
/* How old an answer may become: that there is somebody, or nobody (yet). */
#define OWNERS_FRESH_NS 1000000000ULL
#define OWNERS_RETRY_NS 200000000ULL
/* ... and when it is no longer believed although the next has not come. */
#define OWNERS_STALE_NS 2000000000ULL
/* Processes and names that a filter may have. */
#define OWNERS_PIDS 64
#define OWNERS_COMMS 64

struct owners;

/* Bit of a question: only others had the socket when this was asked before. */
#define OWNERS_WAS_OTHERS (1ULL << 63)
/* The question which of the filter's processes have ended; a struct owners_status answers. */
#define OWNERS_WHO_ENDED 0ULL

/* What the process sends. Of several that have the socket, and are in the filter, it is the
 * one with the lowest number. */
struct owner {
	__u64 inode;
	__u32 pid;    /* 0: nobody */
	__u32 others; /* with a filter: only processes that are not in it have the socket */
	char comm[OWNER_COMM];
};

/* Processes that are meant: one of these numbers, and one of these names; none: any. */
struct owners_filter {
	__u32 pid[OWNERS_PIDS];
	__u32 pids;
	__u32 comms;
	char comm[OWNERS_COMMS][OWNER_COMM];
};

/* From here on that filter holds. A process that was in the one before, too, is still meant,
 * and not another that has its number now; others had begun at at_ns. */
struct owners_order {
	__u32 number; /* of the order */
	__u32 unused;
	__u64 at_ns; /* CLOCK_MONOTONIC */
	struct owners_filter filter;
};

/* As long as a struct owner: what was answered after it is by this order. */
struct owners_status {
	__u64 zero; /* no inode */
	__u32 order;
	__u32 unused;
	/* bit i: pid[i] */
	__u64 ended;
	__u64 unseen; /* it cannot be looked at: it has ended, or is hidden */
};

/* Starts the process. Returns 0 or -errno. */
int owners_open(struct owners **out);
/* Without a process, over a SOCK_SEQPACKET socket (taken over): for tests. */
int owners_make(struct owners **out, int fd);
/* What was known is forgotten, but for sockets of those that are still meant. The processes that
 * are meant had begun at at_ns (CLOCK_MONOTONIC), and one of the filter before stays the same. No
 * processes and no names: no filter. */
void owners_set_filter(struct owners *o, const struct owners_filter *filter, uint64_t at_ns);
void owners_close(struct owners *o);

/* Takes in the answers that are there. To be called often. */
void owners_refresh(struct owners *o, uint64_t now_ns);

/* NULL: nobody, or not known yet. Asks the first time, and again when that was long ago. */
const struct owner *owners_find(struct owners *o, uint64_t inode);

enum owners_verdict {
	OWNERS_OPEN_YET, /* there is no answer yet */
	OWNERS_NOBODY,   /* none that can be seen has it, or there is none to ask */
	OWNERS_HIS,      /* one of the filter's, or without one anybody */
	OWNERS_OTHERS,   /* others, and none of the filter's */
};

/* Asks as owners_find() does. */
enum owners_verdict owners_judge(struct owners *o, uint64_t inode);

/*
 * Whoever was seen to use the socket: asked where nobody has it, or that is not known yet.
 * Returns whether there was one: its number, in the namespace of the process that answers, its
 * name, and when it began (CLOCK_MONOTONIC). NULL: nobody sees it.
 */
struct owners_witness {
	bool (*saw)(void *arg, uint64_t inode, struct lnk_owner *owner);
	void *arg;
};

void owners_set_witness(struct owners *o, const struct owners_witness *w);

/* For who can reject the rows of a socket that is OWNERS_OTHERS before they come here: until when,
 * once for each answer; 0: it need not, or not any more. */
uint64_t owners_reject_until(struct owners *o, uint64_t inode);

/* A process of the filter that has ended since this was last asked; 0: none. Another that gets
 * its number is not meant. *hidden: it may also be that it cannot be looked at. */
uint32_t owners_ended(struct owners *o, bool *hidden);

/* Whether there is a process that answers. */
bool owners_are_told(const struct owners *o);

#endif
