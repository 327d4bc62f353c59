/* SPDX-License-Identifier: MIT */
/* The header archive that kernels with CONFIG_IKHEADERS carry. */
#ifndef LNK_HEADERS_KHEADERS_H
#define LNK_HEADERS_KHEADERS_H

#include "base/text.h"

#define HEADERS_KHEADERS_PATH "/sys/kernel/kheaders.tar.xz"

/*
 * Unpacks the regular files of `archive` into `work` (an existing directory). Links are
 * left out; an archive with anything else in it - an absolute path, "..", a device - is
 * refused. Returns 0, or -errno with the reason added to *why; what was unpacked stays.
 */
int headers_kheaders_unpack(const char *archive, const char *work, struct text *why);

#endif
