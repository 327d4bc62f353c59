/* SPDX-License-Identifier: MIT */
/*
 * The fronts of rows: the leading cells that say nothing but which function and which
 * connection. Few of them come again and again, so they are kept as text.
 */
#ifndef LNK_FRONTS_H
#define LNK_FRONTS_H

#include <stdbool.h>
#include <stddef.h>

#include "probes/event.h"

/* A longer front is not kept. Writing one may store so many bytes. */
#define FRONT_MAX 144

struct fronts;

int fronts_open(struct fronts **out);
void fronts_close(struct fronts *f);

/* Widths, names or columns are others from now on. */
void fronts_forget(struct fronts *f);

/* Before each row: whether to look for its front. */
bool fronts_try(struct fronts *f);

/* The front of this event's row at p, where there is room for FRONT_MAX bytes. Returns its
 * end; NULL: it is not kept. */
char *fronts_put(struct fronts *f, const struct lnk_event *e, char *p);

/* This is the front of this event's row. */
void fronts_keep(struct fronts *f, const struct lnk_event *e, const char *front, size_t len);

#endif
