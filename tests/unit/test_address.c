/* SPDX-License-Identifier: MIT */
#include "unit.h"

#include <errno.h>
#include <string.h>

#include "conf/address.h"

static void reads(const char *s, const char *sixteen)
{
	struct in6_addr a;

	memset(&a, 0x55, sizeof(a));
	if (!CHECK_INT(address_parse(s, &a), 0) || !CHECK_MEM(&a, sixteen, 16))
		CHECK_STR("refused or misread", s);
}

static void refuses(const char *s)
{
	struct in6_addr a, before;

	memset(&before, 0x55, sizeof(before));
	a = before;
	if (!CHECK_INT(address_parse(s, &a), -EINVAL) || !CHECK_MEM(&a, &before, 16))
		CHECK_STR("accepted or touched", s);
}

TEST(ipv4_is_mapped)
{
	reads("127.0.0.1", "\0\0\0\0\0\0\0\0\0\0\xff\xff\x7f\0\0\x01");
	reads("255.255.255.255", "\0\0\0\0\0\0\0\0\0\0\xff\xff\xff\xff\xff\xff");
	reads("0.0.0.0", "\0\0\0\0\0\0\0\0\0\0\xff\xff\0\0\0\0");
	reads("10.1.0.2", "\0\0\0\0\0\0\0\0\0\0\xff\xff\x0a\x01\0\x02");
}

TEST(ipv6)
{
	reads("::1", "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\x01");
	reads("::", "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0");
	reads("2001:db8::80:1", "\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\x80\0\x01");
	reads("2001:DB8:0:0:0:0:80:1", "\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\x80\0\x01");
	reads("fe80::1:2:3", "\xfe\x80\0\0\0\0\0\0\0\0\0\x01\0\x02\0\x03");
}

/* Both spellings of one host are one filter. */
TEST(mapped_ipv4_is_ipv4)
{
	reads("::ffff:10.1.0.2", "\0\0\0\0\0\0\0\0\0\0\xff\xff\x0a\x01\0\x02");
	reads("::ffff:a01:2", "\0\0\0\0\0\0\0\0\0\0\xff\xff\x0a\x01\0\x02");
}

TEST(no_ipv4)
{
	refuses("");
	refuses("300.1.1.1");
	refuses("256.0.0.1");
	refuses("1.2.3");
	refuses("10.1");
	refuses("1");
	refuses("1.2.3.4.5");
	refuses("1.2.3.4.");
	refuses(".1.2.3.4");
	refuses("1..2.3");
	refuses("010.0.0.1"); /* octal to some, decimal to others */
	refuses("0x7f.0.0.1");
	refuses("-1.2.3.4");
	refuses("1.2.3.4 ");
	refuses(" 1.2.3.4");
	refuses("1.2.3.4\n");
	refuses("1.2.3.4/24");
	refuses("1.2.3.4:80");
	refuses("4294967297.0.0.1");
	refuses("localhost");
}

TEST(no_ipv6)
{
	refuses(":");
	refuses(":::");
	refuses("::1%eth0");
	refuses("fe80::1%1");
	refuses("[::1]");
	refuses("::1/64");
	refuses("::1 ");
	refuses("1::2::3");
	refuses("1:2:3:4:5:6:7");
	refuses("1:2:3:4:5:6:7:8:9");
	refuses("12345::");
	refuses("g::1");
	refuses("::ffff:300.1.1.1");
	refuses("::1.2.3");
}
