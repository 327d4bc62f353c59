/* SPDX-License-Identifier: MIT */
/*
 * What the host decides when it starts: it replaces the number on each of these lines,
 * and nothing else in any probe. As they stand they are valid C and mean: all stages,
 * every kind of hook, no filter, no rate limit. A constant of 0 leaves no instruction
 * behind.
 */

/* Kinds of hook that may be compiled in (--attach). */
#define USE_FENTRY 1
#define USE_KPROBE 1
#define USE_TRACEPOINT 1
/* ... and tracepoints that stand in for functions that have neither fentry nor kprobe. */
#define USE_SUBSTITUTES 1

/* Fields are read without a helper call where the kernel knows the pointer's type. */
#define DIRECT_READS 0

/* Anything is read without a helper call, by bpf_rdonly_cast(). */
#define CAST_READS 0

/* Headers are read where a card left them in a page. */
#define PAGES 0

/* -i: the address in four words as they lie in memory (network byte order). */
#define FILTER_IP 0
#define FILTER_IP_WORD0 0
#define FILTER_IP_WORD1 0
#define FILTER_IP_WORD2 0
#define FILTER_IP_WORD3 0

/* -p: host byte order. */
#define FILTER_PORT 0

/* Whatever else is asked of a packet: the host writes lnk_question(). */
#define FILTER_QUESTION 0

/* -R: events a second for the whole host. */
#define RATE_LIMIT 0

/* -s: count, send nothing. */
#define STATS_ONLY 0

/* --buffer=shared: events that a ring holds, a power of two; 0: perf rings. And the number of
 * possible CPUs. */
#define RING_SLOTS 0
#define RING_CPUS 1

/* How many extra numbers follow an event; the host writes lnk_collect(). */
#define EXTRA 0

/* -d: the first of them is the instruction pointer. */
#define DEBUG_FUNC 0

/* Ticks a second: what icsk_rto counts. */
#define KERNEL_HZ 1000

/* Where the tracepoint net:netif_receive_skb keeps its skbaddr: 0 where tracefs is not
 * there to tell. */
#define TP_NETIF_RECEIVE_SKB_SKBADDR 0

/* Is there any filter? */
#define FILTERED (FILTER_IP || FILTER_PORT || FILTER_QUESTION)
