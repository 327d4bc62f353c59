/* SPDX-License-Identifier: MIT */
/*
 * A look through /proc costs a system call for each descriptor of the host, so one look
 * answers all questions that are there, and a pause of nine times its length follows: at
 * most a tenth of one CPU.
 */
#include "sink/owners_process.h"

#include <ctype.h>
#include <dirent.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "base/aside.h"
#include "base/clock.h"
#include "base/privileges.h"

#define PAUSE_NS (20 * NSEC_PER_MSEC) /* at least */
#define PAUSE_TIMES 9

/* --- a look through /proc ---------------------------------------------------------- */

#define SOCKET "socket:["

/* Where of v this descriptor's inode is; n: it is no socket, or none of them. */
static size_t find(int fds, const char *name, const struct owner *v, size_t n)
{
	char link[64];
	ssize_t len = readlinkat(fds, name, link, sizeof(link) - 1);
	uint64_t inode;
	size_t i;

	if (len < (ssize_t)strlen(SOCKET) || memcmp(link, SOCKET, strlen(SOCKET)) != 0)
		return n;
	link[len] = '\0';
	inode = strtoull(link + strlen(SOCKET), NULL, 10);
	for (i = 0; i < n && v[i].inode != inode; i++)
		;
	return i;
}

static void read_comm(int process, char comm[OWNER_COMM])
{
	int fd = openat(process, "comm", O_RDONLY | O_CLOEXEC);
	ssize_t len;

	memset(comm, 0, OWNER_COMM);
	if (fd < 0)
		return;
	len = read(fd, comm, OWNER_COMM);
	close(fd);
	if (len > 0) /* the last byte is a newline, or is cut off */
		comm[len - 1] = '\0';
}

static void take(int process, uint32_t pid, struct owner *o)
{
	if (o->pid && o->pid <= pid)
		return;
	o->pid = pid;
	read_comm(process, o->comm);
}

static void look_at(int process, uint32_t pid, struct owner *v, size_t n)
{
	int fd = openat(process, "fd", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	const struct dirent *d;
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	size_t i;

	if (!dir) {
		if (fd >= 0)
			close(fd);
		return;
	}
	while ((d = readdir(dir))) {
		i = isdigit((unsigned char)d->d_name[0]) ? find(fd, d->d_name, v, n) : n;
		if (i < n)
			take(process, pid, &v[i]);
	}
	closedir(dir);
}

/* What was asked for twice was found for the first. */
static void share(struct owner *v, size_t n)
{
	for (size_t i = 1; i < n; i++)
		for (size_t k = 0; k < i && !v[i].pid; k++)
			if (v[k].inode == v[i].inode)
				v[i] = v[k];
}

void owners_scan(const char *proc, struct owner *v, size_t n)
{
	const struct dirent *d;
	DIR *dir = opendir(proc);
	int process;

	for (size_t i = 0; i < n; i++)
		v[i].pid = 0;
	while (dir && (d = readdir(dir))) {
		if (!isdigit((unsigned char)d->d_name[0]))
			continue;
		process = openat(dirfd(dir), d->d_name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		if (process < 0)
			continue;
		look_at(process, (uint32_t)strtoul(d->d_name, NULL, 10), v, n);
		close(process);
	}
	if (dir)
		closedir(dir);
	share(v, n);
}

/* --- the process ------------------------------------------------------------------- */

/* At least one question; 0: there will be none. */
static size_t read_questions(int fd, struct owner v[OWNERS_OPEN])
{
	size_t n = 0;

	while (n < OWNERS_OPEN && recv(fd, &v[n].inode, sizeof(v[n].inode), n ? MSG_DONTWAIT : 0) ==
					  sizeof(v[n].inode))
		n++;
	return n;
}

static void serve(int fd)
{
	struct owner v[OWNERS_OPEN] = { 0 };
	struct timespec pause;
	uint64_t begun_ns, ns;
	size_t n, i;

	while ((n = read_questions(fd, v))) {
		begun_ns = clock_monotonic_ns();
		owners_scan("/proc", v, n);
		for (i = 0; i < n; i++)
			if (write(fd, &v[i], sizeof(v[i])) != sizeof(v[i]))
				return;
		ns = (clock_monotonic_ns() - begun_ns) * PAUSE_TIMES;
		if (ns < PAUSE_NS)
			ns = PAUSE_NS;
		pause = (struct timespec){ (time_t)(ns / NSEC_PER_SEC), (long)(ns % NSEC_PER_SEC) };
		nanosleep(&pause, NULL);
	}
}

int owners_process(const int pair[2])
{
	const struct aside aside = { .name = "lnk_owners",
				     .keep = OWNERS_CAPABILITIES,
				     .filter = privileges_filter_reader,
				     .serve = serve };

	return aside_start(&aside, pair);
}
