/* SPDX-License-Identifier: MIT */
#include "app/console_command.h"

#include <errno.h>
#include <stdint.h>
#include <string.h>

#include "base/spell.h"
#include "conf/changes.h"

#define BLANKS " \t\r"
#define MAX_SHOWN 60  /* bytes of a line that a message repeats */
#define LEAST_ROOM 16 /* columns for a phrase; where there are fewer it is not folded */

static void add_quoted(struct text *why, const char *s, size_t len)
{
	text_puts(why, "'");
	text_add_escaped(why, s, len < MAX_SHOWN ? len : MAX_SHOWN, false);
	text_puts(why, len < MAX_SHOWN ? "'" : "...'");
}

static const struct console_command *nearest(const char *name, size_t len)
{
	const struct console_command *best = NULL;
	size_t least = spell_limit(len) + 1, d;

	for (int i = 0; i < console_commands; i++) {
		d = spell_distance(name, len, console_table[i].name);
		if (d < least) {
			least = d;
			best = &console_table[i];
		}
	}
	return best;
}

const struct console_command *console_find(const char *name, size_t len, struct text *why)
{
	const struct console_command *near;

	for (int i = 0; i < console_commands; i++)
		if (strlen(console_table[i].name) == len &&
		    !memcmp(console_table[i].name, name, len))
			return &console_table[i];
	near = nearest(name, len);
	text_puts(why, "no command is called ");
	add_quoted(why, name, len);
	if (near)
		text_printf(why, "; did you mean '%s'?", near->name);
	else
		text_puts(why, "; 'help' lists them");
	return NULL;
}

static void cut_blanks(char *s)
{
	size_t len = strlen(s);

	while (len && strchr(BLANKS, s[len - 1]))
		s[--len] = '\0';
}

int console_parse(char *line, const struct console_command **command, const char **arg,
		  struct text *why)
{
	char *word = line + strspn(line, BLANKS), *rest;
	size_t len = strcspn(word, BLANKS);

	if (!len || *word == '#')
		return 1;
	*command = console_find(word, len, why);
	if (!*command)
		return -EINVAL;
	rest = word + len + strspn(word + len, BLANKS);
	cut_blanks(rest);
	*arg = rest;
	if (*rest && (*command)->takes == TAKES_NOTHING) {
		text_printf(why, "%s takes no argument: ", (*command)->name);
		add_quoted(why, rest, strlen(rest));
		return -EINVAL;
	}
	if (!*rest && (*command)->takes == TAKES_TEXT) {
		text_printf(why, "%s: its argument %s is missing", (*command)->name,
			    (*command)->arg);
		return -EINVAL;
	}
	return 0;
}

static void add_usage(const struct console_command *c, struct text *out)
{
	text_printf(out, "%s%s%s", c->name, c->arg ? " " : "", c->arg ? c->arg : "");
}

static void help_all(struct text *out)
{
	for (int i = 0; i < console_commands; i++) {
		text_puts(out, "  ");
		add_usage(&console_table[i], out);
		text_printf(out, "\t%s\n", console_table[i].help);
	}
}

static void help_one(const struct console_command *command, struct text *out)
{
	add_usage(command, out);
	text_printf(out, ": %s\n", command->help);
	if (command->more)
		text_printf(out, "%s\n", command->more);
	if (command->takes != TAKES_SETTING)
		return;
	changes_help(out);
	text_puts(out, "'any' or 'default' in place of a value: as if the option were not given; "
		       "'+VALUE' adds to a list\n");
}

/* Of what stands before a tab. */
static size_t widest(const char *s)
{
	size_t len, most = 0;

	for (; *s; s += len + (s[len] != '\0')) {
		len = strcspn(s, "\t\n");
		if (s[len] == '\t' && len > most)
			most = len;
		len += strcspn(s + len, "\n");
	}
	return most;
}

/* In lines that end at a blank, and begin at `indent` but for the first, which is there. */
static void add_folded(const char *s, size_t len, size_t indent, size_t width, struct text *out)
{
	size_t room = width > indent + LEAST_ROOM ? width - indent : SIZE_MAX, n;

	while (len) {
		n = len;
		while (n > room || (n < len && n && s[n] != ' '))
			n--;
		if (!n) /* one word */
			n = len < room ? len : room;
		text_add(out, s, n);
		n += strspn(s + n, " ");
		s += n;
		len -= n;
		if (len)
			text_printf(out, "\n%*s", (int)indent, "");
	}
}

/* Phrases, each behind its tab, in one column. */
static void lay_out(const char *s, size_t width, struct text *out)
{
	size_t column = widest(s) + 2, len, indent;

	for (; *s; s += len + 1) {
		len = strcspn(s, "\t\n");
		indent = 0;
		if (s[len] == '\t') {
			text_printf(out, "%-*.*s", (int)column, (int)len, s);
			s += len + 1;
			len = strcspn(s, "\n");
			indent = column;
		}
		add_folded(s, len, indent, width, out);
		text_puts(out, "\n");
	}
}

void console_help(const struct console_command *command, size_t width, struct text *out)
{
	struct text plain = { 0 };

	if (command)
		help_one(command, &plain);
	else
		help_all(&plain);
	lay_out(text_str(&plain), width, out);
	text_free(&plain);
}
