/* SPDX-License-Identifier: MIT */
/* What the child that compiles sends, where this process may have no more descriptors. */
#include "unit.h"

#include <fcntl.h>
#include <sys/resource.h>

#include "bpf/program.c" // NOLINT(bugprone-suspicious-include)

static struct program program = NO_PROGRAM;
static struct hooks hooks;
static int child; /* the child's end */

static struct build begin(void)
{
	int pair[2];

	CHECK_INT(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair), 0);
	child = pair[1];
	return (struct build){ .p = &program, .hs = &hooks, .sock = pair[0], .log = -1 };
}

static void send_reply(const struct reply *r, int fd)
{
	union {
		char buf[CMSG_SPACE(sizeof(int))];
		struct cmsghdr align;
	} control = { 0 };
	struct iovec iov = { (void *)r, offsetof(struct reply, text) + 1 };
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1 };
	struct cmsghdr *c;

	if (fd >= 0) {
		msg.msg_control = control.buf;
		msg.msg_controllen = sizeof(control.buf);
		c = CMSG_FIRSTHDR(&msg);
		c->cmsg_level = SOL_SOCKET;
		c->cmsg_type = SCM_RIGHTS;
		c->cmsg_len = CMSG_LEN(sizeof(int));
		memcpy(CMSG_DATA(c), &fd, sizeof(int));
	}
	CHECK(sendmsg(child, &msg, 0) > 0);
}

static void end(struct build *b)
{
	close(b->sock);
	close(child);
	free(b->work);
	program_free(&program);
}

TEST(a_descriptor_arrives)
{
	struct build b = begin();

	send_reply(&(struct reply){ .kind = REPLY_COUNTERS }, child);
	CHECK_INT(receive(&b), 1);
	CHECK(program.counters_fd >= 0);
	end(&b);
}

TEST(one_does_not_and_it_is_said_what_to_do)
{
	struct build b = begin();
	int next = open("/dev/null", O_RDONLY);
	struct rlimit files;

	close(next);
	CHECK_INT(getrlimit(RLIMIT_NOFILE, &files), 0);
	files.rlim_cur = (rlim_t)next;
	CHECK_INT(setrlimit(RLIMIT_NOFILE, &files), 0);
	send_reply(&(struct reply){ .kind = REPLY_COUNTERS }, child);
	CHECK_INT(receive(&b), -EMFILE);
	CHECK_INT(program.counters_fd, -1);
	explain(&b, -EMFILE, 0);
	CHECK(strstr(text_str(&program.error), "ulimit -n"));
	end(&b);
}

/* It is not the verifier that refused it. */
TEST(a_program_that_found_no_place)
{
	struct build b = begin();

	send_reply(&(struct reply){ .kind = REPLY_HOOK, .error = EMFILE }, -1);
	CHECK_INT(receive(&b), -EMFILE);
	end(&b);
}
