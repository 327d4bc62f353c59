/* SPDX-License-Identifier: MIT */
/* What a sweep removes, and above all what it does not. */
#include "unit.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bpf/work_dir.h"

#define NAME ".linux_net_kernel-work"

static char parent[] = "/tmp/lnk-unit-XXXXXX";

static const char *at(const char *name)
{
	static char path[2][128];
	static int turn;

	turn = !turn;
	snprintf(path[turn], sizeof(path[turn]), "%s/%s", parent, name);
	return path[turn];
}

static bool is_there(const char *path)
{
	struct stat st;

	return !lstat(path, &st);
}

static void begin(void)
{
	CHECK(mkdtemp(parent));
}

static void end(void)
{
	pid_t pid = fork();

	if (!pid)
		execlp("rm", "rm", "-rf", parent, NULL);
	waitpid(pid, NULL, 0);
}

static void make_file(const char *path)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);

	CHECK(fd >= 0);
	close(fd);
}

static void make_dir(const char *name)
{
	CHECK_INT(mkdir(at(name), 0700), 0);
}

/* As a killed run leaves it, or as near to that as a user may come. */
static void make_marked(const char *name)
{
	make_dir(name);
	CHECK_INT(chmod(at(name), 01700), 0);
}

TEST(one_that_is_in_use_stays)
{
	char path[WORK_DIR_MAX];
	struct stat st;
	int fd;

	begin();
	fd = work_dir_make_in(parent, path);
	CHECK(fd >= 0);
	CHECK(!strncmp(path, parent, strlen(parent)));
	CHECK_INT(stat(path, &st), 0);
	CHECK_INT(st.st_mode & 07777, 01700);
	CHECK_INT(work_dir_sweep_in(parent), 0);
	CHECK(is_there(path));
	/* its process is gone */
	close(fd);
	CHECK_INT(work_dir_sweep_in(parent), 1);
	CHECK(!is_there(path));
	end();
}

/* As the kernel sees it: the lock is that of a process that was killed. */
TEST(the_process_is_killed)
{
	char path[WORK_DIR_MAX];
	int p[2];
	pid_t pid;

	begin();
	CHECK_INT(pipe(p), 0);
	pid = fork();
	if (!pid) {
		work_dir_make_in(parent, path);
		if (write(p[1], path, sizeof(path)) == sizeof(path))
			pause();
		_exit(1);
	}
	CHECK_INT(read(p[0], path, sizeof(path)), sizeof(path));
	CHECK_INT(work_dir_sweep_in(parent), 0);
	CHECK(is_there(path));
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	CHECK(is_there(path));
	CHECK_INT(work_dir_sweep_in(parent), 1);
	CHECK(!is_there(path));
	end();
}

TEST(everything_in_it)
{
	begin();
	make_marked(NAME ".abcdef");
	make_dir(NAME ".abcdef/0");
	make_dir(NAME ".abcdef/0/include");
	make_dir(NAME ".abcdef/0/include/empty");
	make_file(at(NAME ".abcdef/0/include/a.h"));
	make_dir("kept");
	make_file(at("kept/file"));
	/* links are removed, not followed */
	CHECK_INT(symlink(at("kept"), at(NAME ".abcdef/0/link")), 0);
	CHECK_INT(symlink(at("kept/file"), at(NAME ".abcdef/link")), 0);
	CHECK_INT(work_dir_sweep_in(parent), 1);
	CHECK(!is_there(at(NAME ".abcdef")));
	CHECK(is_there(at("kept/file")));
	end();
}

TEST(what_is_not_ours_stays)
{
	static const char *const names[] = {
		NAME,
		NAME ".",
		NAME ".abcde",
		NAME ".abcdefg",
		NAME ".abc.ef",
		NAME "xabcdef",
		"x" NAME ".abcdef",
		NAME "-abcdef",
		".Linux_net_kernel-work.abcdef",
		"linux_net_kernel.backup",
		"linux_net_kernel-work.backup",
		".linux_net_kernel.backup",
	};
	const size_t n = sizeof(names) / sizeof(names[0]);

	begin();
	for (size_t i = 0; i < n; i++)
		make_marked(names[i]);
	make_dir("target");
	make_file(at("target/file"));
	CHECK_INT(symlink(at("target"), at(NAME ".symlnk")), 0);
	make_file(at(NAME ".isfile"));
	/* without the mark it is somebody's own, whatever its name */
	make_dir(NAME ".backup");
	make_file(at(NAME ".backup/file"));
	make_marked(NAME ".mode75");
	CHECK_INT(chmod(at(NAME ".mode75"), 01755), 0);
	make_marked(NAME ".others");
	if (!geteuid())
		CHECK_INT(chown(at(NAME ".others"), 65534, 65534), 0);
	else
		rmdir(at(NAME ".others"));
	CHECK_INT(work_dir_sweep_in(parent), 0);
	for (size_t i = 0; i < n; i++)
		CHECK(is_there(at(names[i])));
	CHECK(is_there(at("target/file")));
	CHECK(is_there(at(NAME ".symlnk")));
	CHECK(is_there(at(NAME ".isfile")));
	CHECK(is_there(at(NAME ".backup/file")));
	CHECK(is_there(at(NAME ".mode75")));
	CHECK(geteuid() || is_there(at(NAME ".others")));
	end();
}

/* The removal that the parent does does not wait for a lock, and looks as closely. */
TEST(removing_one)
{
	char path[WORK_DIR_MAX];
	int fd;

	begin();
	fd = work_dir_make_in(parent, path);
	CHECK(fd >= 0);
	work_dir_remove(path);
	CHECK(!is_there(path));
	work_dir_remove(path);
	close(fd);
	make_dir("target");
	CHECK_INT(symlink(at("target"), at(NAME ".symlnk")), 0);
	work_dir_remove(at(NAME ".symlnk"));
	CHECK(is_there(at("target")) && is_there(at(NAME ".symlnk")));
	end();
}

TEST(names)
{
	CHECK(work_dir_is_one("/run/.linux_net_kernel-work.abcDE9"));
	CHECK(work_dir_is_one("/tmp/.linux_net_kernel-work.abcDE9"));
	CHECK(!work_dir_is_one("/etc/.linux_net_kernel-work.abcDE9"));
	CHECK(!work_dir_is_one("/run/.linux_net_kernel-work.abcDE"));
	CHECK(!work_dir_is_one("/run/.linux_net_kernel-work.abcDE99"));
	CHECK(!work_dir_is_one("/run/.linux_net_kernel-work.abc/e9"));
	CHECK(!work_dir_is_one("/run/.linux_net_kernel-work./../.."));
	CHECK(!work_dir_is_one("/run-.linux_net_kernel-work.abcDE9"));
	CHECK(!work_dir_is_one("/run/x/.linux_net_kernel-work.abcDE9"));
	CHECK(!work_dir_is_one("/run/linux_net_kernel.backup"));
	CHECK(!work_dir_is_one("/run/"));
	CHECK(!work_dir_is_one(""));
}

TEST(no_such_parent)
{
	char path[WORK_DIR_MAX];

	CHECK(work_dir_make_in("/nowhere/at/all", path) < 0);
	CHECK(work_dir_make_in("/a/parent/with/a/name/that/leaves/no/room/for/the/directory",
			       path) < 0);
	CHECK_INT(work_dir_sweep_in("/nowhere/at/all"), 0);
}

/* One that makes and one that sweeps, without pause: none is taken from under its owner. */
TEST(a_sweep_at_every_moment)
{
	char path[WORK_DIR_MAX];
	pid_t sweeper;
	int fd, bad = 0;

	begin();
	sweeper = fork();
	if (!sweeper)
		for (;;)
			work_dir_sweep_in(parent);
	for (int i = 0; i < 3000; i++) {
		fd = work_dir_make_in(parent, path);
		bad += fd < 0 || !is_there(path);
		work_dir_remove(path);
		close(fd);
	}
	kill(sweeper, SIGKILL);
	waitpid(sweeper, NULL, 0);
	CHECK_INT(bad, 0);
	CHECK_INT(work_dir_sweep_in(parent), 0);
	end();
}
