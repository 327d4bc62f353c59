/* SPDX-License-Identifier: MIT */
/* Another program takes the place of the running one: see swap.h for how it is made. */
#include "app/loop_parts.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "app/processes.h"
#include "base/log.h"

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

/* All that may fail, before the programs change places. */
static int prepare(struct loop *l, const struct session *offer, struct feed *fresh,
		   struct books_line **before, struct view_change *look)
{
	struct text why = { 0 };
	int err;

	*before = calloc((size_t)(offer->stages.n + l->s->lines_n) + 1, sizeof(**before));
	err = feed_open(fresh, l, offer, l->s->rings ? rings_capacity(l->s->rings) : 0,
			collected_slot(&offer->setting->collected, "inode"));
	if (!err && !*before)
		err = -ENOMEM;
	if (!err)
		err = view_prepare(l->view, look, offer->conf, &offer->setting->collected,
				   offer->shown, offer->hooks.n, &why);
	text_free(&why);
	return err;
}

/* Rows that are on their way are judged by the new filter, too. */
static void mean_processes(struct loop *l)
{
	struct owners_filter filter;

	if (!l->view->table.owners)
		return;
	if (!processes_same(l->old.conf, l->s->conf)) {
		processes_filter(&filter, l->s->conf);
		owners_set_filter(l->view->table.owners, &filter, l->s->setting->owners_asked_ns);
	}
	if (!config_asks_owner(l->s->conf)) /* nor is it asked of those on their way */
		l->leaving.asks_owner = false;
}

static void exchange(struct loop *l)
{
	struct books_line *before = NULL;
	struct text said = { 0 };
	struct feed fresh = { 0 };
	struct view_change look = { 0 };
	int err;

	console_hide(l->console);
	err = prepare(l, swap_offer(l->swap), &fresh, &before, &look);
	if (!err)
		err = swap_commit(l->swap, &l->old, &said);
	else
		swap_refuse(l->swap, err, &said);
	if (said.len)
		log_info("%s", said.s);
	text_free(&said);
	if (err) {
		if (swap_is_commanded(l->swap))
			console_fail(l->console);
		view_forget(&look);
		feed_close(&fresh);
		free(before);
		return;
	}
	l->leaving = l->now;
	l->leaving.s = &l->old;
	l->now = fresh;
	l->settled = false;
	mean_processes(l);
	collected_map(&l->old.setting->collected, &l->s->setting->collected, l->old_slots);
	loop_look(l, &look);
	carry_before(l, before);
	free(l->before);
	l->before = before;
	l->prompt = false; /* as rings_enter() leaves them */
	if (l->s->shared)
		shared_set_prompt(l->s->shared, false);
	loop_poll_rings(l);
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

void loop_retire(struct loop *l, bool tell)
{
	struct text t = { 0 };

	swap_settle(l->swap, &l->old, &t);
	if (tell) {
		console_hide(l->console);
		log_info("%s", t.s);
	}
	text_free(&t);
	feed_close(&l->leaving);
	loop_poll_rings(l);
}

static void alone(struct loop *l, const struct text *why)
{
	log_error("%s", text_str(why));
	if (l->tee_path)
		console_fail(l->console);
	free(l->tee_path);
	l->tee_path = NULL;
	if (swap_is_commanded(l->swap))
		console_fail(l->console);
}

void loop_look_at_swap(struct loop *l)
{
	struct text t = { 0 };
	enum swap_news news;

	while (l->end == RUNNING && (news = swap_turn(l->swap, &t)) != SWAP_NONE) {
		console_hide(l->console);
		if (news == SWAP_READY)
			exchange(l);
		else if (news == SWAP_SETTLED)
			l->settled = true;
		else if (news == SWAP_FILE)
			loop_tee_opened(l);
		else if (news == SWAP_ALONE)
			alone(l, &t);
		else if (t.len)
			log_info("%s", t.s);
		if (news == SWAP_FAILED && swap_is_commanded(l->swap))
			console_fail(l->console);
		text_reset(&t);
	}
	text_free(&t);
	if (l->leaving.s && l->settled && old_is_done(l))
		loop_retire(l, true);
	l->fds[FD_SWAP].fd = swap_fd(l->swap);
	l->fds[FD_WATCH].fd = swap_watch_fd(l->swap);
}
