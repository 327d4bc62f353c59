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

/* Attaches hook_called_fd(h) at h->symbol. Fills h->told, and h->event where there is an event.
 * Returns a descriptor to close, -ENOENT where the kernel has no such function, or -errno. */
int kprobe_attach(struct hook *h);

/* From here on no events in tracefs: for a process whose kprobes are another one's to keep,
 * which a guard here would take away, and whose counts are not read here. */
void kprobe_avoid_names(void);

/* To be called when its descriptor was closed. The last one with a name ends the guard. */
void kprobe_detached(const struct hook *h);

struct kprobe_count {
	uint64_t hits;    /* h->told == TOLD_BY_EVENT: times that the handler was entered */
	uint64_t skipped; /* calls that were not handed to it */
};

/* Returns 0, or -errno where nobody tells. */
int kprobe_count(const struct hook *h, struct kprobe_count *c);

#endif
