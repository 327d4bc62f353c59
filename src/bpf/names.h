/* SPDX-License-Identifier: MIT */
/*
 * The names that --where and --col know, and that columns are collected by: what each is
 * in the probe's C, and what must be known at a hook for it to have a value.
 */
#ifndef LNK_NAMES_H
#define LNK_NAMES_H

#include <stddef.h>

/* Bits of struct lnk_call.knows, as probes/packet.h has them. */
#define KNOWS_SKB 1U
#define KNOWS_SOCK 2U
#define KNOWS_PACKET 4U
#define KNOWS_IPV4 8U
#define KNOWS_IPV6 16U

struct probe_name {
	const char *name;
	const char *c;      /* an expression over call and event */
	unsigned int needs; /* without all of these it is not known */
	int pointer;        /* to a kernel structure */
	const char *help;
};

extern const struct probe_name probe_names[];
extern const size_t probe_name_count;

/* NULL: there is none. */
const struct probe_name *probe_name_find(const char *name);

#endif
