/* SPDX-License-Identifier: MIT */
/*
 * What the loader child says over the socket pair, taken for an enemy's: messages of any
 * kind and length, with up to three descriptors. None may be left open that has no owner.
 */
#include "fuzz.h"

#include <fcntl.h>

/* the file itself: what is looked at is static in it */
#include "bpf/program.c" // NOLINT(bugprone-suspicious-include)

#define HOOKS 4
#define MAX_MESSAGES 32
#define MAX_FDS 3
#include "fuzz_fds.h"

/* One byte says how many descriptors and whether the fields are made up here, so that the
 * fuzzer need not guess them. */
static void play_child(struct build *b, int sock, struct input *in)
{
	struct reply r;
	unsigned int how;
	size_t len;
	uint8_t *raw;
	int n;

	for (n = 0; n < MAX_MESSAGES && in->left && !b->done; n++) {
		how = (unsigned int)take_number(in, 1);
		if (how & 0x80) {
			raw = take_bytes(in, take_number(in, 2), &len);
			send_message(sock, raw, len, how % (MAX_FDS + 1));
			free(raw);
		} else {
			memset(&r, 0, sizeof(r));
			r.kind = (how >> 2) % (REPLY_DONE + 2);
			r.index = (int32_t)take_number(in, 1) - 2;
			r.error = (int32_t)take_number(in, 4);
			r.log_from = take_number(in, 1);
			r.log_to = r.log_from + take_number(in, 8);
			raw = take_bytes(in, take_number(in, 1), &len);
			memcpy(r.text, raw, len);
			free(raw);
			send_message(sock, &r, offsetof(struct reply, text) + len + 1,
				     how % (MAX_FDS + 1));
		}
		if (receive(b) < 0)
			break;
	}
}

static void look_at(struct build *b)
{
	int i;

	REQUIRE(is_safe_text(text_str(&b->p->notes), b->p->notes.len, true));
	for (i = 0; i < b->hs->n; i++)
		REQUIRE(is_safe_text(text_str(&b->hs->v[i].why), b->hs->v[i].why.len, false));
	explain(b, b->done ? 0 : -ECHILD, 9);
	REQUIRE(b->p->error.len && is_safe_text(b->p->error.s, b->p->error.len, false));
	REQUIRE(b->error >= 0);
}

static void make_hooks(struct hooks *hs)
{
	int i;

	hs->v = calloc(HOOKS, sizeof(*hs->v));
	hs->n = HOOKS;
	for (i = 0; i < HOOKS; i++)
		hs->v[i] = (struct hook){ .kind = i % HOOK_KINDS,
					  .target = "f",
					  .file = strdup("a.c"),
					  .prog_fd = -1,
					  .stub_fd = -1,
					  .slot_fd = -1,
					  .link_fd = -1 };
}

static int open_log(struct input *in)
{
	char *s = take_string(in);
	int fd = memfd_create("log", MFD_CLOEXEC);

	REQUIRE(fd >= 0 && write(fd, s, strlen(s)) == (ssize_t)strlen(s));
	free(s);
	return fd;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct input in = { data, size };
	struct program p = NO_PROGRAM;
	struct hooks hs;
	struct build b = { .p = &p, .hs = &hs };
	int pair[2], fds = open_fds();

	make_hooks(&hs);
	b.log = open_log(&in);
	REQUIRE(!socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, pair));
	b.sock = pair[0];
	play_child(&b, pair[1], &in);
	close(pair[1]);
	look_at(&b);
	close(b.sock);
	close(b.log);
	/* this directory will be removed: it must be one of ours */
	REQUIRE(!b.work || (strstr(b.work, "/linux_net_kernel.") == b.work + 4 &&
			    strrchr(b.work, '/') == b.work + 4));
	free(b.work);
	text_free(&b.attempts);
	program_free(&p);
	hooks_free(&hs);
	REQUIRE(open_fds() == fds);
	return 0;
}
