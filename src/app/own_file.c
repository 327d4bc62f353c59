/* SPDX-License-Identifier: MIT */
#include "app/own_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "sink/table.h"

#define HEADER_MAX 8192 /* of 64 columns there are some 2000 bytes, twice */

/* NULL: it is empty, or holds a table. */
static const char *look_inside(const char *link)
{
	char begin[HEADER_MAX];
	int fd = open(link, O_RDONLY | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);
	ssize_t n;

	if (fd < 0)
		return strerror(errno);
	n = read(fd, begin, sizeof(begin));
	close(fd);
	if (n < 0)
		return strerror(errno);
	return !n || table_begins(begin, (size_t)n)
		       ? NULL
		       : "it does not begin with a table of rows; name a new or an empty file";
}

int own_file_open(const char *path, const char **why)
{
	const int flags = O_WRONLY | O_APPEND | O_NOCTTY | O_NONBLOCK | O_CLOEXEC;
	char link[32];
	struct stat st;
	int there, fd;

	fd = open(path, flags | O_CREAT | O_EXCL | O_NOFOLLOW, 0600);
	if (fd >= 0)
		return fd;
	if (errno != EEXIST)
		return -errno;
	there = open(path, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	if (there < 0)
		return -errno;
	if (fstat(there, &st))
		*why = strerror(errno);
	else if (!S_ISREG(st.st_mode))
		*why = "it is there and no regular file (links are not followed)";
	else if (st.st_uid != geteuid())
		*why = "it belongs to another user";
	else if (st.st_mode & 022)
		*why = "others can write it";
	else if (st.st_nlink != 1)
		*why = "it has another name as well";
	snprintf(link, sizeof(link), "/proc/self/fd/%d", there);
	if (!*why)
		*why = look_inside(link);
	if (!*why)
		fd = open(link, flags);
	fd = *why ? -EPERM : fd < 0 ? -errno : fd;
	close(there);
	return fd;
}
