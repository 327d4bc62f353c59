/* SPDX-License-Identifier: MIT */
/* The console's commands: which one a line is, and what is said of a wrong one. */
#include "unit.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "app/console_command.h"
#include "base/spell.h"

static const struct console_command *command;
static const char *arg;
static struct text why;
static char typed[8192];

static int parse(const char *line)
{
	text_reset(&why);
	command = NULL;
	arg = NULL;
	snprintf(typed, sizeof(typed), "%s", line);
	return console_parse(typed, &command, &arg, &why);
}

static void accepts(const char *line, const char *name, const char *argument)
{
	CHECK_INT(parse(line), 0);
	CHECK_STR(command ? command->name : "none", name);
	CHECK_STR(arg ? arg : "none", argument);
	CHECK_STR(text_str(&why), "");
}

static void refuses(const char *line, const char *reason)
{
	CHECK_INT(parse(line), -EINVAL);
	CHECK_STR(text_str(&why), reason);
}

TEST(lines)
{
	accepts("pause", "pause", "");
	accepts("  pause \t\r", "pause", "");
	accepts("help", "help", "");
	accepts("help stats", "help", "stats");
	accepts("mark  two  words ", "mark", "two  words");
	accepts("columns +ttl,-time", "columns", "+ttl,-time");
	CHECK_INT(parse(""), 1);
	CHECK_INT(parse(" \t "), 1);
	CHECK_INT(parse("# pause"), 1);
	text_free(&why);
}

TEST(mistakes)
{
	refuses("paus", "no command is called 'paus'; did you mean 'pause'?");
	refuses("colums ttl", "no command is called 'colums'; did you mean 'columns'?");
	refuses("qiut", "no command is called 'qiut'; did you mean 'quit'?");
	refuses("PAUSE", "no command is called 'PAUSE'; 'help' lists them");
	refuses("xyz", "no command is called 'xyz'; 'help' lists them");
	refuses("\033[2J", "no command is called '\\x1b[2J'; 'help' lists them");
	refuses("pause now", "pause takes no argument: 'now'");
	refuses("mark", "mark: its argument TEXT is missing");
	accepts("columns  ", "columns", "");
	accepts("port", "port", "");
	accepts("where len > 0", "where", "len > 0");
	accepts("set dport 80, 443", "set", "dport 80, 443");
	text_free(&why);
}

/* However long: one short line. */
TEST(long_lines)
{
	char line[5000];

	memset(line, 'x', sizeof(line) - 1);
	line[sizeof(line) - 1] = '\0';
	CHECK_INT(parse(line), -EINVAL);
	CHECK(why.len < 150);
	memcpy(line, "quit ", 5);
	CHECK_INT(parse(line), -EINVAL);
	CHECK(why.len < 150);
	text_free(&why);
}

/* Names are unique, and every one of them is found and explained. */
TEST(table)
{
	struct text help = { 0 };

	console_help(NULL, 0, &help);
	for (int i = 0; i < console_commands; i++) {
		CHECK(console_find(console_table[i].name, strlen(console_table[i].name), &why) ==
		      &console_table[i]);
		CHECK(strstr(text_str(&help), console_table[i].name) != NULL);
		CHECK((console_table[i].takes == TAKES_NOTHING) == !console_table[i].arg);
	}
	for (const char *s = help.s, *end; s && *s; s = end + 1) {
		end = strchr(s, '\n');
		CHECK(end - s <= 80);
	}
	text_reset(&help);
	console_help(console_find("pause", 5, &why), 0, &help);
	CHECK(strstr(text_str(&help), "PAUSED") != NULL);
	text_free(&help);
	text_free(&why);
}

/* On a terminal no word is broken, none is left out, and phrases stay in their column. */
static void folds(const struct console_command *c, size_t width)
{
	struct text plain = { 0 }, folded = { 0 };
	const char *p, *f, *end;

	console_help(c, 0, &plain);
	console_help(c, width, &folded);
	for (f = folded.s; *f; f = end + 1) {
		end = strchr(f, '\n');
		CHECK((size_t)(end - f) <= width);
		CHECK(end > f && end[-1] != ' ');
	}
	for (p = plain.s, f = folded.s; *p; p += strspn(p, " \n"), f += strspn(f, " \n"))
		for (; *p && !strchr(" \n", *p); p++, f++)
			if (!CHECK(*p == *f))
				return;
	CHECK(!*f);
	text_free(&plain);
	text_free(&folded);
}

TEST(folding)
{
	struct text help = { 0 };
	size_t width;

	for (width = 48; width < 200; width += 4) {
		folds(NULL, width);
		for (int i = 0; i < console_commands; i++)
			folds(&console_table[i], width);
	}
	console_help(NULL, 60, &help);
	CHECK(strstr(help.s, "\n  interval [SEC [COUNT]]  with -s, another interval and\n"
			     "                          count; or show them\n") != NULL);
	text_reset(&help);
	console_help(NULL, 10, &help); /* too narrow for any column */
	CHECK(strstr(help.s, "\n  quit                    end, as Ctrl-D does\n") != NULL);
	text_free(&help);
}

TEST(spelling)
{
	CHECK_INT(spell_distance("pause", 5, "pause"), 0);
	CHECK_INT(spell_distance("pase", 4, "pause"), 1);
	CHECK_INT(spell_distance("pauze", 5, "pause"), 1);
	CHECK_INT(spell_distance("ppause", 6, "pause"), 1);
	CHECK_INT(spell_distance("", 0, "pause"), 5);
	CHECK(spell_distance("x", 1, "a name that is longer than any other name that there is") >
	      1000);
}
