/* SPDX-License-Identifier: MIT */
/*
 * From the rings to standard output: decode, put in order, print, write. Here also is what
 * may come between two writes: a signal, and with a console what was typed.
 */
#include "app/loop_parts.h"

#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "app/buffers.h"
#include "base/clock.h"
#include "base/log.h"
#include "bpf/cpus.h"
#include "bpf/owner_map.h"
#include "event/decode.h"

/* How old an event must be before it is printed: by then every event that was stamped
 * earlier has reached its ring. */
#define SETTLE_NS NSEC_PER_MSEC
/* After the end: the longest that a reader who stopped reading is waited for. */
#define LAST_ROWS_MS 1000
/* After a signal: how long a reader who is slow has for all the rows that are left. */
#define SIGNALLED_ROWS_MS 2000
/* With a console: how long rows wait for the terminal before keys are looked at. */
#define KEYS_MS 20
/* Write when so much is collected, even within one turn. */
#define FLUSH_BYTES ((size_t)64 << 10)

/* --- signals ---------------------------------------------------------------------- */

void loop_take_signal(struct loop *l)
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

void loop_fit_terminal(struct loop *l)
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

void loop_take_commands(struct loop *l, bool behind)
{
	console_read(l->console, behind);
	l->fds[FD_CONSOLE].fd = console_fd(l->console);
	loop_fit_terminal(l);
	if (l->host.quit && l->end == RUNNING)
		l->end = ENDED;
}

/* The reader has not taken all yet: whether to go on waiting for him. */
static bool look_around(struct loop *l)
{
	loop_take_signal(l);
	console_hide(l->console);
	if (l->ends_ns && clock_monotonic_ns() >= l->ends_ns)
		l->end = ENDED;
	if (!l->console || l->end != RUNNING)
		return false;
	l->fds[FD_CONSOLE].revents = 0;
	if (poll(&l->fds[FD_CONSOLE], 1, 0) == 1)
		loop_take_commands(l, true);
	return l->end == RUNNING;
}

void loop_flush(struct loop *l)
{
	int err;

	if (l->out.buf.len)
		console_hide(l->console);
	loop_tee_write(l);
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

/* Of the socket's file; 0: there is none, or it is not known. */
static uint64_t inode_of(const struct feed *f, const struct lnk_record *e)
{
	uint64_t inode = f->inode_slot < 0 ? 0 : e->extra[f->inode_slot];

	return inode == LNK_UNKNOWN ? 0 : inode;
}

/* Whether the socket is that of a process which is asked for. */
static bool is_asked_for(const struct feed *f, const struct lnk_record *e)
{
	struct owners *o = f->l->view->table.owners;
	struct tally *t = &f->s->account.v[e->event.hook];
	uint64_t inode = inode_of(f, e), until_ns;

	switch (owners_judge(o, inode)) {
	case OWNERS_HIS:
		return true;
	case OWNERS_OTHERS:
		t->others++;
		until_ns = owners_reject_until(o, inode);
		if (until_ns)
			owner_map_reject(f->s->program.owners_fd, inode, until_ns);
		return false;
	default:
		t->unknown++;
		return false;
	}
}

static bool has_all_rows(const struct loop *l)
{
	uint64_t count = l->s->conf->count;

	return count && l->rows >= count;
}

static void on_event(void *arg, const struct lnk_record *e)
{
	struct feed *f = arg;
	struct loop *l = f->l;
	struct lnk_record moved;

	l->hold.rows--;
	if (l->end == READER_GONE || l->end == WRITE_FAILED || has_all_rows(l))
		return;
	if (f->asks_owner && !is_asked_for(f, e))
		return;
	if (l->host.paused) {
		f->s->account.v[e->event.hook].paused++;
		return;
	}
	if (l->leaving.s) /* a command may have made another table since */
		table_set_hooks(l->table, f->s->shown);
	if (f == &l->leaving) {
		moved = *e;
		collected_move(&moved, l->old_slots);
		e = &moved;
	}
	table_row(l->table, e, l->wall_offset_ns, &l->out.buf);
	if (l->console)
		seen_note(&l->seen, &e->event);
	tee_row(&l->tee, f->s->shown, e, l->wall_offset_ns);
	l->rows++;
	note_row(l, &f->s->account.v[e->event.hook]);
	if (l->out.buf.len >= FLUSH_BYTES)
		loop_flush(l);
	if (has_all_rows(l) && l->end == RUNNING)
		l->end = ENDED;
}

static void on_sample(void *arg, int ring, const void *data, size_t size)
{
	struct feed *f = arg;
	struct account *a = &f->s->account;
	struct lnk_record *e = merge_room(f->merge, ring), none;

	if (event_decode(e ? e : &none, data, size, f->s->hooks.n, f->s->extra)) {
		a->stray++;
		return;
	}
	a->v[(e ? e : &none)->event.hook].received++;
	if (!e) {
		a->v[none.event.hook].malformed++;
		return;
	}
	f->l->hold.rows++;
	if (f->l->owned)
		hold_note(&f->l->hold, f->l->view->table.owners, inode_of(f, e), e->event.time_ns);
	merge_put(f->merge, ring);
}

int feed_open(struct feed *f, struct loop *l, const struct session *s, int rings, int inode_slot)
{
	*f = (struct feed){ .l = l,
			    .s = l->s,
			    .asks_owner = config_asks_owner(s->conf),
			    .inode_slot = inode_slot,
			    .first_shared = rings };
	if (s->program.shared_fd >= 0)
		rings += s->hooks.n * cpus_possible();
	return merge_open(&f->merge, rings, s->extra);
}

void feed_close(struct feed *f)
{
	merge_close(f->merge);
	*f = (struct feed){ 0 };
}

bool feed_is_empty(const struct feed *f)
{
	return !f->s ||
	       ((!f->s->rings || rings_are_empty(f->s->rings)) &&
		(!f->s->shared || shared_is_empty(f->s->shared)) && merge_is_empty(f->merge));
}

static size_t feed_drain(struct feed *f)
{
	return f->s ? buffers_drain(f->s, f->first_shared, on_sample, f) : 0;
}

bool loop_set_prompt(struct loop *l, bool prompt)
{
	if (l->s->shared)
		shared_set_prompt(l->s->shared, prompt);
	return !rings_set_prompt(l->s->rings, prompt);
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

/* One of the programs has seen it, if any has. */
static bool saw(void *arg, uint64_t inode, struct lnk_owner *owner)
{
	const struct loop *l = arg;

	return owner_map_find(l->s->program.owners_fd, inode, owner) ||
	       (l->leaving.s && owner_map_find(l->old.program.owners_fd, inode, owner));
}

void loop_open_owners(struct loop *l)
{
	owner_map_prepare();
	if (l->view->table.owners)
		owners_set_witness(l->view->table.owners, &(struct owners_witness){ saw, l });
	loop_note_owners(l);
}

void loop_note_owners(struct loop *l)
{
	l->owned = view_needs_owners(l->view, l->s->conf);
	if (!l->owned)
		l->hold.n = 0;
}

/* Nothing waits for a process that has ended. */
static void look_at_owners(struct loop *l)
{
	bool hidden = false;
	uint32_t ended = l->owned ? owners_ended(l->view->table.owners, &hidden) : 0;

	if (ended) {
		console_hide(l->console);
		log_info("Process %" PRIu32 " %s", ended,
			 hidden ? "cannot be looked at: it has ended, or is hidden" : "has ended");
	}
	if (!l->owned || l->owners_gone || owners_are_told(l->view->table.owners))
		return;
	l->owners_gone = true;
	console_hide(l->console);
	log_error("the process that finds out who has a socket has ended: %s",
		  config_asks_owner(l->s->conf) ? "no row can be shown any more"
						: "that is not shown any more");
}

size_t loop_drain(struct loop *l, bool all)
{
	uint64_t horizon = all ? UINT64_MAX : clock_monotonic_ns() - SETTLE_NS;
	size_t n;

	loop_fit_terminal(l);
	if (!all && feed_is_empty(&l->now) && feed_is_empty(&l->leaving)) {
		if (l->console) /* a new header need not wait for a row */
			loop_flush(l);
		l->hold.n = 0;
		if (l->owned) {
			view_refresh(l->view, clock_monotonic_ns());
			look_at_owners(l);
		}
		return 0;
	}
	l->busy_ns = clock_monotonic_ns();
	view_refresh(l->view, l->busy_ns);
	look_at_owners(l);
	l->wall_offset_ns = clock_wall_offset_ns();
	n = feed_drain(&l->leaving);
	n += feed_drain(&l->now);
	if (l->owned && !all)
		horizon = hold_horizon(&l->hold, l->view->table.owners, l->busy_ns, horizon);
	print_until(l, horizon);
	loop_flush(l);
	return n;
}

int loop_read_account(struct loop *l)
{
	int err = l->leaving.s ? swap_read_old(l->swap, &l->old) : 0;

	return err ? err : session_read_account(l->s);
}
