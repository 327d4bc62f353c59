/* SPDX-License-Identifier: MIT */
/*
 * A small kernel header tree made from the running kernel's own type information: one
 * file with the structs that the probes use, and stubs under the usual names that
 * include it.
 */
#ifndef LNK_HEADERS_BTF_H
#define LNK_HEADERS_BTF_H

#include "base/text.h"

#define HEADERS_BTF_PATH "/sys/kernel/btf/vmlinux"

struct btf;

/* The running kernel's BTF, which is megabytes: it is read once in a process, and kept. NULL:
 * it cannot be had. */
const struct btf *headers_btf_kernel(void);

/*
 * Writes the tree into `work` (an existing directory, absolute path) from the raw BTF
 * at `btf_path`. `release` and `machine` are as uname(2) has them: LINUX_VERSION_CODE
 * and a few per-architecture options come from there. `program` is what will be compiled
 * with it: the structs have the members that it names (NULL: all). Returns 0, or -errno with
 * the reason added to *why.
 */
int headers_btf_write(const char *btf_path, const char *work, const char *release,
		      const char *machine, const char *program, struct text *why);

#endif
