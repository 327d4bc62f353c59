/* SPDX-License-Identifier: MIT */
/*
 * Rings in shared memory: an array of the kernel's is played by a file, the probe by write_event()
 * below, which does what lnk_submit() of probes/show.h does.
 */
#include "unit.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "bpf/shared.h"
#include "probes/event.h"

#define HOOKS 2
#define CPUS 3
#define SLOTS 8
#define EXTRA 1
#define RINGS (HOOKS * CPUS)
#define SLOT LNK_SLOT_SIZE((size_t)EXTRA)

static struct shared *sh;
static char *memory;
static size_t size;
static uint64_t sent[RINGS];
static int woken;

static struct lnk_position *position(int ring)
{
	return (struct lnk_position *)(void *)(memory + (size_t)ring * SLOT);
}

static char *slot(int ring, uint64_t n)
{
	return memory + ((size_t)RINGS + (size_t)ring * SLOTS + n % SLOTS) * SLOT;
}

static void set_number(int ring, uint64_t n, uint64_t number)
{
	memcpy(slot(ring, n), &number, sizeof(number));
}

static void fill(int ring, uint64_t n)
{
	struct lnk_record r = { .event = { .time_ns = n + 1, .seq = (uint32_t)ring } };

	r.extra[0] = n * 1000;
	memcpy(slot(ring, n) + sizeof(uint64_t), &r, LNK_RECORD_SIZE((size_t)EXTRA));
}

static bool write_event(int ring)
{
	struct lnk_position *p = position(ring);
	uint64_t n = sent[ring];

	if (n - p->tail >= SLOTS)
		return false;
	fill(ring, n);
	set_number(ring, n, n + 1);
	sent[ring]++;
	if (n >= p->wake_at && p->woken != p->wake_at + 1) {
		p->woken = p->wake_at + 1;
		woken++;
	}
	return true;
}

static void open_rings(void)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	int fd = memfd_create("array", MFD_CLOEXEC);

	size = (RINGS * (1 + SLOTS) * SLOT + page - 1) & ~(page - 1);
	CHECK_INT(ftruncate(fd, (off_t)size), 0);
	CHECK_INT(shared_open(&sh, fd, HOOKS, CPUS, SLOTS, EXTRA), 0);
	memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	CHECK(memory != MAP_FAILED);
	close(fd);
	memset(sent, 0, sizeof(sent));
	woken = 0;
}

static void close_rings(void)
{
	munmap(memory, size);
	shared_close(sh);
}

struct got {
	int n;
	int ring;
	uint64_t first, last, extra;
	bool in_order;
};

static void take(void *arg, int ring, const void *data, size_t len)
{
	struct got *g = arg;
	struct lnk_record r;

	CHECK_INT(len, LNK_RECORD_SIZE((size_t)EXTRA));
	memcpy(&r, data, len);
	g->in_order = !g->n || (g->in_order && r.event.time_ns == g->last + 1);
	if (!g->n)
		g->first = r.event.time_ns;
	g->last = r.event.time_ns;
	g->extra = r.extra[0];
	g->ring = ring;
	g->n++;
}

static struct got drain(int ring)
{
	struct got g = { 0 };
	size_t n;

	n = shared_drain(sh, ring, 100, take, &g);
	CHECK_INT(n, g.n);
	return g;
}

TEST(events_come_in_order_again_and_again)
{
	uint64_t next = 1;
	struct got g;
	int round, i;

	open_rings();
	CHECK_INT(shared_count(sh), RINGS);
	for (round = 0; round < 50; round++) {
		for (i = 0; i <= round % SLOTS; i++)
			CHECK(write_event(4));
		CHECK(!shared_is_empty(sh));
		g = drain(4);
		CHECK_INT(g.n, round % SLOTS + 1);
		CHECK_INT(g.ring, 104);
		CHECK(g.in_order);
		CHECK_INT(g.first, next);
		CHECK_INT(g.extra, (g.last - 1) * 1000);
		next += (uint64_t)g.n;
		CHECK(shared_is_empty(sh));
		CHECK_INT(drain(4).n, 0);
	}
	close_rings();
}

TEST(a_full_ring_takes_no_more_and_the_others_do)
{
	int i;

	open_rings();
	for (i = 0; i < SLOTS; i++)
		CHECK(write_event(0));
	CHECK(!write_event(0));
	CHECK(write_event(5));
	CHECK_INT(drain(0).n, SLOTS);
	CHECK(write_event(0));
	CHECK_INT(drain(0).first, SLOTS + 1);
	CHECK_INT(drain(5).first, 1);
	close_rings();
}

TEST(an_event_that_is_being_written_waits)
{
	open_rings();
	CHECK(write_event(1));
	fill(1, 1); /* no number yet */
	CHECK_INT(drain(1).n, 1);
	CHECK(shared_is_empty(sh));
	set_number(1, 1, 2);
	CHECK(!shared_is_empty(sh));
	CHECK_INT(drain(1).first, 2);
	close_rings();
}

/* What stands in a slot from the time before is no event, nor is anything else. */
TEST(only_the_number_that_is_due_is_an_event)
{
	static const uint64_t numbers[] = { 0, 1, 8, 10, 17, UINT64_MAX };
	size_t i;
	int n;

	open_rings();
	for (n = 0; n < SLOTS; n++)
		CHECK(write_event(2));
	CHECK_INT(drain(2).n, SLOTS);
	for (i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
		set_number(2, 8, numbers[i]);
		CHECK_INT(drain(2).n, 0);
		CHECK(shared_is_empty(sh));
	}
	set_number(2, 8, 9);
	CHECK_INT(drain(2).n, 1);
	close_rings();
}

/* A writer as fast as we: a turn ends all the same. */
static void write_more(void *arg, int ring, const void *data, size_t len)
{
	(void)data, (void)len;
	++*(int *)arg;
	position(ring - 100)->tail = sent[ring - 100]; /* it believes that there is room */
	write_event(ring - 100);
}

TEST(a_turn_is_one_ring_full_at_most)
{
	int n = 0;

	open_rings();
	CHECK(write_event(3));
	CHECK_INT(shared_drain(sh, 3, 100, write_more, &n), SLOTS);
	CHECK_INT(n, SLOTS);
	close_rings();
}

TEST(prompt_is_the_next_event_and_else_a_quarter_of_a_ring)
{
	open_rings();
	CHECK(write_event(0)); /* not prompt at first */
	CHECK(write_event(0));
	CHECK_INT(woken, 0);
	CHECK(write_event(0));
	CHECK_INT(woken, 1);
	CHECK(write_event(0)); /* once is enough */
	CHECK_INT(woken, 1);
	CHECK_INT(drain(0).n, 4);
	shared_set_prompt(sh, true);
	CHECK(write_event(0));
	CHECK_INT(woken, 2);
	CHECK(write_event(0));
	CHECK_INT(woken, 2);
	CHECK_INT(drain(0).n, 2);
	CHECK(write_event(0));
	CHECK_INT(woken, 3);
	CHECK(write_event(1));
	CHECK_INT(woken, 4);
	shared_set_prompt(sh, false);
	CHECK_INT(drain(1).n, 1);
	CHECK(write_event(1));
	CHECK_INT(woken, 4);
	close_rings();
}

TEST(what_cannot_be_mapped_is_told)
{
	struct shared *none = NULL;

	CHECK_INT(shared_open(&none, -1, HOOKS, CPUS, SLOTS, EXTRA), -EBADF);
	CHECK(!none);
	shared_close(NULL);
}

TEST(slots_are_a_power_of_two)
{
	unsigned int pages, slots;

	for (pages = 1; pages <= 65536; pages *= 2) {
		slots = shared_slots(pages);
		CHECK(slots >= 4 && !(slots & (slots - 1)));
		CHECK((uint64_t)slots * LNK_SLOT_SIZE(0) <= (uint64_t)pages * 4096);
	}
}
