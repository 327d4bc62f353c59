/* SPDX-License-Identifier: MIT */
/*
 * What pcap_sock.c knows of a number: an expression over the event, which the probe can work
 * out, and bits that nobody knows.
 */
#ifndef LNK_PCAP_VALUE_H
#define LNK_PCAP_VALUE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/text.h"

#define MAX_EXPRS 16384 /* of one store; all that is built then is worth nothing */
#define TERM_TABLE 4096 /* of the hash table */

enum term_kind {
	TERM_CONST, /* k */
	TERM_SADDR, /* l bytes at offset k of the address */
	TERM_DADDR,
	TERM_SPORT,
	TERM_DPORT,
	TERM_ADD, /* of the expressions l and r, and so on */
	TERM_SUB,
	TERM_MUL,
	TERM_DIV,
	TERM_MOD,
	TERM_AND,
	TERM_OR,
	TERM_XOR,
	TERM_SHL,
	TERM_SHR,
	TERM_EQ,
	TERM_GT,
	TERM_GE,
};

/* Each expression is there once, so that equal ones have equal numbers. Number 0 is the
 * constant 0. */
struct terms {
	struct term *v;
	uint32_t n;
	bool full;
	uint32_t table[TERM_TABLE]; /* hash -> index + 1 */
};

/* Bits that are set in `unknown` are 0 in the expression. */
struct value {
	uint32_t term;
	uint32_t unknown;
};

/* What must hold so that a comparison surely does, and surely does not. UINT32_MAX: that
 * is never sure. */
struct outcome {
	uint32_t yes, no;
};

uint32_t pcap_hash(const void *bytes, size_t len);

int exprs_open(struct terms *x);   /* 0 or -ENOMEM */
void exprs_reset(struct terms *x); /* empties it */
void exprs_close(struct terms *x);

uint32_t term_constant(struct terms *x, uint32_t k);
bool term_is_constant(const struct terms *x, uint32_t e, uint32_t *k);
/* A piece of the event: `size` bytes from `at` of an address, or a port. */
uint32_t term_event(struct terms *x, enum term_kind kind, uint32_t at, uint32_t size);
void term_emit(const struct terms *x, uint32_t at, struct text *c);

struct value value_known(uint32_t term);
struct value value_bits(struct terms *x, uint32_t value, uint32_t unknown);
struct value value_compute(struct terms *x, enum term_kind kind, struct value a, struct value b);
/* op is BPF_JEQ, BPF_JGT, BPF_JGE or BPF_JSET. */
struct outcome value_compare(struct terms *x, int op, struct value a, struct value b);
/* Where it is not `yes`, it is `no`: nothing of it is unknown. */
bool outcome_is_either(const struct terms *x, const struct outcome *o);

#endif
