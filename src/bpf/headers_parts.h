/* SPDX-License-Identifier: MIT */
/*
 * Structures of which the probes need a member or two. A whole struct cgroup or inode, with
 * all that is in it, would make the tree of headers_btf.c half as long again; so these are
 * the members, at their offsets, and bytes between.
 */
#ifndef LNK_HEADERS_PARTS_H
#define LNK_HEADERS_PARTS_H

#include <stdint.h>

#include "base/text.h"

#define HEADERS_PARTS 6

struct btf;

struct headers_parts {
	uint32_t id[HEADERS_PARTS]; /* in BTF; 0: it has no such struct */
};

/* A struct of BTF: it is remembered if it is one of them. */
void headers_parts_note(struct headers_parts *p, const char *name, uint32_t id);

/* Adds those that are not whole in `printed`, each with assertions of its offsets. One that
 * lacks a member is left out. */
void headers_parts_emit(const struct headers_parts *p, const struct btf *btf, const char *printed,
			struct text *out);

#endif
