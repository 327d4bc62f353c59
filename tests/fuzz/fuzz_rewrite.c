/* SPDX-License-Identifier: MIT */
/* A constant, its value, and the texts of up to four parts. */
#include "fuzz.h"

#include <inttypes.h>

#include "bpf/rewrite.h"

#define MAX_PARTS 4

static size_t take_parts(struct input *in, struct part parts[MAX_PARTS])
{
	char *s;
	size_t n;

	for (n = 0; n < MAX_PARTS && (in->left || !n); n++) {
		s = take_string(in);
		parts[n] = (struct part){ .name = strdup("a.c"),
					  .label = strdup("probes/a.c"),
					  .origin = strdup("here") };
		text_puts(&parts[n].text, s);
		free(s);
	}
	return n;
}

/* Just one part may differ, and only by the number. */
static void look_at(const struct source *src, char *const before[MAX_PARTS], uint64_t value)
{
	char digits[32];
	size_t i, head, tail, len, changed = 0;
	const char *now;

	snprintf(digits, sizeof(digits), "%" PRIu64, value);
	for (i = 0; i < src->n; i++) {
		now = text_str(&src->parts[i].text);
		REQUIRE(before[i]);
		if (!strcmp(now, before[i]))
			continue;
		changed++;
		len = strlen(now);
		for (head = 0; now[head] == before[i][head]; head++)
			;
		for (tail = 0; tail < len - head && tail < strlen(before[i]) - head &&
			       now[len - 1 - tail] == before[i][strlen(before[i]) - 1 - tail];)
			tail++;
		REQUIRE(len - head - tail <= strlen(digits) + 1);
		REQUIRE(strstr(now, digits));
	}
	REQUIRE(changed <= 1);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct input in = { data, size };
	uint64_t value = take_number(&in, 8);
	char *name = take_string(&in);
	struct part *parts = calloc(MAX_PARTS, sizeof(*parts));
	struct source src = { .parts = parts };
	char *before[MAX_PARTS] = { 0 };
	struct text why = { 0 }, again = { 0 };
	size_t i;

	src.n = take_parts(&in, parts);
	for (i = 0; i < src.n; i++) {
		before[i] = strdup(text_str(&parts[i].text));
		REQUIRE(before[i]);
	}
	if (!rewrite_constant(&src, name, value, &why)) {
		REQUIRE(!why.len);
		look_at(&src, before, value);
		/* still the one line, and it can be found again */
		REQUIRE(!rewrite_constant(&src, name, 0, &again));
	} else {
		REQUIRE(why.len);
	}
	text_free(&why);
	text_free(&again);
	for (i = 0; i < MAX_PARTS; i++)
		free(before[i]);
	source_free(&src);
	free(name);
	return 0;
}
