/* SPDX-License-Identifier: MIT */
/*
 * Compiled programs kept on disk, in /var/cache/linux_net_kernel: a directory of root's
 * that nobody else can write. An entry is used only when everything that went into the
 * compile is the same: the whole source text, the kernel's build, the headers, libbcc and
 * this program's version and file. The key is kept in the entry and compared byte by byte.
 */
#ifndef LNK_CACHE_H
#define LNK_CACHE_H

#include "base/text.h"
#include "bpf/program.h"

/* Makes the key of a build. Returns false where its headers cannot be pinned down (a
 * directory that the user named): such a build is not cached. */
bool cache_key(const struct program_request *req, struct text *key);

/* Reads the entry of a key. Returns 0, -ENOENT, or -errno (an entry or directory that is
 * not ours alone is not read: -EPERM). */
int cache_read(const char *key, struct text *image);

/* Writes an entry, in one piece or not at all, and keeps the number of entries bounded. */
int cache_write(const char *key, const struct text *image);

#endif
