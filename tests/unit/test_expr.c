/* SPDX-License-Identifier: MIT */
/* What is refused, and how the C looks. What the C computes: tests/cli/expr.sh. */
#include "unit.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bpf/expr.h"

enum {
	NEEDS_LEN = 1,
	NEEDS_SKB = 2,
	NEEDS_SK = 4,
	NEEDS_TCP = 8,
};

static const struct expr_name names[] = {
	{ "len", EXPR_NUMBER, "f.len", NEEDS_LEN },
	{ "mark", EXPR_NUMBER, "f.mark", 0 },
	{ "skb", EXPR_POINTER, "SKB", NEEDS_SKB },
	{ "sk", EXPR_POINTER, "SK", NEEDS_SK },
	{ "skb.mark", EXPR_NUMBER, "f.skb_mark", NEEDS_LEN },
	{ "skb.dev.up", EXPR_NUMBER, "f.up", 0 },
	{ "tcp.syn", EXPR_NUMBER, "f.syn", NEEDS_TCP },
	{ "tcp.ack", EXPR_NUMBER, "f.ack", NEEDS_TCP },
};
#define NAMES (sizeof(names) / sizeof(names[0]))

static struct text c;
static unsigned int needs;
static struct expr_error error;

static int translate(const char *s)
{
	text_reset(&c);
	needs = 0xdead;
	error = (struct expr_error){ 0 };
	return expr_translate(s, names, NAMES, &c, &needs, &error);
}

/* The C of it, without the line breaks; "COLUMN: MESSAGE" when it is refused. */
static const char *translated(const char *s)
{
	static char out[4096];
	size_t i, n = 0;

	if (translate(s)) {
		snprintf(out, sizeof(out), "%zu: %s", error.column, error.message);
		return out;
	}
	for (i = 0; i < c.len && n < sizeof(out) - 1; i++)
		if (c.s[i] != '\n')
			out[n++] = c.s[i];
	out[n] = '\0';
	return out;
}

struct row {
	const char *s;
	const char *want;
};

static void check_rows(const struct row *rows, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (!CHECK_STR(translated(rows[i].s), rows[i].want))
			fprintf(stderr, "  of   \"%s\"\n", rows[i].s);
	text_free(&c);
}

#define CHECK_ROWS(rows) check_rows(rows, sizeof(rows) / sizeof((rows)[0]))

TEST(what_it_becomes)
{
	static const struct row rows[] = {
		{ "1", "((s64)1LL)" },
		{ " 0x1f\t+\n010 ", "((s64)(s64)((u64)31LL+(u64)8LL))" },
		{ "0b101", "((s64)5LL)" },
		{ "0", "((s64)0LL)" },
		{ "7l", "((s64)7LL)" },
		{ "7LL", "((s64)7LL)" },
		{ "9223372036854775807", "((s64)9223372036854775807LL)" },
		{ "0x8000000000000000", "((s64)(s64)0x8000000000000000ULL)" },
		{ "0xFFFFFFFFFFFFFFFF", "((s64)(s64)0xffffffffffffffffULL)" },
		{ "'A'", "((s64)65LL)" },
		{ "'\\''", "((s64)39LL)" },
		{ "'\\\\'", "((s64)92LL)" },
		{ "'\\n'", "((s64)10LL)" },
		{ "'\\0'", "((s64)0LL)" },
		{ "len", "((s64)(s64)(f.len))" },
		{ "+len", "((s64)(s64)(f.len))" },
		{ "- -len", "((s64)(s64)-(u64)(s64)-(u64)(s64)(f.len))" },
		{ "~len", "((s64)~(s64)(s64)(f.len))" },
		{ "!!len", "((s64)!!(s64)(f.len))" },
		{ "1+2-3", "((s64)(s64)((u64)1LL+(u64)2LL-(u64)3LL))" },
		{ "1-(2-3)", "((s64)(s64)((u64)1LL-(u64)(s64)((u64)2LL-(u64)3LL)))" },
		{ "1+2*3", "((s64)(s64)((u64)1LL+(u64)(s64)((u64)2LL*(u64)3LL)))" },
		{ "8/4/2", "((s64)lnk_div(lnk_div(8LL,4LL),2LL))" },
		{ "9%5", "((s64)lnk_mod(9LL,5LL))" },
		{ "1<<2>>3", "((s64)lnk_shr(lnk_shl(1LL,2LL),3LL))" },
		{ "1|2^3&4", "((s64)(1LL|(2LL^(3LL&4LL))))" },
		{ "1|2|3", "((s64)(1LL|2LL|3LL))" },
		{ "1<2<3", "((s64)((1LL<2LL)<3LL))" },
		{ "1&2==2", "((s64)(1LL&(2LL==2LL)))" },
		{ "1||2&&3||4", "((s64)(1LL||(2LL&&3LL)||4LL))" },
		{ "1?2:3?4:5", "((s64)(1LL?2LL:(3LL?4LL:5LL)))" },
		{ "1?2?3:4:5", "((s64)(1LL?(2LL?3LL:4LL):5LL))" },
	};

	CHECK_ROWS(rows);
}

TEST(members)
{
	static const struct row rows[] = {
		{ "skb->len", "((s64)LNK_NUMBER(LNK_READ(LNK_POINTER(SKB)->len)))" },
		{ "skb->dev->ifindex",
		  "((s64)LNK_NUMBER(LNK_READ(LNK_READ(LNK_POINTER(SKB)->dev)->ifindex)))" },
		{ "(skb->dev)->ifindex",
		  "((s64)LNK_NUMBER(LNK_READ(LNK_READ(LNK_POINTER(SKB)->dev)->ifindex)))" },
		{ "( skb ) -> dev -> ifindex",
		  "((s64)LNK_NUMBER(LNK_READ(LNK_READ(LNK_POINTER(SKB)->dev)->ifindex)))" },
		{ "sk->__sk_common.skc_family",
		  "((s64)LNK_NUMBER(LNK_READ(LNK_POINTER(SK)->__sk_common.skc_family)))" },
		{ "sk->a.b.c->d.e",
		  "((s64)LNK_NUMBER(LNK_READ(LNK_READ(LNK_POINTER(SK)->a.b.c)->d.e)))" },
		{ "skb->cb[0x10]",
		  "((s64)LNK_NUMBER(LNK_READ(LNK_ELEMENT(LNK_POINTER(SKB)->cb,16))))" },
		{ "skb->a[1][2].b", "((s64)LNK_NUMBER(LNK_READ("
				    "LNK_ELEMENT(LNK_ELEMENT(LNK_POINTER(SKB)->a,1),2).b)))" },
		{ "skb->a[1]->b",
		  "((s64)LNK_NUMBER(LNK_READ(LNK_READ(LNK_ELEMENT(LNK_POINTER(SKB)->a,1))->b)))" },
		{ "!skb->dev", "((s64)!LNK_NUMBER(LNK_READ(LNK_POINTER(SKB)->dev)))" },
		/* documented names come first, the longest of them */
		{ "tcp.syn", "((s64)(s64)(f.syn))" },
		{ "tcp -> syn", "((s64)(s64)(f.syn))" },
		{ "skb->mark", "((s64)(s64)(f.skb_mark))" },
		{ "skb.mark", "((s64)(s64)(f.skb_mark))" },
		{ "skb->marks", "((s64)LNK_NUMBER(LNK_READ(LNK_POINTER(SKB)->marks)))" },
		{ "skb->dev->up", "((s64)(s64)(f.up))" },
		{ "skb->dev->down",
		  "((s64)LNK_NUMBER(LNK_READ(LNK_READ(LNK_POINTER(SKB)->dev)->down)))" },
		/* pointers */
		{ "skb == 0", "((s64)(((SKB)!=0)==0LL))" },
		{ "0 != sk", "((s64)(0LL!=((SK)!=0)))" },
		{ "!sk", "((s64)!((SK)!=0))" },
		{ "sk && 1 || !skb", "((s64)((((SK)!=0)&&1LL)||!((SKB)!=0)))" },
		{ "sk ? 1 : 2", "((s64)(((SK)!=0)?1LL:2LL))" },
	};

	CHECK_ROWS(rows);
}

TEST(needs_of_all_names)
{
	CHECK_INT(translate("1"), 0);
	CHECK_INT(needs, 0);
	CHECK_INT(translate("mark"), 0);
	CHECK_INT(needs, 0);
	CHECK_INT(translate("len ? sk->a : 2"), 0);
	CHECK_INT(needs, NEEDS_LEN | NEEDS_SK);
	CHECK_INT(translate("tcp.syn || skb->b"), 0);
	CHECK_INT(needs, NEEDS_TCP | NEEDS_SKB);
	CHECK_INT(translate("skb.mark"), 0);
	CHECK_INT(needs, NEEDS_LEN);
	text_free(&c);
}

/* The line of a member is the column that the user wrote it in. */
TEST(lines_are_columns)
{
	static const char s[] = "len > 3 && skb->dev->nosuch == 'x' / skb->cb[2]";
	static const char *const words[] = { "nosuch", "dev", "cb", "f.len" };
	static const char *const wrote[] = { "nosuch", "dev", "cb", "len" };
	const char *p, *at;
	size_t line;

	CHECK_INT(translate(s), 0);
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		at = strstr(text_str(&c), words[i]);
		if (!CHECK(at))
			continue;
		for (line = 1, p = c.s; p < at; p++)
			line += *p == '\n';
		CHECK_INT(line, strstr(s, wrote[i]) - s + 1);
	}
	text_free(&c);
}

TEST(adds_to_the_text)
{
	text_puts(&c, "return ");
	CHECK_INT(expr_translate("1", names, NAMES, &c, &needs, &error), 0);
	CHECK_STR(text_str(&c), "return ((s64)1LL)");
	CHECK_INT(expr_translate("1+", names, NAMES, &c, &needs, &error), -EINVAL);
	CHECK_STR(text_str(&c), "return ((s64)1LL)");
	CHECK_INT(needs, 0);
	text_free(&c);
}

TEST(refused)
{
	static const struct row rows[] = {
		{ "", "1: the expression is empty" },
		{ " \t\n", "1: the expression is empty" },
		{ "(", "2: expected a value, but the expression ends" },
		{ "()", "2: expected a value, found ')'" },
		{ "1 +", "4: expected a value, but the expression ends" },
		{ "1 + * 2", "5: expected a value, found '*'; members are read with ->" },
		{ "*skb", "1: expected a value, found '*'; members are read with ->" },
		{ "&len", "1: expected a value, found '&'; addresses are not allowed" },
		{ "len && & len", "8: expected a value, found '&'; addresses are not allowed" },
		{ "len len", "5: expected an operator, found 'len'" },
		{ "1 2", "3: expected an operator, found '2'" },
		{ "(1 2)", "4: expected an operator, found '2'" },
		{ "1 (2)", "3: expected an operator, found '('" },
		{ "1 !2", "3: expected an operator, found '!'" },
		{ "3 + (4 * (1 - 2)", "5: '(' without ')'" },
		{ "(1))", "4: ')' without '('" },
		{ "1 ? 2", "3: '?' without ':'" },
		{ "1 : 2", "3: ':' without '?'" },
		{ "(1 ? 2)", "7: ')' without '('" },
		{ "1 ?: 2", "4: expected a value, found ':'" },
		{ "len = 1", "5: '=' is assignment; write == to compare" },
		{ "len =! 1", "5: '=' is assignment; write == to compare" },
		{ "len += 1", "5: '+=' is assignment, which is not allowed" },
		{ "len <<= 1", "5: '<<=' is assignment, which is not allowed" },
		{ "len ^=1", "5: '^=' is assignment, which is not allowed" },
		{ "len++",
		  "4: '++' changes a value, which is not allowed (a minus of a minus is - -)" },
		{ "--len",
		  "1: '--' changes a value, which is not allowed (a minus of a minus is - -)" },
		{ "1, 2", "2: ',': only one expression is allowed" },
		{ "len;", "4: ';': statements are not allowed, only one expression" },
		{ "if (len) 1", "1: 'if' is not allowed" },
		{ "sizeof len", "1: 'sizeof' is not allowed" },
		{ "(int)len", "2: 'int' is a type: casts are not allowed" },
		{ "(unsigned char)len", "2: 'unsigned' is a type: casts are not allowed" },
		{ "(u32)len", "2: 'u32' is a type: casts are not allowed" },
		{ "(struct sock *)sk", "2: 'struct' is a type: casts are not allowed" },
		{ "ntohs(len)", "6: calls are not allowed" },
		{ "len(1)", "4: calls are not allowed" },
		{ "skb->f(1)", "7: calls are not allowed" },
		{ "tcp.syn(1)", "8: calls are not allowed" },
		{ "\"text\"", "1: '\"': strings are not allowed" },
		{ "1 + \"", "5: '\"': strings are not allowed" },
		{ "#if", "1: '#': preprocessor lines are not allowed" },
		{ "1 /* one */", "3: '/*': comments are not allowed" },
		{ "1 // one", "3: '//': comments are not allowed" },
		{ "1 @ 2", "3: '@' has no place in an expression" },
		{ "$x", "1: '$' has no place in an expression" },
		{ "a`", "1: unknown name 'a'" },
		{ "1 \\\n", "3: '\\' has no place in an expression" },
		{ "1\r", "2: byte \\x0d has no place in an expression" },
		{ "1 \xc3\xa9", "3: byte \\xc3 has no place in an expression" },
		{ "\x7f", "1: byte \\x7f has no place in an expression" },
		{ "\x01", "1: byte \\x01 has no place in an expression" },
	};

	CHECK_ROWS(rows);
}

TEST(refused_numbers)
{
	static const struct row rows[] = {
		{ "1.5", "1: '1.5' is not a whole number" },
		{ "1.", "1: '1.' is not a whole number" },
		{ ".5", "1: expected a value, found '.'" },
		{ "10.0.0.1", "1: '10.0.0.1' is not a whole number" },
		{ "1e5", "1: '1e5' is not a number" },
		{ "0x", "1: '0x' is not a number" },
		{ "0b2", "1: '0b2' is not a number" },
		{ "0xfg", "1: '0xfg' is not a number" },
		{ "12ab", "1: '12ab' is not a number" },
		{ "08", "1: '08' begins with 0 and so is octal, but has a digit above 7" },
		{ "1u", "1: '1u': numbers are signed and have 64 bits; leave the suffix out" },
		{ "1Ul", "1: '1Ul': numbers are signed and have 64 bits; leave the suffix out" },
		{ "1lL", "1: '1lL': numbers are signed and have 64 bits; leave the suffix out" },
		{ "9223372036854775808", "1: '9223372036854775808' is too large: the largest "
					 "number is 9223372036854775807" },
		{ "1 + 18446744073709551616",
		  "5: '18446744073709551616' is too large: numbers have 64 bits" },
		{ "0x10000000000000000",
		  "1: '0x10000000000000000' is too large: numbers have 64 bits" },
		{ "02000000000000000000000",
		  "1: '02000000000000000000000' is too large: numbers have 64 bits" },
		{ "''", "1: a character is one ASCII character between quotes, as in 'A'" },
		{ "'ab'", "1: a character is one ASCII character between quotes, as in 'A'" },
		{ "'", "1: a character is one ASCII character between quotes, as in 'A'" },
		{ "'\\x41'", "1: a character is one ASCII character between quotes, as in 'A'" },
		{ "'\xe9'", "1: a character is one ASCII character between quotes, as in 'A'" },
		{ "'\\", "1: a character is one ASCII character between quotes, as in 'A'" },
	};

	CHECK_ROWS(rows);
}

TEST(refused_names)
{
	static const struct row rows[] = {
		{ "x", "1: unknown name 'x'" },
		{ "1 + lne", "5: unknown name 'lne'; did you mean 'len'" },
		{ "length", "1: unknown name 'length'" },
		{ "Len", "1: unknown name 'Len'; did you mean 'len'" },
		{ "makr", "1: unknown name 'makr'; did you mean 'mark'" },
		{ "tcp.sny", "1: unknown name 'tcp.sny'; did you mean 'tcp.syn'" },
		{ "tcp->synn", "1: unknown name 'tcp.synn'; did you mean 'tcp.syn'" },
		{ "tcp", "1: unknown name 'tcp'" },
		{ "tcp.", "1: unknown name 'tcp'" },
		{ "skbb->len", "1: unknown name 'skbb'; did you mean 'skb'" },
		{ "len.x", "1: 'len' is a number and has no members" },
		{ "len->x", "1: 'len' is a number and has no members" },
		{ "tcp.syn.x", "1: 'tcp.syn' is a number and has no members" },
		{ "len[1]", "4: '[' may only follow a member" },
		{ "skb[1]", "4: '[' may only follow a member" },
		{ "1->x", "2: '->' may only follow a pointer" },
		{ "(1).x", "4: '.' may only follow a member" },
		{ "(len)->x", "6: '->' may only follow a pointer" },
		{ "(skb ? 1 : 2)->x", "14: '->' may only follow a pointer" },
		{ "skb.len", "4: 'skb' is a pointer: write -> instead of '.'" },
		{ "skb->", "6: expected the name of a member, but the expression ends" },
		{ "skb->1", "6: expected the name of a member, found '1'" },
		{ "skb->dev->int", "11: 'int' is a word of C's, not a member" },
		{ "skb->__attribute__", "6: '__attribute__' is a word of C's, not a member" },
		{ "skb->a[len]", "8: expected a number as the index, found 'len'" },
		{ "skb->a[-1]", "8: expected a number as the index, found '-'" },
		{ "skb->a[1+1]", "9: expected ']', found '+'" },
		{ "skb->a[1", "9: expected ']', but the expression ends" },
		{ "skb->a[0x80000000]", "8: the index is too large" },
		{ "skb", "1: 'skb' is a pointer: write skb->MEMBER, or compare it with 0" },
		{ "1 + skb", "5: 'skb' is a pointer: write skb->MEMBER, or compare it with 0" },
		{ "-sk", "2: 'sk' is a pointer: write sk->MEMBER, or compare it with 0" },
		{ "skb == 1", "1: 'skb' is a pointer: write skb->MEMBER, or compare it with 0" },
		{ "skb->sk == sk",
		  "12: 'sk' is a pointer: write sk->MEMBER, or compare it with 0" },
		{ "skb < 0", "1: 'skb' is a pointer: write skb->MEMBER, or compare it with 0" },
		{ "1 ? skb : 0", "5: 'skb' is a pointer: write skb->MEMBER, or compare it with 0" },
		{ "1 ? 0 : sk", "9: 'sk' is a pointer: write sk->MEMBER, or compare it with 0" },
	};

	CHECK_ROWS(rows);
}

/* Nothing gets out of the expression. */
TEST(injections)
{
	static const char *const all[] = {
		"1); evil(",
		"1)); return 0; ((1",
		"a/*",
		"*/ 1 /*",
		"1 // x",
		"1 \\\n + 1",
		"1\n#define len 2\n",
		"#define x",
		"%:define x",
		"?\?/",
		"?\?=define x",
		"1 <: 2 :>",
		"<% 1; %>",
		"L'x'",
		"u8'x'",
		"U\"x\"",
		"__builtin_trap",
		"__builtin_trap()",
		"({1;})",
		"({ return 1; 1; })",
		"sizeof(len)",
		"_Alignof(int)",
		"_Generic(1, int: 2)",
		"__typeof__(len) 1",
		"(int)len",
		"(int){1}",
		"(long) { 1 }",
		"asm(\"exit\")",
		"__asm__ volatile (\"\")",
		"__attribute__((x)) 1",
		"&&label",
		"goto x",
		"a b",
		"len++",
		"len = 2",
		"skb->len = 1",
		"skb->len++",
		"skb->f()",
		"(*skb).len",
		"skb->__builtin_trap()",
		"\"x\"[0]",
		"'x' 'y'",
		"1,2",
		"LNK_READ(1)",
		"bpf_printk(1)",
		"lnk_div(1, 2)",
		"_Pragma(\"x\")",
		"__LINE__",
		"[](){}",
		"^{ return 1; }()",
		"@encode(int)",
		"\xe2\x80\xae + 1",
		"l\xc3\xa9n",
		"len\xff",
		"\\u0041",
		"len::x",
		"skb->template x",
		"1 ;",
		"{1}",
		"0 }",
	};

	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		if (!CHECK_INT(translate(all[i]), -EINVAL))
			fprintf(stderr, "  of   \"%s\"\n", all[i]);
		CHECK_INT(c.len, 0);
		CHECK(error.column >= 1 && error.column <= strlen(all[i]) + 1);
		CHECK(error.message[0]);
	}
	/* The text ends at a zero byte. */
	CHECK_STR(translated("1\0); evil("), "((s64)1LL)");
	text_free(&c);
}

/* `head`, `n` times `part`, `tail`. */
static const char *repeated(const char *head, size_t n, const char *part, const char *tail)
{
	static struct text t;

	text_reset(&t);
	text_puts(&t, head);
	while (n--)
		text_puts(&t, part);
	text_puts(&t, tail);
	return t.s;
}

TEST(limits)
{
	struct text t = { 0 };

	CHECK_INT(translate(repeated("1", EXPR_MAX_LENGTH - 1, " ", "")), 0);
	CHECK_STR(translated(repeated("1", EXPR_MAX_LENGTH, " ", "")),
		  "4097: longer than 4096 bytes");

	/* Operators in a row do not nest; the compiler would stop at 256 brackets. */
	CHECK_INT(translate(repeated("1", 511, "||1", "")), 0);
	CHECK_INT(translate(repeated("1", 511, "+1", "")), 0);
	CHECK_STR(translated(repeated("1", 512, "|1", "")),
		  "1025: more than 1024 values and operators");
	CHECK_INT(translate(repeated("1", 64, "/1", "")), 0);
	CHECK_STR(translated(repeated("1", 65, "/1", "")), "130: nested more than 64 deep");

	text_puts(&t, repeated("1", 63, ")", ""));
	CHECK_INT(translate(repeated("", 63, "(", t.s)), 0);
	text_puts(&t, ")");
	CHECK_STR(translated(repeated("", 64, "(", t.s)), "65: nested more than 64 deep");
	CHECK_INT(translate(repeated("", 63, "!", "1")), 0);
	CHECK_STR(translated(repeated("", 64, "!", "1")), "64: nested more than 64 deep");
	CHECK_INT(translate(repeated("", 63, "1?1:", "1")), 0);
	CHECK_STR(translated(repeated("", 64, "1?1:", "1")), "255: nested more than 64 deep");

	CHECK_INT(translate(repeated("skb", 16, "->a", "")), 0);
	CHECK_STR(translated(repeated("skb", 17, "->a", "")), "52: more than 16 members in a row");
	CHECK_INT(translate(repeated("skb->a", 15, "[1]", "")), 0);
	CHECK_STR(translated(repeated("skb->a", 16, "[1]", "")),
		  "52: more than 16 members in a row");

	/* the most C that comes of so much */
	CHECK_INT(translate(repeated("len", 511, "+~len", "")), -EINVAL);
	CHECK_INT(translate(repeated("skb->a", 340, "+skb->a[1]", "")), -EINVAL);
	CHECK_INT(translate(repeated("skb->a", 204, "+skb->a[1]", "")), 0);
	CHECK(c.len <= EXPR_MAX_C);
	text_free(&t);
	text_free(&c);
}

/* Long and unprintable words are cut in messages. */
TEST(messages_are_short)
{
	CHECK_STR(translated(repeated("", 4000, "x", "")),
		  "1: unknown name 'xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx...'");
	CHECK_INT(translate(repeated("", 1000, "a.", "b")), -EINVAL);
	CHECK(strlen(error.message) < 100);
	CHECK_INT(translate(repeated("", 4000, "9", "")), -EINVAL);
	CHECK(strlen(error.message) < 150);
	CHECK_INT(translate(repeated("", 100, "1.", "")), -EINVAL);
	CHECK_INT(error.column, 1);
	text_free(&c);
}
