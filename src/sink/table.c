/* SPDX-License-Identifier: MIT */
/*
 * Columns are data (columns.c): heading, width and what writes the cell. Widths are the
 * original's; a cell that needs more gets it, and the column keeps the new width for the
 * rows that follow (function names longer than 18 characters, IPv6 addresses).
 *
 * On a terminal rows end at the last column that fits, and the header says what is hidden.
 * A column that becomes wider, or a terminal that was resized, can change what fits: then
 * there is a new header.
 */
#include "sink/table.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "sink/cells.h"
#include "sink/digits.h"
#include "sink/fronts.h"
#include "sink/packets.h"
#include "sink/palette.h"

#define SEPARATOR " | "
#define SEPARATOR_LEN 3
#define BLANKS 32

struct table {
	int n, visible; /* columns; of these, shown, */
	int front;      /* ... and of these, what `fronts` keeps */
	struct fronts *fronts;
	size_t limit; /* of a row; 0: none */
	bool debug, color;
	struct cells cells;
	uint64_t last_ns; /* time of the row before */
	struct packets *packets;
	int skb_slot;
	size_t row_max; /* bytes that a row can take */
	void (*symbol_at)(uint64_t address, struct text *out);
	uint64_t last_ip; /* kallsyms is read once for each new address only */
	struct text last_symbol;
	struct cell cell[];
};

size_t table_address(const __u8 a[16], char *out)
{
	char *end = put_address(a, false, out);

	*end = '\0';
	return (size_t)(end - out);
}

/* --- opening ----------------------------------------------------------------------- */

static void set_user_column(struct cell *at, const struct user_column *u)
{
	at->heading = u->name;
	at->width = u->format == FORMAT_IP ? 15 : 12;
	at->right = u->format == FORMAT_DEC || u->format == FORMAT_NS;
	at->put = cell_number;
	at->number = number_user;
	at->format = u->format;
}

static void set_column(struct cell *at, const struct column *c)
{
	at->heading = c->heading;
	at->width = c->width;
	at->right = c->right;
	at->put = c->cell ? c->cell : cell_number;
	at->number = c->number;
}

static void set_time_column(struct cell *at, enum time_kind kind)
{
	at->heading = stamp_heading(kind);
	at->width = stamp_width(kind);
	at->right = kind == TIME_KIND_START || kind == TIME_KIND_DELTA;
}

void table_set_slots(struct table *t, const struct column_list *l)
{
	struct cell *at;

	for (int i = 0; i < l->n; i++) {
		at = &t->cell[i];
		for (int k = 0; k < 2; k++)
			at->slot[k] = l->v[i].field[k] < 0 ? -1 : l->field[l->v[i].field[k]].slot;
		if (at->put == cell_delta)
			t->skb_slot = at->slot[0];
	}
	/* another program's records: its hooks may lie where those of one before did */
	fronts_forget(t->fronts);
}

static void set_cells(struct table *t, const struct column_list *l, enum time_kind time)
{
	struct cell *at;

	for (int i = 0; i < l->n; i++) {
		at = &t->cell[i];
		at->name = columns_name(l, i);
		if (l->v[i].column)
			set_column(at, l->v[i].column);
		else
			set_user_column(at, &l->user[l->v[i].user]);
		if (at->put == cell_time)
			set_time_column(at, time);
		if (strlen(at->heading) > at->width)
			at->width = strlen(at->heading);
	}
	table_set_slots(t, l);
}

/* The functions' names are known now, so the header can have their width. */
static void widen_for_hooks(struct table *t, const struct table_hook *hooks, int n)
{
	size_t len;

	for (int i = 0; i < t->n; i++) {
		if (t->cell[i].put != cell_function)
			continue;
		for (int k = 0; k < n; k++) {
			len = hooks[k].shown ? strlen(hooks[k].shown) + 2 : 0;
			if (len > t->cell[i].width)
				t->cell[i].width = len;
		}
	}
}

/* A host's name may become known while its rows are shown. */
static void set_front(struct table *t)
{
	cell_fn put;

	for (t->front = 0; t->front < t->visible && !t->cells.resolver; t->front++) {
		put = t->cell[t->front].put;
		if (put != cell_function && put != cell_src && put != cell_dst &&
		    put != cell_sport && put != cell_dport)
			break;
	}
	fronts_forget(t->fronts);
}

int table_open(struct table **out, const struct table_hook *hooks, int n, bool debug,
	       const struct table_view *view)
{
	struct column_list eight = { 0 };
	const struct table_view plain = { .columns = &eight };
	struct table *t;
	int err = 0;

	if (!view) {
		columns_default(&eight);
		view = &plain;
	}
	t = calloc(1, sizeof(*t) + (size_t)view->columns->n * sizeof(t->cell[0]));
	if (!t)
		return -ENOMEM;
	err = fronts_open(&t->fronts);
	if (err) {
		free(t);
		return err;
	}
	t->n = t->visible = view->columns->n;
	t->debug = debug;
	t->color = view->color;
	t->skb_slot = -1;
	t->cells.hooks = hooks;
	t->cells.stamp = (struct stamp){ .kind = view->time,
					 .start_ns = view->start_ns,
					 .clock.utc = view->utc };
	t->cells.interfaces = view->interfaces;
	t->cells.namespaces = view->namespaces;
	t->cells.owners = view->owners;
	t->cells.resolver = view->resolver;
	t->cells.services = view->services;
	t->row_max = FRONT_MAX + (size_t)t->n * (CELL_MAX + SEPARATOR_LEN) + 2 * PALETTE_MAX +
		     BLANKS + 1;
	set_cells(t, view->columns, view->time);
	widen_for_hooks(t, hooks, n);
	if (t->skb_slot >= 0)
		err = packets_open(&t->packets);
	if (err) {
		table_close(t);
		return err;
	}
	set_front(t);
	*out = t;
	return 0;
}

void table_close(struct table *t)
{
	if (!t)
		return;
	packets_close(t->packets);
	fronts_close(t->fronts);
	text_free(&t->last_symbol);
	free(t);
}

void table_set_hooks(struct table *t, const struct table_hook *hooks)
{
	if (t->cells.hooks == hooks)
		return;
	t->cells.hooks = hooks;
	fronts_forget(t->fronts);
}

void table_set_symboliser(struct table *t, void (*symbol_at)(uint64_t address, struct text *out))
{
	t->symbol_at = symbol_at;
}

/* --- what fits --------------------------------------------------------------------- */

/* How many columns fit; the first one is shown whatever its width. */
static int count_fitting(const struct table *t)
{
	size_t used = t->cell[0].width;
	int i;

	for (i = 1; i < t->n; i++) {
		used += SEPARATOR_LEN + t->cell[i].width;
		if (t->limit && used > t->limit)
			break;
	}
	return i;
}

bool table_set_width(struct table *t, size_t width)
{
	int before = t->visible;

	t->limit = width;
	t->visible = count_fitting(t);
	if (t->visible != before)
		set_front(t);
	return t->visible != before;
}

static void say_hidden(const struct table *t, struct text *out)
{
	text_printf(out, "hidden (the terminal has %zu columns; -W shows all):", t->limit);
	for (int i = t->visible; i < t->n; i++)
		text_printf(out, "%s %s", i > t->visible ? "," : "", t->cell[i].name);
	text_puts(out, "\n");
}

void table_header(const struct table *t, struct text *out)
{
	size_t dashes = SEPARATOR_LEN * ((size_t)t->visible - 1);
	int i;

	if (t->visible < t->n)
		say_hidden(t, out);
	for (i = 0; i < t->visible; i++) {
		text_printf(out, t->cell[i].right ? "%s%*s" : "%s%-*s", i ? SEPARATOR : "",
			    (int)t->cell[i].width, t->cell[i].heading);
		dashes += t->cell[i].width;
	}
	text_add(out, "\n", 1);
	while (dashes--)
		text_add(out, "-", 1);
	text_add(out, "\n", 1);
}

/* Also a name that a column of the user's may have; *known: it is one of ours. */
static bool is_heading(const char *s, size_t len, bool *known)
{
	bool ours = false;
	int i;

	for (i = 0; i < column_count && !ours; i++)
		ours = strlen(column_table[i].heading) == len &&
		       !memcmp(column_table[i].heading, s, len);
	for (i = 0; i < TIME_KIND_NR && !ours; i++)
		ours = strlen(stamp_heading((enum time_kind)i)) == len &&
		       !memcmp(stamp_heading((enum time_kind)i), s, len);
	*known |= ours;
	for (i = 0; i < (int)len && !ours; i++)
		if (!isalnum((unsigned char)s[i]) && s[i] != '_')
			return false;
	return len;
}

bool table_begins(const char *s, size_t len)
{
	const char *end = memchr(s, '\n', len), *at, *next;
	size_t width = end ? (size_t)(end - s) : 0, n;
	bool known = false;

	if (!width || len < 2 * width + 2 || s[2 * width + 1] != '\n')
		return false;
	for (n = 0; n < width; n++)
		if (end[1 + n] != '-')
			return false;
	for (at = s; at; at = next ? next + SEPARATOR_LEN : NULL) {
		next = memmem(at, (size_t)(end - at), SEPARATOR, SEPARATOR_LEN);
		n = (size_t)((next ? next : end) - at);
		for (; n && *at == ' '; n--)
			at++;
		while (n && at[n - 1] == ' ')
			n--;
		if (!is_heading(at, n, &known))
			return false;
	}
	return known;
}

/* --- rows -------------------------------------------------------------------------- */

/* The kernel's bytes for the function are the hook's number; the name is the host's. */
static void debug_lines(struct table *t, const struct lnk_record *e, struct text *out)
{
	const struct table_hook *h = &t->cells.hooks[e->event.hook];
	/* what kallsyms hides of this user (kptr_restrict) the registers must not tell */
	uint64_t ip = h->address ? e->extra[0] : 0, at = ip ? ip - h->ip_bias : h->address;

	text_puts(out, "  Debug - Function name: '");
	text_add_escaped(out, h->shown, strlen(h->shown), false);
	text_printf(out,
		    "'\n  Debug - Raw bytes: [%u, %u]\n  Debug - Probed at: ", e->event.hook & 0xff,
		    e->event.hook >> 8);
	if (at)
		text_printf(out, "0x%llx ", (unsigned long long)at);
	if (at && at != t->last_ip) {
		text_reset(&t->last_symbol);
		if (t->symbol_at)
			t->symbol_at(at, &t->last_symbol);
		t->last_ip = at;
	}
	if (at && t->last_symbol.len) {
		text_add_escaped(out, t->last_symbol.s, t->last_symbol.len, false);
		text_puts(out, " ");
	}
	text_printf(out, "(%s ", h->kind);
	text_add_escaped(out, h->symbol, strlen(h->symbol), false);
	text_puts(out, ip            ? ", from the registers)\n"
		       : at          ? ", from kallsyms)\n"
		       : e->extra[0] ? ", its address is hidden: kptr_restrict)\n"
				     : ")\n");
}

/* n blanks at p. What stands behind them is written over: few are one or two stores. */
static inline void put_blanks(char *p, size_t n)
{
	static const char blanks[BLANKS + 1] = "                                ";

	if (n <= BLANKS)
		memcpy(p, blanks, BLANKS);
	else
		memset(p, ' ', n);
}

static void align_right(char *cell, size_t len, size_t width)
{
	memmove(cell + width - len, cell, len);
	memset(cell, ' ', width - len);
}

/* Cells up to `to`, each but the row's last one with " | " behind it; the last one is padded
 * too, as ever. Inlined, or a row takes 8 ns more. */
static inline __attribute__((always_inline)) char *put_cells(struct table *t,
							     const struct lnk_record *e,
							     struct cell *at, const struct cell *to,
							     char *p)
{
	const struct cell *end = t->cell + t->visible;
	size_t len, width;
	char *cell;

	while (at < to) {
		cell = p;
		len = (size_t)(at->put(&t->cells, at, e, cell) - cell);
		width = at->width;
		if (len > width) {
			at->width = width = len;
			fronts_forget(t->fronts);
		}
		if (at->right)
			align_right(cell, len, width);
		else
			put_blanks(cell + len, width - len);
		p = cell + width;
		if (++at == end)
			return p;
		memcpy(p, SEPARATOR, SEPARATOR_LEN);
		p += SEPARATOR_LEN;
	}
	return p;
}

static char *put_front(struct table *t, const struct lnk_record *e, char *p)
{
	char *end = fronts_put(t->fronts, &e->event, p);

	if (end)
		return end;
	end = put_cells(t, e, t->cell, t->cell + t->front, p);
	fronts_keep(t->fronts, &e->event, p, (size_t)(end - p));
	return end;
}

static void note_times(struct table *t, const struct lnk_record *e)
{
	struct cells *c = &t->cells;
	uint64_t before;

	c->has_gap = t->last_ns != 0;
	c->gap_ns = (int64_t)(e->event.time_ns - t->last_ns);
	t->last_ns = e->event.time_ns;
	if (!t->packets)
		return;
	c->has_delta = e->extra[t->skb_slot] != LNK_UNKNOWN &&
		       packets_note(t->packets, &e->event, e->extra[t->skb_slot], &before);
	if (c->has_delta)
		c->delta_ns = (int64_t)(e->event.time_ns - before);
}

static bool add_row(struct table *t, const struct lnk_record *e, struct text *out)
{
	char *row = text_reserve(out, t->row_max), *p = row, *cells;
	struct cell *rest = t->cell;

	if (!row)
		return true;
	if (t->color)
		p = palette_begin(&e->event, p);
	cells = p;
	if (t->front && fronts_try(t->fronts)) {
		p = put_front(t, e, p);
		rest += t->front;
	}
	p = put_cells(t, e, rest, t->cell + t->visible, p);
	if (t->limit && (size_t)(p - cells) > t->limit && t->visible > 1)
		return false;
	if (t->color)
		p = palette_end(p);
	*p++ = '\n';
	text_commit(out, (size_t)(p - row));
	return true;
}

void table_row(struct table *t, const struct lnk_record *e, int64_t wall_offset_ns,
	       struct text *out)
{
	t->cells.wall_offset_ns = wall_offset_ns;
	note_times(t, e);
	if (!add_row(t, e, out)) { /* a column grew: not all of them fit any more */
		table_set_width(t, t->limit);
		table_header(t, out);
		add_row(t, e, out);
	}
	if (t->debug)
		debug_lines(t, e, out);
}
