/* SPDX-License-Identifier: MIT */
/* One BPF program into the kernel, by bpf(2) itself. */
#ifndef LNK_PROG_LOAD_H
#define LNK_PROG_LOAD_H

#include <stddef.h>
#include <stdint.h>

#include "bpf/hooks.h"

struct bpf_insn;

struct prog_spec {
	const char *function; /* what bpftool shows is made of it */
	const char *licence;
	uint32_t kern_version;
	enum hook_kind kind;
	uint32_t attach_btf_id; /* fentry, fexit, typed raw tracepoints; else 0 */
	const struct bpf_insn *insns;
	uint32_t n;
};

/* Returns a descriptor or -errno; the verifier's words go to `log` (may be NULL). */
int prog_load(const struct prog_spec *p, char *log, size_t size);

/*
 * A raw tracepoint's program as one of type TRACING (Linux 5.5, with BTF): the verifier
 * knows its arguments' types, so their fields need no helper call to be read.
 */
struct btf;
/* The number of what a program of this kind attaches to in the kernel's BTF, 0: none. */
uint32_t prog_btf_id(const struct btf *btf, enum hook_kind kind, const char *target);

#endif
