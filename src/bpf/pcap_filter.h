/* SPDX-License-Identifier: MIT */
/*
 * tcpdump expressions as C. libpcap parses and optimises; its classic BPF program becomes
 * C that is compiled into the probes. No byte of the expression is in that C: it holds
 * nothing but what the program holds, which is numbers.
 */
#ifndef LNK_PCAP_FILTER_H
#define LNK_PCAP_FILTER_H

#include "base/text.h"

/* The longest expression, and the longest program of libpcap's, that is taken: what Linux
 * 5.10's verifier still takes in every probe. (Before 5.2 the probes as a whole have 4096
 * instructions, and the verifier says so.) */
#define PCAP_FILTER_MAX_TEXT 16384
#define PCAP_FILTER_MAX_INSNS 1024

/*
 * Adds to *c two C functions, and what they need:
 *
 *	static __always_inline int lnk_pcap(const struct lnk_wire *w);
 *
 * 1: the packet matches; 0: it does not, also where the expression reads behind its end, as
 * bpf_filter() has it; -1: a byte that is needed lies in the packet, but cannot be read.
 * struct lnk_wire is defined unless LNK_WIRE is:
 *
 *	struct lnk_wire {
 *		const char *ip;   the IP header, in kernel memory
 *		u32 linear;       bytes that may be read there, at most `length`
 *		u32 length;       bytes from the IP header to the end of the packet
 *		const u8 *head;   the first head_len of them (at most `linear` and 40), on
 *		u32 head_len;     the stack, aligned to 4
 *	};
 *
 *	static __always_inline int lnk_pcap_sock(const struct lnk_event *e);
 *
 * for a probe that has a socket only: 1 or 0 where every TCP packet with the addresses and
 * ports of *e, without IP options and extension headers and not a later fragment, would get
 * that answer, -2 where it depends on something else. What the event does not know (an address
 * of zero bytes, a port 0) is something else.
 *
 * Returns 0; *why is then empty, or a note that the expression can never match. Or -EINVAL,
 * with nothing added to *c and the reason in *why. Host names are looked up by libpcap, in
 * the DNS if the host does that.
 */
int pcap_filter_emit(const char *expression, struct text *c, struct text *why);

#endif
