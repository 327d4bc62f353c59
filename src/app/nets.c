/* SPDX-License-Identifier: MIT */
#include "app/nets.h"

#include <errno.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <net/if.h>
#include <linux/magic.h>
#include <linux/nsfs.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "base/num.h"

/* Inode numbers of namespaces begin here (PROC_DYNAMIC_FIRST); process numbers end long
 * before. */
#define FIRST_NAMESPACE 0xf0000000U

/* A device may do something when it is opened, so it is looked at before. */
static int open_namespace(const char *path)
{
	int there = open(path, O_PATH | O_CLOEXEC), fd;
	struct statfs fs;
	char link[32];

	if (there < 0)
		return -errno;
	if (fstatfs(there, &fs)) {
		fd = -errno;
	} else if (fs.f_type != NSFS_MAGIC) {
		fd = -EINVAL;
	} else {
		snprintf(link, sizeof(link), "/proc/self/fd/%d", there);
		fd = open(link, O_RDONLY | O_CLOEXEC);
		fd = fd < 0 ? -errno : fd;
	}
	close(there);
	return fd;
}

/* Opens the namespace that -N names; for an inode number there is nothing to open. */
static int open_netns(const char *s, uint32_t *inode, struct text *why)
{
	struct text path = { 0 };
	uint64_t number;
	struct stat st = { 0 };
	const char *reason = NULL;
	int fd;

	if (!num_parse(s, FIRST_NAMESPACE, UINT32_MAX, &number)) {
		*inode = (uint32_t)number;
		return -1;
	}
	if (strchr(s, '/'))
		text_puts(&path, s);
	else if (!num_parse(s, 1, FIRST_NAMESPACE - 1, &number))
		text_printf(&path, "/proc/%s/ns/net", s);
	else
		text_printf(&path, "/run/netns/%s", s);
	fd = open_namespace(text_str(&path));
	if (fd == -EINVAL || (fd >= 0 && ioctl(fd, NS_GET_NSTYPE) != CLONE_NEWNET))
		reason = "it is something else";
	else if (fd < 0 || fstat(fd, &st))
		reason = strerror(fd < 0 ? -fd : errno);
	if (reason) {
		text_puts(why, "-N: ");
		text_add_quoted(why, s, strlen(s));
		text_puts(why, " is no network namespace: ");
		text_add_escaped(why, text_str(&path), path.len, false);
		text_printf(why, ": %s", reason);
		if (fd >= 0)
			close(fd);
		fd = -EINVAL;
	} else {
		*inode = (uint32_t)st.st_ino;
	}
	text_free(&path);
	return fd;
}

static int add_matching(struct question *q, const char *pattern, const struct if_nameindex *list)
{
	int before = q->ninterfaces, i;

	for (; list->if_index; list++) {
		if (fnmatch(pattern, list->if_name, 0))
			continue;
		for (i = 0; i < q->ninterfaces && q->interfaces[i] != list->if_index; i++)
			;
		if (i < q->ninterfaces)
			before = -1; /* named twice */
		else if (i == QUESTION_MAX_INTERFACES)
			return -E2BIG;
		else
			q->interfaces[q->ninterfaces++] = list->if_index;
	}
	return q->ninterfaces == before ? -ENODEV : 0;
}

static void list_names(const struct if_nameindex *list, struct text *out)
{
	const struct if_nameindex *at;

	for (at = list; at->if_index && at - list < 16; at++) {
		text_puts(out, at == list ? "" : ", ");
		text_add_escaped(out, at->if_name, strlen(at->if_name), false);
	}
	text_puts(out, at->if_index ? ", ..." : "");
}

static int find_interfaces(struct question *q, const struct strings *names, struct text *why)
{
	struct if_nameindex *list = if_nameindex();
	int i, err = list ? 0 : -errno;

	if (err)
		text_printf(why, "-I: the interfaces cannot be listed: %s", strerror(-err));
	for (i = 0; list && i < names->n && !err; i++) {
		err = add_matching(q, names->v[i], list);
		if (!err)
			continue;
		text_puts(why, "-I: ");
		text_add_quoted(why, names->v[i], strlen(names->v[i]));
		if (err == -E2BIG) {
			text_printf(why, " matches more than %d interfaces",
				    QUESTION_MAX_INTERFACES);
		} else {
			text_puts(why, " is no interface here; there are ");
			list_names(list, why);
		}
	}
	if (list)
		if_freenameindex(list);
	return err ? -EINVAL : 0;
}

/* Interfaces of another namespace are looked up there. */
static int find_interfaces_in(struct question *q, const struct strings *names, int fd,
			      struct text *why)
{
	int home = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC), err;

	if (home < 0 || setns(fd, CLONE_NEWNET)) {
		text_printf(why, "-N: cannot look into the namespace: %s", strerror(errno));
		err = -EINVAL;
	} else {
		err = find_interfaces(q, names, why);
		if (setns(home, CLONE_NEWNET) && !err) {
			text_printf(why, "-N: cannot come back from the namespace: %s",
				    strerror(errno));
			err = -EINVAL;
		}
	}
	if (home >= 0)
		close(home);
	return err;
}

int nets_find(struct question *q, const struct config *conf, struct text *why)
{
	const char *where = conf->netns ? conf->netns : "/proc/self/ns/net";
	int fd, err = 0;

	if (!conf->netns && !conf->interfaces.n)
		return 0;
	fd = open_netns(where, &q->netns, why);
	if (fd < -1)
		return fd;
	q->netns_set = true;
	if (conf->interfaces.n && fd < 0) {
		text_puts(why, "-I: interfaces cannot be looked up in a namespace that is given by "
			       "its inode number: give -N a name, a path or a process");
		err = -EINVAL;
	} else if (conf->interfaces.n && conf->netns) {
		err = find_interfaces_in(q, &conf->interfaces, fd, why);
	} else if (conf->interfaces.n) {
		err = find_interfaces(q, &conf->interfaces, why);
	}
	if (fd >= 0)
		close(fd);
	return err;
}
