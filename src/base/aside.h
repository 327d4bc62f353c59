/* SPDX-License-Identifier: MIT */
/*
 * A process beside this one that looks up what a confined monitor cannot: it is made before
 * that is confined, is asked over a socket, and has little else.
 */
#ifndef LNK_ASIDE_H
#define LNK_ASIDE_H

#include <stdint.h>

struct aside {
	const char *name; /* in ps; at most 15 bytes */
	uint64_t keep;    /* capabilities, of those that this process has (privileges.h) */
	/* keeps it from system calls that it has no use for; NULL: nothing does */
	int (*filter)(void);
	/* reads questions from `fd` and answers them until that ends */
	void (*serve)(int fd);
};

/*
 * Starts it with pair[1] of a socket pair, as its only descriptor beyond /dev/null; pair[0]
 * is made non-blocking. It ends when that is closed, or its parent has gone. It becomes
 * nobody where it may and has all of `keep`, and has no way to more. Returns 0 or -errno.
 */
int aside_start(const struct aside *a, const int pair[2]);

#endif
