/* SPDX-License-Identifier: MIT */
/* The command line: zero-terminated words. */
#include "fuzz.h"

#include "conf/options.h"
#include "conf/option_table.h"

#define MAX_WORDS 24

/* What options_parse() promises of every config that it takes. */
static void look_at(const struct config *c)
{
	REQUIRE(c->attach < ATTACH_NR);
	REQUIRE(c->time < TIME_MODE_NR && c->color < COLOR_NR);
	REQUIRE(c->col.n >= 0 && c->col.n <= STRINGS_MAX);
	REQUIRE(!(c->buffer_pages & (c->buffer_pages - 1))); /* 0: chosen later */
	REQUIRE(c->buffer_pages <= 65536);
	REQUIRE(c->rate <= 1000000000);
	REQUIRE(c->headers && *c->headers);
	REQUIRE(c->interval_ns >= 100000000 && c->interval_ns <= 86400000000000);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct input in = { data, size };
	char *argv[MAX_WORDS + 1];
	struct text why = { 0 };
	struct config c;
	int argc, i;

	argv[0] = strdup("linux_net_kernel");
	for (argc = 1; argc < MAX_WORDS && in.left; argc++)
		argv[argc] = take_string(&in);
	argv[argc] = NULL;
	if (options_parse(&c, argc, argv, &why)) {
		REQUIRE(why.len && is_safe_text(why.s, why.len, false));
	} else {
		REQUIRE(!why.len);
		look_at(&c);
	}
	text_free(&why);
	options_free(&c);
	for (i = 0; i < argc; i++)
		free(argv[i]);
	return 0;
}
