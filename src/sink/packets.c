/* SPDX-License-Identifier: MIT */
#include "sink/packets.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "sink/mix.h"

#define WAYS 4 /* places that a packet may take */

struct key {
	uint64_t skb;
	__u8 saddr[16], daddr[16];
	__u32 seq, ack_seq;
	__u16 sport, dport;
	__u32 ipv6; /* as long as it is so that there is no padding: keys are compared as bytes */
};

struct packet {
	struct key key;
	uint64_t last_ns; /* 0: an empty place */
	uint64_t passed[LNK_MAX_HOOKS / 64];
	__u16 last_hook;
};

struct packets {
	struct packet v[PACKETS_MAX / WAYS][WAYS];
};

int packets_open(struct packets **out)
{
	*out = calloc(1, sizeof(**out));
	return *out ? 0 : -ENOMEM;
}

void packets_close(struct packets *p)
{
	free(p);
}

static size_t place_of(const struct key *k)
{
	uint64_t h = k->skb ^ ((uint64_t)k->seq << 32 | k->ack_seq);

	return mix64(h ^ mix64((uint64_t)k->sport << 16 | k->dport)) % (PACKETS_MAX / WAYS);
}

/* Its own place, else the one that was used longest ago. */
static struct packet *find(struct packets *p, const struct key *k, bool *known)
{
	struct packet *set = p->v[place_of(k)], *oldest = set;

	for (int i = 0; i < WAYS; i++) {
		*known = set[i].last_ns && !memcmp(&set[i].key, k, sizeof(*k));
		if (*known)
			return &set[i];
		if (set[i].last_ns < oldest->last_ns)
			oldest = &set[i];
	}
	return oldest;
}

static bool has_passed(const struct packet *v, __u16 hook)
{
	return hook != v->last_hook && v->passed[hook / 64] >> hook % 64 & 1;
}

bool packets_note(struct packets *p, const struct lnk_event *e, uint64_t skb, uint64_t *before_ns)
{
	struct key k = { .skb = skb,
			 .seq = e->seq,
			 .ack_seq = e->ack_seq,
			 .sport = e->sport,
			 .dport = e->dport,
			 .ipv6 = e->ipv6 };
	struct packet *v;
	bool known;

	memcpy(k.saddr, e->saddr, sizeof(k.saddr));
	memcpy(k.daddr, e->daddr, sizeof(k.daddr));
	v = find(p, &k, &known);
	known = known && !has_passed(v, e->hook);
	if (!known)
		*v = (struct packet){ .key = k };
	else
		*before_ns = v->last_ns;
	v->last_ns = e->time_ns;
	v->last_hook = e->hook;
	v->passed[e->hook / 64] |= 1ULL << e->hook % 64;
	return known;
}
