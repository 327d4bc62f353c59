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
	char *v; /* records, `size` bytes each */
	size_t head, tail, cap;
};

/* A queue, and its oldest event's time. */
struct item {
	uint64_t time_ns;
	int ring;
};

struct merge {
	size_t size; /* of a record with its extra numbers */
	int n;
	int used; /* rings up to this one have had an event: most CPUs may never be there */
	struct item *heap;
	struct queue q[];
};

static struct lnk_record *record(const struct merge *m, const struct queue *q, size_t i)
{
	return (struct lnk_record *)(void *)(q->v + i * m->size);
}

int merge_open(struct merge **out, int rings, int extra)
{
	struct merge *m = calloc(1, sizeof(*m) + (size_t)rings * sizeof(m->q[0]));

	if (!m)
		return -ENOMEM;
	m->heap = calloc((size_t)rings + 1, sizeof(*m->heap));
	if (!m->heap) {
		free(m);
		return -ENOMEM;
	}
	m->n = rings;
	m->size = LNK_RECORD_SIZE((size_t)extra);
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
	free(m->heap);
	free(m);
}

static int make_room(const struct merge *m, struct queue *q)
{
	char *v;
	size_t cap;

	if (q->tail < q->cap)
		return 0;
	if (q->head > q->cap / 2) { /* room at the front: move down */
		memmove(q->v, q->v + q->head * m->size, (q->tail - q->head) * m->size);
		q->tail -= q->head;
		q->head = 0;
		return 0;
	}
	cap = q->cap ? q->cap * 2 : 1024;
	v = realloc(q->v, cap * m->size);
	if (!v)
		return -ENOMEM;
	q->v = v;
	q->cap = cap;
	return 0;
}

struct lnk_record *merge_room(struct merge *m, int ring)
{
	struct queue *q = &m->q[ring];

	return make_room(m, q) ? NULL : record(m, q, q->tail);
}

/* It stands at the tail, behind what was stamped later. */
static void move_forward(const struct merge *m, const struct queue *q)
{
	struct lnk_record e;
	size_t at = q->tail;

	memcpy(&e, record(m, q, at), m->size);
	do
		memcpy(record(m, q, at), record(m, q, at - 1), m->size);
	while (--at > q->head && record(m, q, at - 1)->event.time_ns > e.event.time_ns);
	memcpy(record(m, q, at), &e, m->size);
}

void merge_put(struct merge *m, int ring)
{
	struct queue *q = &m->q[ring];

	if (ring >= m->used)
		m->used = ring + 1;
	if (q->tail > q->head &&
	    record(m, q, q->tail - 1)->event.time_ns > record(m, q, q->tail)->event.time_ns)
		move_forward(m, q);
	q->tail++;
}

bool merge_is_empty(const struct merge *m)
{
	int i;

	for (i = 0; i < m->n; i++)
		if (m->q[i].head != m->q[i].tail)
			return false;
	return true;
}

uint64_t merge_oldest_ns(const struct merge *m)
{
	uint64_t oldest_ns = UINT64_MAX, time_ns;
	int i;

	for (i = 0; i < m->used; i++) {
		if (m->q[i].head == m->q[i].tail)
			continue;
		time_ns = record(m, &m->q[i], m->q[i].head)->event.time_ns;
		if (time_ns < oldest_ns)
			oldest_ns = time_ns;
	}
	return oldest_ns;
}

/* --- the heap: queues that hold something, the one with the oldest event first ---------- */

/* Of two events of one instant that of the first ring comes first. */
static bool is_before(const struct item *a, const struct item *b)
{
	return a->time_ns < b->time_ns || (a->time_ns == b->time_ns && a->ring < b->ring);
}

static struct item item_of(const struct merge *m, int ring)
{
	const struct queue *q = &m->q[ring];

	return (struct item){ record(m, q, q->head)->event.time_ns, ring };
}

static void sink(struct item *heap, int n, int at, struct item item)
{
	int child;

	for (; (child = 2 * at + 1) < n; at = child) {
		if (child + 1 < n && is_before(&heap[child + 1], &heap[child]))
			child++;
		if (!is_before(&heap[child], &item))
			break;
		heap[at] = heap[child];
	}
	heap[at] = item;
}

static int make_heap(const struct merge *m)
{
	int i, n = 0;

	for (i = 0; i < m->used; i++)
		if (m->q[i].head != m->q[i].tail)
			m->heap[n++] = item_of(m, i);
	for (i = n / 2 - 1; i >= 0; i--)
		sink(m->heap, n, i, m->heap[i]);
	return n;
}

void merge_take(struct merge *m, uint64_t horizon_ns,
		void (*use)(void *arg, const struct lnk_record *e), void *arg)
{
	int n = make_heap(m), ring;
	struct queue *q;

	while (n) {
		if (horizon_ns != UINT64_MAX && m->heap[0].time_ns >= horizon_ns)
			return;
		ring = m->heap[0].ring;
		q = &m->q[ring];
		use(arg, record(m, q, q->head));
		if (++q->head == q->tail) {
			q->head = q->tail = 0;
			if (--n)
				sink(m->heap, n, 0, m->heap[n]);
		} else {
			sink(m->heap, n, 0, item_of(m, ring));
		}
	}
}
