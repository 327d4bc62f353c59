/* SPDX-License-Identifier: MIT */
#include "app/watch.h"

#include <errno.h>
#include <string.h>
#include <sys/inotify.h>
#include <unistd.h>

#include "base/clock.h"
#include "bpf/source.h"

/* After the last change, and after the first at the latest. */
#define QUIET_NS (30 * NSEC_PER_MSEC)
#define LATEST_NS (300 * NSEC_PER_MSEC)
/* How often a directory that has gone is looked for. */
#define AGAIN_NS NSEC_PER_SEC

struct adding {
	int fd;
	int dirs;
};

static void add(void *arg, const char *dir)
{
	struct adding *a = arg;

	a->dirs += inotify_add_watch(a->fd, dir,
				     IN_CLOSE_WRITE | IN_MOVED_TO | IN_MOVED_FROM | IN_DELETE |
					     IN_DELETE_SELF | IN_MOVE_SELF | IN_ONLYDIR) >= 0;
}

int watch_renew(const struct watch *w, const struct config *conf)
{
	struct adding a = { .fd = w->fd };

	if (w->fd >= 0)
		source_each_dir(conf->probe_dir, add, &a);
	return a.dirs;
}

int watch_open(struct watch *w, const struct config *conf)
{
	*w = (struct watch){ .fd = inotify_init1(IN_CLOEXEC | IN_NONBLOCK) };
	if (w->fd < 0)
		return -errno;
	w->dirs = watch_renew(w, conf);
	return 0;
}

void watch_close(struct watch *w)
{
	if (w->fd >= 0)
		close(w->fd);
	w->fd = -1;
}

bool watch_concerns(const char *name)
{
	return source_is_part(name);
}

/* An event without a name is of the directory itself, or says that some were dropped. */
static bool matters(const struct inotify_event *e)
{
	if (e->mask & IN_IGNORED)
		return false;
	return !e->len || watch_concerns(e->name);
}

void watch_read(struct watch *w)
{
	char buf[4096] __attribute__((aligned(__alignof__(struct inotify_event))));
	const struct inotify_event *e;
	ssize_t n, at;

	while ((n = read(w->fd, buf, sizeof(buf))) > 0)
		for (at = 0; at < n; at += (ssize_t)(sizeof(*e) + e->len)) {
			e = (const void *)(buf + at);
			if (!matters(e))
				continue;
			w->last_ns = clock_monotonic_ns();
			if (!w->first_ns)
				w->first_ns = w->last_ns;
		}
}

uint64_t watch_due_ns(const struct watch *w)
{
	uint64_t quiet = w->last_ns + QUIET_NS, latest = w->first_ns + LATEST_NS;

	if (!w->first_ns)
		return w->again_ns ? w->again_ns : UINT64_MAX;
	return quiet < latest ? quiet : latest;
}

void watch_found(struct watch *w, int dirs)
{
	w->again_ns = dirs < w->dirs ? clock_monotonic_ns() + AGAIN_NS : 0;
}

bool watch_take_again(struct watch *w, uint64_t now_ns)
{
	if (!w->again_ns || now_ns < w->again_ns)
		return false;
	w->again_ns = 0;
	return true;
}

bool watch_take(struct watch *w, uint64_t now_ns)
{
	if (!w->first_ns || now_ns < watch_due_ns(w))
		return false;
	w->first_ns = 0;
	return true;
}
