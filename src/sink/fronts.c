/* SPDX-License-Identifier: MIT */
/*
 * A table of one size; a front takes the place of whatever was kept there. One that is found
 * saves 15 ns, one that is not costs 20 (tests/bench/render.c): so where there are more
 * connections than fit nothing is looked for, but for a try now and then.
 */
#include "sink/fronts.h"

#include <errno.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define FRONTS_BITS 9
/* So many rows are a try; it goes on while so many of them are found, else it rests. */
#define TRY 1024
#define TRY_FOUND 768
#define REST 65536

/* Addresses, ports, hook and family: of an event all but its time and sequence numbers. */
struct key {
	uint64_t addresses[4];
	uint64_t ports_hook;
};
_Static_assert(offsetof(struct lnk_event, daddr) == offsetof(struct lnk_event, saddr) + 16 &&
		       offsetof(struct lnk_event, dport) == offsetof(struct lnk_event, sport) + 2 &&
		       offsetof(struct lnk_event, hook) == offsetof(struct lnk_event, sport) + 4 &&
		       offsetof(struct lnk_event, ipv6) == offsetof(struct lnk_event, sport) + 6,
	       "what is a key is two pieces of the event");

struct front {
	struct key key;
	uint32_t age; /* that of the table, or nothing is kept here */
	uint32_t len;
	char text[FRONT_MAX];
};

struct fronts {
	uint32_t age;
	uint32_t tried, found; /* of this try */
	uint32_t rest;         /* rows until the next one */
	struct front v[1 << FRONTS_BITS];
};

int fronts_open(struct fronts **out)
{
	struct fronts *f = calloc(1, sizeof(*f));

	if (!f)
		return -ENOMEM;
	f->age = 1;
	*out = f;
	return 0;
}

void fronts_close(struct fronts *f)
{
	free(f);
}

void fronts_forget(struct fronts *f)
{
	if (++f->age)
		return;
	memset(f->v, 0, sizeof(f->v)); /* once in four billion times */
	f->age = 1;
}

static inline struct key key_of(const struct lnk_event *e)
{
	struct key k;

	memcpy(k.addresses, e->saddr, sizeof(k.addresses));
	memcpy(&k.ports_hook, &e->sport, sizeof(k.ports_hook));
	return k;
}

/* Without a branch: which of them differ nobody can foretell. */
static inline bool is_same(const struct key *a, const struct key *b)
{
	return !((a->addresses[0] ^ b->addresses[0]) | (a->addresses[1] ^ b->addresses[1]) |
		 (a->addresses[2] ^ b->addresses[2]) | (a->addresses[3] ^ b->addresses[3]) |
		 (a->ports_hook ^ b->ports_hook));
}

static inline size_t place(const struct key *k)
{
	uint64_t h = k->addresses[0] + k->addresses[1] * 3 + k->addresses[2] * 5 +
		     k->addresses[3] * 7 + k->ports_hook * 11;

	return h * 0x9e3779b97f4a7c15 >> (64 - FRONTS_BITS);
}

bool fronts_try(struct fronts *f)
{
	if (f->rest) {
		f->rest--;
		return false;
	}
	if (f->tried++ == TRY) {
		f->rest = f->found < TRY_FOUND ? REST : 0;
		f->tried = f->found = 0;
	}
	return true;
}

char *fronts_put(struct fronts *f, const struct lnk_event *e, char *p)
{
	struct key k = key_of(e);
	const struct front *front = &f->v[place(&k)];

	if (front->age != f->age || !is_same(&front->key, &k))
		return NULL;
	f->found++;
	memcpy(p, front->text, FRONT_MAX);
	return p + front->len;
}

void fronts_keep(struct fronts *f, const struct lnk_event *e, const char *text, size_t len)
{
	struct key k = key_of(e);
	struct front *front = &f->v[place(&k)];

	if (len > FRONT_MAX)
		return;
	front->key = k;
	front->age = f->age;
	front->len = (uint32_t)len;
	memcpy(front->text, text, len);
}
