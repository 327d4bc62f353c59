/* SPDX-License-Identifier: MIT */
/* Puts a loaded probe function onto its place in the kernel, and takes it off. */
#ifndef LNK_ATTACH_H
#define LNK_ATTACH_H

#include <stdbool.h>

#include "bpf/hooks.h"

/*
 * Attaches one hook that has a program. Fills h->link_fd and h->symbol, and for
 * kprobes h->told and h->event. any_suffix as in kernel_find_symbol(). Returns 0
 * or -errno with the reason in h->why.
 */
int attach_hook(struct hook *h, bool any_suffix);

/* After this no new call of the probe begins; one that is running may still end. */
void detach_hooks(struct hooks *hs);

#endif
