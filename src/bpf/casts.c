/* SPDX-License-Identifier: MIT */
#include "bpf/casts.h"

#include <string.h>
#include <bpf/btf.h>
#include <linux/bpf.h>

#include "probes/event.h"

bool casts_find(const struct btf *btf, struct casts *out)
{
	const struct btf_type *t;
	const char *name;
	uint32_t id;

	*out = (struct casts){ 0 };
	/* one pass: btf__find_by_name_kind() makes one for each name */
	for (id = 1; (!out->function || !out->type) && (t = btf__type_by_id(btf, id)); id++) {
		if (!btf_is_func(t) && !btf_is_struct(t))
			continue;
		name = btf__name_by_offset(btf, t->name_off);
		if (btf_is_func(t) && !strcmp(name, "bpf_rdonly_cast"))
			out->function = id;
		else if (btf_is_struct(t) && !strcmp(name, "rtnl_link_stats64"))
			out->type = id;
	}
	return out->function && out->type;
}

static bool is_call(const struct bpf_insn *insn)
{
	return insn->code == (BPF_JMP | BPF_CALL) && !insn->src_reg &&
	       insn->imm == LNK_CAST_FUNCTION;
}

/* A register is given the type, in whichever way clang found best. */
static bool is_type(const struct bpf_insn *insn)
{
	return (insn->code == (BPF_ALU64 | BPF_MOV | BPF_K) ||
		insn->code == (BPF_ALU | BPF_MOV | BPF_K)) &&
	       insn->imm == LNK_CAST_TYPE;
}

static bool is_pair(const struct bpf_insn *insn)
{
	return insn->code == (BPF_LD | BPF_IMM | BPF_DW);
}

bool casts_in(const struct bpf_insn *insns, uint32_t n)
{
	uint32_t i;

	for (i = 0; i < n && !is_call(&insns[i]); i++)
		i += is_pair(&insns[i]);
	return i < n;
}

void casts_put(const struct casts *c, struct bpf_insn *insns, uint32_t n)
{
	uint32_t i;

	for (i = 0; i < n; i++) {
		if (is_call(&insns[i])) {
			insns[i].src_reg = BPF_PSEUDO_KFUNC_CALL;
			insns[i].imm = (int32_t)c->function;
		} else if (is_type(&insns[i])) {
			insns[i].imm = (int32_t)c->type;
		}
		i += is_pair(&insns[i]);
	}
}
