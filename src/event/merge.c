/* SPDX-License-Identifier: MIT */
/*
 * One queue for each ring, sorted. A ring is almost in order by itself: only an event
 * that was interrupted between its time stamp and its submission stands behind a later
 * one, so an insertion from the tail costs nothing as a rule.
 */
#include "event/merge.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct queue {
	struct lnk_event_debug *v;
	size_t head, tail, cap;
};

struct merge {
	int n;
	int used; /* rings up to this one have had an event: most CPUs may never be there */
	struct queue q[];
};

int merge_open(struct merge **out, int rings)
{
	struct merge *m = calloc(1, sizeof(*m) + (size_t)rings * sizeof(m->q[0]));

	if (!m)
		return -ENOMEM;
	m->n = rings;
	*out = m;
	return 0;
}

void merge_close(struct merge *m)
{
	int i;

	if (!m)
		return;
	for (i = 0; i < m->n; i++)
		free(m->q[i].v);
	free(m);
}

static int make_room(struct queue *q)
{
	struct lnk_event_debug *v;
	size_t cap;

	if (q->tail < q->cap)
		return 0;
	if (q->head > q->cap / 2) { /* room at the front: move down */
		memmove(q->v, q->v + q->head, (q->tail - q->head) * sizeof(*q->v));
		q->tail -= q->head;
		q->head = 0;
		return 0;
	}
	cap = q->cap ? q->cap * 2 : 1024;
	v = realloc(q->v, cap * sizeof(*v));
	if (!v)
		return -ENOMEM;
	q->v = v;
	q->cap = cap;
	return 0;
}

int merge_add(struct merge *m, int ring, const struct lnk_event_debug *e)
{
	struct queue *q = &m->q[ring];
	size_t at;

	if (make_room(q))
		return -ENOMEM;
	if (ring >= m->used)
		m->used = ring + 1;
	for (at = q->tail; at > q->head && q->v[at - 1].event.time_ns > e->event.time_ns; at--)
		q->v[at] = q->v[at - 1];
	q->v[at] = *e;
	q->tail++;
	return 0;
}

bool merge_is_empty(const struct merge *m)
{
	int i;

	for (i = 0; i < m->n; i++)
		if (m->q[i].head != m->q[i].tail)
			return false;
	return true;
}

void merge_take(struct merge *m, uint64_t horizon_ns,
		void (*use)(void *arg, const struct lnk_event_debug *e), void *arg)
{
	struct queue *q, *oldest;
	int i;

	for (;;) {
		oldest = NULL;
		for (i = 0; i < m->used; i++) {
			q = &m->q[i];
			if (q->head == q->tail)
				continue;
			if (!oldest ||
			    q->v[q->head].event.time_ns < oldest->v[oldest->head].event.time_ns)
				oldest = q;
		}
		if (!oldest || (horizon_ns != UINT64_MAX &&
				oldest->v[oldest->head].event.time_ns >= horizon_ns))
			return;
		use(arg, &oldest->v[oldest->head]);
		if (++oldest->head == oldest->tail)
			oldest->head = oldest->tail = 0;
	}
}
