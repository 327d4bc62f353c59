/* SPDX-License-Identifier: MIT */
/* What is another in a program that took one's place, in words. */
#ifndef LNK_DIFFERENCE_H
#define LNK_DIFFERENCE_H

#include "app/session.h"

/* Lines of the stages that are new, are served by another hook, or are gone. */
void difference_stages(struct text *out, const struct session *now, const struct session *old);

/* "probes/a.c, probes/b.c (new)" */
void difference_parts(struct text *out, const struct source *now, const struct source *before);

#endif
