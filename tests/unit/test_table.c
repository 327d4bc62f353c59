/* SPDX-License-Identifier: MIT */
#include "unit.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "golden.h"
#include "sink/table.h"

/* 2026-11-22 12:27:08.876123 in the zone of these tests, when the machine was up a day. */
#define WALL_NS 1795350428876123456ULL
#define UPTIME_NS 86400000000000ULL
#define OFFSET_NS ((int64_t)(WALL_NS - UPTIME_NS))

static const struct table_hook hooks[] = {
	{ "netif_receive_skb", "raw tracepoint", "netif_receive_skb", 0, 0 },
	{ "tcp_v4_do_rcv", "kprobe", "tcp_v4_do_rcv", 0xffffffff81a2b3c0, 0 },
	{ "tcp_v6_do_rcv", "fentry", "tcp_v6_do_rcv", 0xffffffff81a4d5e0, 0 },
	{ "sock_def_readable", "fentry", "sock_def_readable", 0xffffffff819a0000, 0 },
	{ "__netif_receive_skb_core", "kprobe", "__netif_receive_skb_core.constprop.0",
	  0xffffffff81b00000, 0 },
	{ NULL, NULL, NULL, 0, 0 }, /* serves no stage */
};

static void address(__u8 out[16], const char *s)
{
	struct in_addr v4;

	memset(out, 0, 16);
	if (inet_pton(AF_INET, s, &v4) == 1) {
		out[10] = out[11] = 0xff;
		memcpy(out + 12, &v4, 4);
	} else if (*s) {
		CHECK_INT(inet_pton(AF_INET6, s, out), 1);
	}
}

/* "" is an address that is not known. */
static struct lnk_record event(__u16 hook, const char *src, __u16 sport, const char *dst,
			       __u16 dport, __u32 seq, __u32 ack_seq)
{
	struct lnk_record e = { .event = { .time_ns = UPTIME_NS,
					   .seq = seq,
					   .ack_seq = ack_seq,
					   .sport = sport,
					   .dport = dport,
					   .hook = hook } };

	address(e.event.saddr, src);
	address(e.event.daddr, dst);
	return e;
}

/* Name of the address, and how often it was asked for. */
static int asked;

static void symbol_at(uint64_t at, struct text *out)
{
	asked++;
	if (at >= 0xffffffff81a2b3c0 && at < 0xffffffff81a2c000)
		text_printf(out, "tcp_v4_do_rcv+0x%llx",
			    (unsigned long long)(at - 0xffffffff81a2b3c0));
}

static struct text out;

static struct table *begin(int n, bool debug)
{
	struct table *t = NULL;

	setenv("TZ", "UTC0", 1);
	tzset();
	CHECK_INT(table_open(&t, hooks, n, debug, NULL), 0);
	table_set_symboliser(t, symbol_at);
	text_reset(&out);
	table_header(t, &out);
	return t;
}

static void row(struct table *t, struct lnk_record e, uint64_t later_ns)
{
	e.event.time_ns += later_ns;
	table_row(t, &e, OFFSET_NS, &out);
}

/* The original's screen, with its milliseconds made microseconds. */
TEST(the_originals_screen)
{
	static const char want[] =
		"KERNEL FUNCTION      | SRC IP            | DST IP            | SRC PORT   | "
		"DST PORT   | SEQ            | ACK SEQ        | TIMESTAMP                 \n"
		"-----------------------------------------------------------------------------"
		"------------------------------------------------------------------------\n"
		"[tcp_v4_do_rcv]      | 10.1.0.1          | 10.1.0.2          | 51136      | "
		"9502       | 3690956168     | 0              | 2026-11-22 12:27:08.876123\n";
	struct table *t = begin(3, false);

	row(t, event(1, "10.1.0.1", 51136, "10.1.0.2", 9502, 3690956168, 0), 0);
	CHECK_STR(text_str(&out), want);
	CHECK_INT(strcspn(out.s, "\n"), 149);
	CHECK_INT(out.len, 3 * 150);
	table_close(t);
	table_close(NULL);
}

TEST(ipv4)
{
	struct table *t = begin(4, false);

	row(t, event(0, "10.1.0.1", 51136, "10.1.0.2", 9502, 3690956168, 0), 0);
	row(t, event(1, "10.1.0.1", 51136, "10.1.0.2", 9502, 3690956168, 0), 12000);
	row(t, event(3, "10.1.0.1", 51136, "10.1.0.2", 9502, 3690956169, 4294967295), 123877000);
	row(t, event(1, "255.255.255.255", 65535, "1.1.1.1", 1, UINT32_MAX, UINT32_MAX), 999876544);
	row(t, event(1, "0.0.0.0", 0, "127.0.0.1", 10, 9, 100), 123876543);
	row(t, event(1, "192.168.100.200", 10000, "9.10.99.100", 9999, 1000000000, 999999999),
	    43200000000000);
	check_golden(&out, "table-ipv4.txt");
	table_close(t);
}

TEST(ipv6)
{
	struct table *t = begin(3, false);

	row(t, event(2, "::1", 51136, "::1", 9502, 3690956168, 77), 0);
	row(t, event(2, "fe80::1", 51136, "fe80::2", 9502, 1, 2), 1000);
	row(t, event(2, "2001:db8:1234:5678:9abc:def0:1234:5678", 51136, "2001:db8::1", 443, 1, 2),
	    2000);
	row(t, event(2, "::1", 1, "::1", 2, 3, 4), 3000);
	row(t, event(2, "2001:db8::1", 443, "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", 1, 2, 3),
	    4000);
	check_golden(&out, "table-ipv6.txt");
	table_close(t);
}

/* A column keeps the width that one cell of it needed, for rows and not for those before. */
TEST(mixed_families)
{
	struct table *t = begin(3, false);

	row(t, event(1, "10.1.0.1", 51136, "10.1.0.2", 9502, 1, 2), 0);
	row(t, event(2, "2001:db8::1:0:0:1", 51136, "2001:db8::2:0:0:2", 9502, 1, 2), 0);
	row(t, event(2, "2001:db8:0:1:1:1:1:1", 51136, "::2", 9502, 1, 2), 0);
	row(t, event(1, "10.1.0.1", 51136, "10.1.0.2", 9502, 1, 2), 0);
	text_puts(&out, "(the header again)\n");
	table_header(t, &out);
	check_golden(&out, "table-mixed.txt");
	table_close(t);
}

/* A listener: no peer, no sequence numbers; and nothing known at all. */
TEST(unknown_addresses)
{
	struct table *t = begin(4, false);

	row(t, event(3, "", 0, "10.1.0.2", 9502, 0, 0), 0);
	row(t, event(3, "", 0, "", 9502, 0, 0), 0);
	row(t, event(3, "", 0, "fe80::2", 9502, 0, 0), 0);
	row(t, event(3, "", 0, "", 0, 0, 0), 0);
	check_golden(&out, "table-unknown.txt");
	table_close(t);
}

static bool begins(const char *s)
{
	return table_begins(s, strlen(s));
}

/* What rows may be added to. */
TEST(text_that_is_a_table)
{
	struct table *t = begin(6, false);
	size_t i;

	CHECK(begins(out.s));
	for (i = 0; i < out.len; i++) /* the beginning of one is none yet */
		CHECK(!table_begins(out.s, i));
	row(t, event(0, "10.1.0.1", 1, "10.1.0.2", 2, 3, 4), 0);
	CHECK(begins(out.s));
	table_close(t);
	text_free(&out);
	CHECK(begins("DST IP            |         rtt | EPOCH(s)   \n"
		     "---------------------------------------------\n"));
	CHECK(!begins(""));
	CHECK(!begins("\n\n"));
	CHECK(!begins("root:x:0:0:root:/root:/bin/bash\ndaemon:x:1:1::/:/bin/sh\n"));
	CHECK(!begins("A title\n-------\n"));
	CHECK(!begins("Title\n-----\n"));
	CHECK(!begins("name | age\n-----+----\n"));
	CHECK(!begins("SEQ | rm -rf\n------------\n"));
	CHECK(!begins("SEQ | \n------\n"));
	CHECK(!begins("SEQ\n--\n"));
	CHECK(!begins("SEQ\n---"));
}

/* A name over 18 characters widens its column from the header on. */
TEST(long_function_names)
{
	struct table *t = begin(5, false);

	row(t, event(4, "10.1.0.1", 51136, "10.1.0.2", 9502, 1, 2), 0);
	row(t, event(1, "10.1.0.1", 51136, "10.1.0.2", 9502, 1, 2), 0);
	check_golden(&out, "table-long-name.txt");
	table_close(t);
}

TEST(the_longest_function_name)
{
	struct table_hook h = { "", "kprobe", "", 0, 0 };
	struct lnk_record e = event(0, "10.1.0.1", 1, "10.1.0.2", 2, 3, 4);
	char name[128], want[200];
	struct table *t;

	memset(name, 'n', 127);
	name[127] = '\0';
	h.shown = name;
	CHECK_INT(table_open(&t, &h, 1, false, NULL), 0);
	text_reset(&out);
	table_header(t, &out);
	CHECK_INT(strcspn(text_str(&out), "\n"), 149 - 20 + 129);
	text_reset(&out);
	table_row(t, &e, OFFSET_NS, &out);
	snprintf(want, sizeof(want), "[%s] | 10.1.0.1 ", name);
	CHECK(!strncmp(text_str(&out), want, strlen(want)));
	CHECK_INT(strcspn(text_str(&out), "\n"), 149 - 20 + 129);
	table_close(t);
}

TEST(debug_lines)
{
	struct lnk_record e = event(1, "10.1.0.1", 51136, "10.1.0.2", 9502, 1, 2);
	struct table *t = begin(6, true);

	e.extra[0] = 0xffffffff81a2b3c5; /* a kprobe, from the registers */
	row(t, e, 0);
	e.extra[0] = 0; /* its address as kallsyms has it */
	row(t, e, 0);
	e.event.hook = 0; /* a raw tracepoint has none */
	row(t, e, 0);
	e.event.hook = 2; /* an address that nobody knows */
	row(t, e, 0);
	e.event.hook = 4; /* a clone */
	e.extra[0] = 0xffffffff81a2b3c5;
	row(t, e, 0);
	check_golden(&out, "table-debug.txt");
	table_close(t);
}

/* kptr_restrict: where kallsyms shows no addresses, what the registers held is not shown
 * either, nor is it looked up. */
TEST(hidden_addresses)
{
	static const struct table_hook hidden = { "f", "kprobe", "f.constprop.0", 0, 1 };
	struct lnk_record e = event(0, "10.1.0.1", 51136, "10.1.0.2", 9502, 1, 2);
	struct table *t;

	CHECK_INT(table_open(&t, &hidden, 1, true, NULL), 0);
	table_set_symboliser(t, symbol_at);
	asked = 0;
	text_reset(&out);
	e.extra[0] = 0xffffffff81a2b3c5;
	row(t, e, 0);
	CHECK(strstr(text_str(&out), "  Debug - Probed at: (kprobe f.constprop.0, its address is "
				     "hidden: kptr_restrict)\n"));
	CHECK(!strstr(text_str(&out), "0x") && !strstr(text_str(&out), "ffffffff"));
	CHECK_INT(asked, 0);
	table_close(t);
}

/* kallsyms is long: it is read for a new address only. */
TEST(a_symbol_is_looked_up_once)
{
	struct lnk_record e = event(1, "10.1.0.1", 1, "10.1.0.2", 2, 3, 4);
	struct table *t = begin(6, true);

	asked = 0;
	e.extra[0] = 0xffffffff81a2b3c5;
	for (int i = 0; i < 5; i++)
		row(t, e, 0);
	CHECK_INT(asked, 1);
	CHECK(strstr(text_str(&out), "tcp_v4_do_rcv+0x5 (kprobe"));
	e.extra[0]++;
	row(t, e, 0);
	CHECK_INT(asked, 2);
	CHECK(strstr(text_str(&out), "tcp_v4_do_rcv+0x6 (kprobe"));
	e.extra[0] = 1;
	text_reset(&out);
	row(t, e, 0);
	row(t, e, 0);
	CHECK_INT(asked, 3);
	CHECK(strstr(text_str(&out), "Probed at: 0x1 (kprobe"));
	table_set_symboliser(t, NULL);
	e.extra[0] = 2;
	text_reset(&out);
	row(t, e, 0);
	CHECK(strstr(text_str(&out), "Probed at: 0x2 (kprobe"));
	table_close(t);
}

/* Another time zone, and a clock that was set between two rows. */
TEST(the_wall_clock)
{
	struct lnk_record e = event(1, "10.1.0.1", 1, "10.1.0.2", 2, 3, 4);
	struct table *t = begin(3, false);

	setenv("TZ", "CST-8", 1);
	tzset();
	text_reset(&out);
	table_row(t, &e, OFFSET_NS, &out);
	CHECK(strstr(text_str(&out), "| 2026-11-22 20:27:08.876123\n"));
	table_row(t, &e, OFFSET_NS - 3600000000000, &out);
	CHECK(strstr(text_str(&out), "| 2026-11-22 19:27:08.876123\n"));
	/* the host has been up for longer than the epoch: only in a wrong clock */
	text_reset(&out);
	table_row(t, &e, -86399000000000, &out);
	CHECK(strstr(text_str(&out), "| 1970-01-01 08:00:01.000000\n"));
	table_close(t);
}

static const char *shown(const char *s)
{
	static char text[INET6_ADDRSTRLEN];
	__u8 a[16];
	size_t n;

	address(a, s);
	memset(text, '?', sizeof(text));
	n = table_address(a, text);
	CHECK_INT(n, strnlen(text, sizeof(text)));
	return text;
}

TEST(addresses)
{
	static const char *const same[] = {
		"0.0.0.0",
		"1.2.3.4",
		"10.20.30.40",
		"9.99.100.255",
		"255.255.255.255",
		"::1",
		"1::",
		"fe80::1",
		"2001:db8::1:0:0:1",
		"2001:db8:0:1:1:1:1:1",
		"ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
		"1234:5678:9abc:def0:1234:5678:9abc:def0",
		"::1.2.3.4",
		"::ffff:0:0:0",
		"64:ff9b::102:304",
		"::fffe:102:304",
	};

	for (size_t i = 0; i < sizeof(same) / sizeof(same[0]); i++)
		CHECK_STR(shown(same[i]), same[i]);
	CHECK_STR(shown("::"), "-");
	CHECK_STR(shown(""), "-");
	CHECK_STR(shown("::ffff:0.0.0.0"), "0.0.0.0");
	CHECK_STR(shown("::ffff:255.255.255.255"), "255.255.255.255");
	CHECK_STR(shown("::ffff:1.2.3.4"), "1.2.3.4");
	CHECK_STR(shown("2001:DB8::A"), "2001:db8::a");
}

/* inet_ntop() is the other opinion. */
TEST(every_octet)
{
	char want[INET_ADDRSTRLEN], s[INET_ADDRSTRLEN];
	__u8 a[16] = { [10] = 0xff, [11] = 0xff };
	char got[INET6_ADDRSTRLEN];

	for (int i = 0; i < 256; i++) {
		a[12] = (__u8)i;
		a[13] = (__u8)(255 - i);
		a[14] = (__u8)(i * 7);
		a[15] = (__u8)(i ^ 0x5a);
		inet_ntop(AF_INET, a + 12, want, sizeof(want));
		CHECK_INT(table_address(a, got), strlen(want));
		CHECK_STR(got, want);
	}
	snprintf(s, sizeof(s), "%d.%d.%d.%d", 0, 9, 10, 99);
	CHECK_STR(shown(s), s);
}

/* The widths are the original's, so no number that fits its type may widen a column. */
TEST(extremes_fit)
{
	struct table *t = begin(3, false);
	size_t len;

	row(t, event(1, "255.255.255.255", 65535, "255.255.255.255", 65535, UINT32_MAX, UINT32_MAX),
	    0);
	len = out.len;
	row(t, event(1, "0.0.0.0", 0, "0.0.0.0", 0, 0, 0), 0);
	CHECK_INT(len, 3 * 150);
	CHECK_INT(out.len, 4 * 150);
	table_close(t);
}
