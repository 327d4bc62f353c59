/* SPDX-License-Identifier: MIT */
#include "sink/json_text.h"

#include <inttypes.h>
#include <string.h>

static void add_quoted(struct text *out, const char *s)
{
	struct text safe = { 0 };
	size_t i;

	text_add_escaped(&safe, s, strlen(s), false);
	text_add(out, "\"", 1);
	for (i = 0; i < safe.len; i++) {
		if (safe.s[i] == '"' || safe.s[i] == '\\')
			text_add(out, "\\", 1);
		text_add(out, safe.s + i, 1);
	}
	text_add(out, "\"", 1);
	text_free(&safe);
}

/* What stands before a value: the comma after the one before, a line, its key. */
static void lead(struct json *j, const char *key)
{
	int i;

	if (j->filled)
		text_add(j->out, ",", 1);
	if (j->depth)
		text_add(j->out, "\n", 1);
	for (i = 0; i < j->depth; i++)
		text_add(j->out, "  ", 2);
	if (key) {
		add_quoted(j->out, key);
		text_add(j->out, ": ", 2);
	}
	j->filled = true;
}

void json_open(struct json *j, const char *key, char bracket)
{
	lead(j, key);
	text_add(j->out, &bracket, 1);
	j->depth++;
	j->filled = false;
}

void json_close(struct json *j, char bracket)
{
	int i;

	j->depth--;
	if (j->filled) {
		text_add(j->out, "\n", 1);
		for (i = 0; i < j->depth; i++)
			text_add(j->out, "  ", 2);
	}
	text_add(j->out, &bracket, 1);
	if (!j->depth)
		text_add(j->out, "\n", 1);
	j->filled = true;
}

void json_string(struct json *j, const char *key, const char *value)
{
	lead(j, key);
	add_quoted(j->out, value);
}

void json_number(struct json *j, const char *key, int64_t value)
{
	lead(j, key);
	text_printf(j->out, "%" PRId64, value);
}

void json_bool(struct json *j, const char *key, bool value)
{
	lead(j, key);
	text_puts(j->out, value ? "true" : "false");
}

void json_null(struct json *j, const char *key)
{
	lead(j, key);
	text_puts(j->out, "null");
}
