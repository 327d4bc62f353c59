/* SPDX-License-Identifier: MIT */
#include "bpf/expr_lex.h"

#include <stdio.h>
#include <string.h>

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

#define ASSIGNS " is assignment, which is not allowed"
#define CHANGES " changes a value, which is not allowed (a minus of a minus is - -)"
#define COMMENT ": comments are not allowed"
#define STATEMENT ": statements are not allowed, only one expression"

/* Longest first, as C reads them. Those that are refused say why. */
static const struct {
	const char *s;
	const char *why;
} operators[] = {
	{ "<<=", ASSIGNS },
	{ ">>=", ASSIGNS },
	{ "+=", ASSIGNS },
	{ "-=", ASSIGNS },
	{ "*=", ASSIGNS },
	{ "/=", ASSIGNS },
	{ "%=", ASSIGNS },
	{ "&=", ASSIGNS },
	{ "|=", ASSIGNS },
	{ "^=", ASSIGNS },
	{ "++", CHANGES },
	{ "--", CHANGES },
	{ "/*", COMMENT },
	{ "//", COMMENT },
	{ "->", NULL },
	{ "||", NULL },
	{ "&&", NULL },
	{ "==", NULL },
	{ "!=", NULL },
	{ "<=", NULL },
	{ ">=", NULL },
	{ "<<", NULL },
	{ ">>", NULL },
	{ "=", " is assignment; write == to compare" },
	{ ",", ": only one expression is allowed" },
	{ ";", STATEMENT },
	{ "{", STATEMENT },
	{ "}", STATEMENT },
	{ "\"", ": strings are not allowed" },
	{ "#", ": preprocessor lines are not allowed" },
	{ "|", NULL },
	{ "^", NULL },
	{ "&", NULL },
	{ "<", NULL },
	{ ">", NULL },
	{ "+", NULL },
	{ "-", NULL },
	{ "*", NULL },
	{ "/", NULL },
	{ "%", NULL },
	{ "!", NULL },
	{ "~", NULL },
	{ "?", NULL },
	{ ":", NULL },
	{ "(", NULL },
	{ ")", NULL },
	{ "[", NULL },
	{ "]", NULL },
	{ ".", NULL },
};

/* <ctype.h> asks the locale. */
static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool is_word(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || is_digit(c);
}

struct quoted expr_quote(const char *s, size_t len)
{
	struct quoted q;
	size_t n = 0;

	while (n < len && n < sizeof(q.s) - 4 && s[n] >= ' ' && s[n] < 0x7f) {
		q.s[n] = s[n];
		n++;
	}
	strcpy(q.s + n, n < len ? "..." : "");
	return q;
}

bool token_is(const struct token *t, const char *op)
{
	return t->kind == TOKEN_OPERATOR && t->len == strlen(op) && !strncmp(t->s, op, t->len);
}

static bool is_one_of(const char *const *words, size_t n, const char *s, size_t len)
{
	size_t i;

	for (i = 0; i < n; i++)
		if (strlen(words[i]) == len && !strncmp(words[i], s, len))
			return true;
	return false;
}

const char *expr_reserved(const char *s, size_t len)
{
	static const char *const types[] = {
		"_Bool",    "__int128", "__s16",    "__s32",   "__s64",   "__s8",     "__signed__",
		"__u16",    "__u32",    "__u64",    "__u8",    "bool",    "char",     "const",
		"double",   "enum",     "float",    "int",     "int16_t", "int32_t",  "int64_t",
		"int8_t",   "long",     "s16",      "s32",     "s64",     "s8",       "short",
		"signed",   "size_t",   "struct",   "u16",     "u32",     "u64",      "u8",
		"uint16_t", "uint32_t", "uint64_t", "uint8_t", "union",   "unsigned", "void",
		"volatile",
	};
	static const char *const words[] = {
		"_Alignas",      "_Alignof",    "_Atomic",     "_Complex",
		"_Generic",      "_Imaginary",  "_Noreturn",   "_Static_assert",
		"_Thread_local", "__alignof__", "__asm",       "__asm__",
		"__attribute__", "__attribute", "__auto_type", "__extension__",
		"__func__",      "__typeof",    "__typeof__",  "asm",
		"auto",          "break",       "case",        "continue",
		"default",       "do",          "else",        "extern",
		"for",           "goto",        "if",          "inline",
		"register",      "restrict",    "return",      "sizeof",
		"static",        "switch",      "typedef",     "typeof",
		"while",
	};

	if (is_one_of(types, COUNT(types), s, len))
		return "is a type: casts are not allowed";
	if (is_one_of(words, COUNT(words), s, len))
		return "is not allowed";
	return NULL;
}

static void bad_token(struct token *t, const char *why)
{
	struct quoted q = expr_quote(t->s, t->len);

	t->kind = TOKEN_BAD;
	snprintf(t->why, sizeof(t->why), "'%s'%s", q.s, why);
}

/* The value of a digit in bases up to 16; 16 for what is none. */
static unsigned int digit_value(char c)
{
	if (is_digit(c))
		return (unsigned int)(c - '0');
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? (unsigned int)(c - 'a') + 10 : 16;
}

/* Letters behind the digits: l and ll say nothing that is not so anyway. */
static bool suffix_ok(struct token *t, const char *p, size_t len)
{
	size_t i;

	if (!len || (len == 1 && (*p | 0x20) == 'l') ||
	    (len == 2 && (*p | 0x20) == 'l' && p[0] == p[1]))
		return true;
	for (i = 0; i < len && strchr("uUlL", p[i]);)
		i++;
	bad_token(t, i == len ? ": numbers are signed and have 64 bits; leave the suffix out"
			      : " is not a number");
	return false;
}

static void lex_number(struct token *t)
{
	unsigned int base = 10;
	uint64_t v = 0;
	bool over = false;
	size_t i = 0, from;

	while (is_word(t->s[t->len]) || t->s[t->len] == '.')
		t->len++;
	if (memchr(t->s, '.', t->len)) {
		bad_token(t, " is not a whole number");
		return;
	}
	if (t->s[0] == '0' && t->len > 1 && strchr("xX", t->s[1]))
		base = 16;
	else if (t->s[0] == '0' && t->len > 1 && strchr("bB", t->s[1]))
		base = 2;
	else if (t->s[0] == '0')
		base = 8;
	from = i = base == 16 || base == 2 ? 2 : 0;
	for (; i < t->len && digit_value(t->s[i]) < base; i++) {
		over |= __builtin_mul_overflow(v, base, &v);
		over |= __builtin_add_overflow(v, digit_value(t->s[i]), &v);
	}
	if (i == from) {
		bad_token(t, " is not a number");
	} else if (base == 8 && i < t->len && is_digit(t->s[i])) {
		bad_token(t, " begins with 0 and so is octal, but has a digit above 7");
	} else if (suffix_ok(t, t->s + i, t->len - i)) {
		if (over)
			bad_token(t, " is too large: numbers have 64 bits");
		else if (base == 10 && v > INT64_MAX)
			bad_token(t, " is too large: the largest number is "
				     "9223372036854775807");
		t->number = (int64_t)v;
	}
}

/* 'A', and the escapes of one letter. */
static void lex_character(struct token *t)
{
	static const char letters[] = "0abfnrtv\\'\"", values[] = "\0\a\b\f\n\r\t\v\\'\"";
	const char *p = t->s + 1, *escape = NULL;

	t->len = 1;
	if (*p == '\\' && p[1])
		escape = strchr(letters, *++p);
	if (p == t->s + 1 ? *p >= ' ' && *p < 0x7f && !strchr("'\\", *p) : escape != NULL) {
		t->number = escape ? values[escape - letters] : *p;
		t->len = (size_t)(p - t->s) + 1;
		if (t->s[t->len] == '\'') {
			t->len++;
			return;
		}
	}
	t->kind = TOKEN_BAD;
	strcpy(t->why, "a character is one ASCII character between quotes, as in 'A'");
}

static bool lex_operator(struct token *t)
{
	size_t i;

	for (i = 0; i < COUNT(operators); i++) {
		t->len = strlen(operators[i].s);
		if (strncmp(t->s, operators[i].s, t->len) != 0)
			continue;
		t->kind = TOKEN_OPERATOR;
		if (operators[i].why)
			bad_token(t, operators[i].why);
		return true;
	}
	return false;
}

void expr_lex(const char *s, struct token *t)
{
	while (*s == ' ' || *s == '\t' || *s == '\n')
		s++;
	t->s = s;
	t->len = 0;
	t->number = 0;
	if (!*s) {
		t->kind = TOKEN_END;
	} else if (is_digit(*s)) {
		t->kind = TOKEN_NUMBER;
		lex_number(t);
	} else if (*s == '\'') {
		t->kind = TOKEN_NUMBER;
		lex_character(t);
	} else if (is_word(*s)) {
		t->kind = TOKEN_NAME;
		while (is_word(s[t->len]))
			t->len++;
	} else if (!lex_operator(t)) {
		t->len = 1;
		t->kind = TOKEN_BAD;
		snprintf(t->why, sizeof(t->why),
			 *s > ' ' && *s < 0x7f ? "'%c' has no place in an expression"
					       : "byte \\x%02x has no place in an expression",
			 (unsigned char)*s);
	}
}
