/* SPDX-License-Identifier: MIT */
/* What Tab offers. */
#ifndef LNK_CONSOLE_OFFER_H
#define LNK_CONSOLE_OFFER_H

#include <stdbool.h>

struct console_host;

/* The n-th word that may follow `before`, which is the line up to the word that is typed;
 * good until the next call. NULL: there are no more. *more is set where another word follows
 * that one. */
const char *console_offer(const struct console_host *h, const char *before, int n, bool *more);

#endif
