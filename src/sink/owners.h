/* SPDX-License-Identifier: MIT */
/*
 * Which process has a socket, by the inode number of the socket's file, without waiting for
 * it. The kernel keeps no process with a socket, only its file; who has that open is found
 * as ss(8) does, in the descriptors of all processes. The confined monitor could not look
 * there: a process of its own does, and is asked over a socket. Until its answer is there,
 * a socket has no owner.
 *
 * An answer is of the moment when it was looked, so it is asked for again while the socket
 * has rows.
 */
#ifndef LNK_OWNERS_H
#define LNK_OWNERS_H

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

struct owners;

/* What the process sends. Of several that have the socket it is the one with the lowest
 * number. */
struct owner {
	__u64 inode;
	__u32 pid; /* 0: nobody */
	char comm[OWNER_COMM];
};

/* Starts the process. Returns 0 or -errno. */
int owners_open(struct owners **out);
/* Without a process, over a SOCK_SEQPACKET socket (taken over): for tests. */
int owners_make(struct owners **out, int fd);
void owners_close(struct owners *o);

/* Takes in the answers that are there. To be called often. */
void owners_refresh(struct owners *o, uint64_t now_ns);

/* NULL: nobody, or not known yet. Asks the first time, and again when that was long ago. */
const struct owner *owners_find(struct owners *o, uint64_t inode);

#endif
