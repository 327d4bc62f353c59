/* SPDX-License-Identifier: MIT */
/*
 * An entry that some process still has open cannot be removed (EBUSY), so neither a
 * process id that is used again nor one of another pid namespace does harm.
 */
#include "bpf/sweep.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/io.h"
#include "bpf/kernel.h"

#define GROUP "kprobes/"
#define PID_MARK "_bcc_"
#define EVENTS_MAX ((size_t)4 << 20)

int sweep_open_events(void)
{
	char path[128];
	int fd;

	if (!kernel_tracefs())
		return -ENOENT;
	snprintf(path, sizeof(path), "%s/kprobe_events", kernel_tracefs());
	fd = open(path, O_RDWR | O_APPEND | O_CLOEXEC); /* without O_APPEND all are removed */
	return fd < 0 ? -errno : fd;
}

int sweep_parse(const char *line, const char **entry, int *len)
{
	const char *name, *end, *p, *mark = NULL;
	char *rest;
	long pid;

	/* "p:kprobes/NAME FUNCTION", "r4:kprobes/NAME FUNCTION" */
	name = strchr(line, ':');
	if (!name || strncmp(++name, GROUP, strlen(GROUP)))
		return 0;
	*entry = name;
	end = name + strcspn(name, " \n");
	*len = (int)(end - name);
	name += strlen(GROUP);
	if (strncmp(name, SWEEP_KPROBE_PREFIX, strlen(SWEEP_KPROBE_PREFIX)) &&
	    strncmp(name, SWEEP_KRETPROBE_PREFIX, strlen(SWEEP_KRETPROBE_PREFIX)))
		return 0;
	for (p = strstr(name, PID_MARK); p && p < end; p = strstr(p + 1, PID_MARK))
		mark = p + strlen(PID_MARK); /* the last one: functions have any name */
	if (!mark || *mark < '1' || *mark > '9')
		return 0;
	errno = 0;
	pid = strtol(mark, &rest, 10);
	return errno || rest != end || pid > INT_MAX ? 0 : (int)pid;
}

static int remove_entry(int fd, const char *entry, int len)
{
	char line[512];
	int n = snprintf(line, sizeof(line), "-:%.*s\n", len, entry);

	return n < (int)sizeof(line) ? write_all(fd, line, (size_t)n) : -E2BIG;
}

/* Removes the entries of ours that is_it() names. Returns how many of them are left. */
static int remove_those(int fd, bool (*is_it)(pid_t of, pid_t pid), pid_t pid, int *removed)
{
	struct text t = { 0 };
	const char *line, *entry;
	int len, left = 0;
	pid_t of;

	*removed = 0;
	if (!lseek(fd, 0, SEEK_SET) && !read_all(fd, &t, EVENTS_MAX))
		for (line = text_str(&t); *line;
		     line += strcspn(line, "\n"), line += *line == '\n') {
			of = sweep_parse(line, &entry, &len);
			if (!of || !is_it(of, pid))
				continue;
			if (remove_entry(fd, entry, len))
				left++;
			else
				++*removed;
		}
	text_free(&t);
	return left;
}

static bool is_dead(pid_t of, pid_t pid)
{
	(void)pid;
	return kill(of, 0) && errno == ESRCH;
}

static bool is_same(pid_t of, pid_t pid)
{
	return of == pid;
}

int sweep_dead_kprobes(void)
{
	int fd = sweep_open_events(), removed;

	if (fd < 0)
		return 0;
	remove_those(fd, is_dead, 0, &removed);
	close(fd);
	return removed;
}

int sweep_kprobes_of(int fd, pid_t pid)
{
	int removed;

	return remove_those(fd, is_same, pid, &removed);
}

void sweep_name(char *out, size_t size, bool at_return, const char *symbol)
{
	/* an event's name takes only letters, digits and '_' */
	snprintf(out, size, "%s%.100s", at_return ? SWEEP_KRETPROBE_PREFIX : SWEEP_KPROBE_PREFIX,
		 symbol);
	for (; *out; out++, size--)
		if (*out == '.' || *out == '+')
			*out = '_';
	snprintf(out, size, PID_MARK "%d", (int)getpid());
}

static int write_line(const char *line)
{
	int fd = sweep_open_events(), err;

	if (fd < 0)
		return fd;
	err = write_all(fd, line, strlen(line));
	close(fd);
	return err;
}

int sweep_make_kprobe(const char *name, bool at_return, const char *symbol)
{
	char line[512];

	snprintf(line, sizeof(line), "%c:" GROUP "%s %s\n", at_return ? 'r' : 'p', name, symbol);
	return write_line(line);
}

int sweep_remove_kprobe(const char *name)
{
	char line[512];

	snprintf(line, sizeof(line), "-:" GROUP "%s\n", name);
	return write_line(line);
}
