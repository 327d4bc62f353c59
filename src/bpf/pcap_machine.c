/* SPDX-License-Identifier: MIT */
#include "bpf/pcap_machine.h"

#include <errno.h>
#include <stdlib.h>

/* --- the packet -------------------------------------------------------------------- */

/* Everything else of IPv4 and IPv6. */
static struct value other_byte(struct run *r, const struct packet *p, uint32_t at)
{
	if (p->version == 4) {
		if (at == 0)
			return value_bits(&r->terms, 0x45, p->plain ? 0 : 0x0f);
		if (p->plain && (at == 6 || at == 7))
			return value_bits(&r->terms, 0, at == 6 ? 0xe0 : 0);
		if (at == 9)
			return value_bits(&r->terms, 6, 0);
	} else {
		if (at == 0)
			return value_bits(&r->terms, 0x60, 0x0f);
		if (at == 6)
			return value_bits(&r->terms, p->next, 0);
		if (at == 40 && p->then >= 0)
			return value_bits(&r->terms, (uint32_t)p->then, 0);
	}
	return value_bits(&r->terms, 0, 0xff);
}

/* A piece of an address, or a port, that the event has as it is asked for. */
static bool whole(struct run *r, const struct packet *p, uint32_t at, uint32_t size,
		  struct value *v)
{
	uint32_t from = p->version == 4 ? 12 : 8, len = p->version == 4 ? 4 : 16;
	enum term_kind kind;

	if (size == 2 && at == from + 2 * len && p->source) {
		*v = value_known(term_event(&r->terms, TERM_SPORT, 0, 2));
		return true;
	}
	if (size == 2 && at == from + 2 * len + 2 && p->port) {
		*v = value_known(term_event(&r->terms, TERM_DPORT, 0, 2));
		return true;
	}
	if (at < from || at + size > from + 2 * len || at % size)
		return false;
	at -= from;
	if (at < len ? !p->source : !p->destination)
		return false;
	kind = at < len ? TERM_SADDR : TERM_DADDR;
	*v = value_known(term_event(&r->terms, kind, at % len + 16 - len, size));
	return true;
}

static struct value packet_byte(struct run *r, const struct packet *p, uint32_t at)
{
	uint32_t ports = p->version == 4 ? 20 : 40;
	struct value v;

	if (whole(r, p, at, 1, &v))
		return v;
	if (at < ports || at >= ports + 4 || !whole(r, p, at & ~1U, 2, &v))
		return other_byte(r, p, at);
	return at % 2 ? value_compute(&r->terms, TERM_AND, v,
				      value_known(term_constant(&r->terms, 255)))
		      : value_compute(&r->terms, TERM_SHR, v,
				      value_known(term_constant(&r->terms, 8)));
}

static struct value packet_load(struct run *r, const struct packet *p, uint32_t at, uint32_t size)
{
	struct value v = value_known(0), byte;
	uint32_t i;

	if (whole(r, p, at, size, &v))
		return v;
	for (i = 0; i < size; i++) {
		byte = packet_byte(r, p, at + i);
		v = value_compute(&r->terms, TERM_SHL, v, value_known(term_constant(&r->terms, 8)));
		v = value_compute(&r->terms, TERM_OR, v, byte);
	}
	return v;
}

/* --- running one machine ----------------------------------------------------------- */

static uint32_t load_size(const struct bpf_insn *i)
{
	return BPF_SIZE(i->code) == BPF_W ? 4 : BPF_SIZE(i->code) == BPF_H ? 2 : 1;
}

/* A load from the packet: it may be shorter than that, unless it is known to be longer. */
static enum step load(struct run *r, struct machine *m, const struct bpf_insn *i, struct outcome *o)
{
	const struct packet *p = &r->packets[m->packet];
	struct value *to = &m->reg[BPF_MODE(i->code) == BPF_MSH ? REG_X : REG_A];
	uint32_t size = load_size(i), x = 0;
	uint64_t at;
	bool sure = true;

	if (BPF_MODE(i->code) == BPF_IND)
		sure = !m->reg[REG_X].unknown &&
		       term_is_constant(&r->terms, m->reg[REG_X].term, &x);
	at = (uint64_t)i->k + x;
	if (at + size > UINT32_MAX) {
		*o = (struct outcome){ UINT32_MAX, term_constant(&r->terms, 1) };
		return STEP_REJECT;
	}
	if (sure)
		*to = packet_load(r, p, (uint32_t)at, size);
	else
		*to = value_bits(&r->terms, 0, size == 4 ? UINT32_MAX : (1U << 8 * size) - 1);
	if (BPF_MODE(i->code) == BPF_MSH) {
		*to = value_compute(&r->terms, TERM_AND, *to,
				    value_known(term_constant(&r->terms, 15)));
		*to = value_compute(&r->terms, TERM_SHL, *to,
				    value_known(term_constant(&r->terms, 2)));
	}
	if (sure && at + size <= p->at_least)
		return STEP_ON;
	*o = (struct outcome){ UINT32_MAX, UINT32_MAX };
	return STEP_REJECT;
}

static enum step run_load(struct run *r, struct machine *m, const struct bpf_insn *i,
			  struct outcome *o)
{
	struct value *to = &m->reg[BPF_CLASS(i->code) == BPF_LD ? REG_A : REG_X];

	switch (BPF_MODE(i->code)) {
	case BPF_IMM:
		*to = value_known(term_constant(&r->terms, i->k));
		return STEP_ON;
	case BPF_MEM:
		*to = m->reg[i->k];
		return STEP_ON;
	case BPF_LEN:
		*to = value_bits(&r->terms, 0, UINT32_MAX);
		return STEP_ON;
	default:
		return load(r, m, i, o);
	}
}

static enum step run_alu(struct run *r, struct machine *m, const struct bpf_insn *i,
			 struct outcome *o)
{
	static const struct {
		int op;
		enum term_kind kind;
	} kinds[] = {
		{ BPF_ADD, TERM_ADD }, { BPF_SUB, TERM_SUB }, { BPF_MUL, TERM_MUL },
		{ BPF_DIV, TERM_DIV }, { BPF_MOD, TERM_MOD }, { BPF_AND, TERM_AND },
		{ BPF_OR, TERM_OR },   { BPF_XOR, TERM_XOR }, { BPF_LSH, TERM_SHL },
		{ BPF_RSH, TERM_SHR },
	};
	int op = BPF_OP(i->code);
	struct value by = BPF_SRC(i->code) == BPF_X ? m->reg[REG_X]
						    : value_known(term_constant(&r->terms, i->k));
	size_t n;

	if (op == BPF_NEG) {
		m->reg[REG_A] = value_compute(&r->terms, TERM_SUB, value_known(0), m->reg[REG_A]);
		return STEP_ON;
	}
	for (n = 0; kinds[n].op != op; n++)
		;
	m->reg[REG_A] = value_compute(&r->terms, kinds[n].kind, m->reg[REG_A], by);
	if (op != BPF_DIV && op != BPF_MOD)
		return STEP_ON;
	/* by zero: the packet is rejected */
	*o = value_compare(&r->terms, BPF_JGT, by, value_known(0));
	return STEP_REJECT;
}

enum step machine_step(struct run *r, struct machine *m, struct outcome *o, uint32_t *other)
{
	const struct bpf_insn *i = &r->prog[m->pc++];

	switch (BPF_CLASS(i->code)) {
	case BPF_LD:
	case BPF_LDX:
		return run_load(r, m, i, o);
	case BPF_ST:
		m->reg[i->k] = m->reg[REG_A];
		return STEP_ON;
	case BPF_STX:
		m->reg[i->k] = m->reg[REG_X];
		return STEP_ON;
	case BPF_ALU:
		return run_alu(r, m, i, o);
	case BPF_MISC:
		if (BPF_MISCOP(i->code) == BPF_TAX)
			m->reg[REG_X] = m->reg[REG_A];
		else
			m->reg[REG_A] = m->reg[REG_X];
		return STEP_ON;
	case BPF_RET:
		*o = value_compare(&r->terms, BPF_JGT,
				   BPF_RVAL(i->code) == BPF_A
					   ? m->reg[REG_A]
					   : value_known(term_constant(&r->terms, i->k)),
				   value_known(0));
		return STEP_RETURN;
	default: /* BPF_JMP */
		if (BPF_OP(i->code) == BPF_JA) {
			m->pc += i->k;
			return STEP_ON;
		}
		*o = value_compare(&r->terms, BPF_OP(i->code), m->reg[REG_A],
				   BPF_SRC(i->code) == BPF_X
					   ? m->reg[REG_X]
					   : value_known(term_constant(&r->terms, i->k)));
		*other = m->pc + i->jf;
		m->pc += i->jt;
		return STEP_BRANCH;
	}
}

/* Which registers are read from each instruction on: what is not read must not keep two
 * machines apart. */
static void find_live(struct run *r)
{
	const struct bpf_insn *i;
	uint32_t live, a = 1U << REG_A, x = 1U << REG_X;
	size_t n;

	for (n = r->n; n--;) {
		i = &r->prog[n];
		live = n + 1 < r->n ? r->live[n + 1] : 0;
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
				live = r->live[n + 1 + i->k];
				break;
			}
			live = r->live[n + 1 + i->jt] | r->live[n + 1 + i->jf] | a |
			       (BPF_SRC(i->code) == BPF_X ? x : 0);
			break;
		}
		r->live[n] = live;
	}
}

int run_open(struct run *r, const struct bpf_insn *prog, size_t n)
{
	r->prog = prog;
	r->n = n;
	r->live = calloc(n, sizeof(*r->live));
	if (!r->live || exprs_open(&r->terms)) {
		run_close(r);
		return -ENOMEM;
	}
	find_live(r);
	return 0;
}

void run_close(struct run *r)
{
	free(r->live);
	exprs_close(&r->terms);
}
