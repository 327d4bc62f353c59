/* SPDX-License-Identifier: MIT */
/* The table: one row for each event, in the original's eight columns. */
#ifndef LNK_TABLE_H
#define LNK_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/text.h"
#include "probes/event.h"

/* What the table shows of a hook. */
struct table_hook {
	const char *shown;    /* the function's name */
	const char *kind;     /* "kprobe", ... */
	const char *symbol;   /* the kernel symbol it is attached to */
	uint64_t address;     /* of that symbol, 0 when it is not known */
	unsigned int ip_bias; /* how far event.ip lies behind the probed instruction */
};

struct table;

/* `hooks` (n of them, indexed by event.hook) must outlive the table. */
int table_open(struct table **out, const struct table_hook *hooks, int n, bool debug);
void table_close(struct table *t);

/* The header and the line of dashes under it. */
void table_header(const struct table *t, struct text *out);

/*
 * One row, and with debug three lines under it: then e->extra[0] is the instruction
 * pointer. wall_offset_ns turns the event's time
 * into wall-clock time. symbol_at() names an address (may be NULL).
 */
void table_row(struct table *t, const struct lnk_record *e, int64_t wall_offset_ns,
	       struct text *out);

/* An address as the table shows it: IPv4 from its v4-mapped form, IPv6, or "-" for all
 * zero. `out` has room for INET6_ADDRSTRLEN (46) bytes. Returns the length. */
size_t table_address(const __u8 a[16], char *out);

/* Names a kernel address for the debug lines: adds to *out, or adds nothing. */
void table_set_symboliser(struct table *t, void (*symbol_at)(uint64_t address, struct text *out));

#endif
