/* SPDX-License-Identifier: MIT */
/*
 * A stub is a program of five instructions that is attached in a probe function's place
 * and jumps (a tail call) to whichever program its slot holds. So the program behind a
 * hook can be exchanged while the hook stays attached, and every call runs exactly one of
 * the two: the jump reads the slot once. An empty slot does nothing.
 */
#ifndef LNK_STUB_H
#define LNK_STUB_H

#include "bpf/hooks.h"

/*
 * Fills h->stub_fd and h->slot_fd of a hook whose program is loaded; the slot is empty.
 * attach_hook() attaches the stub then. Returns 0 or -errno with h->why.
 */
int stub_load(struct hook *h);

/* Puts a program into the hook's slot: calls that begin after this run it. Needs no right
 * but the descriptors. Returns 0 or -errno. */
int stub_set(const struct hook *h, int prog_fd);

/* Waits until no call that began before this runs any more. Needs the right to make maps;
 * takes some tens of milliseconds. */
void stub_settle(void);

/* Hands the stub, its slot, its place in the kernel and what was missed there from one hook
 * to another. */
void stub_move(struct hook *to, struct hook *from);

#endif
