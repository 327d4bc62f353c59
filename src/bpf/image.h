/* SPDX-License-Identifier: MIT */
/*
 * A compiled program in a file: what libbcc made of the probes, so that the next start
 * with the same source on the same kernel needs no compiler. The instructions are kept
 * as libbcc hands them out, with map descriptors replaced by map numbers.
 *
 * An image is read as if it were hostile although only root can have written it: every
 * length is checked, and the kernel's verifier looks at the programs again.
 */
#ifndef LNK_IMAGE_H
#define LNK_IMAGE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/text.h"
#include "bpf/hooks.h"

struct bpf_insn;

#define IMAGE_NAME_MAX 128

/* In the file: a head, the key, then the maps, then each program and its instructions. */
struct image_head {
	char magic[8];
	uint32_t key_len;
	uint32_t maps;
	uint32_t programs;
	uint32_t total_len; /* of the whole file */
};

struct image_map {
	char name[IMAGE_NAME_MAX];
	uint32_t type;
	uint32_t key_size;
	uint32_t value_size;
	uint32_t max_entries;
	uint32_t flags;
};

struct image_program {
	char function[IMAGE_NAME_MAX]; /* as libbcc calls it */
	char licence[32];
	uint32_t kern_version;
	uint32_t attach_btf_id; /* fentry, fexit, typed raw tracepoints: the number in this
				 * kernel's BTF */
	uint32_t insns;
};

/* --- writing --------------------------------------------------------------------- */

void image_begin(struct text *out, const char *key, uint32_t maps, uint32_t programs);
void image_add_map(struct text *out, const struct image_map *map);
/* Replaces the descriptors map_fds[0 .. n-1] by their numbers. Returns 0, or -EINVAL when
 * an instruction names a descriptor that is not among them. */
int image_add_program(struct text *out, const struct image_program *p, const struct bpf_insn *insns,
		      const int *map_fds, int n);
void image_end(struct text *out);

/* --- loading --------------------------------------------------------------------- */

/*
 * Creates the maps and loads the programs. Fills *counters_fd, *events_fd, *shared_fd and *owners_fd
 * (only where there is one) and the hooks' prog_fd and compiled. Returns 0; -ESTALE when the image is for another key; else
 * -errno. On failure nothing is left open and the hooks are as they were.
 */
int image_load(const char *bytes, size_t len, const char *key, struct hooks *hs, int *counters_fd,
	       int *events_fd, int *shared_fd, int *owners_fd);

#endif
