/* SPDX-License-Identifier: MIT */
/*
 * The expressions that were translated (exprs.c) against the oracle's values (want.h), and
 * against the C compiler's (raw.c) where C has one. calls.h: the functions by number.
 */
#include <stdint.h>
#include <stdio.h>
#include <string.h>

typedef long long s64;
typedef unsigned long long u64;
typedef unsigned int u32;
#define bpf_probe_read_kernel(to, size, from) memcpy(to, from, size)

struct thing {
	struct thing *next;
	const int minus;
	unsigned char bytes[4];
	struct {
		unsigned short half;
		s64 big[2][2];
	} in;
	const unsigned char *data;
	_Bool yes;
	signed char small;
	union {
		int i;
		long l;
	} either;
	unsigned int flag : 1; /* has no address */
};

#include "exprs.c"
#include "want.h"
#include "calls.h"

static struct thing thing;
static struct thing other = { &thing, .in.half = 77 };
static struct thing thing = { &other,
			      -7,
			      { 1, 2, 3, 255 },
			      { 0xfffe, { { 1, 2 }, { 3, INT64_MIN } } },
			      (const unsigned char *)"\x45xyz",
			      1,
			      -1 };

int main(void)
{
	int i, k, bad = 0, compared = 0, confirmed = 0;
	s64 got;

	for (i = 0; i < COUNT; i++) {
		for (k = 0; k < SETS; k++) {
			got = translated[i](sets[k], &thing);
			compared++;
			if (got != want[i][k].value && bad++ < 20)
				fprintf(stderr, "expression %d with set %d: %lld, not %lld\n",
					i + 1, k + 1, got, want[i][k].value);
			if (!want[i][k].in_c)
				continue;
			got = raw[i](sets[k][0], sets[k][1], sets[k][2]);
			confirmed++;
			if (got != want[i][k].value && bad++ < 20)
				fprintf(stderr, "expression %d with set %d: C has %lld, not %lld\n",
					i + 1, k + 1, got, want[i][k].value);
		}
	}
	for (i = 0; i < MEMBERS; i++) {
		got = translated[COUNT + i](sets[0], &thing);
		if (!got && bad++ < 20)
			fprintf(stderr, "member expression %d is not true\n", i + 1);
	}
	printf("%d values, %d of them C's too\n", compared, confirmed);
	return bad || !confirmed;
}
