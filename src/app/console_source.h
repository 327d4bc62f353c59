/* SPDX-License-Identifier: MIT */
#ifndef LNK_CONSOLE_SOURCE_H
#define LNK_CONSOLE_SOURCE_H

#include "app/session.h"

/* Adds the source as it was compiled: all of it (""), or the files with a stage's probes.
 * Returns 0, or -EINVAL with one line in *why. */
int console_source(const struct session *s, const char *stage, struct text *out, struct text *why);

#endif
