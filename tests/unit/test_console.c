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

	console_help(NULL, &help);
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
	console_help(console_find("pause", 5, &why), &help);
	CHECK(strstr(text_str(&help), "PAUSED") != NULL);
	text_free(&help);
	text_free(&why);
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
