/* SPDX-License-Identifier: MIT */
#include "app/buffers.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/io.h"
#include "base/log.h"
#include "base/privileges.h"
#include "bpf/counters.h"
#include "bpf/cpus.h"

/* Wake for every so many events, or for a quarter of a ring; the loop looks at the rings by the
 * clock as well. Each wake is an interrupt that the processor sends to itself. */
#define WAKEUP_EVENTS 4096
/* What one event takes of a ring, with the kernel's record header and padding. */
#define EVENT_IN_RING 80

unsigned int buffers_pages(const struct config *conf)
{
	/* 2 MiB a CPU on small hosts; on large ones the rings together should not take more
	 * than some tens of MiB, whatever a page is (arm64: up to 64 KiB) */
	unsigned int bytes = 2 << 20, least = 256 << 10;
	int cpus = cpus_possible(), budget = 4;

	if (conf->buffer_pages)
		return conf->buffer_pages;
	for (; bytes > least && cpus > budget; budget *= 2)
		bytes /= 2;
	return bytes / (unsigned int)sysconf(_SC_PAGESIZE);
}

unsigned int buffers_slots(const struct config *conf)
{
	/* with -s nothing is sent */
	return conf->buffer == BUFFER_SHARED && !conf->stats ? shared_slots(buffers_pages(conf))
							     : 0;
}

int buffers_open_shared(struct session *s)
{
	unsigned int slots = buffers_slots(s->conf);
	int err;

	if (s->program.shared_fd < 0)
		return 0;
	err = shared_open(&s->shared, s->program.shared_fd, s->hooks.n, cpus_possible(), slots,
			  s->extra);
	if (err)
		log_error("cannot map the event buffers: %s; --buffer=perf does without",
			  strerror(-err));
	else
		log_verbose("event buffers: shared memory for %u events of each hook on each CPU",
			    slots);
	return err;
}

static int open_rings_of(struct session *s, unsigned int pages)
{
	/* a small ring must wake us before it is full */
	unsigned int fits = pages * (unsigned int)sysconf(_SC_PAGESIZE) / EVENT_IN_RING;
	unsigned int wakeup = fits / 4 < WAKEUP_EVENTS ? fits / 4 : WAKEUP_EVENTS;
	int err;

	if (s->program.shared_fd >= 0) /* all that comes through them shall wake us */
		pages = wakeup = 1;
	err = rings_open(&s->rings, s->program.events_fd, pages, wakeup);
	if (err || !config_swaps(s->conf))
		return err;
	err = rings_open(&s->spare, -1, pages, wakeup);
	if (err) {
		rings_close(s->rings);
		s->rings = NULL;
	}
	return err;
}

int buffers_open(struct session *s)
{
	unsigned int pages = buffers_pages(s->conf);
	int err;

	if (s->conf->stats) /* nothing is sent */
		return 0;
	err = open_rings_of(s, pages);
	/* EPERM: more than this user may lock in memory */
	while (!s->conf->buffer_pages && pages > 1 && (err == -EPERM || err == -ENOMEM)) {
		pages /= 2;
		err = open_rings_of(s, pages);
	}
	if (err)
		log_error("cannot open the event buffers (%u pages for each CPU): %s%s", pages,
			  err == -EMFILE ? TOO_MANY_FILES : strerror(-err),
			  err == -ENOMEM || err == -EPERM ? "; try a smaller --buffer-pages" : "");
	else if (s->program.shared_fd < 0)
		log_verbose("event buffers: %u pages for each CPU", pages);
	return err ? err : buffers_open_shared(s);
}

int buffers_refresh(struct session *s)
{
	uint64_t *lost, effective;
	int err = cpus_possible();

	if (err < 0)
		return err;
	lost = calloc((size_t)err, sizeof(*lost));
	if (!lost)
		return -ENOMEM;
	err = counters_lost(s->program.counters_fd, lost, s->hooks.n);
	if (!err) {
		effective = privileges_raise();
		/* with shared memory it is not the perf rings that lose events */
		err = rings_refresh(s->rings, s->shared ? NULL : lost);
		if (err >= 0 && s->spare && rings_refresh(s->spare, NULL) < 0)
			log_verbose("a CPU came online: no second event buffer for it");
		privileges_set(effective);
	}
	free(lost);
	return err;
}

/* That there is something to read in shared memory. */
static void on_wakeup(void *arg, int ring, const void *data, size_t size)
{
	(void)arg, (void)ring, (void)data, (void)size;
}

size_t buffers_drain(struct session *s, int first_shared, rings_sample_fn sample, void *arg)
{
	struct shared *sh = s->shared;
	size_t n = 0, woken = 0;
	int i;

	for (i = 0; s->rings && i < rings_count(s->rings); i++)
		*(sh ? &woken : &n) += rings_drain(s->rings, i, sh ? on_wakeup : sample, arg);
	for (i = 0; sh && i < shared_count(sh); i++)
		n += shared_drain(sh, i, first_shared, sample, arg);
	return n;
}
