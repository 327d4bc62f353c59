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
#include "app/loop_parts.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include "app/confine.h"
#include "app/buffers.h"
#include "base/clock.h"
#include "base/log.h"
#include "bpf/kernel.h"
#include "sink/namespaces.h"

#define TURN_MS 20
/* After a second without an event; a row still appears within 50 ms. */
#define IDLE_TURN_MS 45
#define IDLE_AFTER_NS NSEC_PER_SEC
/* How many turns with events a second may have, and events a turn, for rings to stay prompt. */
#define PROMPT_TURNS 10
#define PROMPT_EVENTS 64
/* ... and while an event is held back for others to settle, short. */
#define HELD_TURN_MS 2
/* After detaching: the longest that a probe which is still running is waited for. */
#define LAST_EVENTS_MS 500
#define NICENESS (-5)
/* How often it is looked whether a CPU came online. */
#define REFRESH_NS NSEC_PER_SEC

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

	if (loop_read_account(l))
		return;
	if (l->block_lines && fits_terminal(l))
		text_printf(&l->out.buf, "\033[%dA\033[J", l->block_lines);
	else if (l->blocks)
		text_puts(&l->out.buf, "\n");
	l->block_lines = books_block(&s->account, s->lines, l->before, s->lines_n,
				     now > l->block_ns ? now - l->block_ns : 1, &l->out.buf);
	memcpy(l->before, s->lines, (size_t)s->lines_n * sizeof(*l->before));
	l->block_ns = now;
	l->block_due_ns = now + s->conf->interval_ns;
	l->blocks++;
	l->host.blocks++;
	loop_flush(l);
	if (l->end != RUNNING)
		return;
	if ((s->conf->interval_count && l->host.blocks >= s->conf->interval_count) ||
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

void loop_poll_rings(struct loop *l)
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
	loop_poll_rings(l);
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
	err = buffers_refresh(l->s);
	if (err < 0 && !l->refresh_failed) {
		console_hide(l->console);
		log_error("a CPU came online, and no event buffer can be opened for it (%s): its "
			  "events are counted as lost",
			  strerror(-err));
	}
	l->refresh_failed = err < 0;
	if (!err)
		return;
	loop_poll_rings(l);
	/* a new ring need not be as prompt as the others */
	loop_set_prompt(l, false);
	l->prompt = false;
}

/* -N goes by the inode number, so nothing comes when its namespace is gone, or what comes is of
 * another one that was given the number. Names of /run/netns can be looked at. */
static void look_at_netns(struct loop *l)
{
	const struct namespaces *n = l->view->table.namespaces;
	const struct config *c = l->s->conf;
	uint64_t now = clock_monotonic_ns(), inode;
	struct text name = { 0 };

	if (!n || !c->netns || now < l->netns_looked_ns + REFRESH_NS)
		return;
	l->netns_looked_ns = now;
	if (namespaces_inode(n, c->netns, &inode))
		return;
	if (inode == l->s->netns)
		l->netns_gone = 0;
	if (inode == l->s->netns || l->s->netns == l->netns_gone)
		return;
	text_add_quoted(&name, c->netns, strlen(c->netns));
	console_hide(l->console);
	log_error("-N: %s is gone%s: rows are chosen by its number, %" PRIu32
		  ", which another namespace may be given",
		  text_str(&name), inode ? ", and another one has its name" : "", l->s->netns);
	text_free(&name);
	l->netns_gone = l->s->netns;
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
		loop_set_prompt(l, false);
		l->prompt = false;
	} else if (!l->prompt && now - l->busy_ns > IDLE_AFTER_NS) {
		l->prompt = loop_set_prompt(l, true);
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
	return l->s->shared ? SHARED_LATE_MS : REFRESH_NS / NSEC_PER_MSEC;
}

/* Milliseconds until something is due, rounded up. */
static int next_turn_ms(const struct loop *l)
{
	uint64_t now = clock_monotonic_ns(), due = UINT64_MAX;

	if (l->s->conf->stats && l->host.paused)
		due = now + NSEC_PER_SEC;
	else if (l->s->conf->stats)
		due = l->block_due_ns;
	else
		due = now + turn_ms(l, now) * NSEC_PER_MSEC;
	if (l->ends_ns && l->ends_ns < due)
		due = l->ends_ns;
	if (console_is_due(l->console))
		return 0;
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
static bool has_commands(const struct loop *l)
{
	return l->end == RUNNING && (l->fds[FD_CONSOLE].revents || console_is_due(l->console));
}

static void commands(struct loop *l)
{
	if (!has_commands(l))
		return;
	if (!l->s->conf->stats)
		loop_drain(l, false);
	if (!has_commands(l)) /* they were taken while the rows waited for their reader */
		return;
	loop_take_commands(l, false);
	loop_flush(l);
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
		loop_take_signal(l);
	if (l->fds[FD_STDOUT].revents & (POLLERR | POLLHUP | POLLNVAL))
		l->end = READER_GONE;
	for (i = FD_RINGS; i < n; i++)
		if (l->fds[i].revents & (POLLHUP | POLLERR | POLLNVAL))
			l->fds[i].fd = -1; /* its CPU went offline; the timer still drains it */
	commands(l);
	if (l->end != RUNNING)
		return;
	if (!l->s->conf->stats) {
		choose_pace(l, loop_drain(l, false));
		refresh(l);
	} else if (!l->host.paused && clock_monotonic_ns() >= l->block_due_ns) {
		block(l);
	}
	look_at_netns(l);
	if (l->swap)
		loop_look_at_swap(l);
	l->fds[FD_CONSOLE].fd = console_fd(l->console);
	if (l->end == RUNNING && l->ends_ns && clock_monotonic_ns() >= l->ends_ns)
		l->end = ENDED;
	if (l->end == RUNNING)
		console_show(l->console);
}

/* --- start and end ---------------------------------------------------------------- */

static void first_header(struct loop *l)
{
	loop_fit_terminal(l);
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
	loop_flush(l);
}

/* Probes that were running when their hook was taken off may still submit. */
static void last_drain(struct loop *l)
{
	uint64_t until = clock_monotonic_ns() + LAST_EVENTS_MS * NSEC_PER_MSEC;

	if (l->s->conf->stats) {
		usleep(1000);
		loop_read_account(l);
		return;
	}
	do {
		loop_drain(l, false);
		loop_read_account(l);
		if (!account_open_items(&l->s->account) && !l->hold.n)
			break;
		usleep(1000);
	} while (clock_monotonic_ns() < until);
	loop_drain(l, true);
	loop_read_account(l);
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
	loop_drop_changes(l);
	if (l->leaving.s) {
		l->unwritten_n = 0; /* rows that nobody takes any more */
		loop_retire(l, false);
	}
	loop_close_tee(l);
	books_closing(&l->s->account, l->s->lines, l->s->lines_n, &t);
	if (l->end == WRITE_FAILED)
		log_error("cannot write the rows: %s", strerror(-l->error));
	log_info("%s", text_str(&t));
	log_info("Monitoring stopped.");
	text_free(&t);
}

/*
 * Among many busy threads everybody's share of a processor is small, and rings that wait for us
 * fill up in some 20 ms. So a run that has rows to fetch gets three shares; a niceness that
 * somebody has chosen stays. Without the right to, it stays as well.
 */
static void ask_for_time(const struct config *c)
{
	int nice;

	errno = 0;
	nice = c->stats ? -1 : getpriority(PRIO_PROCESS, 0);
	if (!nice && !errno)
		setpriority(PRIO_PROCESS, 0, NICENESS);
}

int loop_run(struct session *s, struct view *view, struct swap *swap)
{
	struct loop l = { .s = s, .view = view, .swap = swap, .tee.fd = -1 };
	int err;

	loop_host(&l);
	out_open(&l.out, STDOUT_FILENO, s->stop_fd);
	view_begin(view, s->conf, l.out.tty);
	loop_open_owners(&l);
	err = table_open(&l.table, s->shown, s->hooks.n, s->conf->debug_func, &view->table);
	if (!err)
		err = feed_open(&l.now, &l, s, s->rings ? rings_capacity(s->rings) : 0,
				columns_slot(view->columns, "inode"));
	if (!err)
		err = open_poll_set(&l);
	l.before = calloc((size_t)s->lines_n + 1, sizeof(*l.before));
	if (!err && !l.before)
		err = -ENOMEM;
	if (!err && swap)
		err = swap_run(swap, s);
	if (!err && s->conf->console)
		err = console_open(&l.console, &l.host);
	ask_for_time(s->conf);
	if (!err)
		err = confine(s);
	if (!err) {
		table_set_symboliser(l.table, kernel_symbol_at);
		l.started_ns = l.block_ns = l.refreshed_ns = clock_monotonic_ns();
		l.block_due_ns = l.block_ns + s->conf->interval_ns;
		if (s->conf->duration_ns)
			l.ends_ns = l.started_ns + s->conf->duration_ns;
		look_at_netns(&l);
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
