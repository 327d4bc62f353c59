/* SPDX-License-Identifier: MIT */
/* The splice: a handful of parts, their hooks, and the one text for the compiler. */
#include "fuzz.h"

#include "bpf/source.h"
#include "bpf/splice.h"

#define MAX_PARTS 12
#define FIXED 8

static void look_at(const struct source *src, const struct text *all)
{
	const char *at = all->s;
	struct text mark = { 0 };
	size_t i;

	/* every part stands behind a #line of its own, whole and in order; but for names.h where
	 * no probe calls anything of it */
	for (i = 0; i < src->n; i++) {
		REQUIRE(i < FIXED || !src->parts[5].left_out ||
			!strstr(text_str(&src->parts[i].text), "lnk_"));
		if (src->parts[i].left_out) {
			REQUIRE(i == 5);
			continue;
		}
		text_reset(&mark);
		text_printf(&mark, "#line 1 \"%s\"\n%s", src->parts[i].label,
			    text_str(&src->parts[i].text));
		at = strstr(at, mark.s);
		REQUIRE(at && (at == all->s || at[-1] == '\n'));
		at += mark.len;
	}
	REQUIRE(strstr(at, "#line 1 \"event-layout\"\n"));
	text_free(&mark);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char *const names[MAX_PARTS] = { "kernel.h", "event.h", "config.h", "packet.h",
						      "socket.h", "names.h", "rate.h",   "show.h",
						      "a.c",      "b.c",     "c.c",      "d.c" };
	struct input in = { data, size };
	struct source src = { .parts = calloc(MAX_PARTS, sizeof(struct part)) };
	struct hooks hs = { 0 };
	struct text all = { 0 }, why = { 0 }, label = { 0 };
	char *s;

	/* source_load() sees to it that the fixed parts are there */
	for (; src.n < FIXED || (src.n < MAX_PARTS && in.left); src.n++) {
		s = take_string(&in);
		text_reset(&label);
		text_printf(&label, "probes/%s", names[src.n]);
		src.parts[src.n] = (struct part){ .name = strdup(names[src.n]),
						  .label = strdup(label.s),
						  .origin = strdup("here") };
		text_puts(&src.parts[src.n].text, s);
		REQUIRE(!splice_check(label.s, s, &why) == !why.len);
		text_reset(&why);
		splice_mark(s, &why);
		REQUIRE(why.len >= strlen(s));
		text_reset(&why);
		free(s);
	}
	if (!source_hooks(&src, &hs, &why)) {
		source_assemble(&src, &hs, "", &all);
		look_at(&src, &all);
	}
	hooks_free(&hs);
	source_free(&src);
	text_free(&all);
	text_free(&why);
	text_free(&label);
	return 0;
}
