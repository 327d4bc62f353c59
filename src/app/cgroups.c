/* SPDX-License-Identifier: MIT */
/*
 * A cgroup of version 2 is known by the inode number of its directory, which is what the
 * kernel keeps with it as well. The directory is looked at on the descriptor that is open,
 * so that nothing can be put in its place between two looks.
 */
#include "app/cgroups.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <mntent.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#ifndef CGROUP2_SUPER_MAGIC
#define CGROUP2_SUPER_MAGIC 0x63677270
#endif

#define FLAGS (O_RDONLY | O_DIRECTORY | O_CLOEXEC)

/* Where cgroup2 is mounted: the first place that is one, for another mount may lie over it.
 * Returns a descriptor or -errno. */
static int open_mount(void)
{
	FILE *mounts = setmntent("/proc/self/mounts", "re");
	const struct mntent *m;
	struct statfs fs;
	int fd = -ENOENT;

	if (!mounts)
		return -errno;
	while (fd < 0 && (m = getmntent(mounts))) {
		if (strcmp(m->mnt_type, "cgroup2"))
			continue;
		fd = open(m->mnt_dir, FLAGS);
		if (fd >= 0 && (fstatfs(fd, &fs) || fs.f_type != CGROUP2_SUPER_MAGIC)) {
			close(fd);
			fd = -ENOENT;
		}
	}
	endmntent(mounts);
	return fd < 0 ? -ENOENT : fd;
}

/* Those that were last found. A directory that was removed, or made again, since is not another
 * cgroup: its sockets are. */
static struct {
	char *path;
	uint64_t inode;
} known[STRINGS_MAX];
static int nknown;

static bool is_known(const char *path, uint64_t *inode)
{
	int i;

	for (i = 0; i < nknown && strcmp(known[i].path, path) != 0; i++)
		;
	if (i < nknown)
		*inode = known[i].inode;
	return i < nknown;
}

static void remember(const struct strings *paths, const uint64_t *inodes)
{
	char *path[STRINGS_MAX] = { NULL };
	int i, n = 0;

	for (i = 0; i < paths->n; i++) /* first: they may be the same strings */
		path[i] = strdup(paths->v[i]);
	while (nknown)
		free(known[--nknown].path);
	for (i = 0; i < paths->n; i++) {
		if (!path[i])
			continue; /* then it is looked up again */
		known[n].path = path[i];
		known[n++].inode = inodes[i];
	}
	nknown = n;
}

/* NULL: `path` is a cgroup, and *inode its number. */
static const char *look_up(int mount, const char *path, uint64_t *inode)
{
	const char *reason = NULL;
	struct statfs fs;
	struct stat st;
	int fd;

	if (path[0] != '/' && mount < 0)
		return "cgroup2 is not mounted: give the whole path of the directory";
	fd = openat(mount, path, FLAGS);
	if (fd < 0)
		return strerror(errno);
	if (fstatfs(fd, &fs) || fstat(fd, &st))
		reason = strerror(errno);
	else if (fs.f_type != CGROUP2_SUPER_MAGIC)
		reason = "the directory is not one of the file system cgroup2";
	else
		*inode = st.st_ino;
	close(fd);
	return reason;
}

static void add(struct question *q, uint64_t inode)
{
	int i;

	for (i = 0; i < q->ncgroups && q->cgroups[i] != inode; i++)
		;
	if (i == q->ncgroups) /* as many as conf->cgroups can hold */
		q->cgroups[q->ncgroups++] = inode;
}

int cgroups_find(struct question *q, const struct config *conf, struct text *why)
{
	const struct strings *paths = &conf->cgroups;
	const char *reason = NULL;
	uint64_t inodes[STRINGS_MAX] = { 0 };
	int mount, i;

	_Static_assert(QUESTION_MAX_CGROUPS >= STRINGS_MAX, "there is room for all of them");
	mount = paths->n ? open_mount() : -ENOENT;
	for (i = 0; i < paths->n && !reason; i++) {
		if (!is_known(paths->v[i], &inodes[i]))
			reason = look_up(mount, paths->v[i], &inodes[i]);
		if (!reason) {
			add(q, inodes[i]);
			continue;
		}
		text_puts(why, "--cgroup: '");
		text_add_escaped(why, paths->v[i], strlen(paths->v[i]), false);
		text_printf(why, "' is no cgroup: %s", reason);
	}
	if (mount >= 0)
		close(mount);
	if (!reason)
		remember(paths, inodes);
	return reason ? -EINVAL : 0;
}
