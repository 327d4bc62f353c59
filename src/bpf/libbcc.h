/* SPDX-License-Identifier: MIT */
/* The half of libbcc that compiles, loaded at run time: it brings LLVM and clang along. */
#ifndef LNK_LIBBCC_H
#define LNK_LIBBCC_H

#include <stdbool.h>
#include <stddef.h>

#include "base/text.h"

struct bpf_insn;

/* As in <bcc/bcc_common.h>; a module is what create() returns. */
struct libbcc {
	void *(*create)(const char *text, unsigned flags, const char *cflags[], int ncflags,
			bool allow_rlimit, const char *dev_name);
	size_t (*num_functions)(void *module);
	const char *(*function_name)(void *module, size_t id);
	void *(*function_start)(void *module, const char *name);
	size_t (*function_size)(void *module, const char *name);
	char *(*license)(void *module);
	unsigned (*kern_version)(void *module);
	int (*table_fd)(void *module, const char *name);
	size_t (*num_tables)(void *module);
	const char *(*table_name)(void *module, size_t id);
	int (*table_fd_id)(void *module, size_t id);
	int (*table_type)(void *module, size_t id);
	size_t (*table_key_size)(void *module, size_t id);
	size_t (*table_leaf_size)(void *module, size_t id);
	size_t (*table_max_entries)(void *module, size_t id);
	int (*table_flags)(void *module, size_t id);
	int (*func_load)(void *module, int prog_type, const char *name,
			 const struct bpf_insn *insns, int prog_len, const char *license,
			 unsigned kern_version, int log_level, char *log_buf, unsigned log_buf_size,
			 const char *dev_name, int attach_type);
};

/* What to do where it cannot be opened. */
#define LIBBCC_ADVICE "install libbpfcc (Debian, Ubuntu) or bcc (Fedora), version 0.26 or newer"

/* Returns 0 and where it lies, or -errno and why not, in *said. It is never closed. */
int libbcc_open(struct libbcc *bcc, struct text *said);

#endif
