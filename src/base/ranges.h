/* SPDX-License-Identifier: MIT */
/* Lists of addresses and of ports, as the user gives them and as the probes test them. */
#ifndef LNK_RANGES_H
#define LNK_RANGES_H

#include <netinet/in.h>
#include <stdint.h>

#define PREFIXES_MAX 256
#define PORT_RANGES_MAX 1024

/* Which end of a packet is meant. */
enum side {
	SIDE_ANY,
	SIDE_SOURCE,
	SIDE_DESTINATION,
	SIDES
};

struct prefix {
	struct in6_addr address; /* IPv4 as ::ffff:a.b.c.d; bits beyond the length are 0 */
	unsigned int length;     /* 0 to 128: of an IPv4 prefix 96 more */
};

struct prefixes {
	struct prefix v[PREFIXES_MAX];
	int n;
};

struct port_range {
	uint16_t from, to; /* host byte order, both included */
};

struct port_ranges {
	struct port_range v[PORT_RANGES_MAX];
	int n;
};

#endif
