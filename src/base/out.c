/* SPDX-License-Identifier: MIT */
#include "base/out.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"

static int reopen(int fd)
{
	char path[32];

	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	return open(path, O_WRONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
}

void out_open(struct out *o, int fd, int stop_fd)
{
	struct stat st;
	int own;

	*o = (struct out){ .fd = fd, .stop_fd = stop_fd, .tty = isatty(fd) };
	o->file = !fstat(fd, &st) && S_ISREG(st.st_mode);
	own = o->file ? -1 : reopen(fd);
	if (own >= 0) {
		o->fd = own;
		o->own_fd = true;
	}
}

void out_close(struct out *o)
{
	if (o->own_fd)
		close(o->fd);
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

/* What is left of wait_ms; -1 stays -1. */
static int left_ms(int wait_ms, uint64_t started_ns)
{
	uint64_t gone_ms = (clock_monotonic_ns() - started_ns) / NSEC_PER_MSEC;

	if (wait_ms < 0)
		return wait_ms;
	return gone_ms < (uint64_t)wait_ms ? wait_ms - (int)gone_ms : 0;
}

int out_flush(struct out *o, int wait_ms)
{
	uint64_t started_ns = clock_monotonic_ns();
	size_t done = 0, piece;
	ssize_t n;
	int err = 0;

	while (done < o->buf.len && !err) {
		piece = o->buf.len - done;
		if (!o->file) {
			if (piece > PIPE_BUF && !o->own_fd)
				piece = PIPE_BUF;
			err = wait_writable(o, left_ms(wait_ms, started_ns));
			if (err)
				break;
		}
		n = write(o->fd, o->buf.s + done, piece);
		if (n >= 0)
			done += (size_t)n;
		else if (errno != EINTR && errno != EAGAIN)
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
