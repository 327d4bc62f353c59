/* SPDX-License-Identifier: MIT */
/* What is said of the accounting: the closing statistics, and the blocks of -s. */
#ifndef LNK_BOOKS_H
#define LNK_BOOKS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/text.h"
#include "event/account.h"

/* One line of the books: a stage and the tally of its hooks together. */
struct books_line {
	const char *stage;
	bool served;    /* some hook is, or was, attached */
	bool has_bytes; /* its hooks see packets, not only sockets */
	bool gone;      /* only programs of before had it */
	struct tally tally;
};

/* The statistics at the end: totals, then every stage, then whether the books balance. */
void books_closing(const struct account *a, const struct books_line *lines, int n,
		   struct text *out);

/* The same while events come: those that are in the rings are told apart. The kernel's
 * counters must have been read after the last event was received. */
void books_so_far(const struct account *a, const struct books_line *lines, int n, struct text *out);

/*
 * One block of -s: totals so far, and rates over the last interval. `before` holds the
 * lines of the previous block (all zero at first). Returns the number of lines added.
 */
int books_block(const struct account *a, const struct books_line *lines,
		const struct books_line *before, int n, uint64_t interval_ns, struct text *out);

#endif
