/* SPDX-License-Identifier: MIT */
/* How the cells of the table are written; columns.c says which is whose. */
#ifndef LNK_CELLS_H
#define LNK_CELLS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "probes/event.h"
#include "sink/columns.h"
#include "sink/stamp.h"

/* No cell is longer: the function's name is cut at 150 bytes, names of other things at
 * NAME_CELL_MAX, an address has at most 45. */
#define CELL_MAX 160
#define NAME_CELL_MAX 100

struct interfaces;
struct namespaces;
struct owners;
struct resolver;
struct services;

/* What the cells of one row have in common. */
struct cells {
	const struct table_hook *hooks;
	struct stamp stamp;
	int64_t wall_offset_ns;
	int64_t gap_ns, delta_ns; /* since the last row; since this packet's previous one */
	bool has_gap, has_delta;
	/* names of numbers; NULL: the numbers are shown */
	struct interfaces *interfaces;
	struct namespaces *namespaces;
	struct owners *owners;
	struct resolver *resolver;
	struct services *services;
};

/* One column as it is shown. */
struct cell {
	cell_fn put;
	number_fn number;
	int slot[2]; /* -1: not collected */
	bool right;
	size_t width;
	const char *heading, *name;
	enum column_format format; /* of a user's */
};

/* What stands in a cell where nothing is known. */
static inline char *put_unknown(char *p)
{
	*p = '-';
	return p + 1;
}

/* The number of slot k, or LNK_UNKNOWN. */
static inline __u64 cell_value(const struct cell *at, int k, const struct lnk_record *e)
{
	return at->slot[k] < 0 ? LNK_UNKNOWN : e->extra[at->slot[k]];
}

char *cell_function(struct cells *c, const struct cell *at, const struct lnk_record *e, char *p);
char *cell_src(struct cells *c, const struct cell *at, const struct lnk_record *e, char *p);
char *cell_dst(struct cells *c, const struct cell *at, const struct lnk_record *e, char *p);
char *cell_sport(struct cells *c, const struct cell *at, const struct lnk_record *e, char *p);
char *cell_dport(struct cells *c, const struct cell *at, const struct lnk_record *e, char *p);
char *cell_seq(struct cells *c, const struct cell *at, const struct lnk_record *e, char *p);
char *cell_ack(struct cells *c, const struct cell *at, const struct lnk_record *e, char *p);
char *cell_time(struct cells *c, const struct cell *at, const struct lnk_record *e, char *p);
char *cell_delta(struct cells *c, const struct cell *at, const struct lnk_record *e, char *p);
char *cell_gap(struct cells *c, const struct cell *at, const struct lnk_record *e, char *p);
char *cell_ifname(struct cells *c, const struct cell *at, const struct lnk_record *e, char *p);

/* A cell of one number: "-" where it is not known, else what at->number writes. */
char *cell_number(struct cells *c, const struct cell *at, const struct lnk_record *e, char *p);

char *number_dec(struct cells *c, const struct cell *at, const struct lnk_record *e, __u64 v,
		 char *p);
char *number_hex(struct cells *c, const struct cell *at, const struct lnk_record *e, __u64 v,
		 char *p);
char *number_ms(struct cells *c, const struct cell *at, const struct lnk_record *e, __u64 v,
		char *p);
char *number_flags(struct cells *c, const struct cell *at, const struct lnk_record *e, __u64 v,
		   char *p);
char *number_state(struct cells *c, const struct cell *at, const struct lnk_record *e, __u64 v,
		   char *p);
char *number_netns(struct cells *c, const struct cell *at, const struct lnk_record *e, __u64 v,
		   char *p);
char *number_pid(struct cells *c, const struct cell *at, const struct lnk_record *e, __u64 v,
		 char *p);
char *number_comm(struct cells *c, const struct cell *at, const struct lnk_record *e, __u64 v,
		  char *p);
char *number_user(struct cells *c, const struct cell *at, const struct lnk_record *e, __u64 v,
		  char *p);

#endif
