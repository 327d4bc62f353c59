/* SPDX-License-Identifier: MIT */
/*
 * Before Linux 6.7 nobody counts the calls that entered a kprobe's handler and found another
 * BPF program at work (bpf_prog_active). But the handler counts its hits and the program its
 * runs: while their difference stays what it was when the hook was attached, there were no
 * such calls. (Calls between the kprobe and its program are in the difference from the
 * start.) A probe that was edited to return early makes the difference grow as well, so one
 * that grows only says that what is known may not be all.
 */
#include "bpf/missed.h"

#include <bcc/libbpf.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <linux/bpf.h>

#include "bpf/counters.h"
#include "bpf/kernel.h"
#include "bpf/kprobe.h"

/* How often a moment without a call is looked for. */
#define TRIES 200

static int count_runs(int counters_fd, int number, uint64_t *runs)
{
	struct lnk_counters c;
	int err = counters_of(counters_fd, number, &c);

	*runs = c.seen + c.other + c.fragment + c.unreadable;
	return err;
}

/* Hits less runs, at a moment at which no call came in between. */
static bool look(const struct hook *h, int number, int counters_fd, struct hook_gap *gap)
{
	struct kprobe_count c;
	uint64_t before, after;
	int i;

	*gap = (struct hook_gap){ .known = false };
	for (i = 0; i < TRIES && !gap->known; i++) {
		if (count_runs(counters_fd, number, &before) || kprobe_count(h, &c) ||
		    count_runs(counters_fd, number, &after))
			return false;
		gap->skipped = c.skipped;
		gap->calls = c.hits - after;
		gap->known = h->told == TOLD_BY_LINK || before == after;
	}
	return true;
}

void missed_begin(struct hooks *hs, int counters_fd)
{
	struct hook *h;
	int i;

	for (i = 0; i < hs->n; i++) {
		h = &hs->v[i];
		if (h->link_fd < 0 || h->told == TOLD_BY_NONE || h->gap.begun)
			continue;
		if (look(h, i, counters_fd, &h->gap))
			h->gap.begun = true;
		else
			h->told = TOLD_BY_NONE;
	}
}

void missed_end(struct hooks *hs, int counters_fd)
{
	struct hook_gap end;
	struct hook *h;
	int i;

	for (i = 0; i < hs->n; i++) {
		h = &hs->v[i];
		if (h->link_fd < 0 || h->told == TOLD_BY_NONE || !look(h, i, counters_fd, &end))
			continue;
		h->skipped = end.skipped - h->gap.skipped;
		h->skipped_all = h->gap.known && end.known &&
				 (h->told == TOLD_BY_LINK || end.calls == h->gap.calls);
	}
}

void missed_hand_over(struct hook *to, struct hook *from)
{
	to->told = from->told;
	to->gap = from->gap;
	strcpy(to->event, from->event);
	from->event[0] = '\0';
	to->gap.pending = to->gap.pending || (to->gap.known && to->told == TOLD_BY_EVENT);
	to->gap.known &= !to->gap.pending;
	/* of what was missed nothing is left to it */
	from->told = TOLD_BY_NONE;
	from->skipped = 0;
	from->skipped_all = true;
}

void missed_settle(struct hooks *now, const struct hooks *before, int counters_fd)
{
	struct hook *h;
	uint64_t runs;
	int i, k;

	for (i = 0; i < before->n; i++) {
		k = hooks_find(now, before->v[i].kind, before->v[i].target);
		h = k < 0 ? NULL : &now->v[k];
		if (!h || !h->gap.pending || count_runs(counters_fd, i, &runs))
			continue;
		h->gap.calls += runs;
		h->gap.known = true;
		h->gap.pending = false;
	}
}

bool hook_missed(const struct hook *h, uint64_t *missed)
{
	struct bpf_prog_info info;
	uint32_t len = sizeof(info);

	memset(&info, 0, sizeof(info));
	*missed = h->skipped;
	if (hook_called_fd(h) < 0 || bpf_obj_get_info(hook_called_fd(h), &info, &len))
		return false;
	/* a kernel without the field has no recursion to prevent either (5.12 brought both) */
	if (len >= offsetof(struct bpf_prog_info, recursion_misses) + sizeof(info.recursion_misses))
		*missed += info.recursion_misses;
	switch (h->kind) {
	case HOOK_KPROBE:
	case HOOK_KRETPROBE:
		return h->skipped_all;
	case HOOK_TRACEPOINT:
		return kernel_is_since(6, 7);
	default:
		return true;
	}
}
