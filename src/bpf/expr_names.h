/* SPDX-License-Identifier: MIT */
/* The table of names that an expression may use. For expr*.c only. */
#ifndef LNK_EXPR_NAMES_H
#define LNK_EXPR_NAMES_H

#include "bpf/expr.h"

const struct expr_name *expr_find(const struct expr_name *names, size_t n, const char *s,
				  size_t len);

/* The name that was probably meant, or NULL. */
const char *expr_nearest(const struct expr_name *names, size_t n, const char *s, size_t len);

#endif
