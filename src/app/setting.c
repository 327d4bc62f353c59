/* SPDX-License-Identifier: MIT */
#include "app/setting.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "app/ask.h"
#include "app/processes.h"
#include "app/view.h"
#include "base/clock.h"

/* The slots of the columns are given by ask_parse(). libpcap and cgroups need files, and interfaces
 * are asked of the kernel: that is for who still may. */
static int look(struct setting *s, struct text *why)
{
	struct column_list *l = calloc(1, sizeof(*l));
	struct config *plain = malloc(sizeof(*plain));
	struct text note = { 0 };
	struct ask ask = { 0 };
	int err = l && plain ? 0 : -ENOMEM;

	if (!err)
		err = view_columns(l, &s->conf, why);
	if (!err) {
		*plain = s->conf;
		plain->filter = plain->netns = NULL;
		plain->interfaces.n = plain->cgroups.n = 0;
		err = ask_parse(&ask, plain, l, why, &note);
	}
	if (!err) {
		s->extra = s->conf.debug_func + ask.numbers;
		s->owners = ask.owners;
		err = collected_note(&s->collected, l);
	}
	ask_free(&ask);
	text_free(&note);
	if (l)
		columns_free(l);
	free(l);
	free(plain);
	return err;
}

int setting_make(struct setting **out, const struct config *base, const struct changes *c,
		 struct text *why)
{
	struct setting *s = calloc(1, sizeof(*s));
	int err;

	if (!s)
		return -ENOMEM;
	s->users = 1;
	s->owners_asked_ns = clock_monotonic_ns();
	s->changes = *c;
	s->base = base;
	s->conf = *base;
	err = changes_apply(&s->changes, &s->conf, why);
	if (!err)
		err = look(s, why);
	if (err)
		setting_drop(s);
	else
		*out = s;
	return err;
}

int setting_change(struct setting **out, const struct setting *from, const char *option,
		   const char *value, enum change_kind *kind, struct text *why)
{
	struct changes *c = malloc(sizeof(*c));
	int err = c ? 0 : -ENOMEM;

	if (!err) {
		*c = from->changes;
		err = changes_set(c, option, value, kind, why);
	}
	if (!err)
		err = setting_make(out, from->base, c, why);
	if (!err && processes_same(&(*out)->conf, &from->conf))
		(*out)->owners_asked_ns = from->owners_asked_ns;
	free(c);
	return err;
}

struct setting *setting_use(struct setting *s)
{
	s->users++;
	return s;
}

void setting_drop(struct setting *s)
{
	if (!s || --s->users)
		return;
	collected_free(&s->collected);
	free(s);
}
