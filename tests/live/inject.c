/* SPDX-License-Identifier: MIT */
/*
 * inject PID: lets a process try what it has given up, as if it had been taken over, and prints
 * "NAME RESULT" for each: a number, or -errno as the kernel says it. For x86-64.
 *
 * The process waits in a system call, so its instruction pointer is behind the instruction that
 * made it: that one is run again with other registers. At the end it has its own again, and the
 * kernel goes on with the call that it was in.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

#define BELOW_STACK 1024 /* beyond the 128 bytes that a function may use there */

static pid_t pid;
static struct user_regs_struct own;

static _Noreturn void fail(const char *what)
{
	fprintf(stderr, "inject: %s: %s\n", what, strerror(errno));
	exit(1);
}

static void wait_for_stop(void)
{
	int status;

	if (waitpid(pid, &status, 0) != pid || !WIFSTOPPED(status))
		fail("it does not stop");
}

/* A text in the process, which is overwritten by the next one. */
static unsigned long put_text(const char *s)
{
	unsigned long at = (own.rsp - BELOW_STACK) & ~15UL, word;
	size_t i;

	for (i = 0; i <= strlen(s); i += sizeof(word)) {
		memset(&word, 0, sizeof(word));
		strncpy((char *)&word, s + i, sizeof(word));
		if (ptrace(PTRACE_POKEDATA, pid, at + i, word))
			fail("cannot write to it");
	}
	return at;
}

static void try(const char *name, long nr, unsigned long a, unsigned long b, unsigned long c)
{
	struct user_regs_struct regs = own;

	regs.rip -= 2;
	regs.rax = (unsigned long)nr;
	regs.orig_rax = ~0UL; /* there is no call to go on with */
	regs.rdi = a;
	regs.rsi = b;
	regs.rdx = c;
	if (ptrace(PTRACE_SETREGS, pid, 0, &regs) || ptrace(PTRACE_SINGLESTEP, pid, 0, 0))
		fail(name);
	wait_for_stop();
	if (ptrace(PTRACE_GETREGS, pid, 0, &regs))
		fail(name);
	printf("%s %ld\n", name, (long)regs.rax);
}

int main(int argc, char **argv)
{
	long code;

	pid = argc == 2 ? atoi(argv[1]) : 0;
	if (pid <= 0 || ptrace(PTRACE_ATTACH, pid, 0, 0))
		fail("cannot attach");
	wait_for_stop();
	if (ptrace(PTRACE_GETREGS, pid, 0, &own))
		fail("no registers");
	errno = 0;
	code = ptrace(PTRACE_PEEKTEXT, pid, own.rip - 2, 0);
	if (errno || (code & 0xffff) != 0x050f) {
		errno = EINVAL;
		fail("it is not in a system call");
	}
	try("getpid", SYS_getpid, 0, 0, 0);
	try("create", SYS_open, put_text("/run/lnk-test-refused"), 0101, 0600);
	try("read", SYS_open, put_text("/etc/hostname"), 0, 0);
	try("socket", SYS_socket, 2, 1, 0);
	try("fork", SYS_fork, 0, 0, 0);
	try("kill", SYS_kill, 1, 0, 0);
	try("bpf", SYS_bpf, 5, 0, 0);
	try("setns", SYS_setns, 0, 0, 0);
	if (ptrace(PTRACE_SETREGS, pid, 0, &own) || ptrace(PTRACE_DETACH, pid, 0, 0))
		fail("cannot let go of it");
	return 0;
}
