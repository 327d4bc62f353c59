/* SPDX-License-Identifier: MIT */
/*
 * Rows wait for the owner of their socket, where it decides or shows something: a row, and
 * to keep the order of time what follows it, is held back until the answer is there, and no
 * longer than HOLD_NS after it happened.
 */
#ifndef LNK_HOLD_H
#define LNK_HOLD_H

#include <stddef.h>
#include <stdint.h>

#include "sink/owners.h"

#define HOLD_NS 100000000ULL
/* Sockets that are waited for, and rows that may wait, at a time. */
#define HOLD_SOCKETS 1024
#define HOLD_ROWS 65536

struct hold {
	struct {
		uint64_t inode;
		uint64_t first_ns, last_ns; /* of its rows that wait */
	} v[HOLD_SOCKETS];
	int n;
	size_t rows; /* between the rings and the table, whatever they wait for */
};

/* A row of this socket has come: asks for the owner, before anything is printed. */
void hold_note(struct hold *h, struct owners *o, uint64_t inode, uint64_t time_ns);

/* Rows up to here need not wait, or not any longer: `horizon_ns`, or less. */
uint64_t hold_horizon(struct hold *h, struct owners *o, uint64_t now_ns, uint64_t horizon_ns);

#endif
