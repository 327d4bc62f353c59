/* SPDX-License-Identifier: MIT */
#include "event/account.h"

#include <errno.h>
#include <stdlib.h>

int account_open(struct account *a, int hooks)
{
	*a = (struct account){ .n = hooks };
	a->v = calloc(hooks ? (size_t)hooks : 1, sizeof(*a->v));
	return a->v ? 0 : -ENOMEM;
}

void account_close(struct account *a)
{
	free(a->v);
	a->v = NULL;
	a->n = 0;
}

void account_add(struct tally *sum, const struct tally *t)
{
	sum->kernel.seen += t->kernel.seen;
	sum->kernel.filtered += t->kernel.filtered;
	sum->kernel.limited += t->kernel.limited;
	sum->kernel.lost += t->kernel.lost;
	sum->kernel.other += t->kernel.other;
	sum->kernel.fragment += t->kernel.fragment;
	sum->kernel.unreadable += t->kernel.unreadable;
	sum->kernel.bytes += t->kernel.bytes;
	sum->received += t->received;
	sum->malformed += t->malformed;
	sum->printed += t->printed;
	sum->missed += t->missed;
	sum->missed_unknown |= t->missed_unknown;
}

struct tally account_total(const struct account *a)
{
	struct tally sum = { 0 };
	int i;

	for (i = 0; i < a->n; i++)
		account_add(&sum, &a->v[i]);
	sum.received += a->stray;
	sum.malformed += a->stray;
	return sum;
}

uint64_t account_events(const struct account *a)
{
	struct tally sum = account_total(a);

	return a->stats_only ? sum.kernel.seen - sum.kernel.filtered : sum.received;
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
