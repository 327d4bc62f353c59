/* SPDX-License-Identifier: MIT */
#include "sink/resolver_process.h"

#include <arpa/inet.h>
#include <netdb.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/aside.h"
#include "sink/resolver.h"

bool resolver_is_name(const char *s)
{
	bool letter = false;
	__u8 address[16];
	const char *p;

	for (p = s; *p; p++) {
		if ((*p | 0x20) >= 'a' && (*p | 0x20) <= 'z')
			letter = true;
		else if (!(*p >= '0' && *p <= '9') && *p != '.' && *p != '_' &&
			 (*p != '-' || p == s))
			return false;
	}
	return letter && p - s <= RESOLVER_NAME_MAX && inet_pton(AF_INET6, s, address) != 1;
}

/* --- in the process ---------------------------------------------------------------- */

static void look_up(struct resolver_answer *a)
{
	static const __u8 mapped[12] = { [10] = 0xff, [11] = 0xff };
	struct sockaddr_in6 v6 = { .sin6_family = AF_INET6 };
	struct sockaddr_in v4 = { .sin_family = AF_INET };
	char name[NI_MAXHOST];
	int err;

	memset(a->name, 0, sizeof(a->name));
	if (!memcmp(a->address, mapped, sizeof(mapped))) {
		memcpy(&v4.sin_addr, a->address + 12, 4);
		err = getnameinfo((struct sockaddr *)&v4, sizeof(v4), name, sizeof(name), NULL, 0,
				  NI_NAMEREQD);
	} else {
		memcpy(&v6.sin6_addr, a->address, 16);
		err = getnameinfo((struct sockaddr *)&v6, sizeof(v6), name, sizeof(name), NULL, 0,
				  NI_NAMEREQD);
	}
	/* a name that does not fit would be another one */
	if (!err && strlen(name) <= RESOLVER_NAME_MAX)
		memcpy(a->name, name, strlen(name));
}

static void serve(int fd)
{
	struct resolver_answer a;

	while (read(fd, a.address, sizeof(a.address)) == sizeof(a.address)) {
		look_up(&a);
		if (write(fd, &a, sizeof(a)) != sizeof(a))
			break;
	}
}

int resolver_process(const int pair[2])
{
	const struct aside aside = { .name = "lnk_resolver", .serve = serve };

	return aside_start(&aside, pair);
}
