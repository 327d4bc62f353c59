/* SPDX-License-Identifier: MIT */
#include "base/num.h"

#include <errno.h>
#include <stdbool.h>
#include <stddef.h>

#define NSEC_PER_SEC 1000000000ULL

/* Digits up to `stop` (NULL: to the end of the string). */
static int digits(const char *s, const char *stop, uint64_t *out)
{
	bool over = false;
	uint64_t v = 0;

	if (s == stop || !*s)
		return -EINVAL;
	for (; s != stop && *s; s++) {
		if (*s < '0' || *s > '9')
			return -EINVAL;
		if (__builtin_mul_overflow(v, 10, &v) ||
		    __builtin_add_overflow(v, (uint64_t)(*s - '0'), &v))
			over = true; /* still look at the rest */
	}
	*out = v;
	return over ? -ERANGE : 0;
}

int num_parse(const char *s, uint64_t min, uint64_t max, uint64_t *out)
{
	uint64_t v;
	int err;

	err = digits(s, NULL, &v);
	if (err)
		return err;
	if (v < min || v > max)
		return -ERANGE;
	*out = v;
	return 0;
}

int num_parse_seconds(const char *s, uint64_t min_ns, uint64_t max_ns, uint64_t *out_ns)
{
	const char *dot = s;
	uint64_t sec, v = 0, unit = NSEC_PER_SEC;
	bool over;
	int err;

	while (*dot && *dot != '.')
		dot++;
	err = digits(s, *dot ? dot : NULL, &sec);
	if (err == -EINVAL)
		return err;
	over = err || __builtin_mul_overflow(sec, NSEC_PER_SEC, &v);
	if (*dot) {
		if (!*++dot)
			return -EINVAL;
		for (; *dot; dot++) {
			if (*dot < '0' || *dot > '9' || unit == 1)
				return -EINVAL;
			unit /= 10;
			over |= __builtin_add_overflow(v, unit * (uint64_t)(*dot - '0'), &v);
		}
	}
	if (over || v < min_ns || v > max_ns)
		return -ERANGE;
	*out_ns = v;
	return 0;
}
