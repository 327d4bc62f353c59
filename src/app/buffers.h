/* SPDX-License-Identifier: MIT */
/* How large the buffers are that carry events from the probes to us: --buffer-pages. */
#ifndef LNK_BUFFERS_H
#define LNK_BUFFERS_H

#include "conf/config.h"

/* Pages of each CPU's perf ring. */
unsigned int buffers_pages(const struct config *conf);

/* With --buffer=shared the events that each of its rings holds; else 0. */
unsigned int buffers_slots(const struct config *conf);

#endif
