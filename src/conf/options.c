/* SPDX-License-Identifier: MIT */
/*
 * Parsing by the table: getopt_long(3) finds the options, option_value.c reads their
 * arguments. Nothing is printed: the caller gets one line.
 */
#include "conf/options.h"

#include <errno.h>
#include <getopt.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "conf/filter_value.h"
#include "conf/option_table.h"

#define WORDS_MAX 256 /* of an expression */

/* What getopt_long() returns for a long option: its place in the table, out of the way
 * of the letters. */
#define LONG_BASE 256

struct parser {
	struct config *c;
	struct text *why;
	const char *word[WORDS_MAX]; /* what is no option */
	int words;
	bool seen[OPTION_MAX];
};

static void add_quoted(struct text *why, const char *s)
{
	text_add_quoted(why, s, strlen(s));
}

int option_take(struct config *c, const struct option_def *o, const char *typed, const char *s,
		struct text *why)
{
	int err = option_set(c, o, s);

	if (!err)
		return 0;
	text_printf(why, "%s: ", typed);
	add_quoted(why, s);
	if (err == -E2BIG) {
		text_puts(why, " is more than there is room for: at most ");
		text_printf(why, "%d",
			    o->type == OPT_PREFIXES ? PREFIXES_MAX
			    : o->type == OPT_PORTS  ? PORT_RANGES_MAX
			    : o->type == OPT_PIDS   ? PIDS_MAX
						    : STRINGS_MAX);
	} else if (o->type == OPT_DIR && err != -ENOTDIR) {
		text_printf(why, ": %s", strerror(-err));
	} else {
		text_puts(why, " is not ");
		option_wanted(why, o);
	}
	return -EINVAL;
}

static void defaults(struct config *c)
{
	*c = (struct config){ 0 };
	for (size_t i = 0; i < option_count; i++)
		if (option_table[i].def)
			option_set(c, &option_table[i], option_table[i].def);
	for (size_t i = 0; i < positional_count; i++)
		if (positional_table[i].def)
			option_set(c, &positional_table[i], positional_table[i].def);
}

/* The table's line for what getopt_long() returned or left in optopt; NULL: none. */
static const struct option_def *find_option(int got)
{
	if (got >= LONG_BASE)
		return &option_table[got - LONG_BASE];
	for (size_t i = 0; i < option_count; i++)
		if (got && option_table[i].letter == got)
			return &option_table[i];
	return NULL;
}

const struct option_def *option_find(const char *name, size_t len)
{
	for (size_t i = 0; i < option_count; i++)
		if (strlen(option_table[i].name) == len && !memcmp(option_table[i].name, name, len))
			return &option_table[i];
	return NULL;
}

static void option_as_typed(struct text *out, const struct option_def *o, int got)
{
	if (got >= LONG_BASE)
		text_printf(out, "--%s", o->name);
	else
		text_printf(out, "-%c", o->letter);
}

static bool may_repeat(const struct option_def *o)
{
	return o->type == OPT_FLAG || o->type == OPT_LIST || o->type == OPT_PREFIXES ||
	       o->type == OPT_PORTS || o->type == OPT_PIDS || o->type == OPT_COMMS;
}

static int take_option(struct parser *p, int got)
{
	const struct option_def *o = find_option(got);
	size_t place = (size_t)(o - option_table);
	struct text typed = { 0 };
	int err = 0;

	option_as_typed(&typed, o, got);
	if (!may_repeat(o) && p->seen[place]) {
		text_printf(p->why, "%s: given more than once (now ", text_str(&typed));
		add_quoted(p->why, optarg);
		text_puts(p->why, "); it takes one value");
		err = -EINVAL;
	} else {
		err = option_take(p->c, o, text_str(&typed), optarg, p->why);
	}
	p->seen[place] = true;
	text_free(&typed);
	return err;
}

static int take_word(struct parser *p, const char *s)
{
	if (p->words == WORDS_MAX) {
		text_printf(p->why, "more than %d words that are no options", WORDS_MAX);
		return -EINVAL;
	}
	p->word[p->words++] = s;
	return 0;
}

/* How many long options begin with the `len` bytes at `name`. */
static size_t long_options_like(const char *name, size_t len, struct text *list)
{
	size_t n = 0;

	for (size_t i = 0; i < option_count; i++) {
		if (strncmp(option_table[i].name, name, len) != 0)
			continue;
		text_printf(list, "%s--%s", n++ ? ", " : "", option_table[i].name);
	}
	return n;
}

/* An option that getopt_long() refused; `word` is the argument it was looking at. */
static int refuse_option(struct parser *p, const char *word)
{
	const struct option_def *o = find_option(optopt);
	struct text list = { 0 };
	size_t len;
	char letter[3] = { '-', (char)optopt, '\0' };

	if (o) { /* --verbose=yes */
		text_printf(p->why, "option '--%s' takes no value: ", o->name);
		add_quoted(p->why, word);
		return -EINVAL;
	}
	if (optopt) {
		text_puts(p->why, "unknown option ");
		add_quoted(p->why, letter);
		text_puts(p->why, "; '" PROGRAM_NAME " --help' lists them");
		return -EINVAL;
	}
	len = strcspn(word + 2, "=");
	if (len && long_options_like(word + 2, len, &list) > 1) {
		text_puts(p->why, "ambiguous option ");
		add_quoted(p->why, word);
		text_printf(p->why, "; it could be %s", text_str(&list));
	} else {
		text_puts(p->why, "unknown option ");
		add_quoted(p->why, word);
		text_puts(p->why, "; '" PROGRAM_NAME " --help' lists them");
	}
	text_free(&list);
	return -EINVAL;
}

static int refuse_missing(struct parser *p)
{
	const struct option_def *o = find_option(optopt);
	struct text typed = { 0 };

	option_as_typed(&typed, o, optopt);
	text_printf(p->why, "%s: its argument %s is missing", text_str(&typed), o->arg);
	text_free(&typed);
	return -EINVAL;
}

/* getopt's two ways of being told the options, from the table. */
static void getopt_tables(struct option *longs, char *letters)
{
	size_t n;

	/* '-': hand over other arguments in their order, so that argv is not permuted and
	 * POSIXLY_CORRECT changes nothing. ':': tell a missing argument from a bad option. */
	*letters++ = '-';
	*letters++ = ':';
	for (n = 0; n < option_count; n++) {
		longs[n] = (struct option){ .name = option_table[n].name,
					    .has_arg = option_table[n].type != OPT_FLAG,
					    .val = LONG_BASE + (int)n };
		if (!option_table[n].letter)
			continue;
		*letters++ = option_table[n].letter;
		if (option_table[n].type != OPT_FLAG)
			*letters++ = ':';
	}
	*letters = '\0';
	longs[n] = (struct option){ 0 };
}

/* Behind a mistake: is help asked for, or the version? */
static void look_for_help(struct config *c, int got)
{
	const struct option_def *o = find_option(got);

	if (o && (o->field == offsetof(struct config, help) ||
		  o->field == offsetof(struct config, version)))
		option_set(c, o, NULL);
}

static int take_all(struct parser *p, int argc, char **argv)
{
	struct option longs[OPTION_MAX + 1];
	char letters[2 * OPTION_MAX + 3];
	int got, err = 0;

	getopt_tables(longs, letters);
	opterr = 0;
	optind = 0; /* glibc: start afresh, also after a parse that was left half way */
	while ((got = getopt_long(argc, argv, letters, longs, NULL)) != -1) {
		if (err)
			look_for_help(p->c, got);
		else if (got == 1)
			err = take_word(p, optarg);
		else if (got == ':')
			err = refuse_missing(p);
		else if (got == '?')
			err = refuse_option(p, argv[optind - 1]);
		else
			err = take_option(p, got);
	}
	for (int i = optind; !err && i < argc; i++) /* after "--" */
		err = take_word(p, argv[i]);
	return err;
}

/* "5", "0.5": what an expression does not begin with. */
static bool is_bare_number(const char *s)
{
	return *s && strspn(s, "0123456789.") == strlen(s) && strchr(s, '.') == strrchr(s, '.');
}

/* The words from number `from` on, as tcpdump takes them: one expression. */
static int take_expression(struct parser *p, int from)
{
	struct text t = { 0 };

	if (p->c->filter) {
		text_puts(p->why, "there are two expressions: --filter, and ");
		add_quoted(p->why, p->word[from]);
		return -EINVAL;
	}
	for (int i = from; i < p->words; i++)
		text_printf(&t, "%s%s", i > from ? " " : "", p->word[i]);
	if (t.cut || !t.s) {
		text_free(&t);
		return -ENOMEM;
	}
	p->c->words = t.s;
	p->c->filter = t.s;
	return 0;
}

/* With -s numbers in front are the interval and the count. */
static int finish_words(struct parser *p)
{
	int err = 0, i = 0;

	for (; p->c->stats && i < p->words && i < (int)positional_count && !err; i++) {
		if (!is_bare_number(p->word[i]))
			break;
		err = option_take(p->c, &positional_table[i], positional_table[i].name, p->word[i],
				  p->why);
	}
	if (err || i == p->words)
		return err;
	if (!is_bare_number(p->word[i]))
		return take_expression(p, i);
	text_puts(p->why, "surplus argument ");
	add_quoted(p->why, p->word[i]);
	text_puts(p->why, p->c->stats ? "; -s takes an interval and a count"
				      : "; an interval and a count are given only with -s");
	return -EINVAL;
}

/* Whether a packet of this family can have all the addresses that are asked for. */
static bool can_match(const struct config *c, bool ipv4)
{
	int i;

	for (i = 0; i < SIDES; i++)
		if (c->addresses[i].n && !prefixes_have(&c->addresses[i], ipv4))
			return false;
	return true;
}

int options_check(const struct config *c, struct text *why)
{
	const char *wrong = NULL;

	if (c->watch && (c->check || c->dump_source || c->doctor))
		wrong = "--watch: only a running monitor takes changes, and --check, "
			"--dump-source and --doctor do not run one";
	else if (c->json && !c->doctor)
		wrong = "--json: there is JSON only of --doctor";
	else if (c->ipv4 && c->ipv6)
		wrong = "-4 and -6 exclude each other: leave both away to see both";
	else if (c->ipv4 && !can_match(c, true))
		wrong = "-4: -i, --src or --dst has addresses of IPv6 only: no packet would be "
			"shown";
	else if (c->ipv6 && !can_match(c, false))
		wrong = "-6: -i, --src or --dst has addresses of IPv4 only: no packet would be "
			"shown";
	else if (!can_match(c, true) && !can_match(c, false))
		wrong = "-i, --src and --dst: some have addresses of IPv4 only, others of IPv6 "
			"only: "
			"no packet would be shown";
	else if (c->stats && config_asks_owner(c))
		wrong = "--pid and --comm: not with -s, which counts in the kernel: which process "
			"has a socket is found out beside it";
	else if (c->numeric && c->resolve)
		wrong = "-n and --resolve: names are shown, or numbers";
	if (!wrong)
		return 0;
	text_puts(why, wrong);
	return -EINVAL;
}

int options_parse(struct config *c, int argc, char **argv, struct text *why)
{
	struct parser p = { .c = c, .why = why };
	int err;

	defaults(c);
	err = take_all(&p, argc, argv);
	if (!err)
		err = finish_words(&p);
	if (!err)
		err = options_check(c, why);
	if (!err || (!c->help && !c->version))
		return err;
	text_reset(why); /* who asks how it is done has made a mistake, or is about to */
	return 0;
}

void options_free(struct config *c)
{
	free(c->words);
	c->words = NULL;
	c->filter = NULL;
}
