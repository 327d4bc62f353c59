/* SPDX-License-Identifier: MIT */
/*
 * Read here and not through libbcc's perf reader: that one goes on for as long as new
 * events come in, so that under load one ring is never left and memory has no bound.
 *
 * The kernel writes at data_head, we read at data_tail; both only grow. A record that
 * crosses the end of the ring is put together in `wrapped`.
 */
#include "bpf/rings.h"

#include <bcc/libbpf.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>
#include <linux/perf_event.h>

#include "bpf/cpus.h"

struct ring {
	int fd;
	struct perf_event_mmap_page *meta;
	char *data;
};

struct rings {
	struct ring *v;
	int n;
	int error; /* of the first ring that could not be opened */
	int map_fd;
	size_t page_size;
	size_t size; /* bytes of data in each ring */
	unsigned int wakeup_events;
	uint64_t lost;
	char wrapped[65536]; /* a record's size is 16 bits */
};

static int ring_open(struct rings *r, struct ring *ring, int cpu)
{
	struct perf_event_attr attr = {
		.type = PERF_TYPE_SOFTWARE,
		.size = sizeof(attr),
		.config = PERF_COUNT_SW_BPF_OUTPUT,
		.sample_period = 1,
		.sample_type = PERF_SAMPLE_RAW,
		.wakeup_events = r->wakeup_events,
	};
	void *map;
	int err;

	ring->fd = (int)syscall(SYS_perf_event_open, &attr, -1, cpu, -1, PERF_FLAG_FD_CLOEXEC);
	if (ring->fd < 0)
		return -errno;
	map = mmap(NULL, r->page_size + r->size, PROT_READ | PROT_WRITE, MAP_SHARED, ring->fd, 0);
	if (map == MAP_FAILED) {
		err = -errno;
		close(ring->fd);
		return err;
	}
	ring->meta = map;
	ring->data = (char *)map + r->page_size;
	if (bpf_update_elem(r->map_fd, &cpu, &ring->fd, BPF_ANY) ||
	    ioctl(ring->fd, PERF_EVENT_IOC_ENABLE, 0)) {
		err = -errno;
		munmap(map, r->page_size + r->size);
		close(ring->fd);
		return err;
	}
	return 0;
}

static void add_cpu(void *arg, int cpu)
{
	struct rings *r = arg;
	struct ring *v;
	int err;

	if (r->error)
		return;
	v = realloc(r->v, (size_t)(r->n + 1) * sizeof(*v));
	if (!v) {
		r->error = -ENOMEM;
		return;
	}
	r->v = v;
	err = ring_open(r, &v[r->n], cpu);
	if (err == -ENODEV) /* went offline meanwhile */
		return;
	if (err)
		r->error = err;
	else
		r->n++;
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
	err = cpus_online(add_cpu, r);
	if (!err)
		err = r->error;
	if (err) {
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
		munmap(r->v[i].meta, r->page_size + r->size);
		close(r->v[i].fd);
	}
	free(r->v);
	free(r);
}

int rings_count(const struct rings *r)
{
	return r->n;
}

int rings_fd(const struct rings *r, int i)
{
	return r->v[i].fd;
}

/* The record at `at`, in one piece. */
static const struct perf_event_header *record_at(struct rings *r, const struct ring *ring,
						 uint64_t at)
{
	size_t offset = (size_t)(at & (r->size - 1)), first = r->size - offset;
	const struct perf_event_header *h = (const void *)(ring->data + offset);

	/* records are multiples of 8 bytes, so the header itself never wraps */
	if (h->size <= first)
		return h;
	memcpy(r->wrapped, h, first);
	memcpy(r->wrapped + first, ring->data, h->size - first);
	return (const void *)r->wrapped;
}

size_t rings_drain(struct rings *r, int i, rings_sample_fn sample, void *arg)
{
	struct ring *ring = &r->v[i];
	uint64_t head, tail = ring->meta->data_tail;
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

	head = __atomic_load_n(&ring->meta->data_head, __ATOMIC_ACQUIRE);
	for (; tail != head; tail += h->size) {
		h = record_at(r, ring, tail);
		if (h->size < sizeof(*h)) /* cannot be: do not go round for ever */
			break;
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
	__atomic_store_n(&ring->meta->data_tail, tail, __ATOMIC_RELEASE);
	return n;
}

uint64_t rings_lost(const struct rings *r)
{
	return r->lost;
}
