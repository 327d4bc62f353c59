/* SPDX-License-Identifier: MIT */
#include "bpf/guard.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/io.h"
#include "base/privileges.h"
#include "bpf/sweep.h"

/* A name can be removed only when its kprobe is off, and that takes the kernel a while for
 * a process that was killed. */
#define TRIES 1000
#define TRY_MS 10

static int here = -1;  /* the guard reads its end as ours */
static int there = -1; /* we read its end as the guard's */
static pid_t guard_pid;

/* Holds nothing of its parent's: a ring, a kprobe or the reader's pipe would stay open. */
static _Noreturn void stand_guard(int events, int parent_end, int own_end, pid_t parent)
{
	const struct timespec pause = { 0, TRY_MS * 1000000L };
	sigset_t all;
	char byte;
	int i;

	sigfillset(&all);
	sigprocmask(SIG_SETMASK, &all, NULL);
	setsid(); /* what ends a job or the processes of a terminal is not meant for it */
	prctl(PR_SET_NAME, "lnk_guard", 0, 0, 0);
	if (dup2(events, 0) < 0 || dup2(parent_end, 1) < 0 || dup2(own_end, 2) < 0 || chdir("/"))
		_exit(1);
	close_from(3);
	privileges_bar();
	privileges_filter(false);
	privileges_drop(0, 0);
	while (read(1, &byte, 1) < 0 && errno == EINTR)
		;
	for (i = 0; i < TRIES && sweep_kprobes_of(0, parent); i++)
		nanosleep(&pause, NULL);
	_exit(0);
}

static void close_pair(int pair[2])
{
	close(pair[0]);
	close(pair[1]);
}

int guard_start(void)
{
	int to[2], from[2], events, err;
	pid_t self = getpid();

	if (here >= 0)
		return 0;
	events = sweep_open_events();
	if (events < 0)
		return events;
	err = pipe2(to, O_CLOEXEC) ? -errno : 0;
	if (!err && pipe2(from, O_CLOEXEC)) {
		err = -errno;
		close_pair(to);
	}
	if (!err) {
		guard_pid = fork();
		if (!guard_pid)
			stand_guard(events, to[0], from[1], self);
		if (guard_pid < 0) {
			err = -errno;
			close_pair(to);
			close_pair(from);
		}
	}
	close(events);
	if (err)
		return err;
	close(to[0]);
	close(from[1]);
	here = to[1];
	there = from[0];
	return 0;
}

void guard_end(void)
{
	char byte;

	if (here < 0)
		return;
	close(here);
	while (read(there, &byte, 1) < 0 && errno == EINTR)
		;
	close(there);
	here = there = -1;
	waitpid(guard_pid, NULL, 0); /* refused once confined: init does it then */
}
