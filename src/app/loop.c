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
	int hook;
};

struct loop {
	struct session *s;
	struct view *view;
	struct table *table;
	struct merge *merge;
	struct out out;
	struct pollfd *fds; /* stop, stdout, then the rings */
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
	if (l->end == RUNNING) {
		if (l->out.tty && si.ssi_signo == SIGINT) /* "^C" stands on the line */
			log_info(" ");
		log_info("Received signal %u, cleaning up...", si.ssi_signo);
		l->end = ENDED;
		l->give_up_ns = clock_monotonic_ns() + SIGNALLED_ROWS_MS * NSEC_PER_MSEC;
	}
}

/* --- rows ------------------------------------------------------------------------- */

static void note_row(struct loop *l, int hook)
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
		(struct unwritten){ l->out.written + l->out.buf.len, hook };
}

static void count_written(struct loop *l)
{
	size_t i;

	for (i = 0; i < l->unwritten_n && l->unwritten[i].end <= l->out.written; i++)
		l->s->account.v[l->unwritten[i].hook].printed++;
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
	if (l->end == RUNNING)
		return l->ends_ns ? ms_until(l->ends_ns) : -1;
	return l->give_up_ns ? ms_until(l->give_up_ns) : LAST_ROWS_MS;
}

/* Only a signal or --duration ends the wait for a reader who does not read; then he has a
 * second more, and the rest of the rows is given up. */
static void flush(struct loop *l)
{
	int err;

	err = out_flush(&l->out, patience_ms(l));
	if (err == -EAGAIN && l->end == RUNNING) {
		take_signal(l);
		if (l->ends_ns && clock_monotonic_ns() >= l->ends_ns)
			l->end = ENDED;
		if (l->end != RUNNING)
			err = out_flush(&l->out, patience_ms(l));
	}
	count_written(l);
	if (!err || (err == -EAGAIN && l->end == RUNNING))
		return;
	l->end = err == -EPIPE || err == -EAGAIN ? READER_GONE : WRITE_FAILED;
	l->error = l->end == READER_GONE ? 0 : err;
	text_reset(&l->out.buf);
}

static void on_event(void *arg, const struct lnk_record *e)
{
	struct loop *l = arg;
	const struct config *c = l->s->conf;

	if (l->end == READER_GONE || l->end == WRITE_FAILED || (c->count && l->rows >= c->count))
		return;
	table_row(l->table, e, l->wall_offset_ns, &l->out.buf);
	l->rows++;
	note_row(l, e->event.hook);
	if (l->out.buf.len >= FLUSH_BYTES)
		flush(l);
	if (c->count && l->rows >= c->count && l->end == RUNNING)
		l->end = ENDED;
}

static void on_sample(void *arg, int ring, const void *data, size_t size)
{
	struct loop *l = arg;
	struct lnk_record e;

	if (event_decode(&e, data, size, l->s->hooks.n, l->s->extra)) {
		l->s->account.stray++;
		return;
	}
	l->s->account.v[e.event.hook].received++;
	if (merge_add(l->merge, ring, &e))
		l->s->account.v[e.event.hook].malformed++;
}

/* The terminal may have been resized; without one nothing is cut. */
static void fit_terminal(struct loop *l)
{
	struct winsize ws;

	if (!l->out.tty || l->view->wide || ioctl(l->out.fd, TIOCGWINSZ, &ws))
		return;
	if (table_set_width(l->table, ws.ws_col) && l->headed)
		table_header(l->table, &l->out.buf);
}

/* One turn: everything the rings hold now, printed up to the horizon. */
static size_t drain(struct loop *l, bool all)
{
	uint64_t horizon = all ? UINT64_MAX : clock_monotonic_ns() - SETTLE_NS;
	size_t n = 0;
	int i;

	fit_terminal(l);
	if (!all && rings_are_empty(l->s->rings) && merge_is_empty(l->merge))
		return 0;
	l->busy_ns = clock_monotonic_ns();
	view_refresh(l->view, l->busy_ns);
	l->wall_offset_ns = clock_wall_offset_ns();
	for (i = 0; i < rings_count(l->s->rings); i++)
		n += rings_drain(l->s->rings, i, on_sample, l);
	merge_take(l->merge, horizon, on_event, l);
	flush(l);
	return n;
}

/* --- blocks of -s ----------------------------------------------------------------- */

/* In place only where the block's lines are not wrapped and none scrolls away. */
static bool fits_terminal(const struct loop *l)
{
	struct winsize ws;

	return l->out.tty && !ioctl(l->out.fd, TIOCGWINSZ, &ws) &&
	       (!ws.ws_col || (ws.ws_col >= 80 && ws.ws_row > l->block_lines));
}

static void block(struct loop *l)
{
	struct session *s = l->s;
	uint64_t now = clock_monotonic_ns();

	if (session_read_account(s))
		return;
	if (l->block_lines && fits_terminal(l))
		text_printf(&l->out.buf, "\033[%dA\033[J", l->block_lines);
	else if (l->blocks)
		text_puts(&l->out.buf, "\n");
	l->block_lines = books_block(&s->account, s->lines, l->before, s->stages.n,
				     now > l->block_ns ? now - l->block_ns : 1, &l->out.buf);
	memcpy(l->before, s->lines, (size_t)s->stages.n * sizeof(*l->before));
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

static void poll_rings(struct loop *l)
{
	int rings = l->s->rings ? rings_count(l->s->rings) : 0, i;

	for (i = 0; i < rings; i++)
		l->fds[2 + i] = (struct pollfd){ .fd = rings_fd(l->s->rings, i), .events = POLLIN };
	l->nfds = rings + 2;
}

static int open_poll_set(struct loop *l)
{
	int rings = l->s->rings ? rings_capacity(l->s->rings) : 0;

	l->fds = calloc((size_t)rings + 2, sizeof(*l->fds));
	if (!l->fds)
		return -ENOMEM;
	l->fds[0] = (struct pollfd){ .fd = l->s->stop_fd, .events = POLLIN };
	/* no events asked: only tells that the reader of a pipe is gone */
	l->fds[1] = (struct pollfd){ .fd = l->out.file ? -1 : l->out.fd };
	poll_rings(l);
	return 0;
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
	if (err < 0 && !l->refresh_failed)
		log_error("a CPU came online, and no event buffer can be opened for it (%s): its "
			  "events are counted as lost",
			  strerror(-err));
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
	if (!merge_is_empty(l->merge))
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

	if (l->s->conf->stats)
		due = l->block_ns + l->s->conf->interval_ns;
	else
		due = now + turn_ms(l, now) * NSEC_PER_MSEC;
	if (l->ends_ns && l->ends_ns < due)
		due = l->ends_ns;
	if (due <= now)
		return 0;
	return (int)((due - now + NSEC_PER_MSEC - 1) / NSEC_PER_MSEC);
}

/* How much of the poll set is looked at: while events are held back, others that come need
 * not wake us. */
static int watched(const struct loop *l)
{
	return l->prompt && !merge_is_empty(l->merge) ? 2 : l->nfds;
}

static void turn(struct loop *l)
{
	int i, n = watched(l);

	if (poll(l->fds, (nfds_t)n, next_turn_ms(l)) < 0 && errno != EINTR) {
		l->error = -errno;
		l->end = ENDED;
		return;
	}
	if (l->fds[0].revents)
		take_signal(l);
	if (l->fds[1].revents & (POLLERR | POLLHUP | POLLNVAL))
		l->end = READER_GONE;
	for (i = 2; i < n; i++)
		if (l->fds[i].revents & (POLLHUP | POLLERR | POLLNVAL))
			l->fds[i].fd = -1; /* its CPU went offline; the timer still drains it */
	if (l->end != RUNNING)
		return;
	if (!l->s->conf->stats) {
		choose_pace(l, drain(l, false));
		refresh(l);
	} else if (clock_monotonic_ns() >= l->block_ns + l->s->conf->interval_ns) {
		block(l);
	}
	if (l->end == RUNNING && l->ends_ns && clock_monotonic_ns() >= l->ends_ns)
		l->end = ENDED;
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
		session_read_account(l->s);
		return;
	}
	do {
		drain(l, false);
		session_read_account(l->s);
		if (!account_open_items(&l->s->account))
			break;
		usleep(1000);
	} while (clock_monotonic_ns() < until);
	drain(l, true);
	session_read_account(l->s);
}

static void finish(struct loop *l)
{
	struct text t = { 0 };

	log_info("Detaching probes...");
	session_detach(l->s);
	last_drain(l);
	books_closing(&l->s->account, l->s->lines, l->s->stages.n, &t);
	if (l->end == WRITE_FAILED)
		log_error("cannot write the rows: %s", strerror(-l->error));
	log_info("%s", text_str(&t));
	log_info("Monitoring stopped.");
	text_free(&t);
}

int loop_run(struct session *s, struct view *view)
{
	struct loop l = { .s = s, .view = view };
	int err;

	out_open(&l.out, STDOUT_FILENO, s->stop_fd);
	view_begin(view, s->conf, l.out.tty);
	err = table_open(&l.table, s->shown, s->hooks.n, s->conf->debug_func, &view->table);
	if (!err)
		err = merge_open(&l.merge, s->rings ? rings_capacity(s->rings) : 0, s->extra);
	if (!err)
		err = open_poll_set(&l);
	l.before = calloc((size_t)s->stages.n + 1, sizeof(*l.before));
	if (!err && !l.before)
		err = -ENOMEM;
	if (!err)
		err = confine(s);
	if (!err) {
		table_set_symboliser(l.table, kernel_symbol_at);
		l.started_ns = l.block_ns = l.refreshed_ns = clock_monotonic_ns();
		if (s->conf->duration_ns)
			l.ends_ns = l.started_ns + s->conf->duration_ns;
		heading(&l);
		while (l.end == RUNNING)
			turn(&l);
		finish(&l);
		err = l.error;
	}
	table_close(l.table);
	merge_close(l.merge);
	out_close(&l.out);
	free(l.fds);
	free(l.unwritten);
	free(l.before);
	return err;
}
