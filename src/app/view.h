/* SPDX-License-Identifier: MIT */
/* From the options to the table's looks. */
#ifndef LNK_VIEW_H
#define LNK_VIEW_H

#include <stdbool.h>
#include <stdint.h>

#include "base/text.h"
#include "conf/config.h"
#include "sink/collected.h"
#include "sink/columns.h"
#include "sink/table.h"

struct view {
	struct column_list *columns; /* the slots of its fields are for ask_parse() to set */
	struct table_view table;
	bool wide;
	bool tty;
	bool owners_limited; /* not all processes can be seen, which was not said yet */
	uint64_t refreshed_ns;
};

/* The columns that `conf` asks for. Returns 0, or -EINVAL with one line in *why. */
int view_columns(struct column_list *l, const struct config *conf, struct text *why);

/* Reads the columns that were asked for. Returns 0, or -EINVAL with one line in *why. */
int view_parse(struct view *v, const struct config *conf, struct text *why);

/* Opens what names are taken from: before confine(), and before there are descriptors that
 * the resolver's process has no use for. Without a name there is its number; what a filter
 * cannot do without is an error, and printed. Returns 0 or -errno. */
int view_open(struct view *v, const struct config *conf);

/* Whether it matters who has a socket, for a row that is shown or not, or for a column. */
bool view_needs_owners(struct view *v, const struct config *conf);

/* For a table on a terminal, or not, that begins now. */
void view_begin(struct view *v, const struct config *conf, bool tty);

/* Takes in what names changed. To be called before rows are made. */
void view_refresh(struct view *v, uint64_t now_ns);

/*
 * Another look for a table that is open: first all that may fail, then the rest. Where only
 * slots have changed the table stays, with the widths it has come to.
 */
struct view_change {
	struct column_list *columns;
	struct table_view looks;
	bool wide;
	struct table *table; /* NULL: the old one stays */
};

/*
 * As `conf` asks, of the numbers that are collected. `hooks` are the table's. Returns 0;
 * -EINVAL with one line in *why; -ENODATA where a column needs a number that is not collected;
 * -ENOMEM.
 */
int view_prepare(const struct view *v, struct view_change *change, const struct config *conf,
		 const struct collected *collected, const struct table_hook *hooks, int n,
		 struct text *why);
/* Returns whether *t has become another table. */
bool view_adopt(struct view *v, struct view_change *change, struct table **t);
void view_forget(struct view_change *change);

void view_close(struct view *v);

#endif
