/* SPDX-License-Identifier: MIT */
/* Sums over CPUs and hooks, of a map that is played. */
#include "unit.h"

#include <bcc/libbpf.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "bpf/cpus.h"
#include "probes/event.h"

#define CPUS 3
#define HOOKS 4

static int possible, refused_hook;

/* Every field of every hook on every CPU another number. */
static uint64_t number(int hook, int cpu, int field)
{
	return (uint64_t)field * 100 + (uint64_t)hook * 10 + (uint64_t)cpu + 1;
}

static int play_lookup(int map_fd, const int *hook, struct lnk_counters *out)
{
	CHECK_INT(map_fd, 77);
	if (*hook == refused_hook) {
		errno = EPERM;
		return -1;
	}
	for (int cpu = 0; cpu < possible; cpu++)
		out[cpu] = (struct lnk_counters){
			.seen = number(*hook, cpu, 1),
			.filtered = number(*hook, cpu, 2),
			.limited = number(*hook, cpu, 3),
			.lost = number(*hook, cpu, 4),
			.other = number(*hook, cpu, 5),
			.fragment = number(*hook, cpu, 6),
			.unreadable = number(*hook, cpu, 7),
			.bytes = number(*hook, cpu, 8),
		};
	return 0;
}

#define bpf_lookup_elem(fd, key, value) play_lookup(fd, key, value)
#define cpus_possible() (possible)
#include "bpf/counters.c" // NOLINT(bugprone-suspicious-include)

static void begin(void)
{
	possible = CPUS;
	refused_hook = -1;
}

static uint64_t over_cpus(int hook, int field)
{
	uint64_t sum = 0;

	for (int cpu = 0; cpu < CPUS; cpu++)
		sum += number(hook, cpu, field);
	return sum;
}

TEST(sums_over_the_cpus)
{
	struct lnk_counters out[HOOKS];

	begin();
	memset(out, 0xff, sizeof(out));
	CHECK_INT(counters_read(77, out, HOOKS), 0);
	for (int i = 0; i < HOOKS; i++) {
		CHECK_INT(out[i].seen, over_cpus(i, 1));
		CHECK_INT(out[i].filtered, over_cpus(i, 2));
		CHECK_INT(out[i].limited, over_cpus(i, 3));
		CHECK_INT(out[i].lost, over_cpus(i, 4));
		CHECK_INT(out[i].other, over_cpus(i, 5));
		CHECK_INT(out[i].fragment, over_cpus(i, 6));
		CHECK_INT(out[i].unreadable, over_cpus(i, 7));
		CHECK_INT(out[i].bytes, over_cpus(i, 8));
	}
}

/* The first of them only: nothing is written behind. */
TEST(as_many_as_there_are)
{
	struct lnk_counters out[HOOKS];

	begin();
	memset(out, 0xff, sizeof(out));
	CHECK_INT(counters_read(77, out, 2), 0);
	CHECK_INT(out[1].seen, over_cpus(1, 1));
	CHECK(out[2].seen == UINT64_MAX);
	CHECK_INT(counters_read(77, out, 0), 0);
}

TEST(lost_by_cpu)
{
	uint64_t lost[CPUS + 1];

	begin();
	memset(lost, 0xff, sizeof(lost));
	CHECK_INT(counters_lost(77, lost, HOOKS), 0);
	for (int cpu = 0; cpu < CPUS; cpu++) {
		uint64_t want = 0;

		for (int i = 0; i < HOOKS; i++)
			want += number(i, cpu, 4);
		CHECK_INT(lost[cpu], want);
	}
	CHECK(lost[CPUS] == UINT64_MAX);
}

TEST(failures)
{
	struct lnk_counters out[HOOKS];
	uint64_t lost[CPUS];

	begin();
	refused_hook = 2;
	CHECK_INT(counters_read(77, out, HOOKS), -EPERM);
	CHECK_INT(out[2].seen + out[3].seen, 0);
	CHECK_INT(counters_lost(77, lost, HOOKS), -EPERM);
	CHECK_INT(counters_read(77, out, 2), 0);
	possible = -ENOENT;
	CHECK_INT(counters_read(77, out, HOOKS), -ENOENT);
	CHECK_INT(counters_lost(77, lost, HOOKS), -ENOENT);
}
