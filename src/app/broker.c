/* SPDX-License-Identifier: MIT */
/*
 * One request at a time. Whatever comes in while a program is built ends the build: it is
 * a newer request, or the monitor's end. So the socket serves as the descriptor that says
 * stop.
 *
 * What is logged here goes to a memory file and from there to the monitor, which prints
 * it; the broker has no terminal.
 */
#include "app/broker.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "app/ask.h"
#include "app/own_file.h"
#include "app/processes.h"
#include "app/session.h"
#include "app/view.h"
#include "app/wire.h"
#include "base/clock.h"
#include "base/io.h"
#include "base/log.h"
#include "base/privileges.h"
#include "bpf/kprobe.h"
#include "bpf/stub.h"

/* Of what was logged; with -v that is clang's and the verifier's whole text. */
#define LOG_MAX ((size_t)256 << 10)

struct broker {
	const struct config *conf; /* as the command line said */
	const struct watch *watch;
	int sock;
	uint32_t id; /* of the request that is answered */
};

/* --- answers ------------------------------------------------------------------------ */

static void answer(const struct broker *b, struct wire_reply *r, size_t len, const int *fds,
		   int nfds)
{
	r->id = b->id;
	if (wire_send(b->sock, r, len, fds, nfds, 0))
		_exit(1); /* the monitor is gone */
}

static void answer_whole(const struct broker *b, struct wire_reply *r, const int *fds)
{
	answer(b, r, wire_reply_size(r->kind), fds, wire_reply_fds(r));
}

static void answer_text(const struct broker *b, enum wire_reply_kind kind, const struct text *t)
{
	struct wire_reply r = { .kind = kind };
	size_t at, n;

	for (at = 0; at < t->len; at += n) {
		n = t->len - at < sizeof(r.text) ? t->len - at : sizeof(r.text) - 1;
		memcpy(r.text, t->s + at, n);
		r.text[n] = '\0';
		answer(b, &r, offsetof(struct wire_reply, text) + n + 1, NULL, 0);
	}
}

static void answer_log(const struct broker *b)
{
	struct text t = { 0 };

	lseek(STDERR_FILENO, 0, SEEK_SET);
	read_all(STDERR_FILENO, &t, LOG_MAX);
	answer_text(b, WIRE_TEXT, &t);
	text_free(&t);
}

static void answer_parts(const struct broker *b, const struct source *src)
{
	struct wire_reply r = { .kind = WIRE_PART };
	size_t i;

	for (i = 0; i < src->n; i++) {
		memset(&r.part, 0, sizeof(r.part));
		r.part.digest = src->parts[i].digest;
		snprintf(r.part.name, sizeof(r.part.name), "%s", src->parts[i].name);
		snprintf(r.part.label, sizeof(r.part.label), "%s", src->parts[i].label);
		answer_whole(b, &r, NULL);
	}
}

static void answer_hooks(const struct broker *b, const struct session *s)
{
	struct wire_reply r = { .kind = WIRE_HOOK };
	const struct hook *h;
	int i;

	for (i = 0; i < s->hooks.n; i++) {
		h = &s->hooks.v[i];
		memset(&r.hook, 0, sizeof(r.hook));
		r.hook.kind = h->kind;
		r.hook.place = !s->shown[i].shown ? WIRE_NOWHERE
			       : h->link_fd >= 0  ? WIRE_NEW
						  : WIRE_LIVE;
		r.hook.typed = h->typed;
		r.hook.witness = h->witness;
		r.hook.told = h->told;
		r.hook.address = s->shown[i].address;
		strcpy(r.hook.target, h->target);
		strcpy(r.hook.symbol, h->symbol);
		answer_whole(b, &r,
			     (const int[]){ h->prog_fd, h->stub_fd, h->slot_fd, h->link_fd });
	}
}

static void answer_program(const struct broker *b, const struct session *s)
{
	struct wire_reply r = { .kind = WIRE_MAPS };
	int i;

	answer_whole(b, &r,
		     (const int[]){ s->program.counters_fd, s->program.events_fd,
				    s->program.shared_fd >= 0 ? s->program.shared_fd
							      : s->program.events_fd,
				    s->program.owners_fd >= 0 ? s->program.owners_fd
							      : s->program.events_fd });
	answer_hooks(b, s);
	for (i = 0; i < s->stages.n; i++) {
		r = (struct wire_reply){ .kind = WIRE_STAGE };
		r.stage.served = s->lines[i].served;
		answer_whole(b, &r, NULL);
	}
	answer_text(b, WIRE_SAID, &s->said);
	answer_text(b, WIRE_SOURCE, &s->text);
	answer_parts(b, &s->source);
}

/* --- builds ------------------------------------------------------------------------- */

static bool same_source(const struct config *conf, uint64_t running)
{
	struct source src = { 0 };
	struct text why = { 0 };
	bool same;

	same = running && !source_load(&src, conf->probe_dir, &why) &&
	       source_digest(&src) == running;
	source_free(&src);
	text_free(&why);
	return same;
}

/* A program that the verifier would not take whole is not put in place of one that it
 * took. What is wrong has been logged. */
static int check_whole(const struct session *s)
{
	int i;

	for (i = 0; i < s->hooks.n; i++)
		if (s->hooks.v[i].refused)
			return -EINVAL;
	return s->program.strays.len ? -EINVAL : 0;
}

static struct hooks live_hooks(const struct wire_request *req)
{
	struct hooks hs = { 0 };
	struct text why = { 0 };
	uint32_t i;
	int was;

	for (i = 0; i < req->live_n; i++) {
		was = hs.n;
		if (hooks_add(&hs, (enum hook_kind)req->live[i].kind, req->live[i].target, "", 0,
			      &why) ||
		    hs.n == was)
			continue;
		strcpy(hs.v[was].symbol, req->live[i].symbol);
		hs.v[was].typed = req->live[i].typed;
	}
	text_free(&why);
	return hs;
}

/* That one of those that are asked for already has ended is no mistake. */
static int check_processes(const struct wire_request *req, const struct config *conf,
			   struct text *why)
{
	const struct pids *known = &req->pids;
	struct config fresh = { .pids.n = 0 };
	int i, k;

	for (i = 0; i < conf->pids.n; i++) {
		for (k = 0; k < known->n && known->v[k] != conf->pids.v[i]; k++)
			;
		if (k == known->n)
			fresh.pids.v[fresh.pids.n++] = conf->pids.v[i];
	}
	return processes_check(&fresh, why);
}

/* What is asked, as main() does it from the command line alone. */
static int ask_anew(const struct broker *b, const struct wire_request *req, struct config *conf,
		    struct ask *ask)
{
	struct column_list *columns = calloc(1, sizeof(*columns));
	struct text why = { 0 }, note = { 0 };
	int err = columns ? 0 : -ENOMEM;

	*conf = *b->conf;
	if (!err)
		err = changes_apply(&req->changes, conf, &why);
	if (!err)
		err = check_processes(req, conf, &why);
	if (!err)
		err = view_columns(columns, conf, &why);
	if (!err)
		err = ask_parse(ask, conf, columns, &why, &note);
	if (err)
		log_error("%s", why.len ? why.s : strerror(-err));
	else if (note.len)
		log_info("%s", note.s);
	if (columns)
		columns_free(columns);
	free(columns);
	text_free(&why);
	text_free(&note);
	return err;
}

/* Returns whether it is done: another message ends it. */
static bool build(const struct broker *b, const struct wire_request *req)
{
	static struct config conf;
	struct wire_reply r = { .kind = WIRE_DONE };
	struct hooks live = live_hooks(req);
	struct ask ask = { 0 };
	struct session s = { .program = NO_PROGRAM };
	int err;

	if (ftruncate(STDERR_FILENO, 0))
		lseek(STDERR_FILENO, 0, SEEK_END);
	lseek(STDERR_FILENO, 0, SEEK_SET);
	r.done.dirs = (uint32_t)watch_renew(b->watch, b->conf);
	if (same_source(b->conf, req->digest))
		err = -EALREADY;
	else
		err = ask_anew(b, req, &conf, &ask);
	if (!err)
		err = session_make(&s, &conf, &ask, b->sock, &live);
	if (!err)
		err = check_whole(&s);
	if (err != -EINTR) {
		answer_log(b);
		if (!err)
			answer_program(b, &s);
		r.done.error = -err;
		r.done.hooks = (uint32_t)s.hooks.n;
		r.done.stages = (uint32_t)s.stages.n;
		r.done.extra = (uint32_t)s.extra;
		r.done.netns = s.netns;
		r.done.compile_ns = s.program.compile_ns;
		r.done.load_ns = s.program.load_ns;
		r.done.attach_ns = s.attach_ns;
		answer_whole(b, &r, NULL);
	}
	session_close(&s);
	ask_free(&ask);
	hooks_free(&live);
	return err != -EINTR;
}

/* --- a file ------------------------------------------------------------------------- */

static void open_file(struct broker *b, const struct wire_request *req)
{
	struct wire_reply r = { .kind = WIRE_FILE };
	const char *why = NULL;
	int fd = own_file_open(req->path, &why);

	b->id = req->id;
	r.file.error = fd < 0 ? -fd : 0;
	snprintf(r.file.why, sizeof(r.file.why), "%s", why ? why : "");
	answer_whole(b, &r, &fd);
	if (fd >= 0)
		close(fd);
}

/* --- the process -------------------------------------------------------------------- */

/* Takes the next request. Returns false when there is none and `wait` is not set. */
static bool next_request(const struct broker *b, struct wire_request *req, bool wait)
{
	struct pollfd p = { .fd = b->sock, .events = POLLIN };
	int fds[WIRE_MAX_FDS], nfds, n;
	size_t len;

	do
		n = poll(&p, 1, wait ? -1 : 0);
	while (n < 0 && errno == EINTR);
	if (n <= 0)
		return false;
	n = wire_receive(b->sock, req, sizeof(*req), &len, fds, &nfds, 0);
	if (n == 1)
		wire_close(fds, nfds);
	if (n != 1 || !wire_request_ok(req, len))
		_exit(0); /* the monitor has ended, or is not itself any more */
	return true;
}

static void settle(struct broker *b, uint32_t id)
{
	struct wire_reply r = { .kind = WIRE_SETTLED };

	stub_settle();
	b->id = id;
	answer_whole(b, &r, NULL);
}

/* A build that another message ended is begun again, unless a newer one is asked for. */
static _Noreturn void serve(struct broker *b)
{
	static struct wire_request req, newest;
	bool wanted = false;

	for (;;) {
		while (next_request(b, &req, !wanted)) {
			if (req.kind == WIRE_SETTLE) {
				settle(b, req.id);
			} else if (req.kind == WIRE_OPEN) {
				open_file(b, &req);
			} else {
				newest = req;
				wanted = true;
			}
		}
		if (!wanted)
			continue;
		b->id = newest.id;
		wanted = !build(b, &newest);
	}
}

/* No terminal, no output of the monitor's: only the socket. */
static int leave_terminal(void)
{
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);
	int log = memfd_create("linux_net_kernel broker", MFD_CLOEXEC);

	log_close();
	if (null < 0 || log < 0 || dup2(null, STDIN_FILENO) < 0 || dup2(null, STDOUT_FILENO) < 0 ||
	    dup2(log, STDERR_FILENO) < 0)
		return -errno;
	close(null);
	close(log);
	return 0;
}

int broker_start(const struct config *conf, const struct watch *w, int drop_fd, int *sock)
{
	struct broker b = { .conf = conf, .watch = w };
	pid_t pid, parent = getpid();
	int pair[2];

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair))
		return -errno;
	pid = fork();
	if (pid < 0) {
		close(pair[0]);
		close(pair[1]);
		return -errno;
	}
	if (pid) {
		close(pair[1]);
		*sock = pair[0];
		return 0;
	}
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent) /* it died before that */
		_exit(1);
	prctl(PR_SET_NAME, "lnk_broker");
	close(pair[0]);
	close(drop_fd);
	b.sock = pair[1];
	kprobe_avoid_names();
	if (leave_terminal() || privileges_bar())
		_exit(1);
	serve(&b);
}
