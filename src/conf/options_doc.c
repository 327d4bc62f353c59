/* SPDX-License-Identifier: MIT */
/* What the option table says of itself: --help, the man page's part, bash completion. */
#include "conf/options.h"

#include <ctype.h>
#include <string.h>

#include "base/log.h"
#include "conf/option_table.h"

#define HELP_WIDTH 80
#define HELP_INDENT 26 /* where the phrases of --help begin */

/* The words of an option as "auto, btf or DIR". */
static void add_choices(struct text *out, const struct option_def *o)
{
	bool dir = o->type == OPT_WORD_OR_DIR;

	for (size_t i = 0; o->words[i]; i++)
		text_printf(out, "%s%s",
			    !i                         ? ""
			    : !dir && !o->words[i + 1] ? " or "
						       : ", ",
			    o->words[i]);
	if (dir)
		text_puts(out, " or a directory");
}

/* Adds the phrase in lines that begin at HELP_INDENT; `column` is where out stands. */
static void add_wrapped(struct text *out, size_t column, const char *phrase)
{
	size_t len;

	text_printf(out, "%*s", column < HELP_INDENT ? (int)(HELP_INDENT - column) : 0, "");
	if (column > HELP_INDENT)
		text_printf(out, "\n%*s", HELP_INDENT, "");
	column = HELP_INDENT;
	while (*phrase) {
		len = strcspn(phrase, " ");
		if (column > HELP_INDENT && column + 1 + len > HELP_WIDTH) {
			text_printf(out, "\n%*s", HELP_INDENT, "");
			column = HELP_INDENT;
		}
		if (column > HELP_INDENT) {
			text_puts(out, " ");
			column++;
		}
		text_add(out, phrase, len);
		column += len;
		phrase += len + strspn(phrase + len, " ");
	}
	text_puts(out, "\n");
}

static void help_option(struct text *out, const struct option_def *o)
{
	struct text phrase = { 0 };
	size_t start = out->len, column;

	if (o->letter)
		text_printf(out, "  -%c, --%s", o->letter, o->name);
	else
		text_printf(out, "      --%s", o->name);
	if (o->arg)
		text_printf(out, " %s", o->arg);
	column = out->len - start + 2;
	text_puts(out, column <= HELP_INDENT ? "  " : "");

	text_puts(&phrase, o->help);
	if (o->words) {
		text_puts(&phrase, " ");
		add_choices(&phrase, o);
	}
	if (o->def)
		text_printf(&phrase, " (default %s)", o->def);
	add_wrapped(out, column, text_str(&phrase));
	text_free(&phrase);
}

void options_help(struct text *out)
{
	text_puts(out, "Usage: " PROGRAM_NAME " [options] [-s [interval [count]]] [expression]\n"
		       "Shows every TCP packet on its way up the kernel's receive path, one row "
		       "for each\nkernel function it passes.\n");
	for (int g = 0; g < GROUP_NR; g++) {
		text_printf(out, "\n%s:\n", option_group_name[g]);
		for (size_t i = 0; i < option_count; i++)
			if (option_table[i].group == (enum option_group)g)
				help_option(out, &option_table[i]);
	}
	text_puts(out,
		  "\nExamples:\n"
		  "  " PROGRAM_NAME " -i 10.0.0.2 -p 443     packets of one host and port\n"
		  "  " PROGRAM_NAME " -p 80 -c 100 > rows    a hundred rows to a file\n"
		  "  " PROGRAM_NAME " -s 5 12                counters every 5 s, for a minute\n");
}

/* One word of running text for roff. Words that begin with '-' are options: bold, and
 * with real minus signs, so that they can be copied. */
static void man_word(struct text *out, const char *word, size_t len)
{
	bool option = len > 1 && word[0] == '-';
	size_t end = len;

	while (option && end && strchr(".,;:", word[end - 1]))
		end--;
	if (option)
		text_puts(out, "\\fB");
	for (size_t i = 0; i < len; i++) {
		if (option && i == end)
			text_puts(out, "\\fR");
		if (word[i] == '\\')
			text_puts(out, "\\e");
		else if (word[i] == '-' && option)
			text_puts(out, "\\-");
		else
			text_add(out, word + i, 1);
	}
	if (option && end == len)
		text_puts(out, "\\fR");
}

/* Plain text as roff, each sentence on its own line as roff wants it. */
static void man_text(struct text *out, const char *s)
{
	size_t len, blanks;

	while (*s) {
		len = strcspn(s, " ");
		if (*s == '.' || *s == '\'')
			text_puts(out, "\\&"); /* not a macro, should it begin a line */
		man_word(out, s, len);
		blanks = strspn(s + len, " ");
		if (blanks)
			text_puts(out, len && s[len - 1] == '.' ? "\n" : " ");
		s += len + blanks;
	}
	text_puts(out, "\n");
}

static void man_option(struct text *out, const struct option_def *o)
{
	text_puts(out, ".TP\n");
	if (o->letter)
		text_printf(out, "\\fB\\-%c\\fR, ", o->letter);
	text_puts(out, "\\fB\\-\\-");
	for (const char *p = o->name; *p; p++)
		text_printf(out, *p == '-' ? "\\-" : "%c", *p);
	text_puts(out, "\\fR");
	if (o->arg)
		text_printf(out, " \\fI%s\\fR", o->arg);
	text_puts(out, "\n");
	man_text(out, o->man);
	if (o->words) {
		text_printf(out, "\\fI%s\\fR is ", o->arg);
		add_choices(out, o);
		text_printf(out, "; the default is %s.\n", o->def);
	} else if (o->def) {
		text_printf(out, "The default is %s.\n", o->def);
	}
	if (o->live != LIVE_NOT)
		man_text(out, "-C can give it anew.");
}

void options_man(struct text *out)
{
	for (int g = 0; g < GROUP_NR; g++) {
		text_printf(out, ".SS %s\n", option_group_name[g]);
		for (size_t i = 0; i < option_count; i++)
			if (option_table[i].group == (enum option_group)g)
				man_option(out, &option_table[i]);
	}
}

/* "-x|--name" as a pattern of bash's case. */
static void completion_pattern(struct text *out, const struct option_def *o)
{
	text_puts(out, "\t");
	if (o->letter)
		text_printf(out, "-%c | ", o->letter);
	text_printf(out, "--%s)\n", o->name);
}

static void completion_argument(struct text *out, const struct option_def *o)
{
	if (o->type == OPT_FLAG)
		return;
	completion_pattern(out, o);
	if (o->words) {
		text_puts(out, "\t\tmapfile -t COMPREPLY < <(compgen -W '");
		for (size_t i = 0; o->words[i]; i++)
			text_printf(out, "%s%s", i ? " " : "", o->words[i]);
		text_puts(out, "'");
		text_puts(out, o->type == OPT_WORD_OR_DIR ? " -d" : "");
		text_puts(out, " -- \"$cur\")\n");
	} else if (o->type == OPT_DIR) {
		text_puts(out, "\t\tcompopt -o filenames\n"
			       "\t\tmapfile -t COMPREPLY < <(compgen -d -- \"$cur\")\n");
	}
	text_puts(out, "\t\treturn\n\t\t;;\n");
}

void options_completion(struct text *out)
{
	text_puts(out, "# bash completion for " PROGRAM_NAME "\n"
		       "\n"
		       "_" PROGRAM_NAME "()\n"
		       "{\n"
		       "\tlocal cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD - 1]}\n"
		       "\n"
		       "\tCOMPREPLY=()\n"
		       "\t# \"--name=value\" comes as three words\n"
		       "\tif [[ $cur == '=' ]]; then\n"
		       "\t\tcur=\n"
		       "\telif [[ $prev == '=' && $COMP_CWORD -gt 2 ]]; then\n"
		       "\t\tprev=${COMP_WORDS[COMP_CWORD - 2]}\n"
		       "\tfi\n"
		       "\tcase $prev in\n");
	for (size_t i = 0; i < option_count; i++)
		completion_argument(out, &option_table[i]);
	text_puts(out, "\tesac\n"
		       "\tif [[ $cur == -* ]]; then\n"
		       "\t\tmapfile -t COMPREPLY < <(compgen -W '");
	for (size_t i = 0; i < option_count; i++) {
		if (option_table[i].letter)
			text_printf(out, "-%c ", option_table[i].letter);
		text_printf(out, "--%s%s", option_table[i].name, i + 1 < option_count ? " " : "");
	}
	text_puts(out, "' -- \"$cur\")\n"
		       "\tfi\n"
		       "}\n"
		       "complete -F _" PROGRAM_NAME " " PROGRAM_NAME "\n");
}
