/* SPDX-License-Identifier: MIT */
/*
 * The kprobe path is meant to work from Linux 4.17 on, and uses no helper younger than 4.8.
 * The instructions that libbcc made are read back, out of the image that is kept of them,
 * and every call is looked at.
 *
 * One helper is younger, by name: the probes say bpf_probe_read_kernel (5.5), and libbcc
 * makes it bpf_probe_read (4.1) where kallsyms has no such function. So it is allowed where
 * this kernel has it, and the same program is compiled once more with a kallsyms that lacks
 * it. Another, bpf_jiffies64 (5.6), hangs on LINUX_VERSION_CODE, which in the same way is made
 * an old kernel's; the kernel's types stay this one's, so it is no proof that the program runs
 * there.
 */
#include "unit.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <unistd.h>
#include <linux/bpf.h>

#include "app/ask.h"
#include "app/choice.h"
#include "base/io.h"
#include "base/privileges.h"
#include "bpf/cache.h"
#include "bpf/image.h"
#include "bpf/kernel.h"
#include "bpf/program.h"
#include "bpf/source.h"
#include "conf/options.h"

#define NEWEST_OF_4_8 BPF_FUNC_probe_write_user /* their numbers are in the order of time */
#define INSNS_BEFORE_5_2 4096
#define KALLSYMS "/proc/kallsyms"

/* A cache of its own, which goes with this process. */
static void need_private_world(void)
{
	if (geteuid() || !kernel_may_trace())
		SKIP("needs root");
	if (!kernel_has_btf())
		SKIP("this kernel shows no BTF");
	if (unshare(CLONE_NEWNS) || mount("", "/", "", MS_REC | MS_PRIVATE, NULL) ||
	    mount("tmpfs", "/var/cache", "tmpfs", 0, "mode=0755"))
		SKIP("no mount namespace");
}

/* kallsyms as of a kernel before 5.5. */
static void hide_probe_read_kernel(void)
{
	char path[] = "/var/cache/kallsyms.XXXXXX";
	struct text all = { 0 };
	const char *line, *end;
	int fd = mkstemp(path);
	FILE *f = fdopen(fd, "we");

	CHECK_INT(read_file_at(AT_FDCWD, KALLSYMS, &all, TEXT_MAX), 0);
	for (line = text_str(&all); *line; line = end) {
		end = line + strcspn(line, "\n");
		end += *end == '\n';
		if (!memmem(line, (size_t)(end - line), " bpf_probe_read_kernel", 22))
			fwrite(line, 1, (size_t)(end - line), f);
	}
	fclose(f);
	text_free(&all);
	CHECK_INT(mount(path, KALLSYMS, NULL, MS_BIND, NULL), 0);
	/* where the compile has no mounts of its own it puts no kallsyms of its own over this */
	CHECK_INT(privileges_drop(PRIVILEGE(PRIVILEGE_NR_BPF) | PRIVILEGE(PRIVILEGE_NR_PERFMON),
				  UINT64_MAX),
		  0);
}

/* The probes with kprobes alone, as for this command line; their image in *image. */
static bool make_image(int argc, char **argv, const char *version, bool casts, struct text *image)
{
	const struct choice kprobes = { .kprobe = true, .casts = casts };
	struct text why = { 0 }, note = { 0 }, text = { 0 }, key = { 0 };
	struct column_list columns = { 0 };
	struct program_request req = { .stop_fd = -1, .timeout_ms = 25000 };
	struct program program;
	struct hooks hooks = { 0 };
	struct source src = { 0 };
	struct config conf;
	struct ask ask = { 0 };
	bool ok;

	columns_default(&columns);
	ok = CHECK_INT(options_parse(&conf, argc, argv, &why), 0) &&
	     CHECK_INT(ask_parse(&ask, &conf, &columns, &why, &note), 0) &&
	     CHECK_INT(source_load(&src, NULL, &why), 0) &&
	     CHECK_INT(choice_rewrite(&src, &kprobes, &conf, &ask, &why), 0);
	for (size_t i = 0; ok && i < src.n; i++)
		if (version && !strcmp(src.parts[i].name, "config.h"))
			text_printf(&src.parts[i].text,
				    "\n#undef LINUX_VERSION_CODE\n#define LINUX_VERSION_CODE %s\n",
				    version);
	ok = ok && CHECK_INT(source_hooks(&src, &hooks, &why), 0);
	source_assemble(&src, &hooks, text_str(&ask.c), &text);
	req.source = text_str(&text);
	ok = ok && CHECK_INT(program_build(&program, &hooks, &req), 0);
	if (!ok)
		CHECK_STR(text_str(&program.error), text_str(&why));
	ok = ok && CHECK(cache_key(&req, &key)) && CHECK_INT(cache_read(text_str(&key), image), 0);
	program_free(&program);
	hooks_free(&hooks);
	source_free(&src);
	text_free(&text);
	text_free(&key);
	text_free(&why);
	text_free(&note);
	ask_free(&ask);
	columns_free(&columns);
	return ok;
}

struct found {
	int programs;
	unsigned int casts;
	unsigned int calls;
	unsigned int probe_reads;        /* bpf_probe_read */
	unsigned int probe_reads_kernel; /* bpf_probe_read_kernel */
	unsigned int jiffies;            /* bpf_jiffies64 */
	unsigned int adds;               /* atomic additions */
	unsigned int loops;
	uint32_t most; /* instructions */
};

static void look_at_call(const char *name, const struct bpf_insn *insn, struct found *f)
{
	f->calls++;
	if (insn->src_reg == BPF_PSEUDO_KFUNC_CALL) {
		f->casts++;
		return;
	}
	if (!CHECK_INT(insn->src_reg, 0)) /* a function of BPF's own (4.16) */
		fprintf(stderr, "  %s calls no helper\n", name);
	f->probe_reads += insn->imm == BPF_FUNC_probe_read;
	if (insn->imm == BPF_FUNC_probe_read_kernel)
		f->probe_reads_kernel++;
	else if (insn->imm == BPF_FUNC_jiffies64)
		f->jiffies++;
	else if (!CHECK(insn->imm > 0 && insn->imm <= NEWEST_OF_4_8))
		fprintf(stderr, "  %s calls helper %d\n", name, insn->imm);
}

static void look_at_insn(const char *name, const struct bpf_insn *insn, struct found *f)
{
	const int class = BPF_CLASS(insn->code), op = BPF_OP(insn->code);

	CHECK(class != BPF_JMP32); /* 5.1 */
	if (class == BPF_JMP && op == BPF_CALL) {
		look_at_call(name, insn, f);
	} else if (class == BPF_JMP) {
		CHECK(op <= BPF_JSLE); /* the last of 4.14 */
	} else if (class == BPF_STX && BPF_MODE(insn->code) == BPF_ATOMIC) {
		f->adds++;
		/* an addition whose result is not used; all else is of 5.12 */
		if (!CHECK_INT(insn->imm, 0))
			fprintf(stderr, "  %s has an atomic operation 0x%x\n", name, insn->imm);
	}
}

static bool is_wide(const struct bpf_insn *insn)
{
	return insn->code == (BPF_LD | BPF_IMM | BPF_DW);
}

/* Where the instruction may lead to; returns how many. */
static int successors(const struct bpf_insn *v, uint32_t i, uint32_t to[2])
{
	const int class = BPF_CLASS(v[i].code), op = BPF_OP(v[i].code);
	int n = 0;

	if (class == BPF_JMP && op == BPF_EXIT)
		return 0;
	if (class == BPF_JMP && op != BPF_CALL)
		to[n++] = (uint32_t)((int)i + 1 + v[i].off);
	if (class != BPF_JMP || op != BPF_JA)
		to[n++] = i + 1 + is_wide(&v[i]);
	return n;
}

/* As the verifier finds loops: an edge to an instruction that is still on the way. (Jumps
 * backward need not be any.) */
static unsigned int count_loops(const struct bpf_insn *v, uint32_t n)
{
	enum {
		UNSEEN,
		ON_THE_WAY,
		DONE
	} *state = calloc(n, sizeof(*state));
	uint32_t *way = calloc(n + 1, sizeof(*way)), to[2];
	unsigned int loops = 0;
	size_t depth = 0;
	int k, next;

	way[depth++] = 0;
	while (depth) {
		uint32_t at = way[depth - 1];
		bool entered = state[at] == UNSEEN;

		state[at] = ON_THE_WAY;
		next = -1;
		for (k = successors(v, at, to) - 1; k >= 0; k--) {
			if (!CHECK(to[k] < n))
				continue;
			if (state[to[k]] == UNSEEN)
				next = k;
			else
				loops += entered && state[to[k]] == ON_THE_WAY;
		}
		if (next >= 0)
			way[depth++] = to[next];
		else
			state[way[--depth]] = DONE;
	}
	free(state);
	free(way);
	return loops;
}

static void look_at_program(const char *name, const struct bpf_insn *v, uint32_t n, struct found *f)
{
	f->programs++;
	f->most = n > f->most ? n : f->most;
	for (uint32_t i = 0; i < n; i += 1 + is_wide(&v[i]))
		look_at_insn(name, &v[i], f);
	f->loops += count_loops(v, n);
}

/* Every program of the image. */
static struct found look_at(const struct text *image)
{
	const char *p = text_str(image), *end = p + image->len;
	struct image_program program;
	struct found f = { 0 };
	struct image_head head;
	struct bpf_insn *v;

	if (!CHECK(image->len > sizeof(head)))
		return f;
	memcpy(&head, p, sizeof(head));
	p += sizeof(head) + head.key_len + head.maps * sizeof(struct image_map);
	for (uint32_t n = 0; n < head.programs && CHECK(p + sizeof(program) <= end); n++) {
		memcpy(&program, p, sizeof(program));
		p += sizeof(program);
		CHECK(strstr(program.function, "kprobe__") == program.function);
		if (!CHECK(p + program.insns * sizeof(*v) <= end))
			break;
		v = calloc(program.insns, sizeof(*v));
		memcpy(v, p, program.insns * sizeof(*v));
		look_at_program(program.function, v, program.insns, &f);
		free(v);
		p += program.insns * sizeof(*v);
	}
	CHECK(p == end);
	CHECK(f.programs >= 6); /* four stages, two of them for each family */
	return f;
}

enum {
	PLAIN,
	FILTERED,
	DEBUG,
	STATISTICS,
};
static char *command_lines[][12] = {
	[PLAIN] = { "lnk", NULL },
	[FILTERED] = { "lnk", "-i", "10.1.0.2", "-p", "9502", "-R", "100", NULL },
	[DEBUG] = { "lnk", "-i", "2001:db8::1", "-R", "0", "-d", NULL },
	[STATISTICS] = { "lnk", "-s", "-p", "80", NULL },
};

static struct found compile_and_look(int line, const char *version, bool casts)
{
	struct text image = { 0 };
	struct found f = { 0 };
	int argc = 0;

	while (command_lines[line][argc])
		argc++;
	if (make_image(argc, command_lines[line], version, casts, &image))
		f = look_at(&image);
	text_free(&image);
	return f;
}

static struct found without_casts(int line, const char *version)
{
	struct found f = compile_and_look(line, version, false);

	CHECK(f.calls > 50);
	CHECK_INT(f.casts, 0); /* of 5.13 */
	return f;
}

static void on_this_kernel(int line)
{
	char symbol[128];
	struct found f;
	uint64_t address;

	need_private_world();
	f = without_casts(line, NULL);
	if (kernel_find_symbol("bpf_probe_read_kernel", false, symbol, sizeof(symbol), &address))
		CHECK(!f.probe_reads_kernel && f.probe_reads);
	else
		CHECK(f.probe_reads_kernel && !f.probe_reads);
}

static void before_5_5(int line)
{
	struct found f;

	need_private_world();
	hide_probe_read_kernel();
	f = without_casts(line, NULL);
	CHECK(!f.probe_reads_kernel && f.probe_reads);
}

/* No loop (5.3), and no more instructions than were allowed before 5.2. */
static void on_4_17(int line)
{
	struct found f;

	need_private_world();
	hide_probe_read_kernel();
	f = without_casts(line, "KERNEL_VERSION(4, 17, 0)");
	CHECK(!f.probe_reads_kernel && f.probe_reads);
	CHECK_INT(f.loops, 0);
	CHECK_INT(f.jiffies, 0);
	CHECK(f.adds > 0); /* an interrupt may come in between, before 6.2 */
	CHECK(f.most <= INSNS_BEFORE_5_2);
}

/* A jump back that is a loop, and one that is none. */
TEST(loops_are_found)
{
	const struct bpf_insn loop[] = {
		{ .code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = 0, .imm = 9 },
		{ .code = BPF_ALU64 | BPF_SUB | BPF_K, .dst_reg = 0, .imm = 1 },
		{ .code = BPF_JMP | BPF_JNE | BPF_K, .dst_reg = 0, .off = -2 },
		{ .code = BPF_JMP | BPF_EXIT },
	};
	const struct bpf_insn back[] = {
		{ .code = BPF_JMP | BPF_JA, .off = 2 },
		{ .code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = 0 },
		{ .code = BPF_JMP | BPF_EXIT },
		{ .code = BPF_JMP | BPF_JA, .off = -3 },
	};

	CHECK_INT(count_loops(loop, 4), 1);
	CHECK_INT(count_loops(back, 4), 0);
	CHECK_INT(count_loops(loop + 1, 3), 1);
}

/* What is left of the helpers that read is for headers that are short, are zero, or follow
 * extensions of IPv6. */
TEST(with_casts)
{
	struct found f;

	need_private_world();
	if (!kernel_has_casts())
		SKIP("no bpf_rdonly_cast(), or before Linux 6.2");
	f = compile_and_look(PLAIN, NULL, true);
	CHECK(f.casts >= 4 * (unsigned int)f.programs);
	CHECK(f.probe_reads + f.probe_reads_kernel < 7 * (unsigned int)f.programs);
}

TEST(this_kernel_plain)
{
	on_this_kernel(PLAIN);
}

TEST(this_kernel_filtered)
{
	on_this_kernel(FILTERED);
}

TEST(this_kernel_debug)
{
	on_this_kernel(DEBUG);
}

TEST(this_kernel_statistics)
{
	on_this_kernel(STATISTICS);
}

TEST(before_5_5_filtered)
{
	before_5_5(FILTERED);
}

TEST(before_5_5_statistics)
{
	before_5_5(STATISTICS);
}

TEST(for_4_17_plain)
{
	on_4_17(PLAIN);
}

TEST(for_4_17_filtered)
{
	on_4_17(FILTERED);
}

TEST(for_4_17_debug)
{
	on_4_17(DEBUG);
}

TEST(for_4_17_statistics)
{
	on_4_17(STATISTICS);
}
