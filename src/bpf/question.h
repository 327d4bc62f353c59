/* SPDX-License-Identifier: MIT */
/*
 * What is asked of each packet beyond one address and one port, as C for the probe: the
 * functions lnk_question(), which says whether a call is shown, and lnk_collect(), which
 * fills the numbers behind the event.
 */
#ifndef LNK_QUESTION_H
#define LNK_QUESTION_H

#include <stdbool.h>
#include <stdint.h>

#include "base/ranges.h"
#include "base/text.h"
#include "probes/event.h"

#define QUESTION_MAX_INTERFACES 64
#define QUESTION_MAX_CGROUPS 64
/* The raw tracepoint whose probe notes who uses a socket: no row comes of it. */
#define QUESTION_WITNESS "inet_sock_set_state"
/* Defined in front of the text where a probe of the user's has that place. */
#define QUESTION_NO_WITNESS "LNK_NO_WITNESS"

/* A number that is collected: a documented name, or an expression over them. */
struct asked_number {
	const char *expression;
	const char *where; /* what errors call it; NULL: it is a documented name */
};

struct question {
	struct prefixes addresses[SIDES];
	struct port_ranges ports[SIDES];
	int family; /* 4, 6; 0: both */
	uint8_t flags_on, flags_off;
	uint32_t len_min, len_max; /* TCP payload; max 0 with min 0: any */
	bool len_set;
	uint32_t interfaces[QUESTION_MAX_INTERFACES];
	int ninterfaces; /* 0: any */
	bool netns_set;
	uint32_t netns;                         /* inode number */
	uint64_t cgroups[QUESTION_MAX_CGROUPS]; /* inode numbers, each once */
	int ncgroups;                           /* 0: any */
	bool owner;        /* the host decides by who has the socket: it must have a file */
	bool owners;       /* ... or shows it: who uses one is noted */
	const char *pcap;  /* tcpdump expression, or NULL */
	const char *where; /* C expression, or NULL */
	struct asked_number numbers[LNK_MAX_EXTRA];
	int nnumbers;
	int first_number; /* the slot of the first one */
};

/* Is anything asked that lnk_question() has to answer? */
bool question_filters(const struct question *q);

/*
 * Adds the C text. Returns 0, with a remark in *note or none, or -EINVAL with one line in
 * *why: what is wrong with which expression, and where.
 */
int question_emit(const struct question *q, struct text *out, struct text *why, struct text *note);

#endif
