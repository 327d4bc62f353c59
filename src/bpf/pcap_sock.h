/* SPDX-License-Identifier: MIT */
/* What of a classic BPF program can be decided without the packet. */
#ifndef LNK_PCAP_SOCK_H
#define LNK_PCAP_SOCK_H

#include <stdbool.h>
#include <stddef.h>

#include "base/text.h"

struct bpf_insn; /* <pcap/bpf.h>, not <linux/bpf.h> */

/* The program must have passed pcap_filter.c's checks: forward jumps only, a return at the
 * end. Adds lnk_pcap_sock() (see pcap_filter.h) and what it calls. Returns 0 or -ENOMEM. */
int pcap_sock_emit(const struct bpf_insn *prog, size_t n, struct text *c);

/* Whether some TCP packet of this version of IP (4, 6) might match: with options, extension
 * headers and as a fragment too. When in doubt, or out of memory: yes. */
bool pcap_sock_may_match(const struct bpf_insn *prog, size_t n, int version);

#endif
