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
	CHECK(!c.ip_set && !c.stats && !c.verbose && !c.debug_func);
	CHECK(!c.dump_source && !c.check && !c.help && !c.version);
	CHECK_INT(c.port, 0);
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

TEST(everything_short)
{
	struct in6_addr want;
	struct config c;

	accepts(&c, ARGV("-i", "10.1.0.2", "-p", "443", "-vd", "-R", "5", "-c", "7", "-D", "2.5"));
	CHECK(!address_parse("10.1.0.2", &want));
	CHECK(c.ip_set);
	CHECK_MEM(&c.ip, &want, sizeof(want));
	CHECK_INT(c.port, 443);
	CHECK(c.verbose && c.debug_func);
	CHECK_INT(c.rate, 5);
	CHECK_INT(c.count, 7);
	CHECK_INT(c.duration_ns, 5 * SEC / 2);
	accepts(&c, ARGV("-i::1", "-p65535", "-R0", "-hV"));
	CHECK_INT(c.port, 65535);
	CHECK_INT(c.rate, 0);
	CHECK(c.help && c.version);
}

TEST(everything_long)
{
	struct in6_addr want;
	struct config c;

	accepts(&c, ARGV("--ip=2001:db8::1", "--port", "1", "--stats", "--verbose", "--debug-func",
			 "--rate=1000000000", "--count=1", "--duration=0.001",
			 "--buffer-pages=65536", "--attach=kprobe", "--headers=btf",
			 "--probe-dir=/", "--dump-source", "--check", "--help", "--version"));
	CHECK(!address_parse("2001:db8::1", &want));
	CHECK_MEM(&c.ip, &want, sizeof(want));
	CHECK(c.ip_set && c.stats && c.verbose && c.debug_func);
	CHECK(c.dump_source && c.check && c.help && c.version);
	CHECK_INT(c.port, 1);
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
	CHECK_INT(c.port, 80);
	accepts(&c, ARGV("-s", "--", "2", "3"));
	CHECK_INT(c.interval_ns, 2 * SEC);
	CHECK_INT(c.interval_count, 3);
}

TEST(bad_intervals)
{
	refuses("interval: '0' is not a time in seconds (0.1 to 86400)", ARGV("-s", "0"));
	refuses("interval: '0.09' is not a time in seconds (0.1 to 86400)", ARGV("-s", "0.09"));
	refuses("interval: '86401' is not a time in seconds (0.1 to 86400)", ARGV("-s", "86401"));
	refuses("interval: 'x' is not a time in seconds (0.1 to 86400)", ARGV("-s", "x"));
	refuses("interval: '' is not a time in seconds (0.1 to 86400)", ARGV("-s", ""));
	refuses("interval: '-1' is not a time in seconds (0.1 to 86400)", ARGV("-s", "--", "-1"));
	refuses("count: '0' is not a whole number (1 to 1000000000000000)", ARGV("-s", "1", "0"));
	refuses("count: '1.5' is not a whole number (1 to 1000000000000000)",
		ARGV("-s", "1", "1.5"));
	refuses("surplus argument 'x'; -s takes an interval and a count",
		ARGV("-s", "1", "2", "x", "y"));
	refuses("surplus argument ''; -s takes an interval and a count", ARGV("-s", "1", "2", ""));
}

TEST(surplus_arguments)
{
	refuses("surplus argument 'x'; only with -s there may be others than options", ARGV("x"));
	refuses("surplus argument ''; only with -s there may be others than options", ARGV(""));
	refuses("surplus argument '1'; only with -s there may be others than options",
		ARGV("-v", "1", "2", "3"));
	refuses("surplus argument '-v'; only with -s there may be others than options",
		ARGV("--", "-v"));
	refuses("surplus argument '-'; only with -s there may be others than options", ARGV("-"));
}

TEST(bad_addresses)
{
	refuses("-i: '300.1.1.1' is not a host's IPv4 or IPv6 address", ARGV("-i", "300.1.1.1"));
	refuses("-i: '' is not a host's IPv4 or IPv6 address", ARGV("-i", ""));
	refuses("-i: '1.2.3' is not a host's IPv4 or IPv6 address", ARGV("-i", "1.2.3"));
	refuses("--ip: '::1%eth0' is not a host's IPv4 or IPv6 address", ARGV("--ip=::1%eth0"));
	refuses("--ip: '' is not a host's IPv4 or IPv6 address", ARGV("--ip="));
	refuses("-i: '-v' is not a host's IPv4 or IPv6 address", ARGV("-i", "-v"));
}

TEST(bad_ports)
{
	static const char *const bad[] = { "0", "65536", "70000", "80x", "-1", "", "65616", "+80" };
	struct text want = { 0 };

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		text_reset(&want);
		text_printf(&want, "-p: '%s' is not a port (1 to 65535)", bad[i]);
		refuses(text_str(&want), ARGV("-p", (char *)bad[i]));
		text_reset(&want);
		text_printf(&want, "--port: '%s' is not a port (1 to 65535)", bad[i]);
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
	refuses("-p: 'ort' is not a port (1 to 65535)", ARGV("-port", "80"));
}

TEST(abbreviations)
{
	struct config c;

	accepts(&c, ARGV("--verb", "--por=80"));
	CHECK(c.verbose);
	CHECK_INT(c.port, 80);
	refuses("--port: '0' is not a port (1 to 65535)", ARGV("--por=0"));
	refuses("ambiguous option '--d'; it could be --debug-func, --duration, --dump-source, "
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
	refuses("-i: its argument ADDR is missing", ARGV("-i"));
	refuses("--ip: its argument ADDR is missing", ARGV("--ip"));
	refuses("-p: its argument PORT is missing", ARGV("-v", "-vp"));
	refuses("--attach: its argument KIND is missing", ARGV("--attach"));
}

TEST(repetition)
{
	struct config c;

	accepts(&c, ARGV("-v", "-v", "--verbose", "-ss"));
	CHECK(c.verbose && c.stats);
	refuses("-i: given more than once (now '10.0.0.2'); it takes one value",
		ARGV("-i", "10.0.0.1", "-i", "10.0.0.2"));
	refuses("--port: given more than once (now '81'); it takes one value",
		ARGV("-p", "80", "--port=81"));
	refuses("-p: given more than once (now '80'); it takes one value",
		ARGV("-p", "80", "-p", "80"));
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
	refuses("-p: '0' is not a port (1 to 65535)", ARGV("-p", "0", "--foo", "-i", ""));
	refuses("-p: '0' is not a port (1 to 65535)", ARGV("--help", "-p", "0"));
	refuses("unknown option '--foo'; 'linux_net_kernel --help' lists them",
		ARGV("surplus", "--foo"));
}

TEST(messages_cannot_drive_a_terminal)
{
	refuses("-i: '\\x1b[31m\\x0a' is not a host's IPv4 or IPv6 address",
		ARGV("-i", "\x1b[31m\n"));
	refuses("surplus argument '\\xc2\\x9b2J'; only with -s there may be others than options",
		ARGV("\xc2\x9b"
		     "2J"));
	refuses("unknown option '--\\x1b]0;x\\x07'; 'linux_net_kernel --help' lists them",
		ARGV("--\x1b]0;x\x07"));
	refuses("unknown option '-\\x1b'; 'linux_net_kernel --help' lists them", ARGV("-\x1b"));
	refuses("unknown option '-\\xc3'; 'linux_net_kernel --help' lists them", ARGV("-ü"));
	refuses("-p: '８０' is not a port (1 to 65535)", ARGV("-p", "８０"));
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
	CHECK(strstr(text_str(&t), "Usage: linux_net_kernel [options] [-s [interval [count]]]\n") ==
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
