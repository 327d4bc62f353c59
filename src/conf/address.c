/* SPDX-License-Identifier: MIT */
#include "conf/address.h"

#include <arpa/inet.h>
#include <errno.h>
#include <string.h>

int address_parse(const char *s, struct in6_addr *out)
{
	struct in6_addr six = { 0 };
	struct in_addr four;

	/* inet_pton(3) takes the whole string or nothing, unlike inet_aton(3), which
	 * reads "10.1" as 10.0.0.1 and "010.0.0.1" as octal. */
	if (inet_pton(AF_INET, s, &four) == 1) {
		six.s6_addr[10] = 0xff;
		six.s6_addr[11] = 0xff;
		memcpy(&six.s6_addr[12], &four, sizeof(four));
	} else if (inet_pton(AF_INET6, s, &six) != 1) {
		return -EINVAL;
	}
	*out = six;
	return 0;
}
