/* SPDX-License-Identifier: MIT */
#include "sink/digits.h"

#include <arpa/inet.h>
#include <endian.h>
#include <string.h>

static const char pairs[] = "0001020304050607080910111213141516171819"
			    "2021222324252627282930313233343536373839"
			    "4041424344454647484950515253545556575859"
			    "6061626364656667686970717273747576777879"
			    "8081828384858687888990919293949596979899";

/* How many digits: log10 from log2, by 1233 / 4096, and one more where that is short. */
static int count_digits(uint32_t v)
{
	static const uint32_t power[10] = { 0,      10,      100,      1000,      10000,
					    100000, 1000000, 10000000, 100000000, 1000000000 };
	int guess = (32 - __builtin_clz(v | 1)) * 1233 >> 12;

	return guess + (v >= power[guess]);
}

/*
 * The eight digits of v < 100000000, the first one in the lowest byte. Halves, quarters and
 * eighths stand in lanes of 32, 16 and 8 bits; x / 100 is x * 10486 >> 20 for x < 10000, and
 * x / 10 is x * 103 >> 10 for x < 100.
 */
static inline uint64_t eight_digits(uint32_t v)
{
	uint64_t x = v / 10000 | (uint64_t)(v % 10000) << 32, high;

	high = x * 10486 >> 20 & 0x0000007f0000007f;
	x = high | (x - high * 100) << 16;
	high = x * 103 >> 10 & 0x000f000f000f000f;
	x = high | (x - high * 10) << 8;
	return x | 0x3030303030303030;
}

static inline void put_8(uint64_t digits, char *p)
{
	digits = htole64(digits);
	memcpy(p, &digits, 8);
}

/* No loop and no branch that a processor could not foretell. */
char *put_u32(uint32_t v, char *p)
{
	int n;

	if (v < 100000000) {
		n = count_digits(v);
		put_8(eight_digits(v) >> 8 * (8 - n), p);
		return p + n;
	}
	n = v >= 1000000000 ? 2 : 1;
	memcpy(p, pairs + v / 100000000 * 2 + (2 - n), 2);
	put_8(eight_digits(v % 100000000), p + n);
	return p + n + 8;
}

/* Exactly n digits, with zeros in front. */
static char *put_padded(uint32_t v, int n, char *p)
{
	for (int i = n - 1; i >= 0; i--, v /= 10)
		p[i] = (char)('0' + v % 10);
	return p + n;
}

char *put_u64(uint64_t v, char *p)
{
	if (v <= UINT32_MAX)
		return put_u32((uint32_t)v, p);
	p = put_u64(v / 1000000000, p);
	return put_padded((uint32_t)(v % 1000000000), 9, p);
}

char *put_i64(int64_t v, char *p)
{
	if (v >= 0)
		return put_u64((uint64_t)v, p);
	*p++ = '-';
	return put_u64(-(uint64_t)v, p);
}

char *put_hex(uint64_t v, char *p)
{
	int shift = 60;

	*p++ = '0';
	*p++ = 'x';
	while (shift && !(v >> shift))
		shift -= 4;
	for (; shift >= 0; shift -= 4)
		*p++ = "0123456789abcdef"[v >> shift & 15];
	return p;
}

char *put_fixed(int64_t v, int decimals, char *p)
{
	uint64_t u = v < 0 ? -(uint64_t)v : (uint64_t)v, unit = 1;

	for (int i = 0; i < decimals; i++)
		unit *= 10;
	if (v < 0)
		*p++ = '-';
	p = put_u64(u / unit, p);
	*p++ = '.';
	return put_padded((uint32_t)(u % unit), decimals, p);
}

#define TEN(t) t "0", t "1", t "2", t "3", t "4", t "5", t "6", t "7", t "8", t "9"
#define FIFTY(a, b, c, d, e) TEN(a), TEN(b), TEN(c), TEN(d), TEN(e)

static const char octets[256][4] = {
	FIFTY("", "1", "2", "3", "4"),
	FIFTY("5", "6", "7", "8", "9"),
	FIFTY("10", "11", "12", "13", "14"),
	FIFTY("15", "16", "17", "18", "19"),
	FIFTY("20", "21", "22", "23", "24"),
	"250",
	"251",
	"252",
	"253",
	"254",
	"255",
};

char *put_address(const __u8 a[16], bool ipv6, char *p)
{
	static const __u8 mapped[12] = { [10] = 0xff, [11] = 0xff }, none[16];
	int i;

	if (!ipv6 && !memcmp(a, mapped, sizeof(mapped))) {
		for (i = 12; i < 16; i++) {
			memcpy(p, octets[a[i]], 4);
			p += 2 + (a[i] >= 10) + (a[i] >= 100);
			p[-1] = '.';
		}
		return p - 1;
	}
	if (!ipv6 && !memcmp(a, none, sizeof(none))) {
		*p++ = '-';
		return p;
	}
	inet_ntop(AF_INET6, a, p, INET6_ADDRSTRLEN);
	return p + strlen(p);
}

char *put_escaped(const char *s, size_t len, char *p, size_t room)
{
	static const char hex[] = "0123456789abcdef";
	char *end = p + room;

	for (size_t i = 0; i < len; i++) {
		unsigned char b = (unsigned char)s[i];

		if (b >= 0x20 && b < 0x7f) {
			if (end - p < 1)
				break;
			*p++ = (char)b;
			continue;
		}
		if (end - p < 4)
			break;
		*p++ = '\\';
		*p++ = 'x';
		*p++ = hex[b >> 4];
		*p++ = hex[b & 15];
	}
	return p;
}
