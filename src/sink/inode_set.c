/* SPDX-License-Identifier: MIT */
#include "sink/inode_set.h"

#include <stdlib.h>
#include <string.h>

#include "sink/mix.h"

#define FIRST_PLACES 64

/* Where it is, or would be: there is always a free place. */
static struct inode_place *place_of(const struct inode_set *s, uint64_t inode)
{
	size_t i = mix64(inode) & (s->places - 1);

	while (s->v[i].inode && s->v[i].inode != inode)
		i = (i + 1) & (s->places - 1);
	return &s->v[i];
}

static bool grow(struct inode_set *s)
{
	struct inode_set bigger = { .n = s->n, .places = s->places ? 2 * s->places : FIRST_PLACES };

	bigger.v = calloc(bigger.places, sizeof(*bigger.v));
	if (!bigger.v)
		return false;
	for (size_t i = 0; i < s->places; i++)
		if (s->v[i].inode)
			*place_of(&bigger, s->v[i].inode) = s->v[i];
	free(s->v);
	*s = bigger;
	return true;
}

uint32_t *inode_set_put(struct inode_set *s, uint64_t inode, uint32_t who)
{
	struct inode_place *p;

	if (s->n >= s->places / 2 && !grow(s))
		return NULL;
	p = place_of(s, inode);
	if (!p->inode) {
		*p = (struct inode_place){ inode, who };
		s->n++;
	}
	return &p->who;
}

const uint32_t *inode_set_find(const struct inode_set *s, uint64_t inode)
{
	const struct inode_place *p = s->n ? place_of(s, inode) : NULL;

	return p && p->inode ? &p->who : NULL;
}

void inode_set_clear(struct inode_set *s)
{
	if (s->n)
		memset(s->v, 0, s->places * sizeof(*s->v));
	s->n = 0;
}

void inode_set_free(struct inode_set *s)
{
	free(s->v);
	*s = (struct inode_set){ .n = 0 };
}
