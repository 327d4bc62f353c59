/* SPDX-License-Identifier: MIT */
#include "bpf/program.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/io.h"
#include "bpf/cache.h"
#include "bpf/diagnose.h"
#include "bpf/image.h"
#include "bpf/kernel.h"
#include "bpf/loader.h"
#include "bpf/work_dir.h"
#include "bpf/sandbox.h"

struct build {
	char *work; /* the directory that the child made */
	struct program *p;
	struct hooks *hs;
	int sock;
	int log;
	bool done;
	bool clang_failed;    /* at least one attempt got as far as clang */
	struct text attempts; /* "btf headers: ...; installed headers: ..." */
	int error;
	uint64_t begun_ns;
	uint64_t compiled_ns; /* when the first map came: then it was compiled */
};

static void read_log(const struct build *b, uint64_t from, uint64_t to, struct text *out)
{
	char chunk[16384];
	size_t want;
	ssize_t n;

	while (from < to) {
		want = to - from < sizeof(chunk) ? (size_t)(to - from) : sizeof(chunk);
		n = pread(b->log, chunk, want, (off_t)from);
		if (n <= 0)
			return;
		text_add(out, chunk, (size_t)n);
		from += (uint64_t)n;
	}
}

static void hook_loaded(struct build *b, const struct reply *r, int fd)
{
	struct hook *h = &b->hs->v[r->index];

	h->compiled = true;
	read_log(b, r->log_from, r->log_to, &h->log);
	if (fd >= 0) {
		h->prog_fd = fd;
		return;
	}
	h->refused = diagnose_load(text_str(&h->log), r->error, h->kind, &h->why);
}

/* Takes the descriptor over. A reply that makes no sense is dropped: the child is ours,
 * but it has run a compiler over text that is not. */
static void take_reply(struct build *b, struct reply *r, int fd)
{
	struct text *t;

	switch (r->kind) {
	case REPLY_NOTE:
		text_add_escaped(&b->p->notes, r->text, strlen(r->text), false);
		text_puts(&b->p->notes, "\n");
		break;
	case REPLY_STRAY:
		text_puts(&b->p->strays, b->p->strays.len ? "\n" : "");
		text_add_escaped(&b->p->strays, r->text, strlen(r->text), false);
		break;
	case REPLY_WORK:
		if (!b->work && work_dir_is_one(r->text))
			b->work = strdup(r->text);
		break;
	case REPLY_FAILED:
		t = &b->attempts;
		text_puts(t, t->len ? "; " : "");
		text_add_escaped(t, r->text, strlen(r->text), false);
		if (r->index == 1 && !b->clang_failed) {
			b->clang_failed = true;
			read_log(b, r->log_from, r->log_to, &b->p->compiler);
		}
		break;
	case REPLY_COUNTERS:
		b->compiled_ns = clock_monotonic_ns();
		if (b->p->counters_fd < 0 && fd >= 0) {
			b->p->counters_fd = fd;
			fd = -1;
		}
		break;
	case REPLY_EVENTS:
		if (b->p->events_fd < 0 && fd >= 0) {
			b->p->events_fd = fd;
			fd = -1;
		}
		break;
	case REPLY_SHARED:
		if (b->p->shared_fd < 0 && fd >= 0) {
			b->p->shared_fd = fd;
			fd = -1;
		}
		break;
	case REPLY_OWNERS:
		if (b->p->owners_fd < 0 && fd >= 0) {
			b->p->owners_fd = fd;
			fd = -1;
		}
		break;
	case REPLY_HOOK:
		if (r->index >= 0 && r->index < b->hs->n && b->hs->v[r->index].prog_fd < 0) {
			hook_loaded(b, r, fd);
			fd = -1;
		}
		break;
	case REPLY_DONE:
		b->done = true;
		b->error = r->error >= 0 ? r->error : EPROTO;
		break;
	}
	close_fd(fd);
}

/* The descriptor that came with a message, or -1; -EMFILE: it came, and this process may have no
 * more of them (recvmsg(2) closes it and says MSG_CTRUNC). There is room for two in the smallest
 * control buffer; one that nobody asked for must not stay open. */
static int received_fd(struct msghdr *msg)
{
	struct cmsghdr *c;
	int fd = -1, surplus;
	size_t at;

	c = CMSG_FIRSTHDR(msg);
	if (!c || c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS)
		return msg->msg_flags & MSG_CTRUNC ? -EMFILE : -1;
	memcpy(&fd, CMSG_DATA(c), sizeof(int));
	for (at = CMSG_LEN(sizeof(int)); at + sizeof(int) <= c->cmsg_len; at += sizeof(int)) {
		memcpy(&surplus, (char *)c + at, sizeof(int));
		close(surplus);
	}
	return fd;
}

/* Returns 1 for a message, 0 at the end, -errno. */
static int receive(struct build *b)
{
	struct reply r;
	union {
		char buf[CMSG_SPACE(sizeof(int))];
		struct cmsghdr align;
	} control;
	struct iovec iov = { &r, sizeof(r) };
	struct msghdr msg = { .msg_iov = &iov,
			      .msg_iovlen = 1,
			      .msg_control = control.buf,
			      .msg_controllen = sizeof(control.buf) };
	int fd;
	ssize_t n;

	n = recvmsg(b->sock, &msg, MSG_CMSG_CLOEXEC);
	if (n < 0)
		return errno == EINTR ? 1 : -errno;
	fd = received_fd(&msg);
	if ((size_t)n <= offsetof(struct reply, text)) { /* nothing at all: the end */
		close_fd(fd);
		return n != 0;
	}
	/* nor is a program refused that found no place in the child */
	if (fd == -EMFILE || (r.kind == REPLY_HOOK && r.error == EMFILE)) {
		close_fd(fd);
		return -EMFILE;
	}
	((char *)&r)[n - 1] = '\0';
	take_reply(b, &r, fd);
	return 1;
}

static int64_t now_ms(void)
{
	return (int64_t)(clock_monotonic_ns() / NSEC_PER_MSEC);
}

/* Until the child is done, has died, takes too long, or the user wants no more. */
static int converse(struct build *b, const struct program_request *req)
{
	struct pollfd fds[2] = { { .fd = b->sock, .events = POLLIN },
				 { .fd = req->stop_fd, .events = POLLIN } };
	int64_t deadline = now_ms() + req->timeout_ms, left;
	int n;

	while (!b->done) {
		left = deadline - now_ms();
		n = left > 0 ? poll(fds, 2, (int)left) : 0;
		if (n < 0 && errno != EINTR)
			return -errno;
		if (n < 0)
			continue;
		if (n == 0)
			return -ETIMEDOUT;
		if (fds[1].revents)
			return -EINTR;
		n = receive(b);
		if (n <= 0)
			return n ? n : -ECHILD;
	}
	return 0;
}

static pid_t start_child(const struct program_request *req, const struct hooks *hs, int sock,
			 int log, const char *key)
{
	pid_t pid, parent = getpid();
	sigset_t none;

	pid = fork();
	if (pid)
		return pid;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent) /* it died before that */
		_exit(1);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	loader_run(req, hs, sock, log, key);
}

/* What to do about errors that do not say it themselves. */
static void hint(struct text *e)
{
	if (strstr(text_str(e), "error: Operation not permitted"))
		text_puts(e, " (this needs root, or CAP_BPF and CAP_PERFMON, outside any user "
			     "namespace)");
	if (strstr(text_str(e), "struct tracepoint__") && !kernel_tracefs())
		text_puts(e, " (tracefs is not mounted: " TRACEFS_HINT ")");
}

/* The one line for the user. libbcc calls exit() on a backend error, and some versions
 * crash on that way out, so an early end with an error in the log is a compile error. */
static void explain(struct build *b, int err, int status)
{
	struct text *e = &b->p->error;

	if (err == -ETIMEDOUT) {
		text_puts(e, "the compile took too long and was ended");
	} else if (err == -EMFILE) {
		text_puts(e, TOO_MANY_FILES);
	} else if (err && err != -ECHILD) {
		text_puts(e, strerror(-err));
	} else if (b->clang_failed || err == -ECHILD) {
		if (!diagnose_compile(text_str(&b->p->compiler), e))
			text_puts(e, WIFSIGNALED(status) ? "the compiler was killed"
							 : "the compiler ended without a word");
		diagnose_excerpt(text_str(&b->p->compiler), &b->p->excerpt);
		if (err == -ECHILD && WIFSIGNALED(status))
			text_printf(e, " (signal %d, %s)", WTERMSIG(status),
				    strsignal(WTERMSIG(status)));
		hint(e);
	} else {
		/* no attempt was made: what the child could not even prepare */
		text_puts(e, b->attempts.len ? b->attempts.s : strerror(b->error));
	}
}

static int compile_and_load(struct program *p, struct hooks *hs, const struct program_request *req,
			    const char *key)
{
	struct build b = { .p = p, .hs = hs, .begun_ns = clock_monotonic_ns() };
	int pair[2], err, status = 0;
	pid_t pid;

	b.log = memfd_create("linux_net_kernel log", MFD_CLOEXEC);
	if (b.log < 0 || socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair)) {
		err = -errno;
		text_printf(&p->error, "%s", strerror(-err));
		if (b.log >= 0)
			close(b.log);
		return err;
	}
	pid = start_child(req, hs, pair[1], b.log, key);
	close(pair[1]);
	b.sock = pair[0];
	err = pid < 0 ? -errno : converse(&b, req);
	if (err && pid > 0)
		kill(pid, SIGKILL);
	while (pid > 0 && waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	if (b.compiled_ns) {
		p->compile_ns = b.compiled_ns - b.begun_ns;
		p->load_ns = clock_monotonic_ns() - b.compiled_ns;
	}
	if (!p->compiler.len)
		read_log(&b, 0, (uint64_t)lseek(b.log, 0, SEEK_END), &p->compiler);
	if (!err && b.error)
		err = -b.error;
	if (!err && (p->counters_fd < 0 || p->events_fd < 0)) {
		text_puts(&p->error, "the probes have no map lnk_counters or lnk_events "
				     "(probes/packet.h defines them)");
		err = -EINVAL;
	} else if (err && err != -EINTR) {
		explain(&b, b.done ? 0 : err, status);
	}
	if (b.work)
		work_dir_remove(b.work);
	free(b.work);
	text_free(&b.attempts);
	close(b.sock);
	close(b.log);
	return err;
}

/* A compiled program from the cache. An entry that does not load is no failure: what it
 * was made for has changed in a way that the key does not show. */
static bool load_cached(struct program *p, struct hooks *hs, const char *key)
{
	uint64_t begun_ns = clock_monotonic_ns();
	struct text image = { 0 };
	int err;

	err = cache_read(key, &image);
	if (!err)
		err = image_load(text_str(&image), image.len, key, hs, &p->counters_fd,
				 &p->events_fd, &p->shared_fd, &p->owners_fd);
	text_free(&image);
	if (err && err != -ENOENT)
		text_printf(&p->notes, "cache: not used (%s)\n", strerror(-err));
	p->load_ns = clock_monotonic_ns() - begun_ns;
	if (!err)
		text_puts(&p->notes, "cache: compiled before, for this source and this kernel "
				     "(--no-cache compiles again)\n");
	return !err;
}

/* An error of LLVM's backend, which knows lines only from debug information. */
static bool lacks_line(const struct text *compiler)
{
	return strstr(text_str(compiler), "error: <unknown>:0:");
}

int program_build(struct program *p, struct hooks *hs, const struct program_request *req)
{
	struct program_request again = *req;
	struct text key = { 0 };
	bool cacheable;
	int err = 0, i, swept;

	*p = (struct program)NO_PROGRAM;
	swept = work_dir_sweep();
	if (swept)
		text_printf(&p->notes, "removed %d director%s that killed runs had left\n", swept,
			    swept == 1 ? "y" : "ies");
	cacheable = !req->no_cache && cache_key(req, &key);
	for (i = 0; i < hs->n && cacheable; i++) /* which the source does not tell */
		if (hs->v[i].typed)
			text_printf(&key, "/* typed: %s */\n", hs->v[i].target);
	cacheable &= !key.cut;
	if (!cacheable || !load_cached(p, hs, text_str(&key)))
		err = compile_and_load(p, hs, req, cacheable ? text_str(&key) : NULL);
	if (err == -ECHILD && !req->debug_info && lacks_line(&p->compiler)) {
		program_free(p);
		*p = (struct program)NO_PROGRAM;
		again.debug_info = true;
		err = compile_and_load(p, hs, &again, NULL);
	}
	text_free(&key);
	return err;
}

void program_free(struct program *p)
{
	if (p->counters_fd >= 0)
		close(p->counters_fd);
	if (p->events_fd >= 0)
		close(p->events_fd);
	if (p->shared_fd >= 0)
		close(p->shared_fd);
	if (p->owners_fd >= 0)
		close(p->owners_fd);
	text_free(&p->notes);
	text_free(&p->compiler);
	text_free(&p->error);
	text_free(&p->excerpt);
	text_free(&p->strays);
}
