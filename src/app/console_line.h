/* SPDX-License-Identifier: MIT */
/*
 * A line of input under output that scrolls: GNU readline by callbacks. There is one
 * terminal and one readline, so there is one of these.
 */
#ifndef LNK_CONSOLE_LINE_H
#define LNK_CONSOLE_LINE_H

#include <stdbool.h>
#include <stddef.h>

/* `done` gets every line, which it may change and keep until it returns; NULL at the end
 * of the input. Returns whether the prompt may come back. */
typedef bool (*line_done)(void *arg, char *line);

/* What Tab offers: the n-th candidate, or NULL. `before` is the line up to the word that is to
 * be completed; *more is set where another word follows. */
typedef const char *(*line_offer)(void *arg, const char *before, int n, bool *more);

/*
 * Takes the terminal: input from stdin, the prompt on `fd`. Reads what readline wants to
 * know of files, so to be called before confine(). Returns 0 or -errno.
 */
int console_line_open(int fd, line_done done, line_offer offer, void *arg);
void console_line_close(void);
void console_line_remember(const char *line); /* for the arrow keys */

size_t console_line_width(void); /* 0: not known */
void console_line_start(void);
void console_line_hide(void);
void console_line_show(void);
/* Takes the keys that were typed. `behind`: draws nothing. */
void console_line_read(bool behind);
/* Clears the line, with what is typed and not read. Returns false where that was done just before, and nothing typed since. */
bool console_line_interrupt(void);

#endif
