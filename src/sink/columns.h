/* SPDX-License-Identifier: MIT */
/*
 * Which columns the table has. columns.c holds the registry: what a column is called, how
 * wide it is, and which numbers it needs beside struct lnk_event. Those are "fields" of
 * the probes; who builds the probe program gives each a slot in struct lnk_record.
 *
 *	columns_add(&list, "rtt_min=sk->...:ns", &why);		(--col, any number)
 *	columns_parse(&list, "function,src,seq,flags", &why);	(-o, or NULL)
 *	for (i = 0; i < list.nfields; i++)
 *		list.field[i].slot = ...;
 *	table_open(...);
 */
#ifndef LNK_COLUMNS_H
#define LNK_COLUMNS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/text.h"
#include "probes/event.h"

#define COLUMNS_MAX 64      /* in one table */
#define USER_COLUMNS_MAX 16 /* made with --col */
#define COLUMN_NAME_MAX 24

struct cells;
struct cell;

/* A cell from what is in every event or made here, and one from a collected number. Both
 * write at p, at most CELL_MAX bytes, and return the end. */
typedef char *(*cell_fn)(struct cells *c, const struct cell *at, const struct lnk_record *e,
			 char *p);
typedef char *(*number_fn)(struct cells *c, const struct cell *at, const struct lnk_record *e,
			   __u64 v, char *p);

struct column {
	const char *name; /* as the user types it */
	const char *heading;
	size_t width;         /* at first: a cell that needs more gets it */
	bool right;           /* aligned */
	const char *field[2]; /* fields of the probes; NULL: none */
	cell_fn cell;         /* columns without a field, and those that look at them themselves */
	number_fn number;     /* of field[0], where that is known */
};

/* How the number of a user's column is shown. */
enum column_format {
	FORMAT_DEC,
	FORMAT_HEX,
	FORMAT_IP, /* an IPv4 address in network byte order */
	FORMAT_NS, /* a time in nanoseconds */
	FORMAT_NR
};

struct user_column {
	char name[COLUMN_NAME_MAX + 1];
	char *expr; /* untouched: it is for who builds the probe program */
	enum column_format format;
};

/* A number that the probes have to collect. */
struct column_field {
	const char *name;
	const char *expr; /* of a user's column; NULL: `name` is a field of the probes */
	int slot;         /* in lnk_record.extra; -1: not collected */
};

struct column_list {
	struct {
		const struct column *column; /* NULL: a user's */
		int user;
		int field[2]; /* place in the list below; -1: none */
	} v[COLUMNS_MAX];
	int n;
	struct user_column user[USER_COLUMNS_MAX];
	int users;
	struct column_field field[COLUMNS_MAX];
	int nfields;
};

/*
 * Adds a column of the user's: NAME=EXPR[:FORMAT], FORMAT one of dec, hex, ip and ns.
 * Before columns_parse(). Returns 0, or -EINVAL with one line in *why.
 */
int columns_add(struct column_list *l, const char *definition, struct text *why);

/*
 * Chooses the columns: names in their order. Where the first one has a sign, +NAME is
 * added to the default ones and -NAME taken out. NULL: the default ones. The user's own
 * that are not named come last. Every field's slot is -1 then. Returns 0, or -EINVAL with
 * one line in *why.
 */
int columns_parse(struct column_list *l, const char *list, struct text *why);

/* The default ones, of a list that is { 0 }. */
void columns_default(struct column_list *l);
void columns_free(struct column_list *l);

/* A number that is collected although no column shows it; and the slot of one, -1: none. */
void columns_need(struct column_list *l, const char *field);

int columns_slot(const struct column_list *l, const char *field);

/* Whether the list has this column. */
bool columns_have(const struct column_list *l, const char *name);

const char *columns_name(const struct column_list *l, int i); /* as the user types it */

/* Every column there is, in the order of the documentation. */
extern const struct column column_table[];
extern const int column_count;

#endif
