/* SPDX-License-Identifier: MIT */
#include "base/num.h"

#include <errno.h>
#include <stddef.h>

#define NSEC_PER_SEC 1000000000ULL

/* Digits up to `stop` (NULL: to the end of the string). */
static int digits(const char *s, const char *stop, uint64_t *out)
{
	uint64_t v = 0;

	if (s == stop || !*s)
		return -EINVAL;
	for (; s != stop && *s; s++) {
		if (*s < '0' || *s > '9')
			return -EINVAL;
		if (__builtin_mul_overflow(v, 10, &v) ||
		    __builtin_add_overflow(v, (uint64_t)(*s - '0'), &v))
			v = UINT64_MAX; /* out of any range; still look at the rest */
	}
	*out = v;
	return 0;
}

int num_parse(const char *s, uint64_t min, uint64_t max, uint64_t *out)
{
	uint64_t v;

	if (digits(s, NULL, &v))
		return -EINVAL;
	if (v < min || v > max)
		return -ERANGE;
	*out = v;
	return 0;
}

int num_parse_seconds(const char *s, uint64_t min_ns, uint64_t max_ns, uint64_t *out_ns)
{
	const char *dot = s;
	uint64_t sec, v, unit = NSEC_PER_SEC;

	while (*dot && *dot != '.')
		dot++;
	if (digits(s, *dot ? dot : NULL, &sec))
		return -EINVAL;
	if (__builtin_mul_overflow(sec, NSEC_PER_SEC, &v))
		return -ERANGE;
	if (*dot) {
		if (!*++dot)
			return -EINVAL;
		for (; *dot; dot++) {
			if (*dot < '0' || *dot > '9' || unit == 1)
				return -EINVAL;
			unit /= 10;
			v += unit * (uint64_t)(*dot - '0');
		}
	}
	if (v < min_ns || v > max_ns)
		return -ERANGE;
	*out_ns = v;
	return 0;
}
