/* SPDX-License-Identifier: MIT */
/* Which number is in which slot of a program's records. */
#ifndef LNK_COLLECTED_H
#define LNK_COLLECTED_H

#include "probes/event.h"
#include "sink/columns.h"

struct collected {
	struct {
		char *name; /* NULL: no column's */
		char *expr; /* struct column_field */
	} v[LNK_MAX_EXTRA];
};

/* The slots that the fields of `l` have. Returns 0 or -ENOMEM. */
int collected_note(struct collected *c, const struct column_list *l);
int collected_copy(struct collected *c, const struct collected *from);
void collected_free(struct collected *c);

/* The slot of a field of the probes; -1: it is not collected. */
int collected_slot(const struct collected *c, const char *field);

/* Gives every field of `l` its slot. Returns NULL, or the first field that is not collected. */
const struct column_field *collected_assign(const struct collected *c, struct column_list *l);

/* For records of one program that are shown by the slots of another: where each of these
 * numbers is; -1: nowhere. */
void collected_map(const struct collected *from, const struct collected *to,
		   int map[LNK_MAX_EXTRA]);
void collected_move(struct lnk_record *e, const int map[LNK_MAX_EXTRA]);

#endif
