/* SPDX-License-Identifier: MIT */
#include "bpf/expr_names.h"

#include <string.h>

#define NEAR 2 /* letters that a name may differ in and still be suggested */

/* Letters to insert, remove, replace or swap with their neighbour. Words that are longer
 * than any name are far from each other. */
static size_t distance(const char *a, size_t la, const char *b, size_t lb)
{
	size_t rows[3][EXPR_MAX_NAME + 1], i, j, d;
	size_t *before = rows[0], *last = rows[1], *now = rows[2], *spare;

	if (la > EXPR_MAX_NAME || lb > EXPR_MAX_NAME)
		return EXPR_MAX_NAME;
	for (j = 0; j <= lb; j++)
		last[j] = j;
	for (i = 1; i <= la; i++) {
		now[0] = i;
		for (j = 1; j <= lb; j++) {
			d = last[j - 1] + (a[i - 1] != b[j - 1]);
			if (last[j] + 1 < d)
				d = last[j] + 1;
			if (now[j - 1] + 1 < d)
				d = now[j - 1] + 1;
			if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] &&
			    before[j - 2] + 1 < d)
				d = before[j - 2] + 1;
			now[j] = d;
		}
		spare = before;
		before = last;
		last = now;
		now = spare;
	}
	return last[lb];
}

const char *expr_nearest(const struct expr_name *names, size_t n, const char *s, size_t len)
{
	size_t i, d, best = NEAR + 1;
	const char *name = NULL;

	for (i = 0; i < n; i++) {
		if (!strchr(names[i].name, '.') != !memchr(s, '.', len))
			continue;
		d = distance(s, len, names[i].name, strlen(names[i].name));
		if (d < best && d < len) {
			best = d;
			name = names[i].name;
		}
	}
	return name;
}

const struct expr_name *expr_find(const struct expr_name *names, size_t n, const char *s,
				  size_t len)
{
	size_t i;

	for (i = 0; i < n; i++)
		if (strlen(names[i].name) == len && !strncmp(names[i].name, s, len))
			return &names[i];
	return NULL;
}
