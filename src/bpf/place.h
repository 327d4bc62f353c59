/* SPDX-License-Identifier: MIT */
/* What the kernel tells of a place where a hook could go, before anything is attached. */
#ifndef LNK_PLACE_H
#define LNK_PLACE_H

#include <stdbool.h>

#include "bpf/hooks.h"

/* For what cannot be told: BTF is not there, debugfs is not mounted. */
enum answer {
	ANSWER_NO,
	ANSWER_YES,
	ANSWER_UNKNOWN
};

struct place {
	enum answer in_kallsyms;        /* functions: under its own name */
	enum answer in_btf;             /* functions and raw tracepoints */
	enum answer in_tracefs;         /* tracepoints of both kinds */
	enum answer blacklisted;        /* functions: no kprobe may go there */
	char suffixed[HOOK_TARGET_MAX]; /* the only name it has, as "f.constprop.0", or "" */
};

/* Opens what is read for every place; needs root to see all of it. */
struct places;
int places_open(struct places **out);
void places_close(struct places *p);

void place_look(struct places *p, const struct hook *h, struct place *out);

#endif
