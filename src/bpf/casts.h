/* SPDX-License-Identifier: MIT */
/*
 * bpf_rdonly_cast(), since Linux 6.2: the verifier takes an address for a structure of the
 * kernel's BTF, and programs of every type may read it without a helper call. libbcc knows no
 * such functions, so probes call a number that no helper has (probes/event.h), and are given
 * the kernel's own when they have been compiled.
 */
#ifndef LNK_CASTS_H
#define LNK_CASTS_H

#include <stdbool.h>
#include <stdint.h>

struct bpf_insn;
struct btf;

/* Numbers in the kernel's BTF. */
struct casts {
	uint32_t function; /* bpf_rdonly_cast() */
	uint32_t type;     /* struct rtnl_link_stats64, which has nothing but u64 */
};

/* Returns whether both are there. */
bool casts_find(const struct btf *btf, struct casts *out);

/* Whether a program calls it. */
bool casts_in(const struct bpf_insn *insns, uint32_t n);

/* Puts the numbers in. What is not there to be replaced stays as it is. */
void casts_put(const struct casts *c, struct bpf_insn *insns, uint32_t n);

#endif
