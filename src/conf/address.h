/* SPDX-License-Identifier: MIT */
/* Addresses as the user writes them. */
#ifndef LNK_ADDRESS_H
#define LNK_ADDRESS_H

#include <netinet/in.h>

/*
 * Reads a whole IPv4 address in dotted-quad form or a whole IPv6 address; IPv4 becomes
 * ::ffff:a.b.c.d. Returns 0, or -EINVAL for anything else (names, short forms such as
 * "10.1", scopes such as "::1%eth0", prefixes, blanks); *out is then untouched.
 */
int address_parse(const char *s, struct in6_addr *out);

#endif
