/* SPDX-License-Identifier: MIT */
/* The parse tree, from expr.c (the parser) to expr_emit.c. For expr*.c only. */
#ifndef LNK_EXPR_TREE_H
#define LNK_EXPR_TREE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bpf/expr.h"

enum node_kind {
	NODE_NUMBER,
	NODE_NAME,
	NODE_MEMBER, /* a.member, a->member */
	NODE_INDEX,  /* a[number] */
	NODE_UNARY,  /* op a */
	NODE_BINARY, /* a op b */
	NODE_CHOICE, /* a ? b : c */
};

/* How an operator is written in C so that nothing about it is undefined. */
enum operator_style {
	STYLE_TRUTH, /* as it is, result 0 or 1 */
	STYLE_BITS,  /* as it is, on signed numbers */
	STYLE_WRAP,  /* on unsigned numbers, and back: wraps around */
	STYLE_CALL,  /* by a function */
};

struct expr_operator {
	const char *s;
	int precedence; /* higher binds tighter; all are left-associative */
	enum operator_style style;
	int chain;            /* a OP b OP c needs no brackets within one such number; 0: it does */
	const char *function; /* STYLE_CALL */
};

struct expr_node {
	enum node_kind kind;
	unsigned int depth; /* of brackets in C */
	unsigned int steps; /* MEMBER, INDEX: up to the name */
	size_t column;
	const struct expr_node *a, *b, *c;
	char unary;
	const struct expr_operator *op;
	int64_t number;
	const struct expr_name *name;
	const char *member;
	size_t len;
	bool arrow;
};

/* Whether `left`, the left operand of `op`, goes on without brackets of its own. */
bool expr_chains(const struct expr_operator *op, const struct expr_node *left);

void expr_emit(const struct expr_node *root, struct text *c);

#endif
