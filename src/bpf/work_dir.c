/* SPDX-License-Identifier: MIT */
/*
 * /tmp is everybody's: a directory counts as ours when it is this user's, of mode 01700,
 * under a name of the right shape, and no link. Nobody else can then have put anything
 * into it; where others may write beside it, the sticky bit keeps it from being exchanged.
 *
 * The name alone would not do: linux_net_kernel.backup is what a user may call his own. So
 * it begins with a dot and says what it is, and the directory's own sticky bit, which means
 * nothing where only one user can write, is the mark that we made it.
 */
#include "bpf/work_dir.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#define PREFIX ".linux_net_kernel-work."
#define RANDOM_LEN 6 /* what mkdtemp(3) puts in place of the X */
#define DEPTH_MAX 64
#define MODE 01700

static const char *const parents[] = { "/run", "/tmp" };

#define PARENTS (sizeof(parents) / sizeof(parents[0]))

static bool has_our_name(const char *name)
{
	size_t n = strlen(PREFIX);

	return !strncmp(name, PREFIX, n) && strlen(name + n) == RANDOM_LEN &&
	       !strpbrk(name + n, "/.");
}

bool work_dir_is_one(const char *path)
{
	size_t i, n;

	for (i = 0; i < PARENTS; i++) {
		n = strlen(parents[i]);
		if (!strncmp(path, parents[i], n) && path[n] == '/' && has_our_name(path + n + 1))
			return true;
	}
	return false;
}

/* The name still stands for what is open: a sweep may have removed it in between. */
static bool is_there(int parent, const char *name, int fd)
{
	struct stat a, b;

	return !fstat(fd, &a) && !fstatat(parent, name, &b, AT_SYMLINK_NOFOLLOW) &&
	       a.st_dev == b.st_dev && a.st_ino == b.st_ino;
}

int work_dir_make_in(const char *parent, char path[WORK_DIR_MAX])
{
	int fd, err;

	if (snprintf(path, WORK_DIR_MAX, "%s/" PREFIX "XXXXXX", parent) >= WORK_DIR_MAX)
		return -ENAMETOOLONG;
	if (!mkdtemp(path))
		return -errno;
	fd = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	/* no sweep takes it before it has the mark, and none after it has the lock */
	if (fd >= 0 && !flock(fd, LOCK_EX) && !fchmod(fd, MODE))
		return fd;
	err = -errno;
	if (fd >= 0)
		close(fd);
	rmdir(path);
	return err;
}

int work_dir_make(char path[WORK_DIR_MAX])
{
	size_t i;
	int fd = -ENOENT;

	for (i = 0; i < PARENTS && fd < 0; i++)
		fd = work_dir_make_in(parents[i], path);
	return fd;
}

/* Goes down into `fd`, which it closes; stays on one file system. */
static void empty(int fd, dev_t dev, int depth)
{
	struct dirent *e;
	struct stat st;
	DIR *d;
	int sub;

	if (fd < 0)
		return;
	d = fstat(fd, &st) || st.st_dev != dev || depth > DEPTH_MAX ? NULL : fdopendir(fd);
	if (!d) {
		close(fd);
		return;
	}
	while ((e = readdir(d))) {
		if (!strcmp(e->d_name, ".") || !strcmp(e->d_name, "..") ||
		    !unlinkat(fd, e->d_name, 0) || errno != EISDIR)
			continue;
		sub = openat(fd, e->d_name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		empty(sub, dev, depth + 1);
		unlinkat(fd, e->d_name, AT_REMOVEDIR);
	}
	closedir(d);
}

static bool is_ours(int fd, struct stat *st)
{
	return !fstat(fd, st) && st->st_uid == geteuid() && (st->st_mode & 07777) == MODE;
}

static bool remove_at(int parent, const char *name, bool unless_locked)
{
	int fd = openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	struct stat st;
	bool gone;

	if (fd < 0)
		return false;
	if (!is_ours(fd, &st) || (unless_locked && flock(fd, LOCK_EX | LOCK_NB)) ||
	    !is_there(parent, name, fd)) {
		close(fd);
		return false;
	}
	empty(fcntl(fd, F_DUPFD_CLOEXEC, 0), st.st_dev, 0);
	gone = !unlinkat(parent, name, AT_REMOVEDIR);
	close(fd);
	return gone;
}

void work_dir_remove(const char *path)
{
	remove_at(AT_FDCWD, path, false);
}

int work_dir_sweep_in(const char *parent)
{
	DIR *d = opendir(parent);
	struct dirent *e;
	int n = 0;

	if (!d)
		return 0;
	while ((e = readdir(d)))
		n += has_our_name(e->d_name) && remove_at(dirfd(d), e->d_name, true);
	closedir(d);
	return n;
}

int work_dir_sweep(void)
{
	size_t i;
	int n = 0;

	for (i = 0; i < PARENTS; i++)
		n += work_dir_sweep_in(parents[i]);
	return n;
}
