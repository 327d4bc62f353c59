/* SPDX-License-Identifier: MIT */
/* The source of the program that runs: all of it, or the files with a stage's probes. */
#include "app/console_source.h"

#include <errno.h>
#include <string.h>

#define BEGIN "#line 1 \""

/* Whether a probe function in these bytes serves the stage. */
static bool serves(const struct session *s, const struct stage *st, const char *text, size_t len)
{
	struct text part = { 0 }, why = { 0 };
	struct hooks found = { 0 };
	const struct hook *h;
	bool yes = false;
	int i;

	text_add(&part, text, len);
	if (!hooks_scan(&found, "", text_str(&part), &why))
		for (i = 0; i < st->n && !yes; i++) {
			h = &s->hooks.v[st->v[i].hook];
			yes = hooks_find(&found, h->kind, h->target) >= 0;
		}
	hooks_free(&found);
	text_free(&part);
	text_free(&why);
	return yes;
}

static void add_parts(const struct session *s, const struct stage *st, struct text *out)
{
	const char *at = text_str(&s->text), *next;
	size_t len;

	for (; *at; at += len) {
		next = strstr(at + 1, "\n" BEGIN);
		len = next ? (size_t)(next + 1 - at) : strlen(at);
		if (serves(s, st, at, len))
			text_add_escaped(out, at, len, true);
	}
}

int console_source(const struct session *s, const char *stage, struct text *out, struct text *why)
{
	if (!*stage) {
		text_add_escaped(out, text_str(&s->text), s->text.len, true);
		return 0;
	}
	for (int i = 0; i < s->stages.n; i++) {
		if (strcmp(s->stages.v[i].name, stage) != 0)
			continue;
		add_parts(s, &s->stages.v[i], out);
		return 0;
	}
	text_puts(why, "no stage is called '");
	text_add_escaped(why, stage, strnlen(stage, 60), false);
	text_puts(why, "'; 'stages' lists them");
	return -EINVAL;
}
