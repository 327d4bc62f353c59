/* SPDX-License-Identifier: MIT */
#include "unit.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "sink/digits.h"

static char got[64];

static const char *ended(char *end)
{
	*end = '\0';
	return got;
}

static void both_ways(uint64_t v)
{
	char want[64];

	snprintf(want, sizeof(want), "%" PRIu32, (uint32_t)v);
	CHECK_STR(ended(put_u32((uint32_t)v, got)), want);
	snprintf(want, sizeof(want), "%" PRIu64, v);
	CHECK_STR(ended(put_u64(v, got)), want);
	snprintf(want, sizeof(want), "%" PRId64, (int64_t)v);
	CHECK_STR(ended(put_i64((int64_t)v, got)), want);
	snprintf(want, sizeof(want), "0x%" PRIx64, v);
	CHECK_STR(ended(put_hex(v, got)), want);
}

/* printf() is the other opinion. */
TEST(numbers)
{
	uint64_t v = 1, seed = 1;

	for (int i = 0; i < 20; i++, v *= 10) {
		both_ways(v - 1);
		both_ways(v);
		both_ways(v + 1);
	}
	for (int i = 0; i < 64; i++) {
		both_ways(1ULL << i);
		both_ways((1ULL << i) - 1);
	}
	for (int i = 0; i < 2000; i++) {
		seed = seed * 6364136223846793005ULL + 1442695040888963407ULL;
		both_ways(seed >> i % 64);
	}
	both_ways(UINT64_MAX);
	both_ways((uint64_t)INT64_MIN);
}

/* Each octet in each place. */
TEST(addresses)
{
	__u8 a[16] = { [10] = 0xff, [11] = 0xff };
	char want[64];

	for (int i = 0; i < 256; i++) {
		for (int k = 0; k < 4; k++)
			a[12 + k] = (__u8)(i * (k + 1) + k);
		snprintf(want, sizeof(want), "%d.%d.%d.%d", a[12], a[13], a[14], a[15]);
		CHECK_STR(ended(put_address(a, false, got)), want);
	}
	a[0] = 0x20;
	CHECK_STR(ended(put_address(a, false, got)), "2000::ffff:ffff:ffff");
	memset(a, 0, sizeof(a));
	CHECK_STR(ended(put_address(a, false, got)), "-");
	CHECK_STR(ended(put_address(a, true, got)), "::");
	a[10] = a[11] = 0xff;
	a[15] = 9;
	CHECK_STR(ended(put_address(a, true, got)), "::ffff:0.0.0.9");
}

TEST(fractions)
{
	CHECK_STR(ended(put_fixed(0, 3, got)), "0.000");
	CHECK_STR(ended(put_fixed(7, 6, got)), "0.000007");
	CHECK_STR(ended(put_fixed(1234567, 6, got)), "1.234567");
	CHECK_STR(ended(put_fixed(-1, 3, got)), "-0.001");
	CHECK_STR(ended(put_fixed(-1500, 3, got)), "-1.500");
	CHECK_STR(ended(put_fixed(INT64_MAX, 3, got)), "9223372036854775.807");
	CHECK_STR(ended(put_fixed(INT64_MIN, 3, got)), "-9223372036854775.808");
}

static const char *escaped(const char *s, size_t len, size_t room)
{
	memset(got, '?', sizeof(got));
	return ended(put_escaped(s, len, got, room));
}

TEST(names_cannot_drive_a_terminal)
{
	CHECK_STR(escaped("nginx", 5, 60), "nginx");
	CHECK_STR(escaped("a\033[2J", 5, 60), "a\\x1b[2J");
	CHECK_STR(escaped("\0\x7f\xc2\x9b", 4, 60), "\\x00\\x7f\\xc2\\x9b");
	CHECK_STR(escaped("abcdef", 6, 3), "abc");
	CHECK_STR(escaped("ab\n", 3, 5), "ab");
	CHECK_STR(escaped("ab\n", 3, 6), "ab\\x0a");
}
