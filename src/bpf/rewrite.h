/* SPDX-License-Identifier: MIT */
/* The constants of probes/config.h: the only thing in a probe that the host changes. */
#ifndef LNK_REWRITE_H
#define LNK_REWRITE_H

#include <stdint.h>

#include "bpf/source.h"

/*
 * Replaces the number on the one line "#define NAME number" of all parts. The value is
 * written so that it fits both int and u32 comparisons. Returns 0, or -EINVAL with *why
 * when there is not exactly one such line.
 */
int rewrite_constant(struct source *src, const char *name, uint64_t value, struct text *why);

#endif
