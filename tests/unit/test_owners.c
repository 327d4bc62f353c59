/* SPDX-License-Identifier: MIT */
/* Owners of sockets: what is asked, what is believed and for how long, and the look through
 * /proc. */
#include "unit.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "sink/cells.h"
#include "sink/owners.h"
#include "sink/owners_process.h"

#define NOW clock_boottime_ns()

/* The other end of the socket is the test's. */
static int other;

static struct owners *make(void)
{
	struct owners *o = NULL;
	int pair[2];

	signal(SIGPIPE, SIG_IGN);
	CHECK_INT(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK, 0, pair), 0);
	CHECK_INT(owners_make(&o, pair[0]), 0);
	other = pair[1];
	return o;
}

/* The question that is next; 0: none. */
static uint64_t question(void)
{
	uint64_t inode;

	return read(other, &inode, sizeof(inode)) == sizeof(inode) ? inode : 0;
}

static void answer(uint64_t inode, uint32_t pid, const char *comm)
{
	struct owner a = { .inode = inode, .pid = pid };

	memcpy(a.comm, comm, strnlen(comm, sizeof(a.comm)));
	CHECK_INT(write(other, &a, sizeof(a)), sizeof(a));
}

/* Whether it was asked who has ended. */
static int asked_who_ended(void)
{
	uint64_t q;

	return read(other, &q, sizeof(q)) == sizeof(q) && q == OWNERS_WHO_ENDED;
}

/* What the process does with an order: the answers that follow are by it. */
static void agree(struct owners *o, uint64_t now_ns, uint64_t ended)
{
	struct owners_order order = { 0 };
	struct owners_status s = { .ended = ended };

	CHECK_INT(read(other, &order, sizeof(order)), sizeof(order));
	s.order = order.number;
	CHECK_INT(write(other, &s, sizeof(s)), sizeof(s));
	owners_refresh(o, now_ns);
}

static uint32_t pid_of(struct owners *o, uint64_t inode)
{
	const struct owner *a = owners_find(o, inode);

	return a ? a->pid : 0;
}

TEST(an_owner_is_there_when_it_has_come)
{
	struct owners *o = make();

	CHECK_INT(pid_of(o, 0), 0); /* no file */
	CHECK_INT(question(), 0);
	CHECK_INT(pid_of(o, 7), 0);
	CHECK_INT(pid_of(o, 7), 0); /* asked once */
	CHECK_INT(question(), 7);
	CHECK_INT(question(), 0);
	answer(7, 100, "nginx");
	CHECK_INT(pid_of(o, 7), 0);
	owners_refresh(o, 2);
	CHECK_INT(pid_of(o, 7), 100);
	CHECK_STR(owners_find(o, 7)->comm, "nginx");
	/* what was not asked is not heard */
	answer(8, 200, "other");
	answer(7, 300, "other");
	answer(0, 300, "other");
	owners_refresh(o, 3);
	CHECK_INT(pid_of(o, 8), 0);
	CHECK_INT(pid_of(o, 7), 100);
	owners_close(o);
}

TEST(an_answer_gets_old)
{
	struct owners *o = make();

	owners_refresh(o, 1000);
	pid_of(o, 7);
	CHECK_INT(question(), 7);
	owners_refresh(o, 1001 + OWNERS_FRESH_NS);
	pid_of(o, 7);
	CHECK_INT(question(), 0); /* one at a time, however long it takes */
	owners_refresh(o, 1000);
	answer(7, 100, "a");
	owners_refresh(o, 1000 + OWNERS_FRESH_NS);
	CHECK_INT(pid_of(o, 7), 100);
	CHECK_INT(question(), 0);
	owners_refresh(o, 1001 + OWNERS_FRESH_NS);
	CHECK_INT(pid_of(o, 7), 100); /* till the next one comes */
	CHECK_INT(question(), 7);
	CHECK_INT(pid_of(o, 7), 100);
	CHECK_INT(question(), 0);
	answer(7, 0, "");
	owners_refresh(o, 1002 + OWNERS_FRESH_NS);
	CHECK_INT(pid_of(o, 7), 0);
	owners_refresh(o, 1001 + OWNERS_FRESH_NS + OWNERS_RETRY_NS);
	CHECK_INT(pid_of(o, 7), 0);
	CHECK_INT(question(), 0);
	owners_refresh(o, 1002 + OWNERS_FRESH_NS + OWNERS_RETRY_NS);
	CHECK_INT(pid_of(o, 7), 0);
	CHECK_INT(question(), 7);
	answer(7, 200, "b");
	owners_refresh(o, 1003 + OWNERS_FRESH_NS + OWNERS_RETRY_NS);
	CHECK_INT(pid_of(o, 7), 200);
	owners_close(o);
}

TEST(few_questions_at_a_time)
{
	struct owners *o = make();
	int n = 0;

	for (uint64_t i = 1; i <= 3 * OWNERS_OPEN; i++)
		CHECK_INT(pid_of(o, i), 0);
	while (question())
		n++;
	CHECK_INT(n, OWNERS_OPEN);
	answer(1, 100, "a");
	owners_refresh(o, 1);
	CHECK_INT(pid_of(o, 1000), 0);
	CHECK_INT(question(), 1000);
	CHECK_INT(pid_of(o, 1001), 0);
	CHECK_INT(question(), 0);
	owners_close(o);
}

/* Memory stays what it is, and no socket gets another's owner. */
TEST(more_sockets_than_are_remembered)
{
	struct owners *o = make();
	uint32_t pid;
	int known = 0;

	for (uint32_t i = 1; i <= 3 * OWNERS_SOCKETS; i++) {
		CHECK_INT(pid_of(o, i), 0);
		CHECK_INT(question(), i);
		answer(i, i + 5, "x");
		owners_refresh(o, 1);
	}
	for (uint32_t i = 3 * OWNERS_SOCKETS; i > 0; i--) {
		pid = pid_of(o, i);
		known += pid != 0;
		CHECK(!pid || pid == i + 5);
		if (question()) {
			answer(i, 0, "");
			owners_refresh(o, 1);
		}
	}
	CHECK(known >= OWNERS_SOCKETS / 4 && known <= OWNERS_SOCKETS);
	owners_close(o);
}

TEST(a_process_that_is_gone)
{
	struct owners *o = make();

	pid_of(o, 7);
	answer(7, 100, "a");
	owners_refresh(o, 1);
	CHECK_INT(pid_of(o, 7), 100);
	close(other);
	owners_refresh(o, 2);
	CHECK_INT(pid_of(o, 7), 0); /* nobody would say when it changes */
	CHECK_INT(pid_of(o, 8), 0);
	owners_close(o);
	owners_close(NULL);
}

TEST(bad_answers)
{
	struct owners *o = make();
	struct owner a;

	pid_of(o, 7);
	memset(&a, 'x', sizeof(a)); /* no end */
	a.inode = 7;
	CHECK_INT(write(other, &a, sizeof(a)), sizeof(a));
	owners_refresh(o, 1);
	CHECK_INT(strlen(owners_find(o, 7)->comm), OWNER_COMM - 1);
	CHECK_INT(write(other, "short", 5), 5);
	owners_refresh(o, 2);
	CHECK_INT(pid_of(o, 7), 0); /* it is listened to no more */
	owners_close(o);
}

/* --- a filter ---------------------------------------------------------------------- */

static uint64_t asked_with; /* the question's bit */

static uint64_t whole_question(void)
{
	uint64_t q = question();

	asked_with = q & OWNERS_WAS_OTHERS;
	return q & ~OWNERS_WAS_OTHERS;
}

static void answer_others(uint64_t inode)
{
	struct owner a = { .inode = inode, .others = 1 };

	CHECK_INT(write(other, &a, sizeof(a)), sizeof(a));
}

TEST(verdicts)
{
	struct owners *o = make();

	owners_refresh(o, 1000);
	CHECK_INT(owners_judge(o, 0), OWNERS_NOBODY);
	CHECK_INT(owners_judge(o, 7), OWNERS_OPEN_YET);
	CHECK_INT(whole_question(), 7);
	CHECK_INT(asked_with, 0);
	answer(7, 100, "a");
	CHECK_INT(owners_judge(o, 8), OWNERS_OPEN_YET);
	CHECK_INT(whole_question(), 8);
	answer_others(8);
	owners_refresh(o, 1001);
	CHECK_INT(owners_judge(o, 7), OWNERS_HIS);
	CHECK_INT(owners_reject_until(o, 7), 0);
	CHECK_INT(owners_judge(o, 8), OWNERS_OTHERS);
	CHECK_INT(owners_reject_until(o, 8), 1001 + OWNERS_FRESH_NS); /* from the answer on */
	CHECK_INT(owners_reject_until(o, 8), 0);                      /* once */
	/* asked again, and believed until the next, but not for ever */
	owners_refresh(o, 1002 + OWNERS_FRESH_NS);
	CHECK_INT(owners_judge(o, 8), OWNERS_OTHERS);
	CHECK_INT(whole_question(), 8);
	CHECK(asked_with);
	CHECK_INT(owners_judge(o, 7), OWNERS_HIS);
	CHECK_INT(whole_question(), 7);
	CHECK_INT(asked_with, 0);
	owners_refresh(o, 1001 + OWNERS_STALE_NS);
	CHECK_INT(owners_judge(o, 8), OWNERS_OTHERS);
	CHECK_INT(owners_judge(o, 7), OWNERS_HIS);
	owners_refresh(o, 1002 + OWNERS_STALE_NS);
	CHECK_INT(owners_judge(o, 8), OWNERS_OPEN_YET);
	CHECK_INT(owners_judge(o, 7), OWNERS_OPEN_YET);
	CHECK_INT(pid_of(o, 7), 0);
	answer(8, 100, "a"); /* it was handed on */
	owners_refresh(o, 1003 + OWNERS_STALE_NS);
	CHECK_INT(owners_judge(o, 8), OWNERS_HIS);
	CHECK(owners_are_told(o));
	close(other);
	owners_refresh(o, 1004 + OWNERS_STALE_NS);
	CHECK_INT(owners_judge(o, 8), OWNERS_NOBODY);
	CHECK(!owners_are_told(o));
	owners_close(o);
}

/* accept(2) makes the file before the descriptor. */
TEST(nobody_twice)
{
	struct owners *o = make();

	owners_refresh(o, 1000);
	CHECK_INT(owners_judge(o, 7), OWNERS_OPEN_YET);
	CHECK_INT(question(), 7);
	answer(7, 0, "");
	owners_refresh(o, 1001);
	CHECK_INT(owners_judge(o, 7), OWNERS_OPEN_YET);
	CHECK_INT(question(), 7);
	answer(7, 0, "");
	owners_refresh(o, 1002);
	CHECK_INT(owners_judge(o, 7), OWNERS_NOBODY);
	CHECK_INT(question(), 0);
	owners_close(o);
}

/* --- who was seen ------------------------------------------------------------------ */

static uint32_t seen_pid; /* who used any socket; 0: nobody */
static int looks;

static uint64_t seen_began_ns;

static bool saw(void *arg, uint64_t inode, struct lnk_owner *owner)
{
	(void)arg;
	(void)inode;
	looks++;
	*owner = (struct lnk_owner){ .pid = seen_pid, .started_ns = seen_began_ns };
	memset(owner->comm, 'c', OWNER_COMM);
	return seen_pid;
}

static const struct owners_witness witness = { saw, NULL };

TEST(a_witness_without_a_filter)
{
	struct owners *o = make();

	owners_refresh(o, 1000);
	owners_set_witness(o, &witness);
	seen_pid = 0;
	CHECK_INT(owners_judge(o, 7), OWNERS_OPEN_YET);
	seen_pid = 300;
	owners_refresh(o, 1001);
	CHECK_INT(owners_judge(o, 7), OWNERS_OPEN_YET); /* others may have it as well */
	CHECK_INT(pid_of(o, 7), 300);                   /* for a row that waits no longer */
	CHECK_INT(strlen(owners_find(o, 7)->comm), OWNER_COMM - 1);
	answer(7, 200, "b");
	owners_refresh(o, 1002);
	CHECK_INT(pid_of(o, 7), 200); /* the lowest of those that have it */
	CHECK_INT(pid_of(o, 8), 300);
	answer(8, 0, "");
	owners_refresh(o, 1003);
	CHECK_INT(owners_judge(o, 8), OWNERS_OPEN_YET);
	answer(8, 0, "");
	owners_refresh(o, 1004);
	CHECK_INT(owners_judge(o, 8), OWNERS_HIS); /* nobody has it: that is all there is */
	CHECK_INT(pid_of(o, 8), 300);
	/* once for each turn */
	seen_pid = 0;
	CHECK_INT(owners_judge(o, 9), OWNERS_OPEN_YET);
	looks = 0;
	CHECK_INT(owners_judge(o, 9), OWNERS_OPEN_YET);
	CHECK_INT(looks, 0);
	owners_refresh(o, 1005);
	CHECK_INT(owners_judge(o, 9), OWNERS_OPEN_YET);
	CHECK_INT(looks, 1);
	owners_close(o);
}

TEST(a_witness_and_a_filter)
{
	struct owners_filter f = { .pid = { 300 }, .pids = 1 };
	struct owners *o = make();

	owners_refresh(o, 1000);
	owners_set_witness(o, &witness);
	owners_set_filter(o, &f, 1000);
	agree(o, 1000, 0);
	/* one that is meant: nothing else is asked */
	seen_pid = 300;
	CHECK_INT(owners_judge(o, 7), OWNERS_HIS);
	CHECK_INT(question(), 0);
	/* another: only those that are meant need be looked at */
	seen_pid = 400;
	CHECK_INT(owners_judge(o, 8), OWNERS_OPEN_YET);
	CHECK_INT(whole_question(), 8);
	CHECK(asked_with);
	/* ... also when it is seen later */
	seen_pid = 0;
	CHECK_INT(owners_judge(o, 9), OWNERS_OPEN_YET);
	CHECK_INT(whole_question(), 9);
	CHECK_INT(asked_with, 0);
	seen_pid = 400;
	owners_refresh(o, 1001);
	CHECK_INT(owners_judge(o, 9), OWNERS_OPEN_YET);
	CHECK_INT(whole_question(), 9);
	CHECK(asked_with);
	owners_refresh(o, 1002);
	CHECK_INT(owners_judge(o, 9), OWNERS_OPEN_YET);
	CHECK_INT(question(), 0);
	answer_others(9);
	owners_refresh(o, 1003);
	CHECK_INT(owners_judge(o, 9), OWNERS_OTHERS);
	/* nobody has it any more, and another one had it */
	seen_pid = 0;
	for (int i = 0; i < 2; i++) {
		CHECK_INT(owners_judge(o, 10), OWNERS_OPEN_YET);
		CHECK_INT(whole_question(), 10);
		answer(10, 0, "");
		owners_refresh(o, 1004 + (uint64_t)i);
	}
	CHECK_INT(owners_judge(o, 10), OWNERS_NOBODY);
	seen_pid = 400;
	owners_refresh(o, 1006);
	CHECK_INT(owners_judge(o, 10), OWNERS_OTHERS);
	owners_close(o);
}

static bool hidden;

static uint32_t ended(struct owners *o)
{
	return owners_ended(o, &hidden);
}

/* What a process did last is still its own; who begins later only has its number. */
TEST(a_process_that_ends)
{
	struct owners_filter f = { .pid = { 200, 300 }, .pids = 2 };
	struct owners_status s = { .order = 1, .ended = 2 };
	struct owners *o = make();

	seen_pid = 300;
	seen_began_ns = 1000;
	owners_refresh(o, 1);
	owners_set_witness(o, &witness);
	owners_set_filter(o, &f, 1000);
	agree(o, 2, 0);
	CHECK_INT(ended(o), 0);
	CHECK_INT(asked_who_ended(), 0); /* not at once */
	owners_refresh(o, 2 * OWNERS_FRESH_NS);
	CHECK_INT(asked_who_ended(), 1);
	CHECK_INT(write(other, &s, sizeof(s)), sizeof(s));
	owners_refresh(o, 2 * OWNERS_FRESH_NS + 1);
	CHECK_INT(asked_who_ended(), 0);
	CHECK_INT(ended(o), 300);
	CHECK(!hidden);
	CHECK_INT(ended(o), 0); /* once */
	CHECK_INT(owners_judge(o, 7), OWNERS_HIS);
	seen_began_ns = 1001;
	CHECK_INT(owners_judge(o, 8), OWNERS_OPEN_YET);
	seen_began_ns = 0;
	s = (struct owners_status){ .order = 1, .ended = 2, .unseen = 1 };
	CHECK_INT(write(other, &s, sizeof(s)), sizeof(s));
	owners_refresh(o, 2 * OWNERS_FRESH_NS + 2);
	CHECK_INT(ended(o), 200);
	CHECK(hidden);
	CHECK_INT(ended(o), 0);
	owners_close(o);
}

/* Answers that were on their way when the filter changed are of the one before. */
TEST(another_filter)
{
	struct owners_filter f = { .pid = { 300 }, .pids = 1 }, f2 = { .pid = { 400 }, .pids = 1 };
	struct owners *o = make();

	seen_pid = 0;
	owners_refresh(o, 1000);
	owners_set_witness(o, &witness);
	CHECK_INT(owners_judge(o, 7), OWNERS_OPEN_YET);
	CHECK_INT(question(), 7);
	answer(7, 200, "a");
	owners_refresh(o, 1001);
	CHECK_INT(owners_judge(o, 7), OWNERS_HIS);
	CHECK_INT(owners_judge(o, 8), OWNERS_OPEN_YET);
	CHECK_INT(question(), 8);
	owners_set_filter(o, &f, 1000);
	CHECK_INT(owners_judge(o, 7), OWNERS_OPEN_YET); /* forgotten: it is another's */
	CHECK_INT(owners_judge(o, 8), OWNERS_OPEN_YET);
	answer(7, 200, "a"); /* before it has read the order */
	answer(8, 200, "a");
	owners_refresh(o, 1002);
	CHECK_INT(owners_judge(o, 7), OWNERS_OPEN_YET);
	CHECK_INT(owners_judge(o, 8), OWNERS_OPEN_YET);
	agree(o, 1003, 0);
	CHECK_INT(question(), 7); /* they came behind the order */
	CHECK_INT(question(), 8);
	answer_others(7);
	answer(8, 300, "b");
	owners_refresh(o, 1004);
	CHECK_INT(owners_judge(o, 7), OWNERS_OTHERS);
	CHECK_INT(owners_judge(o, 8), OWNERS_HIS);
	/* a status by another order is none */
	owners_set_filter(o, &f2, 1000);
	CHECK_INT(write(other, &(struct owners_status){ .order = 1 }, sizeof(struct owners_status)),
		  sizeof(struct owners_status));
	owners_refresh(o, 1005);
	CHECK_INT(owners_judge(o, 8), OWNERS_OPEN_YET);
	answer(8, 300, "b");
	owners_refresh(o, 1006);
	CHECK_INT(owners_judge(o, 8), OWNERS_OPEN_YET);
	agree(o, 1007, 0);
	CHECK_INT(question(), 8);
	answer(8, 400, "c");
	owners_refresh(o, 1008);
	CHECK_INT(owners_judge(o, 8), OWNERS_HIS);
	owners_close(o);
}

/* One that is meant further on is the same process, of which all stays known. */
TEST(a_process_in_both_filters)
{
	struct owners_filter f = { .pid = { 300, 400 }, .pids = 2 };
	struct owners_filter both = { .pid = { 200, 300 }, .pids = 2 };
	struct owners_filter none = { .pids = 0 };
	struct owners *o = make();

	seen_pid = 0;
	owners_refresh(o, 1);
	owners_set_witness(o, &witness);
	owners_set_filter(o, &f, 1000);
	agree(o, 2, 1);
	CHECK_INT(ended(o), 300);
	CHECK_INT(owners_judge(o, 7), OWNERS_OPEN_YET);
	CHECK_INT(owners_judge(o, 8), OWNERS_OPEN_YET);
	CHECK_INT(owners_judge(o, 9), OWNERS_OPEN_YET);
	CHECK_INT(question(), 7);
	CHECK_INT(question(), 8);
	CHECK_INT(question(), 9);
	answer(7, 300, "a");
	answer(8, 400, "b");
	answer_others(9);
	owners_refresh(o, 3);
	CHECK_INT(owners_judge(o, 7), OWNERS_HIS);
	CHECK_INT(owners_judge(o, 8), OWNERS_HIS);
	CHECK_INT(owners_judge(o, 9), OWNERS_OTHERS);
	owners_refresh(o, 4 + OWNERS_FRESH_NS);
	CHECK_INT(owners_judge(o, 7), OWNERS_HIS);
	CHECK_INT(asked_who_ended(), 1);
	CHECK_INT(question(), 7); /* again, and that is not answered */
	owners_set_filter(o, &both, 5000);
	CHECK_INT(owners_judge(o, 7), OWNERS_HIS);
	CHECK_INT(owners_judge(o, 8), OWNERS_OPEN_YET);
	CHECK_INT(owners_judge(o, 9), OWNERS_OPEN_YET); /* it may be 200's */
	agree(o, 5 + OWNERS_FRESH_NS, 2);
	CHECK_INT(question(), 7);
	CHECK_INT(question(), 8);
	CHECK_INT(question(), 9);
	CHECK_INT(ended(o), 0); /* told before */
	answer(9, 200, "c");
	/* since when each is meant */
	seen_pid = 300;
	seen_began_ns = 1001;
	CHECK_INT(owners_judge(o, 10), OWNERS_OPEN_YET);
	seen_pid = 200;
	CHECK_INT(owners_judge(o, 11), OWNERS_HIS);
	seen_pid = 0;
	seen_began_ns = 0;
	owners_refresh(o, 6 + OWNERS_FRESH_NS);
	CHECK_INT(owners_judge(o, 9), OWNERS_HIS);
	/* without a filter whoever has it is meant */
	owners_set_filter(o, &none, 6000);
	CHECK_INT(owners_judge(o, 7), OWNERS_HIS);
	CHECK_INT(owners_judge(o, 9), OWNERS_HIS);
	owners_close(o);
}

/* A full socket: no question overtakes the order. */
TEST(an_order_that_has_to_wait)
{
	struct owners_filter f = { .pid = { 300 }, .pids = 1 };
	struct owners *o = make();
	struct owners_order order;
	ssize_t len;
	int n = 0;

	seen_pid = 0;
	owners_refresh(o, 1000);
	for (int i = 0; i < 10000; i++)
		owners_set_filter(o, &f, 1000);
	CHECK_INT(read(other, &order, sizeof(order)), sizeof(order)); /* there is room now */
	CHECK_INT(owners_judge(o, 7), OWNERS_OPEN_YET);
	for (; (len = read(other, &order, sizeof(order))) > 0; n++)
		CHECK_INT(len, sizeof(order));
	CHECK(n > 0 && n < 10000);
	owners_refresh(o, 1001);
	agree(o, 1002, 0);
	CHECK_INT(owners_judge(o, 7), OWNERS_OPEN_YET);
	CHECK_INT(question(), 7);
	owners_close(o);
}

/* --- cells ------------------------------------------------------------------------- */

TEST(cells)
{
	struct cells c = { .owners = make() };
	char cell[CELL_MAX + 1];

#define CELL(fn, v) (*(fn)(&c, NULL, NULL, (v), cell) = '\0', cell)
	CHECK_STR(CELL(number_pid, 0), "-");
	CHECK_STR(CELL(number_comm, 0), "-");
	CHECK_STR(CELL(number_pid, 7), "?");
	CHECK_STR(CELL(number_comm, 7), "?");
	answer(7, 4194304, "a b\033[2J");
	owners_refresh(c.owners, 1);
	CHECK_STR(CELL(number_pid, 7), "4194304");
	CHECK_STR(CELL(number_comm, 7), "a b\\x1b[2J");
	owners_close(c.owners);
	c.owners = NULL;
	CHECK_STR(CELL(number_pid, 7), "?");
}

/* --- the look through /proc -------------------------------------------------------- */

static uint64_t inode_of(int fd)
{
	struct stat st;

	CHECK_INT(fstat(fd, &st), 0);
	return st.st_ino;
}

static pid_t holder(void)
{
	pid_t pid = fork();

	if (!pid) {
		pause();
		_exit(0);
	}
	return pid;
}

TEST(a_look)
{
	int sock = socket(AF_INET, SOCK_STREAM, 0), shared = socket(AF_INET6, SOCK_STREAM, 0);
	struct owners_meant all, none;
	struct owner v[5] = { 0 };
	char comm[OWNER_COMM] = { 0 };
	uint64_t mine = inode_of(sock);
	int file = open("/proc/self/exe", O_RDONLY);
	pid_t child = holder();

	prctl(PR_SET_NAME, "fifteen bytes x");
	close(sock); /* the child has it still */
	v[0].inode = mine;
	v[1].inode = inode_of(shared);
	v[2].inode = 1; /* no such socket */
	v[3].inode = inode_of(file);
	v[4].inode = mine;
	v[2].pid = 77;
	owners_begin(&all, "/proc");
	owners_scan(&all, v, 5);
	CHECK_INT(v[0].pid, child);
	CHECK_INT(v[4].pid, child);
	CHECK_INT(v[1].pid, getpid()); /* the lowest, unless numbers began anew */
	CHECK_STR(v[1].comm, "fifteen bytes x");
	prctl(PR_GET_NAME, comm);
	CHECK_STR(comm, v[1].comm);
	CHECK_INT(v[2].pid, 0);
	CHECK_INT(v[3].pid, 0);
	kill(child, SIGKILL);
	waitpid(child, NULL, 0);
	owners_scan(&all, v, 1);
	CHECK_INT(v[0].pid, 0);
	owners_begin(&none, "/nonexistent");
	owners_scan(&none, v, 2);
	CHECK_INT(v[1].pid, 0);
	close(shared);
	close(file);
}

/* Whose socket it is, of those that are meant; and whether others have it. */
TEST(a_look_at_some)
{
	static const char names[2][OWNER_COMM] = { "nobody-has-this", "lnk-test-owner" };
	int sock = socket(AF_INET, SOCK_STREAM, 0), childs = socket(AF_INET, SOCK_STREAM, 0);
	struct owners_filter f = { .pids = 1 };
	struct owner v[3] = { 0 };
	struct owners_meant m;
	pid_t child = holder();

	v[0].inode = inode_of(sock);
	v[1].inode = inode_of(childs);
	v[2].inode = 1;
	close(childs);
	f.pid[0] = (uint32_t)child;
	owners_begin(&m, "/proc");
	owners_mean(&m, &f, NOW);
	for (int i = 0; i < 2; i++) {
		v[2].others = 7;
		if (i)
			owners_scan(&m, v, 3);
		else
			owners_scan_meant(&m, v, 3);
		CHECK_INT(v[0].pid, child); /* not the lowest number */
		CHECK_INT(v[0].others, 0);
		CHECK_INT(v[1].pid, child);
		CHECK_INT(v[2].pid, 0);
		CHECK_INT(v[2].others, 0); /* nobody's */
	}
	/* of two that are meant it is the lowest, whoever is looked at first */
	for (int i = 0; i < 2; i++) {
		f.pids = 2;
		f.pid[i] = (uint32_t)getpid();
		f.pid[!i] = (uint32_t)child;
		owners_mean(&m, &f, NOW);
		owners_scan_meant(&m, v, 1);
		CHECK_INT(v[0].pid, getpid() < child ? getpid() : child);
	}
	f.pids = 1;
	f.pid[0] = (uint32_t)child;
	owners_mean(&m, &f, NOW);
	kill(child, SIGKILL);
	waitpid(child, NULL, 0);
	/* the number may be given again: that is not the process that was meant */
	owners_scan_meant(&m, v, 3);
	CHECK_INT(v[0].pid, 0);
	CHECK_INT(v[0].others, 0);
	owners_scan(&m, v, 3);
	CHECK_INT(v[0].pid, 0);
	CHECK_INT(v[0].others, 1);

	prctl(PR_SET_NAME, names[1]);
	f = (struct owners_filter){ .comms = 2 };
	memcpy(f.comm, names, sizeof(names));
	owners_mean(&m, &f, NOW);
	owners_scan_meant(&m, v, 1);
	CHECK_INT(v[0].pid, getpid());
	CHECK_STR(v[0].comm, names[1]);
	v[0].pid = 0;
	owners_scan_named(&m, v, 1);
	CHECK_INT(v[0].pid, getpid());
	prctl(PR_SET_NAME, "another");
	owners_scan_named(&m, v, 1);
	CHECK_INT(v[0].pid, 0);
	CHECK_INT(v[0].others, 0);
	owners_scan_meant(&m, v, 1);
	CHECK_INT(v[0].pid, 0);
	owners_scan(&m, v, 1);
	CHECK_INT(v[0].others, 1);

	/* both: that process, and only by this name */
	f.pids = 1;
	f.pid[0] = (uint32_t)getpid();
	owners_mean(&m, &f, NOW);
	owners_scan_meant(&m, v, 1);
	CHECK_INT(v[0].pid, 0);
	prctl(PR_SET_NAME, names[1]);
	owners_scan_meant(&m, v, 1);
	CHECK_INT(v[0].pid, getpid());
	owners_forget(&m);
	close(sock);
}

/* What the last look has seen is known without another; who began later is another. */
TEST(known_without_a_look)
{
	int sock = socket(AF_INET, SOCK_STREAM, 0);
	struct owners_filter f = { .pid = { (uint32_t)getpid() }, .pids = 1 }, none = { .pids = 0 };
	struct owner v[2] = { { .inode = inode_of(sock) }, { .inode = 1 } };
	struct owners_meant m;

	owners_begin(&m, "/proc");
	owners_mean(&m, &f, NOW);
	owners_known(&m, v, 2);
	CHECK_INT(v[0].pid, 0);
	owners_scan_meant(&m, v, 2);
	CHECK_INT(v[0].pid, getpid());
	close(sock);
	v[0].pid = 0;
	memset(v[0].comm, 0, OWNER_COMM);
	v[1].others = 1;
	owners_known(&m, v, 2);
	CHECK_INT(v[0].pid, getpid());
	CHECK(v[0].comm[0]);
	CHECK_INT(v[1].pid, 0);
	CHECK_INT(v[1].others, 0);
	owners_mean(&m, &f, NOW); /* another filter */
	owners_known(&m, v, 1);
	CHECK_INT(v[0].pid, 0);
	owners_mean(&m, &none, NOW);
	owners_mean(&m, &f, 1);
	CHECK_INT(m.dir[0], OWNERS_ANOTHER);
	CHECK_INT(owners_that_ended(&m), 1);
	CHECK_INT(owners_unseen(&m), 0);
	owners_forget(&m);
}

TEST(a_set_of_inodes)
{
	struct inode_set s = { .n = 0 };
	uint32_t *who;

	CHECK(!inode_set_find(&s, 7));
	for (uint32_t i = 1; i <= 5000; i++) {
		who = inode_set_put(&s, i * 4096ULL, i);
		CHECK(who && *who == i);
	}
	CHECK_INT(*inode_set_put(&s, 4096, 99), 1);
	CHECK_INT(s.n, 5000);
	for (uint32_t i = 1; i <= 5000; i++)
		CHECK_INT(*inode_set_find(&s, i * 4096ULL), i);
	CHECK(!inode_set_find(&s, 4097));
	inode_set_clear(&s);
	CHECK(!inode_set_find(&s, 4096));
	CHECK_INT(*inode_set_put(&s, 4096, 99), 99);
	inode_set_free(&s);
	CHECK(!inode_set_find(&s, 4096));
}

/* A process 77 that has socket 4711, in a directory like /proc. */
static void fake(const char *top, bool make)
{
	char dir[64], fds[80], comm[80], link[96];

	snprintf(dir, sizeof(dir), "%s/77", top);
	snprintf(fds, sizeof(fds), "%s/fd", dir);
	snprintf(comm, sizeof(comm), "%s/comm", dir);
	snprintf(link, sizeof(link), "%s/3", fds);
	if (make) {
		CHECK_INT(mkdir(dir, 0700), 0);
		CHECK_INT(mkdir(fds, 0700), 0);
		CHECK_INT(symlink("socket:[4711]", link), 0);
		close(open(comm, O_WRONLY | O_CREAT, 0600));
	} else {
		CHECK_INT(unlink(link), 0);
		CHECK_INT(rmdir(fds), 0);
		CHECK_INT(unlink(comm), 0);
		CHECK_INT(rmdir(dir), 0);
	}
}

TEST(a_number_that_was_given_again)
{
	char top[] = "/tmp/lnk-owners.XXXXXX";
	struct owners_filter f = { .pid = { 77 }, .pids = 1 }, none = { .pids = 0 };
	struct owner v = { .inode = 4711 };
	struct owners_meant m;

	CHECK(mkdtemp(top));
	fake(top, true);
	owners_begin(&m, top);
	owners_mean(&m, &f, NOW);
	owners_scan(&m, &v, 1);
	CHECK_INT(v.pid, 77);
	fake(top, false);
	fake(top, true);
	owners_scan(&m, &v, 1);
	CHECK_INT(v.pid, 0);
	CHECK_INT(v.others, 1);
	owners_scan_meant(&m, &v, 1);
	CHECK_INT(v.pid, 0);
	/* nor where the filter changes; but who gives it up and asks again means the new one */
	f.pid[f.pids++] = 1;
	owners_mean(&m, &f, NOW);
	owners_scan(&m, &v, 1);
	CHECK_INT(v.pid, 0);
	CHECK_INT(owners_that_ended(&m), 0);
	CHECK_INT(owners_unseen(&m), 2); /* there is none in this directory */
	owners_mean(&m, &none, NOW);
	owners_mean(&m, &f, NOW);
	owners_scan(&m, &v, 1);
	CHECK_INT(v.pid, 77);
	owners_forget(&m);
	fake(top, false);
	rmdir(top);
}

/* The process itself. */
TEST(the_process)
{
	pid_t child = holder(); /* before there is a socket */
	int sock = socket(AF_INET, SOCK_STREAM, 0), status;
	struct owners_filter f = { .pid = { (uint32_t)getppid() }, .pids = 2 };
	enum owners_verdict verdict;
	const struct owner *a = NULL;
	struct owners *o = NULL;
	uint32_t gone = 0;

	signal(SIGPIPE, SIG_IGN);
	CHECK_INT(owners_open(&o), 0);
	for (int i = 0; i < 1000 && !a; i++) {
		a = owners_find(o, inode_of(sock));
		usleep(5000);
		owners_refresh(o, clock_monotonic_ns());
	}
	if (CHECK(a))
		CHECK_INT(a->pid, getpid());
	/* a filter: the process's parent is not meant, nor one that has ended */
	f.pid[1] = (uint32_t)child;
	owners_set_filter(o, &f, clock_monotonic_ns());
	verdict = OWNERS_OPEN_YET;
	for (int i = 0; i < 1000 && verdict == OWNERS_OPEN_YET; i++) {
		verdict = owners_judge(o, inode_of(sock));
		usleep(5000);
		owners_refresh(o, clock_monotonic_ns());
	}
	CHECK_INT(verdict, OWNERS_OTHERS);
	CHECK_INT(ended(o), 0);
	kill(child, SIGKILL);
	waitpid(child, NULL, 0);
	for (int i = 0; i < 1000 && !gone; i++) {
		usleep(5000);
		owners_refresh(o, clock_monotonic_ns());
		gone = ended(o);
	}
	CHECK_INT(gone, child);
	owners_close(o);
	/* it ends with its socket */
	CHECK(wait(&status) > 0);
	CHECK(WIFEXITED(status) && !WEXITSTATUS(status));
	close(sock);
}

/* What is no order ends it, and is not believed. */
TEST(orders_that_are_none)
{
	struct owners_order bad[] = {
		{ .number = 1, .filter = { .pids = OWNERS_PIDS + 1 } },
		{ .number = 1, .filter = { .comms = OWNERS_COMMS + 1 } },
		{ .number = 1, .filter = { .comms = 1 } },
	};
	struct owners_status s;
	int pair[2], status;

	signal(SIGPIPE, SIG_IGN);
	memset(bad[2].filter.comm[0], 'a', OWNER_COMM);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		CHECK_INT(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, pair), 0);
		CHECK_INT(owners_process(pair), 0);
		close(pair[1]);
		CHECK_INT(write(pair[0], &bad[i], sizeof(bad[i])), sizeof(bad[i]));
		CHECK(wait(&status) > 0);
		CHECK(WIFEXITED(status) && !WEXITSTATUS(status));
		CHECK_INT(read(pair[0], &s, sizeof(s)), 0);
		close(pair[0]);
	}
}
