/* SPDX-License-Identifier: MIT */
#include "app/console.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "app/console_command.h"
#include "app/console_history.h"
#include "app/console_line.h"
#include "app/console_offer.h"
#include "base/io.h"
#include "base/log.h"

#define LINE_MAX_BYTES 4096

struct console {
	struct console_host *host;
	bool terminal;   /* there is a prompt */
	bool among_rows; /* answers go where the rows go: to one terminal, in their order */
	bool ended;      /* nothing more is read */
	bool failed;
	int history;       /* -1: not kept */
	struct text last;  /* the line that was kept last */
	struct text input; /* of a script: what is not yet a line */
	bool skipping;     /* the rest of a line that is too long */
	bool ahead;        /* the last line of a script is not waited for */
};

/* --- a command ---------------------------------------------------------------------- */

static void say(struct console *c, const char *prefix, struct text *t)
{
	if (!t->len)
		return;
	if (t->s[t->len - 1] == '\n')
		t->s[--t->len] = '\0';
	if (c->among_rows)
		text_printf(&c->host->out->buf, "%s%s\n", prefix, t->s);
	else
		log_info("%s%s", prefix, t->s);
}

static void refuse(struct console *c, struct text *why)
{
	c->failed = true;
	say(c, PROGRAM_NAME ": ", why);
}

/* Returns whether it was a command, good or bad. */
static bool run_line(struct console *c, char *line)
{
	const struct console_command *command;
	struct text answer = { 0 }, why = { 0 };
	const char *arg;
	int err;

	err = console_parse(line, &command, &arg, &why);
	if (!err)
		err = command->run(&(struct console_call){ c->host, command->name, arg,
							   c->terminal ? console_line_width() : 0,
							   &answer, &why });
	if (err < 0)
		refuse(c, &why);
	else
		say(c, "", &answer);
	text_free(&answer);
	text_free(&why);
	return err <= 0;
}

/* --- at a terminal ------------------------------------------------------------------ */

static void keep(struct console *c, const char *line)
{
	struct text t = { 0 };

	if (!strcmp(text_str(&c->last), line))
		return;
	console_line_remember(line);
	text_reset(&c->last);
	text_puts(&c->last, line);
	if (c->history < 0)
		return;
	text_printf(&t, "%s\n", line);
	if (!t.cut && write_all(c->history, t.s, t.len)) {
		close(c->history);
		c->history = -1;
	}
	text_free(&t);
}

static bool on_line(void *arg, char *line)
{
	struct console *c = arg;

	if (!line) {
		c->ended = c->host->quit = true;
		return false;
	}
	if (line[strspn(line, " \t")])
		keep(c, line);
	run_line(c, line);
	return !c->host->quit;
}

static const char *offer(void *arg, const char *before, int n, bool *more)
{
	const struct console *c = arg;

	return console_offer(c->host, before, n, more);
}

static void open_history(struct console *c)
{
	struct text lines = { 0 }, where = { 0 };
	char *at, *newline;

	c->history = console_history_open(&lines, &where);
	if (c->history < 0)
		log_verbose("lines that are typed are not kept in %s: %s", text_str(&where),
			    strerror(-c->history));
	for (at = lines.s; at && *at && c->history >= 0; at = newline + 1) {
		newline = strchr(at, '\n');
		if (!newline)
			break;
		*newline = '\0';
		if (*at)
			console_line_remember(at);
	}
	text_free(&lines);
	text_free(&where);
}

/* --- a script ------------------------------------------------------------------------ */

/* As in a shell, what ends in " &" is not waited for. */
static bool cut_ampersand(char *line, size_t *len)
{
	size_t end = *len;

	while (end && (line[end - 1] == ' ' || line[end - 1] == '\t'))
		end--;
	if (end < 2 || line[end - 1] != '&' || (line[end - 2] != ' ' && line[end - 2] != '\t'))
		return false;
	*len = end - 1;
	line[*len] = '\0';
	return true;
}

static void take_script_line(struct console *c, char *line, size_t len)
{
	struct text why = { 0 };

	c->ahead = cut_ampersand(line, &len);
	if (!c->skipping && len <= LINE_MAX_BYTES && !memchr(line, '\0', len)) {
		run_line(c, line);
	} else if (!c->skipping) {
		text_puts(&why, len > LINE_MAX_BYTES ? "a line is longer than 4096 bytes"
						     : "a line holds a zero byte");
		refuse(c, &why);
	}
	c->skipping = false;
	text_free(&why);
}

/* A script goes on when what it asked for is in place, or has failed. */
static bool waits(const struct console *c)
{
	return !c->terminal && !c->ahead && c->host->is_changing(c->host->loop);
}

static void take_lines(struct console *c)
{
	size_t done = 0;
	char *newline;

	while (c->input.len > done && !c->host->quit && !waits(c) &&
	       (newline = memchr(c->input.s + done, '\n', c->input.len - done))) {
		*newline = '\0';
		take_script_line(c, c->input.s + done, (size_t)(newline - c->input.s) - done);
		done = (size_t)(newline - c->input.s) + 1;
	}
	memmove(c->input.s, c->input.s + done, c->input.len - done + 1);
	c->input.len -= done;
	if (c->input.len <= LINE_MAX_BYTES || c->host->quit || waits(c))
		return;
	if (!c->skipping)
		take_script_line(c, c->input.s, c->input.len);
	c->skipping = true;
	text_reset(&c->input);
}

static void read_script(struct console *c)
{
	char buf[4096];
	ssize_t n = read(STDIN_FILENO, buf, sizeof(buf));
	struct text why = { 0 };
	int err = n < 0 ? -errno : 0;

	if (err == -EINTR || err == -EAGAIN)
		return;
	if (n > 0) {
		text_add(&c->input, buf, (size_t)n);
		take_lines(c);
		return;
	}
	if (c->input.len)
		take_script_line(c, c->input.s, c->input.len);
	if (err) {
		text_printf(&why, "no more commands can be read: %s", strerror(-err));
		refuse(c, &why);
		text_free(&why);
	}
	c->ended = c->host->quit = true;
}

/* --- for the loop --------------------------------------------------------------------- */

int console_open(struct console **out, struct console_host *host)
{
	struct console *c = calloc(1, sizeof(*c));
	int err = 0;

	if (!c)
		return -ENOMEM;
	*out = c;
	c->host = host;
	c->history = -1;
	c->among_rows = isatty(STDIN_FILENO) && host->out->tty;
	c->terminal = isatty(STDIN_FILENO) && (host->out->tty || isatty(STDERR_FILENO));
	if (!c->terminal)
		return 0;
	err = console_line_open(c->among_rows ? STDOUT_FILENO : STDERR_FILENO, on_line, offer, c);
	if (err)
		log_error("the terminal cannot be used: %s", strerror(-err));
	else
		open_history(c);
	return err;
}

void console_start(struct console *c)
{
	if (c && c->terminal)
		console_line_start();
}

void console_close(struct console *c)
{
	if (!c)
		return;
	if (c->terminal)
		console_line_close();
	if (c->history >= 0)
		close(c->history);
	text_free(&c->last);
	text_free(&c->input);
	free(c);
}

int console_fd(const struct console *c)
{
	return c && !c->ended && !waits(c) ? STDIN_FILENO : -1;
}

bool console_is_due(const struct console *c)
{
	return c && !c->terminal && !c->ended && !c->host->quit && c->input.len &&
	       memchr(c->input.s, '\n', c->input.len) && !waits(c);
}

void console_read(struct console *c, bool behind)
{
	if (!c || c->ended || c->host->quit)
		return;
	if (c->terminal)
		console_line_read(behind);
	else if (console_is_due(c))
		take_lines(c);
	else
		read_script(c);
}

bool console_interrupt(struct console *c)
{
	return c && c->terminal && console_line_interrupt();
}

void console_hide(struct console *c)
{
	if (c && c->terminal)
		console_line_hide();
}

void console_show(struct console *c)
{
	if (c && c->terminal)
		console_line_show();
}

void console_fail(struct console *c)
{
	if (c)
		c->failed = true;
}

bool console_failed(const struct console *c)
{
	return c && !c->terminal && c->failed;
}
