/* SPDX-License-Identifier: MIT */
#include "event/decode.h"

#include <errno.h>
#include <string.h>

int event_decode(struct lnk_record *out, const void *data, size_t size, int hooks, int extra)
{
	size_t want = LNK_RECORD_SIZE(extra);

	if (size < want)
		return -EINVAL;
	memcpy(out, data, want);
	if (out->event.hook >= hooks || out->event.ipv6 > 1 || !out->event.time_ns)
		return -EINVAL;
	return 0;
}
