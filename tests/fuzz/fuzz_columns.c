/* SPDX-License-Identifier: MIT */
/* The lists of -o and --col, and a row of the table that they make: zero-terminated words,
 * the last of them the list, then the width of the terminal and a record. */
#include "fuzz.h"

#include "sink/columns.h"
#include "sink/table.h"

#define MAX_WORDS 20

static void look_at_list(const struct column_list *l)
{
	REQUIRE(l->n >= 1 && l->n <= COLUMNS_MAX);
	REQUIRE(l->nfields >= 0 && l->nfields <= COLUMNS_MAX);
	for (int i = 0; i < l->n; i++) {
		REQUIRE(columns_have(l, columns_name(l, i)));
		for (int k = 0; k < i; k++)
			REQUIRE(strcmp(columns_name(l, i), columns_name(l, k)) != 0);
		for (int k = 0; k < 2; k++)
			REQUIRE(l->v[i].field[k] >= -1 && l->v[i].field[k] < l->nfields);
	}
	for (int i = 0; i < l->users; i++)
		REQUIRE(l->user[i].expr && *l->user[i].expr && *l->user[i].name);
}

/* As many as there is room for; the others are not collected. */
static void give_slots(struct column_list *l)
{
	for (int i = 0; i < l->nfields && i < LNK_MAX_EXTRA; i++)
		l->field[i].slot = i;
}

static void make_rows(struct input *in, struct column_list *l)
{
	static const struct table_hook hook = { .shown = "f", .kind = "kprobe", .symbol = "f" };
	struct table_view view = { .columns = l };
	struct table *t = NULL;
	struct text out = { 0 };
	struct lnk_record e;
	size_t len;
	uint8_t *bytes;

	view.time = take_number(in, 1) % TIME_KIND_NR;
	view.utc = take_number(in, 1) & 1;
	REQUIRE(!table_open(&t, &hook, 1, false, &view));
	table_set_width(t, take_number(in, 1));
	table_header(t, &out);
	do {
		memset(&e, 0xff, sizeof(e));
		bytes = take_bytes(in, sizeof(e), &len);
		memcpy(&e, bytes, len);
		free(bytes);
		e.event.hook = 0;
		table_row(t, &e, 0, &out);
	} while (in->left);
	REQUIRE(out.len && out.s[out.len - 1] == '\n');
	REQUIRE(is_safe_text(out.s, out.len, true) && !memchr(out.s, '\t', out.len));
	table_close(t);
	text_free(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct input in = { data, size };
	struct column_list l = { 0 };
	struct text why = { 0 };
	int words = (int)take_number(&in, 1) % MAX_WORDS, err = 0;
	char *word;

	for (int i = 0; i < words && !err; i++) {
		word = take_string(&in);
		err = columns_add(&l, word, &why);
		free(word);
	}
	word = take_string(&in);
	if (!err)
		err = columns_parse(&l, *word ? word : NULL, &why);
	free(word);
	REQUIRE(!err == !why.len);
	if (err) {
		REQUIRE(is_safe_text(why.s, why.len, false));
	} else {
		look_at_list(&l);
		give_slots(&l);
		make_rows(&in, &l);
	}
	columns_free(&l);
	text_free(&why);
	return 0;
}
