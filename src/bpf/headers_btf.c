/* SPDX-License-Identifier: MIT */
/*
 * The whole vmlinux as C is 130,000 lines and clashes with the bpf.h that libbcc carries; of
 * the structs below the program names some 60 members, which are 300 lines. Structs behind
 * pointers stay incomplete.
 */
#include "bpf/headers_btf.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <bpf/btf.h>
#include <bpf/libbpf.h>

#include "base/io.h"
#include "bpf/headers_structs.h"
#include "bpf/headers_stubs.h"
#include "bpf/headers_words.h"

struct wanted {
	const char *name;
	bool needed; /* the tree is useless without it */
	bool whole;  /* libbcc's macros name its members */
};

static const struct wanted structs[] = {
	{ "pt_regs", true, true },
#ifdef __riscv
	{ "user_regs_struct", false, true }, /* what PT_REGS_PARM1() reads */
#endif
	{ "iphdr", true, false },
	{ "ipv6hdr", true, false },
	{ "tcphdr", true, false },
	{ "sk_buff", true, false },
	{ "sock_common", true, false },
	{ "sock", true, false },
	{ "inet_sock", true, false },
	{ "tcp_sock", true, false },
	{ "net_device", true, false },
	{ "net", true, false },
	{ "ns_common", true,
	  false }, /* struct net holds one; the inode number names the namespace */
	{ "skb_shared_info", false, false },
	{ "udphdr", false, false },
	{ "ethhdr", false, false },
	{ "vlan_hdr", false, false },
	{ "frag_hdr", false, false },
	{ "ipv6_opt_hdr", false, false },
	{ "inode", false, false },
	{ "socket_alloc", false, false }, /* a struct socket stands at its begin */
	{ "cgroup_subsys_state", false, false },
	{ "kernfs_node", false, false },
	{ "cgroup", false, false },
	{ "task_struct", false, false },
};

/* Integer types that probes and libbcc's headers use. */
static const char *const typedefs[][2] = {
	{ "__u8", "unsigned char" },
	{ "__u16", "unsigned short" },
	{ "__u32", "unsigned int" },
	{ "__u64", "unsigned long long" },
	{ "__s8", "signed char" },
	{ "__s16", "short" },
	{ "__s32", "int" },
	{ "__s64", "long long" },
	{ "u8", "__u8" },
	{ "u16", "__u16" },
	{ "u32", "__u32" },
	{ "u64", "__u64" },
	{ "s8", "__s8" },
	{ "s16", "__s16" },
	{ "s32", "__s32" },
	{ "s64", "__s64" },
	{ "__le16", "__u16" },
	{ "__le32", "__u32" },
	{ "__le64", "__u64" },
	{ "__be16", "__u16" },
	{ "__be32", "__u32" },
	{ "__be64", "__u64" },
	{ "__sum16", "__u16" },
	{ "__wsum", "__u32" },
	{ "bool", "_Bool" },
	{ "size_t", "__SIZE_TYPE__" },
	{ "uintptr_t", "__UINTPTR_TYPE__" },
	{ "uint8_t", "__u8" },
	{ "uint16_t", "__u16" },
	{ "uint32_t", "__u32" },
	{ "uint64_t", "__u64" },
	{ "int8_t", "__s8" },
	{ "int16_t", "__s16" },
	{ "int32_t", "__s32" },
	{ "int64_t", "__s64" },
	{ "pid_t", "int" },
};

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

/* Types by index into the table above. */
struct found {
	struct headers_struct v[COUNT(structs)];
};

static int fail(int err, struct text *why, const char *what)
{
	text_printf(why, "%s: %s", what, strerror(-err));
	return err;
}

static void note_struct(struct found *f, const char *name, uint32_t id)
{
	size_t i;

	for (i = 0; i < COUNT(structs); i++) {
		if (!f->v[i].id && !strcmp(name, structs[i].name))
			f->v[i] =
				(struct headers_struct){ id, structs[i].needed, structs[i].whole };
	}
}

/*
 * Looks all of them up in one pass: btf__find_by_name_kind() goes through all types for
 * each, 0.5 ms. By kind, because there are a struct, a function and a constant "net".
 */
static int find_types(const struct btf *btf, struct found *f, struct text *why)
{
	const struct btf_type *t;
	uint32_t id;
	size_t i;

	for (id = 1; (t = btf__type_by_id(btf, id)); id++)
		if (btf_is_struct(t))
			note_struct(f, btf__name_by_offset(btf, t->name_off), id);
	for (i = 0; i < COUNT(structs); i++)
		if (structs[i].needed && !f->v[i].id) {
			text_printf(why, "the kernel's BTF has no struct %s", structs[i].name);
			return -ENOENT;
		}
	return 0;
}

static const struct btf_type *strip(const struct btf *btf, uint32_t id)
{
	const struct btf_type *t = btf__type_by_id(btf, id);

	while (t && (btf_is_mod(t) || btf_is_typedef(t)))
		t = btf__type_by_id(btf, t->type);
	return t;
}

static bool has_member(const struct btf *btf, const struct btf_type *t, const char *want)
{
	const struct btf_member *m = btf_members(t);
	const struct btf_type *mt;
	const char *name;
	uint32_t i;

	for (i = 0; i < btf_vlen(t); i++, m++) {
		name = btf__name_by_offset(btf, m->name_off);
		if (name && !strcmp(name, want))
			return true;
		mt = strip(btf, m->type);
		if (name && !*name && mt && btf_is_composite(mt) && has_member(btf, mt, want))
			return true;
	}
	return false;
}

/* The types, as one file. */
static void make_types(const struct btf *btf, const struct found *found,
		       const struct headers_words *words, struct text *out)
{
	size_t i;

	text_puts(out, "#ifndef LNK_TYPES_H\n#define LNK_TYPES_H\n");
	for (i = 0; i < COUNT(typedefs); i++)
		text_printf(out, "typedef %s %s;\n", typedefs[i][1], typedefs[i][0]);
	headers_structs_emit(btf, words, found->v, COUNT(structs), out);
	text_puts(out, "#define __aligned_u64 __u64 __attribute__((aligned(8)))\n"
		       "#define __aligned_be64 __be64 __attribute__((aligned(8)))\n"
		       "#endif\n");
}

static bool struct_has(const struct btf *btf, const struct found *found, const char *name,
		       const char *member)
{
	size_t i;

	for (i = 0; i < COUNT(structs); i++) {
		if (found->v[i].id && !strcmp(structs[i].name, name))
			return has_member(btf, btf__type_by_id(btf, found->v[i].id), member);
	}
	return false;
}

/* The options of the kernel's configuration that probes and libbcc look at. */
static void make_autoconf(const struct btf *btf, const struct found *found, const char *machine,
			  struct text *out)
{
	text_puts(out, "#define CONFIG_BPF_SYSCALL 1\n"
		       "#define CONFIG_NET 1\n"
		       "#define CONFIG_INET 1\n");
	if (struct_has(btf, found, "sock_common", "skc_v6_daddr"))
		text_puts(out, "#define CONFIG_IPV6 1\n");
	if (struct_has(btf, found, "sock", "sk_cgrp_data"))
		text_puts(out, "#define CONFIG_SOCK_CGROUP_DATA 1\n");
	if (sizeof(long) == 8)
		text_puts(out, "#define CONFIG_64BIT 1\n");
	/* True of every kernel of these architectures that has BTF in sysfs (5.4). */
	if (!strcmp(machine, "x86_64") || !strcmp(machine, "aarch64") || !strcmp(machine, "s390x"))
		text_puts(out, "#define CONFIG_ARCH_HAS_SYSCALL_WRAPPER 1\n");
}

/* The kernel keeps a byte for the sublevel since 4.4.256 and 5.10.156 ran over it. */
static int make_version(const char *release, struct text *out, struct text *why)
{
	unsigned int major, minor, sub = 0;

	if (sscanf(release, "%u.%u.%u", &major, &minor, &sub) < 2) {
		text_printf(why, "the kernel's release \"%s\" is not a version", release);
		return -EINVAL;
	}
	if (sub > 255)
		sub = 255;
	text_printf(out,
		    "#ifndef LINUX_VERSION_CODE\n"
		    "#define LINUX_VERSION_CODE %u\n"
		    "#endif\n"
		    "#ifndef KERNEL_VERSION\n"
		    "#define KERNEL_VERSION(a, b, c) "
		    "(((a) << 16) + ((b) << 8) + ((c) > 255 ? 255 : (c)))\n"
		    "#endif\n",
		    (major << 16) + (minor << 8) + sub);
	return 0;
}

static int write_text(int dirfd, const char *path, const struct text *t, struct text *why)
{
	int err = t->cut ? -ENOMEM : write_file_at(dirfd, path, text_str(t), t->len);

	return err ? fail(err, why, path) : 0;
}

static int write_stubs(int dirfd, struct text *why)
{
	const struct headers_file *f;
	size_t i;
	int err;

	for (f = headers_files; f->path; f++) {
		err = write_file_at(dirfd, f->path, f->text, strlen(f->text));
		if (err)
			return fail(err, why, f->path);
	}
	for (i = 0; headers_stubs[i]; i++) {
		err = write_file_at(dirfd, headers_stubs[i], headers_stub_text,
				    strlen(headers_stub_text));
		if (err)
			return fail(err, why, headers_stubs[i]);
	}
	return 0;
}

static int write_tree(const struct btf *btf, int dirfd, const char *release, const char *machine,
		      const struct headers_words *words, struct text *why)
{
	struct text types = { 0 }, autoconf = { 0 }, version = { 0 };
	struct found found = { 0 };
	int err;

	err = find_types(btf, &found, why);
	if (!err)
		err = make_version(release, &version, why);
	if (!err) {
		make_autoconf(btf, &found, machine, &autoconf);
		make_types(btf, &found, words, &types);
		err = write_text(dirfd, HEADERS_TYPES, &types, why);
	}
	if (!err)
		err = write_text(dirfd, "include/generated/autoconf.h", &autoconf, why);
	if (!err)
		err = write_text(dirfd, "include/linux/version.h", &version, why);
	if (!err)
		err = write_stubs(dirfd, why);
	text_free(&types);
	text_free(&autoconf);
	text_free(&version);
	return err;
}

static struct btf *of_kernel;

static int parse(const char *path, struct btf **out)
{
	bool kernel = !strcmp(path, HEADERS_BTF_PATH);
	int err;

	if (kernel && of_kernel) {
		*out = of_kernel;
		return 0;
	}
	*out = btf__parse_raw(path);
	err = (int)libbpf_get_error(*out); /* before 1.0 it hands errors out as pointers */
	if (err)
		*out = NULL;
	else if (kernel)
		of_kernel = *out;
	return err;
}

static void done_with(struct btf *btf)
{
	if (btf != of_kernel)
		btf__free(btf);
}

const struct btf *headers_btf_kernel(void)
{
	struct btf *btf;

	return parse(HEADERS_BTF_PATH, &btf) ? NULL : btf;
}

/* libbpf would only say "failed to load": tell a missing file from an unreadable one. */
static int load_btf(const char *path, struct btf **out, struct text *why)
{
	int err;

	if (access(path, R_OK)) {
		err = -errno;
		if (err == -ENOENT)
			text_printf(why, "this kernel has no %s (CONFIG_DEBUG_INFO_BTF)", path);
		else
			fail(err, why, path);
		return err;
	}
	err = parse(path, out);
	if (err)
		text_printf(why, "libbpf cannot read %s: %s (is it older than the kernel?)", path,
			    strerror(-err));
	return err;
}

int headers_btf_write(const char *btf_path, const char *work, const char *release,
		      const char *machine, const char *program, struct text *why)
{
	libbpf_print_fn_t old_print = libbpf_set_print(NULL);
	struct headers_words words;
	struct btf *btf = NULL;
	int dirfd, err;

	headers_words_take(&words, program);
	dirfd = open(work, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (dirfd < 0) {
		err = fail(-errno, why, work);
	} else {
		err = load_btf(btf_path, &btf, why);
		if (!err)
			err = write_tree(btf, dirfd, release, machine, &words, why);
		done_with(btf);
		close(dirfd);
	}
	/* The caller's libbcc shares this library and has something to say, too. */
	libbpf_set_print(old_print);
	return err;
}
