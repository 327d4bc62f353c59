/* SPDX-License-Identifier: MIT */
/* The table as it may be asked for: other columns, times, colours, a narrow terminal. */
#include "unit.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <sys/socket.h>
#include <unistd.h>

#include "golden.h"
#include "sink/interfaces.h"
#include "sink/namespaces.h"
#include "sink/palette.h"
#include "sink/resolver.h"
#include "sink/services.h"
#include "sink/table.h"

/* 2026-11-22 12:27:08.876123 UTC, when the machine was up a day. */
#define WALL_NS 1795350428876123456ULL
#define UPTIME_NS 86400000000000ULL
#define OFFSET_NS ((int64_t)(WALL_NS - UPTIME_NS))

static const struct table_hook hooks[] = {
	{ "netif_receive_skb", "raw tracepoint", "netif_receive_skb", 0, 0 },
	{ "tcp_v4_do_rcv", "kprobe", "tcp_v4_do_rcv", 0xffffffff81a2b3c0, 0 },
	{ "sock_def_readable", "fentry", "sock_def_readable", 0xffffffff819a0000, 0 },
};
#define HOOKS 3

static struct column_list columns;
static struct table_view view;
static struct table *table;
static struct text out;

static void address(__u8 to[16], const char *s)
{
	struct in_addr v4;

	memset(to, 0, 16);
	if (inet_pton(AF_INET, s, &v4) == 1) {
		to[10] = to[11] = 0xff;
		memcpy(to + 12, &v4, 4);
	} else if (*s) {
		CHECK_INT(inet_pton(AF_INET6, s, to), 1);
	}
}

/* Nothing is known but what every event has. */
static struct lnk_record event(__u16 hook, const char *src, const char *dst, __u32 seq,
			       uint64_t later_ns)
{
	struct lnk_record e = { .event = { .time_ns = UPTIME_NS + later_ns,
					   .seq = seq,
					   .ack_seq = 77,
					   .sport = 51136,
					   .dport = 9502,
					   .hook = hook } };

	address(e.event.saddr, src);
	address(e.event.daddr, dst);
	for (int i = 0; i < LNK_MAX_EXTRA; i++)
		e.extra[i] = LNK_UNKNOWN;
	return e;
}

/* Slots from `first` on are given out in the order of the fields. */
static void begin(const char *list, const char *const *own, int first)
{
	struct text why = { 0 };

	setenv("TZ", "CST-8", 1);
	tzset();
	for (; own && *own; own++)
		CHECK_INT(columns_add(&columns, *own, &why), 0);
	CHECK_INT(columns_parse(&columns, list, &why), 0);
	CHECK_STR(text_str(&why), "");
	for (int i = 0; i < columns.nfields; i++)
		columns.field[i].slot = first++;
	CHECK(first <= LNK_MAX_EXTRA);
	view.columns = &columns;
	view.start_ns = UPTIME_NS - 1500000000;
	CHECK_INT(table_open(&table, hooks, HOOKS, false, &view), 0);
}

static void set(struct lnk_record *e, const char *field, __u64 v)
{
	for (int i = 0; i < columns.nfields; i++)
		if (!strcmp(columns.field[i].name, field))
			e->extra[columns.field[i].slot] = v;
}

static void row(struct lnk_record e)
{
	table_row(table, &e, OFFSET_NS, &out);
}

static void end(void)
{
	table_close(table);
	table = NULL;
	columns_free(&columns);
	text_free(&out);
}

/* --- columns ----------------------------------------------------------------------- */

static void every_column(int first)
{
	struct text list = { 0 };

	for (int i = 0; i < column_count; i++)
		text_printf(&list, "%s%s", i ? "," : "", column_table[i].name);
	begin(text_str(&list), NULL, first);
	text_free(&list);
}

TEST(all_columns)
{
	static const char *const small[] = { "len",  "tcp.flags", "tcp.window", "ip.ttl",
					     "cpu",  "srtt_us",   "rto_us",     "cwnd",
					     "rcvq", "sndq",      "mark",       "gso_segs" };
	struct lnk_record e;

	every_column(2);
	table_header(table, &out);
	e = event(0, "10.1.0.1", "10.1.0.2", 1, 0);
	row(e); /* nothing is known */
	for (int i = 0; i < LNK_MAX_EXTRA; i++)
		e.extra[i] = 0;
	row(e);
	e = event(1, "10.1.0.1", "10.1.0.2", 1, 12345);
	set(&e, "len", 1448);
	set(&e, "tcp.flags", 0x18);
	set(&e, "tcp.window", 65535);
	set(&e, "ip.ttl", 64);
	set(&e, "ifindex", 2);
	set(&e, "netns", 4026531840);
	set(&e, "cpu", 127);
	set(&e, "uid", 65534);
	set(&e, "inode", 12345);
	set(&e, "cgroup", 4026);
	set(&e, "state", 1);
	set(&e, "srtt_us", 52);
	set(&e, "rto_us", 204000);
	set(&e, "cwnd", 10);
	set(&e, "retrans", 3);
	set(&e, "rcvq", 131072);
	set(&e, "sndq", 4194304);
	set(&e, "mark", 0xdeadbeef);
	set(&e, "skb", 0xffff888101234500);
	set(&e, "sk", 0xffff888109876000);
	set(&e, "hash", 0xf);
	set(&e, "gso_segs", 17);
	row(e);
	e.event.time_ns += 99999;
	e.event.hook = 2;
	set(&e, "uid", UINT32_MAX);
	set(&e, "inode", 0);
	set(&e, "cgroup", UINT64_MAX - 1);
	set(&e, "netns", LNK_UNKNOWN);
	for (size_t i = 0; i < sizeof(small) / sizeof(small[0]); i++)
		set(&e, small[i], UINT32_MAX);
	row(e);
	check_golden(&out, "table-all-columns.txt");
	end();
}

/* What was asked for and is not collected is not known. */
TEST(columns_without_a_slot)
{
	struct text why = { 0 };
	struct lnk_record e = event(0, "10.1.0.1", "10.1.0.2", 1, 0);

	memset(e.extra, 0, sizeof(e.extra));
	CHECK_INT(columns_parse(&columns, "function,delta,ifname,uid,flags", &why), 0);
	view.columns = &columns;
	CHECK_INT(table_open(&table, hooks, HOOKS, false, &view), 0);
	row(e);
	row(e);
	CHECK_STR(text_str(&out),
		  "[netif_receive_skb]  |            - | -            |      - | -     \n"
		  "[netif_receive_skb]  |            - | -            |      - | -     \n");
	end();
	text_free(&why);
}

static const char *cell_of(struct lnk_record e)
{
	text_reset(&out);
	row(e);
	return strtok(out.s, " \n");
}

TEST(flags_as_tcpdump_has_them)
{
	static const struct {
		__u64 v;
		const char *want;
	} cases[] = { { 0x02, "S" },    { 0x12, "S." },  { 0x10, "." },        { 0x18, "P." },
		      { 0x11, "F." },   { 0x19, "FP." }, { 0x04, "R" },        { 0x14, "R." },
		      { 0x31, "F.U" },  { 0xc2, "SEW" }, { 0xff, "FSRP.UEW" }, { 0, "none" },
		      { 0x100, "none" } };
	struct lnk_record e = event(0, "10.1.0.1", "10.1.0.2", 1, 0);

	begin("flags", NULL, 0);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		e.extra[0] = cases[i].v;
		CHECK_STR(cell_of(e), cases[i].want);
	}
	end();
}

TEST(states_as_ss_has_them)
{
	static const char *const want[] = {
		"0",          "ESTAB",     "SYN-SENT",     "SYN-RECV",   "FIN-WAIT-1",
		"FIN-WAIT-2", "TIME-WAIT", "UNCONN",       "CLOSE-WAIT", "LAST-ACK",
		"LISTEN",     "CLOSING",   "NEW-SYN-RECV", "13"
	};
	struct lnk_record e = event(0, "10.1.0.1", "10.1.0.2", 1, 0);

	begin("state", NULL, 0);
	for (__u64 v = 0; v < sizeof(want) / sizeof(want[0]); v++) {
		e.extra[0] = v;
		CHECK_STR(cell_of(e), want[v]);
	}
	end();
}

TEST(columns_of_the_users_own)
{
	static const char *const own[] = {
		"d=x", "h=x:hex", "i=x:ip", "n=x:ns", "a_name_of_two_dozen_char=x", NULL
	};
	static const int64_t value[] = { 0,         950,       -2,         12345,
					 3200000,   999999999, 1500000000, -1500000000,
					 INT64_MAX, INT64_MIN, 0x0100007f };
	struct lnk_record e = event(0, "10.1.0.1", "10.1.0.2", 1, 0);

	begin("function", own, 0);
	table_header(table, &out);
	row(e);
	for (size_t i = 0; i < sizeof(value) / sizeof(value[0]); i++) {
		for (int k = 0; k < 5; k++)
			e.extra[k] = (__u64)value[i];
		row(e);
	}
	check_golden(&out, "table-user-columns.txt");
	end();
}

/* A packet's previous row, and the last row of all. */
TEST(delta_and_gap)
{
	struct lnk_record e = event(0, "10.1.0.1", "10.1.0.2", 1, 0);
	struct lnk_record other = event(0, "10.1.0.9", "10.1.0.2", 1, 5000);

	begin("function,src,delta,gap", NULL, 0);
	e.extra[0] = 0xffff888101234500;
	other.extra[0] = 0xffff888101234600;
	row(e);
	row(other);
	e.event.hook = 1;
	e.event.time_ns += 12345;
	row(e);
	other.event.hook = 1;
	other.event.time_ns += 1; /* came late */
	row(other);
	e.event.hook = 2;
	e.event.time_ns += 1000000000;
	e.extra[0] = LNK_UNKNOWN; /* there is no packet */
	row(e);
	check_golden(&out, "table-delta.txt");
	end();
}

/* --- names ------------------------------------------------------------------------- */

static void add_interface(struct interfaces *i, int index, const char *name)
{
	struct {
		struct nlmsghdr h;
		struct ifinfomsg info;
		struct rtattr head;
		char name[IF_NAMESIZE];
	} m = { .h = { .nlmsg_len = sizeof(m), .nlmsg_type = RTM_NEWLINK },
		.info = { .ifi_index = index },
		.head = { .rta_len = RTA_LENGTH(IF_NAMESIZE), .rta_type = IFLA_IFNAME } };

	memcpy(m.name, name, strlen(name));
	CHECK_INT(interfaces_take(i, &m, sizeof(m)), 0);
}

static const char *interface_cell(__u64 index, __u64 netns)
{
	struct lnk_record e = event(0, "10.1.0.1", "10.1.0.2", 1, 0);

	set(&e, "ifindex", index);
	set(&e, "netns", netns);
	return cell_of(e);
}

/* The number 2 is our eth0, and something else in every other namespace. */
TEST(interfaces_of_one_namespace_only)
{
	CHECK_INT(interfaces_make(&view.interfaces, 4026531840), 0);
	CHECK_INT(namespaces_open(&view.namespaces, "/nonexistent"), 0);
	add_interface(view.interfaces, 2, "eth0");
	add_interface(view.interfaces, 3, "a\033[2J");
	begin("ifname", NULL, 0);
	CHECK_STR(interface_cell(2, 4026531840), "eth0");
	CHECK_STR(interface_cell(3, 4026531840), "a\\x1b[2J");
	CHECK_STR(interface_cell(9, 4026531840), "9");
	CHECK_STR(interface_cell(2, 4026532999), "2@4026532999");
	CHECK_STR(interface_cell(2, LNK_UNKNOWN), "2@-");
	CHECK_STR(interface_cell(LNK_UNKNOWN, 4026531840), "-");
	end();
	interfaces_close(view.interfaces);
	namespaces_close(view.namespaces);
}

/* A host has its number until the name has come. */
TEST(names_of_hosts_and_ports)
{
	static const char text[] = "echo-port 9502/tcp\n";
	struct lnk_record e = event(1, "10.1.0.1", "10.1.0.2", 1, 0);
	struct resolver_answer a = { .name = "one.example" };
	int pair[2];

	CHECK_INT(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK, 0, pair), 0);
	CHECK_INT(resolver_make(&view.resolver, pair[0]), 0);
	CHECK_INT(services_parse(&view.services, text, strlen(text)), 0);
	begin("src,sport,dst,dport", NULL, 0);
	row(e);
	memcpy(a.address, e.event.saddr, 16);
	CHECK_INT(write(pair[1], &a, sizeof(a)), sizeof(a));
	resolver_refresh(view.resolver, 1);
	row(e);
	CHECK_STR(text_str(&out),
		  "10.1.0.1          | 51136      | 10.1.0.2          | echo-port \n"
		  "one.example       | 51136      | 10.1.0.2          | echo-port \n");
	e.event.ipv6 = 1; /* another address, although it is written the same */
	text_reset(&out);
	row(e);
	CHECK_STR(text_str(&out),
		  "::ffff:10.1.0.1   | 51136      | ::ffff:10.1.0.2   | echo-port \n");
	end();
	resolver_close(view.resolver);
	services_close(view.services);
	close(pair[1]);
}

/* --- time -------------------------------------------------------------------------- */

static void times(enum time_kind kind, bool utc)
{
	view.time = kind;
	view.utc = utc;
	begin("time,seq", NULL, 0);
	table_header(table, &out);
	row(event(0, "10.1.0.1", "10.1.0.2", 1, 0));
	row(event(0, "10.1.0.1", "10.1.0.2", 2, 1999));
	row(event(0, "10.1.0.1", "10.1.0.2", 3, 123876544));
	row(event(0, "10.1.0.1", "10.1.0.2", 4, 123870544)); /* came late */
	row(event(0, "10.1.0.1", "10.1.0.2", 5, 43200000000000));
}

static void times_are(enum time_kind kind, bool utc, const char *golden)
{
	times(kind, utc);
	check_golden(&out, golden);
	end();
}

TEST(time_wall)
{
	times_are(TIME_KIND_WALL, false, "time-wall.txt");
	times_are(TIME_KIND_WALL, true, "time-wall-utc.txt");
}

TEST(time_iso)
{
	times_are(TIME_KIND_ISO, false, "time-iso.txt");
	times_are(TIME_KIND_ISO, true, "time-iso-utc.txt");
}

TEST(time_mono)
{
	times_are(TIME_KIND_MONO, false, "time-mono.txt");
}

TEST(time_start)
{
	times_are(TIME_KIND_START, false, "time-start.txt");
}

TEST(time_delta)
{
	times_are(TIME_KIND_DELTA, false, "time-delta.txt");
}

TEST(time_epoch)
{
	times_are(TIME_KIND_EPOCH, false, "time-epoch.txt");
}

/* West of Greenwich, and half an hour beside. */
TEST(other_time_zones)
{
	struct lnk_record e = event(0, "10.1.0.1", "10.1.0.2", 1, 0);

	view.time = TIME_KIND_ISO;
	begin("time", NULL, 0);
	setenv("TZ", "NST3:30", 1);
	tzset();
	row(e);
	CHECK_STR(text_str(&out), "2026-11-22T08:57:08.876123-03:30\n");
	end();
}

/* --- a terminal -------------------------------------------------------------------- */

static void narrow(size_t width, const char *golden)
{
	begin(NULL, NULL, 0);
	table_set_width(table, width);
	table_header(table, &out);
	row(event(1, "10.1.0.1", "10.1.0.2", 1, 0));
	row(event(1, "255.255.255.255", "255.255.255.255", UINT32_MAX, 1000));
	check_golden(&out, golden);
	end();
}

static size_t longest_line(const char *s)
{
	size_t longest = 0, len;

	for (; *s; s += len + (s[len] == '\n')) {
		len = strcspn(s, "\n");
		if (strncmp(s, "hidden", 6) && len > longest)
			longest = len;
	}
	return longest;
}

TEST(narrow_terminals)
{
	narrow(40, "table-40.txt");
	narrow(80, "table-80.txt");
	narrow(120, "table-120.txt");
}

/* The first column is shown on any terminal; the eight need 149. */
TEST(every_width)
{
	for (size_t width = 1; width <= 160; width++) {
		begin(NULL, NULL, 0);
		CHECK(table_set_width(table, width) == (width < 149));
		table_header(table, &out);
		row(event(1, "10.1.0.1", "10.1.0.2", 1, 0));
		CHECK(longest_line(text_str(&out)) <= (width > 20 ? width : 20));
		CHECK((strstr(text_str(&out), "hidden (the terminal has") != NULL) ==
		      (width < 149));
		end();
	}
}

/* A column that grows leaves less room: a new header says so, above the row. */
TEST(a_column_grows_on_a_terminal)
{
	begin("function,src,dst,seq", NULL, 0);
	CHECK(!table_set_width(table, 80));
	table_header(table, &out);
	row(event(1, "10.1.0.1", "10.1.0.2", 1, 0));
	row(event(1, "2001:db8::1:0:0:1", "2001:db8:1234:5678:9abc:def0:1234:5678", 2, 1000));
	row(event(1, "10.1.0.1", "10.1.0.2", 3, 2000));
	check_golden(&out, "table-grows.txt");
	CHECK(longest_line(text_str(&out)) <= 80);
	end();
}

/* The time of the row before is that of the row before, also when a row is made twice. */
TEST(a_row_made_twice_is_counted_once)
{
	begin("gap,src,seq", NULL, 0);
	table_set_width(table, 48);
	row(event(1, "10.1.0.1", "10.1.0.2", 1, 0));
	text_reset(&out);
	row(event(1, "2001:db8:1234:5678:9abc:def0:1234:5678", "::1", 2, 1500));
	CHECK(strstr(text_str(&out),
		     "hidden (the terminal has 48 columns; -W shows all): src, seq\n"));
	CHECK(strstr(text_str(&out), "\n       1.500\n"));
	end();
}

TEST(a_terminal_that_is_resized)
{
	begin(NULL, NULL, 0);
	CHECK(!table_set_width(table, 149));
	CHECK(table_set_width(table, 148));
	CHECK(!table_set_width(table, 130));
	CHECK(table_set_width(table, 100));
	CHECK(table_set_width(table, 0)); /* it does not tell: nothing is cut */
	CHECK(!table_set_width(table, 1000));
	end();
}

/* --- colour ------------------------------------------------------------------------ */

TEST(colours)
{
	struct lnk_record e = event(0, "10.1.0.1", "10.1.0.2", 1, 0), back = e;
	char there[PALETTE_MAX] = "", again[PALETTE_MAX] = "";

	memcpy(back.event.saddr, e.event.daddr, 16);
	memcpy(back.event.daddr, e.event.saddr, 16);
	back.event.sport = e.event.dport;
	back.event.dport = e.event.sport;
	view.color = true;
	begin("src,sport,dport", NULL, 0);
	table_set_width(table, 30); /* escape sequences take no room */
	row(e);
	row(back);
	check_golden(&out, "table-colours.txt");
	palette_begin(&e.event, there);
	palette_begin(&back.event, again);
	CHECK_STR(there, again);
	end();
}

/* Connections get all of them. */
TEST(colours_differ)
{
	struct lnk_record e = event(0, "10.1.0.1", "10.1.0.2", 1, 0);
	int used[256] = { 0 }, n = 0;
	char s[PALETTE_MAX];

	for (__u16 port = 0; port < 1000; port++) {
		memset(s, 0, sizeof(s));
		e.event.sport = port;
		palette_begin(&e.event, s);
		n += !used[atoi(s + 7) & 255]++;
	}
	CHECK_INT(n, PALETTE_NR);
	for (int i = 0; i < 256; i++)
		CHECK(!used[i] || used[i] >= 50);
}

static double channel(int v)
{
	static const int level[] = { 0, 95, 135, 175, 215, 255 };
	double s = level[v] / 255.0, low = 0, high = 1;

	/* ((s + 0.055) / 1.055) ^ 2.4, without libm: y ^ 5 = x ^ 12 */
	if (s <= 0.03928)
		return s / 12.92;
	s = (s + 0.055) / 1.055;
	s = s * s * s * s * s * s * s * s * s * s * s * s;
	for (int i = 0; i < 60; i++) {
		double mid = (low + high) / 2;

		if (mid * mid * mid * mid * mid < s)
			low = mid;
		else
			high = mid;
	}
	return low;
}

/* WCAG's contrast: 4.5 is asked of running text, 3 of large; none of ours is below 4. */
TEST(colours_can_be_read_on_dark_and_light)
{
	for (int i = 0; i < PALETTE_NR; i++) {
		int c = palette[i] - 16;
		double l = 0.2126 * channel(c / 36) + 0.7152 * channel(c / 6 % 6) +
			   0.0722 * channel(c % 6);

		CHECK((l + 0.05) / 0.05 >= 4);
		CHECK(1.05 / (l + 0.05) >= 4);
	}
}
