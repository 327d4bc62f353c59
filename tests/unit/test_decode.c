/* SPDX-License-Identifier: MIT */
#include "unit.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "event/decode.h"

/* No two bytes of it are the same field. */
static struct lnk_record sample(void)
{
	struct lnk_record e = {
		.event = { .time_ns = 0x0102030405060708,
			   .seq = 0x11121314,
			   .ack_seq = 0x21222324,
			   .sport = 0x3132,
			   .dport = 0x4142,
			   .hook = 3 },
		.extra = { 0xffffffff81234567 },
	};

	for (int i = 0; i < 16; i++) {
		e.event.saddr[i] = (__u8)(0x50 + i);
		e.event.daddr[i] = (__u8)(0x60 + i);
	}
	return e;
}

/* Decodes `size` bytes that stand at an odd place of an exact allocation, so that a
 * sanitizer sees any byte read beyond them. */
static int decode_at(size_t shift, size_t size, const void *from, size_t have,
		     struct lnk_record *out, int extra)
{
	char *block = malloc(shift + size + !(shift + size));
	int err;

	memset(block, 0xa5, shift + size);
	memcpy(block + shift, from, have < size ? have : size);
	err = event_decode(out, block + shift, size, 4, extra);
	free(block);
	return err;
}

TEST(an_event)
{
	struct lnk_record in = sample(), out;

	memset(&out, 0xff, sizeof(out));
	CHECK_INT(decode_at(0, 56, &in, 56, &out, 0), 0);
	CHECK_MEM(&out.event, &in.event, sizeof(in.event));
	CHECK_INT(out.extra[0], UINT64_MAX); /* not written to */
}

TEST(an_event_with_debug)
{
	struct lnk_record in = sample(), out;

	memset(&out, 0xff, sizeof(out));
	CHECK_INT(decode_at(0, 64, &in, 64, &out, 1), 0);
	CHECK_MEM(&out, &in, LNK_RECORD_SIZE(1));
}

/* The kernel pads samples; what follows the event is not ours. */
TEST(padding)
{
	struct lnk_record in = sample(), out;

	for (size_t more = 1; more <= 12; more++) {
		memset(&out, 0xff, sizeof(out));
		CHECK_INT(decode_at(0, 56 + more, &in, 56, &out, 0), 0);
		CHECK_MEM(&out.event, &in.event, sizeof(in.event));
		CHECK_INT(decode_at(0, 64 + more, &in, 64, &out, 1), 0);
		CHECK_MEM(&out, &in, LNK_RECORD_SIZE(1));
	}
}

TEST(too_short)
{
	struct lnk_record in = sample(), out;

	for (size_t size = 0; size < 56; size++)
		CHECK_INT(decode_at(0, size, &in, size, &out, 0), -EINVAL);
	for (size_t size = 0; size < 64; size++)
		CHECK_INT(decode_at(0, size, &in, size, &out, 1), -EINVAL);
}

TEST(unaligned)
{
	struct lnk_record in = sample(), out;

	for (size_t shift = 1; shift < 16; shift++) {
		CHECK_INT(decode_at(shift, 56, &in, 56, &out, 0), 0);
		CHECK_MEM(&out.event, &in.event, sizeof(in.event));
		CHECK_INT(decode_at(shift, 64, &in, 64, &out, 1), 0);
		CHECK_MEM(&out, &in, LNK_RECORD_SIZE(1));
		CHECK_INT(decode_at(shift, 55, &in, 55, &out, 0), -EINVAL);
	}
}

TEST(hook_numbers)
{
	struct lnk_record in = sample(), out;

	in.event.hook = 0;
	CHECK_INT(event_decode(&out, &in, sizeof(in), 1, 0), 0);
	CHECK_INT(event_decode(&out, &in, sizeof(in), 0, 0), -EINVAL);
	in.event.hook = 3;
	CHECK_INT(event_decode(&out, &in, sizeof(in), 4, 0), 0);
	CHECK_INT(event_decode(&out, &in, sizeof(in), 3, 0), -EINVAL);
	in.event.hook = LNK_MAX_HOOKS; /* what lnk_hook_id() gives to a stranger */
	CHECK_INT(event_decode(&out, &in, sizeof(in), LNK_MAX_HOOKS, 0), -EINVAL);
	in.event.hook = 0xffff;
	CHECK_INT(event_decode(&out, &in, sizeof(in), LNK_MAX_HOOKS, 1), -EINVAL);
}

TEST(not_believable)
{
	struct lnk_record in = sample(), out;

	in.event.ipv6 = 1;
	CHECK_INT(event_decode(&out, &in, sizeof(in), 4, 0), 0);
	CHECK_INT(out.event.ipv6, 1);
	in.event.ipv6 = 2;
	CHECK_INT(event_decode(&out, &in, sizeof(in), 4, 0), -EINVAL);
	in.event.ipv6 = 0x100;
	CHECK_INT(event_decode(&out, &in, sizeof(in), 4, 1), -EINVAL);
	in = sample();
	in.event.time_ns = 0;
	CHECK_INT(event_decode(&out, &in, sizeof(in), 4, 0), -EINVAL);
	in.event.time_ns = 1;
	CHECK_INT(event_decode(&out, &in, sizeof(in), 4, 0), 0);
	memset(&in, 0, sizeof(in));
	CHECK_INT(event_decode(&out, &in, sizeof(in), 4, 1), -EINVAL);
	memset(&in, 0xff, sizeof(in));
	CHECK_INT(event_decode(&out, &in, sizeof(in), 4, 1), -EINVAL);
}
