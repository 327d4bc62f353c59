/* SPDX-License-Identifier: MIT */
#include "unit.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <limits.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/io.h"
#include "bpf/embedded.h"
#include "bpf/source.h"

#define PROBE "int kprobe__added(void *c) { return 0; }\n"

/* --- a probe directory of our own -------------------------------------------------- */

static char top[64]; /* removed when the case ends */
static char dir[80]; /* top/probes */

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st, (void)type, (void)ftw;
	return remove(path);
}

static void remove_top(void)
{
	nftw(top, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

static bool hidden; /* what is installed: what this case installs, nobody else sees */

/* Hides an installed copy of the probes, where we may. */
static void hide_installed(void)
{
	hidden = !unshare(CLONE_NEWNS) && !mount("", "/", "", MS_REC | MS_PRIVATE, NULL) &&
		 !mount("tmpfs", "/usr/local/share", "tmpfs", 0, "mode=0755");
}

static void begin(void)
{
	umask(022);
	unsetenv("SUDO_UID");
	hide_installed();
	strcpy(top, "/tmp/test_source.XXXXXX");
	CHECK(mkdtemp(top));
	chmod(top, 0755);
	atexit(remove_top);
	snprintf(dir, sizeof(dir), "%s/probes", top);
	CHECK_INT(mkdir(dir, 0755), 0);
}

static const char *path_of(const char *name)
{
	static char path[PATH_MAX];

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	return path;
}

static void put_bytes(const char *name, const char *bytes, size_t len)
{
	int fd = open(path_of(name), O_WRONLY | O_CREAT | O_TRUNC, 0644);

	CHECK(fd >= 0);
	CHECK_INT(write_all(fd, bytes, len), 0);
	close(fd);
}

static void put(const char *name, const char *text)
{
	put_bytes(name, text, strlen(text));
}

/* --- what comes of it -------------------------------------------------------------- */

static struct source src;
static struct text why;

static int load(const char *from)
{
	source_free(&src);
	text_reset(&why);
	return source_load(&src, from, &why);
}

/* Loads `dir` and wants it refused: one line, with the name of what is wrong in it. */
static void refused(int err, const char *path, const char *says)
{
	CHECK_INT(load(dir), err);
	if (!CHECK(strstr(text_str(&why), path) && strstr(text_str(&why), says)))
		CHECK_STR(text_str(&why), says);
	CHECK(!strchr(text_str(&why), '\n'));
	source_free(&src);
}

static void accepted(void)
{
	CHECK_INT(load(dir), 0);
	CHECK_STR(text_str(&why), "");
}

static const struct part *part(const char *name)
{
	for (size_t i = 0; i < src.n; i++)
		if (!strcmp(src.parts[i].name, name))
			return &src.parts[i];
	return NULL;
}

static size_t embedded_count(void)
{
	size_t n = 0;

	while (embedded_files[n].name)
		n++;
	return n;
}

/* "kernel.h event.h ..." */
static const char *names(void)
{
	static struct text t;

	text_reset(&t);
	for (size_t i = 0; i < src.n; i++)
		text_printf(&t, "%s%s", i ? " " : "", src.parts[i].name);
	return text_str(&t);
}

#define BEFORE "kernel.h event.h config.h packet.h socket.h names.h rate.h show.h"
#define AFTER                                                                                      \
	"ip_rcv_finish.c netif_receive_skb.c sock_def_readable.c tcp_queue_rcv.c tcp_v4_do_rcv.c"

/* --- where the parts come from ----------------------------------------------------- */

TEST(what_is_built_in)
{
	begin();
	CHECK_INT(load(NULL), 0);
	CHECK_STR(names(), BEFORE " " AFTER);
	CHECK_INT(src.n, embedded_count());
	for (size_t i = 0; i < src.n; i++) {
		CHECK_STR(src.parts[i].origin, "built in");
		CHECK(!strncmp(src.parts[i].label, "probes/", 7));
		CHECK_STR(src.parts[i].label + 7, src.parts[i].name);
	}
	for (int i = 0; embedded_files[i].name; i++)
		if (CHECK(part(embedded_files[i].name)))
			CHECK_STR(text_str(&part(embedded_files[i].name)->text),
				  embedded_files[i].text);
	source_free(&src);
	CHECK_INT(src.n, 0);
	source_free(&src);
}

TEST(an_empty_directory)
{
	begin();
	accepted();
	CHECK_STR(names(), BEFORE " " AFTER);
	source_free(&src);
}

/* A file of the directory stands in for the one that is built in; the others stay. */
TEST(files_of_the_directory)
{
	struct text label = { 0 };

	begin();
	put("added.c", PROBE);
	put("config.h", "#define OURS 1\n");
	put("tcp_queue_rcv.c", "/* ours */\n");
	put("zz.c", "");
	accepted();
	CHECK_STR(names(), BEFORE " added.c " AFTER " zz.c");
	text_printf(&label, "%s/added.c", dir);
	if (CHECK(part("added.c"))) {
		CHECK_STR(part("added.c")->origin, dir);
		CHECK_STR(part("added.c")->label, text_str(&label));
		CHECK_STR(text_str(&part("added.c")->text), PROBE);
	}
	CHECK_STR(text_str(&part("config.h")->text), "#define OURS 1\n");
	CHECK_STR(part("config.h")->origin, dir);
	CHECK_STR(text_str(&part("tcp_queue_rcv.c")->text), "/* ours */\n");
	CHECK_STR(part("event.h")->origin, "built in");
	CHECK_STR(part("tcp_v4_do_rcv.c")->origin, "built in");
	CHECK_STR(text_str(&part("zz.c")->text), "");
	source_free(&src);
	text_free(&label);
}

/* Runs source_load(NULL) in a copy of this program that has probes/ beside it. */
__attribute__((constructor)) static void beside_child(void)
{
	struct source s = { 0 };
	struct text t = { 0 };

	if (!getenv("TEST_SOURCE_BESIDE"))
		return;
	unsetenv("SUDO_UID");
	if (source_load(&s, getenv("TEST_SOURCE_DIR"), &t)) {
		printf("%s\n", text_str(&t));
		fflush(stdout);
		_exit(1);
	}
	for (size_t i = 0; i < s.n; i++)
		if (strchr("ac", s.parts[i].name[0]))
			printf("%s %s %s\n", s.parts[i].name, s.parts[i].label, s.parts[i].origin);
	fflush(stdout);
	_exit(0);
}

static const char *run_beside(const char *program)
{
	static struct text said;
	int p[2];
	pid_t pid;

	text_reset(&said);
	CHECK_INT(pipe(p), 0);
	fflush(stdout);
	pid = fork();
	if (!pid) {
		dup2(p[1], 1);
		setenv("TEST_SOURCE_BESIDE", "1", 1);
		execl(program, program, NULL);
		_exit(127);
	}
	close(p[1]);
	read_all(p[0], &said, 65536);
	close(p[0]);
	waitpid(pid, NULL, 0);
	return text_str(&said);
}

TEST(beside_the_program_and_installed)
{
	struct text exe = { 0 }, want = { 0 };
	char program[100], probes[80];

	begin();
	snprintf(program, sizeof(program), "%s/program", top);
	CHECK_INT(read_file_at(AT_FDCWD, "/proc/self/exe", &exe, 64 << 20), 0);
	if (exe.cut) { /* more than a text holds */
		CHECK(!link("/proc/self/exe", program));
	} else {
		CHECK_INT(write_file_at(AT_FDCWD, program, exe.s, exe.len), 0);
	}
	text_free(&exe);
	chmod(program, 0755);
	put("added.c", PROBE);
	strcpy(probes, dir);
	text_printf(&want,
		    "config.h probes/config.h built in\n"
		    "added.c probes/added.c %s\n",
		    probes);
	CHECK_STR(run_beside(program), text_str(&want));

	/* The installed ones come after these, those of --probe-dir before. */
	if (hidden && strstr(DATADIR, "/usr/local/share/")) {
		strcpy(dir, DATADIR "/probes");
		mkdir(DATADIR, 0755);
		if (mkdir(dir, 0755) || chmod(dir, 0755))
			SKIP("cannot make " DATADIR "/probes");
		put("added.c", "/* not this one */\n");
		put("config.h", "/* this one */\n");
		text_reset(&want);
		text_printf(&want,
			    "config.h " DATADIR "/probes/config.h " DATADIR "/probes\n"
			    "added.c probes/added.c %s\n",
			    probes);
		CHECK_STR(run_beside(program), text_str(&want));

		snprintf(dir, sizeof(dir), "%s/mine", top);
		mkdir(dir, 0755);
		put("added.c", PROBE);
		setenv("TEST_SOURCE_DIR", dir, 1);
		text_reset(&want);
		text_printf(&want,
			    "config.h " DATADIR "/probes/config.h " DATADIR "/probes\n"
			    "added.c %s/added.c %s\n",
			    dir, dir);
		CHECK_STR(run_beside(program), text_str(&want));
		unsetenv("TEST_SOURCE_DIR");
	}

	/* Beside the program nothing that others can write is taken either. */
	chmod(probes, 0777);
	text_reset(&want);
	text_printf(&want,
		    "%s can be written by others (mode 0777); probes run in the kernel: chmod go-w "
		    "it first\n",
		    probes);
	CHECK_STR(run_beside(program), text_str(&want));
	text_free(&want);
}

/* --- who may write what ------------------------------------------------------------ */

TEST(a_directory_that_others_can_write)
{
	begin();
	chmod(dir, 0757);
	refused(-EPERM, dir, "can be written by others (mode 0757)");
	chmod(dir, 01777);
	refused(-EPERM, dir, "(mode 1777)");
	chmod(dir, 0755);
	accepted();
	source_free(&src);
}

TEST(a_file_that_others_can_write)
{
	begin();
	put("a.c", PROBE);
	chmod(path_of("a.c"), 0646);
	refused(-EPERM, path_of("a.c"), "can be written by others (mode 0646)");
	chmod(path_of("a.c"), 0602);
	refused(-EPERM, path_of("a.c"), "(mode 0602)");
	chmod(path_of("a.c"), 0644);
	accepted();
	put("config.h", "");
	chmod(path_of("config.h"), 0666);
	refused(-EPERM, path_of("config.h"), "(mode 0666)");
}

TEST(groups)
{
	if (geteuid())
		SKIP("needs root");
	begin();
	put("a.c", PROBE);
	chmod(path_of("a.c"), 0664);
	CHECK_INT(chown(path_of("a.c"), 0, 12345), 0);
	refused(-EPERM, path_of("a.c"), "(mode 0664)");
	CHECK_INT(chown(path_of("a.c"), 0, 1), 0);
	refused(-EPERM, path_of("a.c"), "(mode 0664)");
	CHECK_INT(chown(dir, 0, 12345), 0);
	chmod(dir, 0775);
	refused(-EPERM, dir, "(mode 0775)");
}

TEST(owners)
{
	if (geteuid())
		SKIP("needs root");
	begin();
	put("a.c", PROBE);
	CHECK_INT(chown(path_of("a.c"), 12345, 0), 0);
	refused(-EPERM, path_of("a.c"), "belongs to user 12345");
	setenv("SUDO_UID", "12345", 1); /* it was this user who called sudo */
	accepted();
	setenv("SUDO_UID", "12346", 1);
	refused(-EPERM, path_of("a.c"), "belongs to user 12345");
	setenv("SUDO_UID", "0", 1);
	refused(-EPERM, path_of("a.c"), "belongs to user 12345");
	setenv("SUDO_UID", "12345x", 1);
	refused(-EPERM, path_of("a.c"), "belongs to user 12345");
	setenv("SUDO_UID", "", 1);
	refused(-EPERM, path_of("a.c"), "belongs to user 12345");
	setenv("SUDO_UID", "4294979641", 1); /* 12345 + 2^32 */
	refused(-EPERM, path_of("a.c"), "belongs to user 12345");
	unsetenv("SUDO_UID");
	CHECK_INT(chown(path_of("a.c"), 0, 0), 0);
	CHECK_INT(chown(dir, 12345, 0), 0);
	refused(-EPERM, dir, "belongs to user 12345");
	setenv("SUDO_UID", "12345", 1);
	accepted();
	source_free(&src);
}

/* --- as a user that is not root ---------------------------------------------------- */

TEST(as_an_ordinary_user)
{
	if (geteuid())
		SKIP("needs root");
	begin();
	put("a.c", PROBE);
	put("b.c", PROBE);
	CHECK_INT(chown(path_of("b.c"), 12345, 0), 0);
	setenv("SUDO_UID", "54321", 1); /* anybody can set that */
	CHECK_INT(seteuid(12345), 0);
	accepted(); /* root's and our own */
	source_free(&src);
	CHECK_INT(seteuid(0), 0);
	CHECK_INT(chown(path_of("b.c"), 54321, 0), 0);
	CHECK_INT(seteuid(12345), 0);
	refused(-EPERM, path_of("b.c"), "belongs to user 54321");
	CHECK_INT(seteuid(0), 0);
	chown(path_of("b.c"), 0, 0);
	chmod(path_of("b.c"), 0);
	CHECK_INT(seteuid(12345), 0);
	refused(-EACCES, path_of("b.c"), "Permission denied");
	CHECK_INT(seteuid(0), 0);
	chmod(path_of("b.c"), 0644);
	chmod(dir, 0700);
	CHECK_INT(seteuid(12345), 0);
	refused(-EACCES, dir, "Permission denied");
	CHECK_INT(seteuid(0), 0);
	prctl(PR_SET_DUMPABLE, 1); /* for the leak sanitizer */
}

/* --- what is no file --------------------------------------------------------------- */

TEST(symbolic_links)
{
	char link[100];

	begin();
	put("real.txt", PROBE);
	CHECK_INT(symlink("real.txt", path_of("a.c")), 0);
	refused(-ELOOP, path_of("a.c"), "is a symbolic link");
	unlink(path_of("a.c"));
	CHECK_INT(symlink("nowhere", path_of("a.c")), 0);
	refused(-ELOOP, path_of("a.c"), "is a symbolic link");
	unlink(path_of("a.c"));
	CHECK_INT(symlink("real.txt", path_of("packet.h")), 0);
	refused(-ELOOP, path_of("packet.h"), "is a symbolic link");
	unlink(path_of("packet.h"));
	/* the directory itself may be one: who can change it is looked at behind it */
	snprintf(link, sizeof(link), "%s/link", top);
	CHECK_INT(symlink(dir, link), 0);
	put("a.c", PROBE);
	strcpy(dir, link);
	accepted();
	chmod(dir, 0777);
	refused(-EPERM, dir, "can be written by others");
}

TEST(directories)
{
	begin();
	CHECK_INT(mkdir(path_of("a.c"), 0755), 0);
	refused(-EISDIR, path_of("a.c"), "Is a directory");
	rmdir(path_of("a.c"));
	CHECK_INT(mkdir(path_of("config.h"), 0755), 0);
	refused(-EISDIR, path_of("config.h"), "Is a directory");
}

/* Nobody may be waited for, and no probe be empty by accident. */
TEST(fifos)
{
	int fd;

	begin();
	CHECK_INT(mkfifo(path_of("a.c"), 0644), 0);
	refused(-EINVAL, path_of("a.c"), "not a regular file");
	fd = open(path_of("a.c"), O_RDWR);
	CHECK(fd >= 0);
	refused(-EINVAL, path_of("a.c"), "not a regular file");
	CHECK_INT(write(fd, PROBE, sizeof(PROBE) - 1), sizeof(PROBE) - 1);
	refused(-EINVAL, path_of("a.c"), "not a regular file");
	close(fd);
}

TEST(devices)
{
	begin();
	if (mknod(path_of("a.c"), S_IFCHR | 0644, makedev(1, 3)))
		SKIP("cannot make a device");
	refused(-EINVAL, path_of("a.c"), "not a regular file");
}

/* --- contents ---------------------------------------------------------------------- */

TEST(zero_bytes)
{
	begin();
	put_bytes("a.c", "int a;\0int b;\n", 14);
	refused(-EINVAL, path_of("a.c"), "zero byte");
	put_bytes("a.c", "\0", 1);
	refused(-EINVAL, path_of("a.c"), "zero byte");
	put_bytes("a.c", "int a;\n\0", 8);
	refused(-EINVAL, path_of("a.c"), "zero byte");
}

TEST(sizes)
{
	struct text t = { 0 };

	begin();
	put("a.c", "");
	accepted();
	while (t.len < 1 << 20)
		text_puts(&t, "// 16 characters\n" + 1);
	put_bytes("a.c", t.s, 1 << 20);
	accepted();
	CHECK_INT(part("a.c")->text.len, 1 << 20);
	put_bytes("a.c", t.s, (1 << 20) + 1);
	refused(-EFBIG, path_of("a.c"), "larger than 1 MiB");
	CHECK_INT(truncate(path_of("a.c"), 1LL << 40), 0); /* sparse */
	refused(-EFBIG, path_of("a.c"), "larger than 1 MiB");
	text_free(&t);
}

/* In sum there is nothing wrong with the two. */
TEST(a_file_that_reaches_into_the_next)
{
	begin();
	put("a.c", "int a;\n#if 1\n");
	put("b.c", "#endif\n");
	refused(-EINVAL, path_of("a.c"), "/a.c:2:2: error: unterminated conditional directive");
	put("a.c", "int a;\n");
	refused(-EINVAL, path_of("b.c"), "/b.c:1:2: error: #endif without #if");
	put("b.c", "int b; /* one\n");
	refused(-EINVAL, path_of("b.c"), "/b.c:1:8: error: unterminated /* comment");
	put("b.c", "");
	put("packet.h", "#endif\n#if 1\n");
	refused(-EINVAL, path_of("packet.h"), "/packet.h:1:2: error: #endif without #if");
}

/* --- names ------------------------------------------------------------------------- */

TEST(names_that_are_no_probes)
{
	static const char *const ignored[] = {
		".a.c",   ".#a.c",      "#a.c#", "a.c~",    "a.c.orig", "a.cc",   "a.C",
		"c",      ".c",         "a.o",   "-a.c",    "a b.c",    "a\"b.c", "a\nb.c",
		"a\\b.c", "\xc3\xa4.c", "a;b.c", "$(id).c", "a*.c",     "a.h",    "README.md",
	};
	static const char *const used[] = {
		"0.c", "_.c", "_a.c", "a-b_c.d.c", "Z.c", "c.c", "a.c.c"
	};

	begin();
	for (size_t i = 0; i < sizeof(ignored) / sizeof(ignored[0]); i++)
		put(ignored[i], "this is no C");
	for (size_t i = 0; i < sizeof(used) / sizeof(used[0]); i++)
		put(used[i], "/* C */\n");
	accepted();
	for (size_t i = 0; i < sizeof(ignored) / sizeof(ignored[0]); i++)
		if (!CHECK(!part(ignored[i])))
			CHECK_STR(ignored[i], "the name in question");
	for (size_t i = 0; i < sizeof(used) / sizeof(used[0]); i++)
		if (!CHECK(part(used[i])))
			CHECK_STR(used[i], "the name in question");
	CHECK_INT(src.n, embedded_count() + sizeof(used) / sizeof(used[0]));
	/* sorted by byte, so that every locale makes the same program */
	CHECK_STR(names(), BEFORE " 0.c Z.c _.c _a.c a-b_c.d.c a.c.c c.c " AFTER);
	source_free(&src);
}

/* A name with a blank is no accident of an editor's: its owner wonders where it is. */
TEST(a_directory_with_an_odd_name)
{
	struct hooks hs = { 0 };
	struct text out = { 0 };

	begin();
	snprintf(dir, sizeof(dir), "%s/p\"\\\n\t x", top);
	CHECK_INT(mkdir(dir, 0755), 0);
	put("a.c", PROBE);
	accepted();
	if (CHECK(part("a.c"))) {
		CHECK(strstr(part("a.c")->label, "/p???? x/a.c"));
		CHECK_STR(part("a.c")->origin, dir);
	}
	source_hooks(&src, &hs, &why);
	source_assemble(&src, &hs, "", &out);
	CHECK(strstr(text_str(&out), "/p???? x/a.c\"\nint kprobe__added"));
	hooks_free(&hs);
	text_free(&out);
	source_free(&src);
}

TEST(no_directory)
{
	begin();
	strcat(dir, "/none");
	refused(-ENOENT, dir, "No such file or directory");
	CHECK_INT(load(""), -ENOENT);
	source_free(&src);
	snprintf(dir, sizeof(dir), "%s/file", top);
	CHECK_INT(write_file_at(AT_FDCWD, dir, "x", 1), 0);
	refused(-ENOTDIR, dir, "Not a directory");
}

/* --- the one text ------------------------------------------------------------------ */

TEST(hooks_of_all_parts)
{
	struct hooks hs = { 0 };

	begin();
	put("a.c", "\n" PROBE);
	put("packet.h", "int kprobe__not_in_a_header(void *c) { }\n");
	accepted();
	CHECK_INT(source_hooks(&src, &hs, &why), 0);
	CHECK_INT(hs.n, 18);
	CHECK_INT(hooks_find(&hs, HOOK_KPROBE, "added"), 0);
	CHECK_INT(hs.v[0].line, 2);
	CHECK_STR(hs.v[0].file, path_of("a.c"));
	CHECK_INT(hooks_find(&hs, HOOK_KPROBE, "not_in_a_header"), -1);
	hooks_free(&hs);
	put("b.c", PROBE);
	accepted();
	CHECK_INT(source_hooks(&src, &hs, &why), -EEXIST);
	CHECK(strstr(text_str(&why), "b.c:1: kprobe added stands in "));
	hooks_free(&hs);
	source_free(&src);
}

/* Whether names.h is in the text, and is said to be. */
static bool has_names(const char *question)
{
	struct hooks hs = { 0 };
	struct text out = { 0 };
	bool has;

	accepted();
	source_assemble(&src, &hs, question, &out);
	has = strstr(text_str(&out), "/names.h\"\n") != NULL;
	CHECK_INT(part("names.h")->left_out, !has);
	CHECK_STR(PART_REMARK(part("names.h")), has ? "" : " (left out: nothing asks for it)");
	CHECK_STR(PART_REMARK(part("packet.h")), "");
	text_free(&out);
	source_free(&src);
	return has;
}

static const char *built_in(const char *name)
{
	int i;

	for (i = 0; strcmp(embedded_files[i].name, name) != 0; i++)
		;
	return embedded_files[i].text;
}

/* What a question may call is parsed three times: only where there is one, or a probe that
 * calls such things by itself, or a header that is not ours and might. */
TEST(names_that_nothing_asks_for)
{
	static const char *const fixed[] = { "kernel.h", "event.h", "config.h", "packet.h",
					     "socket.h", "names.h", "rate.h",   "show.h" };
	struct text edited = { 0 };

	begin();
	put("a.c", "int lnkx;\n");
	CHECK(!has_names(""));
	CHECK(has_names("asked\n"));
	put("a.c", "int x = lnk_tcp_window(call);\n");
	CHECK(has_names(""));
	put("a.c", "");
	for (size_t i = 0; i < sizeof(fixed) / sizeof(fixed[0]); i++) {
		text_reset(&edited);
		text_printf(&edited, "%s\n", built_in(fixed[i]));
		put(fixed[i], text_str(&edited));
		if (!CHECK(has_names("")))
			CHECK_STR(fixed[i], "the edited part");
		put(fixed[i], built_in(fixed[i]));
		CHECK(!has_names(""));
	}
	text_free(&edited);
}

/* Every part behind its own #line, with a newline at its end; the hook numbers before
 * packet.h, the question before what asks it, the layout last. */
TEST(assembling)
{
	struct hooks hs = { 0 };
	struct text out = { 0 }, want = { 0 };
	const char *p;

	begin();
	put("a.c", "int a;"); /* no newline */
	put("b.c", "");
	put("kernel.h", "kernel\n");
	put("event.h", "event\n");
	put("config.h", "config");
	put("packet.h", "packet\n");
	put("socket.h", "socket\n");
	put("names.h", "names\n");
	put("rate.h", "rate\n");
	put("show.h", "show\n");
	accepted();
	hooks_scan(&hs, "x.c", PROBE, &why);
	source_assemble(&src, &hs, "asked\n", &out);
	text_printf(&want,
		    "#line 1 \"%s/kernel.h\"\nkernel\n#line 1 \"%s/event.h\"\nevent\n"
		    "#line 1 \"%s/config.h\"\nconfig\n#line 1 \"hook-numbers\"\n",
		    dir, dir, dir);
	hooks_emit(&hs, &want);
	text_printf(&want,
		    "#line 1 \"%s/packet.h\"\npacket\n#line 1 \"%s/socket.h\"\nsocket\n"
		    "#line 1 \"%s/names.h\"\nnames\n#line 1 \"question\"\nasked\n"
		    "#line 1 \"%s/rate.h\"\nrate\n#line 1 \"%s/show.h\"\nshow\n"
		    "#line 1 \"%s/a.c\"\nint a;\n"
		    "#line 1 \"%s/b.c\"\n#line 1 \"probes/ip_rcv_finish.c\"\n",
		    dir, dir, dir, dir, dir, dir, dir);
	CHECK(!strncmp(text_str(&out), text_str(&want), want.len));
	p = strstr(text_str(&out), "#line 1 \"event-layout\"\n_Static_assert(");
	CHECK(p && !strstr(p + 1, "#line"));
	CHECK_INT(out.s[out.len - 1], '\n');
	hooks_free(&hs);
	text_free(&out);
	text_free(&want);
	source_free(&src);
}

/* No descriptor is left behind, whatever happened. */
TEST(descriptors)
{
	int before, after;

	begin();
	before = open("/dev/null", O_RDONLY);
	put("a.c", PROBE);
	for (int i = 0; i < 3; i++) {
		chmod(path_of("a.c"), 0644);
		load(dir);
		chmod(path_of("a.c"), 0666);
		load(dir);
		chmod(path_of("a.c"), 0644);
		chmod(dir, 0777);
		load(dir);
		chmod(dir, 0755);
		load("/nowhere");
		source_free(&src);
	}
	after = open("/dev/null", O_RDONLY);
	CHECK_INT(after, before + 1);
}
