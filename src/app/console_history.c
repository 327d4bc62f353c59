/* SPDX-License-Identifier: MIT */
/*
 * $XDG_STATE_HOME/linux_net_kernel/history, or ~/.local/state/linux_net_kernel/history.
 * Under sudo the environment may still name the home of who called it: then it is the home
 * of the user that we are, so that root writes no file in another user's directory. From
 * the base on, every directory and the file must be ours, and no link is followed.
 */
#include "app/console_history.h"

#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/io.h"

#define KEPT_BYTES ((size_t)64 << 10) /* a longer file is cut to its newest half */

static bool is_ours(int fd, mode_t type)
{
	struct stat st;

	return !fstat(fd, &st) && (st.st_mode & S_IFMT) == type && st.st_uid == geteuid() &&
	       !(st.st_mode & 022) && (type == S_IFDIR || st.st_nlink == 1);
}

/* The directory `name` below fd, which is closed. */
static int enter(int fd, const char *name)
{
	int dir;

	if (fd < 0)
		return fd;
	if (mkdirat(fd, name, 0700) && errno != EEXIST) {
		dir = -errno;
	} else {
		dir = openat(fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		if (dir < 0)
			dir = -errno;
	}
	close(fd);
	if (dir >= 0 && !is_ours(dir, S_IFDIR)) {
		close(dir);
		dir = -EPERM;
	}
	return dir;
}

static int open_base(const char *path)
{
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0)
		return -errno;
	if (!is_ours(fd, S_IFDIR)) {
		close(fd);
		return -EPERM;
	}
	return fd;
}

static int open_directory(struct text *where)
{
	const char *state = getenv("XDG_STATE_HOME"), *home = getenv("HOME");
	const struct passwd *pw;
	int fd;

	if (getenv("SUDO_UID"))
		state = home = NULL;
	if (state && *state == '/') {
		text_puts(where, state);
		fd = open_base(state);
	} else {
		if (!home || *home != '/') {
			pw = getpwuid(geteuid());
			home = pw ? pw->pw_dir : "/nonexistent";
		}
		text_printf(where, "%s/.local/state", home);
		fd = enter(enter(open_base(home), ".local"), "state");
	}
	text_puts(where, "/linux_net_kernel/history");
	fd = enter(fd, "linux_net_kernel");
	if (fd >= 0)
		fchmod(fd, 0700);
	return fd;
}

/* Leaves the newest lines of a file that has become long. */
static int cut(int fd, struct text *lines)
{
	const char *from = lines->s + lines->len - KEPT_BYTES / 2, *newline = strchr(from, '\n');
	size_t len;

	from = newline ? newline + 1 : from;
	len = (size_t)(lines->s + lines->len - from);
	memmove(lines->s, from, len + 1);
	lines->len = len;
	if (ftruncate(fd, 0))
		return -errno;
	return write_all(fd, lines->s, len);
}

int console_history_open(struct text *lines, struct text *where)
{
	int dir = open_directory(where), fd, err;

	if (dir < 0)
		return dir;
	fd = openat(dir, "history",
		    O_RDWR | O_CREAT | O_APPEND | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC,
		    0600);
	err = fd < 0 ? -errno : 0;
	close(dir);
	if (err)
		return err;
	if (!is_ours(fd, S_IFREG))
		err = -EPERM;
	else if (fchmod(fd, 0600))
		err = -errno;
	if (!err)
		err = read_all(fd, lines, (size_t)1 << 20);
	if (!err && lines->len > KEPT_BYTES)
		err = cut(fd, lines);
	if (err) {
		close(fd);
		return err;
	}
	return fd;
}
