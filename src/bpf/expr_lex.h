/* SPDX-License-Identifier: MIT */
/* The words of an expression. For expr*.c only. */
#ifndef LNK_EXPR_LEX_H
#define LNK_EXPR_LEX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum token_kind {
	TOKEN_END,
	TOKEN_NUMBER,
	TOKEN_NAME,
	TOKEN_OPERATOR, /* brackets too */
	TOKEN_BAD,      /* `why` says what is wrong with it */
};

struct token {
	enum token_kind kind;
	const char *s; /* in the user's text */
	size_t len;
	int64_t number;
	char why[160];
};

/* The token at `s` or behind the blanks there. The next one is at t->s + t->len. */
void expr_lex(const char *s, struct token *t);

/* Whether it is this operator. */
bool token_is(const struct token *t, const char *op);

/* The text for a message: printable as it is, and cut short. */
struct quoted {
	char s[48];
};
struct quoted expr_quote(const char *s, size_t len);

/* Why a word of C's may be no name here, or NULL. */
const char *expr_reserved(const char *s, size_t len);

#endif
