/* SPDX-License-Identifier: MIT */
/*
 * Names of network namespaces: those that ip-netns(8) keeps in /run/netns. After
 * namespaces_open() only these system calls are made: getdents64, lseek, newfstatat and
 * fstat.
 */
#ifndef LNK_NAMESPACES_H
#define LNK_NAMESPACES_H

#include <stdint.h>

#define NAMESPACES_DIR "/run/netns"

struct namespaces;

/* `dir` need not be there: then nothing has a name. Returns 0 or -errno. */
int namespaces_open(struct namespaces **out, const char *dir);
void namespaces_close(struct namespaces *n);

/* Looks whether there are others than before. To be called about once a second. */
void namespaces_refresh(struct namespaces *n);

/* The name of the namespace with this inode number; NULL: it has none. An inode number
 * that was not met before is looked for at once. */
const char *namespaces_name(struct namespaces *n, uint64_t inode);

/* Of the namespace that -N names by its name, which is no number, or by its path in the directory,
 * as it is now. Returns 0 and *inode (0: there is none), -EINVAL where it names none of there,
 * -errno where that cannot be looked at. */
int namespaces_inode(const struct namespaces *n, const char *name, uint64_t *inode);

/* The n-th name there is; NULL: there are no more. */
const char *namespaces_listed(const struct namespaces *n, int nth);

#endif
