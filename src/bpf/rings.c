/* SPDX-License-Identifier: MIT */
/*
 * Read here and not through libbcc's perf reader: that one goes on for as long as new
 * events come in, so that under load one ring is never left and memory has no bound.
 *
 * The kernel writes at data_head, we read at data_tail; both only grow. A record that
 * crosses the end of the ring is put together in `wrapped`.
 *
 * How many events it takes to wake us is fixed when a perf event is opened. So there are two
 * for each CPU, which write into one ring and differ in just that, and the map says which of
 * them a probe uses.
 *
 * A CPU that goes offline takes its perf event with it for good: when it comes back it
 * needs another one, and until then the probes count its events as lost. rings_refresh()
 * looks who is online. A CPU that went and came in between is known by its losses: it
 * loses events while its ring takes none.
 */
#include "bpf/rings.h"

#include <bcc/libbpf.h>
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>
#include <linux/perf_event.h>

#include "bpf/cpus.h"

struct buffer {
	int fd;        /* -1: none */
	int prompt_fd; /* writes into the same ring and wakes every time; -1: none */
	struct perf_event_mmap_page *meta;
};

struct ring {
	int cpu;
	bool online; /* when last looked at */
	struct buffer now;
	struct buffer before; /* what `now` took the place of: a probe may still be in it */
	/* when last looked at */
	uint64_t head;
	uint64_t lost;
};

struct rings {
	struct ring *v; /* capacity: possible CPUs; in the order in which they came */
	int n;
	int capacity;
	bool changed;
	int error; /* of the first ring that could not be opened */
	int map_fd;
	bool prompt;
	size_t page_size;
	size_t size; /* bytes of data in each ring */
	unsigned int wakeup_events;
	uint64_t lost;
	char wrapped[65536]; /* a record's size is 16 bits */
};

static int event_open(int cpu, unsigned int wakeup_events)
{
	struct perf_event_attr attr = {
		.type = PERF_TYPE_SOFTWARE,
		.size = sizeof(attr),
		.config = PERF_COUNT_SW_BPF_OUTPUT,
		.sample_period = 1,
		.sample_type = PERF_SAMPLE_RAW,
		.wakeup_events = wakeup_events,
	};
	int fd;

	fd = (int)syscall(SYS_perf_event_open, &attr, -1, cpu, -1, PERF_FLAG_FD_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

static void buffer_close(const struct rings *r, struct buffer *b)
{
	if (b->fd < 0)
		return;
	munmap(b->meta, r->page_size + r->size);
	if (b->prompt_fd >= 0)
		close(b->prompt_fd);
	close(b->fd);
	b->fd = b->prompt_fd = -1;
}

/* Without it a ring is only not prompt. */
static int prompt_open(int cpu, int ring_fd)
{
	int fd = event_open(cpu, 1);

	if (fd >= 0 && (ioctl(fd, PERF_EVENT_IOC_SET_OUTPUT, ring_fd) ||
			ioctl(fd, PERF_EVENT_IOC_ENABLE, 0))) {
		close(fd);
		fd = -1;
	}
	return fd < 0 ? -1 : fd;
}

/* Says which of a CPU's two events the probes use. */
static int enter_event(const struct rings *r, const struct buffer *b, int cpu)
{
	int fd = r->prompt && b->prompt_fd >= 0 ? b->prompt_fd : b->fd;

	if (r->map_fd < 0)
		return 0;
	return bpf_update_elem(r->map_fd, &cpu, &fd, BPF_ANY) ? -errno : 0;
}

static int buffer_open(const struct rings *r, struct buffer *b, int cpu)
{
	int err, fd = event_open(cpu, r->wakeup_events);
	void *map;

	if (fd < 0)
		return fd;
	map = mmap(NULL, r->page_size + r->size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (map == MAP_FAILED) {
		err = -errno;
		close(fd);
		return err;
	}
	*b = (struct buffer){ fd, -1, map };
	err = ioctl(fd, PERF_EVENT_IOC_ENABLE, 0) ? -errno : 0;
	if (!err) {
		b->prompt_fd = prompt_open(cpu, fd);
		err = enter_event(r, b, cpu);
	}
	if (err)
		buffer_close(r, b);
	return err;
}

static uint64_t buffer_head(const struct buffer *b)
{
	return __atomic_load_n(&b->meta->data_head, __ATOMIC_ACQUIRE);
}

static struct ring *find_ring(struct rings *r, int cpu)
{
	int i;

	for (i = 0; i < r->n; i++)
		if (r->v[i].cpu == cpu)
			return &r->v[i];
	return NULL;
}

static struct ring *add_ring(struct rings *r, int cpu)
{
	struct ring *ring;

	if (r->n == r->capacity)
		return NULL;
	ring = &r->v[r->n++];
	*ring = (struct ring){ .cpu = cpu,
			       .now = { .fd = -1, .prompt_fd = -1 },
			       .before = { .fd = -1, .prompt_fd = -1 } };
	return ring;
}

/* Gives a CPU that is online a buffer; what was in its last one can still be drained. */
static void renew(struct rings *r, struct ring *ring)
{
	struct buffer fresh = { .fd = -1 };
	int err;

	err = buffer_open(r, &fresh, ring->cpu);
	if (err) {
		/* ENODEV: it went offline meanwhile */
		ring->online = false;
		if (err != -ENODEV && !r->error)
			r->error = err;
		return;
	}
	buffer_close(r, &ring->before);
	ring->before = ring->now;
	ring->now = fresh;
	ring->head = 0;
	r->changed = true;
}

struct look {
	struct rings *r;
	const uint64_t *lost; /* by CPU; NULL: the first look */
	bool *seen;           /* by ring */
};

static void look_at_cpu(void *arg, int cpu)
{
	struct look *l = arg;
	struct ring *ring = find_ring(l->r, cpu);
	bool was_online;

	if (!ring)
		ring = add_ring(l->r, cpu);
	if (!ring)
		return;
	was_online = ring->online;
	ring->online = l->seen[ring - l->r->v] = true;
	if (!was_online)
		renew(l->r, ring);
	else if (l->lost && l->lost[cpu] != ring->lost && buffer_head(&ring->now) == ring->head)
		renew(l->r, ring);
	if (l->lost)
		ring->lost = l->lost[cpu];
	if (ring->now.fd >= 0)
		ring->head = buffer_head(&ring->now);
}

int rings_refresh(struct rings *r, const uint64_t *lost)
{
	struct look l = { .r = r, .lost = lost };
	int i, err;

	r->error = 0;
	r->changed = false;
	l.seen = calloc((size_t)r->capacity, sizeof(*l.seen));
	if (!l.seen)
		return -ENOMEM;
	for (i = 0; i < r->n; i++) /* drained since the last look: nothing is in it now */
		buffer_close(r, &r->v[i].before);
	err = cpus_online(look_at_cpu, &l);
	for (i = 0; i < r->n && !err; i++)
		r->v[i].online &= l.seen[i];
	free(l.seen);
	if (!err)
		err = r->error;
	return err ? err : r->changed;
}

int rings_open(struct rings **out, int events_map_fd, unsigned int pages,
	       unsigned int wakeup_events)
{
	struct rings *r = calloc(1, sizeof(*r));
	int err;

	if (!r)
		return -ENOMEM;
	r->map_fd = events_map_fd;
	r->page_size = (size_t)sysconf(_SC_PAGESIZE);
	r->size = pages * r->page_size;
	r->wakeup_events = wakeup_events;
	err = r->capacity = cpus_possible();
	if (err > 0) {
		r->v = calloc((size_t)r->capacity, sizeof(*r->v));
		err = r->v ? rings_refresh(r, NULL) : -ENOMEM;
	}
	if (err < 0) {
		rings_close(r);
		return err;
	}
	*out = r;
	return 0;
}

void rings_close(struct rings *r)
{
	int i;

	if (!r)
		return;
	for (i = 0; i < r->n; i++) {
		buffer_close(r, &r->v[i].now);
		buffer_close(r, &r->v[i].before);
	}
	free(r->v);
	free(r);
}

int rings_enter(struct rings *r, int events_map_fd)
{
	struct ring *ring;
	uint64_t head;
	int i, err;

	r->map_fd = events_map_fd;
	r->prompt = false;
	for (i = 0; i < r->n && events_map_fd >= 0; i++) {
		ring = &r->v[i];
		if (ring->now.fd < 0)
			continue;
		err = enter_event(r, &ring->now, ring->cpu);
		if (err) {
			r->map_fd = -1;
			return err;
		}
		/* what an exchange that was taken back left is in no program's books */
		head = buffer_head(&ring->now);
		__atomic_store_n(&ring->now.meta->data_tail, head, __ATOMIC_RELEASE);
		ring->head = head;
		ring->lost = 0; /* the new program has lost nothing yet */
	}
	return 0;
}

bool rings_may_open(const struct rings *r)
{
	int fd = r->n ? event_open(r->v[0].cpu, r->wakeup_events) : -ENOENT;

	if (fd >= 0)
		close(fd);
	return fd != -EACCES && fd != -EPERM;
}

static bool all_can_be_prompt(const struct rings *r)
{
	int i;

	for (i = 0; i < r->n; i++)
		if (r->v[i].now.fd >= 0 && r->v[i].now.prompt_fd < 0)
			return false;
	return true;
}

int rings_set_prompt(struct rings *r, bool prompt)
{
	int i, err = 0, first = 0;

	if (prompt && !all_can_be_prompt(r))
		first = -ENOTSUP;
	else if (r->prompt != prompt)
		r->prompt = prompt;
	else
		return 0;
	for (i = 0; i < r->n && !(prompt && first); i++) {
		if (r->v[i].now.fd >= 0)
			err = enter_event(r, &r->v[i].now, r->v[i].cpu);
		if (err && !first)
			first = err;
	}
	if (prompt && first)
		rings_set_prompt(r, false);
	return first;
}

int rings_count(const struct rings *r)
{
	return r->n;
}

int rings_capacity(const struct rings *r)
{
	return r->capacity;
}

int rings_fd(const struct rings *r, int i)
{
	return r->v[i].now.fd;
}

/* The record at `at`, in one piece; NULL when it is none that ends within `left` bytes. */
static const struct perf_event_header *record_at(struct rings *r, const char *data, uint64_t at,
						 uint64_t left)
{
	size_t offset = (size_t)(at & (r->size - 1)), first = r->size - offset;
	const struct perf_event_header *h = (const void *)(data + offset);

	/* records are multiples of 8 bytes, so the header itself never wraps */
	if (h->size < sizeof(*h) || h->size % 8 || h->size > left)
		return NULL;
	if (h->size <= first)
		return h;
	memcpy(r->wrapped, h, first);
	memcpy(r->wrapped + first, data, h->size - first);
	return (const void *)r->wrapped;
}

static size_t drain(struct rings *r, const struct buffer *b, int i, rings_sample_fn sample,
		    void *arg)
{
	uint64_t head = buffer_head(b), tail = b->meta->data_tail;
	const char *data = (const char *)b->meta + r->page_size;
	const struct perf_event_header *h;
	const struct {
		struct perf_event_header header;
		uint32_t size;
		char data[];
	} * raw;
	const struct {
		struct perf_event_header header;
		uint64_t id;
		uint64_t lost;
	} * lost;
	size_t n = 0;

	for (; tail != head; tail += h->size) {
		h = record_at(r, data, tail, head - tail);
		if (!h) { /* cannot be; but never go round for ever, nor outside */
			tail = head;
			break;
		}
		if (h->type == PERF_RECORD_LOST && h->size >= sizeof(*lost)) {
			lost = (const void *)h;
			r->lost += lost->lost;
		} else if (h->type == PERF_RECORD_SAMPLE && h->size >= sizeof(*raw)) {
			raw = (const void *)h;
			if (raw->size <= h->size - sizeof(*raw)) {
				sample(arg, i, raw->data, raw->size);
				n++;
			}
		}
	}
	__atomic_store_n(&b->meta->data_tail, tail, __ATOMIC_RELEASE);
	return n;
}

size_t rings_drain(struct rings *r, int i, rings_sample_fn sample, void *arg)
{
	const struct ring *ring = &r->v[i];
	size_t n = 0;

	if (ring->before.fd >= 0)
		n += drain(r, &ring->before, i, sample, arg);
	if (ring->now.fd >= 0)
		n += drain(r, &ring->now, i, sample, arg);
	return n;
}

static bool buffer_is_empty(const struct buffer *b)
{
	return b->fd < 0 || buffer_head(b) == b->meta->data_tail;
}

bool rings_are_empty(const struct rings *r)
{
	int i;

	for (i = 0; i < r->n; i++)
		if (!buffer_is_empty(&r->v[i].now) || !buffer_is_empty(&r->v[i].before))
			return false;
	return true;
}

uint64_t rings_lost(const struct rings *r)
{
	return r->lost;
}
