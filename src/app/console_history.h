/* SPDX-License-Identifier: MIT */
/* The lines that were typed, kept from one run to the next. */
#ifndef LNK_CONSOLE_HISTORY_H
#define LNK_CONSOLE_HISTORY_H

#include "base/text.h"

/*
 * Opens the file, made where it is missing, and reads what it holds into *lines. What is
 * another user's, a link, or writable for others is not touched. Returns a descriptor
 * that only appends, or -errno with the place in *where.
 */
int console_history_open(struct text *lines, struct text *where);

#endif
