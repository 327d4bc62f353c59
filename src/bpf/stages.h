/* SPDX-License-Identifier: MIT */
/*
 * Stages: points of the receive path, under the names that users know. The table here
 * maps each to the hooks that can serve it, best first; a probe function that the table
 * does not know is a stage of its own.
 */
#ifndef LNK_STAGES_H
#define LNK_STAGES_H

#include <stdbool.h>

#include "bpf/hooks.h"

/* Which packets a hook sees; a stage is covered when both families are. */
#define FAMILY_IPV4 1
#define FAMILY_IPV6 2
#define FAMILY_BOTH (FAMILY_IPV4 | FAMILY_IPV6)

struct stage_hook {
	int hook; /* index into struct hooks */
	int family;
	const char *shown; /* the name in the table */
	bool any_suffix;   /* the compiler's .constprop.N and .isra.N are the same place */
};

#define STAGE_MAX_HOOKS 8

struct stage {
	const char *name;
	bool own; /* a probe function that the table does not know */
	int n;
	struct stage_hook v[STAGE_MAX_HOOKS]; /* in order of preference */
};

struct stages {
	struct stage *v;
	int n;
};

/* May a hook of this kind be used? Bits are 1 << enum hook_kind. */
#define KIND_BIT(kind) (1u << (kind))

/*
 * Sorts the hooks of `kinds` into stages: the five of the table first, in the order of
 * the receive path, then the probe functions' own. Names point into hs.
 */
int stages_plan(struct stages *st, const struct hooks *hs, unsigned int kinds);
void stages_free(struct stages *st);

/*
 * Serves one stage: calls try() on its hooks in order, skips those whose packets are
 * covered already, and returns the families that are covered. try() returns 0 when the
 * hook is attached.
 */
int stage_serve(const struct stage *st, int (*try)(void *arg, const struct stage_hook *sh),
		void *arg);

#endif
