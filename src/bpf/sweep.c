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

static int events_fd = -1;

static int open_events(int flags)
{
	char path[128];

	if (!kernel_tracefs())
		return -1;
	snprintf(path, sizeof(path), "%s/kprobe_events", kernel_tracefs());
	return open(path, flags | O_CLOEXEC);
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

int sweep_dead_kprobes(void)
{
	struct text t = { 0 };
	const char *line, *entry;
	int fd, pid, len, swept = 0;

	fd = open_events(O_RDWR | O_APPEND); /* without O_APPEND all are removed */
	if (fd < 0)
		return 0;
	if (!read_all(fd, &t, EVENTS_MAX))
		for (line = text_str(&t); *line;
		     line += strcspn(line, "\n"), line += *line == '\n') {
			pid = sweep_parse(line, &entry, &len);
			if (pid && kill(pid, 0) && errno == ESRCH && !remove_entry(fd, entry, len))
				swept++;
		}
	text_free(&t);
	close(fd);
	return swept;
}

void sweep_prepare(void)
{
	if (events_fd < 0)
		events_fd = open_events(O_WRONLY | O_APPEND);
}

void sweep_own_kprobe(const char *name)
{
	char entry[256];
	int n = snprintf(entry, sizeof(entry), GROUP "%s" PID_MARK "%d", name, (int)getpid());

	if (events_fd >= 0 && n < (int)sizeof(entry))
		remove_entry(events_fd, entry, n);
}
