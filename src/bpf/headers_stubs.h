/* SPDX-License-Identifier: MIT */
/* The part of the synthesised header tree that is the same on every kernel. */
#ifndef LNK_HEADERS_STUBS_H
#define LNK_HEADERS_STUBS_H

/* Where the dumped structs go; every stub includes this file. */
#define HEADERS_TYPES "include/lnk/types.h"

/* The name of a file, in quotes, that is there once a program was parsed for the first time. */
#define HEADERS_PARSED "LNK_PARSED"

struct headers_file {
	const char *path; /* below the root of the tree */
	const char *text;
};

/* Files with a text of their own; ends with a NULL path. */
extern const struct headers_file headers_files[];

/* Paths of files that do nothing but include the types and constants; ends with NULL. */
extern const char *const headers_stubs[];
extern const char headers_stub_text[];

#endif
