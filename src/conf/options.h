/* SPDX-License-Identifier: MIT */
/*
 * The command line. One table (options.c) gives the parser, --help, the man page's
 * OPTIONS section and the shell completion; nothing about an option is written twice.
 */
#ifndef LNK_OPTIONS_H
#define LNK_OPTIONS_H

#include "base/text.h"
#include "conf/config.h"

/*
 * Fills *c (defaults first). Strings in *c point into argv. Returns 0, or -EINVAL with
 * one line in *why that names the option and the value, what was wrong and what would
 * be right. Looks at nothing outside argv, but that --probe-dir is a directory. Where --help or
 * --version is among it, no mistake counts, and the rest of *c is not to be used.
 */
int options_parse(struct config *c, int argc, char **argv, struct text *why);

/* What goes with what: 0, or -EINVAL with one line in *why. */
int options_check(const struct config *c, struct text *why);

/* What options_parse() allocated; also after it failed. */
void options_free(struct config *c);

void options_help(struct text *out);       /* what --help prints */
void options_man(struct text *out);        /* the OPTIONS section, mdoc/man macros */
void options_completion(struct text *out); /* for bash */

#endif
