/* SPDX-License-Identifier: MIT */
#include "unit.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <unistd.h>

#include <bpf/btf.h>
#include <bpf/libbpf.h>

#include "base/io.h"
#include "base/text.h"
#include "bpf/embedded.h"
#include "bpf/headers.h"
#include "bpf/headers_btf.h"
#include "bpf/headers_kheaders.h"

/* --- a directory that goes with the case ------------------------------------------ */

static char dir[] = "/tmp/test_headers.XXXXXX";
static int dirfd_;

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st;
	(void)type;
	(void)ftw;
	return remove(path);
}

static void remove_dir(void)
{
	nftw(dir, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

static void make_dir(void)
{
	if (!mkdtemp(dir))
		abort();
	dirfd_ = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	atexit(remove_dir);
}

/* A path in it; good until the fourth call after this one. */
static const char *in_dir(const char *below)
{
	static char path[4][4300];
	static unsigned int n;

	n = (n + 1) % 4;
	snprintf(path[n], sizeof(path[n]), "%s/%s", dir, below);
	return path[n];
}

static void put(const char *below, const char *bytes, size_t len)
{
	CHECK_INT(write_file_at(dirfd_, below, bytes, len), 0);
}

static void touch(const char *below)
{
	put(below, "", 0);
}

static bool file_has(const char *below, const char *what)
{
	struct text t = { 0 };
	bool has = !read_file_at(dirfd_, below, &t, TEXT_MAX) && strstr(text_str(&t), what);

	text_free(&t);
	return has;
}

/* The reason of a failure, which must hold `what`. */
static void check_why(struct text *why, const char *what)
{
	if (!CHECK(strstr(text_str(why), what)))
		fprintf(stderr, "  got  \"%s\"\n  want ...%s...\n", text_str(why), what);
	CHECK(!strchr(text_str(why), '\n'));
	text_free(why);
}

/* --- BTF --------------------------------------------------------------------------- */

/* The structs that the tree cannot do without. */
static const char *const needed[] = { "pt_regs",  "iphdr",       "ipv6hdr", "tcphdr",
				      "sk_buff",  "sock_common", "sock",    "inet_sock",
				      "tcp_sock", "net_device",  "net",     "ns_common" };

/*
 * BTF with those structs, but for `without`: each { int first; int last; } with 36 bytes
 * between them, as in an aligned one.
 */
static void put_btf(const char *below, const char *without, bool ipv6)
{
	struct btf *btf = btf__new_empty();
	const void *raw;
	uint32_t size;
	size_t i;
	int id = btf__add_int(btf, "int", 4, BTF_INT_SIGNED);

	for (i = 0; i < sizeof(needed) / sizeof(needed[0]); i++) {
		if (without && !strcmp(needed[i], without))
			continue;
		btf__add_struct(btf, needed[i], 48);
		btf__add_field(btf, "first", id, 0, 0);
		btf__add_field(btf, "last", id, 40 * 8, 0);
		if (ipv6 && !strcmp(needed[i], "sock_common"))
			btf__add_field(btf, "skc_v6_daddr", id, 44 * 8, 0);
	}
#ifdef LIBBPF_MAJOR_VERSION
	raw = btf__raw_data(btf, &size);
#else
	raw = btf__get_raw_data(btf, &size);
#endif
	put(below, raw, size);
	btf__free(btf);
}

static int write_tree(const char *btf, const char *release, struct text *why)
{
	return headers_btf_write(in_dir(btf), dir, release, "x86_64", NULL, why);
}

TEST(btf_tree)
{
	struct text why = { 0 };

	make_dir();
	put_btf("btf", NULL, true);
	CHECK_INT(write_tree("btf", "5.10.300-rc1-x", &why), 0);
	CHECK_STR(text_str(&why), "");
	CHECK(file_has("include/linux/kconfig.h", "IS_ENABLED"));
	CHECK(file_has("include/linux/skbuff.h", "#include <lnk/types.h>"));
	CHECK(file_has("include/generated/autoconf.h", "CONFIG_IPV6 1"));
	CHECK(file_has("include/lnk/types.h", "struct sk_buff {"));
	CHECK(file_has("include/lnk/types.h", "typedef unsigned char __u8;"));
	CHECK(file_has("include/lnk/types.h",
		       "_Static_assert(__builtin_offsetof(struct sk_buff, last) == 40,"));
	CHECK(file_has("include/lnk/types.h", "_Static_assert(sizeof(struct sk_buff) == 48,"));
	/* 5.10.255: the sublevel has a byte. */
	CHECK(file_has("include/linux/version.h", "LINUX_VERSION_CODE 330495\n"));
}

/* Unnamed bit-fields are no padding: clang before 19 makes one integer of a long run of them,
 * which moves what stands behind it when libbcc has put in BPF's data layout. */
TEST(btf_padding_is_members)
{
	struct text why = { 0 };

	make_dir();
	put_btf("btf", NULL, true);
	CHECK_INT(write_tree("btf", "6.1.0", &why), 0);
	CHECK(file_has("include/lnk/types.h", "\tunsigned char lnk_gap0[36];\n"));
	CHECK(!file_has("include/lnk/types.h", "\t: "));
}

/* Members that the program does not name are bytes. */
TEST(btf_named_members)
{
	struct text why = { 0 };

	make_dir();
	put_btf("btf", NULL, true);
	CHECK_INT(headers_btf_write(in_dir("btf"), dir, "6.1.0", "x86_64", "skb->last", &why), 0);
	CHECK(file_has("include/lnk/types.h", "[40];\n\tint last;\n"));
	CHECK(!file_has("include/lnk/types.h", "struct sk_buff, first)"));
	CHECK(file_has("include/lnk/types.h", "struct sk_buff, last) == 40,"));
	CHECK(file_has("include/lnk/types.h", "struct pt_regs, first) == 0,"));
	/* the configuration is the kernel's, not the program's */
	CHECK(file_has("include/generated/autoconf.h", "CONFIG_IPV6 1"));
}

TEST(btf_without_ipv6)
{
	struct text why = { 0 };

	make_dir();
	put_btf("btf", NULL, false);
	CHECK_INT(write_tree("btf", "6.1", &why), 0);
	CHECK(!file_has("include/generated/autoconf.h", "IPV6"));
	CHECK(file_has("include/linux/version.h", "LINUX_VERSION_CODE 393472\n"));
}

/* Bytes that this process has got from read(2). Returns false where the kernel does not count. */
static bool bytes_read(unsigned long long *n)
{
	struct text io = { 0 };
	bool told = !read_file_at(AT_FDCWD, "/proc/self/io", &io, 4096) &&
		    sscanf(text_str(&io), "rchar: %llu", n) == 1;

	text_free(&io);
	return told;
}

/* It is megabytes, and who makes the tree asks for numbers of functions afterwards. */
TEST(btf_of_the_kernel_is_read_once)
{
	unsigned long long before, after;
	struct text why = { 0 };
	const struct btf *btf;
	struct stat st;

	if (stat(HEADERS_BTF_PATH, &st) || access(HEADERS_BTF_PATH, R_OK))
		SKIP("this kernel shows no BTF");
	make_dir();
	if (!bytes_read(&before))
		SKIP("this kernel does not count what is read");
	CHECK_INT(headers_btf_write(HEADERS_BTF_PATH, dir, "6.1.0", "x86_64", NULL, &why), 0);
	btf = headers_btf_kernel();
	CHECK(btf && btf == headers_btf_kernel());
	CHECK(bytes_read(&after) && after - before < 2 * (unsigned long long)st.st_size);
}

TEST(btf_failures)
{
	struct text why = { 0 };

	make_dir();
	CHECK_INT(write_tree("none", "6.1.0", &why), -ENOENT);
	check_why(&why, "CONFIG_DEBUG_INFO_BTF");
	put("garbage", "garbage", 7);
	CHECK(write_tree("garbage", "6.1.0", &why) < 0);
	check_why(&why, "libbpf cannot read ");
	put_btf("btf", "tcp_sock", true);
	CHECK_INT(write_tree("btf", "6.1.0", &why), -ENOENT);
	check_why(&why, "has no struct tcp_sock");
	put_btf("btf", NULL, true);
	CHECK_INT(write_tree("btf", "six", &why), -EINVAL);
	check_why(&why, "\"six\" is not a version");
	CHECK_INT(headers_btf_write(in_dir("btf"), in_dir("nowhere"), "6.1.0", "x86_64", NULL,
				    &why),
		  -ENOENT);
	check_why(&why, "nowhere: ");
}

/* --- what libbcc makes of this kernel's tree ----------------------------------------- */

/* A function for each assertion of the tree, which hands the member's address to a
 * helper. The pointer comes from memory: otherwise clang works the offset out before
 * libbcc has put in BPF's data layout. */
static int make_program(const char *types, struct text *program, struct text *wanted)
{
	static const char start[] = "_Static_assert(__builtin_offsetof(struct ";
	char type[128], member[128];
	const char *s = types;
	unsigned int at;
	int n = 0;

	text_puts(program, "#include <linux/tcp.h>\n");
	while ((s = strstr(s, start))) {
		s += sizeof(start) - 1;
		if (sscanf(s, "%127[^,], %127[^)]) == %u", type, member, &at) != 3)
			return -1;
		text_printf(program,
			    "int kprobe__f%d(void *ctx)\n{\n"
			    "\tstruct %s *p = NULL;\n\tchar c;\n"
			    "\tbpf_probe_read_kernel(&p, sizeof(p), ctx);\n"
			    "\tbpf_probe_read_kernel(&c, 1, (void *)&p->%s);\n"
			    "\treturn 0;\n}\n",
			    n++, type, member);
		text_printf(wanted, "%u %s.%s\n", at, type, member);
	}
	return n;
}

/* What is added to the third argument between the first and the second call. */
static int added_offset(const struct bpf_insn *insn, size_t count)
{
	int calls = 0, at = 0;

	for (; count; insn++, count--) {
		calls += insn->code == (BPF_JMP | BPF_CALL);
		/* BPF_ADD and BPF_K are both 0: written out for the reader
		 * NOLINTNEXTLINE(misc-redundant-expression) */
		if (calls == 1 && insn->code == (BPF_ALU64 | BPF_ADD | BPF_K) && insn->dst_reg == 3)
			at = insn->imm;
	}
	return at;
}

struct libbcc {
	void *(*create)(const char *text, unsigned flags, const char *cflags[], int ncflags,
			bool allow_rlimit, const char *dev_name);
	void *(*start)(void *module, const char *name);
	size_t (*size)(void *module, const char *name);
};

static bool open_libbcc(struct libbcc *bcc)
{
	void *lib = dlopen("libbcc.so.0", RTLD_NOW | RTLD_LOCAL), *f[3];

	if (!lib)
		return false;
	f[0] = dlsym(lib, "bpf_module_create_c_from_string");
	f[1] = dlsym(lib, "bpf_function_start");
	f[2] = dlsym(lib, "bpf_function_size");
	memcpy(bcc, f, sizeof(*bcc));
	return f[0] && f[1] && f[2];
}

/* Returns the number of members that are not where BTF has them. */
static int compare(const struct libbcc *bcc, const struct headers *h, const char *program,
		   const char *wanted)
{
	void *module;
	char name[32];
	int n, want, got, wrong = 0;

	setenv("BCC_KERNEL_SOURCE", h->source, 1);
	unsetenv("ARCH");
	module = bcc->create(program, 0, (const char **)h->cflags, h->ncflags, true, NULL);
	if (!module)
		return -1;
	for (n = 0; *wanted; n++) {
		want = (int)strtol(wanted, NULL, 10);
		snprintf(name, sizeof(name), "kprobe__f%d", n);
		got = added_offset(bcc->start(module, name),
				   bcc->size(module, name) / sizeof(struct bpf_insn));
		if (got != want) {
			fprintf(stderr, "  got %d want %.*s\n", got, (int)strcspn(wanted, "\n"),
				wanted);
			wrong++;
		}
		wanted += strcspn(wanted, "\n") + 1;
	}
	return wrong;
}

static void check_offsets(const char *named, int at_least)
{
	struct text why = { 0 }, types = { 0 }, program = { 0 }, wanted = { 0 };
	struct headers h;
	struct libbcc bcc;
	int status;
	pid_t pid;

	if (access(HEADERS_BTF_PATH, R_OK))
		SKIP("no " HEADERS_BTF_PATH);
	make_dir();
	if (!CHECK_INT(headers_prepare(&h, HEADERS_BTF, NULL, dir, named, &why), 0))
		fprintf(stderr, "  %s\n", text_str(&why));
	CHECK_INT(read_file_at(dirfd_, "include/lnk/types.h", &types, TEXT_MAX), 0);
	CHECK(make_program(text_str(&types), &program, &wanted) > at_least);
	pid = fork(); /* LLVM leaves things allocated, of which a sanitizer would tell */
	if (!pid) {
		if (chdir("/") || !open_libbcc(&bcc))
			_exit(77);
		_exit(compare(&bcc, &h, text_str(&program), text_str(&wanted)) != 0);
	}
	CHECK(waitpid(pid, &status, 0) == pid && WIFEXITED(status));
	headers_free(&h);
	text_free(&types);
	text_free(&program);
	text_free(&wanted);
	if (WEXITSTATUS(status) == 77)
		SKIP("no libbcc.so.0");
	CHECK_INT(WEXITSTATUS(status), 0);
}

TEST(btf_offsets_in_the_program)
{
	check_offsets(NULL, 300);
}

TEST(btf_offsets_of_what_probes_name)
{
	struct text probes = { 0 };
	int i;

	for (i = 0; embedded_files[i].name; i++)
		text_puts(&probes, embedded_files[i].text);
	check_offsets(text_str(&probes), 80);
	text_free(&probes);
}

/* --- header trees on disk ------------------------------------------------------------ */

static const char *arch(void)
{
	struct utsname un;

	if (uname(&un))
		abort();
	if (!strcmp(un.machine, "x86_64"))
		return "x86";
	if (!strcmp(un.machine, "aarch64"))
		return "arm64";
	SKIP("written for x86-64 and arm64");
}

static void put_source(const char *at)
{
	char path[256];

	snprintf(path, sizeof(path), "%s/include/linux/kconfig.h", at);
	touch(path);
}

static void put_build(const char *at, const char *arch_name)
{
	char path[256];

	snprintf(path, sizeof(path), "%s/include/generated/autoconf.h", at);
	touch(path);
	snprintf(path, sizeof(path), "%s/arch/%s/include/generated/asm/x.h", at, arch_name);
	touch(path);
}

static bool has_flag(const struct headers *h, const char *flag)
{
	int i;

	for (i = 0; i < h->ncflags; i++)
		if (!strcmp(h->cflags[i], flag))
			return true;
	return false;
}

/* Prepares HEADERS_DIR in `tree`: the source is to be `source`, the generated half in
 * `build`, where that is another directory. */
static void check_layout(const char *tree, const char *source, const char *build)
{
	struct text why = { 0 };
	struct headers h;
	char flag[4400];

	mkdir(in_dir("work"), 0700);
	if (!CHECK_INT(headers_prepare(&h, HEADERS_DIR, in_dir(tree), in_dir("work"), NULL, &why),
		       0))
		fprintf(stderr, "  %s\n", text_str(&why));
	CHECK_STR(h.source, in_dir(source));
	CHECK_INT(h.kind, HEADERS_DIR);
	CHECK(strstr(h.describe, in_dir(source)));
	snprintf(flag, sizeof(flag), "-I%s/arch/%s/include/generated/uapi",
		 in_dir(build ? build : source), arch());
	CHECK_INT(has_flag(&h, flag), build != NULL);
	snprintf(flag, sizeof(flag), "-I%s/include", in_dir(build ? build : source));
	CHECK_INT(has_flag(&h, flag), build != NULL);
	CHECK(has_flag(&h, "-fms-extensions"));
	CHECK(has_flag(&h, in_dir("work/lnk_shim.h")));
	CHECK(!access(in_dir("work/lnk_shim.h"), R_OK));
	CHECK(!h.cflags[h.ncflags]);
	headers_free(&h);
	CHECK_INT(h.ncflags, 0);
	text_free(&why);
}

TEST(dir_layouts)
{
	make_dir();
	put_source("full");
	put_build("full", arch());
	check_layout("full", "full", NULL);

	put_source("fedora/build"); /* as Fedora's and Ubuntu's /lib/modules/V */
	put_build("fedora/build", arch());
	CHECK(!symlink("build", in_dir("fedora/source")));
	check_layout("fedora", "fedora/build", NULL);

	put_source("debian/source");
	put_build("debian/build", arch());
	check_layout("debian", "debian/source", "debian/build");

	put_build("objdir", arch()); /* make O=objdir */
	CHECK(!symlink(in_dir("debian/source"), in_dir("objdir/source")));
	check_layout("objdir", "objdir/source", "objdir");
}

static void check_refused(const char *tree, int err, const char *reason)
{
	struct text why = { 0 };
	struct headers h;

	CHECK_INT(headers_prepare(&h, HEADERS_DIR, in_dir(tree), dir, NULL, &why), err);
	CHECK_INT(h.ncflags, 0);
	check_why(&why, reason);
}

TEST(dir_refused)
{
	struct text why = { 0 };
	struct headers h;

	make_dir();
	check_refused("none", -ENOENT, "No such file");
	touch("file");
	check_refused("file", -ENOENT, "no include/linux/kconfig.h");
	touch("empty/x");
	check_refused("empty", -ENOENT, "no include/linux/kconfig.h, nor");
	put_source("source");
	check_refused("source", -ENOENT, "no include/generated/autoconf.h");
	put_build("build", arch());
	check_refused("build", -ENOENT, "half of a header tree");
	put_source("foreign");
	put_build("foreign", "mips");
	check_refused("foreign", -ENOENT, "for another architecture");
	CHECK_INT(headers_prepare(&h, HEADERS_DIR, NULL, dir, NULL, &why), -EINVAL);
	check_why(&why, "no directory");
	CHECK_INT(headers_prepare(&h, HEADERS_AUTO, NULL, dir, NULL, &why), -EINVAL);
	check_why(&why, "no such kind");
}

/* --- kheaders ------------------------------------------------------------------------ */

/* One entry of a tar archive: a ustar header and at most 512 bytes of data. */
static void tar_entry(struct text *tar, const char *name, char type, const char *data,
		      const char *link)
{
	char block[512] = { 0 };
	unsigned int sum = 0;
	size_t i;

	snprintf(block, 100, "%s", name);
	strcpy(block + 100, "0000644");
	strcpy(block + 108, "0000000");
	strcpy(block + 116, "0000000");
	snprintf(block + 124, 12, "%011o", (unsigned int)strlen(data));
	strcpy(block + 136, "00000000000");
	memset(block + 148, ' ', 8);
	block[156] = type;
	snprintf(block + 157, 100, "%s", link);
	memcpy(block + 257, "ustar\00000", 8);
	for (i = 0; i < sizeof(block); i++)
		sum += (unsigned char)block[i];
	snprintf(block + 148, 8, "%06o", sum);
	text_add(tar, block, sizeof(block));
	if (!*data)
		return;
	memset(block, 0, sizeof(block));
	memcpy(block, data, strlen(data));
	text_add(tar, block, sizeof(block));
}

static void put_tar(const char *below, struct text *tar)
{
	static const char end[1024];

	text_add(tar, end, sizeof(end));
	put(below, tar->s, tar->len);
	text_free(tar);
}

static void need_libarchive(void)
{
	if (!dlopen("libarchive.so.13", RTLD_NOW | RTLD_LOCAL))
		SKIP("no libarchive.so.13");
}

static int unpack(const char *archive, struct text *why)
{
	mkdir(in_dir("out"), 0700);
	return headers_kheaders_unpack(in_dir(archive), in_dir("out"), why);
}

TEST(kheaders)
{
	struct text tar = { 0 }, why = { 0 };

	need_libarchive();
	make_dir();
	tar_entry(&tar, "./", '5', "", "");
	tar_entry(&tar, "./include/linux/", '5', "", "");
	tar_entry(&tar, "./include/linux/kconfig.h", '0', "text", "");
	tar_entry(&tar, "./include/a..b", '0', "", "");
	/* The real ones have three of these. */
	tar_entry(&tar, "./include/dt-bindings/x.h", '2', "", "../../y.h");
	tar_entry(&tar, "./include/hard.h", '1', "", "./include/linux/kconfig.h");
	put_tar("good.tar", &tar);
	CHECK_INT(unpack("good.tar", &why), 0);
	CHECK_STR(text_str(&why), "");
	CHECK(file_has("out/include/linux/kconfig.h", "text"));
	CHECK(!access(in_dir("out/include/a..b"), F_OK));
	CHECK(access(in_dir("out/include/dt-bindings/x.h"), F_OK));
	CHECK(access(in_dir("out/include/hard.h"), F_OK));
}

static void check_entry_refused(const char *name, char type, const char *reason)
{
	struct text tar = { 0 }, why = { 0 };

	tar_entry(&tar, name, type, "", "");
	put_tar("bad.tar", &tar);
	CHECK_INT(unpack("bad.tar", &why), -EBADMSG);
	check_why(&why, reason);
}

TEST(kheaders_refused)
{
	struct text tar = { 0 }, why = { 0 };

	need_libarchive();
	make_dir();
	check_entry_refused("/tmp/absolute", '0', "/tmp/absolute leads out of it");
	check_entry_refused(".//tmp/absolute", '0', "leads out of it");
	check_entry_refused("a/../../b", '0', "leads out of it");
	check_entry_refused("a/..", '5', "leads out of it");
	check_entry_refused("..", '0', "leads out of it");
	check_entry_refused(".", '0', "neither a file");
	check_entry_refused("a\033b", '6', "a\\x1bb is neither a file");

	/* A link to lead the next entry out. */
	tar_entry(&tar, "link", '2', "", "..");
	tar_entry(&tar, "link/escaped", '0', "x", "");
	put_tar("link.tar", &tar);
	CHECK_INT(unpack("link.tar", &why), 0);
	CHECK(access(in_dir("escaped"), F_OK));
	CHECK(file_has("out/link/escaped", "x"));
}

TEST(kheaders_broken)
{
	struct text tar = { 0 }, why = { 0 };

	need_libarchive();
	make_dir();
	CHECK_INT(unpack("none.tar", &why), -ENOENT);
	check_why(&why, "modprobe kheaders");
	touch("empty.tar");
	CHECK_INT(unpack("empty.tar", &why), -EBADMSG);
	check_why(&why, "the archive");
	put("noise.tar", "noise", 5);
	CHECK_INT(unpack("noise.tar", &why), -EBADMSG);
	check_why(&why, "reading the archive: ");
	tar_entry(&tar, "a", '0', "some text", "");
	put("cut.tar", tar.s, 600); /* in the middle of the data */
	text_free(&tar);
	CHECK_INT(unpack("cut.tar", &why), -EBADMSG);
	check_why(&why, "reading the archive: ");
}
