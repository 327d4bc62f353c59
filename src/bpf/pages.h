/* SPDX-License-Identifier: MIT */
/*
 * Where the bytes of a page lie, for packets whose headers a card left in one. The kernel's
 * two bases for that are at random places; the headers of /proc/kcore tell them. Where
 * anything about them is not certain such packets are counted and have no row, as on other
 * machines than x86-64 and before Linux 5.4.
 */
#ifndef LNK_PAGES_H
#define LNK_PAGES_H

#include <stdbool.h>
#include <stddef.h>

#include "probes/event.h"

#define PAGES_PATH "/proc/kcore"

/* Looked for once. With false, *why says what is missing. */
bool pages_known(const char **why);

/* Writes them into the map lnk_pages. Without that the probes find no page. */
void pages_fill(int map_fd);

/* From the ELF and program headers of a kcore. Returns NULL, or what is not as it should be. */
const char *pages_parse(const char *elf, size_t len, struct lnk_pages *out);

#endif
