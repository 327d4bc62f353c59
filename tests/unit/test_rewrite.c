/* SPDX-License-Identifier: MIT */
#include "unit.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "bpf/embedded.h"
#include "bpf/rewrite.h"

/* A source of up to four parts. */
static struct part parts[4];
static struct source src;

static void begin(const char *const *texts)
{
	static char name[] = "config.h";

	for (src.n = 0; texts[src.n]; src.n++) {
		text_free(&parts[src.n].text);
		text_puts(&parts[src.n].text, texts[src.n]);
		parts[src.n].name = parts[src.n].label = parts[src.n].origin = name;
	}
	src.parts = parts;
}

/* The one part after its constant became `value`; or "refused". */
static const char *rewritten(const char *text, const char *name, uint64_t value)
{
	struct text why = { 0 };
	int err;

	begin((const char *const[]){ text, NULL });
	err = rewrite_constant(&src, name, value, &why);
	if (err) {
		CHECK_INT(err, -EINVAL);
		CHECK(strstr(text_str(&why), name));
		CHECK(!strchr(text_str(&why), '\n'));
		/* what is refused is left as it was */
		CHECK_STR(text_str(&parts[0].text), text);
	} else {
		CHECK_STR(text_str(&why), "");
		CHECK_INT(parts[0].text.len, strlen(text_str(&parts[0].text)));
	}
	text_free(&why);
	return err ? "refused" : text_str(&parts[0].text);
}

TEST(the_number_and_nothing_else)
{
	CHECK_STR(rewritten("#define P 0\n", "P", 80), "#define P 80\n");
	CHECK_STR(rewritten("a\n#define P 12345\nb\n", "P", 0), "a\n#define P 0\nb\n");
	CHECK_STR(rewritten("#define P 0", "P", 80), "#define P 80");
	CHECK_STR(rewritten("#define P 7", "P", 7), "#define P 7");
}

TEST(blanks)
{
	CHECK_STR(rewritten("#define\tP\t0\n", "P", 1), "#define\tP\t1\n");
	CHECK_STR(rewritten(" \t#\t define \t P \t 0 \t\n", "P", 1),
		  " \t#\t define \t P \t 1 \t\n");
	CHECK_STR(rewritten("#define P 0\r\n#define Q 5\r\n", "P", 1),
		  "#define P 1\r\n#define Q 5\r\n");
}

TEST(comments)
{
	CHECK_STR(rewritten("#define P 0 /* 5 */\n", "P", 1), "#define P 1 /* 5 */\n");
	CHECK_STR(rewritten("#define P 0/* 5 */\n", "P", 1), "#define P 1/* 5 */\n");
	CHECK_STR(rewritten("#define P 0 // 5\n", "P", 1), "#define P 1 // 5\n");
	CHECK_STR(rewritten("// #define P 3\n#define P 0\n", "P", 1),
		  "// #define P 3\n#define P 1\n");
	CHECK_STR(rewritten("/* #define P 3 */\n#define P 0\n", "P", 1),
		  "/* #define P 3 */\n#define P 1\n");
}

TEST(forms_of_a_number)
{
	CHECK_STR(rewritten("#define P 0x1F\n", "P", 3), "#define P 3\n");
	CHECK_STR(rewritten("#define P 0XffUL\n", "P", 3), "#define P 3\n");
	CHECK_STR(rewritten("#define P 017u\n", "P", 3), "#define P 3\n");
	CHECK_STR(rewritten("#define P 0b101\n", "P", 3), "#define P 3\n");
}

/* A name that begins like another one. */
TEST(names)
{
	static const char text[] = "#define FILTER_IP 0\n#define FILTER_IP_WORD0 0\n"
				   "#define FILTER_IP_WORD 0\n#define MY_FILTER_IP 0\n";

	CHECK_STR(rewritten(text, "FILTER_IP", 1),
		  "#define FILTER_IP 1\n#define FILTER_IP_WORD0 0\n"
		  "#define FILTER_IP_WORD 0\n#define MY_FILTER_IP 0\n");
	CHECK_STR(rewritten(text, "FILTER_IP_WORD0", 1),
		  "#define FILTER_IP 0\n#define FILTER_IP_WORD0 1\n"
		  "#define FILTER_IP_WORD 0\n#define MY_FILTER_IP 0\n");
	CHECK_STR(rewritten(text, "FILTER_IP_WORD", 1),
		  "#define FILTER_IP 0\n#define FILTER_IP_WORD0 0\n"
		  "#define FILTER_IP_WORD 1\n#define MY_FILTER_IP 0\n");
	CHECK_STR(rewritten(text, "FILTER", 1), "refused");
	CHECK_STR(rewritten(text, "IP", 1), "refused");
	CHECK_STR(rewritten(text, "filter_ip", 1), "refused");
}

TEST(lines_that_define_no_number)
{
	static const char *const texts[] = {
		"",
		"\n",
		"#define P\n",
		"#define P ",
		"#define P",
		"#define P x\n",
		"#define P (0)\n",
		"#define P -1\n",
		"#define P \"0\"\n",
		"#define P(x) 0\n",
		"#define P,0\n",
		"#define P0\n",
		"#define P5 6\n",
		"#defineP 0\n",
		"#define\n",
		"#define",
		"#",
		"#undef P 0\n",
		"#ifdef P 0\n",
		"#definex P 0\n",
		"x #define P 0\n",
		"P 0\n",
		"define P 0\n",
		"xdefine P 0\n",
		"#pragma P 0\n",
		"#define P\n0\n",
		"# define\nP 0\n",
		"#define P \\\n 0\n",
	};

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		if (!CHECK_STR(rewritten(texts[i], "P", 1), "refused"))
			CHECK_STR(texts[i], "the text in question");
}

/* "#define P 0 + 80" would become "1 + 80". */
TEST(a_number_is_all_there_is)
{
	static const char *const texts[] = {
		"#define P 0 + 80\n", "#define P 1 << 4\n", "#define P 0 0\n",
		"#define P 0+1\n",    "#define P 0.5\n",    "#define P 0 \\\n",
		"#define P 0_\n",     "#define P 0 x\n",    "#define P 0 +/* 80 */ 80\n",
	};

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		if (!CHECK_STR(rewritten(texts[i], "P", 1), "refused"))
			CHECK_STR(texts[i], "the text in question");
}

TEST(exactly_one_line)
{
	struct text why = { 0 };

	CHECK_STR(rewritten("#define P 0\n#define P 0\n", "P", 1), "refused");
	begin((const char *const[]){ "#define P 0\n", "#define Q 0\n", "#define P 1\n", NULL });
	CHECK_INT(rewrite_constant(&src, "P", 9, &why), -EINVAL);
	CHECK_STR(text_str(&why), "the probes must have exactly one line '#define P NUMBER', and "
				  "have 2 (it belongs into config.h)");
	CHECK_STR(text_str(&parts[0].text), "#define P 0\n");
	CHECK_STR(text_str(&parts[2].text), "#define P 1\n");
	text_reset(&why);
	CHECK_INT(rewrite_constant(&src, "R", 9, &why), -EINVAL);
	CHECK(strstr(text_str(&why), "'#define R NUMBER', and have 0 "));
	text_free(&why);
}

/* The line may stand in any part; the others do not change. */
TEST(in_any_part)
{
	struct text why = { 0 };

	begin((const char *const[]){ "#define A 0\n", "", "x\n\n#define P 5 // c\ny",
				     "#define B 0\n", NULL });
	CHECK_INT(rewrite_constant(&src, "P", 4000000000, &why), 0);
	CHECK_STR(text_str(&parts[2].text), "x\n\n#define P 4000000000U // c\ny");
	CHECK_INT(rewrite_constant(&src, "A", 1, &why), 0);
	CHECK_INT(rewrite_constant(&src, "B", 2, &why), 0);
	CHECK_STR(text_str(&parts[0].text), "#define A 1\n");
	CHECK_STR(text_str(&parts[1].text), "");
	CHECK_STR(text_str(&parts[2].text), "x\n\n#define P 4000000000U // c\ny");
	CHECK_STR(text_str(&parts[3].text), "#define B 2\n");
	/* and again */
	CHECK_INT(rewrite_constant(&src, "P", 5, &why), 0);
	CHECK_STR(text_str(&parts[2].text), "x\n\n#define P 5 // c\ny");
	text_free(&why);
}

/* Unsigned from where an int ends. */
TEST(values)
{
	CHECK_STR(rewritten("#define P 0", "P", 2147483647), "#define P 2147483647");
	CHECK_STR(rewritten("#define P 0", "P", 2147483648), "#define P 2147483648U");
	CHECK_STR(rewritten("#define P 0", "P", UINT32_MAX), "#define P 4294967295U");
	CHECK_STR(rewritten("#define P 0", "P", UINT64_MAX), "#define P 18446744073709551615U");
}

TEST(the_constants_of_the_tree)
{
	static const char *const names[] = {
		"USE_FENTRY",
		"USE_KPROBE",
		"USE_TRACEPOINT",
		"FILTER_IP",
		"FILTER_IP_WORD0",
		"FILTER_IP_WORD1",
		"FILTER_IP_WORD2",
		"FILTER_IP_WORD3",
		"FILTER_PORT",
		"RATE_LIMIT",
		"STATS_ONLY",
		"DEBUG_FUNC",
		"TP_NETIF_RECEIVE_SKB_SKBADDR",
	};
	struct source all = { 0 };
	struct text why = { 0 }, want = { 0 };

	for (int i = 0; embedded_files[i].name; i++)
		all.n++;
	all.parts = calloc(all.n + 1, sizeof(*all.parts));
	for (size_t i = 0; i < all.n; i++)
		text_puts(&all.parts[i].text, embedded_files[i].text);
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		CHECK_INT(rewrite_constant(&all, names[i], 1000 + i, &why), 0);
		CHECK_STR(text_str(&why), "");
	}
	for (size_t k = 0; k < sizeof(names) / sizeof(names[0]); k++) {
		bool found = false;

		text_reset(&want);
		text_printf(&want, "#define %s %zu\n", names[k], 1000 + k);
		for (size_t i = 0; i < all.n; i++)
			found |= strstr(text_str(&all.parts[i].text), want.s) != NULL;
		if (!CHECK(found))
			CHECK_STR(want.s, "the line in question");
	}
	for (size_t i = 0; i < all.n; i++)
		text_free(&all.parts[i].text);
	free(all.parts);
	text_free(&why);
	text_free(&want);
}
