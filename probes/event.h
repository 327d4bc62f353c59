/* SPDX-License-Identifier: MIT */
/*
 * The wire contract: what a probe writes and the host reads. Both are compiled from this
 * one file; the host asserts its own layout inside the probe program as well, so that an
 * edited copy with another layout does not compile (see src/bpf/layout.c).
 */
#ifndef LNK_EVENT_H
#define LNK_EVENT_H

#include <linux/types.h>

/*
 * One row. 56 bytes: with the length word of a perf sample that is one cache line.
 *
 * Addresses are in network byte order, an IPv4 address as ::ffff:a.b.c.d; all bytes zero
 * means "not known" (shown as "-"). In an IPv6 header both are what they are there: then
 * `ipv6` is 1. Ports and sequence numbers are in host byte order.
 */
struct lnk_event {
	__u64 time_ns; /* when the function was entered: CLOCK_MONOTONIC */
	__u8 saddr[16];
	__u8 daddr[16];
	__u32 seq;
	__u32 ack_seq;
	__u16 sport;
	__u16 dport;
	__u16 hook; /* which probe function, numbered by the host */
	__u16 ipv6; /* the addresses are those of an IPv6 header: 0 or 1 */
};

/*
 * What is sent: the event, and as many more numbers as the run asked for (EXTRA of
 * config.h), each in a slot of its own. With -d the first one is the instruction pointer
 * in a kprobe's registers, else 0.
 */
#define LNK_MAX_EXTRA 24
#define LNK_UNKNOWN (~0ULL) /* a number that cannot be told here: shown as "-" */

struct lnk_record {
	struct lnk_event event;
	__u64 extra[LNK_MAX_EXTRA];
};
#define LNK_RECORD_SIZE(extra) (sizeof(struct lnk_event) + (extra) * sizeof(__u64))

/*
 * With --buffer=shared the events do not go through the perf rings: the map lnk_shared is an
 * array that the host maps. Each hook has a ring of its own on each CPU, number
 * hook * RING_CPUS + cpu; the first elements of the array are these rings' positions, and then
 * come RING_SLOTS slots of each. A slot is a number and a record. Events of a ring count from
 * 0; slot n % RING_SLOTS holds event n once its number is n + 1, which is written last.
 */
struct lnk_position {
	__u64 tail;    /* by the host: events up to this one have been read */
	__u64 wake_at; /* by the host: this event and any later one shall wake it, */
	__u64 woken;   /* by the probe: 1 more than the last wake_at that it did so for */
};
#define LNK_SLOT_SIZE(extra) (sizeof(__u64) + LNK_RECORD_SIZE(extra))

/*
 * With --pid, --comm and the columns of the same name: the map lnk_owners knows sockets by the
 * inode number of their file. The probe writes who was seen to use one, the host which are
 * known to be others' than those that are asked for.
 */
struct lnk_owner {
	__u64 others_until_ns; /* by the host: CLOCK_MONOTONIC; 0: they are not */
	__u32 pid;             /* by the probe: in the initial namespace; 0: nobody */
	__u32 reserved;
	__u64 started_ns; /* when that process began: CLOCK_MONOTONIC */
	char comm[16];
};
#define LNK_OWNERS_MAX 8192

/*
 * With PAGES of config.h: the one element of the map lnk_pages, by the host. The bytes of the
 * page whose struct page is the n-th of `array` lie at direct + n * 4096.
 */
struct lnk_pages {
	__u64 direct;
	__u64 array; /* the kernel calls it vmemmap, by a macro */
	__u64 count; /* pages that there may be */
};
#define LNK_STRUCT_PAGE 64 /* bytes of one */

/*
 * Counters, per hook and per CPU. Every call of a probe ends in exactly one of
 *
 *	other, fragment, unreadable			(no TCP header to show)
 *	filtered, limited, lost, or sent to the host	(and is counted in `seen` before)
 *
 * so that seen = filtered + limited + lost + received by the host. `ownerless` is a part of
 * `filtered`.
 */
struct lnk_counters {
	__u64 seen;       /* calls with a TCP header, or a TCP socket */
	__u64 filtered;   /* not what -i and -p ask for */
	__u64 limited;    /* over the rate limit */
	__u64 lost;       /* the ring was full */
	__u64 other;      /* not TCP */
	__u64 fragment;   /* a fragment without the TCP header */
	__u64 unreadable; /* header cut short, or out of reach */
	__u64 ownerless;  /* with --pid: a socket without a file, whose owner nobody can tell */
	__u64 bytes;      /* with -s: bytes from the IP header on, of what passed the filter */
};

/*
 * Stand for two numbers of the kernel's BTF: of the function bpf_rdonly_cast(), in a call, and
 * of a structure of u64, as a constant. The host puts them in when the probes are compiled.
 */
#define LNK_CAST_FUNCTION 0x6c6e6b01
#define LNK_CAST_TYPE 0x6c6e6b02

/* How many probe functions one program may have. */
#define LNK_MAX_HOOKS 128

#endif
