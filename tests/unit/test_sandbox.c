/* SPDX-License-Identifier: MIT */
/* What the compiling child sees of the file system, and that nobody else sees it. */
#include "unit.h"

#include <dirent.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/io.h"
#include "bpf/kernel.h"
#include "bpf/sandbox.h"

static size_t size_of(const char *path)
{
	struct text t = { 0 };
	size_t len;

	read_file_at(AT_FDCWD, path, &t, (size_t)1 << 26);
	len = t.len;
	text_free(&t);
	return len;
}

static bool has_line(const char *path, const char *line)
{
	struct text t = { 0 };
	bool has;

	read_file_at(AT_FDCWD, path, &t, (size_t)1 << 26);
	has = strstr(text_str(&t), line);
	text_free(&t);
	return has;
}

/* Runs `what` in a child inside a sandbox; its result is the number of failed looks. */
static int in_sandbox(int (*what)(const struct sandbox *box), const char *headers_dir)
{
	struct sandbox box;
	int status = -1;
	pid_t pid = fork();

	if (!pid) {
		sandbox_enter(&box, headers_dir);
		_exit(what(&box));
	}
	waitpid(pid, &status, 0);
	return status;
}

static int look_at_work(const struct sandbox *box)
{
	struct stat st;
	char path[128];

	snprintf(path, sizeof(path), "%s/made", box->work);
	return !box->work[0] + box->visible + (stat(box->work, &st) || (st.st_mode & 077)) +
	       (mkdir(path, 0700) != 0);
}

static int look_at_kallsyms(const struct sandbox *box)
{
	(void)box;
	return (size_of("/proc/kallsyms") > 200) +
	       !has_line("/proc/kallsyms", " T bpf_probe_read_kernel\n") +
	       !has_line("/proc/kallsyms", " T bpf_probe_read_user\n");
}

static int look_for_tmp(const struct sandbox *box)
{
	return !strcmp(box->work, "/tmp") + (access("/tmp", F_OK) != 0);
}

static void need_root(void)
{
	if (geteuid() || !kernel_may_trace())
		SKIP("needs root");
}

/* Root of a chroot into a plain directory has none. */
static void need_own_mounts(void)
{
	int status = -1;
	pid_t pid;

	need_root();
	pid = fork();
	if (!pid)
		_exit(unshare(CLONE_NEWNS) || mount("", "/", "", MS_REC | MS_PRIVATE, NULL));
	waitpid(pid, &status, 0);
	if (status)
		SKIP("no mount namespace");
}

TEST(a_place_nobody_else_sees)
{
	need_own_mounts();
	CHECK_INT(in_sandbox(look_at_work, NULL), 0);
	CHECK(access("/tmp/made", F_OK));
	CHECK(access("/run/made", F_OK));
}

TEST(the_headers_are_not_hidden)
{
	need_root();
	CHECK_INT(in_sandbox(look_for_tmp, "/tmp/headers"), 0);
}

/* What the kernel says of its helpers is what its symbols say. */
TEST(helpers_and_symbols_agree)
{
	need_root();
	CHECK_INT(kernel_has_probe_reads(),
		  has_line("/proc/kallsyms", " bpf_probe_read_kernel\n") &&
			  has_line("/proc/kallsyms", " bpf_probe_read_user\n"));
}

TEST(a_short_kallsyms)
{
	need_own_mounts();
	if (!kernel_has_probe_reads())
		SKIP("this kernel has no bpf_probe_read_kernel()");
	CHECK_INT(in_sandbox(look_at_kallsyms, NULL), 0);
	CHECK(size_of("/proc/kallsyms") > 100000);
}
