/* SPDX-License-Identifier: MIT */
/*
 * Rows that are written to a file as well: every column, without colours, from when the file
 * was named until a write fails or it is given up.
 */
#ifndef LNK_TEE_H
#define LNK_TEE_H

#include <stdbool.h>
#include <stdint.h>

#include "app/view.h"
#include "base/text.h"
#include "sink/table.h"

struct tee {
	char *path; /* as it was typed; NULL: there is no file */
	int fd;
	struct table *table;
	struct text buf;
	size_t *ends; /* in buf, of each row */
	size_t ends_n, ends_cap;
	uint64_t rows; /* that are in the file */
};

/* Begins, with a header. The descriptor becomes the tee's, also on failure. Returns 0 or
 * -ENOMEM. */
int tee_begin(struct tee *t, int fd, const char *path, const struct view *v,
	      const struct table_hook *hooks, int n, bool debug);

/* The columns have changed, and so the header: -ENOMEM ends it. */
int tee_look(struct tee *t, const struct view *v, const struct table_hook *hooks, int n,
	     bool debug);

/* Adds one row; or a line that is none. Nothing where there is no file. */
void tee_row(struct tee *t, const struct table_hook *hooks, const struct lnk_record *e,
	     int64_t wall_offset_ns);
void tee_line(struct tee *t, const char *s, size_t len);

/* Writes what was added. On failure it is ended, and *why says so with the rows that are in the
 * file and those that are not. */
int tee_write(struct tee *t, struct text *why);

/* Writes what was added, closes the file, and says how many rows are in it. */
int tee_end(struct tee *t, struct text *out);

#endif
