/* SPDX-License-Identifier: MIT */
#include "unit.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/out.h"

static int64_t now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

/* `bytes` bytes that tell where they belong. */
static void fill(struct text *t, size_t bytes)
{
	for (size_t i = 0; i < bytes; i += 8)
		text_printf(t, "%07zx\n", i);
}

static bool in_order(const char *s, size_t len, size_t from)
{
	char want[32];

	for (size_t i = 0; i < len; i++) {
		snprintf(want, sizeof(want), "%07zx\n", (from + i) / 8 * 8);
		if (s[i] != want[(from + i) % 8])
			return false;
	}
	return true;
}

/* Reads what the pipe holds without waiting for more. */
static size_t take(int fd, char *buf, size_t size)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };
	size_t got = 0;
	ssize_t n;

	while (got < size && poll(&p, 1, 0) == 1 && (n = read(fd, buf + got, size - got)) > 0)
		got += (size_t)n;
	return got;
}

static char buf[1 << 20];

TEST(a_reader_that_keeps_up)
{
	struct out o;
	int p[2];

	CHECK_INT(pipe(p), 0);
	out_open(&o, p[1], -1);
	CHECK(!o.tty);
	CHECK(!o.file);
	CHECK_INT(out_flush(&o, 0), 0); /* nothing to do */
	text_puts(&o.buf, "one\n");
	CHECK_INT(out_flush(&o, 0), 0);
	CHECK_INT(o.buf.len, 0);
	text_puts(&o.buf, "two\n");
	CHECK_INT(out_flush(&o, -1), 0);
	CHECK_INT(take(p[0], buf, sizeof(buf)), 8);
	CHECK_MEM(buf, "one\ntwo\n", 8);
	out_close(&o);
}

TEST(a_file)
{
	char name[] = "/tmp/test_out.XXXXXX";
	int fd = mkstemp(name);
	struct out o;

	unlink(name);
	out_open(&o, fd, -1);
	CHECK(o.file);
	fill(&o.buf, 1 << 20);
	CHECK_INT(out_flush(&o, 0), 0);
	CHECK_INT(o.buf.len, 0);
	CHECK_INT(pread(fd, buf, sizeof(buf), 0), 1 << 20);
	CHECK(in_order(buf, 1 << 20, 0));
	CHECK_INT(lseek(fd, 0, SEEK_END), 1 << 20);
	out_close(&o);
}

/* Longer than the pipe: a reader in another process takes its time over it. */
TEST(a_slow_reader)
{
	size_t got = 0, total = 300000;
	struct out o;
	int p[2];
	pid_t pid;
	ssize_t n;
	int status;

	CHECK_INT(pipe(p), 0);
	pid = fork();
	if (!pid) {
		close(p[1]);
		while ((n = read(p[0], buf + got, 20000)) > 0) {
			got += (size_t)n;
			usleep(5000);
		}
		_exit(got == total && in_order(buf, got, 0) ? 0 : 1);
	}
	close(p[0]);
	out_open(&o, p[1], -1);
	fill(&o.buf, total);
	CHECK_INT(out_flush(&o, -1), 0);
	CHECK_INT(o.buf.len, 0);
	out_close(&o); /* it has a way of its own to the pipe */
	close(p[1]);
	CHECK_INT(waitpid(pid, &status, 0), pid);
	CHECK_INT(status, 0);
}

/* The rest stays, comes later, and nothing is written twice. */
TEST(a_reader_that_stops)
{
	size_t total = 200000, got, left;
	int64_t start;
	struct out o;
	int p[2];

	CHECK_INT(pipe(p), 0);
	out_open(&o, p[1], -1);
	fill(&o.buf, total);
	start = now_ms();
	CHECK_INT(out_flush(&o, 100), -EAGAIN);
	CHECK(now_ms() - start >= 100);
	CHECK(now_ms() - start < 5000);
	left = o.buf.len;
	CHECK(left > 0 && left < total);
	CHECK_INT(strlen(o.buf.s), left);
	CHECK_INT(out_flush(&o, 0), -EAGAIN);
	CHECK_INT(o.buf.len, left);
	got = take(p[0], buf, sizeof(buf));
	CHECK_INT(got, total - left);
	text_puts(&o.buf, "end");
	for (int i = 0; i < 50 && out_flush(&o, 0); i++)
		got += take(p[0], buf + got, sizeof(buf) - got);
	got += take(p[0], buf + got, sizeof(buf) - got);
	CHECK_INT(o.buf.len, 0);
	CHECK_INT(got, total + 3);
	CHECK(in_order(buf, total, 0));
	CHECK_MEM(buf + total, "end", 3);
	out_close(&o);
}

/* wait_ms bounds the whole flush, not each piece of it. */
TEST(a_reader_that_drips)
{
	int64_t start;
	struct out o;
	int p[2];
	pid_t pid;

	CHECK_INT(pipe(p), 0);
	CHECK_INT(fcntl(p[1], F_SETPIPE_SZ, 4096), 4096);
	pid = fork();
	if (!pid) {
		close(p[1]);
		for (int i = 0; i < 100; i++) {
			usleep(50000);
			if (read(p[0], buf, 4096) <= 0)
				break;
		}
		_exit(0);
	}
	close(p[0]);
	out_open(&o, p[1], -1);
	fill(&o.buf, 40 * 4096);
	start = now_ms();
	CHECK_INT(out_flush(&o, 200), -EAGAIN);
	CHECK(now_ms() - start < 1900);
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	out_close(&o);
}

TEST(a_closed_pipe)
{
	struct out o;
	int p[2];

	signal(SIGPIPE, SIG_IGN);
	CHECK_INT(pipe(p), 0);
	out_open(&o, p[1], -1);
	text_puts(&o.buf, "one\n");
	close(p[0]);
	CHECK_INT(out_flush(&o, -1), -EPIPE);
	CHECK_INT(o.buf.len, 4);
	CHECK_INT(out_flush(&o, 0), -EPIPE);
	out_close(&o);
}

/* Closed while we wait for room. */
TEST(a_pipe_that_is_closed_later)
{
	struct out o;
	pid_t pid;
	int p[2];

	signal(SIGPIPE, SIG_IGN);
	CHECK_INT(pipe(p), 0);
	pid = fork();
	if (!pid) {
		close(p[1]);
		usleep(100000);
		_exit(0);
	}
	close(p[0]);
	out_open(&o, p[1], -1);
	fill(&o.buf, 200000);
	CHECK_INT(out_flush(&o, -1), -EPIPE);
	waitpid(pid, NULL, 0);
	out_close(&o);
}

TEST(stop_fd)
{
	int p[2], stop[2];
	struct out o;
	size_t left;

	CHECK_INT(pipe(p) | pipe(stop), 0);
	out_open(&o, p[1], stop[0]);
	/* it is asked only when the reader is slow */
	CHECK_INT(write(stop[1], "x", 1), 1);
	text_puts(&o.buf, "one\n");
	CHECK_INT(out_flush(&o, -1), 0);
	fill(&o.buf, 200000);
	CHECK_INT(out_flush(&o, -1), -EAGAIN);
	left = o.buf.len;
	CHECK(left > 0 && left < 200000);
	CHECK_INT(out_flush(&o, -1), -EAGAIN);
	CHECK_INT(o.buf.len, left);
	/* and it is not read from */
	CHECK_INT(take(stop[0], buf, sizeof(buf)), 1);
	out_close(&o);
}

TEST(stop_fd_while_waiting)
{
	int p[2], stop[2];
	int64_t start;
	struct out o;
	pid_t pid;

	CHECK_INT(pipe(p) | pipe(stop), 0);
	start = now_ms();
	pid = fork();
	if (!pid) {
		usleep(110000);
		_exit(write(stop[1], "x", 1) == 1 ? 0 : 1);
	}
	out_open(&o, p[1], stop[0]);
	fill(&o.buf, 200000);
	CHECK_INT(out_flush(&o, -1), -EAGAIN);
	CHECK(now_ms() - start >= 100);
	waitpid(pid, NULL, 0);
	out_close(&o);
}

static void on_alarm(int sig)
{
	(void)sig;
}

/* A signal that is handled ends no wait. */
TEST(interrupted_waits)
{
	struct sigaction sa = { .sa_handler = on_alarm };
	struct out o;
	int p[2];

	sigaction(SIGALRM, &sa, NULL);
	CHECK_INT(pipe(p), 0);
	out_open(&o, p[1], -1);
	fill(&o.buf, 200000);
	ualarm(20000, 0);
	CHECK_INT(out_flush(&o, 100), -EAGAIN);
	out_close(&o);
}

/* Set so by another program that shares the pipe. */
TEST(a_pipe_that_does_not_block)
{
	size_t total = 200000, got;
	struct out o;
	int p[2];

	CHECK_INT(pipe2(p, O_NONBLOCK), 0);
	out_open(&o, p[1], -1);
	fill(&o.buf, total);
	CHECK_INT(out_flush(&o, 10), -EAGAIN);
	got = take(p[0], buf, sizeof(buf));
	for (int i = 0; i < 50 && out_flush(&o, 0); i++)
		got += take(p[0], buf + got, sizeof(buf) - got);
	got += take(p[0], buf + got, sizeof(buf) - got);
	CHECK_INT(got, total);
	CHECK(in_order(buf, got, 0));
	out_close(&o);
}

TEST(what_cannot_be_written_to)
{
	struct out o;
	int fd;

	fd = open("/dev/full", O_WRONLY);
	out_open(&o, fd, -1);
	text_puts(&o.buf, "one\n");
	CHECK_INT(out_flush(&o, -1), -ENOSPC);
	CHECK_INT(o.buf.len, 4);
	out_close(&o);
	close(fd);
	out_open(&o, fd, -1); /* stdout was closed at the start */
	text_puts(&o.buf, "one\n");
	CHECK_INT(out_flush(&o, -1), -EBADF);
	out_close(&o);
}
