/* SPDX-License-Identifier: MIT */
/*
 * Compiles and loads the probe program. All of it happens in a child process that ends
 * before this returns: libbcc and LLVM are never mapped here, may call exit(), and may
 * print what they like (it is captured). What comes back are descriptors.
 */
#ifndef LNK_PROGRAM_H
#define LNK_PROGRAM_H

#include <stdbool.h>
#include <stdint.h>

#include "base/text.h"
#include "bpf/headers.h"
#include "bpf/hooks.h"

struct program_request {
	const char *source; /* the whole text */
	enum headers_kind headers;
	const char *headers_dir; /* for HEADERS_DIR */
	bool verbose;            /* let clang warn */
	bool debug_info;         /* the verifier's log and backend errors name source lines */
	int stop_fd;             /* readable: give up at once; -1: never */
	int timeout_ms;          /* the child is ended after that */
	bool no_cache;           /* compile even if there is a compiled program on disk */
};

struct program {
	int counters_fd;      /* the map lnk_counters */
	int events_fd;        /* the map lnk_events */
	int shared_fd;        /* the map lnk_shared, where there is one */
	int owners_fd;        /* the map lnk_owners, where there is one */
	struct text notes;    /* for -v: headers used, cflags, libbcc, what was tried */
	struct text compiler; /* everything that libbcc and clang printed, unescaped */
	struct text strays; /* probe functions that were compiled and cannot be used, a line each */
	struct text error;  /* why it failed: one line, safe to print */
	struct text excerpt; /* of a compile error: the source line and a caret, each behind a
			      * newline; safe to print */
	uint64_t compile_ns; /* 0: it was compiled before */
	uint64_t load_ns;
};

#define NO_PROGRAM                                                                                 \
	{                                                                                          \
		.counters_fd = -1, .events_fd = -1, .shared_fd = -1, .owners_fd = -1               \
	}

/*
 * Fills *p and, in hs, prog_fd, compiled, refused, why and log of each hook. A hook that
 * the kernel does not load is no failure. Returns 0; -EINTR when stop_fd became
 * readable; else -errno with p->error.
 */
int program_build(struct program *p, struct hooks *hs, const struct program_request *req);
void program_free(struct program *p);

#endif
