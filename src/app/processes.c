/* SPDX-License-Identifier: MIT */
#include "app/processes.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

_Static_assert(OWNERS_PIDS >= PIDS_MAX && OWNERS_COMMS >= STRINGS_MAX,
	       "there is room for all of them");

/* The process that `id` is a thread of, or itself: /proc has a directory of either. 0: none. */
static uint32_t process_of(uint32_t id)
{
	char line[128];
	uint32_t found = 0;
	FILE *f;

	snprintf(line, sizeof(line), "/proc/%" PRIu32 "/status", id);
	f = fopen(line, "re");
	while (f && !found && fgets(line, sizeof(line), f))
		if (sscanf(line, "Tgid: %" SCNu32, &found) != 1)
			found = 0;
	if (f)
		fclose(f);
	return found;
}

int processes_check(const struct config *conf, struct text *why)
{
	uint32_t pid, process;

	for (int i = 0; i < conf->pids.n; i++) {
		pid = conf->pids.v[i];
		process = process_of(pid);
		if (process == pid)
			continue;
		text_printf(why, "--pid: there is no process %" PRIu32, pid);
		if (process)
			text_printf(why, "; that is a thread of %" PRIu32, process);
		return -EINVAL;
	}
	return 0;
}

void processes_filter(struct owners_filter *f, const struct config *conf)
{
	int i;

	*f = (struct owners_filter){ .pids = (__u32)conf->pids.n, .comms = (__u32)conf->comms.n };
	memcpy(f->pid, conf->pids.v, sizeof(conf->pids.v));
	for (i = 0; i < conf->comms.n; i++)
		snprintf(f->comm[i], sizeof(f->comm[i]), "%s", conf->comms.v[i]);
}

bool processes_same(const struct config *a, const struct config *b)
{
	struct owners_filter fa, fb;

	processes_filter(&fa, a);
	processes_filter(&fb, b);
	return !memcmp(&fa, &fb, sizeof(fa));
}
