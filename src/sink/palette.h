/* SPDX-License-Identifier: MIT */
/* A colour for each connection, the same in both directions. */
#ifndef LNK_PALETTE_H
#define LNK_PALETTE_H

#include <stddef.h>

#include "probes/event.h"

#define PALETTE_NR 10
#define PALETTE_MAX 16 /* bytes of an escape sequence */

/* Numbers of the terminal's 256 colours. Each has a contrast of 4 and more to black and to
 * white. */
extern const unsigned char palette[PALETTE_NR];

/* Writes what begins the row's colour at p, or ends it, and returns the end. */
char *palette_begin(const struct lnk_event *e, char *p);
char *palette_end(char *p);

#endif
