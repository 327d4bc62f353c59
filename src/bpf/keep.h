/* SPDX-License-Identifier: MIT */
/* What libbcc has compiled, into the cache. */
#ifndef LNK_KEEP_H
#define LNK_KEEP_H

#include "bpf/hooks.h"
#include "bpf/libbcc.h"

/* Keeps a module that was loaded whole, under this key. One that cannot be kept is no failure:
 * it is compiled again next time. */
void keep_program(const struct libbcc *bcc, void *module, const struct hooks *hs, const char *key);

#endif
