/* SPDX-License-Identifier: MIT */
/*
 * What the monitor and its broker say to each other: messages of a SOCK_SEQPACKET pair,
 * each with the descriptors that belong to it. Both ends are the same program, yet neither
 * takes the other's word: lengths, numbers and texts are looked at before they are used.
 */
#ifndef LNK_WIRE_H
#define LNK_WIRE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bpf/hooks.h"
#include "bpf/source.h"
#include "conf/changes.h"

/* --- what the monitor asks --------------------------------------------------------- */

/* A hook that is attached already. */
struct wire_live {
	uint32_t kind;
	uint32_t typed; /* struct hook */
	char target[HOOK_TARGET_MAX];
	char symbol[HOOK_TARGET_MAX];
};

enum wire_request_kind {
	WIRE_BUILD,  /* make a program */
	WIRE_SETTLE, /* tell when no call of a program that was replaced runs any more */
	WIRE_OPEN,   /* a file that rows are to be written to as well */
	WIRE_REQUESTS
};

#define WIRE_PATH_MAX 4096

struct wire_request {
	uint32_t kind;
	uint32_t id;     /* comes back with every reply */
	uint64_t digest; /* of the source that runs; 0: build even if it is the same */
	uint32_t live_n;
	uint32_t unused;
	/* What is another than on the command line: only options that may be given anew while
	 * the program runs. All else, directories above all, stays. */
	struct changes changes;
	struct pids pids;         /* --pid of the program that runs */
	char path[WIRE_PATH_MAX]; /* of WIRE_OPEN */
	struct wire_live live[LNK_MAX_HOOKS];
};

/* Bytes of a request with so many hooks. */
size_t wire_request_size(uint32_t live_n);
bool wire_request_ok(const struct wire_request *r, size_t len);

/* --- what the broker answers ------------------------------------------------------- */

enum wire_reply_kind {
	WIRE_TEXT,    /* what was logged, in pieces */
	WIRE_SAID,    /* which hook serves each stage, in pieces */
	WIRE_PART,    /* a part of the source */
	WIRE_MAPS,    /* descriptors: counters, events, shared, owners (events again where there is
		       * none) */
	WIRE_HOOK,    /* the next hook; descriptors: see below */
	WIRE_STAGE,   /* the next stage */
	WIRE_DONE,    /* the end of the answer to WIRE_BUILD */
	WIRE_SETTLED, /* the answer to WIRE_SETTLE */
	WIRE_SOURCE,  /* the source as it was compiled, in pieces */
	WIRE_FILE,    /* the answer to WIRE_OPEN; descriptor: the file, where there is no error */
	WIRE_REPLIES
};

/* How a hook is attached, and the descriptors that come with it. */
enum wire_place {
	WIRE_NOWHERE, /* it serves no stage: none */
	WIRE_LIVE,    /* it was attached before: program */
	WIRE_NEW,     /* program, stub, slot, link */
	WIRE_PLACES
};

#define WIRE_TEXT_MAX 3072
#define WIRE_LABEL_MAX 1024
#define WIRE_MAX_FDS 4

struct wire_reply {
	uint32_t kind;
	uint32_t id;
	union {
		char text[WIRE_TEXT_MAX];
		struct {
			uint64_t digest;
			char name[256];
			char label[WIRE_LABEL_MAX];
		} part;
		struct {
			uint64_t address;
			uint32_t kind;
			uint32_t place;
			uint32_t typed, told, witness; /* struct hook */
			char target[HOOK_TARGET_MAX];
			char symbol[HOOK_TARGET_MAX];
		} hook;
		struct {
			uint32_t served;
		} stage;
		struct {
			int32_t error; /* errno; 0: the program is complete; EALREADY: the same */
			uint32_t hooks, stages;
			uint32_t extra;      /* numbers behind each event */
			uint32_t netns;      /* struct ask */
			uint32_t dirs;       /* that probes are read from and that are there */
			uint64_t compile_ns; /* 0: it was compiled before */
			uint64_t load_ns;
			uint64_t attach_ns;
		} done;
		struct {
			int32_t error; /* errno */
			char why[256]; /* "": what errno says */
		} file;
	};
};

/* Bytes of a reply of this kind; of texts, the most. */
size_t wire_reply_size(uint32_t kind);
/* How many descriptors belong to it. */
int wire_reply_fds(const struct wire_reply *r);
/* True when it can be used as it is: then every text in it ends with a zero byte. */
bool wire_reply_ok(struct wire_reply *r, size_t len, int nfds);

/* --- both ways --------------------------------------------------------------------- */

/* Sends one message. Returns 0 or -errno. */
int wire_send(int sock, const void *msg, size_t len, const int *fds, int nfds, int flags);

/* Receives one message of at most `size` bytes (a longer one counts as one of 0 bytes) with
 * at most WIRE_MAX_FDS descriptors; the surplus is closed. Returns 1 and *len, 0 when the
 * other end is closed, -EAGAIN, -errno; -EMFILE: a message is there, without its descriptors, as
 * this process may have no more of them. */
int wire_receive(int sock, void *msg, size_t size, size_t *len, int fds[WIRE_MAX_FDS], int *nfds,
		 int flags);
void wire_close(int *fds, int n);

#endif
