/* SPDX-License-Identifier: MIT */
/*
 * libbcc changes into $BCC_KERNEL_SOURCE and gives clang only relative include
 * directories (arch/ARCH/include, include, ...), when that directory has
 * include/linux/kconfig.h. Where it has not, libbcc goes looking by itself, with modprobe,
 * tar and rm in a shell as root. Every set of headers that leaves this file has it.
 */
#include "bpf/headers.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "base/io.h"
#include "bpf/headers_btf.h"
#include "bpf/headers_kheaders.h"

const char *const headers_kind_name[HEADERS_NR] = {
	[HEADERS_AUTO] = "auto",           [HEADERS_DIR] = "dir",           [HEADERS_BTF] = "btf",
	[HEADERS_INSTALLED] = "installed", [HEADERS_KHEADERS] = "kheaders",
};

/*
 * libbcc brings its own copy of uapi/linux/bpf.h and hides the kernel's. <linux/bpf.h> of
 * a newer kernel uses names that an older copy does not have, in inline functions that no
 * probe calls (libbcc 0.26 has that of Linux 6.2). The structs get a stand-in under
 * another name, and the constants their value, so that it does not matter whether libbcc
 * has them.
 */
static const char shim[] = "#define bpf_rb_root lnk_bpf_rb_root\n" /* 6.3 */
			   "#define bpf_rb_node lnk_bpf_rb_node\n"
			   "#define bpf_refcount lnk_bpf_refcount\n"   /* 6.4 */
			   "#define bpf_wq lnk_bpf_wq\n"               /* 6.10 */
			   "#define bpf_task_work lnk_bpf_task_work\n" /* 6.18 */
			   "struct bpf_rb_root { unsigned long long opaque[2]; };\n"
			   "struct bpf_rb_node { unsigned long long opaque[4]; };\n"
			   "struct bpf_refcount { unsigned int opaque; };\n"
			   "struct bpf_wq { unsigned long long opaque[2]; };\n"
			   "struct bpf_task_work { unsigned long long opaque; };\n"
			   /* after 6.18, up to 7.3 */
			   "#define BPF_F_CPU 8\n"
			   "#define BPF_F_ALL_CPUS 16\n"
			   "#define BPF_TRACE_FSESSION 58\n"
			   "#define BPF_TRACE_FENTRY_MULTI 59\n"
			   "#define BPF_TRACE_FEXIT_MULTI 60\n"
			   "#define BPF_TRACE_FSESSION_MULTI 61\n";

/* What the kernel calls the architecture that uname(2) calls `machine`. */
static const char *kernel_arch(const char *machine)
{
	static const char *const map[][2] = {
		{ "x86_64", "x86" },    { "i386", "x86" },    { "i486", "x86" },
		{ "i586", "x86" },      { "i686", "x86" },    { "aarch64", "arm64" },
		{ "arm", "arm" },       { "s390", "s390" },   { "ppc", "powerpc" },
		{ "riscv", "riscv" },   { "mips", "mips" },   { "loongarch", "loongarch" },
		{ "parisc", "parisc" }, { "sparc", "sparc" },
	};
	size_t i;

	for (i = 0; i < sizeof(map) / sizeof(map[0]); i++) {
		if (!strncmp(machine, map[i][0], strlen(map[i][0])))
			return map[i][1];
	}
	return machine;
}

static bool exists(const char *dir, const char *below)
{
	char path[4096 + 256];

	snprintf(path, sizeof(path), "%s/%s", dir, below);
	return !access(path, R_OK);
}

/* Takes a malloc()ed string, or NULL when memory ran out. */
static int add_owned(struct headers *h, char *flag)
{
	if (!flag)
		return -ENOMEM;
	if (h->ncflags == HEADERS_MAX_CFLAGS) {
		free(flag);
		return -E2BIG;
	}
	h->cflags[h->ncflags++] = flag;
	return 0;
}

static int add_flag(struct headers *h, const char *flag)
{
	return add_owned(h, strdup(flag));
}

static int add_include_dir(struct headers *h, const char *dir, const char *below)
{
	char *flag;

	return add_owned(h, asprintf(&flag, "-I%s/%s", dir, below) < 0 ? NULL : flag);
}

/* For every kind of headers. */
static int add_common_flags(struct headers *h)
{
	static const char *const flags[] = {
		/* Unnamed members with a struct tag: 6.19 builds with this. */
		"-fms-extensions",
		"-Wno-microsoft-anon-tag",
		/* An attribute that says nothing here, and of which clang 14 warns. */
		"-Dbtf_type_tag(x)=",
#if defined(__x86_64__) || defined(__i386__)
		/* Headers look at __CET__; newer versions of libbcc pass this themselves. */
		"-fcf-protection",
#endif
	};
	size_t i;
	int err = 0;

	for (i = 0; !err && i < sizeof(flags) / sizeof(flags[0]); i++)
		err = add_flag(h, flags[i]);
	return err;
}

/* For headers that were not made here. -include files come after libbcc's own headers and
 * before the program. */
static int add_shim(struct headers *h, const char *work)
{
	int dirfd = open(work, O_RDONLY | O_DIRECTORY | O_CLOEXEC), err;
	char *path;

	if (dirfd < 0)
		return -errno;
	err = write_file_at(dirfd, "lnk_shim.h", shim, strlen(shim));
	close(dirfd);
	if (!err)
		err = add_flag(h, "-include");
	if (!err)
		err = add_owned(h, asprintf(&path, "%s/lnk_shim.h", work) < 0 ? NULL : path);
	return err;
}

/* The generated half of a split tree, behind the relative directories libbcc passes. */
static int add_generated(struct headers *h, const char *build, const char *arch)
{
	char below[128];
	int err;

	snprintf(below, sizeof(below), "arch/%s/include/generated", arch);
	err = add_include_dir(h, build, below);
	snprintf(below, sizeof(below), "arch/%s/include/generated/uapi", arch);
	if (!err)
		err = add_include_dir(h, build, below);
	if (!err)
		err = add_include_dir(h, build, "include");
	if (!err)
		err = add_include_dir(h, build, "include/generated/uapi");
	return err;
}

/* Where a header tree and the half that a kernel's build generates may lie below a
 * directory: in one; as /lib/modules/V of most distributions; as Debian's; as make O=. */
static const struct {
	const char *source, *build;
} layouts[] = {
	{ "", "" },
	{ "/build", "/build" },
	{ "/source", "/build" },
	{ "/source", "" },
};

/* Returns 0 and the two directories, or -ENOENT. */
static int find_layout(const char *dir, char source[4096], char build[4096])
{
	size_t i;

	for (i = 0; i < sizeof(layouts) / sizeof(layouts[0]); i++) {
		if (snprintf(source, 4096, "%s%s", dir, layouts[i].source) >= 4096 ||
		    snprintf(build, 4096, "%s%s", dir, layouts[i].build) >= 4096)
			return -ENAMETOOLONG;
		if (exists(source, "include/linux/kconfig.h") &&
		    exists(build, "include/generated/autoconf.h"))
			return 0;
	}
	return -ENOENT;
}

static void say_what_lacks(const char *dir, struct text *why)
{
	if (exists(dir, "include/linux/kconfig.h"))
		text_printf(why,
			    "%s has no include/generated/autoconf.h: half of a header tree, or a "
			    "tree not configured",
			    dir);
	else if (exists(dir, "include/generated/autoconf.h"))
		text_printf(why,
			    "%s has no include/linux/kconfig.h: half of a header tree; "
			    "name /lib/modules/VERSION",
			    dir);
	else
		text_printf(why, "%s has no include/linux/kconfig.h, nor have build/ and source/",
			    dir);
}

/* A tree at `dir` in any layout. */
static int use_tree(struct headers *h, const char *dir, const char *arch, const char *work,
		    struct text *why)
{
	char *build = h->build, below[128];
	int err;

	err = find_layout(dir, h->source, build);
	if (err) {
		say_what_lacks(dir, why);
		return err;
	}
	snprintf(below, sizeof(below), "arch/%s/include/generated", arch);
	if (!exists(build, below)) {
		text_printf(why, "%s has no %s: headers for another architecture", build, below);
		return -ENOENT;
	}
	err = add_common_flags(h);
	if (!err && strcmp(h->source, build))
		err = add_generated(h, build, arch);
	if (!err)
		err = add_shim(h, work);
	if (err)
		text_printf(why, "preparing %s: %s", dir, strerror(-err));
	return err;
}

static int prepare_dir(struct headers *h, const char *dir, const struct utsname *un,
		       const char *work, struct text *why)
{
	char *real = dir ? realpath(dir, NULL) : NULL;
	int err;

	if (!real) {
		err = dir ? -errno : -EINVAL;
		text_printf(why, "%s: %s", dir ? dir : "no directory", strerror(-err));
		return err;
	}
	err = use_tree(h, real, kernel_arch(un->machine), work, why);
	free(real);
	snprintf(h->describe, sizeof(h->describe), "kernel headers in %s", h->source);
	return err;
}

static int prepare_installed(struct headers *h, const struct utsname *un, const char *work,
			     struct text *why)
{
	char dir[128];

	snprintf(dir, sizeof(dir), "/lib/modules/%s", un->release);
	snprintf(h->describe, sizeof(h->describe), "kernel headers of %s", dir);
	if (!exists(dir, "build") && !exists(dir, "source")) {
		text_printf(why, "%s/build is missing: the headers are not installed", dir);
		return -ENOENT;
	}
	return use_tree(h, dir, kernel_arch(un->machine), work, why);
}

static int prepare_btf(struct headers *h, const struct utsname *un, const char *work,
		       const char *program, struct text *why)
{
	int err;

	snprintf(h->source, sizeof(h->source), "%s", work);
	snprintf(h->describe, sizeof(h->describe), "BTF of the running kernel");
	err = headers_btf_write(HEADERS_BTF_PATH, work, un->release, un->machine, program, why);
	if (err)
		return err;
	err = add_common_flags(h);
	if (err)
		text_printf(why, "preparing the header tree: %s", strerror(-err));
	return err;
}

static int prepare_kheaders(struct headers *h, const struct utsname *un, const char *work,
			    struct text *why)
{
	int err;

	err = headers_kheaders_unpack(HEADERS_KHEADERS_PATH, work, why);
	if (err)
		return err;
	snprintf(h->describe, sizeof(h->describe), "kernel headers from " HEADERS_KHEADERS_PATH);
	return use_tree(h, work, kernel_arch(un->machine), work, why);
}

int headers_prepare(struct headers *h, enum headers_kind kind, const char *dir, const char *work,
		    const char *program, struct text *why)
{
	struct utsname un;
	int err;

	memset(h, 0, sizeof(*h));
	h->kind = kind;
	if (uname(&un)) {
		err = -errno;
		text_printf(why, "uname: %s", strerror(-err));
		return err;
	}
	switch (kind) {
	case HEADERS_DIR:
		err = prepare_dir(h, dir, &un, work, why);
		break;
	case HEADERS_BTF:
		err = prepare_btf(h, &un, work, program, why);
		break;
	case HEADERS_INSTALLED:
		err = prepare_installed(h, &un, work, why);
		break;
	case HEADERS_KHEADERS:
		err = prepare_kheaders(h, &un, work, why);
		break;
	default:
		text_puts(why, "no such kind of headers");
		err = -EINVAL;
	}
	if (err)
		headers_free(h);
	return err;
}

/* A file of the generated half of a tree, to its place in a small one. */
static int copy_generated(const struct headers *full, const char *from, int workfd, const char *to)
{
	char path[4096 + 64];
	struct text t = { 0 };
	int err;

	snprintf(path, sizeof(path), "%s/include/generated/%s", full->build, from);
	err = read_file_at(AT_FDCWD, path, &t, (size_t)1 << 20);
	if (!err)
		err = write_file_at(workfd, to, text_str(&t), t.len);
	text_free(&t);
	return err;
}

int headers_reduce(struct headers *h, const struct headers *full, const struct text *btf,
		   const char *work, const char *program, struct text *why)
{
	char path[256];
	struct utsname un;
	int dirfd, err;

	*h = (struct headers){ .kind = full->kind };
	snprintf(h->source, sizeof(h->source), "%s", work);
	snprintf(h->describe, sizeof(h->describe), "the types that probes use, of %.4000s",
		 full->describe);
	snprintf(path, sizeof(path), "%s/types.btf", work);
	dirfd = open(work, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	err = dirfd < 0 || uname(&un) ? -errno
				      : write_file_at(dirfd, "types.btf", btf->s, btf->len);
	if (!err)
		err = headers_btf_write(path, work, un.release, un.machine, program, why);
	if (!err)
		err = copy_generated(full, "autoconf.h", dirfd, "include/generated/autoconf.h");
	if (!err)
		err = copy_generated(full, "uapi/linux/version.h", dirfd,
				     "include/linux/version.h");
	if (!err)
		err = add_common_flags(h);
	if (dirfd >= 0)
		close(dirfd);
	if (err) {
		text_printf(why, "%s%s", why->len ? ": " : "", strerror(-err));
		headers_free(h);
	}
	return err;
}

void headers_free(struct headers *h)
{
	int i;

	for (i = 0; i < h->ncflags; i++)
		free(h->cflags[i]);
	h->ncflags = 0;
	memset(h->cflags, 0, sizeof(h->cflags));
}
