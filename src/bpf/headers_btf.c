/* SPDX-License-Identifier: MIT */
/*
 * The whole vmlinux as C is 130,000 lines and clashes with the bpf.h that libbcc carries;
 * the structs below and what they need are about 3,000 lines. Structs behind pointers
 * stay incomplete.
 *
 * libbpf has to guess where a struct was packed or aligned, which BTF does not say. A
 * wrong guess would shift every field after it and the probes would read rubbish. So the
 * tree ends in one assertion for the size of each struct and the offset of each of its
 * members, taken from BTF: such a tree does not compile.
 *
 * Where gcc aligned a member, libbpf fills the gap with unnamed bit-fields, "long: 64;" for
 * each eight bytes. clang before 19 makes one integer of such a run, an i320 for five; and
 * libbcc replaces the data layout of the module after clang has laid out the structs, by
 * BPF's, where an i320 has another alignment than on x86. Every member behind it moves, in
 * the program but not in offsetof(): on Linux 7.3 net->ns.inum, on 5.10 net->ipv6. So these
 * bit-fields are made members.
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
#include "bpf/headers_parts.h"
#include "bpf/headers_stubs.h"

struct wanted {
	const char *name;
	bool needed; /* the tree is useless without it */
};

static const struct wanted structs[] = {
	{ "pt_regs", true },
	{ "iphdr", true },
	{ "ipv6hdr", true },
	{ "tcphdr", true },
	{ "sk_buff", true },
	{ "sock_common", true },
	{ "sock", true },
	{ "inet_sock", true },
	{ "tcp_sock", true },
	{ "net_device", true },
	{ "net", true },
	{ "ns_common", true }, /* struct net holds one; the inode number names the namespace */
	{ "skb_shared_info", false },
	{ "udphdr", false },
	{ "ethhdr", false },
	{ "vlan_hdr", false },
	{ "frag_hdr", false },
	{ "ipv6_opt_hdr", false },
	{ "user_regs_struct", false }, /* what PT_REGS_PARM1() reads on riscv */
};

/* Integer types that probes and libbcc's headers use, and their C type where the kernel's
 * BTF has no such typedef. */
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

/* Type ids by index into the tables above; 0 where BTF has no such type. */
struct found {
	uint32_t structs[COUNT(structs)];
	uint32_t typedefs[COUNT(typedefs)];
	struct headers_parts parts;
};

/* A dump in progress. */
struct dump {
	const struct btf *btf;
	const struct found *found;
	struct btf_dump *d;
	struct text *out;
};

static int fail(int err, struct text *why, const char *what)
{
	text_printf(why, "%s: %s", what, strerror(-err));
	return err;
}

static void note_struct(struct found *f, const char *name, uint32_t id)
{
	size_t i;

	headers_parts_note(&f->parts, name, id);
	for (i = 0; i < COUNT(structs); i++) {
		if (!f->structs[i] && !strcmp(name, structs[i].name))
			f->structs[i] = id;
	}
}

static void note_typedef(struct found *f, const char *name, uint32_t id)
{
	size_t i;

	for (i = 0; i < COUNT(typedefs); i++) {
		if (!f->typedefs[i] && !strcmp(name, typedefs[i][0]))
			f->typedefs[i] = id;
	}
}

/*
 * Looks all of them up in one pass: btf__find_by_name_kind() goes through all types for
 * each, 0.5 ms. By kind, because there are a struct, a function and a constant "net".
 */
static void find_types(const struct btf *btf, struct found *f)
{
	const struct btf_type *t;
	uint32_t id;

	for (id = 1; (t = btf__type_by_id(btf, id)); id++) {
		if (btf_kind(t) == BTF_KIND_STRUCT)
			note_struct(f, btf__name_by_offset(btf, t->name_off), id);
		else if (btf_kind(t) == BTF_KIND_TYPEDEF)
			note_typedef(f, btf__name_by_offset(btf, t->name_off), id);
	}
}

static void dump_printf(void *ctx, const char *fmt, va_list args)
{
	text_vprintf(ctx, fmt, args);
}

/* The interface changed in libbpf 0.6, which was the first to tell its version. */
static struct btf_dump *new_dump(const struct btf *btf, struct text *out)
{
#ifdef LIBBPF_MAJOR_VERSION
	return btf_dump__new(btf, dump_printf, out, NULL);
#else
	struct btf_dump_opts opts = { .ctx = out };

	return btf_dump__new(btf, NULL, &opts, dump_printf);
#endif
}

static int dump_type(const struct dump *dump, uint32_t id, const char *name, struct text *why)
{
	int err = btf_dump__dump_type(dump->d, id);

	if (err)
		text_printf(why, "libbpf cannot print %s: %s", name, strerror(-err));
	return err;
}

static int dump_structs(const struct dump *dump, struct text *why)
{
	size_t i;
	int err = 0;

	for (i = 0; !err && i < COUNT(structs); i++) {
		if (dump->found->structs[i]) {
			err = dump_type(dump, dump->found->structs[i], structs[i].name, why);
		} else if (structs[i].needed) {
			text_printf(why, "the kernel's BTF has no struct %s", structs[i].name);
			err = -ENOENT;
		}
	}
	return err;
}

static int dump_typedefs(const struct dump *dump, struct text *why)
{
	size_t i;
	int err = 0;

	for (i = 0; !err && i < COUNT(typedefs); i++) {
		if (dump->found->typedefs[i])
			err = dump_type(dump, dump->found->typedefs[i], typedefs[i][0], why);
		else
			text_printf(dump->out, "typedef %s %s;\n", typedefs[i][1], typedefs[i][0]);
	}
	return err;
}

static const struct btf_type *strip(const struct btf *btf, uint32_t id)
{
	const struct btf_type *t = btf__type_by_id(btf, id);

	while (t && (btf_is_mod(t) || btf_is_typedef(t)))
		t = btf__type_by_id(btf, t->type);
	return t;
}

/* C has no offsetof() for a bit-field. They are marked in the struct since pahole 1.12,
 * before that in the width of their integer type. */
static bool is_bitfield(const struct btf_type *parent, uint32_t index, const struct btf_type *t)
{
	if (btf_member_bitfield_size(parent, index) || btf_member_bit_offset(parent, index) % 8)
		return true;
	return btf_is_int(t) && btf_int_bits(t) != t->size * 8;
}

/* One assertion for each member of `t`, which starts at byte `base` of struct `outer`;
 * the members of unnamed structs and unions count as the outer struct's, as in C. */
static void assert_members(const struct dump *dump, const char *outer, const struct btf_type *t,
			   uint32_t base)
{
	const struct btf_member *m = btf_members(t);
	const struct btf_type *mt;
	const char *name;
	uint32_t i, at;

	for (i = 0; i < btf_vlen(t); i++, m++) {
		mt = strip(dump->btf, m->type);
		if (!mt || is_bitfield(t, i, mt))
			continue;
		at = base + btf_member_bit_offset(t, i) / 8;
		name = btf__name_by_offset(dump->btf, m->name_off);
		if (name && *name)
			text_printf(dump->out,
				    "_Static_assert(__builtin_offsetof(struct %s, %s) == %u, "
				    "\"the offset in BTF is another\");\n",
				    outer, name, at);
		else if (btf_is_composite(mt))
			assert_members(dump, outer, mt, at);
	}
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

static void assert_layout(const struct dump *dump)
{
	const struct btf_type *t;
	size_t i;

	for (i = 0; i < COUNT(structs); i++) {
		if (!dump->found->structs[i])
			continue;
		t = btf__type_by_id(dump->btf, dump->found->structs[i]);
		text_printf(dump->out,
			    "_Static_assert(sizeof(struct %s) == %u, \"the size in BTF is "
			    "another\");\n",
			    structs[i].name, t->size);
		assert_members(dump, structs[i].name, t, 0);
	}
}

/* Copies what libbpf printed, with padding as described at the top. */
static void copy_types(struct text *out, const char *from)
{
	char pad[32];
	size_t pad_len = (size_t)snprintf(pad, sizeof(pad), "long: %zu;\n", 8 * sizeof(long));
	unsigned int pads = 0;
	const char *end;
	size_t indent;

	for (; *from; from = end) {
		end = strchrnul(from, '\n');
		end += *end == '\n';
		indent = strspn(from, "\t");
		if ((size_t)(end - from) == indent + pad_len &&
		    !memcmp(from + indent, pad, pad_len))
			text_printf(out, "\tunsigned long lnk_pad%u;\n", pads++);
		else
			text_add(out, from, (size_t)(end - from));
	}
}

/* Everything that libbpf prints. */
static int dump_types(struct dump *dump, struct text *why)
{
	int err;

	dump->d = new_dump(dump->btf, dump->out);
	err = (int)libbpf_get_error(dump->d);
	if (err)
		return fail(err, why, "libbpf cannot start to print the kernel's BTF");
	err = dump_structs(dump, why);
	if (!err)
		err = dump_typedefs(dump, why);
	btf_dump__free(dump->d);
	return err;
}

/* The types, as one file. */
static int make_types(const struct btf *btf, const struct found *found, struct text *out,
		      struct text *why)
{
	struct text printed = { 0 };
	struct dump dump = { .btf = btf, .found = found, .out = &printed };
	int err;

	err = dump_types(&dump, why);
	if (!err) {
		text_puts(out, "#ifndef LNK_TYPES_H\n#define LNK_TYPES_H\n");
		copy_types(out, text_str(&printed));
		headers_parts_emit(&found->parts, btf, text_str(&printed), out);
		text_puts(out, "#define __aligned_u64 __u64 __attribute__((aligned(8)))\n"
			       "#define __aligned_be64 __be64 __attribute__((aligned(8)))\n");
		dump.out = out;
		assert_layout(&dump);
		text_puts(out, "#endif\n");
		out->cut |= printed.cut;
	}
	text_free(&printed);
	return err;
}

static bool struct_has(const struct btf *btf, const struct found *found, const char *name,
		       const char *member)
{
	size_t i;

	for (i = 0; i < COUNT(structs); i++) {
		if (found->structs[i] && !strcmp(structs[i].name, name))
			return has_member(btf, btf__type_by_id(btf, found->structs[i]), member);
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
		      struct text *why)
{
	struct text types = { 0 }, autoconf = { 0 }, version = { 0 };
	struct found found = { 0 };
	int err;

	find_types(btf, &found);
	make_autoconf(btf, &found, machine, &autoconf);
	err = make_version(release, &version, why);
	if (!err)
		err = make_types(btf, &found, &types, why);
	if (!err)
		err = write_text(dirfd, HEADERS_TYPES, &types, why);
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
	*out = btf__parse_raw(path);
	err = (int)libbpf_get_error(*out);
	if (err) {
		text_printf(why, "libbpf cannot read %s: %s (is it older than the kernel?)", path,
			    strerror(-err));
		*out = NULL;
	}
	return err;
}

int headers_btf_write(const char *btf_path, const char *work, const char *release,
		      const char *machine, struct text *why)
{
	libbpf_print_fn_t old_print = libbpf_set_print(NULL);
	struct btf *btf = NULL;
	int dirfd, err;

	dirfd = open(work, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (dirfd < 0) {
		err = fail(-errno, why, work);
	} else {
		err = load_btf(btf_path, &btf, why);
		if (!err)
			err = write_tree(btf, dirfd, release, machine, why);
		btf__free(btf);
		close(dirfd);
	}
	/* The caller's libbcc shares this library and has something to say, too. */
	libbpf_set_print(old_print);
	return err;
}
