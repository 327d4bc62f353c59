/* SPDX-License-Identifier: MIT */
/* The search for probe functions in a source text, and the function that numbers them. */
#include "fuzz.h"

#include "bpf/hooks.h"

static size_t count(const char *s, const char *what)
{
	size_t n = 0;

	for (; (s = strstr(s, what)); s++)
		n++;
	return n;
}

static void look_at(const struct hooks *hs, int lines)
{
	struct text emitted = { 0 }, described = { 0 };
	size_t want = 0;
	int i, k;

	for (i = 0; i < hs->n; i++) {
		REQUIRE(hs->v[i].kind < HOOK_KINDS && hs->v[i].target[0]);
		REQUIRE(hs->v[i].line >= 1 && hs->v[i].line <= lines);
		REQUIRE(hs->v[i].prog_fd == -1 && hs->v[i].link_fd == -1);
		for (k = 0; hs->v[i].target[k]; k++)
			REQUIRE(hs->v[i].target[k] > ' ' && hs->v[i].target[k] < 0x7f);
		REQUIRE(hooks_find(hs, hs->v[i].kind, hs->v[i].target) == i);
		want += hs->v[i].kind == HOOK_FENTRY || hs->v[i].kind == HOOK_FEXIT ? 2 : 1;
		text_reset(&described);
		hook_describe(&hs->v[i], &described);
		REQUIRE(described.len);
	}
	hooks_emit(hs, &emitted);
	REQUIRE(count(emitted.s, "\tif (!__builtin_strcmp(") == want);
	text_free(&emitted);
	text_free(&described);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct input in = { data, size };
	char *text = take_string(&in), *second = take_string(&in);
	struct hooks hs = { 0 };
	struct text why = { 0 };
	int lines;

	lines = 1 + (int)(count(text, "\n") > count(second, "\n") ? count(text, "\n")
								  : count(second, "\n"));
	if (hooks_scan(&hs, "probes/a.c", text, &why) ||
	    hooks_scan(&hs, "probes/b.c", second, &why))
		REQUIRE(why.len && is_safe_text(why.s, why.len, false));
	look_at(&hs, lines);
	hooks_find_function(&hs, text);
	hooks_free(&hs);
	text_free(&why);
	free(second);
	free(text);
	return 0;
}
