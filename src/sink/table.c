/* SPDX-License-Identifier: MIT */
/*
 * Columns are data: name, width and what prints the cell. Widths are the original's; a
 * cell that needs more gets it, and the column keeps the new width for the rows that
 * follow (function names longer than 18 characters, IPv6 addresses).
 */
#include "sink/table.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"

#define CELL_MAX 160

struct table {
	const struct table_hook *hooks;
	int n;
	bool debug;
	struct clock_stamp stamp;
	int64_t wall_offset_ns; /* of the row that is being made */
	void (*symbol_at)(uint64_t address, struct text *out);
	uint64_t last_ip; /* kallsyms is read once for each new address only */
	struct text last_symbol;
	size_t width[];
};

typedef size_t (*cell_fn)(struct table *t, const struct lnk_event *e, char out[CELL_MAX]);

static size_t decimal(uint32_t v, char *out)
{
	char digits[10];
	size_t n = 0, i;

	do
		digits[n++] = (char)('0' + v % 10);
	while (v /= 10);
	for (i = 0; i < n; i++)
		out[i] = digits[n - 1 - i];
	return n;
}

size_t table_address(const __u8 a[16], char *out)
{
	static const __u8 mapped[12] = { [10] = 0xff, [11] = 0xff }, none[16];
	size_t n = 0;
	int i;

	if (!memcmp(a, mapped, sizeof(mapped))) {
		for (i = 12; i < 16; i++) {
			n += decimal(a[i], out + n);
			out[n++] = '.';
		}
		out[--n] = '\0';
		return n;
	}
	if (!memcmp(a, none, sizeof(none))) {
		strcpy(out, "-");
		return 1;
	}
	inet_ntop(AF_INET6, a, out, INET6_ADDRSTRLEN);
	return strlen(out);
}

static size_t cell_function(struct table *t, const struct lnk_event *e, char out[CELL_MAX])
{
	return (size_t)snprintf(out, CELL_MAX, "[%.150s]", t->hooks[e->hook].shown);
}

static size_t cell_saddr(struct table *t, const struct lnk_event *e, char out[CELL_MAX])
{
	(void)t;
	return table_address(e->saddr, out);
}

static size_t cell_daddr(struct table *t, const struct lnk_event *e, char out[CELL_MAX])
{
	(void)t;
	return table_address(e->daddr, out);
}

static size_t cell_sport(struct table *t, const struct lnk_event *e, char out[CELL_MAX])
{
	(void)t;
	return decimal(e->sport, out);
}

static size_t cell_dport(struct table *t, const struct lnk_event *e, char out[CELL_MAX])
{
	(void)t;
	return decimal(e->dport, out);
}

static size_t cell_seq(struct table *t, const struct lnk_event *e, char out[CELL_MAX])
{
	(void)t;
	return decimal(e->seq, out);
}

static size_t cell_ack_seq(struct table *t, const struct lnk_event *e, char out[CELL_MAX])
{
	(void)t;
	return decimal(e->ack_seq, out);
}

static size_t cell_time(struct table *t, const struct lnk_event *e, char out[CELL_MAX])
{
	const char *s = clock_stamp(&t->stamp, e->time_ns + (uint64_t)t->wall_offset_ns);
	size_t n = strlen(s);

	memcpy(out, s, n);
	return n;
}

static const struct column {
	const char *name;
	size_t width;
	cell_fn cell;
} columns[] = {
	{ "KERNEL FUNCTION", 20, cell_function },
	{ "SRC IP", 17, cell_saddr },
	{ "DST IP", 17, cell_daddr },
	{ "SRC PORT", 10, cell_sport },
	{ "DST PORT", 10, cell_dport },
	{ "SEQ", 14, cell_seq },
	{ "ACK SEQ", 14, cell_ack_seq },
	{ "TIMESTAMP", 26, cell_time },
};
#define COLUMNS (sizeof(columns) / sizeof(columns[0]))

int table_open(struct table **out, const struct table_hook *hooks, int n, bool debug)
{
	struct table *t = calloc(1, sizeof(*t) + COLUMNS * sizeof(t->width[0]));
	size_t c, len;
	int i;

	if (!t)
		return -ENOMEM;
	t->hooks = hooks;
	t->n = n;
	t->debug = debug;
	for (c = 0; c < COLUMNS; c++)
		t->width[c] = columns[c].width;
	for (i = 0; i < n; i++) { /* known now, so the header can have it */
		len = hooks[i].shown ? strlen(hooks[i].shown) + 2 : 0;
		if (len > t->width[0])
			t->width[0] = len;
	}
	*out = t;
	return 0;
}

void table_close(struct table *t)
{
	if (!t)
		return;
	text_free(&t->last_symbol);
	free(t);
}

void table_set_symboliser(struct table *t, void (*symbol_at)(uint64_t address, struct text *out))
{
	t->symbol_at = symbol_at;
}

static void pad(struct text *out, size_t from, size_t to)
{
	static const char blanks[] = "                                                        ";
	size_t n;

	for (; from < to; from += n) {
		n = to - from < sizeof(blanks) - 1 ? to - from : sizeof(blanks) - 1;
		text_add(out, blanks, n);
	}
}

/* Cells left-aligned and joined by " | "; the last one is padded too, as ever. */
static void add_cell(struct text *out, size_t c, size_t width, const char *s, size_t len)
{
	if (c)
		text_add(out, " | ", 3);
	text_add(out, s, len);
	pad(out, len, width);
}

void table_header(const struct table *t, struct text *out)
{
	size_t c, dashes = 3 * (COLUMNS - 1);

	for (c = 0; c < COLUMNS; c++) {
		add_cell(out, c, t->width[c], columns[c].name, strlen(columns[c].name));
		dashes += t->width[c];
	}
	text_add(out, "\n", 1);
	while (dashes--)
		text_add(out, "-", 1);
	text_add(out, "\n", 1);
}

/* The kernel's bytes for the function are the hook's number; the name is the host's. */
static void debug_lines(struct table *t, const struct lnk_event_debug *e, struct text *out)
{
	const struct table_hook *h = &t->hooks[e->event.hook];
	uint64_t at = e->ip ? e->ip : h->address;

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
	text_puts(out, e->ip ? ", from the registers)\n" : at ? ", from kallsyms)\n" : ")\n");
}

void table_row(struct table *t, const struct lnk_event_debug *e, int64_t wall_offset_ns,
	       struct text *out)
{
	char cell[CELL_MAX];
	size_t c, len;

	t->wall_offset_ns = wall_offset_ns;
	for (c = 0; c < COLUMNS; c++) {
		len = columns[c].cell(t, &e->event, cell);
		if (len > t->width[c])
			t->width[c] = len;
		add_cell(out, c, t->width[c], cell, len);
	}
	text_add(out, "\n", 1);
	if (t->debug)
		debug_lines(t, e, out);
}
