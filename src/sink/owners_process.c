/* SPDX-License-Identifier: MIT */
/*
 * A look through /proc costs a system call for each descriptor of the host, so one look
 * answers all questions that are there, and a pause of nine times its length follows: at
 * most a tenth of one CPU. The processes of a filter are looked at by themselves, for what is
 * asked at that moment: it takes microseconds, so that a connection that is closed at once is
 * often still there. (It may take another tenth.) One that has thousands of descriptors takes
 * longer, and so does the pause: until the next look what the last has seen is answered from it.
 */
#include "sink/owners_process.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/aside.h"
#include "base/clock.h"
#include "base/privileges.h"

#define PAUSE_NS (20 * NSEC_PER_MSEC) /* at least */
#define PAUSE_TIMES 9
/* ... after a look at the processes of a filter alone */
#define SHORT_PAUSE_NS NSEC_PER_MSEC

/* A pause that is longer ends for a question. */
#define LONG_PAUSE_NS (5 * NSEC_PER_MSEC)

#define TAKEN (-3) /* a descriptor that another has now */

/* --- a look through /proc ---------------------------------------------------------- */

#define SOCKET "socket:["

/* Calls back with the inode number of each socket that the process has open. */
static void each_socket(int process, void (*see)(void *arg, uint64_t inode), void *arg)
{
	int fd = openat(process, "fd", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	const struct dirent *d;
	char link[64];
	ssize_t len;

	if (!dir) {
		if (fd >= 0)
			close(fd);
		return;
	}
	while ((d = readdir(dir))) {
		if (!isdigit((unsigned char)d->d_name[0]))
			continue;
		len = readlinkat(fd, d->d_name, link, sizeof(link) - 1);
		if (len < (ssize_t)strlen(SOCKET) || memcmp(link, SOCKET, strlen(SOCKET)) != 0)
			continue;
		link[len] = '\0';
		see(arg, strtoull(link + strlen(SOCKET), NULL, 10));
	}
	closedir(dir);
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
	__u32 i;

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
	const struct owners_filter *f = &m->filter;
	__u32 i;

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

/* One process, and what is asked for. */
struct look {
	const struct owners_meant *m;
	int process;
	uint32_t pid;
	struct owner *v;
	size_t n;
};

static void see_asked(void *arg, uint64_t inode)
{
	const struct look *l = arg;
	size_t i;

	for (i = 0; i < l->n && l->v[i].inode != inode; i++)
		;
	if (i < l->n)
		take(l->m, l->process, l->pid, &l->v[i]);
}

/* What was asked for twice was found for the first. */
static void share(struct owner *v, size_t n)
{
	for (size_t i = 1; i < n; i++)
		for (size_t k = 0; k < i; k++)
			if (v[k].inode == v[i].inode)
				v[i] = v[k];
}

/* --- what those that are meant have open -------------------------------------------- */

static void see_his(void *arg, uint64_t inode)
{
	struct owners_meant *m = arg;
	uint32_t who = (uint32_t)m->npeople - 1, *first = inode_set_put(&m->sockets, inode, who);

	if (!first)
		_exit(1); /* what is not remembered would be taken for others' */
	if (m->people[*first].pid > m->people[who].pid)
		*first = who;
}

static void collect(struct owners_meant *m, int process, uint32_t pid, const char *comm)
{
	struct owner *p = m->people;

	if (m->npeople == m->people_room) {
		m->people_room = 2 * m->people_room + 16;
		p = realloc(p, m->people_room * sizeof(*p));
		if (!p)
			_exit(1);
		m->people = p;
	}
	p[m->npeople] = (struct owner){ .pid = pid };
	memcpy(p[m->npeople].comm, comm, OWNER_COMM);
	m->npeople++;
	each_socket(process, see_his, m);
}

static void forget_sockets(struct owners_meant *m)
{
	inode_set_clear(&m->sockets);
	m->npeople = 0;
}

/* One process, if it is one that is meant. Returns whether it is. */
static bool look_at_meant(struct owners_meant *m, int process, uint32_t pid)
{
	char comm[OWNER_COMM];
	bool meant;

	read_comm(process, comm);
	meant = is_meant(m, pid, comm);
	if (meant)
		collect(m, process, pid, comm);
	return meant;
}

static bool look_at_named(struct owners_meant *m, int proc, const char *name)
{
	int process = openat(proc, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	bool meant;

	if (process < 0)
		return false;
	meant = look_at_meant(m, process, (uint32_t)strtoul(name, NULL, 10));
	close(process);
	return meant;
}

static void scan_names(struct owners_meant *m)
{
	DIR *dir = opendir(m->proc);
	const struct dirent *d;

	m->nnamed = 0;
	while (dir && (d = readdir(dir)))
		if (isdigit((unsigned char)d->d_name[0]) &&
		    look_at_named(m, dirfd(dir), d->d_name) && m->nnamed < OWNERS_PIDS)
			m->named[m->nnamed++] = (uint32_t)strtoul(d->d_name, NULL, 10);
	if (dir)
		closedir(dir);
}

void owners_known(const struct owners_meant *m, struct owner *v, size_t n)
{
	const uint32_t *who;

	for (size_t i = 0; i < n; i++) {
		who = inode_set_find(&m->sockets, v[i].inode);
		v[i].pid = who ? m->people[*who].pid : 0;
		v[i].others = 0;
		if (who)
			memcpy(v[i].comm, m->people[*who].comm, sizeof(v[i].comm));
	}
}

void owners_scan_named(struct owners_meant *m, struct owner *v, size_t n)
{
	int proc = open(m->proc, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	char name[16];

	forget_sockets(m);
	for (int i = 0; proc >= 0 && i < m->nnamed; i++) {
		snprintf(name, sizeof(name), "%" PRIu32, m->named[i]);
		look_at_named(m, proc, name);
	}
	if (proc >= 0)
		close(proc);
	owners_known(m, v, n);
}

void owners_scan_meant(struct owners_meant *m, struct owner *v, size_t n)
{
	forget_sockets(m);
	if (!m->filter.pids)
		scan_names(m);
	for (__u32 i = 0; i < m->filter.pids; i++)
		if (m->dir[i] >= 0)
			look_at_meant(m, m->dir[i], m->filter.pid[i]);
	owners_known(m, v, n);
}

/* --- what anybody has open ---------------------------------------------------------- */

static void scan(const struct owners_meant *m, struct owner *v, size_t n)
{
	DIR *dir = opendir(m->proc);
	const struct dirent *d;
	struct look l = { .m = m, .v = v, .n = n };

	while (dir && (d = readdir(dir))) {
		if (!isdigit((unsigned char)d->d_name[0]))
			continue;
		l.process = openat(dirfd(dir), d->d_name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		if (l.process < 0)
			continue;
		l.pid = (uint32_t)strtoul(d->d_name, NULL, 10);
		each_socket(l.process, see_asked, &l);
		close(l.process);
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

/* --- who is meant ------------------------------------------------------------------- */

void owners_begin(struct owners_meant *m, const char *proc)
{
	*m = (struct owners_meant){ .proc = proc };
}

static void close_all(const struct owners_meant *m)
{
	for (__u32 i = 0; i < m->filter.pids; i++)
		if (m->dir[i] >= 0)
			close(m->dir[i]);
}

/* When it began, CLOCK_BOOTTIME; 0 where that cannot be read. proc(5): field 22 of stat, in
 * ticks, and so up to 10 ms earlier. */
static uint64_t began_ns(int process)
{
	int fd = openat(process, "stat", O_RDONLY | O_CLOEXEC);
	char line[1024];
	ssize_t len = fd < 0 ? 0 : read(fd, line, sizeof(line) - 1);
	const char *p;

	if (fd >= 0)
		close(fd);
	line[len > 0 ? len : 0] = '\0';
	p = strrchr(line, ')'); /* a name may hold anything */
	for (int i = 2; p && i < 22; i++)
		p = strchr(p + 1, ' ');
	return p ? strtoull(p, NULL, 10) * (NSEC_PER_SEC / (uint64_t)sysconf(_SC_CLK_TCK)) : 0;
}

/* /proc/PID: the one that is open already, which is taken out of `before`. */
static int directory(const char *proc, uint32_t pid, struct owners_meant *before, uint64_t at_ns)
{
	char name[PATH_MAX];
	int fd;

	for (__u32 i = 0; i < before->filter.pids; i++) {
		if (before->filter.pid[i] != pid || before->dir[i] == TAKEN)
			continue;
		fd = before->dir[i];
		before->dir[i] = TAKEN;
		return fd;
	}
	snprintf(name, sizeof(name), "%s/%" PRIu32, proc, pid);
	fd = open(name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0 || began_ns(fd) <= at_ns)
		return fd < 0 ? OWNERS_UNSEEN : fd;
	close(fd);
	return OWNERS_ANOTHER;
}

void owners_mean(struct owners_meant *m, const struct owners_filter *filter, uint64_t at_ns)
{
	struct owners_meant before = *m;

	m->filter = *filter;
	m->nnamed = 0;
	forget_sockets(m);
	for (__u32 i = 0; i < filter->pids; i++)
		m->dir[i] = directory(m->proc, filter->pid[i], &before, at_ns);
	close_all(&before);
}

uint64_t owners_that_ended(const struct owners_meant *m)
{
	uint64_t ended = 0;
	struct stat st;

	_Static_assert(OWNERS_PIDS <= 64, "a bit for each");
	for (__u32 i = 0; i < m->filter.pids; i++)
		if (m->dir[i] == OWNERS_ANOTHER ||
		    (m->dir[i] >= 0 && fstatat(m->dir[i], "comm", &st, 0) && errno == ESRCH))
			ended |= 1ULL << i;
	return ended;
}

uint64_t owners_unseen(const struct owners_meant *m)
{
	uint64_t unseen = 0;

	for (__u32 i = 0; i < m->filter.pids; i++)
		if (m->dir[i] == OWNERS_UNSEEN)
			unseen |= 1ULL << i;
	return unseen;
}

void owners_forget(struct owners_meant *m)
{
	close_all(m);
	inode_set_free(&m->sockets);
	free(m->people);
	owners_begin(m, m->proc);
}

/* --- the process ------------------------------------------------------------------- */

struct work {
	int fd;
	__u32 order; /* the number of the last */
	bool fresh;  /* and nobody was looked at by it */
	struct owners_meant meant;
	struct owner v[OWNERS_OPEN]; /* questions */
	bool was_others[OWNERS_OPEN];
	size_t n;
};

static bool filters(const struct work *w)
{
	return w->meant.filter.pids || w->meant.filter.comms;
}

static bool send_status(const struct work *w)
{
	struct owners_status s = { .order = w->order,
				   .ended = owners_that_ended(&w->meant),
				   .unseen = owners_unseen(&w->meant) };

	return write(w->fd, &s, sizeof(s)) == sizeof(s);
}

/* Who asks is confined because it may be taken over one day. */
static bool is_order(const struct owners_order *order)
{
	const struct owners_filter *f = &order->filter;
	__u32 i;

	for (i = 0; i < OWNERS_COMMS && !f->comm[i][OWNER_COMM - 1]; i++)
		;
	return f->pids <= OWNERS_PIDS && f->comms <= OWNERS_COMMS && i == OWNERS_COMMS;
}

/* What was asked before is not answered any more. */
static bool take_order(struct work *w, const struct owners_order *order)
{
	w->n = 0;
	w->order = order->number;
	w->fresh = true;
	owners_mean(&w->meant, &order->filter,
		    clock_boottime_ns() - (clock_monotonic_ns() - order->at_ns));
	if (order->filter.comms && !order->filter.pids) /* who has its names now */
		owners_scan_meant(&w->meant, w->v, 0);
	return send_status(w);
}

/* Takes what is asked, and waits where there is nothing open. False: there will be no more. */
static bool read_questions(struct work *w)
{
	static union {
		uint64_t question;
		struct owners_order order;
	} m;
	ssize_t len = 1;

	while (len > 0 && w->n < OWNERS_OPEN) {
		len = recv(w->fd, &m, sizeof(m), w->n ? MSG_DONTWAIT : 0);
		if (len == sizeof(m.order)) {
			if (!is_order(&m.order) || !take_order(w, &m.order))
				return false;
		} else if (len != sizeof(m.question)) {
			break;
		} else if (m.question == OWNERS_WHO_ENDED) {
			if (!send_status(w))
				return false;
		} else {
			w->was_others[w->n] = m.question & OWNERS_WAS_OTHERS;
			w->v[w->n++] = (struct owner){ .inode = m.question & ~OWNERS_WAS_OTHERS };
		}
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

/* Those that are meant: answers what that tells. */
static bool look_for_meant(struct work *w)
{
	owners_scan_named(&w->meant, w->v, w->n);
	if (!answer(w, SOME_MEANT))
		return false;
	if (w->n)
		owners_scan_meant(&w->meant, w->v, w->n);
	return answer(w, ALL_MEANT);
}

/* A pause, which a question ends where the answer may be known. */
static void rest(const struct work *w, uint64_t until_ns)
{
	struct pollfd p = { .fd = w->fd, .events = POLLIN };
	uint64_t now = clock_monotonic_ns();
	struct timespec t;

	if (until_ns <= now)
		return;
	t = (struct timespec){ (time_t)((until_ns - now) / NSEC_PER_SEC),
			       (long)((until_ns - now) % NSEC_PER_SEC) };
	if (filters(w) && w->n < OWNERS_OPEN && until_ns - now > LONG_PAUSE_NS)
		ppoll(&p, 1, &t, NULL);
	else
		nanosleep(&t, NULL);
}

static void serve(int fd)
{
	static struct work w;
	uint64_t now, looked_ns = 0, short_ns = 0, long_ns = 0;

	w.fd = fd;
	owners_begin(&w.meant, "/proc");
	while (read_questions(&w)) {
		now = clock_monotonic_ns();
		if (filters(&w) && (w.fresh || now >= short_ns)) {
			if (!look_for_meant(&w))
				return;
			w.fresh = false;
			looked_ns = now;
			short_ns = next_look_ns(now, SHORT_PAUSE_NS);
			now = clock_monotonic_ns();
		} else if (filters(&w) && now <= looked_ns + OWNERS_FRESH_NS) {
			owners_known(&w.meant, w.v, w.n);
			if (!answer(&w, SOME_MEANT))
				return;
		}
		if (w.n && now >= long_ns) {
			owners_scan(&w.meant, w.v, w.n);
			if (!answer(&w, ALL))
				return;
			long_ns = next_look_ns(now, PAUSE_NS);
		}
		if (w.n || !filters(&w) || short_ns - now <= LONG_PAUSE_NS)
			rest(&w, filters(&w) ? short_ns : long_ns);
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
