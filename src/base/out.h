/* SPDX-License-Identifier: MIT */
/*
 * Standard output for rows: collected, and written in pieces that cannot block for good.
 * A reader that stopped reading must not keep the program from ending.
 */
#ifndef LNK_OUT_H
#define LNK_OUT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/text.h"

struct out {
	int fd;
	bool own_fd; /* fd is our own, non-blocking way to the same pipe or terminal */
	int stop_fd; /* readable: stop waiting for the reader; -1: none */
	bool tty;
	bool file; /* a regular file: never blocks, so it is written in one piece */
	struct text buf;
	uint64_t written; /* bytes so far: what is still in buf comes after them */
};

/*
 * A pipe or terminal is opened once more through /proc, so that writes to it need not
 * block and the description that others share is left as it is.
 */
void out_open(struct out *o, int fd, int stop_fd);
void out_close(struct out *o);

/*
 * Writes what was collected. Waits for the reader at most wait_ms (-1: for ever) or until
 * stop_fd is readable. Returns 0; -EAGAIN when the reader was too slow or stop_fd became
 * readable (the rest stays collected); -EPIPE and other -errno of write(2).
 */
int out_flush(struct out *o, int wait_ms);

#endif
