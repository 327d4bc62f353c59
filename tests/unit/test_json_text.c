/* SPDX-License-Identifier: MIT */
#include "unit.h"

#include <string.h>

#include "sink/json_text.h"

static struct text out;

/* The JSON of one string. */
static const char *quoted(const char *s)
{
	struct json j = { .out = &out };

	text_reset(&out);
	json_string(&j, NULL, s);
	return text_str(&out);
}

TEST(plain_strings)
{
	CHECK_STR(quoted(""), "\"\"");
	CHECK_STR(quoted("tcp_v4_do_rcv+0x5/0x10"), "\"tcp_v4_do_rcv+0x5/0x10\"");
	CHECK_STR(quoted(" a  b "), "\" a  b \"");
	/* '/' needs no escape, and neither do these */
	CHECK_STR(quoted("</script>&'{}[]:,"), "\"</script>&'{}[]:,\"");
}

TEST(quotes_and_backslashes)
{
	CHECK_STR(quoted("\""), "\"\\\"\"");
	CHECK_STR(quoted("\\"), "\"\\\\\"");
	CHECK_STR(quoted("a\"b\\c"), "\"a\\\"b\\\\c\"");
	CHECK_STR(quoted("\\\""), "\"\\\\\\\"\"");
	CHECK_STR(quoted("\\n"), "\"\\\\n\"");
	CHECK_STR(quoted("ends with \\"), "\"ends with \\\\\"");
}

/* Each becomes \xNN, and the backslash of that is escaped: no byte below 0x20, and no
 * DEL, is ever in the output. */
TEST(every_control_byte)
{
	struct text want = { 0 };

	for (int c = 1; c <= 0x7f; c = c == 0x1f ? 0x7f : c + 1) {
		char s[] = { 'a', (char)c, 'b', '\0' };

		text_reset(&want);
		text_printf(&want, "\"a\\\\x%02xb\"", (unsigned int)c);
		CHECK_STR(quoted(s), text_str(&want));
	}
	text_free(&want);
}

TEST(utf8)
{
	CHECK_STR(quoted("\xc3\xa4\xe4\xb8\xad\xf0\x9f\x90\xa7"),
		  "\"\xc3\xa4\xe4\xb8\xad\xf0\x9f\x90\xa7\"");
	CHECK_STR(quoted("\xc2\xa0"), "\"\xc2\xa0\"");
}

TEST(what_is_no_utf8)
{
	static const struct {
		const char *in, *want;
	} cases[] = {
		{ "\x80", "\"\\\\x80\"" },
		{ "\xff", "\"\\\\xff\"" },
		{ "\xc3", "\"\\\\xc3\"" },                       /* cut short */
		{ "\xc3\"", "\"\\\\xc3\\\"\"" },                 /* and the quote stays one */
		{ "\xe4\xb8", "\"\\\\xe4\\\\xb8\"" },            /* cut short */
		{ "\xf0\x9f\x90", "\"\\\\xf0\\\\x9f\\\\x90\"" }, /* cut short */
		{ "\xc0\xaf", "\"\\\\xc0\\\\xaf\"" },            /* overlong */
		{ "\xe0\x80\xaf", "\"\\\\xe0\\\\x80\\\\xaf\"" }, /* overlong */
		{ "\xed\xa0\x80", "\"\\\\xed\\\\xa0\\\\x80\"" }, /* a surrogate */
		{ "\xf4\x90\x80\x80", "\"\\\\xf4\\\\x90\\\\x80\\\\x80\"" }, /* above U+10FFFF */
		{ "\xc2\x9b", "\"\\\\xc2\\\\x9b\"" }, /* C1: terminals obey it */
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		CHECK_STR(quoted(cases[i].in), cases[i].want);
}

TEST(numbers_and_words)
{
	struct json j = { .out = &out };

	json_open(&j, NULL, '[');
	json_number(&j, NULL, 0);
	json_number(&j, NULL, -1);
	json_number(&j, NULL, INT64_MAX);
	json_number(&j, NULL, INT64_MIN);
	json_bool(&j, NULL, true);
	json_bool(&j, NULL, false);
	json_null(&j, NULL);
	json_close(&j, ']');
	CHECK_STR(text_str(&out), "[\n  0,\n  -1,\n  9223372036854775807,\n"
				  "  -9223372036854775808,\n  true,\n  false,\n  null\n]\n");
}

TEST(nothing_in_it)
{
	struct json j = { .out = &out };

	json_open(&j, NULL, '{');
	json_close(&j, '}');
	CHECK_STR(text_str(&out), "{}\n");
	text_reset(&out);
	j = (struct json){ .out = &out };
	json_open(&j, NULL, '[');
	json_open(&j, NULL, '{');
	json_close(&j, '}');
	json_open(&j, NULL, '[');
	json_close(&j, ']');
	json_close(&j, ']');
	CHECK_STR(text_str(&out), "[\n  {},\n  []\n]\n");
}

TEST(objects_in_arrays_in_objects)
{
	struct json j = { .out = &out };

	json_open(&j, NULL, '{');
	json_string(&j, "a", "x");
	json_open(&j, "list", '[');
	json_open(&j, NULL, '{');
	json_null(&j, "k\"\n");
	json_close(&j, '}');
	json_bool(&j, NULL, true);
	json_close(&j, ']');
	json_number(&j, "after", 7);
	json_close(&j, '}');
	CHECK_STR(text_str(&out), "{\n"
				  "  \"a\": \"x\",\n"
				  "  \"list\": [\n"
				  "    {\n"
				  "      \"k\\\"\\\\x0a\": null\n"
				  "    },\n"
				  "    true\n"
				  "  ],\n"
				  "  \"after\": 7\n"
				  "}\n");
}
