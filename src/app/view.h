/* SPDX-License-Identifier: MIT */
/* From the options to the table's looks. */
#ifndef LNK_VIEW_H
#define LNK_VIEW_H

#include <stdbool.h>
#include <stdint.h>

#include "base/text.h"
#include "conf/config.h"
#include "sink/columns.h"
#include "sink/table.h"

struct view {
	struct column_list columns; /* the slots of its fields are for the session to set */
	struct table_view table;
	bool wide;
	uint64_t refreshed_ns;
	/* the numbers that the probes collect, whatever the columns are now */
	struct column_field collected[COLUMNS_MAX];
	int ncollected;
};

/*
 * Reads the columns that were asked for. Returns 0, or -EINVAL with one line in *why. The
 * view must stay where it is.
 */
int view_parse(struct view *v, const struct config *conf, struct text *why);

/* Opens what names are taken from: before confine(), and before there are descriptors that
 * the resolver's process has no use for. */
void view_open(struct view *v, const struct config *conf);

/* For a table on a terminal, or not, that begins now. */
void view_begin(struct view *v, const struct config *conf, bool tty);

/* Takes in what names changed. To be called before rows are made. */
void view_refresh(struct view *v, uint64_t now_ns);

/*
 * Other columns for a table that is open, of the numbers that are collected. *t becomes a
 * new table. Returns 0; -EINVAL with one line in *why; -ENOMEM. Nothing has changed then.
 */
int view_change_columns(struct view *v, const struct config *conf, const char *list,
			struct table **t, const struct table_hook *hooks, int n, struct text *why);

void view_close(struct view *v);

#endif
