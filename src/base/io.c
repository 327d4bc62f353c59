/* SPDX-License-Identifier: MIT */
#include "base/io.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

/* Closed one by one, where the kernel does not do it (before 5.9) and no /proc tells which. */
#define MANY_FDS 65536

int write_all(int fd, const void *buf, size_t len)
{
	const char *p = buf;
	ssize_t n;

	while (len) {
		n = write(fd, p, len);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		p += n;
		len -= (size_t)n;
	}
	return 0;
}

int read_all(int fd, struct text *out, size_t max)
{
	char chunk[16384];
	ssize_t n;

	for (;;) {
		n = read(fd, chunk, sizeof(chunk));
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		if (n == 0)
			return out->cut ? -ENOMEM : 0;
		if ((size_t)n > max)
			return -EFBIG;
		max -= (size_t)n;
		text_add(out, chunk, (size_t)n);
	}
}

int read_file_at(int dirfd, const char *path, struct text *out, size_t max)
{
	int fd, err;

	fd = openat(dirfd, path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	err = read_all(fd, out, max);
	close(fd);
	return err;
}

/* mkdir -p for everything before the last '/' of path. */
static int make_parents_at(int dirfd, const char *path)
{
	char part[PATH_MAX];
	const char *slash = path;
	size_t len;

	while ((slash = strchr(slash, '/'))) {
		len = (size_t)(slash - path);
		slash++;
		if (!len)
			continue;
		if (len >= sizeof(part))
			return -ENAMETOOLONG;
		memcpy(part, path, len);
		part[len] = '\0';
		if (mkdirat(dirfd, part, 0700) && errno != EEXIST)
			return -errno;
	}
	return 0;
}

int write_file_at(int dirfd, const char *path, const char *bytes, size_t len)
{
	int fd, err;

	err = make_parents_at(dirfd, path);
	if (err)
		return err;
	fd = openat(dirfd, path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0)
		return -errno;
	err = write_all(fd, bytes, len);
	if (close(fd) && !err)
		err = -errno;
	return err;
}

void close_fd(int fd)
{
	if (fd >= 0)
		close(fd);
}

void close_from(int first)
{
	const struct dirent *d;
	DIR *dir;
	int fd;

#ifdef SYS_close_range
	if (!syscall(SYS_close_range, (unsigned int)first, ~0U, 0))
		return;
#endif
	dir = opendir("/proc/self/fd");
	while (dir && (d = readdir(dir))) {
		fd = atoi(d->d_name);
		if (fd >= first && fd != dirfd(dir))
			close(fd);
	}
	if (dir)
		closedir(dir);
	for (fd = first; !dir && fd < MANY_FDS; fd++)
		close(fd);
}
