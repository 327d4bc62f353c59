/* SPDX-License-Identifier: MIT */
/*
 * What the filters of system calls let through and what they refuse, asked from within. The unit
 * tests are built with sanitizers, and those cannot live under the filters.
 *
 *	calls monitor|lone|reader TERMINAL	a line for each answer that is not as it should be
 *
 * monitor: with messages to a second process; lone: without.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <termios.h>
#include <unistd.h>

#include "base/privileges.h"

/* asm-generic/ioctls.h: what tcgetattr(), tcsetattr() and isatty() of glibc 2.42 take */
#define GET_TERMIOS2 0x802c542aUL
#define SET_TERMIOS2 0x402c542bUL

static int wrong;

static void expect(const char *what, bool good)
{
	if (good)
		return;
	printf("%s: %s\n", what, strerror(errno));
	wrong++;
}

static void refused(const char *what, long result)
{
	expect(what, result == -1 && errno == EPERM);
}

static void any_process(void)
{
	char byte;

	expect("read", read(-1, &byte, 1) == -1 && errno == EBADF);
	expect("memory",
	       mmap(NULL, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) != MAP_FAILED);
	refused("memory to run",
		(long)mmap(NULL, 4096, PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
	refused("socket", socket(AF_INET, SOCK_STREAM, 0));
	refused("fork", syscall(SYS_clone, 0, 0, 0, 0, 0));
	refused("a file to write", open("/tmp", O_WRONLY | O_CREAT, 0600));
}

static void monitor(int terminal, bool messages)
{
	unsigned char termios2[44];
	struct termios t;
	struct winsize ws;
	struct msghdr none = { 0 };
	char byte = '\n';

	expect("isatty", isatty(terminal));
	expect("tcgetattr", !tcgetattr(terminal, &t));
	expect("tcsetattr", !tcsetattr(terminal, TCSANOW, &t));
	expect("TCGETS2", !ioctl(terminal, GET_TERMIOS2, termios2));
	expect("TCSETS2", !ioctl(terminal, SET_TERMIOS2, termios2));
	expect("TIOCGWINSZ", !ioctl(terminal, TIOCGWINSZ, &ws));
	refused("TIOCSTI", ioctl(terminal, TIOCSTI, &byte));
	refused("TCSBRK", ioctl(terminal, TCSBRK, 1));
	refused("a file to read", open("/etc/hostname", O_RDONLY));
	expect("sendmsg", sendmsg(-1, &none, 0) == -1 && errno == (messages ? EBADF : EPERM));
}

static void reader(int terminal)
{
	struct termios t;

	expect("a file to read", open("/dev/null", O_RDONLY) >= 0);
	refused("tcgetattr", tcgetattr(terminal, &t));
	refused("sendmsg", sendmsg(-1, &(struct msghdr){ 0 }, 0));
}

int main(int argc, char **argv)
{
	bool reads = argc == 3 && !strcmp(argv[1], "reader");
	bool messages = argc == 3 && !strcmp(argv[1], "monitor");
	int terminal = argc == 3 ? open(argv[2], O_RDWR | O_NOCTTY) : -1, err;

	if (terminal < 0)
		return 2;
	setvbuf(stdout, NULL, _IOLBF, 4096);
	err = privileges_bar();
	if (!err)
		err = reads ? privileges_filter_reader() : privileges_filter(messages);
	if (err == -ENOSYS)
		return 77;
	if (err)
		return 2;
	any_process();
	if (reads)
		reader(terminal);
	else
		monitor(terminal, messages);
	return wrong != 0;
}
