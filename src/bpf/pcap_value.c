/* SPDX-License-Identifier: MIT */
#include "bpf/pcap_value.h"

#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <pcap/pcap.h>

#define MAX_EXPR_SIZE 64 /* leaves and operators; a larger one is not known */

static const char *const sign[] = {
	[TERM_ADD] = "+", [TERM_SUB] = "-", [TERM_MUL] = "*", [TERM_DIV] = "/",  [TERM_MOD] = "%",
	[TERM_AND] = "&", [TERM_OR] = "|",  [TERM_XOR] = "^", [TERM_SHL] = "<<", [TERM_SHR] = ">>",
	[TERM_EQ] = "==", [TERM_GT] = ">",  [TERM_GE] = ">=",
};

struct term {
	enum term_kind kind;
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

int exprs_open(struct terms *x)
{
	x->v = malloc(MAX_EXPRS * sizeof(*x->v));
	return x->v ? 0 : -ENOMEM;
}

void exprs_reset(struct terms *x)
{
	x->n = 0;
	x->full = false;
	memset(x->table, 0, sizeof(x->table));
	term_constant(x, 0);
}

void exprs_close(struct terms *x)
{
	free(x->v);
	x->v = NULL;
}

/* --- building expressions ---------------------------------------------------------- */

/* Expression 0 is the constant 0. */
static uint32_t add_term(struct terms *x, struct term e)
{
	uint32_t *slot = &x->table[pcap_hash(&e, offsetof(struct term, next)) % TERM_TABLE], i;

	for (i = *slot; i; i = x->v[i - 1].next)
		if (!memcmp(&x->v[i - 1], &e, offsetof(struct term, next)))
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

uint32_t term_constant(struct terms *x, uint32_t k)
{
	return add_term(x, (struct term){ .kind = TERM_CONST, .k = k, .size = 1 });
}

bool term_is_constant(const struct terms *x, uint32_t e, uint32_t *k)
{
	*k = x->v[e].k;
	return x->v[e].kind == TERM_CONST;
}

static uint32_t fold(enum term_kind kind, uint32_t a, uint32_t b)
{
	switch (kind) {
	case TERM_ADD:
		return a + b;
	case TERM_SUB:
		return a - b;
	case TERM_MUL:
		return a * b;
	case TERM_DIV:
		return b ? a / b : 0;
	case TERM_MOD:
		return b ? a % b : 0;
	case TERM_AND:
		return a & b;
	case TERM_OR:
		return a | b;
	case TERM_XOR:
		return a ^ b;
	case TERM_SHL:
		return b < 32 ? a << b : 0;
	case TERM_SHR:
		return b < 32 ? a >> b : 0;
	case TERM_EQ:
		return a == b;
	case TERM_GT:
		return a > b;
	default:
		return a >= b;
	}
}

/* True when `kind` with this constant on its right changes nothing. */
static bool is_neutral(enum term_kind kind, uint32_t k)
{
	switch (kind) {
	case TERM_ADD:
	case TERM_SUB:
	case TERM_OR:
	case TERM_XOR:
	case TERM_SHL:
	case TERM_SHR:
		return k == 0;
	case TERM_AND:
		return k == UINT32_MAX;
	case TERM_MUL:
	case TERM_DIV:
		return k == 1;
	default:
		return false;
	}
}

/* UINT32_MAX: it would be too large. */
static uint32_t term_binary(struct terms *x, enum term_kind kind, uint32_t l, uint32_t r)
{
	struct term e = { .kind = kind, .l = l, .r = r };
	uint32_t a, b;

	if (l == UINT32_MAX || r == UINT32_MAX)
		return UINT32_MAX;
	if (term_is_constant(x, r, &b)) {
		if (term_is_constant(x, l, &a))
			return term_constant(x, fold(kind, a, b));
		if (is_neutral(kind, b))
			return l;
		if (kind == TERM_AND && !b)
			return r;
		if (kind == TERM_GE && !b)
			return term_constant(x, 1);
	} else if (term_is_constant(x, l, &a)) {
		if ((kind == TERM_OR || kind == TERM_XOR || kind == TERM_ADD) && !a)
			return r;
		if (kind == TERM_AND && !a)
			return l;
	}
	/* a divisor or a shift that is not constant is written twice */
	e.size = 1 + x->v[l].size + x->v[r].size * 2;
	return e.size > MAX_EXPR_SIZE ? UINT32_MAX : add_term(x, e);
}

uint32_t term_event(struct terms *x, enum term_kind kind, uint32_t at, uint32_t size)
{
	return add_term(x, (struct term){ .kind = kind, .k = at, .l = size, .size = 1 });
}

void term_emit(const struct terms *x, uint32_t at, struct text *c)
{
	const struct term *e = &x->v[at];
	const char *address = e->kind == TERM_SADDR ? "saddr" : "daddr";
	bool guarded = e->kind == TERM_DIV || e->kind == TERM_MOD || e->kind == TERM_SHL ||
		       e->kind == TERM_SHR;

	switch (e->kind) {
	case TERM_CONST:
		text_printf(c, "%uU", e->k);
		return;
	case TERM_SADDR:
	case TERM_DADDR:
		if (e->l == 1)
			text_printf(c, "(u32)e->%s[%u]", address, e->k);
		else
			text_printf(c, "(u32)bpf_ntoh%s(((const u%u *)e->%s)[%u])",
				    e->l == 4 ? "l" : "s", e->l * 8, address, e->k / e->l);
		return;
	case TERM_SPORT:
		text_puts(c, "(u32)e->sport");
		return;
	case TERM_DPORT:
		text_puts(c, "(u32)e->dport");
		return;
	default:
		break;
	}
	text_puts(c, "(");
	if (guarded && x->v[e->r].kind != TERM_CONST) {
		term_emit(x, e->r, c);
		text_puts(c, e->kind == TERM_SHL || e->kind == TERM_SHR ? " > 31 ? 0U : "
									: " == 0 ? 0U : ");
	}
	term_emit(x, e->l, c);
	text_printf(c, " %s ", sign[e->kind]);
	term_emit(x, e->r, c);
	text_puts(c, ")");
}

/* --- values ------------------------------------------------------------------------ */

struct value value_known(uint32_t term)
{
	return (struct value){ term, 0 };
}

struct value value_bits(struct terms *x, uint32_t value, uint32_t unknown)
{
	return (struct value){ term_constant(x, value & ~unknown), unknown };
}

static struct value value_of(uint32_t term, uint32_t unknown)
{
	return term == UINT32_MAX ? (struct value){ 0, UINT32_MAX }
				  : (struct value){ term, unknown };
}

/* The bits that may be 1, as far as this is constant. */
static uint32_t may_be_one(const struct terms *x, struct value v)
{
	uint32_t k;

	return term_is_constant(x, v.term, &k) ? k | v.unknown : UINT32_MAX;
}

static uint32_t surely_one(const struct terms *x, struct value v)
{
	uint32_t k;

	return term_is_constant(x, v.term, &k) ? k : 0;
}

static struct value bitwise(struct terms *x, enum term_kind kind, struct value a, struct value b)
{
	uint32_t unknown = a.unknown | b.unknown, e;

	if (kind == TERM_AND)
		unknown &= may_be_one(x, a) & may_be_one(x, b);
	else if (kind == TERM_OR)
		unknown &= ~(surely_one(x, a) | surely_one(x, b));
	e = term_binary(x, kind, a.term, b.term);
	if (kind != TERM_AND && unknown)
		e = term_binary(x, TERM_AND, e, term_constant(x, ~unknown));
	return value_of(e, unknown);
}

/* Additions: what lies below the lowest unknown bit is known. */
static struct value additive(struct terms *x, enum term_kind kind, struct value a, struct value b)
{
	uint32_t unknown = a.unknown | b.unknown, e;

	if (kind == TERM_ADD && !(may_be_one(x, a) & may_be_one(x, b)))
		return bitwise(x, TERM_OR, a, b);
	if (unknown)
		unknown = ~((unknown & -unknown) - 1);
	e = term_binary(x, kind, a.term, b.term);
	if (unknown)
		e = term_binary(x, TERM_AND, e, term_constant(x, ~unknown));
	return value_of(e, unknown);
}

struct value value_compute(struct terms *x, enum term_kind kind, struct value a, struct value b)
{
	uint32_t k;

	switch (kind) {
	case TERM_AND:
	case TERM_OR:
	case TERM_XOR:
		return bitwise(x, kind, a, b);
	case TERM_ADD:
	case TERM_SUB:
	case TERM_MUL:
		return additive(x, kind, a, b);
	case TERM_SHL:
	case TERM_SHR:
		if (!b.unknown && term_is_constant(x, b.term, &k))
			return value_of(term_binary(x, kind, a.term, b.term),
					fold(kind, a.unknown, k));
		break;
	default:
		break;
	}
	if (a.unknown || b.unknown)
		return value_of(0, UINT32_MAX);
	return value_of(term_binary(x, kind, a.term, b.term), 0);
}

/* The expressions of the least and the largest value. */
static uint32_t least(const struct value *v)
{
	return v->term;
}

static uint32_t largest(struct terms *x, const struct value *v)
{
	return v->unknown ? term_binary(x, TERM_OR, v->term, term_constant(x, v->unknown))
			  : v->term;
}

struct outcome value_compare(struct terms *x, int op, struct value a, struct value b)
{
	uint32_t unknown = a.unknown | b.unknown, zero = term_constant(x, 0), e;
	struct outcome o = { UINT32_MAX, UINT32_MAX };

	switch (op) {
	case BPF_JEQ:
		if (!unknown) {
			o.yes = term_binary(x, TERM_EQ, a.term, b.term);
			break;
		}
		e = term_binary(x, TERM_XOR, a.term, b.term);
		o.no = term_binary(x, TERM_GT,
				   term_binary(x, TERM_AND, e, term_constant(x, ~unknown)), zero);
		return o;
	case BPF_JGT:
		o.yes = term_binary(x, TERM_GT, least(&a), largest(x, &b));
		o.no = term_binary(x, TERM_GE, least(&b), largest(x, &a));
		break;
	case BPF_JGE:
		o.yes = term_binary(x, TERM_GE, least(&a), largest(x, &b));
		o.no = term_binary(x, TERM_GT, least(&b), largest(x, &a));
		break;
	default: /* BPF_JSET */
		o.yes = term_binary(x, TERM_GT, term_binary(x, TERM_AND, least(&a), least(&b)),
				    zero);
		e = term_binary(x, TERM_AND, largest(x, &a), largest(x, &b));
		o.no = term_binary(x, TERM_EQ, e, zero);
		break;
	}
	if (!unknown) /* one or the other */
		o.no = term_binary(x, TERM_EQ, o.yes, zero);
	return o;
}

/* A comparison whose parts are known has just two ends. */
bool outcome_is_either(const struct terms *x, const struct outcome *o)
{
	const struct term *e;

	if (o->yes == UINT32_MAX || o->no == UINT32_MAX)
		return false;
	e = &x->v[o->no];
	return e->kind == TERM_EQ && e->l == o->yes && e->r == 0;
}
