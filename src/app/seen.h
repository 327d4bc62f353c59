/* SPDX-License-Identifier: MIT */
/* Addresses and ports of rows that came lately, for Tab: each has one place where it goes, so
 * that a row costs a comparison and now and then a copy. */
#ifndef LNK_SEEN_H
#define LNK_SEEN_H

#include <netinet/in.h>
#include <stdint.h>

#include "probes/event.h"

#define SEEN_PLACES 64

struct seen {
	struct in6_addr address[SEEN_PLACES]; /* all zero: none */
	uint16_t port[SEEN_PLACES];           /* 0: none */
	char word[INET6_ADDRSTRLEN];          /* what was given out last */
};

void seen_note(struct seen *s, const struct lnk_event *e);

/* The n-th, as it is typed; good until the next call. NULL: there are no more. */
const char *seen_address(struct seen *s, int n);
const char *seen_port(struct seen *s, int n);

#endif
