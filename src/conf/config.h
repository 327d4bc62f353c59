/* SPDX-License-Identifier: MIT */
/* What the user asked for: filled by options_parse(), read by everyone below. */
#ifndef LNK_CONFIG_H
#define LNK_CONFIG_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/ranges.h"

/* --attach: which kind of hook may be used. */
enum attach_mode {
	ATTACH_AUTO,
	ATTACH_FENTRY,
	ATTACH_KPROBE,
	ATTACH_TRACEPOINT,
	ATTACH_NR
};

extern const char *const attach_mode_name[ATTACH_NR + 1]; /* NULL-terminated */

/* --time: what the column of this name shows. */
enum time_mode {
	TIME_MODE_WALL,
	TIME_MODE_MONO,
	TIME_MODE_START,
	TIME_MODE_DELTA,
	TIME_MODE_ISO,
	TIME_MODE_EPOCH,
	TIME_MODE_NR
};

extern const char *const time_mode_name[TIME_MODE_NR + 1];

/* --buffer */
enum buffer_mode {
	BUFFER_PERF,
	BUFFER_SHARED,
	BUFFER_NR
};

extern const char *const buffer_mode_name[BUFFER_NR + 1];

/* --color */
enum color_mode {
	COLOR_AUTO,
	COLOR_ALWAYS,
	COLOR_NEVER,
	COLOR_NR
};

extern const char *const color_mode_name[COLOR_NR + 1];

/* The arguments of an option that may be given several times, in their order. */
#define STRINGS_MAX 64
struct strings {
	const char *v[STRINGS_MAX];
	int n;
};

/* --pid */
#define PIDS_MAX 64
struct pids {
	uint32_t v[PIDS_MAX];
	int n;
};

/* --flags */
struct tcp_flags {
	uint8_t on, off;
};

/* --len */
struct lengths {
	bool set;
	uint32_t min, max; /* both included */
};

struct config {
	/* filters */
	struct prefixes addresses[SIDES]; /* all of them, where any is given */
	struct port_ranges ports[SIDES];
	bool ipv4, ipv6; /* only these; both false: both */
	struct tcp_flags flags;
	struct lengths len;
	struct strings interfaces; /* names or globs */
	const char *netns;         /* name, path, inode number or PID; NULL: all */
	struct strings cgroups;    /* directories of cgroup v2; all that is below them, too */
	struct pids pids;          /* who must have the socket; none: anybody */
	struct strings comms;      /* ... and be called so */
	const char *where;         /* C expression, NULL: none */
	const char *filter;        /* tcpdump expression, NULL: none */
	char *words;               /* the same, of the words that are no options; malloc(3)ed */

	/* output */
	bool stats;
	bool verbose;
	bool debug_func;
	const char *columns; /* as typed; NULL: the default ones */
	struct strings col;  /* columns of the user's own: NAME=EXPR[:FORMAT] */
	enum time_mode time;
	bool utc;
	bool wide;
	enum color_mode color;
	bool numeric; /* as ever; not with resolve */
	bool resolve;
	bool console;            /* commands are read from stdin */
	uint64_t count;          /* rows, then end; 0: no end */
	uint64_t duration_ns;    /* 0: no end */
	uint64_t interval_ns;    /* -s: between two blocks */
	uint64_t interval_count; /* -s: blocks, then end; 0: no end */

	/* collection */
	enum attach_mode attach;
	uint64_t rate; /* events a second for the whole host; 0: no limit */
	enum buffer_mode buffer;
	unsigned int buffer_pages; /* per CPU, a power of two; 0: by the number of CPUs */
	const char *headers;       /* "auto", "btf", "installed", "kheaders" or a directory */
	const char *probe_dir;     /* NULL: the usual places */
	bool no_cache;             /* compile anew, keep nothing */
	bool watch;                /* a probe file that changes is built and put in place */

	/* instead of tracing */
	bool dump_source;
	bool check;
	bool doctor;
	bool json; /* only with doctor */
	bool help;
	bool version;
};

/* True when it matters which process has a socket. */
static inline bool config_asks_owner(const struct config *c)
{
	return c->pids.n || c->comms.n;
}

/* True when the program behind the hooks may be exchanged while it runs. */
static inline bool config_swaps(const struct config *c)
{
	return c->watch || (c->console && !c->doctor);
}

#endif
