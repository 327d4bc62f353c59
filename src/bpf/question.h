/* SPDX-License-Identifier: MIT */
/*
 * What is asked of each packet beyond one address and one port, as C for the probe: the
 * functions lnk_question(), which says whether a call is shown, and lnk_collect(), which
 * fills the numbers behind the event.
 */
#ifndef LNK_QUESTION_H
#define LNK_QUESTION_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/text.h"
#include "probes/event.h"

#define QUESTION_MAX_PREFIXES 256
#define QUESTION_MAX_PORTS 1024
#define QUESTION_MAX_INTERFACES 64

/* Which end of a packet is meant. */
enum side {
	SIDE_ANY,
	SIDE_SOURCE,
	SIDE_DESTINATION,
	SIDES
};

struct prefix {
	struct in6_addr address; /* IPv4 as ::ffff:a.b.c.d; bits beyond the length are 0 */
	unsigned int length;     /* 0 to 128: of an IPv4 prefix 96 more */
};

struct prefixes {
	struct prefix v[QUESTION_MAX_PREFIXES];
	int n;
};

struct port_range {
	uint16_t from, to; /* host byte order, both included */
};

struct port_ranges {
	struct port_range v[QUESTION_MAX_PORTS];
	int n;
};

/* A number that is collected: a documented name, or an expression over them. */
struct asked_number {
	const char *expression;
	const char *where; /* what errors call it: "--col NAME" */
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
	uint32_t netns;   /* inode number */
	const char *pcap;  /* tcpdump expression, or NULL */
	const char *where; /* C expression, or NULL */
	struct asked_number numbers[LNK_MAX_EXTRA];
	int nnumbers;
	int first_number; /* the slot of the first one */
};

/* Is anything asked that lnk_question() has to answer? */
bool question_filters(const struct question *q);

/*
 * Adds the C text. Returns 0, or -EINVAL with one line in *why: what is wrong with which
 * expression, and where.
 */
int question_emit(const struct question *q, struct text *out, struct text *why);

#endif
