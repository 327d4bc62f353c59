/* SPDX-License-Identifier: MIT */
/*
 * Messages of the owners' process, taken for an enemy's, between questions, orders and time that
 * passes: what is told of a socket is safe to print, and never by another filter than the newest.
 */
#include "fuzz.h"

#include <errno.h>
#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

#include "sink/owners.h"

static struct {
	struct owners *o;
	int other; /* the process's end */
	uint64_t now_ns;
	struct owners_filter filter;
	__u32 order;
	bool agreed; /* the process has said that it knows the newest order */
	bool gone;   /* it has ended, or has said something that is no answer */
} run;

static void refresh(uint64_t ns)
{
	run.now_ns += ns;
	owners_refresh(run.o, run.now_ns);
	REQUIRE(!run.gone || !owners_are_told(run.o));
}

static void say(const void *what, size_t len)
{
	const struct owners_status *s = what;

	if (run.gone || write(run.other, what, len) != (ssize_t)len)
		return;
	if (len != sizeof(*s))
		run.gone = true; /* also one that is longer: it begins like an answer */
	else if (!s->zero && s->order == run.order)
		run.agreed = true;
}

static bool is_meant(const struct owner *a)
{
	const struct owners_filter *f = &run.filter;
	__u32 i;

	for (i = 0; i < f->pids && f->pid[i] != a->pid; i++)
		;
	/* by the process's word, where it has said that it knows the filter */
	return run.agreed || !f->pids || i < f->pids;
}

static void ask(uint64_t inode)
{
	enum owners_verdict v = owners_judge(run.o, inode);
	const struct owner *a;

	REQUIRE(inode || v == OWNERS_NOBODY);
	REQUIRE(run.agreed || v != OWNERS_OTHERS);
	a = owners_find(run.o, inode);
	REQUIRE(!a || is_meant(a));
	REQUIRE(!a || (v == OWNERS_HIS && a->inode == inode && a->pid));
	REQUIRE(!a || strnlen(a->comm, sizeof(a->comm)) < sizeof(a->comm));
	if (owners_reject_until(run.o, inode))
		REQUIRE(run.agreed && v != OWNERS_HIS);
}

static void set_filter(struct input *in)
{
	memset(&run.filter, 0, sizeof(run.filter));
	run.filter.pids = (__u32)take_number(in, 1) % (OWNERS_PIDS + 1);
	run.filter.comms = (__u32)take_number(in, 1) % (OWNERS_COMMS + 1);
	for (__u32 i = 0; i < run.filter.pids; i++)
		run.filter.pid[i] = 1 + (__u32)take_number(in, 1);
	for (__u32 i = 0; i < run.filter.comms; i++)
		run.filter.comm[i][0] = (char)take_number(in, 1);
	owners_set_filter(run.o, &run.filter, run.now_ns);
	run.order++;
	run.agreed = false;
}

/* One that has ended is of the filter. */
static void look_who_ended(void)
{
	bool hidden;
	uint32_t pid = owners_ended(run.o, &hidden);
	__u32 i;

	for (i = 0; i < run.filter.pids && run.filter.pid[i] != pid; i++)
		;
	REQUIRE(!pid || i < run.filter.pids);
}

/* What the monitor says has one of two lengths, and an order comes before what is asked by it. */
static void hear(void)
{
	static union {
		uint64_t question;
		struct owners_order order;
	} m;
	ssize_t len;

	while ((len = recv(run.other, &m, sizeof(m), MSG_TRUNC)) > 0)
		REQUIRE(len == sizeof(m.question) ||
			(len == sizeof(m.order) && m.order.number && m.order.number <= run.order));
}

static void step(struct input *in)
{
	struct owners_status status = { .order = run.order };
	uint8_t *bytes;
	size_t len;

	switch (take_number(in, 1) % 9) {
	case 0:
		bytes = take_bytes(in, sizeof(struct owner), &len);
		say(bytes, len);
		free(bytes);
		break;
	case 1: /* of one of few sockets */
		bytes = take_bytes(in, sizeof(struct owner), &len);
		if (len == sizeof(struct owner)) {
			memset(bytes + 1, 0, 7);
			say(bytes, len);
		}
		free(bytes);
		break;
	case 2:
		status.ended = take_number(in, 8);
		say(&status, sizeof(status));
		break;
	case 3:
		set_filter(in);
		break;
	case 4:
		look_who_ended();
		break;
	case 5:
		hear();
		break;
	case 6:
		refresh(take_number(in, 4));
		break;
	case 7:
		refresh(1);
		break;
	default:
		ask(take_number(in, 1));
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct input in = { data, size };
	int pair[2];

	signal(SIGPIPE, SIG_IGN);
	REQUIRE(!socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK, 0, pair));
	memset(&run, 0, sizeof(run));
	run.agreed = true; /* without an order everybody is meant */
	run.other = pair[1];
	REQUIRE(!owners_make(&run.o, pair[0]));
	refresh(1000);
	while (in.left)
		step(&in);
	hear();
	owners_close(run.o);
	close(run.other);
	return 0;
}
