/* SPDX-License-Identifier: MIT */
/*
 * Theory of operation. A request carries what may change and which hooks are attached; the
 * answer is a row of messages that become a session (struct offer). Only the answer to the
 * newest request counts, so a later change simply takes an earlier one's place: the broker
 * ends a build when another request comes in, and what it had answered is closed here.
 *
 * The exchange itself is one map update for each hook. Hooks that only the new program has
 * are attached by then, with an empty slot; those that only the old one has are detached
 * after. Then the broker is asked to wait until no call of the old program runs, both
 * programs' rings are drained all the while, and at the end the old books are closed:
 * seen = filtered + limited + lost + received holds for each program by itself.
 */
#include "app/swap.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "app/broker.h"
#include "app/difference.h"
#include "app/offer.h"
#include "app/watch.h"
#include "app/wire.h"
#include "base/clock.h"
#include "base/io.h"
#include "base/log.h"
#include "bpf/kernel.h"
#include "bpf/missed.h"

/* Without a broker nobody tells when the old program's last call has ended. */
#define SETTLE_ALONE_NS (200 * NSEC_PER_MSEC)

struct swap {
	int sock; /* -1: the broker has ended */
	struct watch watch;
	struct session *running;
	const struct config *base; /* what the command line said */
	struct setting *wanted;    /* by the newest request; NULL: what runs */
	uint32_t id;               /* of the newest request */
	bool building, ready, settling;
	bool unsent;        /* the newest request is not on its way yet */
	bool forced;        /* ... and is to be built even if nothing has changed */
	bool unsent_settle; /* nor is the question when the old program has ended */
	bool failed;        /* the last one; the source differs from what runs */
	bool again;         /* it only looked for a directory: the same failure is not told twice */
	struct text failure;
	uint64_t settled_by_ns;
	uint64_t lost_before; /* rows, when the newest request was made */
	struct offer offer;
	struct text changed; /* names of parts, options */
	bool parts;          /* ... of parts */
	char *path;          /* of the file that is asked for; NULL: none */
	bool unsent_path;
	int file; /* the answer: a descriptor, or -errno */
	struct text file_why;
	uint64_t compile_ns, load_ns, attach_ns;
};

/* --- open and close ----------------------------------------------------------------- */

int swap_open(struct swap **out, const struct config *conf, int stop_fd)
{
	struct swap *sw = calloc(1, sizeof(*sw));
	int err = sw ? 0 : -ENOMEM;

	if (!err && !kernel_has_kprobe_pmu() && kernel_has_kprobes()) {
		log_error("%s needs Linux 4.17: on this kernel a kprobe belongs to the process "
			  "that made it",
			  conf->watch ? "--watch" : "-C");
		free(sw);
		return -EOPNOTSUPP;
	}
	if (!err) {
		sw->sock = sw->watch.fd = -1;
		sw->file = -1;
		sw->base = conf;
		offer_init(&sw->offer);
	}
	if (!err && conf->watch)
		err = watch_open(&sw->watch, conf);
	if (!err)
		err = broker_start(conf, &sw->watch, stop_fd, &sw->sock);
	if (err) {
		log_error("cannot start what builds another program: %s", strerror(-err));
		swap_close(sw);
		return err;
	}
	*out = sw;
	return 0;
}

void swap_close(struct swap *sw)
{
	if (!sw)
		return;
	offer_drop(&sw->offer);
	watch_close(&sw->watch);
	if (sw->sock >= 0)
		close(sw->sock);
	if (sw->file >= 0)
		close(sw->file);
	free(sw->path);
	text_free(&sw->file_why);
	text_free(&sw->changed);
	text_free(&sw->failure);
	setting_drop(sw->wanted);
	free(sw);
}

int swap_run(struct swap *sw, struct session *running)
{
	static const struct changes none;
	struct setting *setting;
	struct text why = { 0 };
	int err = setting_make(&setting, sw->base, &none, &why);

	text_free(&why);
	if (err)
		return err;
	sw->running = running;
	session_set(running, setting);
	setting_drop(setting);
	return 0;
}

int swap_fd(const struct swap *sw)
{
	return sw->sock;
}

int swap_watch_fd(const struct swap *sw)
{
	return sw->sock < 0 ? -1 : sw->watch.fd;
}

uint64_t swap_due_ns(const struct swap *sw)
{
	if (sw->sock < 0)
		return sw->settling ? sw->settled_by_ns : UINT64_MAX;
	if (sw->ready || sw->unsent || sw->unsent_settle || sw->unsent_path)
		return clock_monotonic_ns() + NSEC_PER_MSEC;
	return watch_due_ns(&sw->watch);
}

/* --- requests ----------------------------------------------------------------------- */

static void add_live(struct wire_request *r, const struct session *s)
{
	struct wire_live *l;
	int i;

	for (i = 0; i < s->hooks.n; i++) {
		if (s->hooks.v[i].link_fd < 0)
			continue;
		l = &r->live[r->live_n++];
		l->kind = s->hooks.v[i].kind;
		l->typed = s->hooks.v[i].typed;
		strcpy(l->target, s->hooks.v[i].target);
		strcpy(l->symbol, s->hooks.v[i].symbol);
	}
}

static uint64_t rows_lost(const struct session *s)
{
	return account_total(&s->account).kernel.lost;
}

struct setting *swap_setting(const struct swap *sw)
{
	return sw->wanted ? sw->wanted : sw->running->setting;
}

static void set_wanted(struct swap *sw, struct setting *setting)
{
	if (setting)
		setting_use(setting);
	setting_drop(sw->wanted);
	sw->wanted = setting;
}

/* Tries to send the newest request; a full socket is tried again later. */
static void send_request(struct swap *sw)
{
	struct wire_request *r = calloc(1, sizeof(*r));
	int err;

	if (!r)
		return;
	r->kind = WIRE_BUILD;
	r->id = sw->id;
	r->digest = sw->forced ? 0 : source_digest(&sw->running->source);
	r->changes = swap_setting(sw)->changes;
	r->pids = sw->running->conf->pids;
	add_live(r, sw->running);
	err = wire_send(sw->sock, r, wire_request_size(r->live_n), NULL, 0, MSG_DONTWAIT);
	free(r);
	sw->unsent = err == -EAGAIN || err == -ENOMEM || err == -ENOBUFS;
}

static int request(struct swap *sw, bool forced)
{
	if (sw->sock < 0)
		return -EPIPE;
	offer_drop(&sw->offer);
	sw->ready = false;
	sw->id++;
	sw->building = sw->unsent = true;
	sw->forced = forced;
	sw->again = false;
	if (!session_read_account(sw->running))
		sw->lost_before = rows_lost(sw->running);
	send_request(sw);
	return 0;
}

int swap_request(struct swap *sw, struct setting *setting)
{
	int err = sw->sock < 0 ? -EPIPE : 0;

	if (!err) {
		set_wanted(sw, setting);
		err = request(sw, true);
	}
	return err;
}

bool swap_is_asked(const struct swap *sw, struct text *what)
{
	if (!sw->building && !sw->ready)
		return false;
	if (what)
		changes_describe(sw->running->conf, &swap_setting(sw)->conf, what);
	return true;
}

bool swap_is_commanded(const struct swap *sw)
{
	return sw->forced;
}

void swap_amend(struct swap *sw, struct setting *setting)
{
	if (!sw->building && !sw->ready)
		return;
	set_wanted(sw, setting);
	if (sw->ready)
		session_set(&sw->offer.s, setting);
}

/* Asks for WIRE_SETTLED. An end of the broker is found by swap_turn(). */
static void send_settle(struct swap *sw)
{
	static struct wire_request r = { .kind = WIRE_SETTLE };
	int err;

	r.id = sw->id;
	err = wire_send(sw->sock, &r, wire_request_size(0), NULL, 0, MSG_DONTWAIT);
	sw->unsent_settle = err == -EAGAIN || err == -ENOMEM || err == -ENOBUFS;
}

static void send_path(struct swap *sw)
{
	struct wire_request *r = calloc(1, sizeof(*r));
	int err = -ENOMEM;

	if (r) {
		r->kind = WIRE_OPEN;
		r->id = sw->id;
		memcpy(r->path, sw->path, strlen(sw->path) + 1);
		err = wire_send(sw->sock, r, wire_request_size(0), NULL, 0, MSG_DONTWAIT);
	}
	free(r);
	sw->unsent_path = err == -EAGAIN || err == -ENOMEM || err == -ENOBUFS;
}

int swap_open_file(struct swap *sw, const char *path)
{
	if (sw->sock < 0)
		return -EPIPE;
	if (sw->path)
		return -EBUSY;
	if (strlen(path) >= WIRE_PATH_MAX)
		return -ENAMETOOLONG;
	sw->path = strdup(path);
	if (!sw->path)
		return -ENOMEM;
	send_path(sw);
	return 0;
}

int swap_take_file(struct swap *sw, struct text *why)
{
	int fd = sw->file;

	text_puts(why, text_str(&sw->file_why));
	sw->file = -1;
	return fd;
}

/* --- answers ------------------------------------------------------------------------ */

/* The log without its last line end. */
static void add_log(struct text *text, const struct text *log)
{
	size_t len = log->len;

	while (len && log->s[len - 1] == '\n')
		len--;
	text_puts(text, text->len && len ? "\n" : "");
	text_add(text, text_str(log), len);
}

static enum swap_news fail(struct swap *sw, int err, struct text *text)
{
	struct text what = { 0 };
	bool known;

	add_log(text, &sw->offer.log);
	if (!text->len)
		text_puts(text, err == -EMFILE ? TOO_MANY_FILES : strerror(-err));
	changes_describe(sw->running->conf, &swap_setting(sw)->conf, &what);
	text_printf(text, "\n%s%s: the program that was there goes on",
		    what.len ? "Not changed: " : "Not reloaded", text_str(&what));
	text_free(&what);
	known = sw->failed && sw->again && !strcmp(text_str(&sw->failure), text_str(text));
	text_reset(&sw->failure);
	text_puts(&sw->failure, text_str(text));
	set_wanted(sw, NULL);
	sw->failed = !sw->forced;
	offer_drop(&sw->offer);
	if (known)
		text_reset(text);
	return known ? SWAP_SAME : SWAP_FAILED;
}

static enum swap_news done(struct swap *sw, const struct wire_reply *r, struct text *text)
{
	int err;

	sw->building = false;
	if (sw->watch.fd >= 0)
		watch_found(&sw->watch, r->done.dirs < INT_MAX ? (int)r->done.dirs : INT_MAX);
	if (r->done.error == EALREADY) {
		if (sw->failed)
			text_puts(text, "Not reloaded: the probes are again those that run");
		sw->failed = false;
		set_wanted(sw, NULL);
		offer_drop(&sw->offer);
		return SWAP_SAME;
	}
	err = r->done.error ? -r->done.error
			    : offer_complete(&sw->offer, sw->running, swap_setting(sw), r);
	if (err)
		return fail(sw, err, text);
	sw->ready = true;
	return SWAP_NONE;
}

static enum swap_news file(struct swap *sw, const struct wire_reply *r, int *fd)
{
	free(sw->path);
	sw->path = NULL;
	text_reset(&sw->file_why);
	if (r->file.why[0])
		text_add_escaped(&sw->file_why, r->file.why, strlen(r->file.why), false);
	else if (r->file.error)
		text_puts(&sw->file_why,
			  r->file.error == EMFILE ? TOO_MANY_FILES : strerror(r->file.error));
	if (sw->file >= 0)
		close(sw->file);
	sw->file = r->file.error ? -r->file.error : *fd;
	*fd = -1;
	return SWAP_FILE;
}

/* The descriptors of a message of this kind are lost, for want of numbers for them. */
static enum swap_news no_room(struct swap *sw, uint32_t kind, uint32_t id, struct text *text)
{
	struct wire_reply r = { .kind = WIRE_FILE, .file.error = EMFILE };
	int none = -1;

	if (kind == WIRE_FILE)
		return sw->path ? file(sw, &r, &none) : SWAP_NONE;
	if (!sw->building || id != sw->id)
		return SWAP_NONE;
	sw->building = false;
	return fail(sw, -EMFILE, text);
}

static enum swap_news alone(struct swap *sw, struct text *text)
{
	if (sw->sock >= 0)
		close(sw->sock);
	sw->sock = -1;
	sw->forced = sw->forced && (sw->building || sw->ready);
	sw->building = sw->ready = sw->unsent = sw->unsent_settle = sw->unsent_path = false;
	set_wanted(sw, NULL);
	sw->settled_by_ns = clock_monotonic_ns() + SETTLE_ALONE_NS;
	offer_drop(&sw->offer);
	text_puts(text,
		  "the process that builds programs has ended: this one runs on, and no change "
		  "of the probes is taken any more");
	if (sw->path)
		text_puts(text, "; nor are rows written to the file");
	return SWAP_ALONE;
}

/* One message. Returns false when there is none. */
static bool receive(struct swap *sw, enum swap_news *news, struct text *text)
{
	static struct wire_reply r;
	int fds[WIRE_MAX_FDS] = { -1, -1, -1, -1 }, nfds, n, err = 0;
	size_t len;

	n = wire_receive(sw->sock, &r, sizeof(r), &len, fds, &nfds, MSG_DONTWAIT);
	if (n == -EAGAIN)
		return false;
	if (n == -EMFILE) {
		*news = no_room(sw, r.kind, r.id, text);
		return true;
	}
	if (n != 1) {
		*news = alone(sw, text);
		return false;
	}
	if (!wire_reply_ok(&r, len, nfds)) {
		wire_close(fds, nfds);
		*news = alone(sw, text); /* never again a word from that one */
		return false;
	}
	if (r.kind == WIRE_SETTLED) {
		if (sw->settling)
			*news = SWAP_SETTLED;
	} else if (r.kind == WIRE_FILE) {
		if (sw->path)
			*news = file(sw, &r, fds);
	} else if (r.id == sw->id && sw->building) {
		if (r.kind == WIRE_DONE)
			*news = done(sw, &r, text);
		else
			err = offer_take(&sw->offer, &r, fds);
	}
	wire_close(fds, nfds);
	if (err) {
		sw->building = false;
		*news = fail(sw, err, text);
	}
	return true;
}

enum swap_news swap_turn(struct swap *sw, struct text *text)
{
	enum swap_news news = SWAP_NONE;
	uint64_t now = clock_monotonic_ns();
	bool again;

	if (sw->sock < 0) {
		if (!sw->settling || now < sw->settled_by_ns)
			return SWAP_NONE;
		sw->settled_by_ns = UINT64_MAX; /* said once */
		return SWAP_SETTLED;
	}
	if (sw->watch.fd >= 0) {
		watch_read(&sw->watch);
		again = watch_take_again(&sw->watch, now);
		if (watch_take(&sw->watch, now) || again) {
			request(sw, sw->forced && (sw->building || sw->ready));
			sw->again = again;
		}
	}
	if (sw->unsent_settle)
		send_settle(sw);
	else if (sw->unsent_path)
		send_path(sw);
	else if (sw->unsent)
		send_request(sw);
	while (news == SWAP_NONE && receive(sw, &news, text))
		;
	if (news == SWAP_NONE && sw->ready && !sw->settling)
		news = SWAP_READY;
	return news;
}

const struct session *swap_offer(const struct swap *sw)
{
	return &sw->offer.s;
}

void swap_refuse(struct swap *sw, int err, struct text *text)
{
	text_printf(text, "the new program cannot be put in place: %s", strerror(-err));
	sw->ready = false;
	fail(sw, err, text);
}

/* --- the exchange ------------------------------------------------------------------- */

int swap_commit(struct swap *sw, struct session *old, struct text *text)
{
	struct session *cur = sw->running;
	int err;

	err = offer_put_in_place(&sw->offer, cur, old);
	if (err) {
		swap_refuse(sw, err, text);
		return err;
	}
	add_log(text, &sw->offer.log);
	difference_stages(text, cur, old);
	text_reset(&sw->changed);
	difference_parts(&sw->changed, &cur->source, &old->source);
	sw->parts = sw->changed.len;
	changes_describe(old->conf, cur->conf, &sw->changed);
	sw->compile_ns = sw->offer.compile_ns;
	sw->load_ns = sw->offer.load_ns;
	sw->attach_ns = sw->offer.attach_ns;
	set_wanted(sw, NULL);
	sw->failed = sw->ready = false;
	offer_drop(&sw->offer);
	sw->settling = true;
	send_settle(sw);
	return 0;
}

int swap_read_old(struct swap *sw, struct session *old)
{
	int i, err;

	err = session_read_account(old);
	for (i = 0; i < old->stages.n && !err; i++)
		if (old->lines[i].served)
			err = account_leave(&sw->running->account, old->lines[i].stage,
					    &old->lines[i].tally);
	return err;
}

static void add_ms(struct text *t, uint64_t ns, const char *what)
{
	text_printf(t, "%s %llu ms, ", what,
		    (unsigned long long)((ns + NSEC_PER_MSEC / 2) / NSEC_PER_MSEC));
}

static void say_done(const struct swap *sw, uint64_t lost, struct text *text)
{
	text_printf(text, "%s: %s (", sw->parts || !sw->changed.len ? "Reloaded" : "Changed",
		    sw->changed.len ? sw->changed.s : "the same probes and options");
	if (sw->compile_ns)
		text_printf(text, "compile %.2f s, ", (double)sw->compile_ns / 1e9);
	else
		text_puts(text, "compiled before, ");
	add_ms(text, sw->load_ns, "load");
	add_ms(text, sw->attach_ns, "attach");
	if (lost)
		text_printf(text, "%llu row%s lost)", (unsigned long long)lost,
			    lost > 1 ? "s" : "");
	else
		text_puts(text, "no row lost)");
}

void swap_settle(struct swap *sw, struct session *old, struct text *text)
{
	struct session *cur = sw->running;
	uint64_t lost;

	swap_read_old(sw, old);
	missed_settle(&cur->hooks, &old->hooks, old->program.counters_fd);
	account_settle(&cur->account);
	cur->account.stray += old->account.stray;
	if (old->rings) {
		rings_enter(old->rings, -1);
		cur->spare = old->rings;
		old->rings = NULL;
	}
	session_close(old);
	session_read_account(cur);
	lost = rows_lost(cur);
	say_done(sw, lost > sw->lost_before ? lost - sw->lost_before : 0, text);
	sw->lost_before = lost; /* for a request that was made meanwhile */
	sw->settling = false;
}
