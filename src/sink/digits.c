/* SPDX-License-Identifier: MIT */
#include "sink/digits.h"

#include <arpa/inet.h>
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

char *put_u32(uint32_t v, char *p)
{
	char *end = p + count_digits(v);

	for (p = end; v >= 100; v /= 100) {
		p -= 2;
		memcpy(p, pairs + v % 100 * 2, 2);
	}
	if (v >= 10)
		memcpy(p - 2, pairs + v * 2, 2);
	else
		p[-1] = (char)('0' + v);
	return end;
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

char *put_address(const __u8 a[16], char *p)
{
	static const __u8 mapped[12] = { [10] = 0xff, [11] = 0xff }, none[16];
	int i;

	if (!memcmp(a, mapped, sizeof(mapped))) {
		p = put_u32(a[12], p);
		for (i = 13; i < 16; i++) {
			*p++ = '.';
			p = put_u32(a[i], p);
		}
		return p;
	}
	if (!memcmp(a, none, sizeof(none))) {
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
