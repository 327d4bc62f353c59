/* SPDX-License-Identifier: MIT */
#include "unit.h"

#include <string.h>

#include "base/text.h"

TEST(empty_text_is_a_string)
{
	struct text t = { 0 };

	CHECK_STR(text_str(&t), "");
	CHECK_INT(t.len, 0);
	CHECK(!t.cut);
	text_free(&t);
	text_puts(&t, "");
	CHECK_STR(text_str(&t), "");
	text_free(&t);
}

TEST(adding)
{
	struct text t = { 0 };

	text_puts(&t, "one");
	text_add(&t, " two three", 4);
	text_printf(&t, " %d%%", 3);
	CHECK_STR(text_str(&t), "one two 3%");
	CHECK_INT(t.len, 10);
	CHECK(!t.cut);
	text_free(&t);
}

TEST(bytes_after_a_nul_are_kept)
{
	struct text t = { 0 };

	text_add(&t, "a\0b", 3);
	CHECK_INT(t.len, 3);
	CHECK_MEM(t.s, "a\0b", 4);
	text_free(&t);
}

/* The buffer on the stack, the edge, and the one from the heap. */
TEST(long_formats)
{
	struct text t = { 0 };
	char want[600];

	for (size_t n = 250; n < 260; n++) {
		memset(want, 'x', n);
		want[n] = '\0';
		text_reset(&t);
		text_printf(&t, "%s", want);
		CHECK_STR(text_str(&t), want);
		CHECK_INT(t.len, n);
	}
	memset(want, 'y', 599);
	want[599] = '\0';
	text_reset(&t);
	text_printf(&t, "%s", want);
	CHECK_STR(text_str(&t), want);
	text_free(&t);
}

TEST(growth_keeps_what_was_there)
{
	struct text t = { 0 };
	bool same = true;

	for (int i = 0; i < 100000; i++)
		text_add(&t, &"0123456789"[i % 10], 1);
	CHECK_INT(t.len, 100000);
	CHECK_INT(strlen(text_str(&t)), 100000);
	for (size_t i = 0; i < t.len; i++)
		same = same && t.s[i] == "0123456789"[i % 10];
	CHECK(same);
	text_free(&t);
}

TEST(the_bound_cuts_and_says_so)
{
	struct text t = { 0 };
	static char block[1 << 20];

	memset(block, 'b', 1 << 20);
	for (size_t n = 0; n < TEXT_MAX; n += 1 << 20)
		text_add(&t, block, 1 << 20);
	CHECK_INT(t.len, TEXT_MAX);
	CHECK(!t.cut);
	text_add(&t, block, 0);
	CHECK(!t.cut);
	text_puts(&t, "x");
	CHECK(t.cut);
	CHECK_INT(t.len, TEXT_MAX);
	CHECK_INT(strlen(text_str(&t)), TEXT_MAX);

	text_reset(&t);
	CHECK(!t.cut);
	CHECK_STR(text_str(&t), "");
	text_add(&t, block, (1 << 20) - 1);
	for (int i = 0; i < 16; i++)
		text_add(&t, block, 1 << 20);
	CHECK_INT(t.len, TEXT_MAX); /* the part that fits is kept */
	CHECK(t.cut);
	text_free(&t);
}

TEST(reset_and_free)
{
	struct text t = { 0 };

	text_reset(&t);
	text_puts(&t, "something");
	text_reset(&t);
	CHECK_STR(text_str(&t), "");
	CHECK_INT(t.len, 0);
	text_puts(&t, "else");
	CHECK_STR(text_str(&t), "else");
	text_free(&t);
	CHECK(!t.s);
	text_free(&t);
	text_puts(&t, "again");
	CHECK_STR(text_str(&t), "again");
	text_free(&t);
}

static void escapes_n(const char *bytes, size_t len, bool lines, const char *want)
{
	struct text t = { 0 };

	text_add_escaped(&t, bytes, len, lines);
	CHECK_STR(text_str(&t), want);
	text_free(&t);
}

static void escapes(const char *s, const char *want)
{
	escapes_n(s, strlen(s), false, want);
}

TEST(plain_text_stays)
{
	escapes("", "");
	escapes("tcp_v4_do_rcv+0x1f", "tcp_v4_do_rcv+0x1f");
	escapes(" !\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~", " !\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~");
}

TEST(utf8_stays)
{
	escapes("ü", "ü");
	escapes("内核", "内核");
	escapes("😀", "😀");
	escapes("\xc2\xa0", "\xc2\xa0");                 /* U+00A0, the first past C1 */
	escapes("\xdf\xbf", "\xdf\xbf");                 /* U+07FF */
	escapes("\xe0\xa0\x80", "\xe0\xa0\x80");         /* U+0800 */
	escapes("\xed\x9f\xbf", "\xed\x9f\xbf");         /* U+D7FF */
	escapes("\xee\x80\x80", "\xee\x80\x80");         /* U+E000 */
	escapes("\xf0\x90\x80\x80", "\xf0\x90\x80\x80"); /* U+10000 */
	escapes("\xf4\x8f\xbf\xbf", "\xf4\x8f\xbf\xbf"); /* U+10FFFF */
}

TEST(ansi_escapes)
{
	escapes("\x1b[31mred\x1b[0m", "\\x1b[31mred\\x1b[0m");
	escapes("\x1b]0;title\x07", "\\x1b]0;title\\x07");
	escapes("\x1b[2J\x1b[H", "\\x1b[2J\\x1b[H");
	escapes("a\rb\bc\vd\fe", "a\\x0db\\x08c\\x0bd\\x0ce");
	escapes("\x7f", "\\x7f");
	escapes_n("a\0b", 3, false, "a\\x00b");
}

/* U+0080 to U+009F: a terminal may take U+009B for ESC [. */
TEST(c1_controls)
{
	escapes("\xc2\x9b"
		"31m",
		"\\xc2\\x9b31m");
	escapes("\xc2\x80", "\\xc2\\x80");
	escapes("\xc2\x9f", "\\xc2\\x9f");
	escapes("\x9b"
		"31m",
		"\\x9b31m"); /* the same as a bare byte */
}

TEST(invalid_utf8)
{
	escapes("\xff", "\\xff");
	escapes("\xfe\xfe", "\\xfe\\xfe");
	escapes("\x80", "\\x80");                            /* continuation alone */
	escapes("\xc3(", "\\xc3(");                          /* cut by another character */
	escapes("\xe5\x86", "\\xe5\\x86");                   /* cut by the end */
	escapes("\xf0\x9f\x98", "\\xf0\\x9f\\x98");          /* the same, of four */
	escapes("\xe5\x86x", "\\xe5\\x86x");                 /* in the middle */
	escapes("\xe5\x86\xe5\x86\x85", "\\xe5\\x86内");     /* and what follows is good */
	escapes("\xc0\xaf", "\\xc0\\xaf");                   /* overlong '/' */
	escapes("\xc1\x81", "\\xc1\\x81");                   /* overlong 'A' */
	escapes("\xe0\x80\xaf", "\\xe0\\x80\\xaf");          /* overlong of three */
	escapes("\xe0\x9f\xbf", "\\xe0\\x9f\\xbf");          /* U+07FF in three */
	escapes("\xf0\x80\x80\xaf", "\\xf0\\x80\\x80\\xaf"); /* overlong of four */
	escapes("\xf0\x82\x9b\x80", "\\xf0\\x82\\x9b\\x80");
	escapes("\xed\xa0\x80", "\\xed\\xa0\\x80"); /* surrogate */
	escapes("\xed\xbf\xbf", "\\xed\\xbf\\xbf");
	escapes("\xf4\x90\x80\x80", "\\xf4\\x90\\x80\\x80"); /* past U+10FFFF */
	escapes("\xf5\x80\x80\x80", "\\xf5\\x80\\x80\\x80");
	escapes("\xe0\x82\x9b", "\\xe0\\x82\\x9b"); /* a C1 control, overlong */
}

TEST(the_length_is_kept_to)
{
	escapes_n("内核", 3, false, "内");
	escapes_n("内核", 4, false, "内\\xe6");
	escapes_n("内核", 0, false, "");
}

TEST(quotes)
{
	struct text t = { 0 };
	char big[200];

	text_add_quoted(&t, "a\n b", 4);
	CHECK_STR(text_str(&t), "'a\\x0a b'");
	text_reset(&t);
	memset(big, 'x', sizeof(big));
	text_add_quoted(&t, big, sizeof(big));
	CHECK_INT(t.len, 105);
	CHECK_STR(t.s + 98, "xxx...'");
	text_free(&t);
}

TEST(newlines_and_tabs)
{
	escapes_n("a\n\tb\r\n", 6, true, "a\n\tb\\x0d\n");
	escapes_n("a\n\tb\r\n", 6, false, "a\\x0a\\x09b\\x0d\\x0a");
	escapes_n("\x1b[1m\n", 5, true, "\\x1b[1m\n");
}

/* Whatever goes in, nothing comes out that a terminal obeys. */
TEST(every_pair_of_bytes)
{
	struct text t = { 0 };
	size_t bad = 0;
	char in[2];

	for (int i = 0; i < 65536; i++) {
		in[0] = (char)(i >> 8);
		in[1] = (char)i;
		text_reset(&t);
		text_add_escaped(&t, in, 2, false);
		for (size_t k = 0; k < t.len; k++)
			bad += (unsigned char)t.s[k] < 0x20 || t.s[k] == 0x7f;
		bad += t.len == 2 && (unsigned char)t.s[0] == 0xc2 && (unsigned char)t.s[1] < 0xa0;
		bad += t.len < 2 || t.len > 8;
	}
	CHECK_INT(bad, 0);
	text_free(&t);
}
