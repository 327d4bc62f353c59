/* SPDX-License-Identifier: MIT */
/* The numbers of bpf_rdonly_cast() and of its type go where the probes left room for them. */
#include "unit.h"

#include <bpf/btf.h>
#include <linux/bpf.h>

#include "bpf/casts.h"
#include "probes/event.h"

#define N(v) (sizeof(v) / sizeof((v)[0]))

static const struct casts casts = { .function = 4711, .type = 42 };

static struct bpf_insn insn(int code, int src, int32_t imm)
{
	return (struct bpf_insn){ .code = (__u8)code, .src_reg = (__u8)(src & 15), .imm = imm };
}

TEST(put)
{
	struct bpf_insn v[] = {
		insn(BPF_ALU64 | BPF_MOV | BPF_K, 0, LNK_CAST_TYPE),
		insn(BPF_ALU | BPF_MOV | BPF_K, 0, LNK_CAST_TYPE),
		insn(BPF_JMP | BPF_CALL, 0, LNK_CAST_FUNCTION),
		insn(BPF_JMP | BPF_EXIT, 0, 0),
	};

	CHECK(casts_in(v, N(v)));
	casts_put(&casts, v, N(v));
	CHECK_INT(v[0].imm, 42);
	CHECK_INT(v[1].imm, 42);
	CHECK_INT(v[2].imm, 4711);
	CHECK_INT(v[2].src_reg, BPF_PSEUDO_KFUNC_CALL);
	CHECK(!casts_in(v, N(v)));
}

/* The same numbers elsewhere are somebody else's. */
TEST(leave_alone)
{
	struct bpf_insn v[] = {
		insn(BPF_JMP | BPF_CALL, 0, 113),                    /* a helper */
		insn(BPF_JMP | BPF_CALL, 1, LNK_CAST_FUNCTION),      /* a function of the program */
		insn(BPF_ALU64 | BPF_SUB | BPF_K, 0, LNK_CAST_TYPE), /* not a move */
		insn(BPF_ALU64 | BPF_MOV | BPF_K, 0, LNK_CAST_FUNCTION),
		insn(BPF_LD | BPF_IMM | BPF_DW, 0, LNK_CAST_TYPE), /* a long constant, */
		insn(BPF_JMP | BPF_CALL, 0, LNK_CAST_FUNCTION),    /* its second half */
		insn(BPF_JMP | BPF_EXIT, 0, 0),
	};
	struct bpf_insn before[N(v)];
	size_t i;

	memcpy(before, v, sizeof(v));
	CHECK(!casts_in(v, N(v)));
	casts_put(&casts, v, N(v));
	for (i = 0; i < N(v); i++)
		CHECK(!memcmp(&before[i], &v[i], sizeof(v[i])));
}

TEST(find)
{
	struct btf *btf = btf__new_empty();
	struct casts found;
	int u64, proto;

	CHECK(btf != NULL);
	CHECK(!casts_find(btf, &found));
	u64 = btf__add_int(btf, "u64", 8, 0);
	proto = btf__add_func_proto(btf, 0);
	CHECK_INT(btf__add_func(btf, "rtnl_link_stats64", BTF_FUNC_STATIC, proto), proto + 1);
	CHECK(!casts_find(btf, &found));
	CHECK_INT(btf__add_func(btf, "bpf_rdonly_cast", BTF_FUNC_STATIC, proto), proto + 2);
	CHECK(!casts_find(btf, &found));
	CHECK_INT(btf__add_struct(btf, "bpf_rdonly_cast", 8), proto + 3); /* not a function */
	CHECK_INT(btf__add_field(btf, "x", u64, 0, 0), 0);
	CHECK(!casts_find(btf, &found));
	CHECK_INT(btf__add_struct(btf, "rtnl_link_stats64", 8), proto + 4);
	CHECK(casts_find(btf, &found));
	CHECK_INT(found.function, proto + 2);
	CHECK_INT(found.type, proto + 4);
	btf__free(btf);
}
