/* SPDX-License-Identifier: MIT */
/* -I and -N: network interfaces and namespaces by name. */
#ifndef LNK_NETS_H
#define LNK_NETS_H

#include "base/text.h"
#include "bpf/question.h"
#include "conf/config.h"

/*
 * Fills q->interfaces and q->netns. An interface's number means something in its
 * namespace only, so -I without -N means the namespace we run in. Returns 0, or -EINVAL
 * with one line in *why.
 */
int nets_find(struct question *q, const struct config *conf, struct text *why);

#endif
