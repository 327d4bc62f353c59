/* SPDX-License-Identifier: MIT */
/* The child of program_build(), and what it says to its parent. */
#ifndef LNK_LOADER_H
#define LNK_LOADER_H

#include <stdint.h>

#include "bpf/program.h"

enum reply_kind {
	REPLY_WORK,     /* text: a directory to remove when the child has ended */
	REPLY_STRAY,    /* text: a probe function that the host has no number for */
	REPLY_NOTE,     /* text: for -v */
	REPLY_FAILED,   /* text: one attempt's reason; the next may succeed */
	REPLY_COUNTERS, /* fd */
	REPLY_EVENTS,   /* fd */
	REPLY_SHARED,   /* fd */
	REPLY_OWNERS,   /* fd */
	REPLY_HOOK,     /* index; fd, or error and what was logged */
	REPLY_DONE,     /* error: 0, or nothing worked */
};

/* One message of the SOCK_SEQPACKET pair; a descriptor may go with it. */
struct reply {
	uint32_t kind;
	int32_t index;
	int32_t error; /* errno */
	uint32_t unused;
	uint64_t log_from; /* the bytes of the log file that belong to it */
	uint64_t log_to;
	char text[4096];
};

/*
 * The child's whole life; never returns. `sock` is its end of the socket pair, `log` the
 * file that its stdout and stderr go to. `key` is the cache's (NULL: keep nothing).
 */
_Noreturn void loader_run(const struct program_request *req, const struct hooks *hs, int sock,
			  int log, const char *key);

#endif
