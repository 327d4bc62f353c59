/* SPDX-License-Identifier: MIT */
#include "base/aside.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/io.h"
#include "base/privileges.h"

#define SOCKET_FD 3
#define NOBODY 65534

static void close_others(void)
{
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);

	if (null < 0)
		_exit(1);
	for (int fd = 0; fd < SOCKET_FD; fd++)
		dup2(null, fd);
	close_from(SOCKET_FD + 1);
}

/* Another user where we may, and no capabilities but those. Who lacks one of them needs to
 * stay the user that he is, to see at least what that one may see. */
static int give_up(const struct aside *a)
{
	int err = privileges_bar();
	struct rlimit files;

	prctl(PR_SET_KEEPCAPS, 1);
	if (privileges_have(a->keep) && !setgroups(0, NULL) && !setresgid(NOBODY, NOBODY, NOBODY))
		(void)!setresuid(NOBODY, NOBODY, NOBODY);
	prctl(PR_SET_KEEPCAPS, 0);
	if (!err)
		err = privileges_drop(a->keep, a->keep);
	/* nobody else of this user may look into it; this and the next are lost when the
	 * user changes, so they come last */
	prctl(PR_SET_NAME, a->name);
	prctl(PR_SET_DUMPABLE, 0);
	/* it ends with its socket; this is for when it does not read, and has no effect where the
	 * parent may not signal it: as another user */
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (!getrlimit(RLIMIT_NOFILE, &files)) { /* as many as it may */
		files.rlim_cur = files.rlim_max;
		setrlimit(RLIMIT_NOFILE, &files);
	}
	if (!err && a->filter) {
		err = a->filter();
		if (err == -ENOSYS)
			err = 0;
	}
	return err;
}

int aside_start(const struct aside *a, const int pair[2])
{
	pid_t pid = fork();

	if (pid < 0)
		return -errno;
	if (!pid) {
		/* a descriptor 0 to 2 is never free: main() holds them */
		close(pair[0]);
		if (pair[1] != SOCKET_FD && dup2(pair[1], SOCKET_FD) < 0)
			_exit(1);
		close_others();
		if (!give_up(a))
			a->serve(SOCKET_FD);
		_exit(0);
	}
	return fcntl(pair[0], F_SETFL, O_NONBLOCK) ? -errno : 0;
}
