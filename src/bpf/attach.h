/* SPDX-License-Identifier: MIT */
/* Puts a loaded probe function onto its place in the kernel, and takes it off. */
#ifndef LNK_ATTACH_H
#define LNK_ATTACH_H

#include <stdbool.h>

#include "bpf/hooks.h"

/*
 * Attaches one hook that has a program. Fills h->link_fd, h->symbol (and h->event where
 * the kernel only has tracefs kprobes). any_suffix as in kernel_find_symbol(). Returns 0
 * or -errno with the reason in h->why.
 */
int attach_hook(struct hook *h, bool any_suffix);

/* After this no new call of the probe begins; one that is running may still end. */
void detach_hook(struct hook *h);

/*
 * How many calls the kernel says that it did not hand to this probe:
 * bpf_prog_info.recursion_misses (Linux 5.12; for kprobes 6.7). Returns false where that is
 * not all, or the kernel does not tell: nested kprobes are missed without it.
 */
bool hook_missed(const struct hook *h, uint64_t *missed);

#endif
