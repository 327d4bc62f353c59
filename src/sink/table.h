/* SPDX-License-Identifier: MIT */
/* The table: one row for each event, in the columns that were asked for. */
#ifndef LNK_TABLE_H
#define LNK_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/text.h"
#include "probes/event.h"
#include "sink/columns.h"
#include "sink/stamp.h"

/* What the table shows of a hook. */
struct table_hook {
	const char *shown;    /* the function's name */
	const char *kind;     /* "kprobe", ... */
	const char *symbol;   /* the kernel symbol it is attached to */
	uint64_t address;     /* of that symbol, 0 when it is not known */
	unsigned int ip_bias; /* how far event.ip lies behind the probed instruction */
};

struct interfaces;
struct namespaces;
struct owners;
struct resolver;
struct services;

/* How the table looks. */
struct table_view {
	const struct column_list *columns; /* with the slots of their fields */
	enum time_kind time;
	bool utc;
	bool color;
	uint64_t start_ns; /* CLOCK_MONOTONIC, for TIME_KIND_START */
	/* names for numbers; NULL: the numbers are shown */
	struct interfaces *interfaces;
	struct namespaces *namespaces;
	struct owners *owners;
	struct resolver *resolver;
	struct services *services;
};

struct table;

/*
 * `hooks` (n of them, indexed by event.hook) and what the view points to must outlive the
 * table. No view: the original's eight columns.
 */
int table_open(struct table **out, const struct table_hook *hooks, int n, bool debug,
	       const struct table_view *view);
void table_close(struct table *t);

/* The width of the terminal: rows and header end at the last column that fits. 0: they are
 * never cut. Returns whether that changes what is shown, and so asks for a new header. */
bool table_set_width(struct table *t, size_t width);

/* The header, with what it hides, and the line of dashes under it. */
void table_header(const struct table *t, struct text *out);

/* Whether the first `len` bytes of a file are, or begin with, such a header of a whole table. A
 * table of nothing but columns of the user's own is not told from other text. */
bool table_begins(const char *s, size_t len);

/*
 * One row, and with debug three lines under it: then e->extra[0] is the instruction
 * pointer. wall_offset_ns turns the event's time into wall-clock time. Where the row made
 * a column wider, so that fewer fit, a new header stands before it.
 */
void table_row(struct table *t, const struct lnk_record *e, int64_t wall_offset_ns,
	       struct text *out);

/* An address as the table shows it: IPv4 from its v4-mapped form, IPv6, or "-" for all
 * zero. `out` has room for INET6_ADDRSTRLEN (46) bytes. Returns the length. */
size_t table_address(const __u8 a[16], char *out);

/* Whose numbers the events have from the next row on. */
void table_set_hooks(struct table *t, const struct table_hook *hooks);

/* The same columns of records in which their numbers have other slots. */
void table_set_slots(struct table *t, const struct column_list *columns);

/* Names a kernel address for the debug lines: adds to *out, or adds nothing. */
void table_set_symboliser(struct table *t, void (*symbol_at)(uint64_t address, struct text *out));

#endif
