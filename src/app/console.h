/* SPDX-License-Identifier: MIT */
/*
 * -C: commands while the monitor runs. At a terminal there is a prompt under the rows
 * (console_line.c), elsewhere commands come line by line. What they do is in
 * console_actions.c, what they are called and take in its table.
 *
 * Every function takes NULL for a monitor without a console.
 */
#ifndef LNK_CONSOLE_H
#define LNK_CONSOLE_H

#include <stdbool.h>
#include <stdint.h>

#include "app/session.h"
#include "app/view.h"
#include "base/out.h"
#include "sink/table.h"

struct seen;

/* What the commands look at and change: the loop's. */
struct console_host {
	struct session *session;
	struct view *view;
	struct out *out;     /* the row stream */
	struct seen *seen;   /* in rows, lately */
	uint64_t blocks;     /* of -s, since their interval was given */
	bool paused;         /* rows are counted and not shown */
	uint64_t paused_was; /* how many were not shown before this pause */
	bool new_table;      /* its header is still to be printed */
	bool quit;
	int (*read_books)(void *loop); /* brings the session's account up to date */
	/* an option, as changes_set() takes it; the program once more; what is being made of
	 * either. What is done at once is told in *out, or an error in *why */
	int (*change)(void *loop, const char *option, const char *value, struct text *out,
		      struct text *why);
	int (*reload)(void *loop, struct text *out, struct text *why);
	bool (*is_asked)(void *loop, struct text *what);
	/* the same; or the old program has rows on their way, or a file is being opened */
	bool (*is_changing)(void *loop);
	/* a file for rows, or "off" */
	int (*tee)(void *loop, const char *path, struct text *out, struct text *why);
	void (*describe_tee)(void *loop, struct text *out);     /* nothing where there is none */
	void (*mark)(void *loop, const char *line, size_t len); /* among the rows */
	void *loop;
};

struct console;

/* Opens what it needs: before confine(). The prompt appears with console_start(). */
int console_open(struct console **out, struct console_host *host);
void console_start(struct console *c);
void console_close(struct console *c);

/* What is to be polled for input; -1: nothing for now, or any more. */
int console_fd(const struct console *c);

/* True when a line of a script that was read before is to be run: console_read() does it. */
bool console_is_due(const struct console *c);

/* Takes what was typed and runs the commands. `behind`: the terminal is not ready for
 * more, so nothing is drawn. */
void console_read(struct console *c, bool behind);

/* Ctrl-C at the prompt. Returns whether it was for the line only. */
bool console_interrupt(struct console *c);

/* Takes the prompt away, before anything else is written, and draws it again. */
void console_hide(struct console *c);
void console_show(struct console *c);

/* What a command has asked for came to nothing. */
void console_fail(struct console *c);

/* Whether a command of a script failed. */
bool console_failed(const struct console *c);

#endif
