/* SPDX-License-Identifier: MIT */
#include "sink/collected.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

static int set(struct collected *c, int slot, const char *name, const char *expr)
{
	c->v[slot].name = strdup(name);
	c->v[slot].expr = expr ? strdup(expr) : NULL;
	return c->v[slot].name && (!expr || c->v[slot].expr) ? 0 : -ENOMEM;
}

int collected_note(struct collected *c, const struct column_list *l)
{
	int err = 0;

	*c = (struct collected){ 0 };
	for (int i = 0; i < l->nfields && !err; i++)
		err = set(c, l->field[i].slot, l->field[i].name, l->field[i].expr);
	if (err)
		collected_free(c);
	return err;
}

int collected_copy(struct collected *c, const struct collected *from)
{
	int err = 0;

	*c = (struct collected){ 0 };
	for (int i = 0; i < LNK_MAX_EXTRA && !err; i++)
		if (from->v[i].name)
			err = set(c, i, from->v[i].name, from->v[i].expr);
	if (err)
		collected_free(c);
	return err;
}

void collected_free(struct collected *c)
{
	for (int i = 0; i < LNK_MAX_EXTRA; i++) {
		free(c->v[i].name);
		free(c->v[i].expr);
	}
	*c = (struct collected){ 0 };
}

/* A user may take a name for another expression. */
static int find(const struct collected *c, const char *name, const char *expr)
{
	for (int i = 0; i < LNK_MAX_EXTRA; i++)
		if (c->v[i].name && !strcmp(c->v[i].name, name) && !c->v[i].expr == !expr &&
		    (!expr || !strcmp(c->v[i].expr, expr)))
			return i;
	return -1;
}

int collected_slot(const struct collected *c, const char *field)
{
	return find(c, field, NULL);
}

const struct column_field *collected_assign(const struct collected *c, struct column_list *l)
{
	const struct column_field *missing = NULL;

	for (int i = 0; i < l->nfields; i++) {
		l->field[i].slot = find(c, l->field[i].name, l->field[i].expr);
		if (l->field[i].slot < 0 && !missing)
			missing = &l->field[i];
	}
	return missing;
}

/* A slot that is no column's, as -d has one, is the same in both. */
void collected_map(const struct collected *from, const struct collected *to, int map[LNK_MAX_EXTRA])
{
	for (int i = 0; i < LNK_MAX_EXTRA; i++)
		map[i] = to->v[i].name ? find(from, to->v[i].name, to->v[i].expr) : i;
}

void collected_move(struct lnk_record *e, const int map[LNK_MAX_EXTRA])
{
	__u64 was[LNK_MAX_EXTRA];

	memcpy(was, e->extra, sizeof(was));
	for (int i = 0; i < LNK_MAX_EXTRA; i++)
		e->extra[i] = map[i] < 0 ? LNK_UNKNOWN : was[map[i]];
}
