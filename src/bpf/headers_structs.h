/* SPDX-License-Identifier: MIT */
/*
 * Structs of BTF as C, with the members that a program names, at their offsets, and bytes
 * between them. With all members they would be thousands of lines (struct net alone has a
 * thousand in it), which clang reads three times.
 */
#ifndef LNK_HEADERS_STRUCTS_H
#define LNK_HEADERS_STRUCTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/text.h"
#include "bpf/headers_words.h"

struct btf;

struct headers_struct {
	uint32_t id; /* in BTF; 0: none */
	bool always; /* even where the program has not its tag: pointers lead to it */
	bool whole;  /* whatever the program names */
};

/*
 * Adds the structs, what they need, and for each size and each offset an assertion: where a
 * compiler lays one out otherwise than BTF has it, the program does not compile.
 */
void headers_structs_emit(const struct btf *btf, const struct headers_words *words,
			  const struct headers_struct *v, size_t n, struct text *out);

#endif
