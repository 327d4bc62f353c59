/* SPDX-License-Identifier: MIT */
/* The commands of the console: one table, and what can be told from it. */
#ifndef LNK_CONSOLE_COMMAND_H
#define LNK_CONSOLE_COMMAND_H

#include <stddef.h>

#include "base/text.h"

struct console_host;

enum console_takes {
	TAKES_NOTHING,
	TAKES_COMMAND, /* a command's name, or nothing */
	TAKES_STAGE,   /* a stage's name, or nothing */
	TAKES_TEXT,
	TAKES_VALUE,   /* of the option that is called like the command, or nothing */
	TAKES_SETTING, /* an option's name and a value, or nothing */
};

/* One command as it was typed. */
struct console_call {
	struct console_host *host;
	const char *name;
	const char *arg; /* "" where none was given */
	size_t width;    /* of the terminal; 0: there is none */
	struct text *out, *why;
};

/* Does it. Adds the answer to *out, a line or more, and returns 0; or -EINVAL with one line in
 * *why. */
typedef int (*console_run)(const struct console_call *c);

struct console_command {
	const char *name;
	enum console_takes takes;
	const char *arg;  /* what its argument is called; NULL: it takes none */
	const char *help; /* a phrase */
	const char *more; /* what else `help COMMAND` says; NULL: nothing */
	console_run run;
};

extern const struct console_command console_table[];
extern const int console_commands;

/*
 * Splits a line into its command and the argument, which is cut out of it without the
 * blanks around it. Returns 0; 1 for a line without a command (blank, or a comment);
 * -EINVAL with one line in *why.
 */
int console_parse(char *line, const struct console_command **command, const char **arg,
		  struct text *why);

/* The command of this name, or NULL with one line in *why that names the nearest. */
const struct console_command *console_find(const char *name, size_t len, struct text *why);

/* A line for each command; or all about one. In lines of `width` columns, 0: of any length. */
void console_help(const struct console_command *command, size_t width, struct text *out);

#endif
