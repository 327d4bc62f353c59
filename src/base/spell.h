/* SPDX-License-Identifier: MIT */
/* Which name was meant by one that is misspelled. */
#ifndef LNK_SPELL_H
#define LNK_SPELL_H

#include <stddef.h>

#define SPELL_MAX 48 /* longer names are never near */

/* The number of letters to add, take away or change (Levenshtein) to make the `len` bytes
 * at `typed` into `name`; SIZE_MAX where one of the two is too long to be compared. */
size_t spell_distance(const char *typed, size_t len, const char *name);

/* The most changes with which a word of this length may still have been meant. */
size_t spell_limit(size_t len);

#endif
