/* SPDX-License-Identifier: MIT */
/*
 * Where clang gets the kernel's types from. Runs in the loader child only: it may
 * mount, change directory and leak, the child ends soon.
 */
#ifndef LNK_HEADERS_H
#define LNK_HEADERS_H

#include "base/text.h"

/* What --headers selects. AUTO tries BCC_KERNEL_SOURCE, then BTF, INSTALLED, KHEADERS. */
enum headers_kind {
	HEADERS_AUTO,
	HEADERS_DIR, /* a directory the user named: --headers=DIR or BCC_KERNEL_SOURCE */
	HEADERS_BTF,
	HEADERS_INSTALLED,
	HEADERS_KHEADERS,
	HEADERS_NR
};

extern const char *const headers_kind_name[HEADERS_NR];

#define HEADERS_MAX_CFLAGS 24

/* One usable set of headers, ready for libbcc. */
struct headers {
	enum headers_kind kind;
	char source[4096]; /* BCC_KERNEL_SOURCE for libbcc: has include/linux/kconfig.h */
	char build[4096];  /* what the kernel's build generated; "" with BTF */
	int ncflags;
	char *cflags[HEADERS_MAX_CFLAGS + 1]; /* malloc()ed, to be added to libbcc's own */
	char describe[4200];                  /* one line for the user */
};

/*
 * Prepares one kind (not AUTO). `dir` is the user's directory for HEADERS_DIR: a header
 * tree itself, or a directory with build/ and source/ in it as /lib/modules/V has. Trees
 * that are made here (BTF, KHEADERS) are written into `work`, an empty private directory
 * (absolute path). `program` as headers_btf_write() has it. Returns 0, or -errno with the
 * reason added to *why (no newline).
 */
int headers_prepare(struct headers *h, enum headers_kind kind, const char *dir, const char *work,
		    const char *program, struct text *why);
/*
 * A small tree with the types that probes use, from the types of a whole tree: *btf as
 * headers_types_take() has it, `full` for the kernel's version and options. It is written
 * into `work` as above, and returns as above.
 */
int headers_reduce(struct headers *h, const struct headers *full, const struct text *btf,
		   const char *work, const char *program, struct text *why);
void headers_free(struct headers *h);

#endif
