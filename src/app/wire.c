/* SPDX-License-Identifier: MIT */
#include "app/wire.h"

#include <ctype.h>
#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* --- requests ----------------------------------------------------------------------- */

/* A zero byte is there, and before it nothing but what names of functions, events and
 * their symbols are made of. */
static bool plain(const char *s, size_t size)
{
	size_t i;

	for (i = 0; i < size && s[i]; i++)
		if (!isalnum((unsigned char)s[i]) && !strchr("_.:", s[i]))
			return false;
	return i && i < size;
}

/* Only raw tracepoints are typed. */
static bool kind_ok(uint32_t kind, uint32_t typed)
{
	return kind < HOOK_KINDS && typed <= (kind == HOOK_RAW_TRACEPOINT);
}

/* The broker makes no events in tracefs. */
static bool told_ok(uint32_t told)
{
	return told == TOLD_BY_NONE || told == TOLD_BY_LINK;
}

size_t wire_request_size(uint32_t live_n)
{
	return offsetof(struct wire_request, live) + live_n * sizeof(struct wire_live);
}

bool wire_request_ok(const struct wire_request *r, size_t len)
{
	uint32_t i;

	if (len < offsetof(struct wire_request, live) || r->kind >= WIRE_REQUESTS ||
	    r->live_n > LNK_MAX_HOOKS || len != wire_request_size(r->live_n) ||
	    !changes_ok(&r->changes) || r->pids.n < 0 || r->pids.n > PIDS_MAX ||
	    !memchr(r->path, '\0', sizeof(r->path)))
		return false;
	for (i = 0; i < r->live_n; i++)
		if (!kind_ok(r->live[i].kind, r->live[i].typed) ||
		    !plain(r->live[i].target, sizeof(r->live[i].target)) ||
		    !plain(r->live[i].symbol, sizeof(r->live[i].symbol)))
			return false;
	return true;
}

/* --- replies ------------------------------------------------------------------------ */

#define BODY offsetof(struct wire_reply, text)

size_t wire_reply_size(uint32_t kind)
{
	const struct wire_reply *r = NULL; /* for its type only */

	switch (kind) {
	case WIRE_TEXT:
	case WIRE_SAID:
	case WIRE_SOURCE:
		return BODY + sizeof(r->text);
	case WIRE_PART:
		return BODY + sizeof(r->part);
	case WIRE_HOOK:
		return BODY + sizeof(r->hook);
	case WIRE_STAGE:
		return BODY + sizeof(r->stage);
	case WIRE_DONE:
		return BODY + sizeof(r->done);
	case WIRE_FILE:
		return BODY + sizeof(r->file);
	case WIRE_MAPS:
	case WIRE_SETTLED:
		return BODY;
	}
	return 0;
}

int wire_reply_fds(const struct wire_reply *r)
{
	static const int by_place[WIRE_PLACES] = { 0, 1, 4 };

	if (r->kind == WIRE_MAPS)
		return 4;
	if (r->kind == WIRE_FILE)
		return !r->file.error;
	return r->kind == WIRE_HOOK ? by_place[r->hook.place] : 0;
}

static bool ends(const char *s, size_t size)
{
	return memchr(s, '\0', size);
}

bool wire_reply_ok(struct wire_reply *r, size_t len, int nfds)
{
	bool ok = len >= BODY && r->kind < WIRE_REPLIES;

	if (ok && (r->kind == WIRE_TEXT || r->kind == WIRE_SAID || r->kind == WIRE_SOURCE))
		ok = len <= wire_reply_size(r->kind) && len > BODY && ends(r->text, len - BODY);
	else if (ok)
		ok = len == wire_reply_size(r->kind);
	if (!ok)
		return false;
	if (r->kind == WIRE_PART)
		ok = ends(r->part.name, sizeof(r->part.name)) && source_is_part(r->part.name) &&
		     ends(r->part.label, sizeof(r->part.label));
	else if (r->kind == WIRE_HOOK)
		ok = kind_ok(r->hook.kind, r->hook.typed) && r->hook.witness <= 1 &&
		     r->hook.place < WIRE_PLACES && told_ok(r->hook.told) &&
		     plain(r->hook.target, sizeof(r->hook.target)) &&
		     plain(r->hook.symbol, sizeof(r->hook.symbol)) &&
		     (r->hook.kind != HOOK_TRACEPOINT || strchr(r->hook.target, ':'));
	else if (r->kind == WIRE_DONE)
		ok = r->done.error >= 0 && r->done.extra <= LNK_MAX_EXTRA;
	else if (r->kind == WIRE_FILE)
		ok = r->file.error >= 0 && ends(r->file.why, sizeof(r->file.why));
	return ok && nfds == wire_reply_fds(r);
}

/* --- messages ----------------------------------------------------------------------- */

union control {
	char buf[CMSG_SPACE(WIRE_MAX_FDS * sizeof(int))];
	struct cmsghdr align;
};

int wire_send(int sock, const void *msg, size_t len, const int *fds, int nfds, int flags)
{
	struct iovec iov = { (void *)msg, len };
	struct msghdr m = { .msg_iov = &iov, .msg_iovlen = 1 };
	union control control = { 0 };
	struct cmsghdr *c;
	ssize_t n;

	if (nfds) {
		m.msg_control = control.buf;
		m.msg_controllen = CMSG_SPACE((size_t)nfds * sizeof(int));
		c = CMSG_FIRSTHDR(&m);
		c->cmsg_level = SOL_SOCKET;
		c->cmsg_type = SCM_RIGHTS;
		c->cmsg_len = CMSG_LEN((size_t)nfds * sizeof(int));
		memcpy(CMSG_DATA(c), fds, (size_t)nfds * sizeof(int));
	}
	do
		n = sendmsg(sock, &m, MSG_NOSIGNAL | flags);
	while (n < 0 && errno == EINTR);
	return n < 0 ? -errno : 0;
}

void wire_close(int *fds, int n)
{
	int i;

	for (i = 0; i < n; i++)
		if (fds[i] >= 0)
			close(fds[i]);
}

int wire_receive(int sock, void *msg, size_t size, size_t *len, int fds[WIRE_MAX_FDS], int *nfds,
		 int flags)
{
	struct iovec iov = { msg, size };
	union control control;
	struct msghdr m = { .msg_iov = &iov,
			    .msg_iovlen = 1,
			    .msg_control = control.buf,
			    .msg_controllen = sizeof(control.buf) };
	struct cmsghdr *c;
	size_t bytes;
	ssize_t n;
	int fd;

	*nfds = 0;
	do
		n = recvmsg(sock, &m, MSG_CMSG_CLOEXEC | flags);
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return -errno;
	c = CMSG_FIRSTHDR(&m);
	if (c && c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_RIGHTS)
		for (bytes = CMSG_LEN(0); bytes + sizeof(int) <= c->cmsg_len;
		     bytes += sizeof(int)) {
			memcpy(&fd, (char *)c + bytes, sizeof(int));
			if (*nfds < WIRE_MAX_FDS)
				fds[(*nfds)++] = fd;
			else
				close(fd);
		}
	if (m.msg_flags & MSG_CTRUNC && *nfds < WIRE_MAX_FDS) {
		wire_close(fds, *nfds);
		*nfds = 0;
		return -EMFILE;
	}
	if (!n && !*nfds)
		return 0;
	*len = m.msg_flags & MSG_TRUNC ? 0 : (size_t)n;
	return 1;
}
