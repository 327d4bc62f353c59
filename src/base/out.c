/* SPDX-License-Identifier: MIT */
#include "base/out.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

void out_open(struct out *o, int fd, int stop_fd)
{
	struct stat st;

	*o = (struct out){ .fd = fd, .stop_fd = stop_fd, .tty = isatty(fd) };
	o->file = !fstat(fd, &st) && S_ISREG(st.st_mode);
}

void out_close(struct out *o)
{
	text_free(&o->buf);
}

/* 0 when a write of PIPE_BUF bytes will not block (pipe(7), poll(2)). */
static int wait_writable(const struct out *o, int wait_ms)
{
	struct pollfd fds[2] = { { .fd = o->fd, .events = POLLOUT },
				 { .fd = o->stop_fd, .events = POLLIN } };
	int n;

	do
		n = poll(fds, 2, wait_ms);
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return -errno;
	return fds[0].revents ? 0 : -EAGAIN;
}

int out_flush(struct out *o, int wait_ms)
{
	size_t done = 0, piece;
	ssize_t n;
	int err = 0;

	while (done < o->buf.len && !err) {
		piece = o->buf.len - done;
		if (!o->file) {
			if (piece > PIPE_BUF)
				piece = PIPE_BUF;
			err = wait_writable(o, wait_ms);
			if (err)
				break;
		}
		n = write(o->fd, o->buf.s + done, piece);
		if (n >= 0)
			done += (size_t)n;
		else if (errno != EINTR)
			err = -errno;
	}
	o->written += done;
	if (done == o->buf.len) {
		text_reset(&o->buf);
	} else if (done) {
		memmove(o->buf.s, o->buf.s + done, o->buf.len - done + 1);
		o->buf.len -= done;
	}
	return err;
}
