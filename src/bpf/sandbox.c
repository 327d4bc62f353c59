/* SPDX-License-Identifier: MIT */
/*
 * A private mount namespace, where it can be had, holds two things that vanish with the
 * child: a tmpfs for header trees, and a short /proc/kallsyms.
 *
 * libbcc reads all of kallsyms, 200,000 lines, into a table to find out whether the kernel
 * has bpf_probe_read_kernel() and bpf_probe_read_user(), a third of what the whole compile
 * takes. The kernel says by itself whether it has these helpers; where it has, a kallsyms
 * with just these two symbols tells libbcc the same.
 */
#include "bpf/sandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sched.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "base/io.h"
#include "bpf/kernel.h"
#include "bpf/work_dir.h"

#define KALLSYMS "/proc/kallsyms"

/* The addresses mean nothing, but libbcc finds only what lies where kernels lie. */
static const char short_kallsyms[] = "ffffffff81001000 T bpf_probe_read_user\n"
				     "ffffffff81002000 T bpf_probe_read_kernel\n";

/* Would a mount over `dir` hide `path`? */
static bool hides(const char *dir, const char *path)
{
	size_t n = strlen(dir);

	return path && !strncmp(path, dir, n) && (path[n] == '/' || !path[n]);
}

static void find_installed(char path[PATH_MAX])
{
	char link[256];
	struct utsname un;

	path[0] = '\0';
	if (uname(&un))
		return;
	snprintf(link, sizeof(link), "/lib/modules/%s/build", un.release);
	if (!realpath(link, path))
		path[0] = '\0';
}

static bool mount_work(struct sandbox *box, const char *headers_dir)
{
	static const char *const over[] = { "/tmp", "/run", "/mnt", "/media" };
	char installed[PATH_MAX] = "";
	size_t i;

	find_installed(installed);
	if (unshare(CLONE_NEWNS) || mount("", "/", "", MS_REC | MS_PRIVATE, NULL))
		return false;
	for (i = 0; i < sizeof(over) / sizeof(over[0]); i++)
		if (!hides(over[i], headers_dir) && !hides(over[i], installed) &&
		    !mount("tmpfs", over[i], "tmpfs", MS_NOSUID | MS_NODEV | MS_NOEXEC,
			   "mode=0700")) {
			strcpy(box->work, over[i]);
			return true;
		}
	return false;
}

/* Without CAP_SYS_ADMIN (a process with only CAP_BPF and CAP_PERFMON). The descriptor is the
 * directory's lock, and goes with this process. */
static void make_visible_work(struct sandbox *box)
{
	box->visible = work_dir_make(box->work) >= 0;
	if (!box->visible)
		box->work[0] = '\0';
}

/* Where it fails libbcc reads the long one. */
static void mount_short_kallsyms(const struct sandbox *box)
{
	int dir = open(box->work, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	char path[sizeof(box->work) + sizeof("/kallsyms")];

	if (dir < 0)
		return;
	snprintf(path, sizeof(path), "%s/kallsyms", box->work);
	if (!write_file_at(dir, "kallsyms", short_kallsyms, strlen(short_kallsyms)))
		mount(path, KALLSYMS, NULL, MS_BIND, NULL);
	close(dir);
}

void sandbox_enter(struct sandbox *box, const char *headers_dir)
{
	*box = (struct sandbox){ .visible = false };
	if (!mount_work(box, headers_dir))
		make_visible_work(box);
	else if (kernel_has_probe_reads())
		mount_short_kallsyms(box);
}
