/* SPDX-License-Identifier: MIT */
/*
 * A classic BPF machine whose packet is known in part: see pcap_sock.c. The program must
 * have passed the checks in pcap_filter.c.
 */
#ifndef LNK_PCAP_MACHINE_H
#define LNK_PCAP_MACHINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <pcap/pcap.h>

#include "bpf/pcap_value.h"

/* What is known of the bytes of a packet. */
struct packet {
	int version;
	uint32_t next; /* IPv6: the next header */
	int then;      /* IPv6: byte 40, or -1 */
	bool source;   /* address and port are in the event */
	bool destination;
	bool port;         /* the destination port is */
	bool plain;        /* no options, no later fragment */
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

/* What machines have in common. */
struct run {
	const struct bpf_insn *prog;
	size_t n;
	uint32_t *live; /* for each instruction: the registers that are read from there on */
	struct packet packets[2];
	struct terms terms;
};

enum step {
	STEP_ON,     /* m->pc is the next instruction */
	STEP_RETURN, /* *o says what: yes is 1 */
	STEP_BRANCH, /* *o is the comparison: m->pc or *other is next */
	STEP_REJECT, /* on, or a return of 0: *o says which of them, yes is on */
};

int run_open(struct run *r, const struct bpf_insn *prog, size_t n); /* 0 or -ENOMEM */
void run_close(struct run *r);

/* Runs one instruction. */
enum step machine_step(struct run *r, struct machine *m, struct outcome *o, uint32_t *other);

#endif
