/* SPDX-License-Identifier: MIT */
/*
 * Which kinds of hook are compiled into the program, and the constants that say so.
 *
 * A compile takes as long as there are probe functions, so the first try takes just the
 * kinds that this kernel should be served best by; what --attach allows beyond that is
 * compiled in only when a stage was left without a hook.
 */
#ifndef LNK_CHOICE_H
#define LNK_CHOICE_H

#include <stdbool.h>

#include "app/ask.h"
#include "bpf/source.h"
#include "conf/config.h"

struct choice {
	bool fentry;
	bool kprobe;
	bool tracepoint;
	bool substitutes; /* tracepoints that stand in for functions that have no hook */
	bool direct;      /* fields read without helper calls, raw tracepoints typed */
	bool casts;       /* anything read without helper calls */
	bool pages;       /* headers read in pages */
};

/* Bits 1 << enum hook_kind of what --attach allows. */
unsigned int choice_kinds(enum attach_mode mode);

struct choice choice_all(enum attach_mode mode);
struct choice choice_best(enum attach_mode mode);

/* True when `all` has something that this kernel could take and `c` has not. `none`: it took
 * no program of `c`, which may be for how they read. */
bool choice_can_widen(const struct choice *c, const struct choice *all, bool none);

/* Why hooks of this kind are not compiled in: what the kernel lacks, or NULL. */
const char *choice_refusal(enum hook_kind kind);

/* Writes the choice, the filter and the modes into the probes' constants. */
int choice_rewrite(struct source *src, const struct choice *c, const struct config *conf,
		   const struct ask *ask, struct text *why);

#endif
