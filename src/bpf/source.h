/* SPDX-License-Identifier: MIT */
/*
 * The probe source: which file each part comes from, and the one text that is handed to
 * libbcc. Parts are looked for in --probe-dir, in probes/ beside the executable and in
 * the installed data directory; the copy inside the binary is the last resort.
 */
#ifndef LNK_SOURCE_H
#define LNK_SOURCE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/text.h"
#include "bpf/hooks.h"

struct part {
	char *name;      /* "config.h", "tcp_queue_rcv.c" */
	char *label;     /* what errors call it: "probes/tcp_queue_rcv.c" */
	char *origin;    /* the directory it was read from, or "built in" */
	uint64_t digest; /* of the text as it was read */
	struct text text;
	bool edited;   /* as it was read it is not what is built in */
	bool left_out; /* source_assemble() did without it */
};

/* Behind the origin, where parts are listed. */
#define PART_REMARK(part) ((part)->left_out ? " (left out: nothing asks for it)" : "")

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

/* One number for all of it: names, directories and texts as they were read. */
uint64_t source_digest(const struct source *src);

/* Adds a part of which only this is known: another process has read it. Returns 0 or
 * -ENOMEM. */
int source_note(struct source *src, const char *name, const char *label, uint64_t digest);

/* The directories that source_load() looks into, in its order, whether they exist or not. */
void source_each_dir(const char *probe_dir, void (*use)(void *arg, const char *dir), void *arg);

/* A file that source_load() would take: one of the fixed parts, or a probe. */
bool source_is_part(const char *name);

/* Finds the probe functions of all parts. */
int source_hooks(const struct source *src, struct hooks *hs, struct text *why);

/* The exact text for libbcc: every part behind a #line of its own, the hook numbers and
 * the question (C of question_emit(), or "") before what uses them, the layout assertions
 * last. Without a question names.h is left out, unless a probe calls something with such a
 * name or a fixed part is not the one that is built in. */
void source_assemble(struct source *src, const struct hooks *hs, const char *question,
		     struct text *out);

#endif
