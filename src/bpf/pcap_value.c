/* SPDX-License-Identifier: MIT */
#include "bpf/pcap_value.h"

#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <pcap/pcap.h>

#define MAX_EXPR_SIZE 64 /* leaves and operators; a larger one is not known */

static const char *const sign[] = {
	[EXPR_ADD] = "+", [EXPR_SUB] = "-", [EXPR_MUL] = "*", [EXPR_DIV] = "/",  [EXPR_MOD] = "%",
	[EXPR_AND] = "&", [EXPR_OR] = "|",  [EXPR_XOR] = "^", [EXPR_SHL] = "<<", [EXPR_SHR] = ">>",
	[EXPR_EQ] = "==", [EXPR_GT] = ">",  [EXPR_GE] = ">=",
};

struct expr {
	enum expr_kind kind;
	uint32_t k;
	uint32_t l, r;
	uint32_t size;
	uint32_t next; /* of the same hash: index + 1 */
};

uint32_t pcap_hash(const void *bytes, size_t len)
{
	const uint8_t *p = bytes;
	uint32_t h = 2166136261U;

	while (len--)
		h = (h ^ *p++) * 16777619U;
	return h ^ h >> 15;
}

int exprs_open(struct exprs *x)
{
	x->v = malloc(MAX_EXPRS * sizeof(*x->v));
	return x->v ? 0 : -ENOMEM;
}

void exprs_reset(struct exprs *x)
{
	x->n = 0;
	x->full = false;
	memset(x->table, 0, sizeof(x->table));
	expr_constant(x, 0);
}

void exprs_close(struct exprs *x)
{
	free(x->v);
	x->v = NULL;
}

/* --- building expressions ---------------------------------------------------------- */

/* Expression 0 is the constant 0. */
static uint32_t add_expr(struct exprs *x, struct expr e)
{
	uint32_t *slot = &x->table[pcap_hash(&e, offsetof(struct expr, next)) % EXPR_TABLE], i;

	for (i = *slot; i; i = x->v[i - 1].next)
		if (!memcmp(&x->v[i - 1], &e, offsetof(struct expr, next)))
			return i - 1;
	if (x->n == MAX_EXPRS) {
		x->full = true;
		return 0;
	}
	e.next = *slot;
	x->v[x->n] = e;
	*slot = ++x->n;
	return x->n - 1;
}

uint32_t expr_constant(struct exprs *x, uint32_t k)
{
	return add_expr(x, (struct expr){ .kind = EXPR_CONST, .k = k, .size = 1 });
}

bool expr_is_constant(const struct exprs *x, uint32_t e, uint32_t *k)
{
	*k = x->v[e].k;
	return x->v[e].kind == EXPR_CONST;
}

static uint32_t fold(enum expr_kind kind, uint32_t a, uint32_t b)
{
	switch (kind) {
	case EXPR_ADD:
		return a + b;
	case EXPR_SUB:
		return a - b;
	case EXPR_MUL:
		return a * b;
	case EXPR_DIV:
		return b ? a / b : 0;
	case EXPR_MOD:
		return b ? a % b : 0;
	case EXPR_AND:
		return a & b;
	case EXPR_OR:
		return a | b;
	case EXPR_XOR:
		return a ^ b;
	case EXPR_SHL:
		return b < 32 ? a << b : 0;
	case EXPR_SHR:
		return b < 32 ? a >> b : 0;
	case EXPR_EQ:
		return a == b;
	case EXPR_GT:
		return a > b;
	default:
		return a >= b;
	}
}

/* True when `kind` with this constant on its right changes nothing. */
static bool is_neutral(enum expr_kind kind, uint32_t k)
{
	switch (kind) {
	case EXPR_ADD:
	case EXPR_SUB:
	case EXPR_OR:
	case EXPR_XOR:
	case EXPR_SHL:
	case EXPR_SHR:
		return k == 0;
	case EXPR_AND:
		return k == UINT32_MAX;
	case EXPR_MUL:
	case EXPR_DIV:
		return k == 1;
	default:
		return false;
	}
}

/* UINT32_MAX: it would be too large. */
static uint32_t expr_binary(struct exprs *x, enum expr_kind kind, uint32_t l, uint32_t r)
{
	struct expr e = { .kind = kind, .l = l, .r = r };
	uint32_t a, b;

	if (l == UINT32_MAX || r == UINT32_MAX)
		return UINT32_MAX;
	if (expr_is_constant(x, r, &b)) {
		if (expr_is_constant(x, l, &a))
			return expr_constant(x, fold(kind, a, b));
		if (is_neutral(kind, b))
			return l;
		if (kind == EXPR_AND && !b)
			return r;
		if (kind == EXPR_GE && !b)
			return expr_constant(x, 1);
	} else if (expr_is_constant(x, l, &a)) {
		if ((kind == EXPR_OR || kind == EXPR_XOR || kind == EXPR_ADD) && !a)
			return r;
		if (kind == EXPR_AND && !a)
			return l;
	}
	/* a divisor or a shift that is not constant is written twice */
	e.size = 1 + x->v[l].size + x->v[r].size * 2;
	return e.size > MAX_EXPR_SIZE ? UINT32_MAX : add_expr(x, e);
}

uint32_t expr_event(struct exprs *x, enum expr_kind kind, uint32_t at, uint32_t size)
{
	return add_expr(x, (struct expr){ .kind = kind, .k = at, .l = size, .size = 1 });
}

void expr_emit(const struct exprs *x, uint32_t at, struct text *c)
{
	const struct expr *e = &x->v[at];
	const char *address = e->kind == EXPR_SADDR ? "saddr" : "daddr";
	bool guarded = e->kind == EXPR_DIV || e->kind == EXPR_MOD || e->kind == EXPR_SHL ||
		       e->kind == EXPR_SHR;

	switch (e->kind) {
	case EXPR_CONST:
		text_printf(c, "%uU", e->k);
		return;
	case EXPR_SADDR:
	case EXPR_DADDR:
		if (e->l == 1)
			text_printf(c, "(u32)e->%s[%u]", address, e->k);
		else
			text_printf(c, "(u32)bpf_ntoh%s(((const u%u *)e->%s)[%u])",
				    e->l == 4 ? "l" : "s", e->l * 8, address, e->k / e->l);
		return;
	case EXPR_SPORT:
		text_puts(c, "(u32)e->sport");
		return;
	case EXPR_DPORT:
		text_puts(c, "(u32)e->dport");
		return;
	default:
		break;
	}
	text_puts(c, "(");
	if (guarded && x->v[e->r].kind != EXPR_CONST) {
		expr_emit(x, e->r, c);
		text_puts(c, e->kind == EXPR_SHL || e->kind == EXPR_SHR ? " > 31 ? 0U : "
									: " == 0 ? 0U : ");
	}
	expr_emit(x, e->l, c);
	text_printf(c, " %s ", sign[e->kind]);
	expr_emit(x, e->r, c);
	text_puts(c, ")");
}

/* --- values ------------------------------------------------------------------------ */

struct value value_known(uint32_t expr)
{
	return (struct value){ expr, 0 };
}

struct value value_bits(struct exprs *x, uint32_t value, uint32_t unknown)
{
	return (struct value){ expr_constant(x, value & ~unknown), unknown };
}

static struct value value_of(uint32_t expr, uint32_t unknown)
{
	return expr == UINT32_MAX ? (struct value){ 0, UINT32_MAX }
				  : (struct value){ expr, unknown };
}

/* The bits that may be 1, as far as this is constant. */
static uint32_t may_be_one(const struct exprs *x, struct value v)
{
	uint32_t k;

	return expr_is_constant(x, v.expr, &k) ? k | v.unknown : UINT32_MAX;
}

static uint32_t surely_one(const struct exprs *x, struct value v)
{
	uint32_t k;

	return expr_is_constant(x, v.expr, &k) ? k : 0;
}

static struct value bitwise(struct exprs *x, enum expr_kind kind, struct value a, struct value b)
{
	uint32_t unknown = a.unknown | b.unknown, e;

	if (kind == EXPR_AND)
		unknown &= may_be_one(x, a) & may_be_one(x, b);
	else if (kind == EXPR_OR)
		unknown &= ~(surely_one(x, a) | surely_one(x, b));
	e = expr_binary(x, kind, a.expr, b.expr);
	if (kind != EXPR_AND && unknown)
		e = expr_binary(x, EXPR_AND, e, expr_constant(x, ~unknown));
	return value_of(e, unknown);
}

/* Additions: what lies below the lowest unknown bit is known. */
static struct value additive(struct exprs *x, enum expr_kind kind, struct value a, struct value b)
{
	uint32_t unknown = a.unknown | b.unknown, e;

	if (kind == EXPR_ADD && !(may_be_one(x, a) & may_be_one(x, b)))
		return bitwise(x, EXPR_OR, a, b);
	if (unknown)
		unknown = ~((unknown & -unknown) - 1);
	e = expr_binary(x, kind, a.expr, b.expr);
	if (unknown)
		e = expr_binary(x, EXPR_AND, e, expr_constant(x, ~unknown));
	return value_of(e, unknown);
}

struct value value_compute(struct exprs *x, enum expr_kind kind, struct value a, struct value b)
{
	uint32_t k;

	switch (kind) {
	case EXPR_AND:
	case EXPR_OR:
	case EXPR_XOR:
		return bitwise(x, kind, a, b);
	case EXPR_ADD:
	case EXPR_SUB:
	case EXPR_MUL:
		return additive(x, kind, a, b);
	case EXPR_SHL:
	case EXPR_SHR:
		if (!b.unknown && expr_is_constant(x, b.expr, &k))
			return value_of(expr_binary(x, kind, a.expr, b.expr),
					fold(kind, a.unknown, k));
		break;
	default:
		break;
	}
	if (a.unknown || b.unknown)
		return value_of(0, UINT32_MAX);
	return value_of(expr_binary(x, kind, a.expr, b.expr), 0);
}

/* The expressions of the least and the largest value. */
static uint32_t least(const struct value *v)
{
	return v->expr;
}

static uint32_t largest(struct exprs *x, const struct value *v)
{
	return v->unknown ? expr_binary(x, EXPR_OR, v->expr, expr_constant(x, v->unknown))
			  : v->expr;
}

struct outcome value_compare(struct exprs *x, int op, struct value a, struct value b)
{
	uint32_t unknown = a.unknown | b.unknown, zero = expr_constant(x, 0), e;
	struct outcome o = { UINT32_MAX, UINT32_MAX };

	switch (op) {
	case BPF_JEQ:
		if (!unknown) {
			o.yes = expr_binary(x, EXPR_EQ, a.expr, b.expr);
			break;
		}
		e = expr_binary(x, EXPR_XOR, a.expr, b.expr);
		o.no = expr_binary(x, EXPR_GT,
				   expr_binary(x, EXPR_AND, e, expr_constant(x, ~unknown)), zero);
		return o;
	case BPF_JGT:
		o.yes = expr_binary(x, EXPR_GT, least(&a), largest(x, &b));
		o.no = expr_binary(x, EXPR_GE, least(&b), largest(x, &a));
		break;
	case BPF_JGE:
		o.yes = expr_binary(x, EXPR_GE, least(&a), largest(x, &b));
		o.no = expr_binary(x, EXPR_GT, least(&b), largest(x, &a));
		break;
	default: /* BPF_JSET */
		o.yes = expr_binary(x, EXPR_GT, expr_binary(x, EXPR_AND, least(&a), least(&b)),
				    zero);
		e = expr_binary(x, EXPR_AND, largest(x, &a), largest(x, &b));
		o.no = expr_binary(x, EXPR_EQ, e, zero);
		break;
	}
	if (!unknown) /* one or the other */
		o.no = expr_binary(x, EXPR_EQ, o.yes, zero);
	return o;
}

/* A comparison whose parts are known has just two ends. */
bool outcome_is_either(const struct exprs *x, const struct outcome *o)
{
	const struct expr *e;

	if (o->yes == UINT32_MAX || o->no == UINT32_MAX)
		return false;
	e = &x->v[o->no];
	return e->kind == EXPR_EQ && e->l == o->yes && e->r == 0;
}
