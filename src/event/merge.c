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

struct merge {
	size_t size; /* of a record with its extra numbers */
	int n;
	int used; /* rings up to this one have had an event: most CPUs may never be there */
	int *heap;
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

int merge_add(struct merge *m, int ring, const struct lnk_record *e)
{
	struct queue *q = &m->q[ring];
	size_t at;

	if (make_room(m, q))
		return -ENOMEM;
	if (ring >= m->used)
		m->used = ring + 1;
	for (at = q->tail; at > q->head; at--) {
		if (record(m, q, at - 1)->event.time_ns <= e->event.time_ns)
			break;
		memcpy(record(m, q, at), record(m, q, at - 1), m->size);
	}
	memcpy(record(m, q, at), e, m->size);
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

static uint64_t oldest_of(const struct merge *m, const struct queue *q)
{
	return record(m, q, q->head)->event.time_ns;
}

/* Of two events of one instant that of the first ring comes first. */
static bool is_before(const struct merge *m, int a, int b)
{
	uint64_t x = oldest_of(m, &m->q[a]), y = oldest_of(m, &m->q[b]);

	return x < y || (x == y && a < b);
}

static void sink(const struct merge *m, int *heap, int n, int at)
{
	int child, ring = heap[at];

	for (; (child = 2 * at + 1) < n; at = child) {
		if (child + 1 < n && is_before(m, heap[child + 1], heap[child]))
			child++;
		if (!is_before(m, heap[child], ring))
			break;
		heap[at] = heap[child];
	}
	heap[at] = ring;
}

static int make_heap(const struct merge *m)
{
	int i, n = 0;

	for (i = 0; i < m->used; i++)
		if (m->q[i].head != m->q[i].tail)
			m->heap[n++] = i;
	for (i = n / 2 - 1; i >= 0; i--)
		sink(m, m->heap, n, i);
	return n;
}

void merge_take(struct merge *m, uint64_t horizon_ns,
		void (*use)(void *arg, const struct lnk_record *e), void *arg)
{
	int n = make_heap(m);
	struct queue *q;

	while (n) {
		q = &m->q[m->heap[0]];
		if (horizon_ns != UINT64_MAX && oldest_of(m, q) >= horizon_ns)
			return;
		use(arg, record(m, q, q->head));
		if (++q->head == q->tail) {
			q->head = q->tail = 0;
			m->heap[0] = m->heap[--n];
		}
		sink(m, m->heap, n, 0);
	}
}
