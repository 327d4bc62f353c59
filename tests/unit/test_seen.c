/* SPDX-License-Identifier: MIT */
#include "unit.h"

#include <arpa/inet.h>

#include "app/seen.h"

static struct lnk_event event(const char *src, const char *dst, __u16 ipv6)
{
	struct lnk_event e = { .sport = 1000, .dport = 2000, .ipv6 = ipv6 };

	inet_pton(AF_INET6, src, e.saddr);
	inet_pton(AF_INET6, dst, e.daddr);
	return e;
}

TEST(what_can_be_typed)
{
	struct lnk_event v4 = event("::ffff:10.1.0.1", "::", 0);
	struct lnk_event v6 = event("::ffff:10.1.0.2", "fd00::1", 1);
	static struct seen s, t;

	seen_note(&s, &v4);
	CHECK_STR(seen_address(&s, 0), "10.1.0.1");
	CHECK(!seen_address(&s, 1)); /* a listener's peer is not known */
	CHECK_STR(seen_port(&s, 0), "2000");
	CHECK_STR(seen_port(&s, 1), "1000");
	seen_note(&t, &v6);
	CHECK_STR(seen_address(&t, 0), "fd00::1");
	CHECK(!seen_address(&t, 1)); /* 10.1.0.2 would be another one */
}
