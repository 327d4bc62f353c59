/* SPDX-License-Identifier: MIT */
/*
 * A user's C expression, for the probe. It is parsed and written anew from the parse
 * tree: nothing of the user's text reaches the program but the names of members, so an
 * expression can be wrong but cannot be anything else. docs/expressions.md is the
 * language; limits stand below.
 */
#ifndef LNK_EXPR_H
#define LNK_EXPR_H

#include <stddef.h>

#include "base/text.h"

#define EXPR_MAX_LENGTH 4096 /* bytes of an expression */
#define EXPR_MAX_NODES 1024  /* values and operators in it */
#define EXPR_MAX_DEPTH 64    /* of what is nested in it */
#define EXPR_MAX_STEPS 16    /* members and indices behind one name */
#define EXPR_MAX_C 65536     /* bytes of C that come of it */
#define EXPR_MAX_NAME 64     /* bytes of a documented name, and the NUL */

enum expr_type {
	EXPR_NUMBER,
	EXPR_POINTER, /* to a structure of the kernel's: -> may follow, or == 0, != 0, ! && || ?: */
};

/* What the user may name. */
struct expr_name {
	const char *name; /* "len", "tcp.syn", "skb" */
	enum expr_type type;
	const char *c;      /* what it becomes: an expression on one line */
	unsigned int needs; /* bits, for the caller */
};

struct expr_error {
	size_t column; /* the byte it is about, from 1 */
	char message[256];
};

/*
 * Adds to *c one parenthesised C expression of type s64, which wants expr_emit_helpers()
 * before it. It has line breaks: a member or a name that stands in column N of `s` stands
 * in line N of the C, so behind '#line 1 "--where"' the compiler's "--where:N:" is the
 * user's column. (It can therefore not be the value of a #define.)
 *
 * *needs: the bits of all names that it uses. Returns 0; -EINVAL and *error, *c is left
 * alone then; -ENOMEM.
 */
int expr_translate(const char *s, const struct expr_name *names, size_t n, struct text *c,
		   unsigned int *needs, struct expr_error *error);

/* The functions and macros that the expressions call: lnk_div() and so on, once in a
 * program. They use s64, u64, u32, __always_inline and bpf_probe_read_kernel(). */
void expr_emit_helpers(struct text *c);

#endif
