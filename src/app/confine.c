/* SPDX-License-Identifier: MIT */
/*
 * Which capabilities the rest of a run needs is asked of the kernel and not of its
 * version. bpf(BPF_MAP_LOOKUP_ELEM) on a descriptor of our own needs none since 5.19, and
 * CAP_BPF before where kernel.unprivileged_bpf_disabled is set. perf_event_open() for a CPU
 * that comes online needs none, CAP_PERFMON or (Debian with its perf_event_paranoid of 3)
 * CAP_SYS_ADMIN.
 */
#include "app/confine.h"

#include <errno.h>
#include <string.h>
#include <time.h>
#include <linux/capability.h>

#include "base/log.h"
#include "base/privileges.h"
#include "bpf/counters.h"
#include "bpf/cpus.h"
#include "bpf/kernel.h"

#define BPF PRIVILEGE(PRIVILEGE_NR_BPF)
#define PERFMON PRIVILEGE(PRIVILEGE_NR_PERFMON)
#define SYS_ADMIN PRIVILEGE(CAP_SYS_ADMIN)
/* A ring larger than a user may lock in memory. */
#define IPC_LOCK PRIVILEGE(CAP_IPC_LOCK)

static bool can_read(const struct session *s)
{
	struct lnk_counters c;

	return !counters_read(s->program.counters_fd, &c, 1);
}

static bool can_open(const struct session *s)
{
	return rings_may_open(s->rings);
}

/* The first, and least, of `tries` with which it can be done. */
static int least(const struct session *s, bool (*can)(const struct session *s),
		 const uint64_t *tries, int n, uint64_t *found)
{
	int i;

	for (i = 0; i < n; i++) {
		privileges_set(tries[i]);
		if (can(s)) {
			*found = tries[i];
			return 0;
		}
	}
	return -EPERM;
}

struct needs {
	bool rings; /* new ones may have to be opened */
	int filter_err;
	uint64_t reading, opening; /* capabilities */
};

static int drop(const struct session *s, struct needs *n)
{
	static const uint64_t read_tries[] = { 0, BPF, SYS_ADMIN };
	static const uint64_t open_tries[] = { 0, PERFMON, SYS_ADMIN };
	int err;

	err = privileges_drop(BPF | PERFMON | SYS_ADMIN | IPC_LOCK, 0);
	if (!err)
		err = least(s, can_read, read_tries, 3, &n->reading);
	/* CAP_SYS_ADMIN only where the filter leaves nothing else to do with it */
	if (!err && n->rings && !least(s, can_open, open_tries, n->filter_err ? 2 : 3, &n->opening))
		n->opening |= IPC_LOCK;
	return err ? err : privileges_drop(n->reading | n->opening, n->reading);
}

static void add_names(struct text *t, uint64_t caps, const char *what_for)
{
	if (!caps)
		return;
	text_printf(t, ",%s%s%s%s (%s)", caps & BPF ? " CAP_BPF" : "",
		    caps & PERFMON ? " CAP_PERFMON" : "", caps & SYS_ADMIN ? " CAP_SYS_ADMIN" : "",
		    caps & IPC_LOCK ? " CAP_IPC_LOCK" : "", what_for);
}

static void say_what_stays(const struct needs *n)
{
	struct text t = { 0 };

	add_names(&t, n->reading, "in use, to read the counters");
	add_names(&t, n->opening, "at rest, for CPUs that come online");
	log_verbose("privileges kept: %s; system calls %s%s", t.len ? t.s + 2 : "none",
		    n->filter_err ? "not filtered: " : "filtered",
		    n->filter_err ? strerror(-n->filter_err) : "");
	text_free(&t);
}

int confine(const struct session *s)
{
	struct needs n = { .rings = s->rings && cpus_may_change() };
	int err;

	/* these remember what they read */
	tzset();
	cpus_possible();
	if (s->conf->debug_func)
		kernel_keep_symbols();
	err = privileges_bar();
	if (!err) {
		n.filter_err = privileges_filter(config_swaps(s->conf));
		err = drop(s, &n);
	}
	if (err)
		log_error("cannot give up privileges: %s", strerror(-err));
	else
		say_what_stays(&n);
	return err;
}
