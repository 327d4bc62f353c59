/* SPDX-License-Identifier: MIT */
/* From the bytes of a perf sample to an event that may be believed. */
#ifndef LNK_DECODE_H
#define LNK_DECODE_H

#include <stddef.h>

#include "probes/event.h"

/*
 * Copies a sample out of the ring. Returns 0, or -EINVAL for a malformed one: too short,
 * a hook number that was never given out, no time, or a family that there is not. Of
 * out->extra only the first `extra` slots are written.
 */
int event_decode(struct lnk_record *out, const void *data, size_t size, int hooks, int extra);

#endif
