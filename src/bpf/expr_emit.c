/* SPDX-License-Identifier: MIT */
/*
 * The C of an expression. Every piece that is written here is a cast, a unary or a
 * primary expression, so it can be an operand of anything without more brackets; clang
 * takes 256 of them within each other, and EXPR_MAX_DEPTH and EXPR_MAX_STEPS stay below.
 */
#include "bpf/expr_tree.h"

#include <inttypes.h>
#include <string.h>

/* Where the C is: the line, which is to be the user's column. */
struct emitter {
	struct text *c;
	size_t line;
};

static void emit_value(struct emitter *e, const struct expr_node *node);

static void at_column(struct emitter *e, size_t column)
{
	for (; e->line < column; e->line++)
		text_puts(e->c, "\n");
}

/* The name that a chain of members begins with. */
static const struct expr_node *name_of(const struct expr_node *node)
{
	while (node->kind != NODE_NAME)
		node = node->a;
	return node;
}

static void emit_lvalue(struct emitter *e, const struct expr_node *node);

/* The pointer that -> follows. */
static void emit_pointer(struct emitter *e, const struct expr_node *node)
{
	if (node->kind == NODE_NAME) {
		at_column(e, node->column);
		text_printf(e->c, "LNK_POINTER(%s)", node->name->c);
		return;
	}
	at_column(e, name_of(node)->column);
	text_puts(e->c, "LNK_READ(");
	emit_lvalue(e, node);
	text_puts(e->c, ")");
}

static void emit_lvalue(struct emitter *e, const struct expr_node *node)
{
	if (node->kind == NODE_INDEX) {
		at_column(e, name_of(node)->column);
		text_puts(e->c, "LNK_ELEMENT(");
		emit_lvalue(e, node->a);
		text_printf(e->c, ",%" PRId64 ")", node->number);
		return;
	}
	if (node->arrow)
		emit_pointer(e, node->a);
	else
		emit_lvalue(e, node->a);
	at_column(e, node->column);
	text_puts(e->c, node->arrow ? "->" : ".");
	text_add(e->c, node->member, node->len);
}

static void emit_unary(struct emitter *e, const struct expr_node *node)
{
	switch (node->unary) {
	case '!':
		text_puts(e->c, "!");
		break;
	case '~':
		text_puts(e->c, "~(s64)");
		break;
	case '-':
		text_puts(e->c, "(s64)-(u64)");
		break;
	default: /* + */
		break;
	}
	emit_value(e, node->a);
}

bool expr_chains(const struct expr_operator *op, const struct expr_node *left)
{
	return op->chain && left->kind == NODE_BINARY && left->op->chain == op->chain;
}

static void emit_operands(struct emitter *e, const struct expr_node *node)
{
	const char *type = node->op->style == STYLE_WRAP ? "(u64)" : "";

	if (expr_chains(node->op, node->a)) {
		emit_operands(e, node->a);
	} else {
		text_puts(e->c, type);
		emit_value(e, node->a);
	}
	text_puts(e->c, node->op->s);
	text_puts(e->c, type);
	emit_value(e, node->b);
}

static void emit_binary(struct emitter *e, const struct expr_node *node)
{
	if (node->op->style == STYLE_CALL) {
		text_printf(e->c, "%s(", node->op->function);
		emit_value(e, node->a);
		text_puts(e->c, ",");
		emit_value(e, node->b);
		text_puts(e->c, ")");
		return;
	}
	text_puts(e->c, node->op->style == STYLE_WRAP ? "(s64)(" : "(");
	emit_operands(e, node);
	text_puts(e->c, ")");
}

/* A signed number of 64 bits, or an int that is 0 or 1. */
static void emit_value(struct emitter *e, const struct expr_node *node)
{
	switch (node->kind) {
	case NODE_NUMBER:
		text_printf(e->c, node->number < 0 ? "(s64)0x%" PRIx64 "ULL" : "%" PRId64 "LL",
			    node->number);
		break;
	case NODE_NAME:
		at_column(e, node->column);
		text_printf(e->c, node->name->type == EXPR_POINTER ? "((%s)!=0)" : "(s64)(%s)",
			    node->name->c);
		break;
	case NODE_MEMBER:
	case NODE_INDEX:
		at_column(e, name_of(node)->column);
		text_puts(e->c, "LNK_NUMBER(LNK_READ(");
		emit_lvalue(e, node);
		text_puts(e->c, "))");
		break;
	case NODE_UNARY:
		emit_unary(e, node);
		break;
	case NODE_BINARY:
		emit_binary(e, node);
		break;
	case NODE_CHOICE:
		text_puts(e->c, "(");
		emit_value(e, node->a);
		text_puts(e->c, "?");
		emit_value(e, node->b);
		text_puts(e->c, ":");
		emit_value(e, node->c);
		text_puts(e->c, ")");
		break;
	}
}

void expr_emit(const struct expr_node *root, struct text *c)
{
	struct emitter e = { .c = c, .line = 1 };

	text_puts(c, "((s64)");
	emit_value(&e, root);
	text_puts(c, ")");
}

/*
 * BPF before v4 cannot divide signed numbers, so the division is made of an unsigned one.
 *
 * lnk_read() is a function so that libbcc, which replaces the helper by an older one where
 * it must, finds the call outside of a macro. In LNK_READ and LNK_ELEMENT the argument
 * stands once: it nests. ((void)0, x) has x's type without const, and a pointer's for an
 * array.
 *
 * libbcc rewrites *p, and p->member, where it can tell that p comes from a probe's
 * arguments, and garbles them in a macro. Its search for that ends at a call, so the one
 * in LNK_POINTER hides the origin.
 */
static const char helpers[] =
	"static __always_inline s64 lnk_div(s64 a, s64 b)\n"
	"{\n"
	"	u64 n = a < 0 ? -(u64)a : (u64)a, d = b < 0 ? -(u64)b : (u64)b, q;\n"
	"\n"
	"	if (!d)\n"
	"		return 0;\n"
	"	q = n / d;\n"
	"	return (s64)((a < 0) != (b < 0) ? -q : q);\n"
	"}\n"
	"\n"
	"static __always_inline s64 lnk_mod(s64 a, s64 b)\n"
	"{\n"
	"	u64 n = a < 0 ? -(u64)a : (u64)a, d = b < 0 ? -(u64)b : (u64)b, r;\n"
	"\n"
	"	if (!d)\n"
	"		return 0;\n"
	"	r = n % d;\n"
	"	return (s64)(a < 0 ? -r : r);\n"
	"}\n"
	"\n"
	"static __always_inline s64 lnk_shl(s64 a, s64 n)\n"
	"{\n"
	"	return (u64)n > 63 ? 0 : (s64)((u64)a << n);\n"
	"}\n"
	"\n"
	"static __always_inline s64 lnk_shr(s64 a, s64 n)\n"
	"{\n"
	"	return a >> ((u64)n > 63 ? 63 : n);\n"
	"}\n"
	"\n"
	"#ifndef LNK_READ /* probes/packet.h has it */\n"
	"static __always_inline void lnk_read(void *to, u32 size, const void *from)\n"
	"{\n"
	"	bpf_probe_read_kernel(to, size, from);\n"
	"}\n"
	"\n"
	"#define LNK_IS_ARRAY(x) \\\n"
	"	(!__builtin_types_compatible_p(__typeof__(x), __typeof__((void)0, (x))))\n"
	"#define LNK_IS_STRUCT(x) \\\n"
	"	(__builtin_classify_type(x) == 12 || __builtin_classify_type(x) == 13)\n"
	"#define LNK_LOAD(p) ({ \\\n"
	"	__typeof__((void)0, *(p)) lnk_load_v; \\\n"
	"	lnk_read((void *)&lnk_load_v, sizeof(lnk_load_v), (const void *)(p)); \\\n"
	"	lnk_load_v; })\n"
	"#define LNK_READ(x) ({ \\\n"
	"	__auto_type lnk_read_p = &(x); \\\n"
	"	_Static_assert(!LNK_IS_ARRAY(*lnk_read_p), \\\n"
	"		\"an array is no value: give an index, as in member[0]\"); \\\n"
	"	_Static_assert(!LNK_IS_STRUCT(*lnk_read_p), \\\n"
	"		\"a structure is no value: name a member of it, with '.'\"); \\\n"
	"	LNK_LOAD(lnk_read_p); })\n"
	"#endif\n"
	"\n"
	"static __always_inline void lnk_hide(void)\n"
	"{\n"
	"}\n"
	"\n"
	"#define LNK_POINTER(p) (lnk_hide(), (p))\n"
	"#define LNK_ELEMENT(x, i) (*({ \\\n"
	"	__auto_type lnk_element_p = &(x); \\\n"
	"	__builtin_choose_expr(LNK_IS_ARRAY(*lnk_element_p), \\\n"
	"		&(*lnk_element_p)[i], &LNK_LOAD(lnk_element_p)[i]); }))\n"
	"#define LNK_NUMBER(x) ((s64)(unsigned long)(x))\n";

void expr_emit_helpers(struct text *c)
{
	text_add(c, helpers, sizeof(helpers) - 1);
}
