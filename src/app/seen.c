/* SPDX-License-Identifier: MIT */
#include "app/seen.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "sink/table.h"

static void note_address(struct seen *s, const __u8 a[16], bool ipv6)
{
	struct in6_addr *at;
	uint32_t h;

	if (ipv6 && IN6_IS_ADDR_V4MAPPED(a)) /* it would be typed as one of IPv4 */
		return;
	/* the last four bytes are an IPv4 address; of an IPv6 one the others matter as well */
	memcpy(&h, a + 12, sizeof(h));
	h ^= (uint32_t)a[3] << 8 | a[7] | (uint32_t)a[11] << 16;
	at = &s->address[h * 2654435761U >> 26];
	if (memcmp(at, a, sizeof(*at)) != 0)
		memcpy(at, a, sizeof(*at));
}

void seen_note(struct seen *s, const struct lnk_event *e)
{
	note_address(s, e->saddr, e->ipv6);
	note_address(s, e->daddr, e->ipv6);
	s->port[e->sport % SEEN_PLACES] = e->sport;
	s->port[e->dport % SEEN_PLACES] = e->dport;
}

const char *seen_address(struct seen *s, int n)
{
	for (int i = 0; i < SEEN_PLACES; i++) {
		if (IN6_IS_ADDR_UNSPECIFIED(&s->address[i]) || n--)
			continue;
		table_address(s->address[i].s6_addr, s->word);
		return s->word;
	}
	return NULL;
}

const char *seen_port(struct seen *s, int n)
{
	for (int i = 0; i < SEEN_PLACES; i++) {
		if (!s->port[i] || n--)
			continue;
		snprintf(s->word, sizeof(s->word), "%u", s->port[i]);
		return s->word;
	}
	return NULL;
}
