/* SPDX-License-Identifier: MIT */
/* The option table, and the reading and writing of one value by it: for options.c (which
 * parses), options_doc.c (which documents) and changes.c (which changes). Nobody else
 * includes this. */
#ifndef LNK_OPTION_TABLE_H
#define LNK_OPTION_TABLE_H

#include <stddef.h>
#include <stdint.h>

#include "base/text.h"
#include "conf/config.h"

#define OPTION_MAX 64

/* How an argument is read, and the type of the field in struct config it fills. */
enum option_type {
	OPT_FLAG,         /* bool; takes no argument */
	OPT_PREFIXES,     /* struct prefixes; may be repeated */
	OPT_PORTS,        /* struct port_ranges; may be repeated */
	OPT_PIDS,         /* struct pids, min to max; may be repeated */
	OPT_COMMS,        /* struct strings: names of processes; may be repeated */
	OPT_TCP_FLAGS,    /* struct tcp_flags */
	OPT_LENGTHS,      /* struct lengths */
	OPT_NUMBER,       /* uint64_t, min to max */
	OPT_POWER_OF_TWO, /* unsigned int, min to max */
	OPT_SECONDS,      /* uint64_t in nanoseconds, min to max */
	OPT_WORD,         /* enum: the place of the word in `words` */
	OPT_WORD_OR_DIR,  /* const char *: one of `words`, or a path */
	OPT_DIR,          /* const char *: a directory that exists */
	OPT_TEXT,         /* const char *: anything; who uses it looks at it */
	OPT_LIST,         /* struct strings: may be repeated, each adds one */
	OPT_POSITIONALS,  /* the fields of positional_table[], with blanks between */
};

enum option_group {
	GROUP_FILTER,
	GROUP_OUTPUT,
	GROUP_END,
	GROUP_COLLECT,
	GROUP_INSTEAD,
	GROUP_NR
};

/* Whether the option may be given anew while the monitor runs, and who must know. */
enum option_live {
	LIVE_NOT,
	LIVE_HERE,    /* only how rows look, or when to end: at once */
	LIVE_BLOCKS,  /* when a block of -s comes: at once, and counted from then on */
	LIVE_COLUMNS, /* at once where the numbers are collected */
	LIVE_PROGRAM, /* what the probes do: another program */
};

struct option_def {
	const char *name; /* long name; of a positional, its name in messages */
	char letter;      /* 0: none */
	enum option_type type;
	enum option_group group;
	enum option_live live;
	size_t field; /* offset in struct config */
	uint64_t min, max;
	const char *arg;          /* what its argument is called in the documentation */
	const char *def;          /* default, as the user would write it; NULL: none */
	const char *const *words; /* NULL-terminated */
	const char *help;         /* a phrase for --help */
	const char *man;          /* sentences for the man page, plain text */
};

extern const char *const option_group_name[GROUP_NR];
extern const struct option_def option_table[];
extern const size_t option_count;

/* What may follow -s, in this order. */
extern const struct option_def positional_table[];
extern const size_t positional_count;

/* Both at once, as -C gives them anew: no option of the command line. */
extern const struct option_def interval_option;

/*
 * Sets the field of *c from the argument `s`. Strings are kept, not copied. Returns 0;
 * -EINVAL, -ERANGE or -ENOTDIR when `s` is not what option_wanted() says; for a
 * directory also what stat(2) says; -E2BIG for one more than a list holds.
 */
int option_set(struct config *c, const struct option_def *o, const char *s);

/* The field as if the option had not been given. */
void option_reset(struct config *c, const struct option_def *o);

/* Adds the field as its user would write it; nothing where it is not set. */
void option_format(const struct config *c, const struct option_def *o, struct text *out);

/* The option of this long name, or NULL. */
const struct option_def *option_find(const char *name, size_t len);

/* Sets the field; `typed` is what a message calls the option. -EINVAL: with one line in *why. */
int option_take(struct config *c, const struct option_def *o, const char *typed, const char *s,
		struct text *why);

/* Adds what would have been right, to follow "'x' is not ". */
void option_wanted(struct text *why, const struct option_def *o);

#endif
