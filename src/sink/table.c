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

/* No cell is longer, and no row: the function's name is cut at 150 bytes, an address has
 * at most 45, and a column is as wide as its widest cell. */
#define CELL_MAX 160
#define ROW_MAX 1024

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

/* Writes a cell at p, at most CELL_MAX bytes, and returns its end. */
typedef char *(*cell_fn)(struct table *t, const struct lnk_event *e, char *p);

static char *decimal(uint32_t v, char *p)
{
	static const char pairs[] = "0001020304050607080910111213141516171819"
				    "2021222324252627282930313233343536373839"
				    "4041424344454647484950515253545556575859"
				    "6061626364656667686970717273747576777879"
				    "8081828384858687888990919293949596979899";
	char digits[10], *d = digits + sizeof(digits);
	size_t n;

	while (v >= 100) {
		d -= 2;
		memcpy(d, pairs + v % 100 * 2, 2);
		v /= 100;
	}
	if (v >= 10) {
		d -= 2;
		memcpy(d, pairs + v * 2, 2);
	} else {
		*--d = (char)('0' + v);
	}
	n = (size_t)(digits + sizeof(digits) - d);
	memcpy(p, d, n);
	return p + n;
}

static char *put_address(const __u8 a[16], char *p)
{
	static const __u8 mapped[12] = { [10] = 0xff, [11] = 0xff }, none[16];
	int i;

	if (!memcmp(a, mapped, sizeof(mapped))) {
		p = decimal(a[12], p);
		for (i = 13; i < 16; i++) {
			*p++ = '.';
			p = decimal(a[i], p);
		}
		return p;
	}
	if (!memcmp(a, none, sizeof(none))) {
		*p++ = '-';
		return p;
	}
	inet_ntop(AF_INET6, a, p, INET6_ADDRSTRLEN);
	return p + strlen(p);
}

size_t table_address(const __u8 a[16], char *out)
{
	char *end = put_address(a, out);

	*end = '\0';
	return (size_t)(end - out);
}

static char *cell_function(struct table *t, const struct lnk_event *e, char *p)
{
	const char *name = t->hooks[e->hook].shown;
	size_t n = strnlen(name, 150);

	*p++ = '[';
	memcpy(p, name, n);
	p += n;
	*p++ = ']';
	return p;
}

static char *cell_saddr(struct table *t, const struct lnk_event *e, char *p)
{
	(void)t;
	return put_address(e->saddr, p);
}

static char *cell_daddr(struct table *t, const struct lnk_event *e, char *p)
{
	(void)t;
	return put_address(e->daddr, p);
}

static char *cell_sport(struct table *t, const struct lnk_event *e, char *p)
{
	(void)t;
	return decimal(e->sport, p);
}

static char *cell_dport(struct table *t, const struct lnk_event *e, char *p)
{
	(void)t;
	return decimal(e->dport, p);
}

static char *cell_seq(struct table *t, const struct lnk_event *e, char *p)
{
	(void)t;
	return decimal(e->seq, p);
}

static char *cell_ack_seq(struct table *t, const struct lnk_event *e, char *p)
{
	(void)t;
	return decimal(e->ack_seq, p);
}

static char *cell_time(struct table *t, const struct lnk_event *e, char *p)
{
	const char *s = clock_stamp(&t->stamp, e->time_ns + (uint64_t)t->wall_offset_ns);
	size_t n = strlen(s);

	memcpy(p, s, n);
	return p + n;
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

void table_header(const struct table *t, struct text *out)
{
	size_t c, dashes = 3 * (COLUMNS - 1);

	for (c = 0; c < COLUMNS; c++) {
		text_printf(out, "%s%-*s", c ? " | " : "", (int)t->width[c], columns[c].name);
		dashes += t->width[c];
	}
	text_add(out, "\n", 1);
	while (dashes--)
		text_add(out, "-", 1);
	text_add(out, "\n", 1);
}

/* The kernel's bytes for the function are the hook's number; the name is the host's. */
static void debug_lines(struct table *t, const struct lnk_record *e, struct text *out)
{
	const struct table_hook *h = &t->hooks[e->event.hook];
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

/* Cells left-aligned and joined by " | "; the last one is padded too, as ever. */
void table_row(struct table *t, const struct lnk_record *e, int64_t wall_offset_ns,
	       struct text *out)
{
	char *row = text_reserve(out, ROW_MAX), *p = row, *cell;
	size_t c, len;

	if (!row)
		return;
	t->wall_offset_ns = wall_offset_ns;
	for (c = 0; c < COLUMNS; c++) {
		if (c) {
			memcpy(p, " | ", 3);
			p += 3;
		}
		cell = p;
		p = columns[c].cell(t, &e->event, cell);
		len = (size_t)(p - cell);
		if (len > t->width[c])
			t->width[c] = len;
		memset(p, ' ', t->width[c] - len);
		p = cell + t->width[c];
	}
	*p++ = '\n';
	text_commit(out, (size_t)(p - row));
	if (t->debug)
		debug_lines(t, e, out);
}
