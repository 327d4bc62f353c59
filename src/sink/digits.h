/* SPDX-License-Identifier: MIT */
/*
 * Numbers, addresses and short texts as the bytes of a cell. Each writes at p, without a
 * NUL, and returns the end of what it wrote. No printf: a busy host has millions of them.
 */
#ifndef LNK_DIGITS_H
#define LNK_DIGITS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "probes/event.h"

/* What lies behind the end may be written over: the first four need room for 20 bytes. */
char *put_u32(uint32_t v, char *p); /* at most 10 bytes */
char *put_u64(uint64_t v, char *p); /* 20 */
char *put_i64(int64_t v, char *p);  /* 20 */
char *put_hex(uint64_t v, char *p); /* "0x1f": 18 */

/* v / 10^decimals: put_fixed(1234567, 6) is "1.234567". At most 21 bytes. */
char *put_fixed(int64_t v, int decimals, char *p);

/* IPv4 from its v4-mapped form, IPv6, or "-" for all zero; with `ipv6` both of these are IPv6
 * as well. At most 45 bytes. */
char *put_address(const __u8 a[16], bool ipv6, char *p);

/* What is not printable ASCII as \xNN; at most `room` bytes, and no part of an escape. */
char *put_escaped(const char *s, size_t len, char *p, size_t room);

#endif
