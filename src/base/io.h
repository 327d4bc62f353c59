/* SPDX-License-Identifier: MIT */
/* Whole reads and writes over file descriptors. */
#ifndef LNK_IO_H
#define LNK_IO_H

#include <stddef.h>

#include "base/text.h"

/* EMFILE, and what to do about it. */
#define TOO_MANY_FILES "too many files are open: raise their number with 'ulimit -n'"

/* Writes all of it, through EINTR and short writes. Returns 0 or -errno. */
int write_all(int fd, const void *buf, size_t len);

/* Appends what is left to read from fd to *out, at most `max` bytes. Returns 0,
 * -EFBIG when there was more, or -errno. */
int read_all(int fd, struct text *out, size_t max);

/* The same for a path, opened O_RDONLY | O_CLOEXEC. dirfd as openat(2) takes it. */
int read_file_at(int dirfd, const char *path, struct text *out, size_t max);

/* Creates `path` below dirfd with mode 0600 (its parents with 0700 where they are
 * missing) and writes the text. Never follows a link in the last component. Returns 0
 * or -errno. */
int write_file_at(int dirfd, const char *path, const char *bytes, size_t len);

/* Closes it, if it is one: a negative number stands for none. */
void close_fd(int fd);

/* Closes every descriptor from this one on, also those above what RLIMIT_NOFILE is now. For a
 * child that keeps nothing of its parent's. */
void close_from(int first);

#endif
