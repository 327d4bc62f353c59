/* SPDX-License-Identifier: MIT */
/*
 * Theory of operation. The program is run here, over packets of which only some bits are
 * known: constants (version, protocol), what the event holds (addresses, ports: known when
 * the probe runs), and the rest, which is not known at all. A value is therefore an
 * expression over the event, and a mask of bits that nobody knows.
 *
 * A comparison then has one of four ends: it holds; it does not; the probe must look; or
 * nobody can tell, and the run goes on both ways at once. So what is run is not one machine
 * but a set of them, and a set is a state of a decision graph: where the probe must look it
 * branches into two other sets, and where all machines of a set have returned, that is the
 * answer: 1, 0, or -2 if they do not agree. (It is the subset construction that makes a
 * deterministic automaton.) The graph has no cycles, for the program jumps forward only; it
 * is written down as C, a label and one comparison for each node.
 *
 * What makes it answer -2 more often than it must: what is not known is taken to be
 * independent each time it is looked at; sums and products of bits that are not known are
 * not known at all above the lowest of them; the length of the packet; and the bounds below.
 */
#include "bpf/pcap_sock.h"

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <pcap/bpf.h>

#define MAX_EXPR_SIZE 64 /* leaves and operators; a larger one is not known */
#define MAX_MACHINES 32  /* in one set; of a larger one the answer is -2 */
#define MAX_NODES 8192   /* of one graph; what would need more has the answer -2 */
#define MAX_EXPRS 16384  /* of one graph; all its answers are -2 then */
#define TABLE_SIZE 4096  /* of the hash tables, a power of two */

enum answer {
	ANSWER_NO,
	ANSWER_YES,
	ANSWER_UNKNOWN,
	ANSWERS
};

/* --- expressions over the event ---------------------------------------------------- */

enum expr_kind {
	EXPR_CONST, /* k */
	EXPR_SADDR, /* l bytes at offset k of the address */
	EXPR_DADDR,
	EXPR_SPORT,
	EXPR_DPORT,
	EXPR_ADD, /* of the expressions l and r, and so on */
	EXPR_SUB,
	EXPR_MUL,
	EXPR_DIV,
	EXPR_MOD,
	EXPR_AND,
	EXPR_OR,
	EXPR_XOR,
	EXPR_SHL,
	EXPR_SHR,
	EXPR_EQ,
	EXPR_GT,
	EXPR_GE,
};

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

/* Bits that are set in `unknown` are 0 in the expression. */
struct value {
	uint32_t expr;
	uint32_t unknown;
};

/* --- machines, sets of them, the graph --------------------------------------------- */

/* What is known of the bytes of a packet. */
struct packet {
	int version;
	uint32_t next; /* IPv6: the next header */
	int then;      /* IPv6: byte 40, or -1 */
	bool source;   /* address and port are in the event */
	bool destination;
	bool port;         /* the destination port is */
	bool plain;        /* no options, no fragment */
	uint32_t at_least; /* its length */
};

#define REG_A BPF_MEMWORDS
#define REG_X (BPF_MEMWORDS + 1)
#define REGS (BPF_MEMWORDS + 2)

struct machine {
	uint32_t packet; /* which of graph.packets */
	uint32_t pc;
	struct value reg[REGS];
};

struct set {
	uint32_t returned[2]; /* some machine has returned 0, 1 */
	uint32_t n;
	struct machine v[MAX_MACHINES];
};

/* A branch on `cond`, unless it is an answer. */
struct node {
	int answer; /* enum answer, or -1 */
	uint32_t cond;
	uint32_t yes, no;
	struct set *set; /* the set when the branch is reached; NULL: see maybe_node() */
	uint32_t next;   /* of the same hash: index + 1 */
	bool done;
};

struct graph {
	const struct bpf_insn *prog;
	size_t n;
	uint32_t *live; /* for each instruction: the registers that are read from there on */
	struct packet packets[2];
	struct expr *exprs;
	uint32_t nexprs;
	struct node *nodes;
	uint32_t nnodes;
	uint32_t expr_table[TABLE_SIZE]; /* hash -> index + 1 */
	uint32_t node_table[TABLE_SIZE];
	bool full;   /* too many expressions */
	bool failed; /* out of memory */
};

static uint32_t hash_of(const void *bytes, size_t len)
{
	const uint8_t *p = bytes;
	uint32_t h = 2166136261U;

	while (len--)
		h = (h ^ *p++) * 16777619U;
	return h ^ h >> 15;
}

static struct value known(uint32_t expr)
{
	return (struct value){ expr, 0 };
}

/* --- building expressions ---------------------------------------------------------- */

/* Expression 0 is the constant 0. */
static uint32_t add_expr(struct graph *g, struct expr e)
{
	uint32_t *slot = &g->expr_table[hash_of(&e, offsetof(struct expr, next)) % TABLE_SIZE], i;

	for (i = *slot; i; i = g->exprs[i - 1].next)
		if (!memcmp(&g->exprs[i - 1], &e, offsetof(struct expr, next)))
			return i - 1;
	if (g->nexprs == MAX_EXPRS) {
		g->full = true;
		return 0;
	}
	e.next = *slot;
	g->exprs[g->nexprs] = e;
	*slot = ++g->nexprs;
	return g->nexprs - 1;
}

static uint32_t constant(struct graph *g, uint32_t k)
{
	return add_expr(g, (struct expr){ .kind = EXPR_CONST, .k = k, .size = 1 });
}

static bool is_const(const struct graph *g, uint32_t e, uint32_t *k)
{
	*k = g->exprs[e].k;
	return g->exprs[e].kind == EXPR_CONST;
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
static uint32_t binary(struct graph *g, enum expr_kind kind, uint32_t l, uint32_t r)
{
	struct expr e = { .kind = kind, .l = l, .r = r };
	uint32_t a, b;

	if (l == UINT32_MAX || r == UINT32_MAX)
		return UINT32_MAX;
	if (is_const(g, r, &b)) {
		if (is_const(g, l, &a))
			return constant(g, fold(kind, a, b));
		if (is_neutral(kind, b))
			return l;
		if (kind == EXPR_AND && !b)
			return r;
		if (kind == EXPR_GE && !b)
			return constant(g, 1);
	} else if (is_const(g, l, &a)) {
		if ((kind == EXPR_OR || kind == EXPR_XOR || kind == EXPR_ADD) && !a)
			return r;
		if (kind == EXPR_AND && !a)
			return l;
	}
	/* a divisor or a shift that is not constant is written twice */
	e.size = 1 + g->exprs[l].size + g->exprs[r].size * 2;
	return e.size > MAX_EXPR_SIZE ? UINT32_MAX : add_expr(g, e);
}

/* --- values ------------------------------------------------------------------------ */

static struct value value_of(uint32_t expr, uint32_t unknown)
{
	return expr == UINT32_MAX ? (struct value){ 0, UINT32_MAX }
				  : (struct value){ expr, unknown };
}

/* The bits that may be 1, as far as this is constant. */
static uint32_t may_be_one(const struct graph *g, struct value v)
{
	uint32_t k;

	return is_const(g, v.expr, &k) ? k | v.unknown : UINT32_MAX;
}

static uint32_t surely_one(const struct graph *g, struct value v)
{
	uint32_t k;

	return is_const(g, v.expr, &k) ? k : 0;
}

static struct value bitwise(struct graph *g, enum expr_kind kind, struct value a, struct value b)
{
	uint32_t unknown = a.unknown | b.unknown, e;

	if (kind == EXPR_AND)
		unknown &= may_be_one(g, a) & may_be_one(g, b);
	else if (kind == EXPR_OR)
		unknown &= ~(surely_one(g, a) | surely_one(g, b));
	e = binary(g, kind, a.expr, b.expr);
	if (kind != EXPR_AND && unknown)
		e = binary(g, EXPR_AND, e, constant(g, ~unknown));
	return value_of(e, unknown);
}

/* Additions: what lies below the lowest unknown bit is known. */
static struct value additive(struct graph *g, enum expr_kind kind, struct value a, struct value b)
{
	uint32_t unknown = a.unknown | b.unknown, e;

	if (kind == EXPR_ADD && !(may_be_one(g, a) & may_be_one(g, b)))
		return bitwise(g, EXPR_OR, a, b);
	if (unknown)
		unknown = ~((unknown & -unknown) - 1);
	e = binary(g, kind, a.expr, b.expr);
	if (unknown)
		e = binary(g, EXPR_AND, e, constant(g, ~unknown));
	return value_of(e, unknown);
}

static struct value compute(struct graph *g, enum expr_kind kind, struct value a, struct value b)
{
	uint32_t k;

	switch (kind) {
	case EXPR_AND:
	case EXPR_OR:
	case EXPR_XOR:
		return bitwise(g, kind, a, b);
	case EXPR_ADD:
	case EXPR_SUB:
	case EXPR_MUL:
		return additive(g, kind, a, b);
	case EXPR_SHL:
	case EXPR_SHR:
		if (!b.unknown && is_const(g, b.expr, &k))
			return value_of(binary(g, kind, a.expr, b.expr), fold(kind, a.unknown, k));
		break;
	default:
		break;
	}
	if (a.unknown || b.unknown)
		return value_of(0, UINT32_MAX);
	return value_of(binary(g, kind, a.expr, b.expr), 0);
}

/* The expressions of the least and the largest value. */
static uint32_t least(const struct value *v)
{
	return v->expr;
}

static uint32_t largest(struct graph *g, const struct value *v)
{
	return v->unknown ? binary(g, EXPR_OR, v->expr, constant(g, v->unknown)) : v->expr;
}

/* What must hold so that a comparison surely does, and surely does not. UINT32_MAX: that
 * is never sure. */
struct outcome {
	uint32_t yes, no;
};

static struct outcome compare(struct graph *g, int op, struct value a, struct value b)
{
	uint32_t unknown = a.unknown | b.unknown, zero = constant(g, 0), e;
	struct outcome o = { UINT32_MAX, UINT32_MAX };

	switch (op) {
	case BPF_JEQ:
		if (!unknown) {
			o.yes = binary(g, EXPR_EQ, a.expr, b.expr);
			break;
		}
		e = binary(g, EXPR_XOR, a.expr, b.expr);
		o.no = binary(g, EXPR_GT, binary(g, EXPR_AND, e, constant(g, ~unknown)), zero);
		return o;
	case BPF_JGT:
		o.yes = binary(g, EXPR_GT, least(&a), largest(g, &b));
		o.no = binary(g, EXPR_GE, least(&b), largest(g, &a));
		break;
	case BPF_JGE:
		o.yes = binary(g, EXPR_GE, least(&a), largest(g, &b));
		o.no = binary(g, EXPR_GT, least(&b), largest(g, &a));
		break;
	default: /* BPF_JSET */
		o.yes = binary(g, EXPR_GT, binary(g, EXPR_AND, least(&a), least(&b)), zero);
		e = binary(g, EXPR_AND, largest(g, &a), largest(g, &b));
		o.no = binary(g, EXPR_EQ, e, zero);
		break;
	}
	if (!unknown) /* one or the other */
		o.no = binary(g, EXPR_EQ, o.yes, zero);
	return o;
}

/* --- the packet -------------------------------------------------------------------- */

static struct value bits(struct graph *g, uint32_t value, uint32_t unknown)
{
	return (struct value){ constant(g, value & ~unknown), unknown };
}

/* Everything else of IPv4 and IPv6. */
static struct value other_byte(struct graph *g, const struct packet *p, uint32_t at)
{
	if (p->version == 4) {
		if (at == 0)
			return bits(g, 0x45, p->plain ? 0 : 0x0f);
		if (p->plain && (at == 6 || at == 7))
			return bits(g, 0, at == 6 ? 0xe0 : 0);
		if (at == 9)
			return bits(g, 6, 0);
	} else {
		if (at == 0)
			return bits(g, 0x60, 0x0f);
		if (at == 6)
			return bits(g, p->next, 0);
		if (at == 40 && p->then >= 0)
			return bits(g, (uint32_t)p->then, 0);
	}
	return bits(g, 0, 0xff);
}

/* A piece of an address, or a port, that the event has as it is asked for. */
static bool whole(struct graph *g, const struct packet *p, uint32_t at, uint32_t size,
		  struct value *v)
{
	uint32_t from = p->version == 4 ? 12 : 8, len = p->version == 4 ? 4 : 16;
	struct expr e = { .size = 1 };

	if (size == 2 && at == from + 2 * len && p->source) {
		e.kind = EXPR_SPORT;
	} else if (size == 2 && at == from + 2 * len + 2 && p->port) {
		e.kind = EXPR_DPORT;
	} else if (at >= from && at + size <= from + 2 * len && at % size == 0) {
		at -= from;
		if (at < len ? !p->source : !p->destination)
			return false;
		e.kind = at < len ? EXPR_SADDR : EXPR_DADDR;
		e.k = at % len + 16 - len;
		e.l = size;
	} else {
		return false;
	}
	*v = known(add_expr(g, e));
	return true;
}

static struct value packet_byte(struct graph *g, const struct packet *p, uint32_t at)
{
	uint32_t ports = p->version == 4 ? 20 : 40;
	struct value v;

	if (whole(g, p, at, 1, &v))
		return v;
	if (at < ports || at >= ports + 4 || !whole(g, p, at & ~1U, 2, &v))
		return other_byte(g, p, at);
	return at % 2 ? compute(g, EXPR_AND, v, known(constant(g, 255)))
		      : compute(g, EXPR_SHR, v, known(constant(g, 8)));
}

static struct value packet_load(struct graph *g, const struct packet *p, uint32_t at, uint32_t size)
{
	struct value v = known(0), byte;
	uint32_t i;

	if (whole(g, p, at, size, &v))
		return v;
	for (i = 0; i < size; i++) {
		byte = packet_byte(g, p, at + i);
		v = compute(g, EXPR_SHL, v, known(constant(g, 8)));
		v = compute(g, EXPR_OR, v, byte);
	}
	return v;
}

/* --- running one machine ----------------------------------------------------------- */

enum step {
	STEP_ON,     /* m->pc is the next instruction */
	STEP_RETURN, /* *o says what: yes is 1 */
	STEP_BRANCH, /* *o is the comparison: m->pc or *other is next */
	STEP_REJECT, /* on, or a return of 0: *o says which of them, yes is on */
};

static uint32_t load_size(const struct bpf_insn *i)
{
	return BPF_SIZE(i->code) == BPF_W ? 4 : BPF_SIZE(i->code) == BPF_H ? 2 : 1;
}

/* A load from the packet: it may be shorter than that, unless it is known to be longer. */
static enum step load(struct graph *g, struct machine *m, const struct bpf_insn *i,
		      struct outcome *o)
{
	const struct packet *p = &g->packets[m->packet];
	struct value *to = &m->reg[BPF_MODE(i->code) == BPF_MSH ? REG_X : REG_A];
	uint32_t size = load_size(i), x = 0;
	uint64_t at;
	bool sure = true;

	if (BPF_MODE(i->code) == BPF_IND)
		sure = !m->reg[REG_X].unknown && is_const(g, m->reg[REG_X].expr, &x);
	at = (uint64_t)i->k + x;
	if (at + size > UINT32_MAX) {
		*o = (struct outcome){ UINT32_MAX, constant(g, 1) };
		return STEP_REJECT;
	}
	if (sure)
		*to = packet_load(g, p, (uint32_t)at, size);
	else
		*to = bits(g, 0, size == 4 ? UINT32_MAX : (1U << 8 * size) - 1);
	if (BPF_MODE(i->code) == BPF_MSH) {
		*to = compute(g, EXPR_AND, *to, known(constant(g, 15)));
		*to = compute(g, EXPR_SHL, *to, known(constant(g, 2)));
	}
	if (sure && at + size <= p->at_least)
		return STEP_ON;
	*o = (struct outcome){ UINT32_MAX, UINT32_MAX };
	return STEP_REJECT;
}

static enum step run_load(struct graph *g, struct machine *m, const struct bpf_insn *i,
			  struct outcome *o)
{
	struct value *to = &m->reg[BPF_CLASS(i->code) == BPF_LD ? REG_A : REG_X];

	switch (BPF_MODE(i->code)) {
	case BPF_IMM:
		*to = known(constant(g, i->k));
		return STEP_ON;
	case BPF_MEM:
		*to = m->reg[i->k];
		return STEP_ON;
	case BPF_LEN:
		*to = value_of(0, UINT32_MAX);
		return STEP_ON;
	default:
		return load(g, m, i, o);
	}
}

static enum step run_alu(struct graph *g, struct machine *m, const struct bpf_insn *i,
			 struct outcome *o)
{
	static const struct {
		int op;
		enum expr_kind kind;
	} kinds[] = {
		{ BPF_ADD, EXPR_ADD }, { BPF_SUB, EXPR_SUB }, { BPF_MUL, EXPR_MUL },
		{ BPF_DIV, EXPR_DIV }, { BPF_MOD, EXPR_MOD }, { BPF_AND, EXPR_AND },
		{ BPF_OR, EXPR_OR },   { BPF_XOR, EXPR_XOR }, { BPF_LSH, EXPR_SHL },
		{ BPF_RSH, EXPR_SHR },
	};
	int op = BPF_OP(i->code);
	struct value by = BPF_SRC(i->code) == BPF_X ? m->reg[REG_X] : known(constant(g, i->k));
	size_t n;

	if (op == BPF_NEG) {
		m->reg[REG_A] = compute(g, EXPR_SUB, known(0), m->reg[REG_A]);
		return STEP_ON;
	}
	for (n = 0; kinds[n].op != op; n++)
		;
	m->reg[REG_A] = compute(g, kinds[n].kind, m->reg[REG_A], by);
	if (op != BPF_DIV && op != BPF_MOD)
		return STEP_ON;
	/* by zero: the packet is rejected */
	*o = compare(g, BPF_JGT, by, known(0));
	return STEP_REJECT;
}

/* Runs one instruction. */
static enum step step(struct graph *g, struct machine *m, struct outcome *o, uint32_t *other)
{
	const struct bpf_insn *i = &g->prog[m->pc++];

	switch (BPF_CLASS(i->code)) {
	case BPF_LD:
	case BPF_LDX:
		return run_load(g, m, i, o);
	case BPF_ST:
		m->reg[i->k] = m->reg[REG_A];
		return STEP_ON;
	case BPF_STX:
		m->reg[i->k] = m->reg[REG_X];
		return STEP_ON;
	case BPF_ALU:
		return run_alu(g, m, i, o);
	case BPF_MISC:
		if (BPF_MISCOP(i->code) == BPF_TAX)
			m->reg[REG_X] = m->reg[REG_A];
		else
			m->reg[REG_A] = m->reg[REG_X];
		return STEP_ON;
	case BPF_RET:
		*o = compare(g, BPF_JGT,
			     BPF_RVAL(i->code) == BPF_A ? m->reg[REG_A] : known(constant(g, i->k)),
			     known(0));
		return STEP_RETURN;
	default: /* BPF_JMP */
		if (BPF_OP(i->code) == BPF_JA) {
			m->pc += i->k;
			return STEP_ON;
		}
		*o = compare(g, BPF_OP(i->code), m->reg[REG_A],
			     BPF_SRC(i->code) == BPF_X ? m->reg[REG_X] : known(constant(g, i->k)));
		*other = m->pc + i->jf;
		m->pc += i->jt;
		return STEP_BRANCH;
	}
}

/* Which registers are read from each instruction on: what is not read must not keep two
 * machines apart. */
static void find_live(struct graph *g)
{
	const struct bpf_insn *i;
	uint32_t live, a = 1U << REG_A, x = 1U << REG_X;
	size_t n;

	for (n = g->n; n--;) {
		i = &g->prog[n];
		live = n + 1 < g->n ? g->live[n + 1] : 0;
		switch (BPF_CLASS(i->code)) {
		case BPF_LD:
			live &= ~a;
			if (BPF_MODE(i->code) == BPF_MEM)
				live |= 1U << i->k;
			else if (BPF_MODE(i->code) == BPF_IND)
				live |= x;
			break;
		case BPF_LDX:
			live &= ~x;
			if (BPF_MODE(i->code) == BPF_MEM)
				live |= 1U << i->k;
			break;
		case BPF_ST:
			live = (live & ~(1U << i->k)) | a;
			break;
		case BPF_STX:
			live = (live & ~(1U << i->k)) | x;
			break;
		case BPF_ALU:
			live |= a | (BPF_SRC(i->code) == BPF_X ? x : 0);
			break;
		case BPF_MISC:
			live = BPF_MISCOP(i->code) == BPF_TAX ? (live & ~x) | a : (live & ~a) | x;
			break;
		case BPF_RET:
			live = BPF_RVAL(i->code) == BPF_A ? a : 0;
			break;
		default:
			if (BPF_OP(i->code) == BPF_JA) {
				live = g->live[n + 1 + i->k];
				break;
			}
			live = g->live[n + 1 + i->jt] | g->live[n + 1 + i->jf] | a |
			       (BPF_SRC(i->code) == BPF_X ? x : 0);
			break;
		}
		g->live[n] = live;
	}
}

/* --- sets -------------------------------------------------------------------------- */

static int order(const struct machine *a, const struct machine *b)
{
	if (a->pc != b->pc)
		return a->pc < b->pc ? -1 : 1;
	return memcmp(a, b, sizeof(*a));
}

/* Puts a machine into the set, which is kept in order and without doubles. A set that
 * becomes too large has returned both. */
static void insert(const struct graph *g, struct set *s, struct machine m)
{
	uint32_t i, at;
	int cmp = 1;

	for (i = 0; i < REGS; i++)
		if (!(g->live[m.pc] & 1U << i))
			m.reg[i] = known(0);
	for (at = 0; at < s->n; at++) {
		cmp = order(&m, &s->v[at]);
		if (cmp <= 0)
			break;
	}
	if (at < s->n && !cmp)
		return;
	if (s->n == MAX_MACHINES) {
		s->returned[0] = s->returned[1] = 1;
		return;
	}
	memmove(&s->v[at + 1], &s->v[at], (s->n - at) * sizeof(m));
	s->v[at] = m;
	s->n++;
}

static struct machine take_first(struct set *s)
{
	struct machine m = s->v[0];

	memmove(&s->v[0], &s->v[1], --s->n * sizeof(m));
	return m;
}

static bool is_true(const struct graph *g, uint32_t cond)
{
	uint32_t k;

	return cond != UINT32_MAX && is_const(g, cond, &k) && k;
}

static bool is_false(const struct graph *g, uint32_t cond)
{
	uint32_t k;

	return cond == UINT32_MAX || (is_const(g, cond, &k) && !k);
}

/* One of the two ways (or both) that a step has left. */
static void go(const struct graph *g, struct set *s, const struct machine *m, enum step how,
	       uint32_t other, bool yes)
{
	struct machine to = *m;

	if (how == STEP_RETURN || (how == STEP_REJECT && !yes)) {
		s->returned[yes] = 1;
		return;
	}
	if (how == STEP_BRANCH && !yes)
		to.pc = other;
	insert(g, s, to);
}

/*
 * Runs the first machine of the set, the one with the lowest pc, by one instruction.
 * Returns true when that is all; false when the probe must look at *o first, and then go()
 * one way or the other with *m, *how and *other. The machine is not in the set then.
 */
static bool run_first(struct graph *g, struct set *s, struct machine *m, enum step *how,
		      uint32_t *other, struct outcome *o)
{
	*m = take_first(s);
	*how = step(g, m, o, other);
	if (*how == STEP_ON) {
		insert(g, s, *m);
		return true;
	}
	if (is_true(g, o->yes) || is_true(g, o->no)) {
		go(g, s, m, *how, *other, is_true(g, o->yes));
		return true;
	}
	if (is_false(g, o->yes) && is_false(g, o->no)) {
		go(g, s, m, *how, *other, true);
		go(g, s, m, *how, *other, false);
		return true;
	}
	return false;
}

static bool is_over(const struct set *s)
{
	return !s->n || (s->returned[0] && s->returned[1]);
}

/* --- the graph --------------------------------------------------------------------- */

static uint32_t answer_of(const struct set *s)
{
	if (s->returned[0] && s->returned[1])
		return ANSWER_UNKNOWN;
	return s->returned[1] ? ANSWER_YES : ANSWER_NO;
}

static size_t set_size(const struct set *s)
{
	return offsetof(struct set, v) + s->n * sizeof(s->v[0]);
}

static uint32_t new_node(struct graph *g)
{
	g->nodes[g->nnodes] = (struct node){ .answer = -1 };
	return g->nnodes++;
}

/* The node of a set, which is run up to where the probe must look. */
static uint32_t node_for(struct graph *g, struct set *s)
{
	struct set before;
	struct machine m;
	struct outcome o;
	enum step how;
	uint32_t other = 0, *slot, i;
	size_t size;

	do {
		if (is_over(s))
			return answer_of(s);
		memcpy(&before, s, set_size(s));
	} while (run_first(g, s, &m, &how, &other, &o));
	size = set_size(&before);
	slot = &g->node_table[hash_of(&before, size) % TABLE_SIZE];
	for (i = *slot; i; i = g->nodes[i - 1].next)
		if (set_size(g->nodes[i - 1].set) == size &&
		    !memcmp(g->nodes[i - 1].set, &before, size))
			return i - 1;
	if (g->nnodes == MAX_NODES)
		return ANSWER_UNKNOWN;
	i = new_node(g);
	g->nodes[i].next = *slot;
	g->nodes[i].set = malloc(size);
	if (!g->nodes[i].set) {
		g->failed = true;
		return ANSWER_UNKNOWN;
	}
	memcpy(g->nodes[i].set, &before, size);
	*slot = i + 1;
	return i;
}

/* Where the set is when the machine has gone this way. */
static uint32_t after(struct graph *g, const struct set *rest, const struct machine *m,
		      enum step how, uint32_t other, bool yes, bool no)
{
	struct set s;

	memcpy(&s, rest, set_size(rest));
	if (yes)
		go(g, &s, m, how, other, true);
	if (no)
		go(g, &s, m, how, other, false);
	return node_for(g, &s);
}

/* Not surely yes: surely not, or nobody knows. */
static uint32_t maybe_node(struct graph *g, const struct set *rest, const struct machine *m,
			   enum step how, uint32_t other, const struct outcome *o)
{
	uint32_t i, yes, no;

	if (is_true(g, o->no))
		return after(g, rest, m, how, other, false, true);
	if (is_false(g, o->no))
		return after(g, rest, m, how, other, true, true);
	yes = after(g, rest, m, how, other, false, true);
	no = after(g, rest, m, how, other, true, true);
	if (g->nnodes == MAX_NODES)
		return ANSWER_UNKNOWN;
	i = new_node(g);
	g->nodes[i].cond = o->no;
	g->nodes[i].yes = yes;
	g->nodes[i].no = no;
	g->nodes[i].done = true;
	return i;
}

/* A comparison whose parts are known has just two ends. */
static bool is_complement(const struct graph *g, const struct outcome *o)
{
	const struct expr *e;

	if (o->yes == UINT32_MAX || o->no == UINT32_MAX)
		return false;
	e = &g->exprs[o->no];
	return e->kind == EXPR_EQ && e->l == o->yes && e->r == 0;
}

static void expand(struct graph *g, uint32_t at)
{
	struct set s;
	struct machine m;
	struct outcome o;
	enum step how;
	uint32_t other = 0, yes, no;

	memcpy(&s, g->nodes[at].set, set_size(g->nodes[at].set));
	run_first(g, &s, &m, &how, &other, &o);
	g->nodes[at].done = true;
	if (is_false(g, o.yes)) { /* not or perhaps */
		yes = after(g, &s, &m, how, other, false, true);
		no = after(g, &s, &m, how, other, true, true);
		g->nodes[at].cond = o.no;
	} else {
		yes = after(g, &s, &m, how, other, true, false);
		if (is_complement(g, &o))
			no = after(g, &s, &m, how, other, false, true);
		else
			no = maybe_node(g, &s, &m, how, other, &o);
		g->nodes[at].cond = o.yes;
	}
	g->nodes[at].yes = yes;
	g->nodes[at].no = no;
}

/* Empties the graph, for another start. */
static void graph_reset(struct graph *g)
{
	int i;

	for (; g->nnodes; g->nnodes--)
		free(g->nodes[g->nnodes - 1].set);
	g->nexprs = 0;
	g->full = false;
	memset(g->expr_table, 0, sizeof(g->expr_table));
	memset(g->node_table, 0, sizeof(g->node_table));
	constant(g, 0);
	for (i = 0; i < ANSWERS; i++)
		g->nodes[new_node(g)].answer = i;
}

static void graph_close(struct graph *g)
{
	if (!g)
		return;
	for (; g->nnodes; g->nnodes--)
		free(g->nodes[g->nnodes - 1].set);
	free(g->live);
	free(g->exprs);
	free(g->nodes);
	free(g);
}

static struct graph *graph_open(const struct bpf_insn *prog, size_t n)
{
	struct graph *g = calloc(1, sizeof(*g));

	if (!g)
		return NULL;
	g->prog = prog;
	g->n = n;
	g->live = calloc(n, sizeof(*g->live));
	g->exprs = malloc(MAX_EXPRS * sizeof(*g->exprs));
	g->nodes = malloc(MAX_NODES * sizeof(*g->nodes));
	if (!g->live || !g->exprs || !g->nodes) {
		graph_close(g);
		return NULL;
	}
	find_live(g);
	return g;
}

/* Builds the graph of one machine for each packet; returns where it begins. */
static uint32_t build(struct graph *g, const struct packet *packets, uint32_t n)
{
	struct machine m = { 0 };
	struct set s = { 0 };
	uint32_t first, i;

	graph_reset(g);
	memcpy(g->packets, packets, n * sizeof(*packets));
	for (i = 0; i < n; i++) {
		m.packet = i;
		insert(g, &s, m);
	}
	first = node_for(g, &s);
	for (i = ANSWERS; i < g->nnodes && !g->failed && !g->full; i++)
		if (!g->nodes[i].done)
			expand(g, i);
	return g->full ? ANSWER_UNKNOWN : first;
}

/* --- as C -------------------------------------------------------------------------- */

static const char *const answer_text[ANSWERS] = { "0", "1", "-2" };

static void emit_expr(const struct graph *g, uint32_t at, struct text *c)
{
	const struct expr *e = &g->exprs[at];
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
	if (guarded && g->exprs[e->r].kind != EXPR_CONST) {
		emit_expr(g, e->r, c);
		text_puts(c, e->kind == EXPR_SHL || e->kind == EXPR_SHR ? " > 31 ? 0U : "
									: " == 0 ? 0U : ");
	}
	emit_expr(g, e->l, c);
	text_printf(c, " %s ", sign[e->kind]);
	emit_expr(g, e->r, c);
	text_puts(c, ")");
}

/* Follows nodes whose two ways are one. */
static uint32_t skip_idle(const struct graph *g, uint32_t at)
{
	while (g->nodes[at].answer < 0 && g->nodes[at].yes == g->nodes[at].no)
		at = g->nodes[at].yes;
	return at;
}

/*
 * Sorts the nodes that can be reached from `first`, each behind those it leads to: they come
 * out of a depth-first walk like that. Nodes that decide nothing are taken out on the way.
 * Returns how many there are. seen[] counts the ways that were walked.
 */
static uint32_t sort_nodes(struct graph *g, uint32_t first, uint32_t *sorted, uint32_t *stack,
			   uint8_t *seen)
{
	uint32_t depth = 0, n = 0, at, to;
	struct node *node;

	stack[depth++] = first;
	while (depth) {
		at = stack[depth - 1];
		node = &g->nodes[at];
		if (node->answer < 0 && seen[at] < 2) {
			to = seen[at] ? node->no : node->yes;
			seen[at]++;
			if (!seen[to])
				stack[depth++] = to;
			continue;
		}
		depth--;
		seen[at] = 3;
		if (node->answer < 0) {
			node->yes = skip_idle(g, node->yes);
			node->no = skip_idle(g, node->no);
		}
		sorted[n++] = at;
	}
	return n;
}

static void emit_nodes(const struct graph *g, const uint32_t *sorted, uint32_t n, struct text *c)
{
	const struct node *node;

	while (n--) {
		node = &g->nodes[sorted[n]];
		if (node->answer < 0 && node->yes == node->no)
			continue;
		text_printf(c, "n%u: __attribute__((unused));\n", sorted[n]);
		if (node->answer >= 0) {
			text_printf(c, "\treturn %s;\n", answer_text[node->answer]);
			continue;
		}
		text_puts(c, "\tif ");
		emit_expr(g, node->cond, c);
		text_printf(c, "\n\t\tgoto n%u;\n\tgoto n%u;\n", node->yes, node->no);
	}
}

/* Adds the function `name`, unless the answer is always the same. *call is what to write
 * where the answer is needed. */
static int emit_graph(struct graph *g, uint32_t first, const char *name, struct text *c,
		      struct text *call)
{
	uint32_t n;
	uint32_t *sorted = calloc(2 * (size_t)g->nnodes, sizeof(*sorted));
	uint8_t *seen = calloc(g->nnodes, 1);

	if (!sorted || !seen || g->failed) {
		free(sorted);
		free(seen);
		return -ENOMEM;
	}
	n = sort_nodes(g, first, sorted, sorted + g->nnodes, seen);
	first = skip_idle(g, first);
	if (g->nodes[first].answer >= 0) {
		text_puts(call, answer_text[g->nodes[first].answer]);
	} else {
		text_printf(call, "%s(e)", name);
		text_printf(c, "static __always_inline int %s(const struct lnk_event *e)\n{\n",
			    name);
		emit_nodes(g, sorted, n, c);
		text_puts(c, "}\n\n");
	}
	free(sorted);
	free(seen);
	return 0;
}

/* --- what an event may know -------------------------------------------------------- */

#define IPV4 .version = 4, .then = -1, .plain = true, .at_least = 40
#define IPV6 .version = 6, .then = -1, .plain = true, .at_least = 60, .next = 6
#define ALL .source = true, .destination = true, .port = true
#define NO_PEER .destination = true, .port = true /* a listener */

enum {
	CASE_IPV4,
	CASE_IPV6,
	CASE_IPV4_TO,
	CASE_IPV6_TO,
	CASE_PORT,
	CASE_NOTHING,
	CASES
};

static const struct {
	const char *name;
	uint32_t n;
	struct packet packets[2];
} cases[CASES] = {
	[CASE_IPV4] = { "lnk_pcap_ipv4", 1, { { IPV4, ALL } } },
	[CASE_IPV6] = { "lnk_pcap_ipv6", 1, { { IPV6, ALL } } },
	[CASE_IPV4_TO] = { "lnk_pcap_ipv4_to", 1, { { IPV4, NO_PEER } } },
	[CASE_IPV6_TO] = { "lnk_pcap_ipv6_to", 1, { { IPV6, NO_PEER } } },
	[CASE_PORT] = { "lnk_pcap_port", 2, { { IPV4, .port = true }, { IPV6, .port = true } } },
	[CASE_NOTHING] = { "lnk_pcap_nothing", 2, { { IPV4 }, { IPV6 } } },
};

/* 0: not known. */
static const char version_of[] = "static __always_inline int lnk_pcap_version(const u8 *address)\n"
				 "{\n"
				 "\tconst u32 *w = (const u32 *)address;\n"
				 "\n"
				 "\tif (w[0] | w[1] || (w[2] && w[2] != bpf_htonl(0xffff)))\n"
				 "\t\treturn 6;\n"
				 "\tif (!w[3])\n"
				 "\t\treturn 0;\n"
				 "\treturn w[2] ? 4 : 6;\n"
				 "}\n\n";

static void emit_choice(const struct text *call, struct text *c)
{
	text_puts(c, version_of);
	text_puts(c,
		  "static __always_inline int lnk_pcap_sock(const struct lnk_event *e)\n{\n"
		  "\tint from = lnk_pcap_version(e->saddr), to = lnk_pcap_version(e->daddr);\n\n");
	text_printf(c, "\tif (!e->dport)\n\t\treturn %s;\n", text_str(&call[CASE_NOTHING]));
	text_printf(c, "\tif (!to || (from && from != to))\n\t\treturn %s;\n",
		    text_str(&call[CASE_PORT]));
	text_puts(c, "\tif (from && e->sport) {\n");
	text_printf(c, "\t\tif (to == 4)\n\t\t\treturn %s;\n", text_str(&call[CASE_IPV4]));
	text_printf(c, "\t\treturn %s;\n\t}\n", text_str(&call[CASE_IPV6]));
	text_printf(c, "\tif (to == 4)\n\t\treturn %s;\n", text_str(&call[CASE_IPV4_TO]));
	text_printf(c, "\treturn %s;\n}\n", text_str(&call[CASE_IPV6_TO]));
}

int pcap_sock_emit(const struct bpf_insn *prog, size_t n, struct text *c)
{
	struct graph *g = graph_open(prog, n);
	struct text call[CASES] = { 0 };
	uint32_t first;
	int i, err = g ? 0 : -ENOMEM;

	for (i = 0; i < CASES && !err; i++) {
		first = build(g, cases[i].packets, cases[i].n);
		err = emit_graph(g, first, cases[i].name, c, &call[i]);
	}
	if (!err)
		emit_choice(call, c);
	graph_close(g);
	for (i = 0; i < CASES; i++)
		text_free(&call[i]);
	return err;
}

/* --- can it match at all ----------------------------------------------------------- */

static bool may_match(struct graph *g, const struct packet *p)
{
	return build(g, p, 1) != ANSWER_NO || g->failed;
}

/* What may stand between an IPv6 header and TCP, and TCP. 44 is a fragment header: libpcap
 * looks behind it, at byte 40, for the next one. */
static bool may_match_ipv6(struct graph *g)
{
	static const uint8_t headers[] = { 6, 0, 43, 44, 51, 60, 135, 139, 140 };
	struct packet p = { .version = 6 };
	size_t i, j;

	for (i = 0; i < sizeof(headers); i++) {
		p.next = headers[i];
		for (j = 0; j < (p.next == 44 ? sizeof(headers) : 1); j++) {
			p.then = p.next == 44 ? headers[j] : -1;
			if (may_match(g, &p))
				return true;
		}
	}
	return false;
}

bool pcap_sock_may_match(const struct bpf_insn *prog, size_t n, int version)
{
	static const struct packet ipv4 = { .version = 4, .then = -1 };
	struct graph *g = graph_open(prog, n);
	bool may;

	if (!g)
		return true;
	may = version == 4 ? may_match(g, &ipv4) : may_match_ipv6(g);
	graph_close(g);
	return may;
}
