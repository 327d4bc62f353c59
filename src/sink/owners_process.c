/* SPDX-License-Identifier: MIT */
/*
 * A look through /proc costs a system call for each descriptor of the host, so one look
 * answers all questions that are there, and a pause of nine times its length follows: at
 * most a tenth of one CPU. The processes of a filter are looked at by themselves, for what is
 * asked at that moment: it takes microseconds, so that a connection that is closed at once is
 * often still there. (It may take another tenth.)
 */
#include "sink/owners_process.h"

#include <ctype.h>
#include <dirent.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
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
/* ... after a look at the processes of a filter alone */
#define SHORT_PAUSE_NS NSEC_PER_MSEC

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

static bool is_named(const struct owners_filter *f, const char *comm)
{
	int i;

	for (i = 0; i < f->comms && strcmp(f->comm[i], comm) != 0; i++)
		;
	return !f->comms || i < f->comms;
}

/* A directory in /proc is that of one process, and opens nothing any more when it has gone. */
static bool is_there(int process)
{
	int fd = process < 0 ? -1 : openat(process, "comm", O_RDONLY | O_CLOEXEC);

	if (fd >= 0)
		close(fd);
	return fd >= 0;
}

static bool is_meant(const struct owners_meant *m, uint32_t pid, const char *comm)
{
	const struct owners_filter *f = m->filter;
	int i;

	if (!f)
		return true;
	for (i = 0; i < f->pids && f->pid[i] != pid; i++)
		;
	if (f->pids && (i == f->pids || !is_there(m->dir[i])))
		return false;
	return is_named(f, comm);
}

static void take(const struct owners_meant *m, int process, uint32_t pid, struct owner *o)
{
	char comm[OWNER_COMM];

	if (o->pid && o->pid <= pid)
		return;
	read_comm(process, comm);
	if (is_meant(m, pid, comm)) {
		o->pid = pid;
		o->others = 0;
		memcpy(o->comm, comm, sizeof(comm));
	} else if (!o->pid) {
		o->others = 1;
	}
}

static void look_at(const struct owners_meant *m, int process, uint32_t pid, struct owner *v,
		    size_t n)
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
			take(m, process, pid, &v[i]);
	}
	closedir(dir);
}

/* What was asked for twice was found for the first. */
static void share(struct owner *v, size_t n)
{
	for (size_t i = 1; i < n; i++)
		for (size_t k = 0; k < i; k++)
			if (v[k].inode == v[i].inode)
				v[i] = v[k];
}

/* One process, if it is one that is meant. Returns whether it is. */
static bool look_at_meant(const struct owners_meant *m, int proc, const char *name, struct owner *v,
			  size_t n)
{
	int process = openat(proc, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	uint32_t pid = (uint32_t)strtoul(name, NULL, 10);
	char comm[OWNER_COMM];
	bool meant;

	if (process < 0)
		return false;
	read_comm(process, comm);
	meant = is_meant(m, pid, comm);
	if (meant && n)
		look_at(m, process, pid, v, n);
	close(process);
	return meant;
}

static void scan_names(struct owners_meant *m, struct owner *v, size_t n)
{
	DIR *dir = opendir(m->proc);
	const struct dirent *d;

	m->nnamed = 0;
	while (dir && (d = readdir(dir)))
		if (isdigit((unsigned char)d->d_name[0]) &&
		    look_at_meant(m, dirfd(dir), d->d_name, v, n) && m->nnamed < OWNERS_PIDS)
			m->named[m->nnamed++] = (uint32_t)strtoul(d->d_name, NULL, 10);
	if (dir)
		closedir(dir);
}

static void scan(const struct owners_meant *m, struct owner *v, size_t n)
{
	DIR *dir = opendir(m->proc);
	const struct dirent *d;
	int process;

	while (dir && (d = readdir(dir))) {
		if (!isdigit((unsigned char)d->d_name[0]))
			continue;
		process = openat(dirfd(dir), d->d_name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		if (process < 0)
			continue;
		look_at(m, process, (uint32_t)strtoul(d->d_name, NULL, 10), v, n);
		close(process);
	}
	if (dir)
		closedir(dir);
}

static void begin(struct owner *v, size_t n)
{
	for (size_t i = 0; i < n; i++)
		v[i].pid = v[i].others = 0;
}

void owners_scan(const struct owners_meant *m, struct owner *v, size_t n)
{
	begin(v, n);
	scan(m, v, n);
	share(v, n);
}

static void end(struct owner *v, size_t n)
{
	for (size_t i = 0; i < n; i++)
		v[i].others = 0;
	share(v, n);
}

void owners_scan_named(const struct owners_meant *m, struct owner *v, size_t n)
{
	int proc = open(m->proc, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	char name[16];

	begin(v, n);
	for (int i = 0; proc >= 0 && i < m->nnamed; i++) {
		snprintf(name, sizeof(name), "%" PRIu32, m->named[i]);
		look_at_meant(m, proc, name, v, n);
	}
	if (proc >= 0)
		close(proc);
	end(v, n);
}

void owners_scan_meant(struct owners_meant *m, struct owner *v, size_t n)
{
	begin(v, n);
	if (m->filter->pids) {
		for (int i = 0; i < m->filter->pids; i++)
			if (m->dir[i] >= 0)
				look_at(m, m->dir[i], m->filter->pid[i], v, n);
	} else {
		scan_names(m, v, n);
	}
	end(v, n);
}

void owners_mean(struct owners_meant *m, const char *proc, const struct owners_filter *filter)
{
	char name[PATH_MAX];

	*m = (struct owners_meant){ .filter = filter, .proc = proc };
	for (int i = 0; filter && i < filter->pids; i++) {
		snprintf(name, sizeof(name), "%s/%" PRIu32, proc, filter->pid[i]);
		m->dir[i] = open(name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	}
}

void owners_forget(struct owners_meant *m)
{
	for (int i = 0; m->filter && i < m->filter->pids; i++)
		if (m->dir[i] >= 0)
			close(m->dir[i]);
}

/* --- the process ------------------------------------------------------------------- */

struct work {
	int fd;
	struct owner v[OWNERS_OPEN]; /* questions */
	bool was_others[OWNERS_OPEN];
	size_t n;
};

/* Takes what is asked, and waits where there is nothing. False: there will be no more. */
static bool read_questions(struct work *w)
{
	uint64_t q = 0;
	ssize_t len = sizeof(q);

	while (len > 0 && w->n < OWNERS_OPEN) {
		len = recv(w->fd, &q, sizeof(q), w->n ? MSG_DONTWAIT : 0);
		if (len != sizeof(q))
			break;
		w->was_others[w->n] = q & OWNERS_WAS_OTHERS;
		w->v[w->n++] = (struct owner){ .inode = q & ~OWNERS_WAS_OTHERS };
	}
	return w->n && len;
}

/* Who was looked at. */
enum looked {
	SOME_MEANT,
	ALL_MEANT, /* what is not theirs is still others', if it was before */
	ALL,
};

static bool is_known(const struct work *w, size_t i, enum looked at)
{
	return at == ALL || w->v[i].pid || (at == ALL_MEANT && w->was_others[i]);
}

static bool answer(struct work *w, enum looked at)
{
	size_t left = 0;

	for (size_t i = 0; i < w->n; i++) {
		if (!is_known(w, i, at)) {
			w->was_others[left] = w->was_others[i];
			w->v[left++] = w->v[i];
			continue;
		}
		if (at != ALL)
			w->v[i].others = !w->v[i].pid;
		if (write(w->fd, &w->v[i], sizeof(w->v[i])) != sizeof(w->v[i]))
			return false;
	}
	w->n = left;
	return true;
}

/* When there may be another look like the one that began at begun_ns. */
static uint64_t next_look_ns(uint64_t begun_ns, uint64_t pause_ns)
{
	uint64_t now = clock_monotonic_ns(), ns = (now - begun_ns) * PAUSE_TIMES;

	return now + (ns > pause_ns ? ns : pause_ns);
}

static void sleep_until(uint64_t ns)
{
	uint64_t now = clock_monotonic_ns();
	struct timespec t;

	if (ns <= now)
		return;
	t = (struct timespec){ (time_t)((ns - now) / NSEC_PER_SEC),
			       (long)((ns - now) % NSEC_PER_SEC) };
	nanosleep(&t, NULL);
}

static void serve(int fd, const void *filter)
{
	struct work w = { .fd = fd };
	uint64_t begun_ns, short_ns = UINT64_MAX, long_ns = 0;
	struct owners_meant meant;

	owners_mean(&meant, "/proc", filter);
	if (filter) /* who has its names now */
		owners_scan_meant(&meant, w.v, 0);
	while (read_questions(&w)) {
		begun_ns = clock_monotonic_ns();
		if (filter) {
			owners_scan_named(&meant, w.v, w.n);
			if (!answer(&w, SOME_MEANT))
				return;
			if (w.n)
				owners_scan_meant(&meant, w.v, w.n);
			if (!answer(&w, ALL_MEANT))
				return;
			short_ns = next_look_ns(begun_ns, SHORT_PAUSE_NS);
			begun_ns = clock_monotonic_ns();
		}
		if (w.n && begun_ns >= long_ns) {
			owners_scan(&meant, w.v, w.n);
			if (!answer(&w, ALL))
				return;
			long_ns = next_look_ns(begun_ns, PAUSE_NS);
		}
		sleep_until(filter ? short_ns : long_ns);
	}
}

int owners_process(const int pair[2], const struct owners_filter *filter)
{
	const struct aside aside = { .name = "lnk_owners",
				     .keep = OWNERS_CAPABILITIES,
				     .filter = privileges_filter_reader,
				     .serve = serve,
				     .arg = filter };

	return aside_start(&aside, pair);
}
