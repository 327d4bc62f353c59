/* SPDX-License-Identifier: MIT */
/*
 * Names of network interfaces, for the network namespace that this process runs in and for
 * no other: the same number is another interface elsewhere. Read through rtnetlink once,
 * and kept up by the kernel's messages of new, renamed and removed ones. Needs no
 * privilege, and after interfaces_open() no system calls but read() and write().
 */
#ifndef LNK_INTERFACES_H
#define LNK_INTERFACES_H

#include <stddef.h>
#include <stdint.h>

struct interfaces;

/* Returns 0 or -errno. */
int interfaces_open(struct interfaces **out);
void interfaces_close(struct interfaces *i);

/* Takes in what changed since the last call. To be called often. */
void interfaces_refresh(struct interfaces *i);

/* The inode number of the namespace whose names these are. */
uint64_t interfaces_netns(const struct interfaces *i);

/* NULL: not known. */
const char *interfaces_name(const struct interfaces *i, uint64_t index);

/* The n-th name there is; NULL: there are no more. */
const char *interfaces_listed(const struct interfaces *i, int n);

/* One rtnetlink message or several, as read() gives them: for interfaces_refresh() and
 * tests. Returns whether the message that ends a list was among them. */
int interfaces_take(struct interfaces *i, const void *messages, size_t len);

/* Without a socket: for tests. */
int interfaces_make(struct interfaces **out, uint64_t netns);

#endif
