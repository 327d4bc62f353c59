/* SPDX-License-Identifier: MIT */
/* --cgroup: control groups by the path of their directory. */
#ifndef LNK_CGROUPS_H
#define LNK_CGROUPS_H

#include "base/text.h"
#include "bpf/question.h"
#include "conf/config.h"

/* Fills q->cgroups. Returns 0, or -EINVAL with one line in *why. */
int cgroups_find(struct question *q, const struct config *conf, struct text *why);

#endif
