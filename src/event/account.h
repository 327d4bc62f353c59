/* SPDX-License-Identifier: MIT */
/*
 * The books: what became of every call of every probe. They are kept per hook and shown
 * per stage. For each hook and in sum
 *
 *	seen = filtered + limited + lost + received
 *
 * where the left side is counted in the kernel before anything is decided and `received`
 * by the host, so the equation fails if an event goes missing on the way.
 */
#ifndef LNK_ACCOUNT_H
#define LNK_ACCOUNT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/text.h"
#include "probes/event.h"

struct tally {
	struct lnk_counters kernel; /* as read from the kernel */
	uint64_t received;          /* samples that came out of the rings */
	uint64_t malformed;         /* of these, not believable */
	uint64_t printed;           /* of these, shown */
	uint64_t paused;            /* of these, not shown because the user paused the rows */
	uint64_t others;            /* of these, of sockets of others than --pid asks for */
	uint64_t unknown;           /* of these, whose socket it is was not known in time */
	uint64_t missed;            /* calls that the kernel did not hand to the probe */
	bool missed_unknown;        /* the kernel does not tell (some of) them */
};

/* What the hooks of a stage counted in programs that others have taken the place of. */
struct retired {
	char *stage;
	struct tally tally;
	struct tally leaving; /* of the last one, which may still have events on their way */
};

struct account {
	int n;           /* hooks */
	struct tally *v; /* one for each hook */
	uint64_t stray;  /* malformed samples of which not even the hook is known */
	bool stats_only; /* nothing is sent: what is not filtered counts as received */
	bool owners;     /* rows are those of certain processes, which is decided by the host */
	struct retired *retired;
	int retired_n;
};

int account_open(struct account *a, int hooks);
void account_close(struct account *a);

void account_add(struct tally *sum, const struct tally *t);
struct tally account_total(const struct account *a);

/* Takes the retired tallies over from the account of an earlier program. */
void account_inherit(struct account *a, struct account *from);
/* The tally of a stage in the program that is leaving, as of now. Returns 0 or -ENOMEM. */
int account_leave(struct account *a, const char *stage, const struct tally *t);
/* Nothing comes from that program any more: what account_leave() said last stays. */
void account_settle(struct account *a);
/* Adds what is retired and leaving of a stage. Returns whether there is any. */
bool account_add_retired(const struct account *a, const char *stage, struct tally *sum);

/* Events that reached the user, or with stats_only were counted. */
uint64_t account_events(const struct account *a);
/* Events that should have reached the user and did not: lost, malformed, stray. */
uint64_t account_errors(const struct account *a);

/* seen - filtered - limited - lost - received, in sum: what is still in the rings, and
 * after the last drain 0. */
int64_t account_open_items(const struct account *a);
/* The same of one tally. */
int64_t account_open_of(const struct tally *t);

#endif
