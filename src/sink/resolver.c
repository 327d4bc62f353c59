/* SPDX-License-Identifier: MIT */
#include "sink/resolver.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "sink/mix.h"
#include "sink/resolver_process.h"

#define WAYS 4 /* places that a host may take */

enum state {
	EMPTY,
	ASKED,
	NAMED,
	NAMELESS
};

struct host {
	__u8 address[16];
	enum state state;
	uint64_t used;     /* in the order of use */
	uint64_t asked_ns; /* when it was asked for */
	char name[RESOLVER_NAME_MAX + 1];
};

struct resolver {
	int fd; /* -1: the process is gone */
	uint64_t now_ns, uses;
	int open; /* questions */
	struct host v[RESOLVER_HOSTS / WAYS][WAYS];
};

static struct host *set_of(struct resolver *r, const __u8 address[16])
{
	uint64_t a, b;

	memcpy(&a, address, sizeof(a));
	memcpy(&b, address + 8, sizeof(b));
	return r->v[mix64(a ^ mix64(b)) % (RESOLVER_HOSTS / WAYS)];
}

static struct host *find(struct resolver *r, const __u8 address[16])
{
	struct host *set = set_of(r, address);

	for (int i = 0; i < WAYS; i++)
		if (set[i].state != EMPTY && !memcmp(set[i].address, address, 16))
			return &set[i];
	return NULL;
}

/* The place for a new host: the one that was used longest ago. */
static struct host *place_for(struct resolver *r, const __u8 address[16])
{
	struct host *set = set_of(r, address), *oldest = set;

	for (int i = 1; i < WAYS; i++)
		if (set[i].used < oldest->used)
			oldest = &set[i];
	return oldest;
}

static bool ask(struct resolver *r, const __u8 address[16])
{
	ssize_t n;

	if (r->fd < 0 || r->open >= RESOLVER_OPEN)
		return false;
	n = write(r->fd, address, 16);
	if (n < 0 && errno != EAGAIN && errno != EINTR) {
		close(r->fd); /* the process is gone: the numbers are shown */
		r->fd = -1;
	}
	r->open += n == 16;
	return n == 16;
}

const char *resolver_name(struct resolver *r, const __u8 address[16])
{
	static const __u8 none[16];
	struct host *h = find(r, address);

	if (!h) {
		if (!memcmp(address, none, sizeof(none)) || !ask(r, address))
			return NULL;
		h = place_for(r, address);
		memcpy(h->address, address, sizeof(h->address));
		h->state = ASKED;
		h->asked_ns = r->now_ns;
	} else if (h->state == NAMELESS && r->now_ns > h->asked_ns + RESOLVER_RETRY_NS &&
		   ask(r, address)) {
		h->state = ASKED;
		h->asked_ns = r->now_ns;
	}
	h->used = ++r->uses;
	return h->state == NAMED ? h->name : NULL;
}

static void take_answer(struct resolver *r, struct resolver_answer *a)
{
	struct host *h = find(r, a->address);

	if (r->open)
		r->open--;
	if (!h || h->state != ASKED)
		return;
	a->name[RESOLVER_NAME_MAX] = '\0';
	h->state = resolver_is_name(a->name) ? NAMED : NAMELESS;
	memcpy(h->name, a->name, sizeof(h->name));
}

void resolver_refresh(struct resolver *r, uint64_t now_ns)
{
	struct resolver_answer a;

	r->now_ns = now_ns;
	while (r->fd >= 0 && read(r->fd, &a, sizeof(a)) == sizeof(a))
		take_answer(r, &a);
}

int resolver_make(struct resolver **out, int fd)
{
	*out = calloc(1, sizeof(**out));
	if (!*out)
		return -ENOMEM;
	(*out)->fd = fd;
	return 0;
}

int resolver_open(struct resolver **out)
{
	int pair[2], err;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair))
		return -errno;
	err = resolver_process(pair);
	close(pair[1]);
	if (!err)
		err = resolver_make(out, pair[0]);
	if (err)
		close(pair[0]);
	return err;
}

void resolver_close(struct resolver *r)
{
	if (!r)
		return;
	if (r->fd >= 0)
		close(r->fd); /* which ends the process */
	free(r);
}
