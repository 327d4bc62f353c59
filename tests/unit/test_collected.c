/* SPDX-License-Identifier: MIT */
/* Numbers of one program's records in the slots of another's. */
#include "unit.h"

#include <string.h>

#include "sink/collected.h"

static struct text why;

/* Columns with their fields from slot `first` on, as who builds the program gives them. */
static void columns(struct column_list *l, const char *list, const char *own, int first)
{
	*l = (struct column_list){ 0 };
	if (own)
		CHECK_INT(columns_add(l, own, &why), 0);
	CHECK_INT(columns_parse(l, list, &why), 0);
	for (int i = 0; i < l->nfields; i++)
		l->field[i].slot = first + i;
}

TEST(numbers_keep_their_names)
{
	struct column_list old, now;
	struct collected from, to, copy;
	struct lnk_record e = { 0 };
	int map[LNK_MAX_EXTRA], i;

	columns(&old, "ttl,len,cpu", "x=len+1", 1);
	columns(&now, "cpu,flags,len", "x=len+2", 1);
	CHECK_INT(collected_note(&from, &old), 0);
	CHECK_INT(collected_copy(&copy, &from), 0);
	CHECK_INT(collected_note(&to, &now), 0);
	columns_free(&old);
	columns_free(&now);
	collected_map(&copy, &to, map);
	for (i = 0; i < 5; i++)
		e.extra[i] = 100 + (unsigned int)i; /* -d's, ttl, len, cpu, x */
	collected_move(&e, map);
	CHECK_INT(e.extra[0], 100);
	CHECK_INT(e.extra[1], 103);
	CHECK(e.extra[2] == LNK_UNKNOWN); /* was not collected */
	CHECK_INT(e.extra[3], 102);
	CHECK(e.extra[4] == LNK_UNKNOWN); /* of the same name, and another expression */
	collected_free(&from);
	collected_free(&to);
	collected_free(&copy);
}

TEST(columns_find_their_slots)
{
	struct column_list all, some, more;
	struct collected c;

	columns(&all, "ttl,len,cpu", NULL, 0);
	columns(&some, "seq,cpu,ttl", NULL, -9);
	columns(&more, "cpu,win", NULL, -9);
	CHECK_INT(collected_note(&c, &all), 0);
	CHECK(!collected_assign(&c, &some));
	CHECK_INT(some.field[0].slot, 2);
	CHECK_INT(some.field[1].slot, 0);
	CHECK_STR(collected_assign(&c, &more)->name, "tcp.window");
	collected_free(&c);
}

/* What a probe's own number is called is not what a user's expression is. */
TEST(a_name_with_an_expression_is_another)
{
	struct collected from = { 0 }, to = { 0 };
	char name[] = "x", expr[] = "len+1";
	int map[LNK_MAX_EXTRA];

	from.v[1].name = to.v[0].name = name;
	to.v[0].expr = expr;
	collected_map(&from, &to, map);
	CHECK_INT(map[0], -1);
	collected_map(&to, &from, map);
	CHECK_INT(map[1], -1);
	collected_map(&from, &from, map);
	CHECK_INT(map[1], 1);
}
