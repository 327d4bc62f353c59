/* SPDX-License-Identifier: MIT */
/* libbcc is loaded in a child: the doctor itself stays small, and outlives a library that
 * crashes when it is loaded. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "app/doctor_parts.h"
#include "base/io.h"
#include "bpf/libbcc.h"

#define LOAD_TIMEOUT_MS 30000

/* As the loader opens it. Writes where it lies, or what is wrong with it. */
static _Noreturn void load(int out)
{
	struct text said = { 0 };
	struct libbcc bcc;
	int err = libbcc_open(&bcc, &said);

	write_all(out, text_str(&said), said.len);
	_exit(err ? 1 : 0); /* no destructors of LLVM's */
}

/* Returns the status of waitpid(2), or -1 when the child took too long. */
static int await(pid_t pid, int from, struct text *said)
{
	struct pollfd fd = { .fd = from, .events = POLLIN };
	int status = -1, ready;

	do
		ready = poll(&fd, 1, LOAD_TIMEOUT_MS);
	while (ready < 0 && errno == EINTR);
	if (ready > 0)
		read_all(from, said, 4096);
	else
		kill(pid, SIGKILL);
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	return ready > 0 ? status : -1;
}

static void judge(struct report *r, int status, const char *said)
{
	if (status < 0)
		report_add(r, VERDICT_PROBLEM, "libbcc", LIBBCC_ADVICE, "does not load in time");
	else if (WIFSIGNALED(status))
		report_add(r, VERDICT_PROBLEM, "libbcc", LIBBCC_ADVICE,
			   "loading it ends in signal %d", WTERMSIG(status));
	else if (WEXITSTATUS(status))
		report_add(r, VERDICT_PROBLEM, "libbcc", LIBBCC_ADVICE, "%s", said);
	else
		report_add(r, VERDICT_OK, "libbcc", NULL, "%s", said);
}

void doctor_check_libbcc(struct report *r)
{
	struct text said = { 0 };
	int fds[2], status;
	pid_t pid;

	if (pipe2(fds, O_CLOEXEC)) {
		report_add(r, VERDICT_PROBLEM, "libbcc", NULL, "not looked at: %s",
			   strerror(errno));
		return;
	}
	pid = fork();
	if (!pid)
		load(fds[1]);
	close(fds[1]);
	status = pid < 0 ? -1 : await(pid, fds[0], &said);
	close(fds[0]);
	judge(r, status, text_str(&said));
	text_free(&said);
}
