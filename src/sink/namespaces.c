/* SPDX-License-Identifier: MIT */
/*
 * The directory is listed through a descriptor that stays open, and each name is looked at
 * by its path: "ip netns add" mounts the directory over itself the first time, and the
 * namespaces are mounted on the upper one.
 */
#include "sink/namespaces.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/clock.h"

#define NAMESPACES_MAX 4096
#define NAME_LEN 256 /* NAME_MAX and the NUL */
/* How soon after a look an unknown number may cause another one. */
#define LOOK_AGAIN_NS (NSEC_PER_SEC / 4)

struct namespace
{
	uint64_t inode;
	char name[NAME_LEN];
};

struct namespaces {
	const char *path;
	int fd;
	dev_t device; /* where namespaces live */
	struct namespace *v;
	size_t n, cap;
	uint64_t last; /* the inode that was asked for last, and its name */
	const char *last_name;
	bool unfinished;         /* to be listed again, whatever its time says */
	struct timespec changed; /* the directory, when it was listed */
	uint64_t looked_ns;
};

static void add(struct namespaces *n, uint64_t inode, const char *name)
{
	struct namespace *v;
	size_t cap;

	if (n->n == n->cap) {
		cap = n->cap ? 2 * n->cap : 16;
		v = n->n < NAMESPACES_MAX ? realloc(n->v, cap * sizeof(*v)) : NULL;
		if (!v)
			return;
		n->v = v;
		n->cap = cap;
	}
	n->v[n->n].inode = inode;
	snprintf(n->v[n->n].name, NAME_LEN, "%s", name);
	n->n++;
}

static void add_entry(struct namespaces *n, const char *name)
{
	char path[512];
	struct stat st;

	if (name[0] == '.')
		return;
	if (snprintf(path, sizeof(path), "%s/%s", n->path, name) >= (int)sizeof(path) ||
	    fstatat(AT_FDCWD, path, &st, 0))
		return;
	if (st.st_dev == n->device)
		add(n, st.st_ino, name);
	else
		n->unfinished = true; /* its namespace is not mounted yet, or no more */
}

static void list(struct namespaces *n)
{
	_Alignas(struct dirent64) char buf[4096];
	const struct dirent64 *d;
	ssize_t len, at;

	n->n = 0;
	n->last_name = NULL;
	n->last = 0;
	n->unfinished = false;
	if (lseek(n->fd, 0, SEEK_SET))
		return;
	/* glibc's getdents64() came with 2.30 */
	while ((len = syscall(SYS_getdents64, n->fd, buf, sizeof(buf))) > 0) {
		for (at = 0; at < len; at += d->d_reclen) {
			d = (const struct dirent64 *)(const void *)(buf + at);
			add_entry(n, d->d_name);
		}
	}
}

void namespaces_refresh(struct namespaces *n)
{
	struct stat st;

	if (n->fd < 0 || fstat(n->fd, &st))
		return;
	n->looked_ns = clock_monotonic_ns();
	if (!n->unfinished && st.st_mtim.tv_sec == n->changed.tv_sec &&
	    st.st_mtim.tv_nsec == n->changed.tv_nsec)
		return;
	n->changed = st.st_mtim;
	list(n);
	/* another change may come within the same tick of the file system's clock */
	if (time(NULL) <= st.st_mtim.tv_sec + 1)
		n->unfinished = true;
}

static const char *find(const struct namespaces *n, uint64_t inode)
{
	for (size_t i = 0; i < n->n; i++)
		if (n->v[i].inode == inode)
			return n->v[i].name;
	return NULL;
}

const char *namespaces_name(struct namespaces *n, uint64_t inode)
{
	if (inode == n->last)
		return n->last_name;
	n->last_name = find(n, inode);
	if (!n->last_name && clock_monotonic_ns() > n->looked_ns + LOOK_AGAIN_NS) {
		namespaces_refresh(n);
		n->last_name = find(n, inode);
	}
	n->last = inode;
	return n->last_name;
}

int namespaces_inode(const struct namespaces *n, const char *name, uint64_t *inode)
{
	size_t len = strlen(n->path);
	char path[512];
	struct stat st;

	if (!strncmp(name, n->path, len) && name[len] == '/')
		name += len + 1;
	else if (strchr(name, '/') || name[strspn(name, "0123456789")] == '\0')
		return -EINVAL; /* elsewhere; a process, or the number itself */
	if (snprintf(path, sizeof(path), "%s/%s", n->path, name) >= (int)sizeof(path))
		return -ENAMETOOLONG;
	*inode = 0;
	if (fstatat(AT_FDCWD, path, &st, 0))
		return errno == ENOENT ? 0 : -errno;
	if (st.st_dev == n->device)
		*inode = st.st_ino;
	return 0;
}

int namespaces_open(struct namespaces **out, const char *dir)
{
	struct namespaces *n;
	struct stat st;

	if (stat("/proc/self/ns/net", &st))
		return -errno;
	n = calloc(1, sizeof(*n));
	if (!n)
		return -ENOMEM;
	n->path = dir;
	n->device = st.st_dev;
	n->fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	namespaces_refresh(n);
	*out = n;
	return 0;
}

void namespaces_close(struct namespaces *n)
{
	if (!n)
		return;
	if (n->fd >= 0)
		close(n->fd);
	free(n->v);
	free(n);
}

const char *namespaces_listed(const struct namespaces *n, int nth)
{
	return (size_t)nth < n->n ? n->v[nth].name : NULL;
}
