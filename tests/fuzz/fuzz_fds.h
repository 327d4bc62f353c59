/* SPDX-License-Identifier: MIT */
/* Messages with descriptors, as the other end of a socket could send them. The including
 * file says in MAX_FDS how many there are at most. */
#ifndef FUZZ_FDS_H
#define FUZZ_FDS_H

#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "fuzz.h"

static int spare_fd(void)
{
	int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);

	REQUIRE(fd >= 0);
	return fd;
}

static void send_message(int sock, const void *bytes, size_t len, int nfds)
{
	union {
		char buf[CMSG_SPACE(MAX_FDS * sizeof(int))];
		struct cmsghdr align;
	} control = { 0 };
	struct iovec iov = { (void *)bytes, len };
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1 };
	int fds[MAX_FDS] = { 0 }, i;
	struct cmsghdr *c;

	if (nfds) {
		for (i = 0; i < nfds; i++)
			fds[i] = spare_fd();
		msg.msg_control = control.buf;
		msg.msg_controllen = CMSG_SPACE((size_t)nfds * sizeof(int));
		c = CMSG_FIRSTHDR(&msg);
		c->cmsg_level = SOL_SOCKET;
		c->cmsg_type = SCM_RIGHTS;
		c->cmsg_len = CMSG_LEN((size_t)nfds * sizeof(int));
		memcpy(CMSG_DATA(c), fds, (size_t)nfds * sizeof(int));
	}
	sendmsg(sock, &msg, MSG_DONTWAIT | MSG_NOSIGNAL);
	for (i = 0; i < nfds; i++)
		close(fds[i]);
}

#endif
