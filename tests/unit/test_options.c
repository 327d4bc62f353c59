/* SPDX-License-Identifier: MIT */
#include "unit.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "conf/address.h"
#include "conf/option_table.h"
#include "conf/options.h"

#define SEC 1000000000ULL
#define ADDRESSES                                                                                  \
	"is not a host's IPv4 or IPv6 address, a network such as 10.0.0.0/8 with no bit set "      \
	"beyond its length, or a list of these with commas"
#define PORTS                                                                                      \
	"is not a port (1 to 65535), a range such as 8000-8100, or a list of these with commas"
#define ARGV(...) ((char *[]){ "linux_net_kernel", __VA_ARGS__, NULL })

static int parse(struct config *c, char **argv, struct text *why)
{
	int argc = 0;

	while (argv[argc])
		argc++;
	return options_parse(c, argc, argv, why);
}

static void accepts(struct config *c, char **argv)
{
	struct text why = { 0 };

	CHECK_INT(parse(c, argv, &why), 0);
	CHECK_STR(text_str(&why), "");
	text_free(&why);
}

static void refuses(const char *want, char **argv)
{
	struct text why = { 0 };
	struct config c;

	CHECK_INT(parse(&c, argv, &why), -EINVAL);
	CHECK_STR(text_str(&why), want);
	text_free(&why);
}

TEST(defaults)
{
	struct config c;

	memset(&c, 0x55, sizeof(c));
	accepts(&c, ((char *[]){ "linux_net_kernel", NULL }));
	for (int i = 0; i < SIDES; i++)
		CHECK(!c.addresses[i].n && !c.ports[i].n);
	CHECK(!c.ipv4 && !c.ipv6 && !c.flags.on && !c.flags.off && !c.len.set);
	CHECK(!c.interfaces.n && !c.netns && !c.where && !c.filter && !c.words);
	CHECK(!c.stats && !c.verbose && !c.debug_func);
	CHECK(!c.dump_source && !c.check && !c.help && !c.version);
	CHECK_INT(c.count, 0);
	CHECK_INT(c.duration_ns, 0);
	CHECK_INT(c.interval_ns, SEC);
	CHECK_INT(c.interval_count, 0);
	CHECK_INT(c.attach, ATTACH_AUTO);
	CHECK_INT(c.rate, 10000);
	CHECK_INT(c.buffer_pages, 0); /* by the number of CPUs */
	CHECK_STR(c.headers, "auto");
	CHECK(!c.probe_dir);
}

TEST(no_argv_at_all)
{
	struct text why = { 0 };
	struct config c;

	CHECK_INT(options_parse(&c, 0, (char *[]){ NULL }, &why), 0);
	CHECK_INT(c.rate, 10000);
	text_free(&why);
}

/* The one port, or the one address, that was asked for. */
static unsigned int only_port(const struct config *c)
{
	const struct port_ranges *l = &c->ports[SIDE_ANY];

	return l->n == 1 && l->v[0].from == l->v[0].to ? l->v[0].from : 0;
}

static bool only_address(const struct config *c, const char *want)
{
	const struct prefixes *l = &c->addresses[SIDE_ANY];
	struct in6_addr a;

	return !address_parse(want, &a) && l->n == 1 && l->v[0].length == 128 &&
	       !memcmp(&l->v[0].address, &a, sizeof(a));
}

TEST(everything_short)
{
	struct config c;

	accepts(&c, ARGV("-i", "10.1.0.2", "-p", "443", "-vd", "-R", "5", "-c", "7", "-D", "2.5"));
	CHECK(only_address(&c, "10.1.0.2"));
	CHECK_INT(only_port(&c), 443);
	CHECK(c.verbose && c.debug_func);
	CHECK_INT(c.rate, 5);
	CHECK_INT(c.count, 7);
	CHECK_INT(c.duration_ns, 5 * SEC / 2);
	accepts(&c, ARGV("-i::1", "-p65535", "-R0", "-hV"));
	CHECK_INT(only_port(&c), 65535);
	CHECK_INT(c.rate, 0);
	CHECK(c.help && c.version);
}

TEST(everything_long)
{
	struct config c;

	accepts(&c, ARGV("--ip=2001:db8::1", "--port", "1", "--stats", "--verbose", "--debug-func",
			 "--rate=1000000000", "--count=1", "--duration=0.001",
			 "--buffer-pages=65536", "--attach=kprobe", "--headers=btf",
			 "--probe-dir=/", "--dump-source", "--check", "--help", "--version"));
	CHECK(only_address(&c, "2001:db8::1"));
	CHECK(c.stats && c.verbose && c.debug_func);
	CHECK(c.dump_source && c.check && c.help && c.version);
	CHECK_INT(only_port(&c), 1);
	CHECK_INT(c.rate, 1000000000);
	CHECK_INT(c.count, 1);
	CHECK_INT(c.duration_ns, SEC / 1000);
	CHECK_INT(c.buffer_pages, 65536);
	CHECK_INT(c.attach, ATTACH_KPROBE);
	CHECK_STR(c.headers, "btf");
	CHECK_STR(c.probe_dir, "/");
}

TEST(the_looks_of_the_table)
{
	struct config c;

	accepts(&c, ARGV("-v"));
	CHECK(!c.columns && !c.col.n && !c.utc && !c.wide && !c.numeric && !c.resolve);
	CHECK_INT(c.time, TIME_MODE_WALL);
	CHECK_INT(c.color, COLOR_AUTO);
	accepts(&c, ARGV("-o", "-seq,+len", "-t", "iso", "-Wn", "--utc", "--color=never", "--col",
			 "a=1", "--col=b=2:hex"));
	CHECK_STR(c.columns, "-seq,+len");
	CHECK_INT(c.time, TIME_MODE_ISO);
	CHECK_INT(c.color, COLOR_NEVER);
	CHECK(c.wide && c.numeric && c.utc);
	CHECK_INT(c.col.n, 2);
	CHECK_STR(c.col.v[0], "a=1");
	CHECK_STR(c.col.v[1], "b=2:hex");
	for (int i = 0; i < TIME_MODE_NR; i++) {
		accepts(&c, ARGV("--time", (char *)time_mode_name[i]));
		CHECK_INT(c.time, i);
	}
	refuses("--columns: given more than once (now 'ack'); it takes one value",
		ARGV("-o", "seq", "--columns=ack", "-o", "ack"));
	refuses("-n and --resolve: names are shown, or numbers", ARGV("--resolve", "-n"));
}

TEST(attach_modes)
{
	struct config c;

	for (int i = 0; i < ATTACH_NR; i++) {
		accepts(&c, ARGV("--attach", (char *)attach_mode_name[i]));
		CHECK_INT(c.attach, i);
	}
	CHECK(!attach_mode_name[ATTACH_NR]);
	refuses("--attach: 'kprobes' is not one of auto, fentry, kprobe or tracepoint",
		ARGV("--attach", "kprobes"));
	refuses("--attach: '' is not one of auto, fentry, kprobe or tracepoint", ARGV("--attach="));
}

TEST(header_sources)
{
	static const char *const good[] = {
		"auto", "btf", "installed", "kheaders", "/usr/src/linux", "./h", "linux/", ".", ".."
	};
	struct config c;

	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		accepts(&c, ARGV("--headers", (char *)good[i]));
		CHECK_STR(c.headers, good[i]);
	}
	refuses("--headers: 'bft' is not one of auto, btf, installed or kheaders, nor a directory "
		"with a '/' in its name",
		ARGV("--headers=bft"));
	refuses("--headers: '' is not one of auto, btf, installed or kheaders, nor a directory "
		"with a '/' in its name",
		ARGV("--headers", ""));
}

TEST(intervals)
{
	struct config c;

	accepts(&c, ARGV("-s"));
	CHECK(c.stats);
	CHECK_INT(c.interval_ns, SEC);
	accepts(&c, ARGV("-s", "5"));
	CHECK_INT(c.interval_ns, 5 * SEC);
	CHECK_INT(c.interval_count, 0);
	accepts(&c, ARGV("-s", "0.1", "12"));
	CHECK_INT(c.interval_ns, SEC / 10);
	CHECK_INT(c.interval_count, 12);
	/* Wherever they stand. */
	accepts(&c, ARGV("5", "-p", "80", "12", "-s"));
	CHECK_INT(c.interval_ns, 5 * SEC);
	CHECK_INT(c.interval_count, 12);
	CHECK_INT(only_port(&c), 80);
	accepts(&c, ARGV("-s", "--", "2", "3"));
	CHECK_INT(c.interval_ns, 2 * SEC);
	CHECK_INT(c.interval_count, 3);
}

TEST(bad_intervals)
{
	refuses("interval: '0' is not a time in seconds (0.1 to 86400)", ARGV("-s", "0"));
	refuses("interval: '0.09' is not a time in seconds (0.1 to 86400)", ARGV("-s", "0.09"));
	refuses("interval: '86401' is not a time in seconds (0.1 to 86400)", ARGV("-s", "86401"));
	refuses("count: '0' is not a whole number (1 to 1000000000000000)", ARGV("-s", "1", "0"));
	refuses("count: '1.5' is not a whole number (1 to 1000000000000000)",
		ARGV("-s", "1", "1.5"));
	refuses("surplus argument '3'; -s takes an interval and a count",
		ARGV("-s", "1", "2", "3", "x"));
}

TEST(surplus_arguments)
{
	refuses("surplus argument '1'; an interval and a count are given only with -s",
		ARGV("-v", "1", "2", "3"));
	refuses("surplus argument '.5'; an interval and a count are given only with -s",
		ARGV(".5", "tcp"));
}

/* What is no option and no number of -s is one tcpdump expression. */
TEST(expressions)
{
	static const struct {
		char *argv[8];
		const char *want;
	} cases[] = {
		{ { "l", "tcp", "port", "80" }, "tcp port 80" },
		{ { "l", "tcp port 80" }, "tcp port 80" },
		{ { "l", "tcp", "-v", "port", "80" }, "tcp port 80" },
		{ { "l", "-s", "tcp" }, "tcp" },
		{ { "l", "-s", "1", "tcp", "port", "80" }, "tcp port 80" },
		{ { "l", "-s", "1", "2", "tcp" }, "tcp" },
		{ { "l", "-v", "--", "-x", "!" }, "-x !" },
		{ { "l", "" }, "" },
		{ { "l", "-" }, "-" },
		{ { "l", "10.0.0.1" }, "10.0.0.1" },
		{ { "l", "--filter", "port 80" }, "port 80" },
	};
	struct config c;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		accepts(&c, (char **)cases[i].argv);
		CHECK_STR(c.filter ? c.filter : "none", cases[i].want);
		options_free(&c);
	}
	refuses("there are two expressions: --filter, and 'tcp'", ARGV("--filter", "ip", "tcp"));
	accepts(&c, ARGV("-s", "3"));
	CHECK(!c.filter && !c.words);
}

TEST(filters)
{
	struct config c;

	accepts(&c, ARGV("-i", "10.0.0.0/8,::1", "--ip=10.0.0.1", "--src", "1.2.3.4",
			 "--dst=::/0,1.1.1.1", "-p80,90-91", "--port", "443", "--sport=1-2",
			 "--dport", "65535", "-4"));
	CHECK_INT(c.addresses[SIDE_ANY].n, 3);
	CHECK_INT(c.addresses[SIDE_SOURCE].n, 1);
	CHECK_INT(c.addresses[SIDE_DESTINATION].n, 2);
	CHECK_INT(c.addresses[SIDE_DESTINATION].v[0].length, 0);
	CHECK_INT(c.ports[SIDE_ANY].n, 3);
	CHECK_INT(c.ports[SIDE_SOURCE].v[0].to, 2);
	CHECK_INT(c.ports[SIDE_DESTINATION].v[0].from, 65535);
	CHECK(c.ipv4 && !c.ipv6);
	accepts(&c, ARGV("-6", "-I", "eth*", "--interface=lo", "-N", "blue", "--flags", "syn,!ACK",
			 "--len=1-", "--where", "len > 1"));
	CHECK(c.ipv6 && !c.ipv4);
	CHECK_INT(c.interfaces.n, 2);
	CHECK_STR(c.interfaces.v[0], "eth*");
	CHECK_STR(c.interfaces.v[1], "lo");
	CHECK_STR(c.netns, "blue");
	CHECK_STR(c.where, "len > 1");
	CHECK_INT(c.flags.on, 2);
	CHECK_INT(c.flags.off, 16);
	CHECK(c.len.set && c.len.min == 1 && c.len.max == UINT32_MAX);
	refuses("-4 and -6 exclude each other: leave both away to see both", ARGV("-4", "-6"));
	refuses("-N: given more than once (now 'b'); it takes one value",
		ARGV("-N", "a", "-N", "b"));
	refuses("--flags: given more than once (now 'ACK'); it takes one value",
		ARGV("--flags=SYN", "--flags", "ACK"));
	refuses("--flags: 'SYN,SYN' is not a list of FIN, SYN, RST, PSH, ACK, URG, ECE, CWR with "
		"commas, each at most once, with '!' for those that must not be set",
		ARGV("--flags", "SYN,SYN"));
	refuses("--len: '5-3' is not a number of bytes (0 to 4294967295), or a range such as "
		"1-100, "
		"1- or -100",
		ARGV("--len", "5-3"));
}

/* What no packet can be is not watched for in silence. */
TEST(families)
{
	static const char only_6[] = "-4: -i, --src or --dst has addresses of IPv6 only: no packet "
				     "would be shown",
			  only_4[] = "-6: -i, --src or --dst has addresses of IPv4 only: no packet "
				     "would be shown",
			  mixed[] = "-i, --src and --dst: some have addresses of IPv4 only, others "
				    "of IPv6 only: no packet would be shown";
	struct config c;

	refuses(only_6, ARGV("-4", "-i", "::1"));
	refuses(only_6, ARGV("-4", "--src", "fe80::/10,::/0"));
	refuses(only_6, ARGV("-i", "10.0.0.1,::1", "--dst", "::1", "-4"));
	refuses(only_4, ARGV("-6", "-i", "127.0.0.1"));
	refuses(only_4, ARGV("-6", "-i", "::ffff:127.0.0.1"));
	refuses(only_4, ARGV("-6", "--dst", "0.0.0.0/0"));
	refuses(mixed, ARGV("--src", "10.0.0.1", "--dst", "::1"));
	refuses(mixed, ARGV("--src", "10.0.0.0/8", "-i", "::1"));
	accepts(&c, ARGV("-4", "-i", "::1,10.0.0.1"));
	accepts(&c, ARGV("-6", "-i", "::1,10.0.0.1"));
	accepts(&c, ARGV("--src", "10.0.0.1,::1", "--dst", "::2"));
	accepts(&c, ARGV("-4", "--src", "0.0.0.0/0"));
	accepts(&c, ARGV("-6", "--src", "::/0"));
}

/* One option too many, and one item too many in it. */
TEST(filters_without_end)
{
	char *argv[PREFIXES_MAX + 3] = { "linux_net_kernel" };
	struct config c;
	int i;

	for (i = 1; i <= PREFIXES_MAX; i++)
		argv[i] = "-i10.0.0.1";
	argv[i] = NULL;
	accepts(&c, argv);
	CHECK_INT(c.addresses[SIDE_ANY].n, PREFIXES_MAX);
	argv[i++] = "-i10.0.0.2";
	argv[i] = NULL;
	refuses("-i: '10.0.0.2' is more than there is room for: at most 256", argv);
}

TEST(bad_addresses)
{
	refuses("-i: '300.1.1.1' " ADDRESSES, ARGV("-i", "300.1.1.1"));
	refuses("-i: '' " ADDRESSES, ARGV("-i", ""));
	refuses("-i: '1.2.3' " ADDRESSES, ARGV("-i", "1.2.3"));
	refuses("--ip: '::1%eth0' " ADDRESSES, ARGV("--ip=::1%eth0"));
	refuses("--ip: '' " ADDRESSES, ARGV("--ip="));
	refuses("-i: '-v' " ADDRESSES, ARGV("-i", "-v"));
}

TEST(bad_ports)
{
	static const char *const bad[] = { "0", "65536", "70000", "80x", "-1", "", "65616", "+80" };
	struct text want = { 0 };

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		text_reset(&want);
		text_printf(&want, "-p: '%s' " PORTS, bad[i]);
		refuses(text_str(&want), ARGV("-p", (char *)bad[i]));
		text_reset(&want);
		text_printf(&want, "--port: '%s' " PORTS, bad[i]);
		refuses(text_str(&want), ARGV("--port", (char *)bad[i]));
	}
	text_free(&want);
}

TEST(bad_numbers)
{
	refuses("-R: '-5' is not a whole number (0 to 1000000000)", ARGV("-R", "-5"));
	refuses("--rate: '1000000001' is not a whole number (0 to 1000000000)",
		ARGV("--rate=1000000001"));
	refuses("-R: '' is not a whole number (0 to 1000000000)", ARGV("-R", ""));
	refuses("-c: '0' is not a whole number (1 to 1000000000000000)", ARGV("-c", "0"));
	refuses("-c: '99999999999999999999' is not a whole number (1 to 1000000000000000)",
		ARGV("-c", "99999999999999999999"));
	refuses("-D: '0' is not a time in seconds (more than 0, at most 315360000)",
		ARGV("-D", "0"));
	refuses("-D: '-1' is not a time in seconds (more than 0, at most 315360000)",
		ARGV("-D", "-1"));
	refuses("-D: '1m' is not a time in seconds (more than 0, at most 315360000)",
		ARGV("-D", "1m"));
	refuses("--buffer-pages: '0' is not a power of two (1 to 65536)",
		ARGV("--buffer-pages", "0"));
	refuses("--buffer-pages: '3' is not a power of two (1 to 65536)",
		ARGV("--buffer-pages", "3"));
	refuses("--buffer-pages: '131072' is not a power of two (1 to 65536)",
		ARGV("--buffer-pages=131072"));
	refuses("--buffer-pages: '4294967296' is not a power of two (1 to 65536)",
		ARGV("--buffer-pages=4294967296"));
}

TEST(every_power_of_two)
{
	struct config c;
	char n[16];

	for (unsigned int i = 1; i <= 65536; i *= 2) {
		snprintf(n, sizeof(n), "%u", i);
		accepts(&c, ARGV("--buffer-pages", n));
		CHECK_INT(c.buffer_pages, i);
	}
}

TEST(probe_directories)
{
	refuses("--probe-dir: '/nonexistent/probes': No such file or directory",
		ARGV("--probe-dir=/nonexistent/probes"));
	refuses("--probe-dir: '': No such file or directory", ARGV("--probe-dir", ""));
	refuses("--probe-dir: '/proc/self/exe' is not a directory",
		ARGV("--probe-dir", "/proc/self/exe"));
	refuses("--probe-dir: '/proc/self/exe/x' is not a directory",
		ARGV("--probe-dir", "/proc/self/exe/x"));
}

TEST(unknown_options)
{
	refuses("unknown option '--foo'; 'linux_net_kernel --help' lists them", ARGV("--foo"));
	refuses("unknown option '--foo=bar'; 'linux_net_kernel --help' lists them",
		ARGV("--foo=bar"));
	refuses("unknown option '--portx'; 'linux_net_kernel --help' lists them",
		ARGV("--portx", "80"));
	refuses("unknown option '--=x'; 'linux_net_kernel --help' lists them", ARGV("--=x"));
	refuses("unknown option '-x'; 'linux_net_kernel --help' lists them", ARGV("-x"));
	refuses("unknown option '-x'; 'linux_net_kernel --help' lists them", ARGV("-vx"));
	refuses("unknown option '-1'; 'linux_net_kernel --help' lists them", ARGV("-s", "-1"));
	refuses("unknown option '-:'; 'linux_net_kernel --help' lists them", ARGV("-:"));
	refuses("unknown option '-?'; 'linux_net_kernel --help' lists them", ARGV("-?"));
	/* The single dash of a long option. */
	refuses("-p: 'ort' " PORTS, ARGV("-port", "80"));
}

TEST(abbreviations)
{
	struct config c;

	accepts(&c, ARGV("--verb", "--por=80"));
	CHECK(c.verbose);
	CHECK_INT(only_port(&c), 80);
	refuses("--port: '0' " PORTS, ARGV("--por=0"));
	refuses("ambiguous option '--d'; it could be --dst, --dport, --debug-func, --duration, "
		"--dump-source, "
		"--doctor",
		ARGV("--d"));
	refuses("ambiguous option '--ver'; it could be --verbose, --version", ARGV("--ver"));
}

TEST(values_for_flags)
{
	refuses("option '--verbose' takes no value: '--verbose=yes'", ARGV("--verbose=yes"));
	refuses("option '--help' takes no value: '--help='", ARGV("--help="));
}

TEST(missing_arguments)
{
	refuses("-i: its argument ADDR[/LEN] is missing", ARGV("-i"));
	refuses("--ip: its argument ADDR[/LEN] is missing", ARGV("--ip"));
	refuses("-p: its argument PORTS is missing", ARGV("-v", "-vp"));
	refuses("--attach: its argument KIND is missing", ARGV("--attach"));
}

TEST(repetition)
{
	struct config c;

	accepts(&c, ARGV("-v", "-v", "--verbose", "-ss"));
	CHECK(c.verbose && c.stats);
	refuses("-R: given more than once (now '80'); it takes one value",
		ARGV("--rate", "80", "-R", "80"));
	refuses("--headers: given more than once (now 'auto'); it takes one value",
		ARGV("--headers=btf", "--headers=auto"));
}

/* An option that may be repeated keeps what it is given, up to a bound. */
TEST(lists)
{
	static const struct option_def o = { .name = "x", .type = OPT_LIST, .field = 0 };
	union {
		struct config c;
		struct strings list;
	} u = { 0 };

	CHECK_INT(option_set(&u.c, &o, "a"), 0);
	CHECK_INT(option_set(&u.c, &o, "b"), 0);
	CHECK_INT(u.list.n, 2);
	CHECK_STR(u.list.v[0], "a");
	CHECK_STR(u.list.v[1], "b");
	while (u.list.n < 64)
		CHECK_INT(option_set(&u.c, &o, ""), 0);
	CHECK_INT(option_set(&u.c, &o, "c"), -E2BIG);
	CHECK_INT(u.list.n, 64);
	CHECK_STR(u.list.v[63], "");
}

TEST(the_first_mistake_is_told)
{
	refuses("-p: '0' " PORTS, ARGV("-p", "0", "--foo", "-i", ""));
	refuses("unknown option '--foo'; 'linux_net_kernel --help' lists them",
		ARGV("surplus", "--foo"));
}

/* Who asks for help has a reason to. */
TEST(help_wins)
{
	struct config c;

	accepts(&c, ARGV("--help", "-p", "0"));
	CHECK(c.help);
	accepts(&c, ARGV("-p", "0", "-vh"));
	CHECK(c.help);
	accepts(&c, ARGV("--foo", "--version", "-p"));
	CHECK(c.version && !c.help);
	accepts(&c, ARGV("-4", "-6", "-h"));
	CHECK(c.help);
	accepts(&c, ARGV("surplus", "words", "7", "-h"));
	CHECK(c.help);
	options_free(&c);
	refuses("-p: '-h' " PORTS, ARGV("-p", "-h")); /* which is a value */
	refuses("-p: '0' " PORTS, ARGV("-p", "0", "--", "--help"));
}

TEST(messages_cannot_drive_a_terminal)
{
	refuses("-i: '\\x1b[31m\\x0a' " ADDRESSES, ARGV("-i", "\x1b[31m\n"));
	refuses("there are two expressions: --filter, and '\\xc2\\x9b2J'",
		ARGV("--filter", "ip", "\xc2\x9b\x32J"));
	refuses("unknown option '--\\x1b]0;x\\x07'; 'linux_net_kernel --help' lists them",
		ARGV("--\x1b]0;x\x07"));
	refuses("unknown option '-\\x1b'; 'linux_net_kernel --help' lists them", ARGV("-\x1b"));
	refuses("unknown option '-\\xc3'; 'linux_net_kernel --help' lists them", ARGV("-ü"));
	refuses("-p: '８０' " PORTS, ARGV("-p", "８０"));
	refuses("--probe-dir: '/\\x0a': No such file or directory", ARGV("--probe-dir=/\n"));
}

TEST(long_arguments_are_cut_in_messages)
{
	struct text why = { 0 };
	struct config c;
	char big[5000];

	memset(big, '7', sizeof(big) - 1);
	big[sizeof(big) - 1] = '\0';
	CHECK_INT(parse(&c, ARGV("-p", big), &why), -EINVAL);
	CHECK(why.len < 200);
	CHECK(strstr(text_str(&why), "7...' is not a port") != NULL);
	text_free(&why);
}

/* A parse that ended half way through a cluster of letters leaves no trace. */
TEST(parsing_again)
{
	struct config c;

	refuses("unknown option '-x'; 'linux_net_kernel --help' lists them", ARGV("-vxdddd"));
	accepts(&c, ARGV("-s"));
	CHECK(c.stats && !c.debug_func && !c.verbose);
}

TEST(posixly_correct_changes_nothing)
{
	struct config c;

	setenv("POSIXLY_CORRECT", "1", 1);
	accepts(&c, ARGV("-s", "5", "-v"));
	CHECK(c.verbose);
	CHECK_INT(c.interval_ns, 5 * SEC);
}

TEST(argv_keeps_its_order)
{
	char **argv = ARGV("5", "-s", "6", "-v");
	struct config c;

	accepts(&c, argv);
	CHECK_STR(argv[1], "5");
	CHECK_STR(argv[2], "-s");
	CHECK_STR(argv[3], "6");
}

/* Words that are nearly right, in every order: no crash, and what is refused is refused
 * with one line that a terminal can be shown. */
TEST(random_command_lines)
{
	static char *const words[] = {
		"-i", "-p",      "80",  "-s",  "-v", "--", "-",   "--ip=::1",
		"1",  "--port=", "--s", "-sp", "",   "-R", "0.5", "--headers",
		".",  "\x1b[m",  "-\n", "-W",  "-;", "+x", "---", "--attach=auto",
		"-1", "--d=",    "-vD", "0",   "/",  "-:", "-hV", "--probe-dir=/"
	};
	char *argv[8] = { "linux_net_kernel" };
	struct text why = { 0 };
	struct config c;
	uint32_t seed = 1;
	int argc, err;

	for (int round = 0; round < 50000; round++) {
		argc = 1 + (int)(seed >> 16) % 7;
		for (int i = 1; i < argc; i++) {
			seed = seed * 1103515245 + 12345;
			argv[i] = words[(seed >> 16) % (sizeof(words) / sizeof(words[0]))];
		}
		seed = seed * 1103515245 + 12345;
		argv[argc] = NULL;
		text_reset(&why);
		err = options_parse(&c, argc, argv, &why);
		if (!CHECK(err == 0 || err == -EINVAL) || !CHECK((why.len == 0) == (err == 0)) ||
		    !CHECK(!strpbrk(text_str(&why), "\n\x1b")))
			break;
		options_free(&c);
	}
	text_free(&why);
}

/* In columns: the text is ASCII. */
static size_t longest_line(const char *s)
{
	size_t longest = 0, len;

	for (; *s; s += len + (s[len] == '\n')) {
		len = strcspn(s, "\n");
		longest = len > longest ? len : longest;
	}
	return longest;
}

TEST(help_fits_a_terminal)
{
	struct text t = { 0 };

	options_help(&t);
	CHECK(longest_line(text_str(&t)) <= 80);
	CHECK(!strstr(text_str(&t), " \n"));
	CHECK(strstr(text_str(&t),
		     "Usage: linux_net_kernel [options] [-s [interval [count]]] [expression]\n") ==
	      text_str(&t));
	for (size_t i = 0; i < t.len; i++)
		if (!CHECK(t.s[i] == '\n' || (t.s[i] >= ' ' && t.s[i] <= '~')))
			break;
	text_free(&t);
}

static const char *const all_long[] = { "columns",      "col",    "time",    "utc",
					"wide",         "color",  "numeric", "resolve",
					"ip",           "port",   "stats",   "verbose",
					"debug-func",   "rate",   "count",   "duration",
					"buffer-pages", "attach", "headers", "probe-dir",
					"dump-source",  "check",  "help",    "version" };

TEST(every_option_is_documented)
{
	struct text help = { 0 }, man = { 0 }, bash = { 0 }, name = { 0 };

	options_help(&help);
	options_man(&man);
	options_completion(&bash);
	for (size_t i = 0; i < sizeof(all_long) / sizeof(all_long[0]); i++) {
		text_reset(&name);
		text_printf(&name, "--%s", all_long[i]);
		CHECK(strstr(text_str(&help), text_str(&name)) != NULL);
		CHECK(strstr(text_str(&bash), text_str(&name)) != NULL);
		text_reset(&name);
		text_puts(&name, "\\-\\-");
		for (const char *p = all_long[i]; *p; p++)
			text_printf(&name, *p == '-' ? "\\-" : "%c", *p);
		CHECK(strstr(text_str(&man), text_str(&name)) != NULL);
	}
	text_free(&help);
	text_free(&man);
	text_free(&bash);
	text_free(&name);
}
