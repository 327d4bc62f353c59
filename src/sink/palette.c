/* SPDX-License-Identifier: MIT */
#include "sink/palette.h"

#include <stdint.h>
#include <string.h>

#include "sink/digits.h"
#include "sink/mix.h"

const unsigned char palette[PALETTE_NR] = { 27, 28, 130, 163, 31, 131, 98, 64, 161, 30 };

static uint64_t endpoint(const __u8 addr[16], __u16 port)
{
	uint64_t a, b;

	memcpy(&a, addr, sizeof(a));
	memcpy(&b, addr + 8, sizeof(b));
	return mix64(a ^ mix64(b ^ mix64(port)));
}

char *palette_begin(const struct lnk_event *e, char *p)
{
	/* a sum: which end is which makes no difference */
	uint64_t h = endpoint(e->saddr, e->sport) + endpoint(e->daddr, e->dport);

	memcpy(p, "\033[38;5;", 7);
	p = put_u32(palette[h % PALETTE_NR], p + 7);
	*p++ = 'm';
	return p;
}

char *palette_end(char *p)
{
	memcpy(p, "\033[0m", 4);
	return p + 4;
}
