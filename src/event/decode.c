/* SPDX-License-Identifier: MIT */
#include "event/decode.h"

#include <errno.h>
#include <string.h>

int event_decode(struct lnk_event_debug *out, const void *data, size_t size, int hooks, bool debug)
{
	size_t want = debug ? sizeof(*out) : sizeof(out->event);

	if (size < want)
		return -EINVAL;
	out->ip = 0;
	memcpy(out, data, want);
	if (out->event.hook >= hooks || out->event.reserved || !out->event.time_ns)
		return -EINVAL;
	return 0;
}
