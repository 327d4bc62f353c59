/* SPDX-License-Identifier: MIT */
/* Finds the one line that matters in what clang, libbcc and the verifier print. */
#ifndef LNK_DIAGNOSE_H
#define LNK_DIAGNOSE_H

#include <stdbool.h>

#include "base/text.h"
#include "bpf/hooks.h"

/* Adds the first error, "probes/FILE.c:LINE:COLUMN: error: message" where clang names one, and
 * "--where:COLUMN: message" where it is about an expression. Returns false, and adds nothing, when
 * the log has none. */
bool diagnose_compile(const char *log, struct text *out);

/* Adds the two lines that clang prints under that error, the source line and the caret,
 * each behind a newline. Adds nothing where it printed none, or where they are not
 * the user's but made of an expression. */
void diagnose_excerpt(const char *log, struct text *out);

/* Adds why the kernel did not load a program (`error` is an errno), and at which line of the
 * source where the log tells. Returns true when
 * its verifier looked at the program and refused it. */
bool diagnose_load(const char *log, int error, enum hook_kind kind, struct text *out);

#endif
