/* SPDX-License-Identifier: MIT */
#include "app/hold.h"

void hold_note(struct hold *h, struct owners *o, uint64_t inode, uint64_t time_ns)
{
	int i;

	if (owners_judge(o, inode) != OWNERS_OPEN_YET)
		return;
	for (i = h->n - 1; i >= 0 && h->v[i].inode != inode; i--)
		;
	if (i < 0 && h->n == HOLD_SOCKETS)
		return;
	if (i < 0) {
		i = h->n++;
		h->v[i].inode = inode;
		h->v[i].first_ns = h->v[i].last_ns = time_ns;
	}
	if (time_ns < h->v[i].first_ns)
		h->v[i].first_ns = time_ns;
	if (time_ns > h->v[i].last_ns)
		h->v[i].last_ns = time_ns;
}

uint64_t hold_horizon(struct hold *h, struct owners *o, uint64_t now_ns, uint64_t horizon_ns)
{
	uint64_t given_up_ns = now_ns > HOLD_NS ? now_ns - HOLD_NS : 0, from_ns;
	int i = 0;

	while (i < h->n) {
		/* which also asks for what could not be asked for before */
		if (owners_judge(o, h->v[i].inode) != OWNERS_OPEN_YET ||
		    h->v[i].last_ns < given_up_ns) {
			h->v[i] = h->v[--h->n];
			continue;
		}
		from_ns = h->v[i].first_ns > given_up_ns ? h->v[i].first_ns : given_up_ns;
		if (from_ns < horizon_ns && h->rows <= HOLD_ROWS)
			horizon_ns = from_ns;
		i++;
	}
	return horizon_ns;
}
