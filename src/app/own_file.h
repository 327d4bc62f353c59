/* SPDX-License-Identifier: MIT */
#ifndef LNK_OWN_FILE_H
#define LNK_OWN_FILE_H

/*
 * A file to append rows to, made with mode 0600 when it is not there; else a regular one of ours
 * that only we can write, that has no other name, and that is empty or begins with a table:
 * rows have no place in anything else. A link is not followed, and nothing is opened before it
 * was looked at, so no device is. Returns the descriptor, or -errno with *why where errno does
 * not say it all.
 */
int own_file_open(const char *path, const char **why);

#endif
