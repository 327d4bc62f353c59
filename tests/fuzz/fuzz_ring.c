/* SPDX-License-Identifier: MIT */
/*
 * A perf ring, read as if the kernel had mapped it: the system calls that open it are
 * played here, its memory is the input's.
 */
#include "fuzz.h"

#include <bcc/libbpf.h>
#include <errno.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>
#include <linux/perf_event.h>

#include "bpf/cpus.h"

/* One ring of one page. The page before the data is the control page; what lies behind
 * the data is nobody's. */
static char *area;
static size_t area_size;

/* Whichever way the rings learn which CPUs there are: there is one. */
static int one_cpu(void (*use)(void *arg, int cpu), void *arg)
{
	use(arg, 0);
	return 0;
}

static int take_it(long number, ...)
{
	return number < 0;
}

#define syscall(...) (1000 + take_it(__VA_ARGS__))
#define ioctl(...) take_it(__VA_ARGS__)
#define close(fd) take_it(fd)
#define bpf_update_elem(...) take_it(__VA_ARGS__)
#define mmap(addr, len, ...) ((len) == area_size ? (void *)area : MAP_FAILED)
#define munmap(addr, len) take_it((long)(len))
#define cpus_online one_cpu
#define cpus_possible() 1
/* the file itself: what is looked at is static in it */
#include "bpf/rings.c" // NOLINT(bugprone-suspicious-include)

#define MAX_RECORDS 64

struct seen {
	const char *data;
	size_t bytes; /* of the ring */
	uint64_t sum; /* so that every byte handed over is read */
	size_t samples, wrong;
	/* well-formed rings: what is expected */
	size_t sizes[MAX_RECORDS];
	size_t expected;
};

static void on_sample(void *arg, int ring, const void *data, size_t size)
{
	struct seen *s = arg;
	const uint8_t *p = data;
	size_t i;

	REQUIRE(ring == 0 && size <= s->bytes);
	for (i = 0; i < size; i++)
		s->sum += p[i];
	if (s->expected) {
		REQUIRE(s->samples < s->expected && size == s->sizes[s->samples]);
		for (i = 0; i < size; i++)
			s->wrong += p[i] != (uint8_t)(s->samples + i);
	}
	s->samples++;
}

static void put(uint64_t at, const void *bytes, size_t len, size_t ring)
{
	const char *p = bytes;
	size_t i;

	for (i = 0; i < len; i++)
		area[area_size - ring + ((at + i) & (ring - 1))] = p[i];
}

/* What the kernel writes: samples, lost records, records that nobody asked for. */
static uint64_t fill(struct input *in, uint64_t tail, size_t ring, struct seen *s, uint64_t *lost)
{
	uint64_t head = tail, record[512];
	struct perf_event_header h;
	size_t payload, i, n;
	uint32_t size;

	for (n = 0; n < MAX_RECORDS && in->left; n++) {
		memset(record, 0, sizeof(record));
		payload = take_number(in, 1) * 4;
		h = (struct perf_event_header){ .type = (uint32_t)take_number(in, 1) % 12 };
		if (h.type == PERF_RECORD_LOST)
			payload = 12; /* id, lost */
		/* the size word and the payload, padded to 8 bytes */
		h.size = (uint16_t)((sizeof(h) + 4 + payload + 7) / 8 * 8);
		if (head + h.size - tail > ring)
			break;
		size = (uint32_t)(h.size - sizeof(h) - 4);
		memcpy(record, &h, sizeof(h));
		if (h.type == PERF_RECORD_LOST) {
			record[2] = take_number(in, 1);
			*lost += record[2];
		} else if (h.type == PERF_RECORD_SAMPLE) {
			memcpy((char *)record + sizeof(h), &size, 4);
			for (i = 0; i < size; i++)
				((uint8_t *)record)[sizeof(h) + 4 + i] = (uint8_t)(s->expected + i);
			s->sizes[s->expected++] = size;
		}
		put(head, record, h.size, ring);
		head += h.size;
	}
	return head;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct input in = { data, size };
	size_t page = (size_t)sysconf(_SC_PAGESIZE), len;
	bool well_formed = take_number(&in, 1) & 1;
	/* it only grows, but no ring has been read that long */
	uint64_t tail = take_number(&in, 7) & ~7ULL, head, lost = 0;
	struct perf_event_mmap_page *meta;
	struct seen seen = { .bytes = page };
	struct rings *r = NULL;
	uint8_t *bytes;

	area_size = 2 * page;
	area = calloc(1, area_size);
	REQUIRE(area);
	meta = (void *)area;
	if (well_formed) {
		head = fill(&in, tail, page, &seen, &lost);
	} else {
		head = tail + (take_number(&in, 2) & ~7ULL) % (page + 8);
		bytes = take_bytes(&in, page, &len);
		put(tail, bytes, len, page);
		free(bytes);
	}
	REQUIRE(!rings_open(&r, 3, 1, 1));
	meta->data_tail = tail;
	meta->data_head = head;
	REQUIRE(rings_drain(r, 0, on_sample, &seen) == seen.samples);
	if (well_formed) {
		REQUIRE(seen.samples == seen.expected && !seen.wrong);
		REQUIRE(meta->data_tail == head && rings_lost(r) == lost);
	}
	rings_close(r);
	free(area);
	return 0;
}
