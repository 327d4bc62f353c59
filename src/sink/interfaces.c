/* SPDX-License-Identifier: MIT */
#include "sink/interfaces.h"

#include <errno.h>
#include <net/if.h>
#include <poll.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>

/* A host with more gets numbers for the rest. */
#define INTERFACES_MAX 65536
/* The kernel fills at most 32 KiB with a list; one interface with many virtual functions
 * can take more, but its name comes first. */
#define READ_MAX (64 << 10)
#define LIST_MS 1000 /* how long the first list is waited for */

struct interface {
	uint32_t index;
	char name[IF_NAMESIZE];
};

struct interfaces {
	int fd;
	uint64_t netns;
	struct interface *v; /* by index */
	size_t n, cap;
	char buf[READ_MAX];
};

/* Where this index is, or would be. */
static size_t place_of(const struct interfaces *i, uint64_t index)
{
	size_t low = 0, high = i->n, mid;

	while (low < high) {
		mid = low + (high - low) / 2;
		if (i->v[mid].index < index)
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

static bool is_at(const struct interfaces *i, size_t at, uint64_t index)
{
	return at < i->n && i->v[at].index == index;
}

const char *interfaces_name(const struct interfaces *i, uint64_t index)
{
	size_t at = place_of(i, index);

	return is_at(i, at, index) ? i->v[at].name : NULL;
}

const char *interfaces_listed(const struct interfaces *i, int n)
{
	return (size_t)n < i->n ? i->v[n].name : NULL;
}

static void put(struct interfaces *i, uint32_t index, const char *name, size_t len)
{
	size_t at = place_of(i, index), cap;
	struct interface *v;

	if (!is_at(i, at, index)) {
		if (i->n == i->cap) {
			cap = i->cap ? 2 * i->cap : 64;
			v = i->n < INTERFACES_MAX ? realloc(i->v, cap * sizeof(*v)) : NULL;
			if (!v)
				return;
			i->v = v;
			i->cap = cap;
		}
		memmove(&i->v[at + 1], &i->v[at], (i->n - at) * sizeof(i->v[0]));
		i->n++;
	}
	i->v[at].index = index;
	memset(i->v[at].name, 0, sizeof(i->v[at].name));
	memcpy(i->v[at].name, name, len < IF_NAMESIZE - 1 ? len : IF_NAMESIZE - 1);
}

static void forget(struct interfaces *i, uint32_t index)
{
	size_t at = place_of(i, index);

	if (!is_at(i, at, index))
		return;
	memmove(&i->v[at], &i->v[at + 1], (i->n - at - 1) * sizeof(i->v[0]));
	i->n--;
}

static void take_link(struct interfaces *i, const char *body, size_t len, bool gone)
{
	struct ifinfomsg info;
	struct rtattr a;
	size_t at = NLMSG_ALIGN(sizeof(info)), size;

	if (len < sizeof(info))
		return;
	memcpy(&info, body, sizeof(info));
	/* a bridge tells of its ports in messages of its own kind: a port that left it is
	 * still there */
	if (info.ifi_family != AF_UNSPEC || info.ifi_index <= 0)
		return;
	if (gone) {
		forget(i, (uint32_t)info.ifi_index);
		return;
	}
	for (; at + sizeof(a) <= len; at += RTA_ALIGN(a.rta_len)) {
		memcpy(&a, body + at, sizeof(a));
		if (a.rta_len < sizeof(a) || a.rta_len > len - at)
			return;
		if (a.rta_type != IFLA_IFNAME)
			continue;
		size = strnlen(body + at + sizeof(a), a.rta_len - sizeof(a));
		put(i, (uint32_t)info.ifi_index, body + at + sizeof(a), size);
		return;
	}
}

int interfaces_take(struct interfaces *i, const void *messages, size_t len)
{
	const char *p = messages;
	struct nlmsghdr h;
	size_t body, end;
	int done = 0;

	for (; len >= sizeof(h); p += end, len -= end) {
		memcpy(&h, p, sizeof(h));
		if (h.nlmsg_len < sizeof(h))
			break;
		/* the last one may have been cut */
		body = (h.nlmsg_len < len ? h.nlmsg_len : len) - sizeof(h);
		if (h.nlmsg_type == RTM_NEWLINK || h.nlmsg_type == RTM_DELLINK)
			take_link(i, p + sizeof(h), body, h.nlmsg_type == RTM_DELLINK);
		done |= h.nlmsg_type == NLMSG_DONE || h.nlmsg_type == NLMSG_ERROR;
		end = NLMSG_ALIGN(h.nlmsg_len);
		if (end > len)
			break;
	}
	return done;
}

/* Asks for all of them; the answers are read as they come. */
static int ask(struct interfaces *i)
{
	struct {
		struct nlmsghdr h;
		struct ifinfomsg info;
	} request = {
		.h = { .nlmsg_len = sizeof(request),
		       .nlmsg_type = RTM_GETLINK,
		       .nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP },
		.info = { .ifi_family = AF_UNSPEC },
	};

	return write(i->fd, &request, sizeof(request)) < 0 ? -errno : 0;
}

/* What is there now. Returns whether a list ended. */
static bool read_all_messages(struct interfaces *i)
{
	bool done = false;
	ssize_t n;

	for (;;) {
		n = read(i->fd, i->buf, sizeof(i->buf));
		if (n > 0) {
			done |= interfaces_take(i, i->buf, (size_t)n) != 0;
		} else if (n < 0 && errno == ENOBUFS) {
			/* messages were lost: begin anew */
			i->n = 0;
			if (ask(i))
				return done;
		} else if (n >= 0 || errno != EINTR) {
			return done;
		}
	}
}

void interfaces_refresh(struct interfaces *i)
{
	if (i->fd >= 0)
		read_all_messages(i);
}

uint64_t interfaces_netns(const struct interfaces *i)
{
	return i->netns;
}

int interfaces_make(struct interfaces **out, uint64_t netns)
{
	struct interfaces *i = calloc(1, sizeof(*i));

	if (!i)
		return -ENOMEM;
	i->fd = -1;
	i->netns = netns;
	*out = i;
	return 0;
}

static int open_socket(struct interfaces *i)
{
	struct sockaddr_nl group = { .nl_family = AF_NETLINK, .nl_groups = RTMGRP_LINK };
	struct pollfd fd = { .events = POLLIN };
	int err;

	i->fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_ROUTE);
	if (i->fd < 0)
		return -errno;
	fd.fd = i->fd;
	/* first the messages, then the list: nothing falls in between */
	if (bind(i->fd, (struct sockaddr *)&group, sizeof(group)))
		return -errno;
	err = ask(i);
	while (!err && !read_all_messages(i))
		if (poll(&fd, 1, LIST_MS) <= 0)
			err = -ETIMEDOUT;
	return err;
}

int interfaces_open(struct interfaces **out)
{
	struct interfaces *i = NULL;
	struct stat st;
	int err;

	if (stat("/proc/self/ns/net", &st))
		return -errno;
	err = interfaces_make(&i, st.st_ino);
	if (err)
		return err;
	err = open_socket(i);
	if (err)
		interfaces_close(i);
	else
		*out = i;
	return err;
}

void interfaces_close(struct interfaces *i)
{
	if (!i)
		return;
	if (i->fd >= 0)
		close(i->fd);
	free(i->v);
	free(i);
}
