/* SPDX-License-Identifier: MIT */
#include "base/spell.h"

#include <stdint.h>
#include <string.h>

size_t spell_distance(const char *typed, size_t len, const char *name)
{
	size_t row[SPELL_MAX + 1], n = strlen(name), i, k, up, left;

	if (n > SPELL_MAX || len > SPELL_MAX)
		return SIZE_MAX;
	for (k = 0; k <= n; k++)
		row[k] = k;
	for (i = 1; i <= len; i++) {
		left = row[0]++;
		for (k = 1; k <= n; k++) {
			up = row[k];
			left += typed[i - 1] != name[k - 1];
			if (up + 1 < left)
				left = up + 1;
			if (row[k - 1] + 1 < left)
				left = row[k - 1] + 1;
			row[k] = left;
			left = up;
		}
	}
	return row[n];
}

size_t spell_limit(size_t len)
{
	return len < 4 ? 1 : 2;
}
