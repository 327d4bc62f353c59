/* SPDX-License-Identifier: MIT */
#include "event/account.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

int account_open(struct account *a, int hooks)
{
	*a = (struct account){ .n = hooks };
	a->v = calloc(hooks ? (size_t)hooks : 1, sizeof(*a->v));
	return a->v ? 0 : -ENOMEM;
}

void account_close(struct account *a)
{
	int i;

	for (i = 0; i < a->retired_n; i++)
		free(a->retired[i].stage);
	free(a->retired);
	a->retired = NULL;
	a->retired_n = 0;
	free(a->v);
	a->v = NULL;
	a->n = 0;
}

/* --- earlier programs -------------------------------------------------------------- */

void account_inherit(struct account *a, struct account *from)
{
	a->retired = from->retired;
	a->retired_n = from->retired_n;
	from->retired = NULL;
	from->retired_n = 0;
}

static struct retired *find_retired(const struct account *a, const char *stage)
{
	int i;

	for (i = 0; i < a->retired_n; i++)
		if (!strcmp(a->retired[i].stage, stage))
			return &a->retired[i];
	return NULL;
}

int account_leave(struct account *a, const char *stage, const struct tally *t)
{
	struct retired *v, *r = find_retired(a, stage);

	if (!r) {
		v = realloc(a->retired, (size_t)(a->retired_n + 1) * sizeof(*v));
		if (!v)
			return -ENOMEM;
		a->retired = v;
		r = &v[a->retired_n];
		*r = (struct retired){ .stage = strdup(stage) };
		if (!r->stage)
			return -ENOMEM;
		a->retired_n++;
	}
	r->leaving = *t;
	return 0;
}

void account_settle(struct account *a)
{
	struct retired *r;
	int i;

	for (i = 0; i < a->retired_n; i++) {
		r = &a->retired[i];
		account_add(&r->tally, &r->leaving);
		r->leaving = (struct tally){ 0 };
	}
}

bool account_add_retired(const struct account *a, const char *stage, struct tally *sum)
{
	const struct retired *r = find_retired(a, stage);

	if (r) {
		account_add(sum, &r->tally);
		account_add(sum, &r->leaving);
	}
	return r;
}

/* --- sums -------------------------------------------------------------------------- */

void account_add(struct tally *sum, const struct tally *t)
{
	sum->kernel.seen += t->kernel.seen;
	sum->kernel.filtered += t->kernel.filtered;
	sum->kernel.limited += t->kernel.limited;
	sum->kernel.lost += t->kernel.lost;
	sum->kernel.other += t->kernel.other;
	sum->kernel.fragment += t->kernel.fragment;
	sum->kernel.unreadable += t->kernel.unreadable;
	sum->kernel.ownerless += t->kernel.ownerless;
	sum->kernel.bytes += t->kernel.bytes;
	sum->received += t->received;
	sum->malformed += t->malformed;
	sum->printed += t->printed;
	sum->paused += t->paused;
	sum->others += t->others;
	sum->unknown += t->unknown;
	sum->missed += t->missed;
	sum->missed_unknown |= t->missed_unknown;
}

struct tally account_total(const struct account *a)
{
	struct tally sum = { 0 };
	int i;

	for (i = 0; i < a->n; i++)
		account_add(&sum, &a->v[i]);
	for (i = 0; i < a->retired_n; i++) {
		account_add(&sum, &a->retired[i].tally);
		account_add(&sum, &a->retired[i].leaving);
	}
	sum.received += a->stray;
	sum.malformed += a->stray;
	return sum;
}

uint64_t account_events(const struct account *a)
{
	struct tally sum = account_total(a);

	return a->stats_only ? sum.kernel.seen - sum.kernel.filtered : sum.received - sum.others;
}

uint64_t account_errors(const struct account *a)
{
	struct tally sum = account_total(a);

	return sum.kernel.lost + sum.malformed;
}

int64_t account_open_of(const struct tally *t)
{
	return (int64_t)(t->kernel.seen - t->kernel.filtered - t->kernel.limited - t->kernel.lost -
			 t->received);
}

int64_t account_open_items(const struct account *a)
{
	struct tally sum = account_total(a);

	return a->stats_only ? 0 : account_open_of(&sum);
}
