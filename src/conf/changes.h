/* SPDX-License-Identifier: MIT */
/*
 * Options that are given anew while the monitor runs, by the option table: what changed since
 * the start, in words, so that two processes that started from the same command line come to
 * the same configuration.
 */
#ifndef LNK_CHANGES_H
#define LNK_CHANGES_H

#include <stdbool.h>
#include <stdint.h>

#include "base/text.h"
#include "conf/config.h"

#define CHANGES_MAX 12288

/* Strings one after the other, each with its zero byte: "NAME" takes back what the option
 * was, "NAME=VALUE" gives it. */
struct changes {
	uint32_t len;
	char text[CHANGES_MAX];
};

/* Who must know of it. */
enum change_kind {
	CHANGE_LOOKS,   /* how rows look, or when to end */
	CHANGE_BLOCKS,  /* when blocks of -s come */
	CHANGE_COLUMNS, /* which numbers are needed */
	CHANGE_PROGRAM, /* what the probes do */
};

/*
 * Gives an option anew. For lists "+VALUE" adds one; "any" and "default" take the option back
 * to where it was not given; options without an argument take "on" and "off". Returns 0, or
 * -EINVAL with one line in *why. The value is not looked at: changes_apply() does that.
 */
int changes_set(struct changes *c, const char *name, const char *value, enum change_kind *kind,
		struct text *why);

/* Whether it can be read at all. */
bool changes_ok(const struct changes *c);

/* *conf: what the command line said, and then with the changes; strings point into *c.
 * Returns 0, or -EINVAL with one line in *why. */
int changes_apply(const struct changes *c, struct config *conf, struct text *why);

/* Adds "port 80, where len > 0": what is not the same in `now`. */
void changes_describe(const struct config *before, const struct config *now, struct text *out);

/* Adds "NAME: VALUE". Returns 0, or -EINVAL with one line in *why where no option that may be
 * changed has that name. */
int changes_show(const struct config *conf, const char *name, struct text *out, struct text *why);

/* The n-th option that may be changed: its name, and its values where they are words; NULL
 * where there are no more. */
const char *changes_option(int n);
const char *const *changes_words(const char *name);
/* A line for each, with what it is behind a tab. */
void changes_help(struct text *out);

#endif
