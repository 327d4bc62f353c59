/* SPDX-License-Identifier: MIT */
#include "app/own_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

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
	if (!*why) {
		snprintf(link, sizeof(link), "/proc/self/fd/%d", there);
		fd = open(link, flags);
	}
	fd = *why ? -EPERM : fd < 0 ? -errno : fd;
	close(there);
	return fd;
}
