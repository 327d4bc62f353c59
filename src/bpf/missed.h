/* SPDX-License-Identifier: MIT */
/*
 * Calls that the kernel did not hand to a probe. What a program was skipped for is in
 * bpf_prog_info.recursion_misses (fentry and raw tracepoints: Linux 5.12, before they were
 * not skipped; kprobes and tracepoints: 6.7), what a kprobe was skipped for in
 * kprobe_count().
 */
#ifndef LNK_MISSED_H
#define LNK_MISSED_H

#include "bpf/hooks.h"

/* When all hooks are attached (those that were handed over have begun before), and before
 * they are taken off. */
void missed_begin(struct hooks *hs, int counters_fd);
void missed_end(struct hooks *hs, int counters_fd);

/*
 * For a stub that stays when the program behind it goes: the counts of the place are of the
 * whole time, and they are the new hook's. The handler's hits are the runs of both programs,
 * so they can be compared again when the old one, whose counters these are, has ended.
 */
void missed_hand_over(struct hook *to, struct hook *from);
void missed_settle(struct hooks *now, const struct hooks *before, int counters_fd);

/* Returns false where *missed is not all, or the kernel does not tell. For kprobes to be
 * called after missed_end(). */
bool hook_missed(const struct hook *h, uint64_t *missed);

#endif
