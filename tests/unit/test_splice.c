/* SPDX-License-Identifier: MIT */
/* Each error, its line and its column are what clang says of such a file (but where a word
 * begins behind a line end that a backslash takes away: clang has the backslash's place). */
#include "unit.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "bpf/embedded.h"
#include "bpf/splice.h"

static struct text why;

static const char *check(const char *text)
{
	int err;

	text_reset(&why);
	err = splice_check("a.c", text, &why);
	CHECK_INT(err, why.len ? -EINVAL : 0);
	return text_str(&why);
}

static void good(const char *text)
{
	if (!CHECK_STR(check(text), ""))
		CHECK_STR(text, "the text in question");
}

static void bad(const char *text, const char *says)
{
	struct text want = { 0 };

	text_printf(&want, "a.c:%s", says);
	if (!CHECK_STR(check(text), text_str(&want)))
		CHECK_STR(text, "the text in question");
	text_free(&want);
}

TEST(what_is_built_in)
{
	for (int i = 0; embedded_files[i].name; i++)
		good(embedded_files[i].text);
}

TEST(conditionals_that_are_whole)
{
	good("");
	good("int a;");
	good("#if 1\n#endif\n");
	good("#ifdef A\n#elif B\n#elifdef C\n#elifndef D\n#else\n#endif");
	good("#ifndef A\n#if B\n#else\n#endif\n#else\n#if C\n#endif\n#endif\n");
	good("#if 0\n#iffy\n#elsewhere\n#endifs\n#define if\n#undef endif\n#\n# 7\n#endif\n");
}

TEST(conditionals_that_are_not)
{
	bad("#endif\n", "1:2: error: #endif without #if");
	bad("\n  # else\n", "2:5: error: #else without #if");
	bad("#elif 1\n", "1:2: error: #elif without #if");
	bad("#elifdef X\n", "1:2: error: #elifdef without #if");
	bad("#if 1\n#else\n#else\n#endif\n", "3:2: error: #else after #else");
	bad("#if 1\n#else\n#elif 1\n#endif\n", "3:2: error: #elif after #else");
	bad("#if 1\n#else\n#elifndef X\n#endif\n", "3:2: error: #elifndef after #else");
	bad("int a;\n#if 1\n", "2:2: error: unterminated conditional directive");
	bad("#if 0\n#ifdef A\n#endif\n", "1:2: error: unterminated conditional directive");
	bad("#if 0\n  #ifndef A\n", "2:4: error: unterminated conditional directive");
	/* in sum there is nothing wrong with these */
	bad("#endif\n#if 1\n", "1:2: error: #endif without #if");
	bad("#if 1\n#endif\n#endif\n#if 1\n", "3:2: error: #endif without #if");
}

TEST(where_a_directive_begins)
{
	bad("/* */ # /* \n */ endif\n", "2:5: error: #endif without #if");
	bad("%: endif\n", "1:4: error: #endif without #if");
	bad("\t\v\f #\t\v\f endif\n", "1:10: error: #endif without #if");
	bad("a\r#endif\r\n", "2:2: error: #endif without #if");
	bad("a\r\n#endif\r\n", "2:2: error: #endif without #if");
	bad("\\\n#en\\\ndif\n", "2:2: error: #endif without #if");
	bad("#\\ \t\r\nendif\n", "2:1: error: #endif without #if");
	bad("// c\n#endif\n", "2:2: error: #endif without #if");
	bad("F(\n#endif\n)\n", "2:2: error: #endif without #if");
	good("a #endif\n");
	good("#define A #endif\n");
	good("/* */ a /*\n */ #endif\n");
	good("#define A \\\n#endif\n");
	good("// \\\n#endif\n");
	good("a \\ \n#endif\n");
	good("%:if 1\n%\\\n:endif\n");
	good("% :endif\n");
}

TEST(comments_and_literals)
{
	good("/* #if \n#if\n */ // #if\n");
	good("/\\\n* \n#if\n*\\\n/ /\\\n/ #if\n");
	good("/*/\n#endif\n*/\n");
	bad("/**/\n#endif\n", "2:2: error: #endif without #if");
	bad("\"/*\"\n#endif\n//*/\n", "2:2: error: #endif without #if");
	bad("'/*'\n#endif\n//*/\n", "2:2: error: #endif without #if");
	bad("\"\\\"/*\"\n#endif\n//*/\n", "2:2: error: #endif without #if");
	bad("'\\\\'/*\n*/\n#endif\n", "3:2: error: #endif without #if");
	good("\" \\\n#endif\n\"\n");
	/* open to the end of its line, and no further */
	bad("#if 0\nit's\n#endif\n#endif\n", "4:2: error: #endif without #if");
	bad("\"\\\\\\\n\n#endif\n", "3:2: error: #endif without #if");
	bad("#if 0\n\"a\\\"\n#endif\n#endif\n", "4:2: error: #endif without #if");
}

TEST(comments_that_go_on)
{
	bad("int a;\n /* b\n", "2:2: error: unterminated /* comment");
	bad("/*/", "1:1: error: unterminated /* comment");
	bad("#/*", "1:2: error: unterminated /* comment");
	bad("#if 0 /* b\n#endif\n", "1:7: error: unterminated /* comment");
}

/* What follows the part is a #line. */
TEST(a_last_line_that_goes_on)
{
	static const char says[] = "2:3: error: backslash-newline at end of file";

	bad("a\nb \\", says);
	bad("a\nb \\\n", says);
	bad("a\nb \\\r\n", says);
	bad("a\nb \\ \t\n", says);
	bad("\\", "1:1: error: backslash-newline at end of file");
	good("a\nb \\\n\n");
	good("a\nb \\\nc");
}

TEST(very_deep)
{
	struct text t = { 0 };

	for (int i = 0; i < 256; i++)
		text_puts(&t, "#if 1\n");
	CHECK(strstr(check(text_str(&t)), "a.c:256:2: error: unterminated"));
	text_puts(&t, "#if 1\n");
	bad(text_str(&t), "257:2: error: too many #if in each other");
	text_reset(&t);
	for (int i = 0; i < 256; i++)
		text_puts(&t, "#if 1\n");
	for (int i = 0; i < 256; i++)
		text_puts(&t, "#endif\n");
	good(text_str(&t));
	text_free(&t);
}

static void marked(const char *text, const char *want)
{
	struct text out = { 0 };

	splice_mark(text, &out);
	CHECK_STR(text_str(&out), want);
	text_free(&out);
}

/* The line that follows has the number that it had. */
TEST(lines_behind_braces)
{
	marked("", "");
	marked("int f(int a)\n{\n\treturn 0;\n}\nint b;\n",
	       "int f(int a)\n{\n#line 3\n\treturn 0;\n}\n#line 5\nint b;\n");
	marked("int f(int a) { /* c\n\n */ // {\nb", "int f(int a) { /* c\n\n */ // {\n#line 4\nb");
	marked("a\r\n{\r\nb", "a\r\n{\r\n#line 3\nb");
	marked("a\r{\rb", "a\r{\r#line 3\nb");
	marked("#line 1 \"x\"\n{\n# line 7\n{\n#  10 \"y\"\n}\n",
	       "#line 1 \"x\"\n{\n#line 2\n# line 7\n{\n#line 8\n#  10 \"y\"\n}\n#line 11\n");
	marked("\"{\\\n{\"\n{\n", "\"{\\\n{\"\n{\n#line 4\n");
	/* where there must be no directive, or nobody needs one */
	marked("#define A {\n#define B \\\n{ \\\n}\nx\n",
	       "#define A {\n#define B \\\n{ \\\n}\nx\n");
	marked("A(({\nb;\n}\n))\n", "A(({\nb;\n}\n))\n");
	marked("/* {\n{\n", "/* {\n{\n");
	marked("// {\n'{'\n\"}\"\n'}\n)\n{;\n{,\n", "// {\n'{'\n\"}\"\n'}\n)\n{;\n{,\n");
	/* a #line in what is left out is none */
	marked("#if 0\n{\n#else\n}\n# endif\nx\n#elif\n#if 1\n",
	       "#if 0\n{\n#line 3\n#else\n#line 4\n}\n#line 5\n# endif\n#line 6\nx\n#elif\n#line "
	       "8\n"
	       "#if 1\n");
	/* a parenthesis that is not closed here ends with the file */
	marked("(\n{\n#line 1 \"b\"\n{\n", "(\n{\n#line 1 \"b\"\n{\n#line 2\n");
}
