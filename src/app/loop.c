/* SPDX-License-Identifier: MIT */
/*
 * Theory of operation. The kernel wakes us when a ring has collected a few hundred
 * events, and a timer of some milliseconds wakes us for the rest: waking for every
 * event would cost the traced host half its round trips. At each turn all rings are
 * drained, the events put into the order of their time stamps, and written in one go.
 *
 * After a second without an event the rings are made prompt instead: each event wakes us,
 * and there is no timer, for turns that find nothing are what an idle host would pay for.
 * It stays so for as long as few events come.
 *
 * Every end takes the same way: detach, drain until the books balance, print them.
 */
#include "app/loop.h"

#include <arpa/inet.h>
#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "app/confine.h"
#include "app/console.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/out.h"
#include "bpf/kernel.h"
#include "event/decode.h"
#include "event/merge.h"

#define TURN_MS 20
/* After a second without an event; a row still appears within 50 ms. */
#define IDLE_TURN_MS 45
#define IDLE_AFTER_NS NSEC_PER_SEC
/* How many turns with events a second may have, and events a turn, for rings to stay prompt. */
#define PROMPT_TURNS 10
#define PROMPT_EVENTS 64
/* ... and while an event is held back for others to settle, short. */
#define HELD_TURN_MS 2
/* How old an event must be before it is printed: by then every event that was stamped
 * earlier has reached its ring. */
#define SETTLE_NS NSEC_PER_MSEC
/* After detaching: the longest that a probe which is still running is waited for, and
 * the longest that a reader who stopped reading is. */
#define LAST_EVENTS_MS 500
#define LAST_ROWS_MS 1000
/* After a signal: how long a reader who is slow has for all the rows that are left. */
#define SIGNALLED_ROWS_MS 2000
/* With a console: how long rows wait for the terminal before keys are looked at. */
#define KEYS_MS 20
#define NOT_RELOADED "Not reloaded: the program that was there goes on"
/* How often it is looked whether a CPU came online. */
#define REFRESH_NS NSEC_PER_SEC
/* Write when so much is collected, even within one turn. */
#define FLUSH_BYTES ((size_t)64 << 10)

enum end {
	RUNNING,
	ENDED,
	READER_GONE,
	WRITE_FAILED
};

/* A row that was made and not yet written: it counts as printed once it is. */
struct unwritten {
	uint64_t end; /* bytes of output, with this row */
	struct tally *tally;
};

/* A program's way to the rows. */
struct feed {
	struct loop *l;
	struct session *s;
	struct merge *merge;
};

enum {
	FD_STOP,
	FD_STDOUT,
	FD_CONSOLE,
	FD_SWAP,
	FD_WATCH,
	FD_RINGS
};

struct loop {
	struct session *s;
	struct view *view;
	struct table *table;
	struct feed now;
	struct swap *swap; /* NULL: the program stays */
	/* a program that another one has taken the place of: rows of it are on their way */
	struct session old;
	struct feed leaving; /* .s is NULL when there is none */
	bool settled;        /* and it is not called any more */
	struct out out;
	struct console *console; /* NULL: none */
	struct console_host host;
	struct pollfd *fds;
	int nfds;
	struct unwritten *unwritten;
	size_t unwritten_n, unwritten_cap;
	int64_t wall_offset_ns;
	bool headed; /* the table's header was printed */
	uint64_t rows;
	uint64_t busy_ns;   /* when there was last something to drain */
	bool prompt;        /* each event wakes us */
	uint64_t prompt_ns; /* since when */
	uint64_t window_ns; /* the second in which `turns` found something */
	int turns;
	uint64_t started_ns;
	uint64_t give_up_ns; /* after a signal: when the rest of the rows is given up; 0: none */
	uint64_t refreshed_ns;
	bool refresh_failed; /* and that was said */
	uint64_t ends_ns;    /* 0: no end */
	enum end end;
	int error;
	/* -s */
	struct books_line *before;
	uint64_t block_ns; /* when the last block was made */
	uint64_t blocks;
	int block_lines; /* to go up on a terminal */
};

/* --- signals ---------------------------------------------------------------------- */

static void take_signal(struct loop *l)
{
	struct signalfd_siginfo si;

	if (read(l->s->stop_fd, &si, sizeof(si)) != sizeof(si))
		return;
	/* the key, not kill(1) */
	if (si.ssi_signo == SIGINT && si.ssi_code == SI_KERNEL && console_interrupt(l->console))
		return;
	if (l->end == RUNNING) {
		console_hide(l->console);
		/* "^C" stands on the line */
		if (!l->console && l->out.tty && si.ssi_signo == SIGINT)
			log_info(" ");
		log_info("Received signal %u, cleaning up...", si.ssi_signo);
		l->end = ENDED;
		l->give_up_ns = clock_monotonic_ns() + SIGNALLED_ROWS_MS * NSEC_PER_MSEC;
	}
}

/* --- rows ------------------------------------------------------------------------- */

static void note_row(struct loop *l, struct tally *tally)
{
	struct unwritten *v;
	size_t cap;

	if (l->unwritten_n == l->unwritten_cap) {
		cap = l->unwritten_cap ? l->unwritten_cap * 2 : 512;
		v = realloc(l->unwritten, cap * sizeof(*v));
		if (!v)
			return;
		l->unwritten = v;
		l->unwritten_cap = cap;
	}
	l->unwritten[l->unwritten_n++] =
		(struct unwritten){ l->out.written + l->out.buf.len, tally };
}

static void count_written(struct loop *l)
{
	size_t i;

	for (i = 0; i < l->unwritten_n && l->unwritten[i].end <= l->out.written; i++)
		l->unwritten[i].tally->printed++;
	l->unwritten_n -= i;
	if (l->unwritten_n)
		memmove(l->unwritten, l->unwritten + i, l->unwritten_n * sizeof(*l->unwritten));
}

static int ms_until(uint64_t then_ns)
{
	uint64_t now = clock_monotonic_ns(), ms;

	ms = now < then_ns ? (then_ns - now) / NSEC_PER_MSEC + 1 : 0;
	return ms < INT_MAX ? (int)ms : INT_MAX;
}

/* How long a write may wait for the reader; -1: for ever. */
static int patience_ms(const struct loop *l)
{
	int ms;

	if (l->end == RUNNING) {
		ms = l->ends_ns ? ms_until(l->ends_ns) : -1;
		return l->console && (ms < 0 || ms > KEYS_MS) ? KEYS_MS : ms;
	}
	return l->give_up_ns ? ms_until(l->give_up_ns) : LAST_ROWS_MS;
}

/* The terminal may have been resized, without one nothing is cut; or a command has made
 * another table. */
static void fit_terminal(struct loop *l)
{
	bool renew = l->host.new_table;
	struct winsize ws;

	l->host.new_table = false;
	if (l->out.tty && !l->view->wide && !ioctl(l->out.fd, TIOCGWINSZ, &ws) &&
	    table_set_width(l->table, ws.ws_col))
		renew = true;
	if (renew && l->headed)
		table_header(l->table, &l->out.buf);
}

/* What was typed. Between two rows, and between two pieces of output. */
static void take_commands(struct loop *l, bool behind)
{
	console_read(l->console, behind);
	l->fds[FD_CONSOLE].fd = console_fd(l->console);
	fit_terminal(l);
	if (l->host.quit && l->end == RUNNING)
		l->end = ENDED;
}

/* The reader has not taken all yet: whether to go on waiting for him. */
static bool look_around(struct loop *l)
{
	take_signal(l);
	console_hide(l->console);
	if (l->ends_ns && clock_monotonic_ns() >= l->ends_ns)
		l->end = ENDED;
	if (!l->console || l->end != RUNNING)
		return false;
	l->fds[FD_CONSOLE].revents = 0;
	if (poll(&l->fds[FD_CONSOLE], 1, 0) == 1)
		take_commands(l, true);
	return l->end == RUNNING;
}

/* Only a signal, --duration or a command ends the wait for a reader who does not read; then
 * he has a second more, and the rest of the rows is given up. */
static void flush(struct loop *l)
{
	int err;

	if (l->out.buf.len)
		console_hide(l->console);
	do
		err = out_flush(&l->out, patience_ms(l));
	while (err == -EAGAIN && l->end == RUNNING && look_around(l));
	if (err == -EAGAIN && l->end == ENDED)
		err = out_flush(&l->out, patience_ms(l));
	count_written(l);
	if (!err || (err == -EAGAIN && l->end == RUNNING))
		return;
	l->end = err == -EPIPE || err == -EAGAIN ? READER_GONE : WRITE_FAILED;
	l->error = l->end == READER_GONE ? 0 : err;
	text_reset(&l->out.buf);
}

static void on_event(void *arg, const struct lnk_record *e)
{
	struct feed *f = arg;
	struct loop *l = f->l;
	const struct config *c = l->s->conf;

	if (l->end == READER_GONE || l->end == WRITE_FAILED || (c->count && l->rows >= c->count))
		return;
	if (l->host.paused) {
		f->s->account.v[e->event.hook].paused++;
		return;
	}
	if (l->leaving.s) /* a command may have made another table since */
		table_set_hooks(l->table, f->s->shown);
	table_row(l->table, e, l->wall_offset_ns, &l->out.buf);
	l->rows++;
	note_row(l, &f->s->account.v[e->event.hook]);
	if (l->out.buf.len >= FLUSH_BYTES)
		flush(l);
	if (c->count && l->rows >= c->count && l->end == RUNNING)
		l->end = ENDED;
}

static void on_sample(void *arg, int ring, const void *data, size_t size)
{
	struct feed *f = arg;
	struct account *a = &f->s->account;
	struct lnk_record e;

	if (event_decode(&e, data, size, f->s->hooks.n, f->s->extra)) {
		a->stray++;
		return;
	}
	a->v[e.event.hook].received++;
	if (merge_add(f->merge, ring, &e))
		a->v[e.event.hook].malformed++;
}

static bool feed_is_empty(const struct feed *f)
{
	return !f->s ||
	       ((!f->s->rings || rings_are_empty(f->s->rings)) && merge_is_empty(f->merge));
}

static size_t feed_drain(struct feed *f)
{
	size_t n = 0;
	int i;

	for (i = 0; f->s && f->s->rings && i < rings_count(f->s->rings); i++)
		n += rings_drain(f->s->rings, i, on_sample, f);
	return n;
}

/* Prints up to the horizon, in the order of time also across two programs. */
static void print_until(struct loop *l, uint64_t horizon)
{
	struct feed *first;
	uint64_t old_ns, now_ns, until;

	while (l->leaving.s) {
		old_ns = merge_oldest_ns(l->leaving.merge);
		now_ns = merge_oldest_ns(l->now.merge);
		if (old_ns == UINT64_MAX)
			break;
		first = old_ns <= now_ns ? &l->leaving : &l->now;
		until = old_ns <= now_ns ? now_ns : old_ns;
		if ((old_ns <= now_ns ? old_ns : now_ns) >= horizon)
			return;
		table_set_hooks(l->table, first->s->shown);
		merge_take(first->merge, until < horizon ? until + 1 : horizon, on_event, first);
	}
	table_set_hooks(l->table, l->now.s->shown);
	merge_take(l->now.merge, horizon, on_event, &l->now);
}

/* One turn: everything the rings hold now, printed up to the horizon. */
static size_t drain(struct loop *l, bool all)
{
	uint64_t horizon = all ? UINT64_MAX : clock_monotonic_ns() - SETTLE_NS;
	size_t n;

	fit_terminal(l);
	if (!all && feed_is_empty(&l->now) && feed_is_empty(&l->leaving)) {
		if (l->console) /* a new header need not wait for a row */
			flush(l);
		return 0;
	}
	l->busy_ns = clock_monotonic_ns();
	view_refresh(l->view, l->busy_ns);
	l->wall_offset_ns = clock_wall_offset_ns();
	n = feed_drain(&l->leaving);
	n += feed_drain(&l->now);
	print_until(l, horizon);
	flush(l);
	return n;
}

static int read_account(struct loop *l)
{
	int err = l->leaving.s ? swap_read_old(l->swap, &l->old) : 0;

	return err ? err : session_read_account(l->s);
}

/* --- blocks of -s ----------------------------------------------------------------- */

/* In place only where the block's lines are not wrapped and none scrolls away. */
static bool fits_terminal(const struct loop *l)
{
	struct winsize ws;

	return l->out.tty && !l->console && !ioctl(l->out.fd, TIOCGWINSZ, &ws) &&
	       (!ws.ws_col || (ws.ws_col >= 80 && ws.ws_row > l->block_lines));
}

static void block(struct loop *l)
{
	struct session *s = l->s;
	uint64_t now = clock_monotonic_ns();

	if (read_account(l))
		return;
	if (l->block_lines && fits_terminal(l))
		text_printf(&l->out.buf, "\033[%dA\033[J", l->block_lines);
	else if (l->blocks)
		text_puts(&l->out.buf, "\n");
	l->block_lines = books_block(&s->account, s->lines, l->before, s->lines_n,
				     now > l->block_ns ? now - l->block_ns : 1, &l->out.buf);
	memcpy(l->before, s->lines, (size_t)s->lines_n * sizeof(*l->before));
	l->block_ns = now;
	l->blocks++;
	flush(l);
	if (l->end != RUNNING)
		return;
	if ((s->conf->interval_count && l->blocks >= s->conf->interval_count) ||
	    (s->conf->count && account_events(&s->account) >= s->conf->count))
		l->end = ENDED;
}

/* --- the poll set ----------------------------------------------------------------- */

static void poll_feed(struct loop *l, const struct feed *f)
{
	int i;

	for (i = 0; f->s && f->s->rings && i < rings_count(f->s->rings); i++)
		l->fds[l->nfds++] =
			(struct pollfd){ .fd = rings_fd(f->s->rings, i), .events = POLLIN };
}

static void poll_rings(struct loop *l)
{
	l->nfds = FD_RINGS;
	poll_feed(l, &l->now);
	poll_feed(l, &l->leaving);
}

static int open_poll_set(struct loop *l)
{
	int rings = l->s->rings ? rings_capacity(l->s->rings) : 0;

	l->fds = calloc((size_t)rings * 2 + FD_RINGS, sizeof(*l->fds));
	if (!l->fds)
		return -ENOMEM;
	l->fds[FD_STOP] = (struct pollfd){ .fd = l->s->stop_fd, .events = POLLIN };
	/* no events asked: only tells that the reader of a pipe is gone */
	l->fds[FD_STDOUT] = (struct pollfd){ .fd = l->out.file ? -1 : l->out.fd };
	l->fds[FD_CONSOLE] = l->fds[FD_SWAP] = l->fds[FD_WATCH] =
		(struct pollfd){ .fd = -1, .events = POLLIN };
	poll_rings(l);
	return 0;
}

/* --- another program in place of this one ----------------------------------------- */

static int feed_open(struct feed *f, struct loop *l, const struct session *s, int rings)
{
	*f = (struct feed){ .l = l, .s = l->s };
	return merge_open(&f->merge, rings, s->extra);
}

static void feed_close(struct feed *f)
{
	merge_close(f->merge);
	*f = (struct feed){ 0 };
}

/* What the last block of -s showed, for the lines of the new program. */
static void carry_before(const struct loop *l, struct books_line *before)
{
	const struct session *s = l->s, *old = &l->old;
	int i, k;

	for (i = 0; i < s->lines_n; i++)
		for (k = 0; k < old->lines_n; k++)
			if (!strcmp(s->lines[i].stage, old->lines[k].stage))
				before[i] = l->before[k];
}

static void exchange(struct loop *l)
{
	const struct session *offer = swap_offer(l->swap);
	struct books_line *before;
	struct text said = { 0 };
	struct feed fresh;
	int err;

	console_hide(l->console);
	before = calloc((size_t)(offer->stages.n + l->s->lines_n) + 1, sizeof(*before));
	err = feed_open(&fresh, l, offer, l->s->rings ? rings_capacity(l->s->rings) : 0);
	if (!err && !before)
		err = -ENOMEM;
	if (!err)
		err = swap_commit(l->swap, &l->old, &said);
	else
		swap_refuse(l->swap, err, &said);
	if (said.len)
		log_info("%s", said.s);
	text_free(&said);
	if (err) {
		log_info(NOT_RELOADED);
		feed_close(&fresh);
		free(before);
		return;
	}
	l->leaving = l->now;
	l->leaving.s = &l->old;
	l->now = fresh;
	l->settled = false;
	carry_before(l, before);
	free(l->before);
	l->before = before;
	l->prompt = false; /* as rings_enter() leaves them */
	poll_rings(l);
}

static bool is_old(const struct loop *l, const struct tally *t)
{
	return t >= l->old.account.v && t < l->old.account.v + l->old.account.n;
}

/* All that the old program sent is in the table. */
static bool old_is_done(const struct loop *l)
{
	size_t i;

	for (i = 0; i < l->unwritten_n; i++)
		if (is_old(l, l->unwritten[i].tally))
			return false;
	return feed_is_empty(&l->leaving);
}

static void retire(struct loop *l, bool tell)
{
	struct text t = { 0 };

	swap_settle(l->swap, &l->old, &t);
	if (tell) {
		console_hide(l->console);
		log_info("%s", t.s);
	}
	text_free(&t);
	feed_close(&l->leaving);
	poll_rings(l);
}

static void look_at_swap(struct loop *l)
{
	struct text t = { 0 };
	enum swap_news news;

	while (l->end == RUNNING && (news = swap_turn(l->swap, &t)) != SWAP_NONE) {
		console_hide(l->console);
		if (news == SWAP_READY)
			exchange(l);
		else if (news == SWAP_SETTLED)
			l->settled = true;
		else if (news == SWAP_FAILED)
			log_info("%s\n" NOT_RELOADED, text_str(&t));
		else if (news == SWAP_ALONE)
			log_error("%s", text_str(&t));
		else if (t.len)
			log_info("%s", t.s);
		text_reset(&t);
	}
	text_free(&t);
	if (l->leaving.s && l->settled && old_is_done(l))
		retire(l, true);
	l->fds[FD_SWAP].fd = swap_fd(l->swap);
	l->fds[FD_WATCH].fd = swap_watch_fd(l->swap);
}

/* Without a ring a CPU's events are counted as lost, so a failure ends nothing. */
static void refresh(struct loop *l)
{
	uint64_t now = clock_monotonic_ns();
	int err;

	if (!l->s->rings || now < l->refreshed_ns + REFRESH_NS)
		return;
	l->refreshed_ns = now;
	err = session_refresh_rings(l->s);
	if (err < 0 && !l->refresh_failed) {
		console_hide(l->console);
		log_error("a CPU came online, and no event buffer can be opened for it (%s): its "
			  "events are counted as lost",
			  strerror(-err));
	}
	l->refresh_failed = err < 0;
	if (!err)
		return;
	poll_rings(l);
	/* a new ring need not be as prompt as the others */
	rings_set_prompt(l->s->rings, false);
	l->prompt = false;
}

/* After a turn that found n events: shall the next ones wake us? */
static void choose_pace(struct loop *l, size_t n)
{
	uint64_t now = clock_monotonic_ns();

	if (now - l->window_ns > NSEC_PER_SEC) {
		l->window_ns = now;
		l->turns = 0;
	}
	l->turns += n > 0;
	if (l->prompt && (n > PROMPT_EVENTS || l->turns > PROMPT_TURNS)) {
		rings_set_prompt(l->s->rings, false);
		l->prompt = false;
	} else if (!l->prompt && now - l->busy_ns > IDLE_AFTER_NS) {
		l->prompt = !rings_set_prompt(l->s->rings, true);
		l->prompt_ns = now;
	}
}

static uint64_t turn_ms(const struct loop *l, uint64_t now)
{
	if (!merge_is_empty(l->now.merge) || l->leaving.s)
		return HELD_TURN_MS;
	if (now - l->busy_ns <= IDLE_AFTER_NS && !l->prompt)
		return TURN_MS;
	/* one more turn for what was on its way before each event woke us */
	if (!l->prompt || now - l->prompt_ns <= IDLE_TURN_MS * NSEC_PER_MSEC)
		return IDLE_TURN_MS;
	return REFRESH_NS / NSEC_PER_MSEC;
}

/* Milliseconds until something is due, rounded up. */
static int next_turn_ms(const struct loop *l)
{
	uint64_t now = clock_monotonic_ns(), due = UINT64_MAX;

	if (l->s->conf->stats && l->host.paused)
		due = now + NSEC_PER_SEC;
	else if (l->s->conf->stats)
		due = l->block_ns + l->s->conf->interval_ns;
	else
		due = now + turn_ms(l, now) * NSEC_PER_MSEC;
	if (l->ends_ns && l->ends_ns < due)
		due = l->ends_ns;
	if (l->swap && swap_due_ns(l->swap) < due)
		due = swap_due_ns(l->swap);
	if (due <= now)
		return 0;
	return (int)((due - now + NSEC_PER_MSEC - 1) / NSEC_PER_MSEC);
}

/* How much of the poll set is looked at: while events are held back, others that come need
 * not wake us. */
static int watched(const struct loop *l)
{
	return l->prompt && !merge_is_empty(l->now.merge) ? FD_RINGS : l->nfds;
}

/* Rows that came before a command was typed are shown, or counted, before it. */
static void commands(struct loop *l)
{
	if (!l->fds[FD_CONSOLE].revents || l->end != RUNNING)
		return;
	if (!l->s->conf->stats)
		drain(l, false);
	take_commands(l, false);
	flush(l);
}

static void turn(struct loop *l)
{
	int i, n = watched(l);

	if (poll(l->fds, (nfds_t)n, next_turn_ms(l)) < 0) {
		if (errno != EINTR) {
			l->error = -errno;
			l->end = ENDED;
			return;
		}
		for (i = 0; i < n; i++) /* the terminal was resized: nothing is said of these */
			l->fds[i].revents = 0;
	}
	if (l->fds[FD_STOP].revents)
		take_signal(l);
	if (l->fds[FD_STDOUT].revents & (POLLERR | POLLHUP | POLLNVAL))
		l->end = READER_GONE;
	for (i = FD_RINGS; i < n; i++)
		if (l->fds[i].revents & (POLLHUP | POLLERR | POLLNVAL))
			l->fds[i].fd = -1; /* its CPU went offline; the timer still drains it */
	commands(l);
	if (l->end != RUNNING)
		return;
	if (!l->s->conf->stats) {
		choose_pace(l, drain(l, false));
		refresh(l);
	} else if (!l->host.paused &&
		   clock_monotonic_ns() >= l->block_ns + l->s->conf->interval_ns) {
		block(l);
	}
	if (l->swap)
		look_at_swap(l);
	if (l->end == RUNNING && l->ends_ns && clock_monotonic_ns() >= l->ends_ns)
		l->end = ENDED;
	if (l->end == RUNNING)
		console_show(l->console);
}

/* --- start and end ---------------------------------------------------------------- */

static void first_header(struct loop *l)
{
	fit_terminal(l);
	table_header(l->table, &l->out.buf);
	l->headed = true;
}

static void heading(struct loop *l)
{
	const struct config *c = l->s->conf;
	struct text t = { 0 };

	log_info("Started TCP monitoring...");
	ask_describe(c, &t);
	if (t.len) {
		t.s[t.len - 1] = '\0';
		log_info("%s", t.s);
	}
	text_free(&t);
	if (c->stats)
		text_puts(&l->out.buf, "TCP Event Monitoring - Statistics Mode\n"
				       "----------------------------------------\n");
	else
		first_header(l);
	flush(l);
}

/* Probes that were running when their hook was taken off may still submit. */
static void last_drain(struct loop *l)
{
	uint64_t until = clock_monotonic_ns() + LAST_EVENTS_MS * NSEC_PER_MSEC;

	if (l->s->conf->stats) {
		usleep(1000);
		read_account(l);
		return;
	}
	do {
		drain(l, false);
		read_account(l);
		if (!account_open_items(&l->s->account))
			break;
		usleep(1000);
	} while (clock_monotonic_ns() < until);
	drain(l, true);
	read_account(l);
}

static int read_books(void *loop)
{
	return read_account(loop);
}

/* The commands are a part of what is asked: see console_failed(). */
static int status(const struct loop *l)
{
	if (l->error)
		return l->error;
	return console_failed(l->console) ? -EINVAL : 0;
}

static void finish(struct loop *l)
{
	struct text t = { 0 };

	console_hide(l->console);
	log_info("Detaching probes...");
	session_detach(l->s);
	last_drain(l);
	if (l->leaving.s) {
		l->unwritten_n = 0; /* rows that nobody takes any more */
		retire(l, false);
	}
	books_closing(&l->s->account, l->s->lines, l->s->lines_n, &t);
	if (l->end == WRITE_FAILED)
		log_error("cannot write the rows: %s", strerror(-l->error));
	log_info("%s", text_str(&t));
	log_info("Monitoring stopped.");
	text_free(&t);
}

int loop_run(struct session *s, struct view *view, struct swap *swap)
{
	struct loop l = { .s = s, .view = view, .swap = swap };
	int err;

	l.host = (struct console_host){ .session = s,
					.view = view,
					.table = &l.table,
					.out = &l.out,
					.read_books = read_books,
					.loop = &l };
	out_open(&l.out, STDOUT_FILENO, s->stop_fd);
	view_begin(view, s->conf, l.out.tty);
	err = table_open(&l.table, s->shown, s->hooks.n, s->conf->debug_func, &view->table);
	if (!err)
		err = feed_open(&l.now, &l, s, s->rings ? rings_capacity(s->rings) : 0);
	if (!err)
		err = open_poll_set(&l);
	l.before = calloc((size_t)s->lines_n + 1, sizeof(*l.before));
	if (!err && !l.before)
		err = -ENOMEM;
	if (!err && s->conf->console)
		err = console_open(&l.console, &l.host);
	if (!err)
		err = confine(s);
	if (!err) {
		table_set_symboliser(l.table, kernel_symbol_at);
		if (swap)
			swap_run(swap, s);
		l.started_ns = l.block_ns = l.refreshed_ns = clock_monotonic_ns();
		if (s->conf->duration_ns)
			l.ends_ns = l.started_ns + s->conf->duration_ns;
		heading(&l);
		console_start(l.console);
		l.fds[FD_CONSOLE].fd = console_fd(l.console);
		while (l.end == RUNNING)
			turn(&l);
		finish(&l);
		err = status(&l);
	}
	console_close(l.console);
	table_close(l.table);
	feed_close(&l.now);
	out_close(&l.out);
	free(l.fds);
	free(l.unwritten);
	free(l.before);
	return err;
}
