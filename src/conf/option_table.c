/* SPDX-License-Identifier: MIT */
#include "conf/option_table.h"

#include <assert.h>

#define SECOND 1000000000ULL
#define ONE_DAY (86400 * SECOND) /* in milliseconds still an int, as poll(2) takes it */
#define ONE_DECADE (315360000 * SECOND)

/* The offset of a field that has just that type: a table line that names the wrong kind
 * of field does not compile. */
#define FIELD(f, type)                                                                             \
	(offsetof(struct config, f) + _Generic(((struct config *)0)->f, type : (size_t)0))

const char *const attach_mode_name[ATTACH_NR + 1] = {
	[ATTACH_AUTO] = "auto",
	[ATTACH_FENTRY] = "fentry",
	[ATTACH_KPROBE] = "kprobe",
	[ATTACH_TRACEPOINT] = "tracepoint",
};
static_assert(sizeof(attach_mode_name) / sizeof(attach_mode_name[0]) == 5,
	      "every attach mode has a name here");

const char *const time_mode_name[TIME_MODE_NR + 1] = {
	[TIME_MODE_WALL] = "wall",   [TIME_MODE_MONO] = "mono", [TIME_MODE_START] = "start",
	[TIME_MODE_DELTA] = "delta", [TIME_MODE_ISO] = "iso",   [TIME_MODE_EPOCH] = "epoch",
};
static_assert(sizeof(time_mode_name) / sizeof(time_mode_name[0]) == 7,
	      "every kind of time has a name here");

const char *const buffer_mode_name[BUFFER_NR + 1] = {
	[BUFFER_PERF] = "perf",
	[BUFFER_SHARED] = "shared",
};

const char *const color_mode_name[COLOR_NR + 1] = {
	[COLOR_AUTO] = "auto",
	[COLOR_ALWAYS] = "always",
	[COLOR_NEVER] = "never",
};
static_assert(sizeof(enum time_mode) == sizeof(unsigned int) &&
		      sizeof(enum color_mode) == sizeof(unsigned int) &&
		      sizeof(enum buffer_mode) == sizeof(unsigned int) &&
		      sizeof(enum attach_mode) == sizeof(unsigned int),
	      "option_value.c writes them as such");

static const char *const headers_word[] = { "auto", "btf", "installed", "kheaders", NULL };

const char *const option_group_name[GROUP_NR] = {
	[GROUP_FILTER] = "Which packets",
	[GROUP_OUTPUT] = "What is shown",
	[GROUP_END] = "When to end",
	[GROUP_COLLECT] = "How events are collected",
	[GROUP_INSTEAD] = "Instead of tracing",
};

const struct option_def option_table[] = {
	{
		.name = "ip",
		.letter = 'i',
		.type = OPT_PREFIXES,
		.group = GROUP_FILTER,
		.live = LIVE_PROGRAM,
		.field = FIELD(addresses[SIDE_ANY], struct prefixes),
		.arg = "ADDR[/LEN]",
		.help = "only packets from or to this address or network; a list, or given "
			"again: any of them",
		.man = "Show only packets whose source or destination is this IPv4 or IPv6 "
		       "address or network (10.0.0.0/8, 2001:db8::/32). Several, separated by "
		       "commas or given one by one, are alternatives. All filters are tested in "
		       "the kernel, and a packet must pass all that are given.",
	},
	{
		.name = "src",
		.type = OPT_PREFIXES,
		.group = GROUP_FILTER,
		.live = LIVE_PROGRAM,
		.field = FIELD(addresses[SIDE_SOURCE], struct prefixes),
		.arg = "ADDR[/LEN]",
		.help = "the same of the source address",
		.man = "As -i, but only the source address counts.",
	},
	{
		.name = "dst",
		.type = OPT_PREFIXES,
		.group = GROUP_FILTER,
		.live = LIVE_PROGRAM,
		.field = FIELD(addresses[SIDE_DESTINATION], struct prefixes),
		.arg = "ADDR[/LEN]",
		.help = "the same of the destination address",
		.man = "As -i, but only the destination address counts.",
	},
	{
		.name = "port",
		.letter = 'p',
		.type = OPT_PORTS,
		.group = GROUP_FILTER,
		.live = LIVE_PROGRAM,
		.field = FIELD(ports[SIDE_ANY], struct port_ranges),
		.min = 1,
		.max = 65535,
		.arg = "PORTS",
		.help = "only packets from or to these TCP ports: 80,443,8000-8100",
		.man = "Show only packets whose source or destination port is among these: "
		       "ports from 1 to 65535 and ranges of them, separated by commas or given "
		       "one by one.",
	},
	{
		.name = "sport",
		.type = OPT_PORTS,
		.group = GROUP_FILTER,
		.live = LIVE_PROGRAM,
		.field = FIELD(ports[SIDE_SOURCE], struct port_ranges),
		.min = 1,
		.max = 65535,
		.arg = "PORTS",
		.help = "the same of the source port",
		.man = "As -p, but only the source port counts.",
	},
	{
		.name = "dport",
		.type = OPT_PORTS,
		.group = GROUP_FILTER,
		.live = LIVE_PROGRAM,
		.field = FIELD(ports[SIDE_DESTINATION], struct port_ranges),
		.min = 1,
		.max = 65535,
		.arg = "PORTS",
		.help = "the same of the destination port",
		.man = "As -p, but only the destination port counts.",
	},
	{
		.name = "ipv4",
		.letter = '4',
		.type = OPT_FLAG,
		.group = GROUP_FILTER,
		.live = LIVE_PROGRAM,
		.field = FIELD(ipv4, bool),
		.help = "only IPv4",
		.man = "Show only IPv4 packets.",
	},
	{
		.name = "ipv6",
		.letter = '6',
		.type = OPT_FLAG,
		.group = GROUP_FILTER,
		.live = LIVE_PROGRAM,
		.field = FIELD(ipv6, bool),
		.help = "only IPv6",
		.man = "Show only IPv6 packets.",
	},
	{
		.name = "interface",
		.letter = 'I',
		.type = OPT_LIST,
		.group = GROUP_FILTER,
		.live = LIVE_PROGRAM,
		.field = FIELD(interfaces, struct strings),
		.arg = "NAME",
		.help = "only packets that came in on this interface; a glob, or given again: "
			"any of them",
		.man = "Show only packets that came in on this network interface. The name may be "
		       "a pattern as the shell has them (eth*), and the option may be given "
		       "again. Names are looked up when a program is built, in the network "
		       "namespace of -N or in its own. A row of sock_def_readable has no packet "
		       "and so no interface: it is not shown.",
	},
	{
		.name = "netns",
		.letter = 'N',
		.type = OPT_TEXT,
		.group = GROUP_FILTER,
		.live = LIVE_PROGRAM,
		.field = FIELD(netns, const char *),
		.arg = "NS",
		.help = "only this network namespace: a name of ip-netns(8), a path, an inode "
			"number or a process",
		.man = "Show only what happens in this network namespace: a name in /run/netns, a "
		       "path with a slash such as /proc/1234/ns/net, the namespace's inode "
		       "number, or the number of a process that is in it. Where a name of "
		       "/run/netns is deleted meanwhile a line says so.",
	},
	{
		.name = "cgroup",
		.type = OPT_LIST,
		.group = GROUP_FILTER,
		.live = LIVE_PROGRAM,
		.field = FIELD(cgroups, struct strings),
		.arg = "PATH",
		.help = "only sockets that were made in this cgroup or below it; or given again: "
			"any of them",
		.man = "Show only what is known to belong to a socket that was made in this cgroup "
		       "of version 2 or in one below it; an accepted connection counts as made "
		       "where its listener was. PATH is a directory of the file system cgroup2, "
		       "either whole or from where that is mounted (system.slice/ssh.service); it "
		       "is looked up once, when it is asked for, and the option may be given "
		       "again. The kernel does not change a socket's cgroup when its process "
		       "moves. Rows of netif_receive_skb and ip_rcv_finish have a packet and no "
		       "socket: they are not shown.",
	},
	{
		.name = "pid",
		.type = OPT_PIDS,
		.group = GROUP_FILTER,
		.live = LIVE_PROGRAM,
		.field = FIELD(pids, struct pids),
		.min = 1,
		.max = 4194304, /* PID_MAX_LIMIT */
		.arg = "PID",
		.help = "only sockets that this process has open; a list, or given again: any of "
			"them",
		.man = "Show only what belongs to a socket that this process has open, not who "
		       "was interrupted by the packet. Several processes, separated by commas or "
		       "given one by one, are alternatives. A process is meant, not its number: "
		       "when it has ended no other takes its place. Who has a socket is looked up "
		       "in /proc beside the rows, and a probe of its own notes who connects, shuts "
		       "down or closes one; rows wait for the answer, at most a tenth of a "
		       "second. What others have is counted as OTHERS, or, where the kernel "
		       "rejected it, as FILTERED; rows whose owner was not found in time are not "
		       "shown, and counted as UNKNOWN. A connection has no owner before it is "
		       "accepted and after it is closed: such calls are counted too. Rows of "
		       "netif_receive_skb and ip_rcv_finish "
		       "have a packet and no socket: they are not shown.",
	},
	{
		.name = "comm",
		.type = OPT_COMMS,
		.group = GROUP_FILTER,
		.live = LIVE_PROGRAM,
		.field = FIELD(comms, struct strings),
		.arg = "NAME",
		.help = "only sockets that a process of this name has open; or given again: any "
			"of them",
		.man = "As --pid, of all processes with this name (/proc/PID/comm, at most 15 "
		       "bytes), also those that start later. With --pid, the process must be one "
		       "of those and have the name.",
	},
	{
		.name = "flags",
		.type = OPT_TCP_FLAGS,
		.group = GROUP_FILTER,
		.live = LIVE_PROGRAM,
		.field = FIELD(flags, struct tcp_flags),
		.arg = "LIST",
		.help = "only packets with these TCP flags: SYN,!ACK",
		.man = "Show only packets whose TCP header has these flags, and, of those with an "
		       "exclamation mark, has not: FIN, SYN, RST, PSH, ACK, URG, ECE, CWR, "
		       "separated by commas. A row of sock_def_readable has no packet: it is not "
		       "shown.",
	},
	{
		.name = "len",
		.type = OPT_LENGTHS,
		.group = GROUP_FILTER,
		.live = LIVE_PROGRAM,
		.field = FIELD(len, struct lengths),
		.arg = "MIN-MAX",
		.help = "only packets with so many bytes of TCP payload",
		.man = "Show only packets with this many bytes of TCP payload: a number, a range, "
		       "or a range that is open at one end (1-, -100). A row of sock_def_readable "
		       "has no packet: it is not shown.",
	},
	{
		.name = "where",
		.type = OPT_TEXT,
		.group = GROUP_FILTER,
		.live = LIVE_PROGRAM,
		.field = FIELD(where, const char *),
		.arg = "EXPR",
		.help = "only where this C expression is not 0; the names are in the manual",
		.man = "Show only where this C expression is not 0, as in 'srtt_us > 20000 && "
		       "len'. "
		       "It is compiled into the probes. The names that it may use are under "
		       "EXPRESSIONS. Where one of them has no value (a packet's at "
		       "sock_def_readable, a socket's before the packet has one) the row is not "
		       "shown. Only an expression is accepted: no assignment, no call, no "
		       "statement.",
	},
	{
		.name = "filter",
		.type = OPT_TEXT,
		.group = GROUP_FILTER,
		.live = LIVE_PROGRAM,
		.field = FIELD(filter, const char *),
		.arg = "EXPR",
		.help = "only what this tcpdump expression matches; the same as EXPR without an "
			"option",
		.man = "Show only packets that this expression of tcpdump(8), see "
		       "pcap-filter(7), matches; the words after the options are one as well. It "
		       "sees the packet from its IP header on, so that terms of the link layer "
		       "are refused. Rows of sock_def_readable have no packet: they are shown "
		       "where addresses and ports alone decide.",
	},
	{
		.name = "stats",
		.letter = 's',
		.type = OPT_FLAG,
		.group = GROUP_OUTPUT,
		.field = FIELD(stats, bool),
		.help = "no rows: counters per stage, every INTERVAL seconds (default 1), "
			"COUNT times",
		.man = "Print no rows, but for each stage the events, their rate and their "
		       "bytes, as counted in the kernel; no event is sent for a packet, so -R "
		       "does not come into play. sock_def_readable has no packet, and so no "
		       "bytes. On a terminal the figures are renewed in place, elsewhere each "
		       "interval is a block of its own. The interval is in seconds, from 0.1 "
		       "to 86400, and may have a fraction; it is 1 unless given. After as "
		       "many intervals as the count says the program ends; without a count it "
		       "goes on. Interval and count may be given only with this option; the "
		       "command interval of -C gives them anew.",
	},
	{
		.name = "verbose",
		.letter = 'v',
		.type = OPT_FLAG,
		.group = GROUP_OUTPUT,
		.field = FIELD(verbose, bool),
		.help = "say all: compiler and verifier text, headers, hooks",
		.man = "Say everything on standard error: the whole text of the compiler and of "
		       "the kernel's verifier, which kernel headers were used, the compiler "
		       "flags, why each hook was or was not chosen, and the versions of libbcc "
		       "and of the kernel.",
	},
	{
		.name = "debug-func",
		.letter = 'd',
		.type = OPT_FLAG,
		.group = GROUP_OUTPUT,
		.field = FIELD(debug_func, bool),
		.help = "under each row, the function name as it was decoded",
		.man = "Under each row, print how its function name came about: the name as "
		       "decoded, the raw bytes received from the kernel for it, and the probed "
		       "address with its symbol.",
	},
	{
		.name = "columns",
		.letter = 'o',
		.type = OPT_TEXT,
		.group = GROUP_OUTPUT,
		.live = LIVE_COLUMNS,
		.field = FIELD(columns, const char *),
		.arg = "LIST",
		.help = "the columns, as seq,flags,len, or +flags,-ack: the usual ones and flags, "
			"without ack (the man page lists them)",
		.man = "Show these columns: names with commas between, in the order of the table. "
		       "Where the first name has a sign the list begins with the eight columns of "
		       "the usual table: +NAME puts a column behind them and -NAME takes one out. "
		       "What is not asked for is not collected. FIELDS lists the columns.",
	},
	{
		.name = "col",
		.type = OPT_LIST,
		.group = GROUP_OUTPUT,
		.live = LIVE_COLUMNS,
		.field = FIELD(col, struct strings),
		.arg = "NAME=EXPR[:FORMAT]",
		.help = "a column of your own; may be repeated",
		.man = "Add a column of your own, called NAME, that shows what the expression EXPR "
		       "comes to in the kernel, as a signed number of 64 bits. FORMAT says how: "
		       "dec (the default), hex, ip (an IPv4 address in network byte order) or ns "
		       "(a "
		       "time in nanoseconds, in the unit that fits). It may be given several "
		       "times. "
		       "The columns come last, in their order, unless -o names them. A number that "
		       "could not be read is shown as a hyphen, and so is -1.",
	},
	{
		.name = "time",
		.letter = 't',
		.type = OPT_WORD,
		.group = GROUP_OUTPUT,
		.live = LIVE_HERE,
		.field = FIELD(time, enum time_mode),
		.arg = "KIND",
		.def = "wall",
		.words = time_mode_name,
		.help = "how the time is shown:",
		.man = "What the column time shows, to the microsecond. wall is date and time of "
		       "day in the local time zone; mono is the kernel's CLOCK_MONOTONIC in "
		       "seconds; start counts from the start of the tracing, delta from the row "
		       "before; iso is ISO 8601 with the offset of the time zone; epoch counts the "
		       "seconds since 1970.",
	},
	{
		.name = "utc",
		.type = OPT_FLAG,
		.group = GROUP_OUTPUT,
		.live = LIVE_HERE,
		.field = FIELD(utc, bool),
		.help = "times of day in UTC",
		.man = "Show the time of day (wall and iso of -t) in UTC and not in the local time "
		       "zone.",
	},
	{
		.name = "wide",
		.letter = 'W',
		.type = OPT_FLAG,
		.group = GROUP_OUTPUT,
		.live = LIVE_HERE,
		.field = FIELD(wide, bool),
		.help = "show every column, however narrow the terminal",
		.man = "On a terminal, rows end at the last column that fits, and a line above the "
		       "header names those that are hidden. With this option they are shown "
		       "whole. A file or a pipe always gets every column.",
	},
	{
		.name = "color",
		.type = OPT_WORD,
		.group = GROUP_OUTPUT,
		.live = LIVE_HERE,
		.field = FIELD(color, enum color_mode),
		.arg = "WHEN",
		.def = "auto",
		.words = color_mode_name,
		.help = "a colour for each connection:",
		.man = "Show the rows of each connection in a colour of its own, the same in both "
		       "directions. There are ten, so connections can share one. With auto there "
		       "are colours on a terminal only, and none where the environment has "
		       "NO_COLOR, or TERM is dumb.",
	},
	{
		.name = "numeric",
		.letter = 'n',
		.type = OPT_FLAG,
		.group = GROUP_OUTPUT,
		.field = FIELD(numeric, bool),
		.help = "addresses and ports as numbers: the default",
		.man = "Show addresses and ports as numbers. They are shown so in any case, unless "
		       "--resolve is given; the option is there for those who are used to it.",
	},
	{
		.name = "resolve",
		.type = OPT_FLAG,
		.group = GROUP_OUTPUT,
		.field = FIELD(resolve, bool),
		.help = "names for hosts (once they are known) and ports",
		.man = "Show hosts by name, and ports as /etc/services calls them. A process "
		       "without "
		       "privileges asks the system's resolver for the hosts, one after the other; "
		       "rows do not wait for it, so a host has its address until the answer has "
		       "come, and keeps it if there is none. A name is what the owner of the "
		       "address chose to have in the DNS. The questions are traffic of this host.",
	},
	{
		.name = "console",
		.letter = 'C',
		.type = OPT_FLAG,
		.group = GROUP_OUTPUT,
		.field = FIELD(console, bool),
		.help = "take commands while it runs, at a prompt under the rows; 'help' lists "
			"them",
		.man = "Take commands from standard input while rows come: at a prompt under "
		       "them where that is a terminal, else line by line. Commands: help, show, "
		       "ip, "
		       "port, filter, where, columns, interval, rate, set, reload, stats, stages, "
		       "source, "
		       "pause, resume, mark, tee, quit; help and a command's name says more. What "
		       "only changes how rows look does so at once. For what the probes have to do "
		       "another program is compiled, as --watch does it, and takes its place when "
		       "it "
		       "is attached: no event is lost or shown twice, and where it cannot be built "
		       "the one that runs goes on. A second process keeps the privileges for that. "
		       "Rows that come during a pause are counted as PAUSED. At the prompt Tab "
		       "completes, Ctrl-C clears the line and ends when given twice, Ctrl-D ends. "
		       "From a pipe or file nothing is echoed, lines that begin with # are "
		       "skipped, "
		       "a command waits until what the one before asked for is in place (unless "
		       "that one ended in \" &\"), the end of the input ends the program, and the "
		       "exit status is 1 if a command failed. With -s every block stays. Lines "
		       "typed at the prompt are kept in "
		       "linux_net_kernel/history in $XDG_STATE_HOME (default ~/.local/state); "
		       "under "
		       "sudo always in the home of the user it runs as, and nowhere if that "
		       "directory or file belongs to another user or is a link.",
	},
	{
		.name = "count",
		.letter = 'c',
		.type = OPT_NUMBER,
		.group = GROUP_END,
		.live = LIVE_HERE,
		.field = FIELD(count, uint64_t),
		.min = 1,
		.max = 1000000000000000,
		.arg = "N",
		.help = "end after N rows",
		.man = "End after this many rows. With -s, which prints no rows, end after "
		       "the first interval by which there were as many events.",
	},
	{
		.name = "duration",
		.letter = 'D',
		.type = OPT_SECONDS,
		.group = GROUP_END,
		.live = LIVE_HERE,
		.field = FIELD(duration_ns, uint64_t),
		.min = 1,
		.max = ONE_DECADE,
		.arg = "SECONDS",
		.help = "end after this time; a fraction is allowed",
		.man = "End after this many seconds, counted from the moment the probes are "
		       "attached. A fraction is allowed, as in 2.5.",
	},
	{
		.name = "rate",
		.letter = 'R',
		.type = OPT_NUMBER,
		.group = GROUP_COLLECT,
		.live = LIVE_PROGRAM,
		.field = FIELD(rate, uint64_t),
		.max = 1000000000,
		.arg = "N",
		.def = "10000",
		.help = "at most N events a second; 0: no limit",
		.man = "Take at most this many events a second, for the whole host and all "
		       "stages together; 0 means no limit. The limit is kept in the kernel, "
		       "before an event is built, and what it left out is counted and told at "
		       "the end.",
	},
	{
		.name = "buffer",
		.type = OPT_WORD,
		.group = GROUP_COLLECT,
		.field = FIELD(buffer, enum buffer_mode),
		.arg = "KIND",
		.def = "perf",
		.words = buffer_mode_name,
		.help = "how events come from the kernel:",
		.man = "perf is the kernel's perf ring buffer, and works everywhere. shared is "
		       "memory that the probes write to without asking the kernel for each event: "
		       "an event costs the traced host less than half as much. It takes Linux 6.2 "
		       "on x86-64, and memory for each hook on each CPU.",
	},
	{
		.name = "buffer-pages",
		.type = OPT_POWER_OF_TWO,
		.group = GROUP_COLLECT,
		.field = FIELD(buffer_pages, unsigned int),
		.min = 1,
		.max = 65536,
		.arg = "N",
		.help = "ring buffer pages for each CPU, a power of two (default 64 to 512, "
			"by the number of CPUs; fewer where a page is more than 4 KiB)",
		.man = "The size of each CPU's ring buffer in memory pages: a power of two from "
		       "1 to 65536. By default 512 on up to 4 CPUs, half of that for each "
		       "doubling, "
		       "but not less than 64; less still where the kernel does not allow so much. "
		       "A larger one rides out longer bursts. With --buffer=shared "
		       "each hook has a quarter of this on each CPU. Events that found a ring "
		       "full are counted and told at the end.",
	},
	{
		.name = "attach",
		.type = OPT_WORD,
		.group = GROUP_COLLECT,
		.field = FIELD(attach, enum attach_mode),
		.arg = "KIND",
		.def = "auto",
		.words = attach_mode_name,
		.help = "kind of hook:",
		.man = "Which kind of hook may be used. With auto, each stage takes the best "
		       "that this kernel offers; the others allow just the one kind, and a "
		       "stage that has none of that kind is left out, with a line that says "
		       "so.",
	},
	{
		.name = "headers",
		.type = OPT_WORD_OR_DIR,
		.group = GROUP_COLLECT,
		.field = FIELD(headers, const char *),
		.arg = "SOURCE",
		.def = "auto",
		.words = headers_word,
		.help = "kernel types from:",
		.man = "Where the kernel's types come from: btf makes them from "
		       "/sys/kernel/btf/vmlinux, installed takes the headers in "
		       "/lib/modules/VERSION, kheaders unpacks /sys/kernel/kheaders.tar.xz, "
		       "and a directory is a tree of kernel headers; it is told from the "
		       "words by a slash or a leading dot. With auto it is the directory in "
		       "BCC_KERNEL_SOURCE, if that is set, and then the others in this order, "
		       "the first that works.",
	},
	{
		.name = "probe-dir",
		.type = OPT_DIR,
		.group = GROUP_COLLECT,
		.field = FIELD(probe_dir, const char *),
		.arg = "DIR",
		.help = "read the probes (BPF C) from this directory",
		.man = "Read the probes from this directory. Without it they are looked for in "
		       "the directory probes beside the executable, then in the installed data "
		       "directory; the text built into the program is the last. A file or "
		       "directory that others than root or you can write is refused.",
	},
	{
		.name = "no-cache",
		.type = OPT_FLAG,
		.group = GROUP_COLLECT,
		.field = FIELD(no_cache, bool),
		.help = "compile, even if this was compiled before",
		.man = "Compile the probes even if the same source was compiled before on this "
		       "kernel, and keep nothing. Compiled programs are otherwise kept in "
		       "/var/cache/linux_net_kernel, where only root can write.",
	},
	{
		.name = "watch",
		.type = OPT_FLAG,
		.group = GROUP_COLLECT,
		.field = FIELD(watch, bool),
		.help = "take changes of the probe files while running",
		.man = "Watch the directories that the probes are read from. When a probe file is "
		       "written, added or removed, the program is built anew while the old one "
		       "goes on, and takes its place when it is complete: no event is lost or "
		       "shown twice, and the statistics at the end count all of them. A file that "
		       "does not compile is reported with its file, line and source line, and the "
		       "old program goes on. A second process keeps the privileges that this "
		       "needs; the one that prints has given them up, as ever.",
	},
	{
		.name = "dump-source",
		.type = OPT_FLAG,
		.group = GROUP_INSTEAD,
		.field = FIELD(dump_source, bool),
		.help = "print the source that would be compiled",
		.man = "Print exactly the source that would be handed to libbcc, and which file "
		       "each probe came from; then end.",
	},
	{
		.name = "check",
		.type = OPT_FLAG,
		.group = GROUP_INSTEAD,
		.field = FIELD(check, bool),
		.help = "compile and verify the probes, attach nothing",
		.man = "Compile the probes and have the kernel verify them, say which file each "
		       "came from, and end. Nothing is attached. The hooks are those that a start "
		       "would compile on this kernel; with -v those of every kind.",
	},
	{
		.name = "doctor",
		.type = OPT_FLAG,
		.group = GROUP_INSTEAD,
		.field = FIELD(doctor, bool),
		.help = "find out what works on this host, and whether it is true",
		.man = "Look at everything that tracing needs on this host, attach every stage, "
		       "make a short connection over the loopback, and compare what each hook "
		       "saw with the packets that came in. One line for each finding: ok, note "
		       "(good to know), LIMIT (it works, but not all of it) or PROBLEM, with "
		       "what to do. The exit status is 0 when all is well, 1 when there is a "
		       "PROBLEM, 3 when there is none but a LIMIT. The filters and -s are not "
		       "looked at.",
	},
	{
		.name = "json",
		.type = OPT_FLAG,
		.group = GROUP_INSTEAD,
		.field = FIELD(json, bool),
		.help = "with --doctor: the findings as JSON",
		.man = "With --doctor: print the findings as one JSON object. Its member checks is "
		       "an array; each check has a group, a name, a verdict (ok, note, limit or "
		       "problem), a text, and an advice or null.",
	},
	{
		.name = "help",
		.letter = 'h',
		.type = OPT_FLAG,
		.group = GROUP_INSTEAD,
		.field = FIELD(help, bool),
		.help = "print this help",
		.man = "Print a summary of the options and end, whatever else is wrong.",
	},
	{
		.name = "version",
		.letter = 'V',
		.type = OPT_FLAG,
		.group = GROUP_INSTEAD,
		.field = FIELD(version, bool),
		.help = "print the version",
		.man = "Print the version and end.",
	},
};
static_assert(sizeof(option_table) / sizeof(option_table[0]) <= OPTION_MAX, "raise OPTION_MAX");
const size_t option_count = sizeof(option_table) / sizeof(option_table[0]);

const struct option_def positional_table[] = {
	{
		.name = "interval",
		.type = OPT_SECONDS,
		.field = FIELD(interval_ns, uint64_t),
		.min = SECOND / 10,
		.max = ONE_DAY,
		.def = "1",
	},
	{
		.name = "count",
		.type = OPT_NUMBER,
		.field = FIELD(interval_count, uint64_t),
		.min = 1,
		.max = 1000000000000000,
	},
};
const size_t positional_count = sizeof(positional_table) / sizeof(positional_table[0]);

const struct option_def interval_option = {
	.name = "interval",
	.type = OPT_POSITIONALS,
	.group = GROUP_OUTPUT,
	.live = LIVE_BLOCKS,
	.arg = "SECONDS [COUNT]",
	.help = "with -s, the seconds between blocks, and how many more",
};
