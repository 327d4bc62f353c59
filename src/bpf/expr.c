/* SPDX-License-Identifier: MIT */
/*
 * The parser: by recursive descent, with the operators by precedence. The first error
 * stands; every function returns NULL from there on.
 */
#include "bpf/expr.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bpf/expr_lex.h"
#include "bpf/expr_names.h"
#include "bpf/expr_tree.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static const struct expr_operator operators[] = {
	{ "||", 1, STYLE_TRUTH, 1, NULL },     { "&&", 2, STYLE_TRUTH, 2, NULL },
	{ "|", 3, STYLE_BITS, 3, NULL },       { "^", 4, STYLE_BITS, 4, NULL },
	{ "&", 5, STYLE_BITS, 5, NULL },       { "==", 6, STYLE_TRUTH, 0, NULL },
	{ "!=", 6, STYLE_TRUTH, 0, NULL },     { "<", 7, STYLE_TRUTH, 0, NULL },
	{ ">", 7, STYLE_TRUTH, 0, NULL },      { "<=", 7, STYLE_TRUTH, 0, NULL },
	{ ">=", 7, STYLE_TRUTH, 0, NULL },     { "<<", 8, STYLE_CALL, 0, "lnk_shl" },
	{ ">>", 8, STYLE_CALL, 0, "lnk_shr" }, { "+", 9, STYLE_WRAP, 6, NULL },
	{ "-", 9, STYLE_WRAP, 6, NULL },       { "*", 10, STYLE_WRAP, 7, NULL },
	{ "/", 10, STYLE_CALL, 0, "lnk_div" }, { "%", 10, STYLE_CALL, 0, "lnk_mod" },
};

struct parser {
	const char *s;
	struct token t;
	bool after_name; /* what stands before t */
	const struct expr_name *names;
	size_t n;
	struct expr_node *nodes;
	size_t used;
	unsigned int depth;
	unsigned int needs;
	bool failed;
	struct expr_error *error;
};

static const struct expr_node *parse_choice(struct parser *p);

/* --- errors ---------------------------------------------------------------------- */

static size_t column_of(const struct parser *p, const char *s)
{
	return (size_t)(s - p->s) + 1;
}

__attribute__((format(printf, 3, 4))) static void *fail(struct parser *p, size_t column,
							const char *fmt, ...)
{
	va_list ap;

	if (p->failed)
		return NULL;
	p->failed = true;
	p->error->column = column;
	va_start(ap, fmt);
	vsnprintf(p->error->message, sizeof(p->error->message), fmt, ap);
	va_end(ap);
	return NULL;
}

/* The token at hand stands where `what` should. */
static void *unexpected(struct parser *p, const char *what)
{
	size_t column = column_of(p, p->t.s);

	if (p->t.kind == TOKEN_BAD)
		return fail(p, column, "%s", p->t.why);
	if (p->t.kind == TOKEN_END)
		return fail(p, column, "expected %s, but the expression ends", what);
	return fail(p, column, "expected %s, found '%s'", what, expr_quote(p->t.s, p->t.len).s);
}

static void *no_value(struct parser *p)
{
	size_t column = column_of(p, p->t.s);

	if (token_is(&p->t, "*"))
		return fail(p, column, "expected a value, found '*'; members are read with ->");
	if (token_is(&p->t, "&"))
		return fail(p, column, "expected a value, found '&'; addresses are not allowed");
	return unexpected(p, "a value");
}

/* What goes on behind a whole expression. */
static void *no_end(struct parser *p)
{
	size_t column = column_of(p, p->t.s);

	if (token_is(&p->t, "(") && p->after_name)
		return fail(p, column, "calls are not allowed");
	if (token_is(&p->t, ")"))
		return fail(p, column, "')' without '('");
	if (token_is(&p->t, ":"))
		return fail(p, column, "':' without '?'");
	if (token_is(&p->t, "[") || token_is(&p->t, "."))
		return fail(p, column, "'%.1s' may only follow a member", p->t.s);
	if (token_is(&p->t, "->"))
		return fail(p, column, "'->' may only follow a pointer");
	return unexpected(p, "an operator");
}

/* --- the tree -------------------------------------------------------------------- */

static void next(struct parser *p)
{
	const char *from = p->t.s + p->t.len;

	p->after_name = p->t.kind == TOKEN_NAME;
	expr_lex(from, &p->t);
}

static struct expr_node *add_node(struct parser *p, enum node_kind kind, const char *at)
{
	struct expr_node *node;

	if (p->failed)
		return NULL;
	if (p->used == EXPR_MAX_NODES)
		return fail(p, column_of(p, at), "more than %d values and operators",
			    EXPR_MAX_NODES);
	node = &p->nodes[p->used++];
	node->kind = kind;
	node->column = column_of(p, at);
	return node;
}

/* One bracket more than in `inner`. */
static bool nest(struct parser *p, struct expr_node *node, const struct expr_node *inner,
		 unsigned int more)
{
	if (node->depth < inner->depth + more)
		node->depth = inner->depth + more;
	if (node->depth > EXPR_MAX_DEPTH)
		fail(p, node->column, "nested more than %d deep", EXPR_MAX_DEPTH);
	return !p->failed;
}

/* Bounds the parser's own recursion. */
static bool enter(struct parser *p)
{
	if (p->depth++ == EXPR_MAX_DEPTH)
		fail(p, column_of(p, p->t.s), "nested more than %d deep", EXPR_MAX_DEPTH);
	return !p->failed;
}

static void leave(struct parser *p)
{
	p->depth--;
}

static bool is_pointer(const struct expr_node *node)
{
	return node->kind == NODE_NAME && node->name->type == EXPR_POINTER;
}

static bool is_zero(const struct expr_node *node)
{
	return node->kind == NODE_NUMBER && !node->number;
}

/* Returns whether it is a number. */
static bool number(struct parser *p, const struct expr_node *node)
{
	if (node && is_pointer(node))
		fail(p, node->column, "'%s' is a pointer: write %s->MEMBER, or compare it with 0",
		     node->name->name, node->name->name);
	return node && !p->failed;
}

/* --- names ----------------------------------------------------------------------- */

/* Either the whole of what is joined by dots was meant, or its first word. */
static void *unknown_name(struct parser *p, const char *at, size_t len, const struct text *dotted)
{
	const char *near = expr_nearest(p->names, p->n, text_str(dotted), dotted->len);
	struct quoted word = expr_quote(text_str(dotted), dotted->len);

	if (!near) {
		near = expr_nearest(p->names, p->n, at, len);
		word = expr_quote(at, len);
	}
	return fail(p, column_of(p, at), "unknown name '%s'%s%s%s", word.s,
		    near ? "; did you mean '" : "", near ? near : "", near ? "'" : "");
}

/* The documented name that goes on furthest, "tcp.syn" before "tcp". "tcp->syn" is the
 * same one. What follows it, from *rest on, may be members. */
static const struct expr_name *longest_name(struct parser *p, const char **rest)
{
	const struct expr_name *found = NULL, *longer;
	const char *at = p->t.s, *near;
	size_t len = p->t.len;
	struct text dotted = { 0 };
	struct token t = p->t;

	for (;;) {
		text_add(&dotted, t.s, t.len);
		longer = expr_find(p->names, p->n, text_str(&dotted), dotted.len);
		if (longer) {
			found = longer;
			*rest = t.s + t.len;
		}
		expr_lex(t.s + t.len, &t);
		if (!token_is(&t, ".") && !token_is(&t, "->"))
			break;
		expr_lex(t.s + t.len, &t);
		if (t.kind != TOKEN_NAME || dotted.len > EXPR_MAX_NAME)
			break;
		text_puts(&dotted, ".");
	}
	if (found && found->type == EXPR_NUMBER && strlen(found->name) < dotted.len) {
		near = expr_nearest(p->names, p->n, text_str(&dotted), dotted.len);
		if (near && near != found->name)
			unknown_name(p, at, len, &dotted);
		else
			fail(p, column_of(p, at), "'%s' is a number and has no members",
			     found->name);
	} else if (!found && token_is(&t, "(")) {
		fail(p, column_of(p, t.s), "calls are not allowed");
	} else if (!found) {
		unknown_name(p, at, len, &dotted);
	}
	text_free(&dotted);
	return p->failed ? NULL : found;
}

static const struct expr_node *parse_name(struct parser *p)
{
	const char *why = expr_reserved(p->t.s, p->t.len), *rest;
	const struct expr_name *name;
	struct expr_node *node;

	if (why)
		return fail(p, column_of(p, p->t.s), "'%s' %s", expr_quote(p->t.s, p->t.len).s,
			    why);
	name = longest_name(p, &rest);
	node = add_node(p, NODE_NAME, p->t.s);
	if (!name || !node)
		return NULL;
	node->name = name;
	p->needs |= name->needs;
	p->after_name = true;
	expr_lex(rest, &p->t);
	return node;
}

static const struct expr_node *parse_member(struct parser *p, const struct expr_node *of)
{
	bool arrow = token_is(&p->t, "->");
	const char *why;
	struct expr_node *node;

	if (!arrow && is_pointer(of))
		return fail(p, column_of(p, p->t.s), "'%s' is a pointer: write -> instead of '.'",
			    of->name->name);
	next(p);
	if (p->t.kind != TOKEN_NAME)
		return unexpected(p, "the name of a member");
	why = expr_reserved(p->t.s, p->t.len);
	if (why)
		return fail(p, column_of(p, p->t.s), "'%s' is a word of C's, not a member",
			    expr_quote(p->t.s, p->t.len).s);
	node = add_node(p, NODE_MEMBER, p->t.s);
	if (!node)
		return NULL;
	node->a = of;
	node->arrow = arrow;
	node->member = p->t.s;
	node->len = p->t.len;
	next(p);
	return node;
}

static const struct expr_node *parse_index(struct parser *p, const struct expr_node *of)
{
	struct expr_node *node = add_node(p, NODE_INDEX, p->t.s);

	next(p);
	if (p->t.kind != TOKEN_NUMBER)
		return unexpected(p, "a number as the index");
	if (p->t.number < 0 || p->t.number > INT32_MAX)
		return fail(p, column_of(p, p->t.s), "the index is too large");
	if (!node)
		return NULL;
	node->a = of;
	node->number = p->t.number;
	next(p);
	if (!token_is(&p->t, "]"))
		return unexpected(p, "']'");
	next(p);
	return node;
}

/* Members and indices, as long as there are any. */
static const struct expr_node *parse_steps(struct parser *p, const struct expr_node *node)
{
	unsigned int steps = 0;
	bool member;

	while (node &&
	       (node->kind == NODE_MEMBER || node->kind == NODE_INDEX || is_pointer(node))) {
		member = token_is(&p->t, ".") || token_is(&p->t, "->");
		if (!member && (is_pointer(node) || !token_is(&p->t, "[")))
			break;
		if (node->steps == EXPR_MAX_STEPS)
			return fail(p, column_of(p, p->t.s), "more than %d members in a row",
				    EXPR_MAX_STEPS);
		steps = node->steps + 1;
		node = member ? parse_member(p, node) : parse_index(p, node);
		if (node)
			p->nodes[p->used - 1].steps = steps;
	}
	return node;
}

/* --- values and operators -------------------------------------------------------- */

static const struct expr_node *parse_brackets(struct parser *p)
{
	size_t column = column_of(p, p->t.s);
	const struct expr_node *node;

	next(p);
	node = parse_choice(p);
	if (!node)
		return NULL;
	if (p->t.kind == TOKEN_END)
		return fail(p, column, "'(' without ')'");
	if (!token_is(&p->t, ")"))
		return no_end(p);
	next(p);
	return node;
}

static const struct expr_node *parse_value(struct parser *p)
{
	struct expr_node *node;

	if (p->t.kind == TOKEN_NAME)
		return parse_steps(p, parse_name(p));
	if (token_is(&p->t, "("))
		return parse_steps(p, parse_brackets(p));
	if (p->t.kind != TOKEN_NUMBER)
		return no_value(p);
	node = add_node(p, NODE_NUMBER, p->t.s);
	if (!node)
		return NULL;
	node->number = p->t.number;
	next(p);
	return node;
}

static const struct expr_node *parse_unary(struct parser *p)
{
	const struct expr_node *of;
	struct expr_node *node;
	const char *at = p->t.s;

	if (!token_is(&p->t, "!") && !token_is(&p->t, "~") && !token_is(&p->t, "-") &&
	    !token_is(&p->t, "+"))
		return parse_value(p);
	if (!enter(p))
		return NULL;
	next(p);
	of = parse_unary(p);
	leave(p);
	if (!of || (*at != '!' && !number(p, of)))
		return NULL;
	node = add_node(p, NODE_UNARY, at);
	if (!node || !nest(p, node, of, 0))
		return NULL;
	node->a = of;
	node->unary = *at;
	return node;
}

/* Which operands may be pointers: of truth, and compared with nothing but 0. */
static bool operands_ok(struct parser *p, const struct expr_operator *op, const struct expr_node *a,
			const struct expr_node *b)
{
	if (op->style == STYLE_TRUTH && op->chain)
		return true;
	if ((!strcmp(op->s, "==") || !strcmp(op->s, "!=")) && (is_zero(a) || is_zero(b)))
		return true;
	return number(p, a) && number(p, b);
}

static const struct expr_operator *operator_at(const struct parser *p, int least)
{
	size_t i;

	for (i = 0; i < COUNT(operators); i++)
		if (operators[i].precedence >= least && token_is(&p->t, operators[i].s))
			return &operators[i];
	return NULL;
}

static const struct expr_node *parse_operators(struct parser *p, int least)
{
	const struct expr_node *left = parse_unary(p), *right;
	const struct expr_operator *op;
	struct expr_node *node;

	while (left && (op = operator_at(p, least))) {
		node = add_node(p, NODE_BINARY, p->t.s);
		next(p);
		right = parse_operators(p, op->precedence + 1);
		if (!node || !right || !operands_ok(p, op, left, right))
			return NULL;
		node->op = op;
		node->a = left;
		node->b = right;
		if (!nest(p, node, left, expr_chains(op, left) ? 0 : 1) || !nest(p, node, right, 1))
			return NULL;
		left = node;
	}
	return left;
}

/* cond ? a : b */
static const struct expr_node *parse_branches(struct parser *p, const struct expr_node *cond)
{
	struct expr_node *node = add_node(p, NODE_CHOICE, p->t.s);
	size_t column = column_of(p, p->t.s);

	if (!node)
		return NULL;
	next(p);
	node->a = cond;
	node->b = parse_choice(p);
	if (!number(p, node->b))
		return NULL;
	if (p->t.kind == TOKEN_END)
		return fail(p, column, "'?' without ':'");
	if (!token_is(&p->t, ":"))
		return no_end(p);
	next(p);
	node->c = parse_choice(p);
	if (!number(p, node->c) || !nest(p, node, node->a, 1) || !nest(p, node, node->b, 1) ||
	    !nest(p, node, node->c, 1))
		return NULL;
	return node;
}

static const struct expr_node *parse_choice(struct parser *p)
{
	const struct expr_node *node = NULL;

	if (enter(p)) {
		node = parse_operators(p, 1);
		if (node && token_is(&p->t, "?"))
			node = parse_branches(p, node);
	}
	leave(p);
	return node;
}

static const struct expr_node *parse(struct parser *p)
{
	const struct expr_node *root;

	if (strnlen(p->s, EXPR_MAX_LENGTH + 1) > EXPR_MAX_LENGTH)
		return fail(p, EXPR_MAX_LENGTH + 1, "longer than %d bytes", EXPR_MAX_LENGTH);
	expr_lex(p->s, &p->t);
	if (p->t.kind == TOKEN_END)
		return fail(p, 1, "the expression is empty");
	root = parse_choice(p);
	if (root && p->t.kind != TOKEN_END)
		return no_end(p);
	return number(p, root) ? root : NULL;
}

int expr_translate(const char *s, const struct expr_name *names, size_t n, struct text *c,
		   unsigned int *needs, struct expr_error *error)
{
	struct parser p = { .s = s, .names = names, .n = n, .error = error };
	const struct expr_node *root;
	struct text out = { 0 };
	int err = -EINVAL;

	*needs = 0;
	p.nodes = calloc(EXPR_MAX_NODES, sizeof(*p.nodes));
	if (!p.nodes)
		return -ENOMEM;
	root = parse(&p);
	if (root) {
		expr_emit(root, &out);
		if (out.cut)
			err = -ENOMEM;
		else if (out.len > EXPR_MAX_C)
			fail(&p, 1, "the expression is too long");
		else
			err = 0;
	}
	if (!err) {
		text_add(c, out.s, out.len);
		*needs = p.needs;
		err = c->cut ? -ENOMEM : 0;
	}
	text_free(&out);
	free(p.nodes);
	return err;
}
