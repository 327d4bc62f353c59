/* SPDX-License-Identifier: MIT */
/*
 * The types of a header tree, as BTF. A program that does nothing but mention them is
 * compiled by libbcc, with debug information; the kernel is given its BTF with the program,
 * and gives it back.
 */
#ifndef LNK_HEADERS_TYPES_H
#define LNK_HEADERS_TYPES_H

#include "base/text.h"

/* The program. */
extern const char headers_types_source[];

/* To be added to the flags of its compile. */
#define HEADERS_TYPES_FLAG "-DCONFIG_CC_STACKPROTECTOR_AUTO"

/*
 * Finds the BTF that this process has loaded into the kernel, adds it to *btf, and closes
 * it. Returns 0 or -errno.
 */
int headers_types_take(struct text *btf);

#endif
