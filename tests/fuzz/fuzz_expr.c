/* SPDX-License-Identifier: MIT */
/*
 * An expression. What is accepted must come out as one C expression, made of nothing but
 * operators, numbers, the names that it may use and the members that were written.
 */
#include "fuzz.h"

#include <errno.h>

#include "bpf/expr.h"

static const struct expr_name names[] = {
	{ "len", EXPR_NUMBER, "f.len", 1 },    { "a", EXPR_NUMBER, "f.a", 2 },
	{ "skb", EXPR_POINTER, "skb", 4 },     { "sk", EXPR_POINTER, "sk", 8 },
	{ "skb.mark", EXPR_NUMBER, "f.m", 1 }, { "tcp.syn", EXPR_NUMBER, "f.syn", 16 },
};

#define MAX_BRACKETS 256 /* clang's, before its macros */

/* A walk over the C, token by token: what may come next depends on whether a value has
 * just ended, and a bracket on what it was opened for. */
struct walk {
	const char *p;
	char open[MAX_BRACKETS]; /* ( for brackets, f for a call */
	size_t depth;
	bool value; /* one has just ended */
};

static bool is_word(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
	       c == '_';
}

static bool take(struct walk *w, const char *what)
{
	if (strncmp(w->p, what, strlen(what)) != 0)
		return false;
	w->p += strlen(what);
	return true;
}

static void push(struct walk *w, char what)
{
	REQUIRE(w->depth < MAX_BRACKETS);
	w->open[w->depth++] = what;
}

/* A name of ours, a documented one, or what the user wrote. */
static void known_word(const char *s, size_t len, const char *user)
{
	static const char ours[] = " LNK_READ LNK_ELEMENT LNK_NUMBER LNK_POINTER lnk_div lnk_mod "
				   "lnk_shl lnk_shr f len a m syn skb sk ";
	char padded[EXPR_MAX_LENGTH + 3];
	const char *at;

	REQUIRE(len <= EXPR_MAX_LENGTH);
	snprintf(padded, sizeof(padded), " %.*s ", (int)len, s);
	if (strstr(ours, padded))
		return;
	padded[len + 1] = '\0';
	for (at = user; (at = strstr(at, padded + 1)); at++)
		if ((at == user || !is_word(at[-1])) && !is_word(at[len]))
			return;
	REQUIRE(!"a word of the user's");
}

/* Where a value may begin. */
static void operand(struct walk *w, const char *user)
{
	const char *from;

	if (take(w, "(s64)") || take(w, "(u64)") || take(w, "!") || take(w, "~") || take(w, "-"))
		return;
	if (take(w, "(")) {
		push(w, '(');
		return;
	}
	from = w->p;
	while (is_word(*w->p))
		w->p++;
	REQUIRE(w->p > from);
	w->value = true;
	if (*from >= '0' && *from <= '9') {
		REQUIRE(strspn(from, "0123456789abcdefxUL") >= (size_t)(w->p - from));
		return;
	}
	known_word(from, (size_t)(w->p - from), user);
	if (take(w, "(")) {
		push(w, 'f');
		w->value = false;
	}
}

/* Behind a value. */
static void operation(struct walk *w, const char *user)
{
	static const char *const binary[] = { "||", "&&", "==", "!=", "<=", ">=", "|", "^",
					      "&",  "<",  ">",  "+",  "-",  "*",  "?", ":" };
	const char *from;
	size_t i;

	if (take(w, ")")) {
		REQUIRE(w->depth > 0);
		w->depth--;
		return;
	}
	if (take(w, "->") || take(w, ".")) {
		for (from = w->p; is_word(*w->p);)
			w->p++;
		REQUIRE(w->p > from && (*from < '0' || *from > '9'));
		known_word(from, (size_t)(w->p - from), user);
		return;
	}
	w->value = false;
	if (take(w, ",")) {
		REQUIRE(w->depth > 0 && w->open[w->depth - 1] == 'f');
		return;
	}
	for (i = 0; i < sizeof(binary) / sizeof(binary[0]); i++)
		if (take(w, binary[i]))
			return;
	REQUIRE(!"an operator");
}

static void look_at(const struct text *c, const char *user)
{
	struct walk w = { .p = text_str(c) };

	REQUIRE(c->len <= EXPR_MAX_C && strlen(w.p) == c->len);
	REQUIRE(!strncmp(w.p, "((s64)", 6) && c->s[c->len - 1] == ')');
	while (*w.p) {
		if (*w.p == '\n')
			w.p++;
		else if (w.value)
			operation(&w, user);
		else
			operand(&w, user);
		REQUIRE(w.depth || !*w.p); /* the first bracket is the last to be closed */
	}
	REQUIRE(w.value && !w.depth);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct input in = { data, size };
	char *s = take_string(&in);
	struct expr_error error = { 0 };
	struct text c = { 0 };
	unsigned int needs = ~0U;
	int err;

	err = expr_translate(s, names, sizeof(names) / sizeof(names[0]), &c, &needs, &error);
	if (!err) {
		look_at(&c, s);
		REQUIRE(needs < 32 && !error.message[0]);
	} else {
		REQUIRE(err == -EINVAL && !c.len && !needs);
		REQUIRE(error.column >= 1 && error.column <= strlen(s) + 1);
		REQUIRE(error.message[0] && strlen(error.message) < sizeof(error.message) - 1);
		REQUIRE(is_safe_text(error.message, strlen(error.message), false));
	}
	text_free(&c);
	free(s);
	return 0;
}
