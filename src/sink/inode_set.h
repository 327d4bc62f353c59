/* SPDX-License-Identifier: MIT */
/* Inode numbers, each with a number of the caller's. */
#ifndef LNK_INODE_SET_H
#define LNK_INODE_SET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct inode_place {
	uint64_t inode; /* 0: free */
	uint32_t who;
};

/* All zero: empty. */
struct inode_set {
	struct inode_place *v;
	size_t n, places; /* a power of two, or 0 */
};

/* Keeps its memory. */
void inode_set_clear(struct inode_set *s);
void inode_set_free(struct inode_set *s);

/* Where `inode` (not 0) has its number, which is `who` if it was not there before. NULL: there
 * is no memory. Good until the next call. */
uint32_t *inode_set_put(struct inode_set *s, uint64_t inode, uint32_t who);

/* NULL: it is not there. */
const uint32_t *inode_set_find(const struct inode_set *s, uint64_t inode);

#endif
