/* SPDX-License-Identifier: MIT */
#include "unit.h"

#include <string.h>

#include "sink/packets.h"

static struct packets *p;

static struct lnk_event event(__u16 hook, __u16 sport, __u32 seq, __u64 time_ns)
{
	struct lnk_event e = { .time_ns = time_ns, .sport = sport, .seq = seq, .hook = hook };

	return e;
}

/* When the packet had its row before; 0: never. */
static uint64_t note(struct lnk_event e, uint64_t skb)
{
	uint64_t before = 12345;

	if (packets_note(p, &e, skb, &before))
		return before;
	CHECK_INT(before, 12345);
	return 0;
}

TEST(the_way_of_a_packet)
{
	struct lnk_event ipv6 = event(3, 80, 1, 190);

	CHECK_INT(packets_open(&p), 0);
	CHECK_INT(note(event(0, 80, 1, 100), 7), 0);
	CHECK_INT(note(event(1, 80, 1, 150), 7), 100);
	CHECK_INT(note(event(0, 81, 1, 160), 7), 0); /* another port */
	CHECK_INT(note(event(0, 80, 2, 170), 7), 0); /* another SEQ */
	CHECK_INT(note(event(2, 80, 1, 180), 7), 150);
	ipv6.ipv6 = 1;
	CHECK_INT(note(ipv6, 7), 0); /* another family */
	packets_close(p);
}

/* The same bytes once more are another packet, in a buffer of its own or in the same. */
TEST(retransmissions)
{
	CHECK_INT(packets_open(&p), 0);
	CHECK_INT(note(event(0, 80, 1, 100), 7), 0);
	CHECK_INT(note(event(1, 80, 1, 150), 7), 100);
	CHECK_INT(note(event(0, 80, 1, 200), 8), 0);
	CHECK_INT(note(event(1, 80, 1, 250), 8), 200);
	CHECK_INT(note(event(0, 80, 1, 300), 7), 0);
	CHECK_INT(note(event(1, 80, 1, 350), 7), 300);
	/* the first row of the next one was not shown */
	CHECK_INT(note(event(0, 80, 1, 400), 7), 0);
	CHECK_INT(note(event(1, 80, 1, 450), 7), 400);
	packets_close(p);
}

TEST(the_same_function_twice_in_a_row)
{
	CHECK_INT(packets_open(&p), 0);
	CHECK_INT(note(event(0, 80, 1, 100), 7), 0);
	CHECK_INT(note(event(0, 80, 1, 150), 7), 100); /* a bridge */
	CHECK_INT(note(event(127, 80, 1, 160), 7), 150);
	CHECK_INT(note(event(0, 80, 1, 200), 7), 0);
	packets_close(p);
}

/* Who is pushed out has no row before; nobody else's is taken for it. */
TEST(more_than_fit)
{
	int known = 0;

	CHECK_INT(packets_open(&p), 0);
	for (uint32_t i = 0; i < 3 * PACKETS_MAX; i++)
		CHECK_INT(note(event(0, 80, i, 1000 + i), i), 0);
	for (uint32_t i = 3 * PACKETS_MAX; i-- > 0;) {
		uint64_t before = note(event(1, 80, i, 100000), i);

		known += before != 0;
		if (!CHECK(!before || before == 1000 + i))
			break;
	}
	CHECK(known >= PACKETS_MAX / 2 && known <= PACKETS_MAX);
	packets_close(p);
}
