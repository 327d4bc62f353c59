/* SPDX-License-Identifier: MIT */
/* --pid and --comm: whose sockets are shown. */
#ifndef LNK_PROCESSES_H
#define LNK_PROCESSES_H

#include <stdbool.h>

#include "base/text.h"
#include "conf/config.h"
#include "sink/owners.h"

/* Whether all of conf->pids are processes. Returns 0, or -EINVAL with one line in *why. */
int processes_check(const struct config *conf, struct text *why);

/* The filter that conf asks for; its names are those of conf. */
void processes_filter(struct owners_filter *f, const struct config *conf);

/* Whether both ask for the same. */
bool processes_same(const struct config *a, const struct config *b);

#endif
