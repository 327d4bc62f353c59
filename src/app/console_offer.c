/* SPDX-License-Identifier: MIT */
#include "app/console_offer.h"

#include <string.h>

#include "app/console.h"
#include "app/console_command.h"
#include "app/seen.h"
#include "conf/changes.h"
#include "conf/filter_value.h"
#include "sink/interfaces.h"
#include "sink/namespaces.h"

#define BLANKS " \t"

static const char *offer_column(const struct console_host *h, int n)
{
	const struct column_list *l = h->view->columns;

	if (n >= column_count && n - column_count < l->users)
		return l->user[n - column_count].name;
	return n < column_count ? column_table[n].name : NULL;
}

static const char *offer_word(const char *const *words, int n)
{
	for (int i = 0; words[i]; i++)
		if (!n--)
			return words[i];
	return NULL;
}

static bool is_one_of(const char *s, const char *a, const char *b, const char *c)
{
	return !strcmp(s, a) || !strcmp(s, b) || !strcmp(s, c);
}

static const char *offer_value(const struct console_host *h, const char *option, int n)
{
	const char *const *words = changes_words(option);

	if (words)
		return offer_word(words, n);
	if (is_one_of(option, "ip", "src", "dst"))
		return seen_address(h->seen, n);
	if (is_one_of(option, "port", "sport", "dport"))
		return seen_port(h->seen, n);
	if (!strcmp(option, "interface") && h->view->table.interfaces)
		return interfaces_listed(h->view->table.interfaces, n);
	if (!strcmp(option, "netns") && h->view->table.namespaces)
		return namespaces_listed(h->view->table.namespaces, n);
	if (!strcmp(option, "columns"))
		return offer_column(h, n);
	if (!strcmp(option, "tee"))
		return n ? NULL : "off";
	if (!strcmp(option, "flags"))
		return n < 8 ? tcp_flag_name[n] : NULL;
	return NULL;
}

/* Copies the word at *s, and moves behind it and the blanks after it. */
static void next_word(const char **s, char *word, size_t size)
{
	size_t len = strcspn(*s, BLANKS), kept = len < size ? len : size - 1;

	memcpy(word, *s, kept);
	word[kept] = '\0';
	*s += len + strspn(*s + len, BLANKS);
}

static const struct console_command *command_of(const char *name)
{
	for (int i = 0; i < console_commands; i++)
		if (!strcmp(console_table[i].name, name))
			return &console_table[i];
	return NULL;
}

const char *console_offer(const struct console_host *h, const char *before, int n, bool *more)
{
	const struct session *s = h->session;
	const struct console_command *command;
	char word[64], option[64];

	before += strspn(before, BLANKS);
	*more = !*before;
	if (!*before)
		return n < console_commands ? console_table[n].name : NULL;
	next_word(&before, word, sizeof(word));
	next_word(&before, option, sizeof(option));
	command = command_of(word);
	switch (command ? command->takes : TAKES_NOTHING) {
	case TAKES_COMMAND:
		return !*option && n < console_commands ? console_table[n].name : NULL;
	case TAKES_STAGE:
		return !*option && n < s->stages.n ? s->stages.v[n].name : NULL;
	case TAKES_VALUE:
		return offer_value(h, word, n);
	case TAKES_SETTING:
		*more = !*option;
		return *option ? offer_value(h, option, n) : changes_option(n);
	case TAKES_NOTHING:
	case TAKES_TEXT:
		break;
	}
	return NULL;
}
