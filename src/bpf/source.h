/* SPDX-License-Identifier: MIT */
/*
 * The probe source: which file each part comes from, and the one text that is handed to
 * libbcc. Parts are looked for in --probe-dir, in probes/ beside the executable and in
 * the installed data directory; the copy inside the binary is the last resort.
 */
#ifndef LNK_SOURCE_H
#define LNK_SOURCE_H

#include <stddef.h>

#include "base/text.h"
#include "bpf/hooks.h"

struct part {
	char *name;   /* "config.h", "tcp_queue_rcv.c" */
	char *label;  /* what errors call it: "probes/tcp_queue_rcv.c" */
	char *origin; /* the directory it was read from, or "built in" */
	struct text text;
};

struct source {
	struct part *parts; /* in the order in which they are spliced */
	size_t n;
};

/*
 * Finds and reads every part. A directory or file that someone other than root or the
 * invoking user can write is refused. Returns 0 or -errno with *why.
 */
int source_load(struct source *src, const char *probe_dir, struct text *why);
void source_free(struct source *src);

/* Finds the probe functions of all parts. */
int source_hooks(const struct source *src, struct hooks *hs, struct text *why);

/* The exact text for libbcc: every part behind a #line of its own, the hook numbers and
 * the question (C of question_emit(), or "") before what uses them, the layout assertions
 * last. */
void source_assemble(const struct source *src, const struct hooks *hs, const char *question,
		     struct text *out);

#endif
