/* SPDX-License-Identifier: MIT */
#include "unit.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "event/decode.h"

/* No two bytes of it are the same field. */
static struct lnk_event_debug sample(void)
{
	struct lnk_event_debug e = {
		.event = { .time_ns = 0x0102030405060708,
			   .seq = 0x11121314,
			   .ack_seq = 0x21222324,
			   .sport = 0x3132,
			   .dport = 0x4142,
			   .hook = 3 },
		.ip = 0xffffffff81234567,
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
		     struct lnk_event_debug *out, bool debug)
{
	char *block = malloc(shift + size + !(shift + size));
	int err;

	memset(block, 0xa5, shift + size);
	memcpy(block + shift, from, have < size ? have : size);
	err = event_decode(out, block + shift, size, 4, debug);
	free(block);
	return err;
}

TEST(an_event)
{
	struct lnk_event_debug in = sample(), out;

	memset(&out, 0xff, sizeof(out));
	CHECK_INT(decode_at(0, 56, &in, 56, &out, false), 0);
	CHECK_MEM(&out.event, &in.event, sizeof(in.event));
	CHECK_INT(out.ip, 0); /* whatever was in it before */
}

TEST(an_event_with_debug)
{
	struct lnk_event_debug in = sample(), out;

	memset(&out, 0xff, sizeof(out));
	CHECK_INT(decode_at(0, 64, &in, 64, &out, true), 0);
	CHECK_MEM(&out, &in, sizeof(in));
}

/* The kernel pads samples; what follows the event is not ours. */
TEST(padding)
{
	struct lnk_event_debug in = sample(), out;

	for (size_t more = 1; more <= 12; more++) {
		memset(&out, 0xff, sizeof(out));
		CHECK_INT(decode_at(0, 56 + more, &in, 56, &out, false), 0);
		CHECK_MEM(&out.event, &in.event, sizeof(in.event));
		CHECK_INT(out.ip, 0);
		CHECK_INT(decode_at(0, 64 + more, &in, 64, &out, true), 0);
		CHECK_MEM(&out, &in, sizeof(in));
	}
}

TEST(too_short)
{
	struct lnk_event_debug in = sample(), out;

	for (size_t size = 0; size < 56; size++)
		CHECK_INT(decode_at(0, size, &in, size, &out, false), -EINVAL);
	for (size_t size = 0; size < 64; size++)
		CHECK_INT(decode_at(0, size, &in, size, &out, true), -EINVAL);
}

TEST(unaligned)
{
	struct lnk_event_debug in = sample(), out;

	for (size_t shift = 1; shift < 16; shift++) {
		CHECK_INT(decode_at(shift, 56, &in, 56, &out, false), 0);
		CHECK_MEM(&out.event, &in.event, sizeof(in.event));
		CHECK_INT(decode_at(shift, 64, &in, 64, &out, true), 0);
		CHECK_MEM(&out, &in, sizeof(in));
		CHECK_INT(decode_at(shift, 55, &in, 55, &out, false), -EINVAL);
	}
}

TEST(hook_numbers)
{
	struct lnk_event_debug in = sample(), out;

	in.event.hook = 0;
	CHECK_INT(event_decode(&out, &in, sizeof(in), 1, false), 0);
	CHECK_INT(event_decode(&out, &in, sizeof(in), 0, false), -EINVAL);
	in.event.hook = 3;
	CHECK_INT(event_decode(&out, &in, sizeof(in), 4, false), 0);
	CHECK_INT(event_decode(&out, &in, sizeof(in), 3, false), -EINVAL);
	in.event.hook = LNK_MAX_HOOKS; /* what lnk_hook_id() gives to a stranger */
	CHECK_INT(event_decode(&out, &in, sizeof(in), LNK_MAX_HOOKS, false), -EINVAL);
	in.event.hook = 0xffff;
	CHECK_INT(event_decode(&out, &in, sizeof(in), LNK_MAX_HOOKS, true), -EINVAL);
}

TEST(not_believable)
{
	struct lnk_event_debug in = sample(), out;

	in.event.reserved = 1;
	CHECK_INT(event_decode(&out, &in, sizeof(in), 4, false), -EINVAL);
	in.event.reserved = 0x100;
	CHECK_INT(event_decode(&out, &in, sizeof(in), 4, true), -EINVAL);
	in = sample();
	in.event.time_ns = 0;
	CHECK_INT(event_decode(&out, &in, sizeof(in), 4, false), -EINVAL);
	in.event.time_ns = 1;
	CHECK_INT(event_decode(&out, &in, sizeof(in), 4, false), 0);
	memset(&in, 0, sizeof(in));
	CHECK_INT(event_decode(&out, &in, sizeof(in), 4, true), -EINVAL);
	memset(&in, 0xff, sizeof(in));
	CHECK_INT(event_decode(&out, &in, sizeof(in), 4, true), -EINVAL);
}
