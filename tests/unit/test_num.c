/* SPDX-License-Identifier: MIT */
#include "unit.h"

#include <errno.h>

#include "base/num.h"

#define SEC 1000000000ULL
#define UNTOUCHED 4711

static int number(const char *s, uint64_t min, uint64_t max, uint64_t *v)
{
	*v = UNTOUCHED;
	return num_parse(s, min, max, v);
}

static int seconds(const char *s, uint64_t min, uint64_t max, uint64_t *v)
{
	*v = UNTOUCHED;
	return num_parse_seconds(s, min, max, v);
}

TEST(numbers)
{
	uint64_t v;

	CHECK_INT(number("0", 0, 9, &v), 0);
	CHECK_INT(v, 0);
	CHECK_INT(number("65535", 1, 65535, &v), 0);
	CHECK_INT(v, 65535);
	CHECK_INT(number("1", 1, 65535, &v), 0);
	CHECK_INT(v, 1);
	CHECK_INT(number("000080", 1, 65535, &v), 0); /* decimal, not octal */
	CHECK_INT(v, 80);
	CHECK_INT(number("18446744073709551615", 0, UINT64_MAX, &v), 0);
	CHECK(v == UINT64_MAX);
}

TEST(out_of_range)
{
	uint64_t v;

	CHECK_INT(number("0", 1, 65535, &v), -ERANGE);
	CHECK_INT(v, UNTOUCHED);
	CHECK_INT(number("65536", 1, 65535, &v), -ERANGE);
	CHECK_INT(number("70000", 1, 65535, &v), -ERANGE);
	CHECK_INT(v, UNTOUCHED);
}

/* Values that come round to something small in 64 bits. */
TEST(overflow)
{
	uint64_t v;

	CHECK_INT(number("18446744073709551616", 0, 65535, &v), -ERANGE); /* 2^64 */
	CHECK_INT(number("18446744073709551617", 0, 65535, &v), -ERANGE);
	CHECK_INT(number("18446744073709551696", 0, 65535, &v), -ERANGE); /* 2^64 + 80 */
	CHECK_INT(number("184467440737095516160", 0, 65535, &v), -ERANGE);
	CHECK_INT(number("99999999999999999999999999999999999999", 0, 65535, &v), -ERANGE);
	CHECK_INT(v, UNTOUCHED);
}

/* Where the range goes up to the last 64-bit number, one more is still out of it. */
TEST(overflow_of_the_widest_range)
{
	uint64_t v;

	CHECK_INT(number("18446744073709551616", 0, UINT64_MAX, &v), -ERANGE);
	CHECK_INT(number("99999999999999999999", 0, UINT64_MAX, &v), -ERANGE);
	CHECK_INT(v, UNTOUCHED);
}

TEST(no_numbers)
{
	static const char *const bad[] = {
		"",     " ",   "80x", "x80",   "-1",  "+1", " 1",   "1 ",  "1\n",
		"0x10", "1e3", "1.0", "1,000", "--1", "１", "\xb2", "1\t", "99999999999999999999x"
	};
	uint64_t v;

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		if (!CHECK_INT(number(bad[i], 0, UINT64_MAX, &v), -EINVAL) ||
		    !CHECK_INT(v, UNTOUCHED))
			CHECK_STR(bad[i], "a number");
}

TEST(times)
{
	uint64_t v;

	CHECK_INT(seconds("1", 1, 10 * SEC, &v), 0);
	CHECK_INT(v, SEC);
	CHECK_INT(seconds("0.25", 1, 10 * SEC, &v), 0);
	CHECK_INT(v, SEC / 4);
	CHECK_INT(seconds("2.5", 1, 10 * SEC, &v), 0);
	CHECK_INT(v, 5 * SEC / 2);
	CHECK_INT(seconds("0.000000001", 1, 10 * SEC, &v), 0);
	CHECK_INT(v, 1);
	CHECK_INT(seconds("1.999999999", 1, 10 * SEC, &v), 0);
	CHECK_INT(v, 2 * SEC - 1);
	CHECK_INT(seconds("0.1", SEC / 10, 10 * SEC, &v), 0);
	CHECK_INT(v, SEC / 10);
	CHECK_INT(seconds("10", 1, 10 * SEC, &v), 0);
	CHECK_INT(v, 10 * SEC);
	CHECK_INT(seconds("10.000", 1, 10 * SEC, &v), 0);
	CHECK_INT(v, 10 * SEC);
	CHECK_INT(seconds("18446744073.709551615", 0, UINT64_MAX, &v), 0);
	CHECK(v == UINT64_MAX);
}

TEST(times_out_of_range)
{
	uint64_t v;

	CHECK_INT(seconds("0", 1, 10 * SEC, &v), -ERANGE);
	CHECK_INT(seconds("0.0", 1, 10 * SEC, &v), -ERANGE);
	CHECK_INT(seconds("0.000000000", 1, 10 * SEC, &v), -ERANGE);
	CHECK_INT(seconds("0.099999999", SEC / 10, 10 * SEC, &v), -ERANGE);
	CHECK_INT(seconds("10.000000001", 1, 10 * SEC, &v), -ERANGE);
	CHECK_INT(v, UNTOUCHED);
}

TEST(times_overflow)
{
	uint64_t v;

	CHECK_INT(seconds("18446744074", 0, 10 * SEC, &v), -ERANGE); /* seconds times 10^9 */
	CHECK_INT(seconds("18446744073709551616", 0, 10 * SEC, &v), -ERANGE);
	CHECK_INT(seconds("99999999999999999999.5", 0, 10 * SEC, &v), -ERANGE);
	CHECK_INT(v, UNTOUCHED);
}

/* The seconds still fit and the fraction carries the sum over the edge, to nearly 0. */
TEST(times_overflow_by_the_fraction)
{
	uint64_t v;

	CHECK_INT(seconds("18446744073.709551616", 0, 10 * SEC, &v), -ERANGE);
	CHECK_INT(seconds("18446744073.809551615", 0, 10 * SEC, &v), -ERANGE);
	CHECK_INT(seconds("18446744073.999999999", 0, UINT64_MAX, &v), -ERANGE);
	CHECK_INT(v, UNTOUCHED);
}

TEST(no_times)
{
	static const char *const bad[] = { "",   ".",    "1.",           ".5",   "-1",   "-0.5",
					   "+1", "1.x",  "1.5x",         "1..5", "1.5.", "1,5",
					   " 1", "1 ",   "1. 5",         "1e3",  "inf",  "nan",
					   "1s", "1.+5", "1.0000000000", "x",    "0x1",  "1.-5" };
	uint64_t v;

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		if (!CHECK_INT(seconds(bad[i], 0, UINT64_MAX, &v), -EINVAL) ||
		    !CHECK_INT(v, UNTOUCHED))
			CHECK_STR(bad[i], "a time");
}
