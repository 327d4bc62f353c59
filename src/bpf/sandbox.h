/* SPDX-License-Identifier: MIT */
/* What the child of program_build() sees of the file system while it compiles. */
#ifndef LNK_SANDBOX_H
#define LNK_SANDBOX_H

#include <stdbool.h>

#include "bpf/work_dir.h"

struct sandbox {
	char work[WORK_DIR_MAX]; /* an empty directory for header trees; "" when there is none */
	bool visible; /* it is no mount of ours: others see it, and it has to be removed */
};

/*
 * Moves the calling thread into mounts of its own. `headers_dir` (or NULL) is a path that
 * must not be hidden.
 */
void sandbox_enter(struct sandbox *box, const char *headers_dir);

#endif
