/* SPDX-License-Identifier: MIT */
#include "unit.h"

#include <stdlib.h>
#include <string.h>

#include "sink/fronts.h"
#include "sink/table.h"

static struct lnk_event event(unsigned char seed)
{
	struct lnk_event e;

	memset(&e, seed, sizeof(e));
	return e;
}

/* What is kept for this event; NULL: nothing. */
static const char *kept(struct fronts *f, const struct lnk_event *e)
{
	static char text[FRONT_MAX + 1];
	char *end = fronts_put(f, e, text);

	if (!end)
		return NULL;
	*end = '\0';
	return text;
}

TEST(kept_and_found)
{
	struct lnk_event a = event(1), b = event(2);
	struct fronts *f;

	CHECK_INT(fronts_open(&f), 0);
	CHECK(!kept(f, &a));
	fronts_keep(f, &a, "[a] | ", 6);
	CHECK_STR(kept(f, &a), "[a] | ");
	CHECK(!kept(f, &b));
	fronts_keep(f, &b, "[b]", 3);
	CHECK_STR(kept(f, &a), "[a] | ");
	CHECK_STR(kept(f, &b), "[b]");
	fronts_keep(f, &a, "another", 7);
	CHECK_STR(kept(f, &a), "another");
	fronts_close(f);
	fronts_close(NULL);
}

/* Time and sequence numbers are no part of it; every other byte is. */
TEST(what_tells_fronts_apart)
{
	struct lnk_event e = event(7), other;
	struct fronts *f;
	size_t i;
	bool same;

	fronts_open(&f);
	fronts_keep(f, &e, "front", 5);
	for (i = 0; i < sizeof(e); i++) {
		other = e;
		((unsigned char *)&other)[i] ^= 0x40;
		same = i < sizeof(e.time_ns) || (i >= offsetof(struct lnk_event, seq) &&
						 i < offsetof(struct lnk_event, sport));
		CHECK_INT(kept(f, &other) != NULL, same);
	}
	fronts_close(f);
}

TEST(forgotten)
{
	struct lnk_event a = event(1), none = event(0);
	struct fronts *f;

	fronts_open(&f);
	CHECK(!kept(f, &none)); /* an empty place is nobody's */
	fronts_keep(f, &a, "old", 3);
	fronts_forget(f);
	CHECK(!kept(f, &a));
	fronts_keep(f, &a, "new", 3);
	CHECK_STR(kept(f, &a), "new");
	fronts_close(f);
}

TEST(the_longest)
{
	char text[FRONT_MAX + 1];
	struct lnk_event a = event(1);
	struct fronts *f;

	memset(text, 'x', sizeof(text));
	fronts_open(&f);
	fronts_keep(f, &a, text, FRONT_MAX + 1);
	CHECK(!kept(f, &a));
	fronts_keep(f, &a, text, FRONT_MAX);
	CHECK_INT(strlen(kept(f, &a)), FRONT_MAX);
	fronts_close(f);
}

/* Rows of so many connections, each in its turn; returns how often it was looked. */
static unsigned int rows(struct fronts *f, unsigned int n, unsigned int connections)
{
	struct lnk_event e = event(0);
	unsigned int looked = 0;
	char text[FRONT_MAX];

	for (unsigned int i = 0; i < n; i++) {
		e.saddr[4] = (__u8)(i % connections);
		e.saddr[5] = (__u8)(i % connections >> 8);
		if (!fronts_try(f))
			continue;
		looked++;
		if (!fronts_put(f, &e, text))
			fronts_keep(f, &e, "front", 5);
	}
	return looked;
}

/* With few connections it is looked for each row; with many hardly ever; and when they become
 * few again, it is noticed. */
TEST(many_connections)
{
	struct fronts *f;

	fronts_open(&f);
	CHECK_INT(rows(f, 100000, 20), 100000);
	CHECK(rows(f, 300000, 5000) < 20000);
	rows(f, 70000, 20); /* to the next try, and through it */
	CHECK_INT(rows(f, 100000, 20), 100000);
	fronts_close(f);
}

/* --- in the table ------------------------------------------------------------------- */

static uint32_t seed = 1;

static uint32_t number(uint32_t below)
{
	seed = seed * 1664525 + 1013904223;
	return (seed >> 8) % below;
}

static void choose_address(__u8 a[16])
{
	memset(a, 0, 16);
	switch (number(8)) {
	case 0: /* not known */
		break;
	case 1: /* needs a wider column */
		for (int i = 0; i < 16; i++)
			a[i] = (__u8)(number(3) ? 0 : 0xf0 | number(16));
		break;
	default:
		a[10] = a[11] = 0xff;
		a[12] = 10;
		a[15] = (__u8)number(4);
	}
}

static struct lnk_record choose_event(void)
{
	static uint64_t time_ns = 1000;
	struct lnk_record e = { 0 };

	choose_address(e.event.saddr);
	choose_address(e.event.daddr);
	e.event.sport = (__u16)number(3);
	e.event.dport = (__u16)(number(2) ? 65535 : 80);
	e.event.hook = (__u16)number(2);
	e.event.seq = number(1 << 24);
	e.event.time_ns = time_ns += 1000;
	return e;
}

static const struct table_hook hooks[] = { { .shown = "f" }, { .shown = "a_function" } };
static const struct table_hook others[] = { { .shown = "another" }, { .shown = "g" } };

/* Where a row does not begin with function and connection it has no front: there they are
 * written anew each time. */
TEST(a_row_is_the_same_with_and_without)
{
	struct column_list turned = { 0 };
	struct table_view view = { .columns = &turned };
	struct text got = { 0 }, want = { 0 }, t = { 0 };
	const struct table_hook *now = hooks;
	struct lnk_record e;
	struct table *a, *b;
	const char *second;

	columns_parse(&turned, "seq,ack,time,function,src,dst,sport,dport", &t);
	CHECK_INT(table_open(&a, hooks, 2, false, NULL), 0);
	CHECK_INT(table_open(&b, hooks, 2, false, &view), 0);
	for (int i = 0; i < 50000; i++) {
		e = choose_event();
		if (!number(300))
			now = now == hooks ? others : hooks;
		table_set_hooks(a, now);
		table_set_hooks(b, now);
		text_reset(&got);
		text_reset(&t);
		text_reset(&want);
		table_row(a, &e, 0, &got);
		table_row(b, &e, 0, &t);
		t.s[--t.len] = '\0';
		second = strchr(t.s, '['); /* the function */
		text_printf(&want, "%s | %.*s\n", second, (int)(second - t.s) - 3, t.s);
		if (strcmp(text_str(&got), text_str(&want)))
			CHECK_STR(text_str(&got), text_str(&want));
	}
	table_close(a);
	table_close(b);
	columns_free(&turned);
	text_free(&got);
	text_free(&want);
	text_free(&t);
}

/* The last row of what was printed; headers may stand before it. */
static const char *last_row(struct text *t, size_t *len)
{
	const char *end = t->s + t->len - 1, *p = end;

	while (p > t->s && p[-1] != '\n')
		p--;
	*len = (size_t)(end - p);
	return p;
}

/* A narrow terminal's row is the beginning of the whole row, up to the end of a column. */
TEST(a_row_is_cut_at_a_column)
{
	struct text narrow = { 0 }, whole = { 0 };
	const char *got, *want;
	struct table *a, *b;
	struct lnk_record e;
	size_t len, all;

	CHECK_INT(table_open(&a, hooks, 2, false, NULL), 0);
	CHECK_INT(table_open(&b, hooks, 2, false, NULL), 0);
	for (int i = 0; i < 50000; i++) {
		e = choose_event();
		/* columns that are hidden do not grow */
		memcpy(e.event.saddr, "\0\0\0\0\0\0\0\0\0\0\xff\xff", 12);
		memcpy(e.event.daddr, e.event.saddr, 12);
		if (!number(100))
			table_set_width(a, number(4) ? 20 + number(180) : 0);
		text_reset(&narrow);
		text_reset(&whole);
		table_row(a, &e, 0, &narrow);
		table_row(b, &e, 0, &whole);
		got = last_row(&narrow, &len);
		want = last_row(&whole, &all);
		CHECK(len <= all && !memcmp(got, want, len));
		CHECK(len == all || !memcmp(want + len, " | ", 3));
	}
	table_close(a);
	table_close(b);
	text_free(&narrow);
	text_free(&whole);
}
