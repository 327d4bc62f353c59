/* SPDX-License-Identifier: MIT */
/*
 * Kprobes that tell what they missed. An interrupt inside the handler of a kprobe runs no
 * other handler on that CPU: the kernel counts those calls, but a kprobe of the perf PMU
 * with a program set on it has no place to read the count from. So, in this order:
 *
 *	a BPF link (Linux 6.7), whose information has the count; it goes with its descriptor
 *	an event in tracefs, whose line in kprobe_profile has it; bpf/guard.h removes it
 *	the perf PMU, where neither can be had: what is missed is not known
 */
#ifndef LNK_KPROBE_H
#define LNK_KPROBE_H

#include "bpf/hooks.h"

/* Attaches h->prog_fd at h->symbol. Fills h->told, and h->event where there is an event.
 * Returns a descriptor to close, -ENOENT where the kernel has no such function, or -errno. */
int kprobe_attach(struct hook *h);

struct kprobe_count {
	uint64_t hits;    /* h->told == TOLD_BY_EVENT: times that the handler was entered */
	uint64_t skipped; /* calls that were not handed to it */
};

/* Returns 0, or -errno where nobody tells. */
int kprobe_count(const struct hook *h, struct kprobe_count *c);

#endif
