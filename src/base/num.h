/* SPDX-License-Identifier: MIT */
/* Strict numbers: the whole string, decimal digits only, within a range. */
#ifndef LNK_NUM_H
#define LNK_NUM_H

#include <stdint.h>

/* Returns 0 and *out, -EINVAL for anything but decimal digits (no sign, no blank, no
 * empty string), -ERANGE outside [min, max]. */
int num_parse(const char *s, uint64_t min, uint64_t max, uint64_t *out);

/* The same for a count of seconds with an optional fraction ("1", "0.25"), in
 * nanoseconds; the range is in nanoseconds too. At most nine decimals. */
int num_parse_seconds(const char *s, uint64_t min_ns, uint64_t max_ns, uint64_t *out_ns);

#endif
