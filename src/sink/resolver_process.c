/* SPDX-License-Identifier: MIT */
#include "sink/resolver_process.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <netdb.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/privileges.h"
#include "sink/resolver.h"

#define SOCKET_FD 3
#define NOBODY 65534
#define MANY_FDS 65536 /* closed one by one before Linux 5.9 */

bool resolver_is_name(const char *s)
{
	bool letter = false;
	__u8 address[16];
	const char *p;

	for (p = s; *p; p++) {
		if ((*p | 0x20) >= 'a' && (*p | 0x20) <= 'z')
			letter = true;
		else if (!(*p >= '0' && *p <= '9') && *p != '.' && *p != '_' &&
			 (*p != '-' || p == s))
			return false;
	}
	return letter && p - s <= RESOLVER_NAME_MAX && inet_pton(AF_INET6, s, address) != 1;
}

/* --- in the process ---------------------------------------------------------------- */

static void close_others(void)
{
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);

	if (null < 0)
		_exit(1);
	for (int fd = 0; fd < SOCKET_FD; fd++)
		dup2(null, fd);
#ifdef SYS_close_range
	if (!syscall(SYS_close_range, SOCKET_FD + 1, ~0U, 0))
		return;
#endif
	for (int fd = SOCKET_FD + 1; fd < MANY_FDS; fd++)
		close(fd);
}

/* Another user where we may, and no capabilities anyway. */
static int give_up_everything(void)
{
	int err = privileges_bar();

	if (!setgroups(0, NULL) && !setresgid(NOBODY, NOBODY, NOBODY))
		(void)!setresuid(NOBODY, NOBODY, NOBODY);
	if (!err)
		err = privileges_drop(0, 0);
	/* nobody else of this user may look into it; this and the next are lost when the
	 * user changes, so they come last */
	prctl(PR_SET_NAME, "lnk_resolver");
	prctl(PR_SET_DUMPABLE, 0);
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	return err;
}

static void look_up(struct resolver_answer *a)
{
	static const __u8 mapped[12] = { [10] = 0xff, [11] = 0xff };
	struct sockaddr_in6 v6 = { .sin6_family = AF_INET6 };
	struct sockaddr_in v4 = { .sin_family = AF_INET };
	char name[NI_MAXHOST];
	int err;

	memset(a->name, 0, sizeof(a->name));
	if (!memcmp(a->address, mapped, sizeof(mapped))) {
		memcpy(&v4.sin_addr, a->address + 12, 4);
		err = getnameinfo((struct sockaddr *)&v4, sizeof(v4), name, sizeof(name), NULL, 0,
				  NI_NAMEREQD);
	} else {
		memcpy(&v6.sin6_addr, a->address, 16);
		err = getnameinfo((struct sockaddr *)&v6, sizeof(v6), name, sizeof(name), NULL, 0,
				  NI_NAMEREQD);
	}
	/* a name that does not fit would be another one */
	if (!err && strlen(name) <= RESOLVER_NAME_MAX)
		memcpy(a->name, name, strlen(name));
}

static void serve(void)
{
	struct resolver_answer a;

	while (read(SOCKET_FD, a.address, sizeof(a.address)) == sizeof(a.address)) {
		look_up(&a);
		if (write(SOCKET_FD, &a, sizeof(a)) != sizeof(a))
			break;
	}
}

int resolver_process(const int pair[2])
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
		if (!give_up_everything())
			serve();
		_exit(0);
	}
	return fcntl(pair[0], F_SETFL, O_NONBLOCK) ? -errno : 0;
}
