/* SPDX-License-Identifier: MIT */
#include "bpf/counters.h"

#include <bcc/libbpf.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "bpf/cpus.h"

/* A per-CPU value takes its size, rounded up to 8, for each possible CPU. */
_Static_assert(sizeof(struct lnk_counters) % 8 == 0, "per-CPU values are 8-byte aligned");

static void add(struct lnk_counters *sum, const struct lnk_counters *c)
{
	sum->seen += c->seen;
	sum->filtered += c->filtered;
	sum->limited += c->limited;
	sum->lost += c->lost;
	sum->other += c->other;
	sum->fragment += c->fragment;
	sum->unreadable += c->unreadable;
	sum->ownerless += c->ownerless;
	sum->bytes += c->bytes;
}

/* Calls use() with the values of hooks [from, to) on every possible CPU. */
static int each_value(int map_fd, int from, int to, void *out,
		      void (*use)(void *out, int hook, int cpu, const struct lnk_counters *c))
{
	int cpus = cpus_possible(), err = 0, i, cpu;
	struct lnk_counters *v;

	if (cpus < 0)
		return cpus;
	v = calloc((size_t)cpus, sizeof(*v));
	if (!v)
		return -ENOMEM;
	for (i = from; i < to && !err; i++) {
		if (bpf_lookup_elem(map_fd, &i, v))
			err = -errno;
		for (cpu = 0; cpu < cpus && !err; cpu++)
			use(out, i, cpu, &v[cpu]);
	}
	free(v);
	return err;
}

static void add_to_hook(void *out, int hook, int cpu, const struct lnk_counters *c)
{
	(void)cpu;
	add((struct lnk_counters *)out + hook, c);
}

int counters_read(int map_fd, struct lnk_counters *out, int n)
{
	memset(out, 0, (size_t)n * sizeof(*out));
	return each_value(map_fd, 0, n, out, add_to_hook);
}

static void add_to_one(void *out, int hook, int cpu, const struct lnk_counters *c)
{
	(void)hook;
	(void)cpu;
	add(out, c);
}

int counters_of(int map_fd, int hook, struct lnk_counters *out)
{
	memset(out, 0, sizeof(*out));
	return each_value(map_fd, hook, hook + 1, out, add_to_one);
}

static void add_lost_of_cpu(void *out, int hook, int cpu, const struct lnk_counters *c)
{
	(void)hook;
	((uint64_t *)out)[cpu] += c->lost;
}

int counters_lost(int map_fd, uint64_t *out, int n)
{
	int cpus = cpus_possible();

	if (cpus < 0)
		return cpus;
	memset(out, 0, (size_t)cpus * sizeof(*out));
	return each_value(map_fd, 0, n, out, add_lost_of_cpu);
}
