/* SPDX-License-Identifier: MIT */
#include "unit.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "app/wire.h"

static struct wire_request req;
static struct wire_reply reply;

static void make_request(uint32_t live)
{
	uint32_t i;

	memset(&req, 0, sizeof(req));
	req.live_n = live;
	for (i = 0; i < live && i < LNK_MAX_HOOKS; i++) {
		strcpy(req.live[i].target, "net:netif_rx");
		strcpy(req.live[i].symbol, "tcp_v4_do_rcv.isra.0");
	}
}

TEST(requests)
{
	make_request(0);
	CHECK(wire_request_ok(&req, wire_request_size(0)));
	make_request(3);
	CHECK(wire_request_ok(&req, wire_request_size(3)));
	CHECK(!wire_request_ok(&req, wire_request_size(2)));
	CHECK(!wire_request_ok(&req, wire_request_size(3) - 1));
	CHECK(!wire_request_ok(&req, 0));
	make_request(LNK_MAX_HOOKS);
	CHECK(wire_request_ok(&req, sizeof(req)));
	make_request(LNK_MAX_HOOKS + 1);
	CHECK(!wire_request_ok(&req, wire_request_size(LNK_MAX_HOOKS + 1)));
	make_request(UINT32_MAX);
	CHECK(!wire_request_ok(&req, sizeof(req)));
}

TEST(requests_with_a_wrong_field)
{
	const size_t len = wire_request_size(1);

	make_request(1);
	req.kind = WIRE_REQUESTS;
	CHECK(!wire_request_ok(&req, len));
	make_request(1);
	req.changes.len = 9;
	memcpy(req.changes.text, "port=80", 8);
	CHECK(wire_request_ok(&req, len));
	req.changes.text[8] = 'x'; /* the last one must end */
	CHECK(!wire_request_ok(&req, len));
	make_request(1);
	req.changes.len = CHANGES_MAX + 1;
	CHECK(!wire_request_ok(&req, len));
	make_request(1);
	req.pids.n = PIDS_MAX;
	CHECK(wire_request_ok(&req, len));
	req.pids.n = PIDS_MAX + 1;
	CHECK(!wire_request_ok(&req, len));
	req.pids.n = -1;
	CHECK(!wire_request_ok(&req, len));
	make_request(1);
	memset(req.path, 'a', sizeof(req.path));
	CHECK(!wire_request_ok(&req, len));
	make_request(1);
	req.live[0].kind = HOOK_RAW_TRACEPOINT;
	req.live[0].typed = 1;
	CHECK(wire_request_ok(&req, len));
	req.live[0].typed = 2;
	CHECK(!wire_request_ok(&req, len));
	make_request(1);
	req.live[0].kind = HOOK_KPROBE;
	req.live[0].typed = 1;
	CHECK(!wire_request_ok(&req, len));
	make_request(1);
	req.live[0].kind = HOOK_KINDS;
	CHECK(!wire_request_ok(&req, len));
	make_request(1);
	memset(req.live[0].target, 'a', sizeof(req.live[0].target));
	CHECK(!wire_request_ok(&req, len));
	make_request(1);
	strcpy(req.live[0].symbol, "a/b");
	CHECK(!wire_request_ok(&req, len));
	make_request(1);
	req.live[0].target[0] = '\0';
	CHECK(!wire_request_ok(&req, len));
}

static void make_reply(enum wire_reply_kind kind)
{
	memset(&reply, 0, sizeof(reply));
	reply.kind = kind;
	if (kind == WIRE_PART) {
		strcpy(reply.part.name, "a.c");
		strcpy(reply.part.label, "probes/a.c");
	} else if (kind == WIRE_HOOK) {
		reply.hook.kind = HOOK_KPROBE;
		strcpy(reply.hook.target, "tcp_ack");
		strcpy(reply.hook.symbol, "tcp_ack");
	}
}

TEST(replies_have_their_length_and_descriptors)
{
	uint32_t kind;
	int fds;

	for (kind = 0; kind < WIRE_REPLIES; kind++) {
		make_reply((enum wire_reply_kind)kind);
		fds = wire_reply_fds(&reply);
		CHECK_INT(fds, kind == WIRE_MAPS ? 4 : kind == WIRE_FILE ? 1 : 0);
		CHECK(wire_reply_ok(&reply, wire_reply_size(kind), fds));
		CHECK(!wire_reply_ok(&reply, wire_reply_size(kind), fds + 1));
		CHECK(!wire_reply_ok(&reply, wire_reply_size(kind) + 1, fds));
		CHECK(!wire_reply_ok(&reply, 4, fds));
		CHECK(!wire_reply_ok(&reply, 0, fds));
		if (kind != WIRE_TEXT && kind != WIRE_SAID && kind != WIRE_SOURCE)
			CHECK(!wire_reply_ok(&reply, wire_reply_size(kind) - 1, fds));
	}
	reply.kind = WIRE_REPLIES;
	CHECK_INT(wire_reply_size(WIRE_REPLIES), 0);
	CHECK(!wire_reply_ok(&reply, sizeof(reply), 0));
}

TEST(texts_must_end)
{
	make_reply(WIRE_TEXT);
	strcpy(reply.text, "abc");
	CHECK(wire_reply_ok(&reply, offsetof(struct wire_reply, text) + 4, 0));
	CHECK(!wire_reply_ok(&reply, offsetof(struct wire_reply, text) + 3, 0));
	CHECK(!wire_reply_ok(&reply, offsetof(struct wire_reply, text), 0));
	make_reply(WIRE_PART);
	memset(reply.part.label, 'x', sizeof(reply.part.label));
	CHECK(!wire_reply_ok(&reply, wire_reply_size(WIRE_PART), 0));
	make_reply(WIRE_PART);
	strcpy(reply.part.name, "../a.c");
	CHECK(!wire_reply_ok(&reply, wire_reply_size(WIRE_PART), 0));
}

TEST(hooks_that_make_no_sense)
{
	const size_t len = wire_reply_size(WIRE_HOOK);

	make_reply(WIRE_HOOK);
	reply.hook.place = WIRE_NEW;
	CHECK(wire_reply_ok(&reply, len, 4));
	CHECK(!wire_reply_ok(&reply, len, 1));
	reply.hook.place = WIRE_LIVE;
	CHECK(wire_reply_ok(&reply, len, 1));
	reply.hook.place = WIRE_PLACES;
	CHECK(!wire_reply_ok(&reply, len, 0));
	make_reply(WIRE_HOOK);
	reply.hook.kind = HOOK_KINDS;
	CHECK(!wire_reply_ok(&reply, len, 0));
	make_reply(WIRE_HOOK);
	reply.hook.kind = HOOK_TRACEPOINT; /* without a category */
	CHECK(!wire_reply_ok(&reply, len, 0));
	make_reply(WIRE_HOOK);
	strcpy(reply.hook.target, "a b");
	CHECK(!wire_reply_ok(&reply, len, 0));
	make_reply(WIRE_HOOK);
	reply.hook.told = TOLD_BY_LINK;
	CHECK(wire_reply_ok(&reply, len, 0));
	reply.hook.told = TOLD_BY_EVENT; /* its name would be nobody's */
	CHECK(!wire_reply_ok(&reply, len, 0));
	make_reply(WIRE_HOOK);
	reply.hook.typed = 1;
	CHECK(!wire_reply_ok(&reply, len, 0));
	reply.hook.kind = HOOK_RAW_TRACEPOINT;
	CHECK(wire_reply_ok(&reply, len, 0));
	make_reply(WIRE_DONE);
	reply.done.error = -1;
	CHECK(!wire_reply_ok(&reply, wire_reply_size(WIRE_DONE), 0));
	make_reply(WIRE_DONE);
	reply.done.extra = LNK_MAX_EXTRA + 1;
	CHECK(!wire_reply_ok(&reply, wire_reply_size(WIRE_DONE), 0));
	make_reply(WIRE_FILE);
	reply.file.error = 13;
	CHECK(wire_reply_ok(&reply, wire_reply_size(WIRE_FILE), 0));
	CHECK(!wire_reply_ok(&reply, wire_reply_size(WIRE_FILE), 1));
	memset(reply.file.why, 'x', sizeof(reply.file.why));
	CHECK(!wire_reply_ok(&reply, wire_reply_size(WIRE_FILE), 0));
}

static bool is_open(int fd)
{
	return fcntl(fd, F_GETFD) >= 0;
}

TEST(messages_carry_descriptors)
{
	int pair[2], fds[WIRE_MAX_FDS] = { -1, -1, -1, -1 }, n, first;
	int null = open("/dev/null", O_RDONLY);
	const int four[4] = { null, null, null, null };
	char buf[8] = "";
	struct rlimit files;
	size_t len = 99;

	CHECK_INT(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, pair), 0);
	CHECK_INT(wire_receive(pair[1], buf, sizeof(buf), &len, fds, &n, MSG_DONTWAIT), -EAGAIN);
	CHECK_INT(wire_send(pair[0], "abc", 4, four, 4, 0), 0);
	CHECK_INT(wire_receive(pair[1], buf, sizeof(buf), &len, fds, &n, 0), 1);
	CHECK_INT(n, 4);
	CHECK_INT(len, 4);
	CHECK_STR(buf, "abc");
	CHECK(is_open(fds[0]) && is_open(fds[3]) && (fcntl(fds[3], F_GETFD) & FD_CLOEXEC));
	wire_close(fds, n);
	CHECK(!is_open(fds[0]) && !is_open(fds[3]));
	/* one that does not fit is as good as none */
	CHECK_INT(wire_send(pair[0], "123456789", 10, four, 1, 0), 0);
	CHECK_INT(wire_receive(pair[1], buf, sizeof(buf), &len, fds, &n, 0), 1);
	CHECK_INT(len, 0);
	CHECK_INT(n, 1);
	wire_close(fds, n);
	/* for want of a number for the second */
	CHECK_INT(wire_send(pair[0], "abc", 4, four, 2, 0), 0);
	CHECK_INT(getrlimit(RLIMIT_NOFILE, &files), 0);
	first = dup(null); /* the only number that is left then */
	CHECK_INT(close(first), 0);
	files.rlim_cur = (rlim_t)first + 1;
	CHECK_INT(setrlimit(RLIMIT_NOFILE, &files), 0);
	CHECK_INT(wire_receive(pair[1], buf, sizeof(buf), &len, fds, &n, 0), -EMFILE);
	CHECK_INT(n, 0);
	CHECK(!is_open(first));
	close(pair[0]);
	CHECK_INT(wire_receive(pair[1], buf, sizeof(buf), &len, fds, &n, 0), 0);
	CHECK_INT(wire_send(pair[1], "x", 1, NULL, 0, 0), -EPIPE);
	close(pair[1]);
	close(null);
}
