/* SPDX-License-Identifier: MIT */
#include "bpf/cpus.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/io.h"

#define CPU_DIR "/sys/devices/system/cpu/"
#define CPU_MAX 65536

static int number(const char **p)
{
	char *end;
	long v;

	if (**p < '0' || **p > '9')
		return -EINVAL;
	v = strtol(*p, &end, 10);
	*p = end;
	return v < CPU_MAX ? (int)v : -EINVAL;
}

int cpus_parse(const char *list, void (*use)(void *arg, int cpu), void *arg)
{
	int from, to, top = -1;

	for (;; list++) {
		from = to = number(&list);
		if (from >= 0 && *list == '-') {
			list++;
			to = number(&list);
		}
		if (from < 0 || to < from)
			return -EINVAL;
		if (to > top)
			top = to;
		for (; use && from <= to; from++)
			use(arg, from);
		if (*list == '\0' || *list == '\n')
			return top + 1;
		if (*list != ',')
			return -EINVAL;
	}
}

int cpus_possible(void)
{
	static int possible;
	struct text t = { 0 };
	int err;

	if (possible > 0)
		return possible;
	err = read_file_at(AT_FDCWD, CPU_DIR "possible", &t, 65536);
	possible = err ? err : cpus_parse(text_str(&t), NULL, NULL);
	text_free(&t);
	return possible;
}

bool cpus_may_change(void)
{
	char path[64];
	int cpu;

	for (cpu = 0; cpu < cpus_possible(); cpu++) {
		snprintf(path, sizeof(path), CPU_DIR "cpu%d/online", cpu);
		if (!access(path, F_OK)) /* CPUs that always stay have no such file */
			return true;
		snprintf(path, sizeof(path), CPU_DIR "cpu%d", cpu);
		if (access(path, F_OK)) /* not there yet */
			return true;
	}
	return false;
}

int cpus_online(void (*use)(void *arg, int cpu), void *arg)
{
	static int fd = -1;
	struct text t = { 0 };
	int err;

	if (fd < 0)
		fd = open(CPU_DIR "online", O_RDONLY | O_CLOEXEC);
	if (fd < 0 || lseek(fd, 0, SEEK_SET) < 0)
		return -errno;
	err = read_all(fd, &t, 65536);
	if (!err)
		err = cpus_parse(text_str(&t), use, arg);
	text_free(&t);
	return err < 0 ? err : 0;
}
