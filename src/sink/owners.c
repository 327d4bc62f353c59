/* SPDX-License-Identifier: MIT */
#include "sink/owners.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "sink/mix.h"
#include "sink/owners_process.h"

#define WAYS 4 /* places that a socket may take */

struct entry {
	struct owner owner; /* inode 0: none */
	bool asked;         /* and not answered */
	uint64_t used;      /* in the order of use */
	uint64_t asked_ns;
	bool answered;
	uint64_t true_ns; /* when the question was asked that was answered */
};

struct owners {
	int fd; /* -1: the process is gone */
	uint64_t now_ns, uses;
	int open; /* questions */
	struct entry v[OWNERS_SOCKETS / WAYS][WAYS];
};

static struct entry *set_of(struct owners *o, uint64_t inode)
{
	return o->v[mix64(inode) % (OWNERS_SOCKETS / WAYS)];
}

static struct entry *find(struct owners *o, uint64_t inode)
{
	struct entry *set = set_of(o, inode);

	for (int i = 0; i < WAYS; i++)
		if (set[i].owner.inode == inode)
			return &set[i];
	return NULL;
}

/* The place for a new socket: the one that was used longest ago. */
static struct entry *place_for(struct owners *o, uint64_t inode)
{
	struct entry *set = set_of(o, inode), *oldest = set;

	for (int i = 1; i < WAYS; i++)
		if (set[i].used < oldest->used)
			oldest = &set[i];
	return oldest;
}

static bool ask(struct owners *o, uint64_t inode, bool was_others)
{
	uint64_t question = inode | (was_others ? OWNERS_WAS_OTHERS : 0);
	ssize_t n;

	if (o->fd < 0 || o->open >= OWNERS_OPEN)
		return false;
	n = write(o->fd, &question, sizeof(question));
	if (n < 0 && errno != EAGAIN && errno != EINTR) {
		close(o->fd); /* the process is gone: nothing is known any more */
		o->fd = -1;
	}
	o->open += n == sizeof(question);
	return n == sizeof(question);
}

static bool is_old(const struct owners *o, const struct entry *e)
{
	bool known = e->owner.pid || e->owner.others;

	return !e->asked && o->now_ns > e->asked_ns + (known ? OWNERS_FRESH_NS : OWNERS_RETRY_NS);
}

static bool is_believed(const struct owners *o, const struct entry *e)
{
	return e->answered && o->now_ns <= e->true_ns + OWNERS_STALE_NS;
}

/* NULL: it could not be asked for. */
static const struct entry *look_up(struct owners *o, uint64_t inode)
{
	struct entry *e = find(o, inode);

	if (!e) {
		if (!ask(o, inode, false))
			return NULL;
		e = place_for(o, inode);
		*e = (struct entry){ .owner.inode = inode, .asked = true, .asked_ns = o->now_ns };
	} else if (is_old(o, e) && ask(o, inode, e->owner.others)) {
		e->asked = true;
		e->asked_ns = o->now_ns;
	}
	e->used = ++o->uses;
	return e;
}

const struct owner *owners_find(struct owners *o, uint64_t inode)
{
	const struct entry *e = inode ? look_up(o, inode) : NULL;

	return e && e->owner.pid && o->fd >= 0 && is_believed(o, e) ? &e->owner : NULL;
}

enum owners_verdict owners_judge(struct owners *o, uint64_t inode)
{
	const struct entry *e = inode ? look_up(o, inode) : NULL;

	if (!inode || o->fd < 0)
		return OWNERS_NOBODY;
	if (!e || !is_believed(o, e))
		return OWNERS_OPEN_YET;
	if (e->owner.pid)
		return OWNERS_HIS;
	return e->owner.others ? OWNERS_OTHERS : OWNERS_NOBODY;
}

bool owners_are_told(const struct owners *o)
{
	return o->fd >= 0;
}

static void take_answer(struct owners *o, const struct owner *a)
{
	struct entry *e = a->inode ? find(o, a->inode) : NULL;

	if (o->open)
		o->open--;
	if (!e || !e->asked)
		return;
	e->asked = false;
	e->owner = *a;
	e->answered = true;
	e->true_ns = e->asked_ns;
	e->owner.comm[OWNER_COMM - 1] = '\0';
}

void owners_refresh(struct owners *o, uint64_t now_ns)
{
	struct owner a;
	ssize_t n;

	o->now_ns = now_ns;
	if (o->fd < 0)
		return;
	while ((n = read(o->fd, &a, sizeof(a))) == sizeof(a))
		take_answer(o, &a);
	if (n >= 0 || (errno != EAGAIN && errno != EINTR)) { /* its end, or no answer */
		close(o->fd);
		o->fd = -1;
	}
}

int owners_make(struct owners **out, int fd)
{
	*out = calloc(1, sizeof(**out));
	if (!*out)
		return -ENOMEM;
	(*out)->fd = fd;
	return 0;
}

int owners_open(struct owners **out, const struct owners_filter *filter)
{
	int pair[2], err;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair))
		return -errno;
	err = owners_process(pair, filter);
	close(pair[1]);
	if (!err)
		err = owners_make(out, pair[0]);
	if (err)
		close(pair[0]);
	return err;
}

void owners_close(struct owners *o)
{
	if (!o)
		return;
	if (o->fd >= 0)
		close(o->fd); /* which ends the process */
	free(o);
}
