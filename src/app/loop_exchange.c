/* SPDX-License-Identifier: MIT */
/* Another program takes the place of the running one: see swap.h for how it is made. */
#include "app/loop_parts.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"

#define NOT_RELOADED "Not reloaded: the program that was there goes on"

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
		loop_retire(l, true);
	l->fds[FD_SWAP].fd = swap_fd(l->swap);
	l->fds[FD_WATCH].fd = swap_watch_fd(l->swap);
}
