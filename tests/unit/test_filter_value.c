/* SPDX-License-Identifier: MIT */
/* The arguments of the filters: what is taken, as what, and what is refused. */
#include "unit.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "conf/filter_value.h"

/* --- addresses --------------------------------------------------------------------- */

/* A list as one would write it, every IPv4 address as ::ffff:a.b.c.d. */
static const char *prefixes(const struct prefixes *l)
{
	static char s[1000];
	char a[INET6_ADDRSTRLEN];
	size_t n = 0;

	s[0] = '\0';
	for (int i = 0; i < l->n; i++) {
		inet_ntop(AF_INET6, &l->v[i].address, a, sizeof(a));
		n += (size_t)snprintf(s + n, sizeof(s) - n, "%s%s/%u", i ? " " : "", a,
				      l->v[i].length);
	}
	return s;
}

static void takes_prefixes(const char *s, const char *want)
{
	struct prefixes l = { .n = 0 };

	if (!CHECK_INT(prefixes_parse(s, &l), 0) || !CHECK_STR(prefixes(&l), want))
		fprintf(stderr, "  %s\n", s);
}

TEST(addresses_and_networks)
{
	takes_prefixes("10.1.0.2", "::ffff:10.1.0.2/128");
	takes_prefixes("10.1.0.2/32", "::ffff:10.1.0.2/128");
	takes_prefixes("10.0.0.0/8", "::ffff:10.0.0.0/104");
	takes_prefixes("10.1.2.2/31", "::ffff:10.1.2.2/127");
	takes_prefixes("128.0.0.0/1", "::ffff:128.0.0.0/97");
	takes_prefixes("0.0.0.0/0", "::ffff:0.0.0.0/96");
	takes_prefixes("0.0.0.0/1", "::ffff:0.0.0.0/97");
	takes_prefixes("0.0.0.0/31", "::ffff:0.0.0.0/127");
	takes_prefixes("255.255.255.255", "::ffff:255.255.255.255/128");
	takes_prefixes("::1", "::1/128");
	takes_prefixes("::/0", "::/0");
	takes_prefixes("::/127", "::/127");
	takes_prefixes("2001:db8::/32", "2001:db8::/32");
	takes_prefixes("2001:DB8:0:0::/33", "2001:db8::/33");
	takes_prefixes("fe80::/10", "fe80::/10");
	takes_prefixes("8000::/1", "8000::/1");
	takes_prefixes("::ffff:10.1.0.2", "::ffff:10.1.0.2/128");
	takes_prefixes("10.0.0.1,::1,192.168.0.0/16",
		       "::ffff:10.0.0.1/128 ::1/128 ::ffff:192.168.0.0/112");
	takes_prefixes("10.0.0.1,10.0.0.1", "::ffff:10.0.0.1/128 ::ffff:10.0.0.1/128");
}

TEST(bad_addresses)
{
	static const char *const bad[] = {
		"",
		",",
		"10.0.0.1,",
		",10.0.0.1",
		"10.0.0.1,,::1",
		"10.0.0.1 ",
		" 10.0.0.1",
		"10.0.0.1, ::1",
		"10.0.0.1;::1",
		"10",
		"10.1",
		"010.0.0.1",
		"0x0a000001",
		"localhost",
		"::1%lo",
		"[::1]",
		"1.2.3.4.5",
		"256.0.0.1",
		":::",
		"1:2:3:4:5:6:7:8:9",
		/* no packet has it */
		"0.0.0.0",
		"::",
		"::ffff:0.0.0.0",
		"0.0.0.0/32",
		"::/128",
		/* lengths */
		"10.0.0.0/",
		"10.0.0.0/33",
		"10.0.0.0/-1",
		"10.0.0.0/+8",
		"10.0.0.0/ 8",
		"10.0.0.0/8/8",
		"10.0.0.0/255.0.0.0",
		"10.0.0.0/0x8",
		"/8",
		"::/129",
		"::1/",
		"10.0.0.0/4294967304",
		"10.0.0.0/18446744073709551624",
		/* bits behind the length */
		"10.0.0.1/8",
		"10.1.2.3/31",
		"0.0.0.1/0",
		"128.0.0.0/0",
		"2001:db8::1/32",
		"2001:db8::/28",
		"::1/0",
		"::1/127",
		"8000::/0",
		/* an IPv4 network is written as one */
		"::ffff:0:0/96",
		"::ffff:10.0.0.0/104",
		"::ffff:10.0.0.0/8",
		"::ffff:10.0.0.1/128",
		/* as long as no address is */
		"00000000000000000000000000000000000000000000000000000000000000010.0.0.1",
	};
	struct prefixes l = { .n = 0 }, before;
	int err;

	CHECK_INT(prefixes_parse("10.9.9.9", &l), 0);
	before = l;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		err = prefixes_parse(bad[i], &l);
		if (!CHECK(err == -EINVAL || err == -ERANGE) || !CHECK_INT(l.n, before.n))
			fprintf(stderr, "  '%s'\n", bad[i]);
	}
	CHECK_MEM(&l.v[0], &before.v[0], sizeof(l.v[0]));
}

/* Up to the limit, one by one and all at once. */
TEST(many_addresses)
{
	struct prefixes l = { .n = 0 };
	struct text t = { 0 };
	int i;

	for (i = 0; i < PREFIXES_MAX; i++)
		text_printf(&t, "%s10.0.%d.%d", i ? "," : "", i / 100, i % 100);
	CHECK_INT(prefixes_parse(text_str(&t), &l), 0);
	CHECK_INT(l.n, PREFIXES_MAX);
	CHECK_INT(prefixes_parse("10.1.1.1", &l), -E2BIG);
	CHECK_INT(l.n, PREFIXES_MAX);
	l.n = PREFIXES_MAX - 1;
	CHECK_INT(prefixes_parse("10.1.1.1,10.1.1.2", &l), -E2BIG);
	CHECK_INT(l.n, PREFIXES_MAX - 1);
	CHECK_INT(prefixes_parse("10.1.1.1", &l), 0);
	text_puts(&t, ",10.1.1.1");
	l.n = 0;
	CHECK_INT(prefixes_parse(text_str(&t), &l), -E2BIG);
	CHECK_INT(l.n, 0);
	text_free(&t);
}

/* --- ports ------------------------------------------------------------------------- */

static const char *ports(const struct port_ranges *l)
{
	static char s[1000];
	size_t n = 0;

	s[0] = '\0';
	for (int i = 0; i < l->n; i++)
		n += (size_t)snprintf(s + n, sizeof(s) - n, "%s%u-%u", i ? " " : "", l->v[i].from,
				      l->v[i].to);
	return s;
}

static void takes_ports(const char *s, const char *want)
{
	struct port_ranges l = { .n = 0 };

	if (!CHECK_INT(ports_parse(s, 1, 65535, &l), 0) || !CHECK_STR(ports(&l), want))
		fprintf(stderr, "  %s\n", s);
}

TEST(ports_and_ranges)
{
	takes_ports("80", "80-80");
	takes_ports("1", "1-1");
	takes_ports("65535", "65535-65535");
	takes_ports("1-65535", "1-65535");
	takes_ports("80-80", "80-80");
	takes_ports("80,443,8000-8100", "80-80 443-443 8000-8100");
	takes_ports("443,80,80", "443-443 80-80 80-80"); /* sorted and joined later */
	takes_ports("080", "80-80");
}

TEST(bad_ports)
{
	static const char *const bad[] = {
		"",
		",",
		"80,",
		",80",
		"80,,443",
		"80 ",
		" 80",
		"80, 443",
		"0",
		"65536",
		"70000",
		"65616",
		"18446744073709551696",
		"-1",
		"+80",
		"0x50",
		"80x",
		"x",
		"http",
		"80-",
		"-80",
		"-",
		"80-79",
		"80--90",
		"80-90-100",
		"0-80",
		"80-65536",
		"1-0",
		"80:90",
		"80;90",
		"８０",
		"1e3",
		"00000000000000000000000000000000000000000000000000000000000000000000080",
	};
	struct port_ranges l = { .n = 0 };
	int err;

	CHECK_INT(ports_parse("7", 1, 65535, &l), 0);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		err = ports_parse(bad[i], 1, 65535, &l);
		if (!CHECK(err == -EINVAL || err == -ERANGE) || !CHECK_STR(ports(&l), "7-7"))
			fprintf(stderr, "  '%s'\n", bad[i]);
	}
}

TEST(many_ports)
{
	struct port_ranges l = { .n = 0 };
	char s[16];

	for (int i = 0; i < PORT_RANGES_MAX; i++) {
		snprintf(s, sizeof(s), "%d", 2 * i + 1);
		CHECK_INT(ports_parse(s, 1, 65535, &l), 0);
	}
	CHECK_INT(l.v[PORT_RANGES_MAX - 1].to, 2 * PORT_RANGES_MAX - 1);
	CHECK_INT(ports_parse("9", 1, 65535, &l), -E2BIG);
	CHECK_INT(l.n, PORT_RANGES_MAX);
}

/* --- flags and lengths ------------------------------------------------------------- */

static void takes_flags(const char *s, unsigned int on, unsigned int off)
{
	struct tcp_flags f = { 0x55, 0x55 };

	CHECK_INT(tcp_flags_parse(s, &f), 0);
	if (!CHECK_INT(f.on, on) || !CHECK_INT(f.off, off))
		fprintf(stderr, "  %s\n", s);
}

TEST(flags)
{
	static const char *const name[] = {
		"FIN", "SYN", "RST", "PSH", "ACK", "URG", "ECE", "CWR"
	};
	static const char *const bad[] = {
		"",        ",",       "SYN,",     ",SYN",      "SYN,,ACK", "!",
		"!!SYN",   "SYN!",    "SY",       "SYNN",      "SYN ACK",  "SYN, ACK",
		"SYN|ACK", "SYN,SYN", "SYN,!SYN", "!SYN,!SYN", "syn,SYN",  "2",
		"0x2",     "S",       "NS",       "none",
	};
	struct tcp_flags f = { 1, 2 };
	char no[8];

	for (int i = 0; i < 8; i++) {
		takes_flags(name[i], 1U << i, 0);
		snprintf(no, sizeof(no), "!%s", name[i]);
		takes_flags(no, 0, 1U << i);
	}
	takes_flags("syn,!Ack", 2, 16);
	takes_flags("SYN,ACK", 18, 0);
	takes_flags("FIN,SYN,RST,PSH,ACK,URG,ECE,CWR", 255, 0);
	takes_flags("!FIN,!SYN,!RST,!PSH,!ACK,!URG,!ECE,!CWR", 0, 255);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		if (!CHECK_INT(tcp_flags_parse(bad[i], &f), -EINVAL) ||
		    !CHECK(f.on == 1 && f.off == 2))
			fprintf(stderr, "  '%s'\n", bad[i]);
}

static void takes_lengths(const char *s, uint32_t min, uint32_t max)
{
	struct lengths l = { 0 };

	CHECK_INT(lengths_parse(s, &l), 0);
	if (!CHECK(l.set) || !CHECK_INT(l.min, min) || !CHECK_INT(l.max, max))
		fprintf(stderr, "  %s\n", s);
}

TEST(lengths)
{
	static const char *const bad[] = {
		"",
		"-",
		"--",
		"1--2",
		"-1-2",
		"2-1",
		"1,2",
		"x",
		"1x",
		" 1",
		"1 ",
		"+1",
		"0x1",
		"4294967296",
		"1-4294967296",
		"1-x",
		"1-2-3",
		"18446744073709551616",
		"00000000000000000000000000000000000000000000000000000000000000000000001",
	};
	struct lengths l = { true, 3, 4 };
	int err;

	takes_lengths("0", 0, 0);
	takes_lengths("1448", 1448, 1448);
	takes_lengths("1-100", 1, 100);
	takes_lengths("5-5", 5, 5);
	takes_lengths("1-", 1, UINT32_MAX);
	takes_lengths("0-", 0, UINT32_MAX);
	takes_lengths("-100", 0, 100);
	takes_lengths("-0", 0, 0);
	takes_lengths("4294967295", UINT32_MAX, UINT32_MAX);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		err = lengths_parse(bad[i], &l);
		if (!CHECK(err == -EINVAL || err == -ERANGE) ||
		    !CHECK(l.set && l.min == 3 && l.max == 4))
			fprintf(stderr, "  '%s'\n", bad[i]);
	}
}
