/* SPDX-License-Identifier: MIT */
/* What the argument of an option may be, the field that it fills, and the way back. */
#include "conf/option_table.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <sys/stat.h>

#include "base/num.h"
#include "conf/filter_value.h"

#define NSEC_PER_SEC 1000000000ULL
#define BLANKS " \t"

/* "0.1" for 100000000; a bound below a hundredth is spoken of as "more than 0". */
static void add_seconds(struct text *why, uint64_t ns)
{
	uint64_t sec = ns / NSEC_PER_SEC;
	unsigned int hundredths = ns % NSEC_PER_SEC / (NSEC_PER_SEC / 100);

	text_printf(why, "%" PRIu64, sec);
	if (hundredths % 10)
		text_printf(why, ".%02u", hundredths);
	else if (hundredths)
		text_printf(why, ".%u", hundredths / 10);
}

static void add_words(struct text *why, const char *const *words)
{
	for (size_t i = 0; words[i]; i++)
		text_printf(why, "%s%s", !i ? "" : words[i + 1] ? ", " : " or ", words[i]);
}

void option_wanted(struct text *why, const struct option_def *o)
{
	switch (o->type) {
	case OPT_PREFIXES:
		text_puts(why, "a host's IPv4 or IPv6 address, a network such as 10.0.0.0/8 with "
			       "no bit set beyond its length, or a list of these with commas");
		break;
	case OPT_PORTS:
		text_printf(why,
			    "a port (%" PRIu64 " to %" PRIu64 "), a range such as 8000-8100, or a "
			    "list of these with commas",
			    o->min, o->max);
		break;
	case OPT_PIDS:
		text_printf(why,
			    "the number of a process (%" PRIu64 " to %" PRIu64 "), or a list of "
			    "these with commas",
			    o->min, o->max);
		break;
	case OPT_COMMS:
		text_puts(why, "the name of a process (1 to 15 bytes, as in /proc/PID/comm)");
		break;
	case OPT_TCP_FLAGS:
		text_puts(why, "a list of FIN, SYN, RST, PSH, ACK, URG, ECE, CWR with commas, each "
			       "at most once, with '!' for those that must not be set");
		break;
	case OPT_LENGTHS:
		text_puts(why, "a number of bytes (0 to 4294967295), or a range such as 1-100, 1- "
			       "or -100");
		break;
	case OPT_NUMBER:
		text_printf(why, "a whole number (%" PRIu64 " to %" PRIu64 ")", o->min, o->max);
		break;
	case OPT_POWER_OF_TWO:
		text_printf(why, "a power of two (%" PRIu64 " to %" PRIu64 ")", o->min, o->max);
		break;
	case OPT_SECONDS:
		text_puts(why, "a time in seconds (");
		if (o->min < NSEC_PER_SEC / 100) {
			text_puts(why, "more than 0, at most ");
		} else {
			add_seconds(why, o->min);
			text_puts(why, " to ");
		}
		add_seconds(why, o->max);
		text_puts(why, ")");
		break;
	case OPT_WORD:
		text_puts(why, "one of ");
		add_words(why, o->words);
		break;
	case OPT_WORD_OR_DIR:
		text_puts(why, "one of ");
		add_words(why, o->words);
		text_puts(why, ", nor a directory with a '/' in its name");
		break;
	case OPT_DIR:
		text_puts(why, "a directory");
		break;
	case OPT_POSITIONALS:
		option_wanted(why, &positional_table[0]);
		text_puts(why, ", or that and a number of blocks");
		break;
	case OPT_TEXT:
	case OPT_LIST:
	case OPT_FLAG:
		break;
	}
}

static int find_word(const char *const *words, const char *s)
{
	for (int i = 0; words[i]; i++)
		if (!strcmp(words[i], s))
			return i;
	return -EINVAL;
}

/* Numbers of every width; `to` is the field. */
static int set_number(const struct option_def *o, const char *s, void *to)
{
	unsigned int narrow;
	uint64_t v;
	int err;

	err = num_parse(s, o->min, o->max, &v);
	if (err)
		return err;
	if (o->type == OPT_POWER_OF_TWO) {
		if (v & (v - 1))
			return -EINVAL;
		narrow = (unsigned int)v;
		memcpy(to, &narrow, sizeof(narrow));
	} else {
		memcpy(to, &v, sizeof(v));
	}
	return 0;
}

static int set_word(const struct option_def *o, const char *s, void *to)
{
	int place = find_word(o->words, s);
	unsigned int mode;

	if (o->type == OPT_WORD) {
		if (place < 0)
			return place;
		mode = (unsigned int)place; /* every enum here is of this size */
		memcpy(to, &mode, sizeof(mode));
		return 0;
	}
	/* A mistyped word must not become a directory that is then missed. */
	if (place < 0 && s[0] != '.' && !strchr(s, '/'))
		return -EINVAL;
	memcpy(to, &s, sizeof(s));
	return 0;
}

static int set_dir(const char *s, void *to)
{
	struct stat st;

	if (stat(s, &st))
		return -errno;
	if (!S_ISDIR(st.st_mode))
		return -ENOTDIR;
	memcpy(to, &s, sizeof(s));
	return 0;
}

static int add_string(const char *s, struct strings *to)
{
	if (to->n == STRINGS_MAX)
		return -E2BIG;
	to->v[to->n++] = s;
	return 0;
}

/* Numbers all of them: nothing of `word` is kept. */
static int set_positionals(struct config *c, const char *s)
{
	char word[32];
	size_t len, i = 0;
	int err = 0;

	for (s += strspn(s, BLANKS); *s && !err; s += len + strspn(s + len, BLANKS)) {
		len = strcspn(s, BLANKS);
		if (i == positional_count || len >= sizeof(word))
			return -EINVAL;
		memcpy(word, s, len);
		word[len] = '\0';
		err = option_set(c, &positional_table[i++], word);
	}
	return i ? err : -EINVAL;
}

int option_set(struct config *c, const struct option_def *o, const char *s)
{
	char *base = (char *)c;
	bool yes = true;
	int err = 0;

	switch (o->type) {
	case OPT_FLAG:
		memcpy(base + o->field, &yes, sizeof(yes));
		break;
	case OPT_PREFIXES:
		err = prefixes_parse(s, (struct prefixes *)(void *)(base + o->field));
		break;
	case OPT_PORTS:
		err = ports_parse(s, o->min, o->max,
				  (struct port_ranges *)(void *)(base + o->field));
		break;
	case OPT_PIDS:
		err = pids_parse(s, o->min, o->max, (struct pids *)(void *)(base + o->field));
		break;
	case OPT_COMMS:
		err = comm_parse(s, (struct strings *)(void *)(base + o->field));
		break;
	case OPT_TCP_FLAGS:
		err = tcp_flags_parse(s, (struct tcp_flags *)(void *)(base + o->field));
		break;
	case OPT_LENGTHS:
		err = lengths_parse(s, (struct lengths *)(void *)(base + o->field));
		break;
	case OPT_NUMBER:
	case OPT_POWER_OF_TWO:
		err = set_number(o, s, base + o->field);
		break;
	case OPT_SECONDS:
		err = num_parse_seconds(s, o->min, o->max, (uint64_t *)(void *)(base + o->field));
		break;
	case OPT_WORD:
	case OPT_WORD_OR_DIR:
		err = set_word(o, s, base + o->field);
		break;
	case OPT_DIR:
		err = set_dir(s, base + o->field);
		break;
	case OPT_TEXT:
		memcpy(base + o->field, &s, sizeof(s));
		break;
	case OPT_LIST:
		err = add_string(s, (struct strings *)(void *)(base + o->field));
		break;
	case OPT_POSITIONALS:
		err = set_positionals(c, s);
		break;
	}
	return err;
}

/* --- the way back ------------------------------------------------------------------ */

static size_t field_size(const struct option_def *o)
{
	switch (o->type) {
	case OPT_FLAG:
		return sizeof(bool);
	case OPT_PREFIXES:
		return sizeof(struct prefixes);
	case OPT_PORTS:
		return sizeof(struct port_ranges);
	case OPT_PIDS:
		return sizeof(struct pids);
	case OPT_TCP_FLAGS:
		return sizeof(struct tcp_flags);
	case OPT_LENGTHS:
		return sizeof(struct lengths);
	case OPT_NUMBER:
	case OPT_SECONDS:
		return sizeof(uint64_t);
	case OPT_POWER_OF_TWO:
	case OPT_WORD:
		return sizeof(unsigned int);
	case OPT_WORD_OR_DIR:
	case OPT_DIR:
	case OPT_TEXT:
		return sizeof(const char *);
	case OPT_COMMS:
	case OPT_LIST:
		return sizeof(struct strings);
	case OPT_POSITIONALS: /* none of its own */
		break;
	}
	return 0;
}

void option_reset(struct config *c, const struct option_def *o)
{
	if (o->type == OPT_POSITIONALS)
		for (size_t i = 0; i < positional_count; i++)
			option_reset(c, &positional_table[i]);
	memset((char *)c + o->field, 0, field_size(o));
	if (o->def)
		option_set(c, o, o->def);
}

static void add_escaped(struct text *out, const char *s)
{
	if (s)
		text_add_escaped(out, s, strlen(s), false);
}

static void format_lengths(const struct lengths *l, struct text *out)
{
	if (!l->set)
		return;
	text_printf(out, "%" PRIu32, l->min);
	if (l->max == UINT32_MAX)
		text_puts(out, "-");
	else if (l->max > l->min)
		text_printf(out, "-%" PRIu32, l->max);
}

static void format_strings(const struct strings *l, struct text *out)
{
	for (int i = 0; i < l->n; i++) {
		text_puts(out, i ? ", " : "");
		add_escaped(out, l->v[i]);
	}
}

static void format_positionals(const struct config *c, struct text *out)
{
	struct text value = { 0 };

	for (size_t i = 0; i < positional_count; i++) {
		text_reset(&value);
		option_format(c, &positional_table[i], &value);
		if (value.len)
			text_printf(out, "%s%s", i ? " " : "", value.s);
	}
	text_free(&value);
}

void option_format(const struct config *c, const struct option_def *o, struct text *out)
{
	const void *at = (const char *)c + o->field;
	unsigned int narrow;
	uint64_t number;

	switch (o->type) {
	case OPT_FLAG:
		text_puts(out, *(const bool *)at ? "on" : "");
		break;
	case OPT_PREFIXES:
		prefixes_format(at, out);
		break;
	case OPT_PORTS:
		ports_format(at, out);
		break;
	case OPT_PIDS:
		pids_format(at, out);
		break;
	case OPT_TCP_FLAGS:
		tcp_flags_format(at, out);
		break;
	case OPT_LENGTHS:
		format_lengths(at, out);
		break;
	case OPT_NUMBER:
		number = *(const uint64_t *)at;
		if (number || o->def)
			text_printf(out, "%" PRIu64, number);
		break;
	case OPT_SECONDS:
		number = *(const uint64_t *)at;
		if (number)
			text_printf(out, "%g", (double)number / (double)NSEC_PER_SEC);
		break;
	case OPT_POWER_OF_TWO:
	case OPT_WORD:
		narrow = *(const unsigned int *)at;
		if (o->type == OPT_WORD)
			text_puts(out, o->words[narrow]);
		else if (narrow)
			text_printf(out, "%u", narrow);
		break;
	case OPT_WORD_OR_DIR:
	case OPT_DIR:
	case OPT_TEXT:
		add_escaped(out, *(const char *const *)at);
		break;
	case OPT_COMMS:
	case OPT_LIST:
		format_strings(at, out);
		break;
	case OPT_POSITIONALS:
		format_positionals(c, out);
		break;
	}
}
