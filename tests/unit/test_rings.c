/* SPDX-License-Identifier: MIT */
/*
 * Which CPU has a ring, and when it gets another one; what is handed over. The kernel is
 * played: descriptors are numbers, a ring's memory is ours. (tests/fuzz/fuzz_ring.c has
 * rings with contents of any kind.)
 */
#include "unit.h"

#include <bcc/libbpf.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>
#include <linux/perf_event.h>

#include "base/text.h"
#include "bpf/cpus.h"

#define CPUS 8
#define FDS 64
#define PROMPT 40 /* the events that wake every time are numbered from here */

/* The kernel. */
static struct {
	bool online[CPUS];
	int possible;
	int next_fd, next_prompt;
	int cpu_of[FDS]; /* by descriptor; -1: closed */
	void *memory[FDS];
	int map[CPUS]; /* lnk_events */
	int refuse;    /* errno of perf_event_open() */
	int refuse_map;
	unsigned int wakeup;
	size_t page;
} k;

static long play_open(long number, const struct perf_event_attr *attr, int pid, int cpu, int group,
		      unsigned long flags)
{
	(void)number;
	(void)group;
	CHECK_INT(pid, -1);
	CHECK_INT(flags, PERF_FLAG_FD_CLOEXEC);
	CHECK_INT(attr->type, PERF_TYPE_SOFTWARE);
	CHECK_INT(attr->config, PERF_COUNT_SW_BPF_OUTPUT);
	if (k.refuse || !k.online[cpu]) {
		errno = k.refuse ? k.refuse : ENODEV;
		return -1;
	}
	if (attr->wakeup_events == 1) {
		k.cpu_of[k.next_prompt] = cpu;
		return k.next_prompt++;
	}
	k.wakeup = attr->wakeup_events;
	k.cpu_of[k.next_fd] = cpu;
	return k.next_fd++;
}

static void *play_map(size_t len, int fd)
{
	CHECK(fd >= 0 && k.cpu_of[fd] >= 0);
	k.memory[fd] = aligned_alloc(k.page, len);
	memset(k.memory[fd], 0, len);
	return k.memory[fd];
}

static int play_unmap(void *p, size_t len)
{
	int fd;

	CHECK_INT(len, 2 * k.page);
	for (fd = 0; fd < FDS; fd++)
		if (k.memory[fd] == p)
			k.memory[fd] = NULL;
	free(p);
	return 0;
}

static int play_close(int fd)
{
	CHECK(fd >= 0 && k.cpu_of[fd] >= 0);
	k.cpu_of[fd] = -1;
	return 0;
}

static int play_update(const int *cpu, const int *fd)
{
	if (k.refuse_map) {
		errno = k.refuse_map;
		return -1;
	}
	k.map[*cpu] = *fd;
	return 0;
}

static int play_online(void (*use)(void *arg, int cpu), void *arg)
{
	int cpu;

	for (cpu = 0; cpu < CPUS; cpu++)
		if (k.online[cpu])
			use(arg, cpu);
	return 0;
}

#define syscall(...) play_open(__VA_ARGS__)
#define ioctl(fd, request, arg)                                                                    \
	((void)(fd), (void)(arg),                                                                  \
	 (request) != PERF_EVENT_IOC_ENABLE && (request) != PERF_EVENT_IOC_SET_OUTPUT)
#define close(fd) play_close(fd)
#define bpf_update_elem(map, key, value, flags) play_update(key, value)
#define mmap(addr, len, prot, flags, fd, at) play_map(len, fd)
#define munmap(addr, len) play_unmap(addr, len)
#define cpus_online play_online
#define cpus_possible() (k.possible)
#include "bpf/rings.c" // NOLINT(bugprone-suspicious-include)

static struct rings *begin(const char *online)
{
	struct rings *r = NULL;
	int i;

	memset(&k, 0, sizeof(k));
	k.possible = CPUS;
	k.next_fd = 3;
	k.next_prompt = PROMPT;
	k.page = (size_t)sysconf(_SC_PAGESIZE);
	for (i = 0; i < FDS; i++)
		k.cpu_of[i] = -1;
	for (; *online; online++)
		k.online[*online - '0'] = true;
	CHECK_INT(rings_open(&r, 99, 1, 7), 0);
	return r;
}

/* Of the rings themselves. */
static int open_fds(void)
{
	int fd, n = 0;

	for (fd = 0; fd < PROMPT; fd++)
		n += k.cpu_of[fd] >= 0;
	return n;
}

static void end(struct rings *r)
{
	rings_close(r);
	for (int fd = 0; fd < FDS; fd++)
		CHECK(!k.memory[fd] && k.cpu_of[fd] < 0);
}

/* "CPU:FD CPU:FD": the rings in their order. */
static const char *rings(const struct rings *r)
{
	static struct text t;

	text_reset(&t);
	for (int i = 0; i < r->n; i++)
		text_printf(&t, "%s%d:%d", i ? " " : "", r->v[i].cpu, rings_fd(r, i));
	return text_str(&t);
}

static struct perf_event_mmap_page *meta(int fd)
{
	return k.memory[fd];
}

/* A sample of 12 bytes, or with type PERF_RECORD_LOST that so many were lost. */
static void put(int fd, uint32_t type, uint64_t lost)
{
	struct {
		struct perf_event_header h;
		uint32_t size;
		uint32_t data[3];
	} s = { { .type = type, .size = 24 }, 12, { (uint32_t)fd, 2, 3 } };
	char *to = (char *)meta(fd) + k.page + (meta(fd)->data_head & (k.page - 1));

	if (type == PERF_RECORD_LOST)
		memcpy(&s.data[1], &lost, sizeof(lost)); /* behind header and id */
	memcpy(to, &s, sizeof(s));
	meta(fd)->data_head += 24;
}

static void on_sample(void *arg, int ring, const void *data, size_t size)
{
	uint32_t fd;

	memcpy(&fd, data, sizeof(fd));
	text_printf(arg, " %d:%u/%zu", ring, fd, size);
}

static const char *drained(struct rings *r, int i)
{
	static struct text t;
	size_t n;

	text_reset(&t);
	n = rings_drain(r, i, on_sample, &t);
	text_printf(&t, " (%zu)", n);
	return text_str(&t);
}

TEST(a_ring_for_each_cpu)
{
	struct rings *r = begin("013");

	CHECK_STR(rings(r), "0:3 1:4 3:5");
	CHECK_INT(rings_count(r), 3);
	CHECK_INT(rings_capacity(r), CPUS);
	CHECK_INT(k.map[0], 3);
	CHECK_INT(k.map[1], 4);
	CHECK_INT(k.map[3], 5);
	CHECK_INT(k.wakeup, 7);
	end(r);
}

/* The map says which of the two events of each CPU is used. */
TEST(prompt_or_not)
{
	struct rings *r = begin("01");

	CHECK_INT(k.map[0], 3);
	CHECK_INT(rings_set_prompt(r, true), 0);
	CHECK_INT(k.map[0], PROMPT);
	CHECK_INT(k.map[1], PROMPT + 1);
	CHECK_STR(rings(r), "0:3 1:4");
	CHECK_INT(rings_set_prompt(r, false), 0);
	CHECK_INT(k.map[0], 3);
	CHECK_INT(k.map[1], 4);
	end(r);
}

TEST(nothing_changes)
{
	uint64_t lost[CPUS] = { 0 };
	struct rings *r = begin("01");

	CHECK_INT(rings_refresh(r, lost), 0);
	put(3, PERF_RECORD_SAMPLE, 0);
	CHECK_INT(rings_refresh(r, lost), 0);
	lost[0] = 5; /* it loses, and its ring takes: it is full, no more */
	put(3, PERF_RECORD_SAMPLE, 0);
	CHECK_INT(rings_refresh(r, lost), 0);
	CHECK_INT(rings_refresh(r, lost), 0); /* no more lost since */
	CHECK_STR(rings(r), "0:3 1:4");
	end(r);
}

TEST(a_cpu_comes)
{
	uint64_t lost[CPUS] = { 0 };
	struct rings *r = begin("0");

	k.online[2] = true;
	CHECK_INT(rings_refresh(r, lost), 1);
	CHECK_STR(rings(r), "0:3 2:4");
	CHECK_INT(k.map[2], 4);
	CHECK_INT(rings_refresh(r, lost), 0);
	end(r);
}

/* What was in the old one is handed over once more, and only then is it closed. */
TEST(a_cpu_goes_and_comes)
{
	uint64_t lost[CPUS] = { 0 };
	struct rings *r = begin("01");

	k.online[1] = false;
	CHECK_INT(rings_refresh(r, lost), 0);
	CHECK_STR(rings(r), "0:3 1:4");
	put(4, PERF_RECORD_SAMPLE, 0);
	k.online[1] = true;
	CHECK_INT(rings_refresh(r, lost), 1);
	CHECK_STR(rings(r), "0:3 1:5");
	CHECK_INT(open_fds(), 3);
	CHECK(!rings_are_empty(r));
	put(5, PERF_RECORD_SAMPLE, 0);
	CHECK_STR(drained(r, 1), " 1:4/12 1:5/12 (2)");
	CHECK(rings_are_empty(r));
	CHECK_INT(rings_refresh(r, lost), 0);
	CHECK_INT(open_fds(), 2);
	end(r);
}

/* Between two looks: it loses while its ring takes nothing. */
TEST(a_cpu_goes_and_comes_in_an_instant)
{
	uint64_t lost[CPUS] = { 0 };
	struct rings *r = begin("01");

	put(4, PERF_RECORD_SAMPLE, 0);
	CHECK_INT(rings_refresh(r, lost), 0);
	lost[1] = 1;
	CHECK_INT(rings_refresh(r, lost), 1);
	CHECK_STR(rings(r), "0:3 1:5");
	CHECK_INT(k.map[1], 5);
	/* the new one: as much lost as before is no reason */
	CHECK_INT(rings_refresh(r, lost), 0);
	CHECK_STR(rings(r), "0:3 1:5");
	end(r);
}

TEST(a_ring_that_cannot_be_had)
{
	uint64_t lost[CPUS] = { 0 };
	struct rings *r = begin("0"), *none = NULL;

	k.online[1] = true;
	k.refuse = EPERM;
	CHECK_INT(rings_refresh(r, lost), -EPERM);
	CHECK_STR(rings(r), "0:3 1:-1"); /* poll() passes over it */
	CHECK(rings_are_empty(r));
	CHECK_STR(drained(r, 1), " (0)");
	CHECK(!rings_may_open(r));
	k.refuse = EACCES;
	CHECK(!rings_may_open(r));
	k.refuse = EMFILE;
	CHECK(rings_may_open(r));
	CHECK_INT(rings_refresh(r, lost), -EMFILE);
	k.refuse = 0;
	CHECK(rings_may_open(r));
	CHECK_INT(rings_refresh(r, lost), 1); /* tried again */
	CHECK_STR(rings(r), "0:3 1:5");
	/* it went offline between the look and the opening: no failure */
	k.online[2] = true;
	k.refuse = ENODEV;
	CHECK_INT(rings_refresh(r, lost), 0);
	k.refuse = 0;
	/* the map does not take it: nothing stays open */
	k.refuse_map = E2BIG;
	CHECK_INT(rings_refresh(r, lost), -E2BIG);
	CHECK_INT(open_fds(), 2);
	k.refuse_map = 0;
	end(r);
	k.refuse = EPERM;
	/* NOLINTNEXTLINE(clang-analyzer-unix.Malloc): it fails, and the last line looks */
	CHECK_INT(rings_open(&none, 99, 1, 7), -EPERM);
	CHECK_INT(open_fds(), 0);
}

/* Opened for no program, entered into the map of one, and taken out again. */
TEST(rings_in_waiting)
{
	struct rings *r = begin("01"), *spare = NULL;

	if (!CHECK_INT(rings_open(&spare, -1, 1, 7), 0) || !spare) {
		rings_close(spare);
		return;
	}
	CHECK_STR(rings(spare), "0:5 1:6");
	CHECK_INT(k.map[0], 3);
	k.online[2] = true;
	CHECK_INT(rings_refresh(spare, NULL), 1);
	CHECK_INT(k.map[2], 0);
	put(5, PERF_RECORD_SAMPLE, 0); /* nobody's */
	spare->prompt = true;
	CHECK_INT(rings_enter(spare, 99), 0);
	CHECK_INT(k.map[0], 5);
	CHECK_INT(k.map[2], 7);
	CHECK(!spare->prompt && rings_are_empty(spare));
	/* the map is closed: its number may be another file's by now */
	CHECK_INT(rings_enter(spare, -1), 0);
	k.map[0] = 0;
	k.refuse_map = EBADF;
	CHECK_INT(rings_set_prompt(spare, false), 0);
	CHECK_INT(rings_enter(spare, 99), -EBADF);
	CHECK_INT(spare->map_fd, -1);
	k.refuse_map = 0;
	rings_close(spare);
	end(r);
}

/* More CPUs than there could be: those above have none. */
TEST(no_room_for_a_ring)
{
	uint64_t lost[CPUS] = { 0 };
	struct rings *r = begin("01");

	r->capacity = 2;
	k.online[5] = true;
	CHECK_INT(rings_refresh(r, lost), 0);
	CHECK_STR(rings(r), "0:3 1:4");
	end(r);
}

TEST(samples_and_what_was_lost)
{
	struct rings *r = begin("01");

	CHECK(rings_are_empty(r));
	put(3, PERF_RECORD_SAMPLE, 0);
	put(3, PERF_RECORD_LOST, 41);
	put(3, PERF_RECORD_SAMPLE, 0);
	put(4, PERF_RECORD_SAMPLE, 0);
	put(4, 9999, 0);
	CHECK(!rings_are_empty(r));
	CHECK_STR(drained(r, 0), " 0:3/12 0:3/12 (2)");
	CHECK_INT(rings_lost(r), 41);
	CHECK(!rings_are_empty(r));
	CHECK_STR(drained(r, 1), " 1:4/12 (1)");
	CHECK(rings_are_empty(r));
	CHECK_INT(meta(3)->data_tail, meta(3)->data_head);
	put(4, PERF_RECORD_LOST, 1);
	CHECK_STR(drained(r, 1), " (0)");
	CHECK_INT(rings_lost(r), 42);
	end(r);
}

/* A record over the end of the ring; 4096 is no multiple of 24. */
TEST(round_and_round)
{
	struct rings *r = begin("0");
	struct {
		struct perf_event_header h;
		uint32_t size, data[3];
	} s = { { .type = PERF_RECORD_SAMPLE, .size = 24 }, 12, { 3, 2, 3 } };
	char *ring = (char *)meta(3) + k.page, record[24];
	uint64_t head = 0;

	memcpy(record, &s, sizeof(record));
	for (int i = 0; i < 1000; i++) {
		for (size_t b = 0; b < 24; b++)
			ring[(head + b) & (k.page - 1)] = record[b];
		meta(3)->data_head = head += 24;
		CHECK_STR(drained(r, 0), " 0:3/12 (1)");
	}
	CHECK_INT(meta(3)->data_tail, 24000);
	/* a full ring */
	for (int i = 0; i < 170; i++, head += 24)
		for (size_t b = 0; b < 24; b++)
			ring[(head + b) & (k.page - 1)] = ((char *)&s)[b];
	meta(3)->data_head = head;
	CHECK(strstr(drained(r, 0), " (170)"));
	end(r);
}

/* What no kernel writes ends neither in a loop nor outside. */
TEST(records_that_make_no_sense)
{
	static const uint16_t sizes[] = { 0, 4, 12, 48, 65528 };
	struct perf_event_header *h;
	struct rings *r;

	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		r = begin("0");
		put(3, PERF_RECORD_SAMPLE, 0);
		h = (void *)((char *)meta(3) + k.page);
		h->size = sizes[i];
		CHECK_STR(drained(r, 0), " (0)");
		CHECK_INT(meta(3)->data_tail, 24);
		end(r);
	}
	/* sizes that are too small for what the type says */
	r = begin("0");
	put(3, PERF_RECORD_SAMPLE, 0);
	put(3, PERF_RECORD_LOST, 3);
	h = (void *)((char *)meta(3) + k.page);
	h->size = 8;
	h[1] = (struct perf_event_header){ .type = PERF_RECORD_LOST, .size = 16 };
	CHECK_STR(drained(r, 0), " (0)");
	CHECK_INT(rings_lost(r), 3);
	end(r);
	/* a size that is no multiple of 8 */
	r = begin("0");
	put(3, PERF_RECORD_SAMPLE, 0);
	h = (void *)((char *)meta(3) + k.page);
	h->size = 20;
	((uint32_t *)((char *)meta(3) + k.page))[2] = 8;
	CHECK_STR(drained(r, 0), " (0)");
	end(r);
	/* a sample that claims to be longer than its record */
	r = begin("0");
	put(3, PERF_RECORD_SAMPLE, 0);
	((uint32_t *)((char *)meta(3) + k.page))[2] = 13;
	CHECK_STR(drained(r, 0), " (0)");
	end(r);
}
