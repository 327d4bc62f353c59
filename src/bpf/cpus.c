/* SPDX-License-Identifier: MIT */
#include "bpf/cpus.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>

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

static int read_list(const char *path, void (*use)(void *arg, int cpu), void *arg)
{
	struct text t = { 0 };
	int err;

	err = read_file_at(AT_FDCWD, path, &t, 65536);
	if (!err)
		err = cpus_parse(text_str(&t), use, arg);
	text_free(&t);
	return err;
}

int cpus_possible(void)
{
	return read_list(CPU_DIR "possible", NULL, NULL);
}

int cpus_online(void (*use)(void *arg, int cpu), void *arg)
{
	int n = read_list(CPU_DIR "online", use, arg);

	return n < 0 ? n : 0;
}
