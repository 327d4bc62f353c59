/* SPDX-License-Identifier: MIT */
#include "bpf/names.h"

#include <string.h>

#define FLAG(bit) "(lnk_tcp_flags(call) >> " #bit " & 1)"

const struct probe_name probe_names[] = {
	{ "sport", "event->sport", 0, 0, "source port" },
	{ "dport", "event->dport", 0, 0, "destination port" },
	{ "seq", "event->seq", 0, 0, "sequence number, as in SEQ" },
	{ "ack_seq", "event->ack_seq", 0, 0, "acknowledgement number, as in ACK SEQ" },
	{ "cpu", "bpf_get_smp_processor_id()", 0, 0, "the CPU that runs the probe" },
	{ "netns", "lnk_netns(call)", 0, 0, "inode number of the network namespace" },

	{ "len", "lnk_payload(call)", KNOWS_PACKET, 0, "bytes of TCP payload" },
	{ "tcp.flags", "lnk_tcp_flags(call)", KNOWS_PACKET, 0, "the flag byte" },
	{ "tcp.fin", FLAG(0), KNOWS_PACKET, 0, "FIN: 0 or 1" },
	{ "tcp.syn", FLAG(1), KNOWS_PACKET, 0, "SYN" },
	{ "tcp.rst", FLAG(2), KNOWS_PACKET, 0, "RST" },
	{ "tcp.psh", FLAG(3), KNOWS_PACKET, 0, "PSH" },
	{ "tcp.ack", FLAG(4), KNOWS_PACKET, 0, "ACK" },
	{ "tcp.urg", FLAG(5), KNOWS_PACKET, 0, "URG" },
	{ "tcp.ece", FLAG(6), KNOWS_PACKET, 0, "ECE" },
	{ "tcp.cwr", FLAG(7), KNOWS_PACKET, 0, "CWR" },
	{ "tcp.window", "lnk_tcp_window(call)", KNOWS_PACKET, 0, "window, as sent (not scaled)" },
	{ "tcp.hlen", "lnk_tcp_length(call)", KNOWS_PACKET, 0, "bytes of the TCP header" },
	{ "ip.version", "(call->knows & LNK_KNOWS_IPV4 ? 4 : 6)", KNOWS_PACKET, 0, "4 or 6" },
	{ "ip.len", "call->wire.length", KNOWS_PACKET, 0, "bytes of the IP packet" },
	{ "ip.hlen", "call->tcp_at", KNOWS_PACKET, 0,
	  "bytes of the IP header, with its options or extension headers" },
	{ "ip.ttl", "lnk_ttl(call)", KNOWS_PACKET, 0, "time to live, or hop limit" },
	{ "ip.tos", "lnk_tos(call)", KNOWS_PACKET, 0, "type of service, or traffic class" },
	{ "ip.id", "(call->wire.head[4] << 8 | call->wire.head[5])", KNOWS_PACKET | KNOWS_IPV4, 0,
	  "identification; IPv4 only" },
	{ "ip6.flow",
	  "((call->wire.head[1] & 15) << 16 | call->wire.head[2] << 8 | call->wire.head[3])",
	  KNOWS_PACKET | KNOWS_IPV6, 0, "flow label; IPv6 only" },

	{ "ifindex", "lnk_ifindex(call)", KNOWS_SKB, 0,
	  "number of the interface that the packet came in on" },
	{ "mark", "LNK_READ(call->skb->mark)", KNOWS_SKB, 0, "skb->mark" },
	{ "hash", "LNK_READ(call->skb->hash)", KNOWS_SKB, 0, "skb->hash" },
	{ "gso_segs", "LNK_READ(lnk_shared_info(call)->gso_segs)", KNOWS_SKB, 0,
	  "segments that this one stands for; 0 and 1: nothing was merged" },
	{ "gso_size", "LNK_READ(lnk_shared_info(call)->gso_size)", KNOWS_SKB, 0,
	  "bytes of payload of each of them" },

	{ "state", "LNK_READ(call->sk->__sk_common.skc_state)", KNOWS_SOCK, 0,
	  "the socket's state: 1 is ESTABLISHED, 10 LISTEN" },
	{ "srtt_us", "(LNK_TCP_SOCK(call, srtt_us) >> 3)", KNOWS_SOCK, 0,
	  "smoothed round-trip time in microseconds" },
	{ "rto_us", "lnk_rto_us(call)", KNOWS_SOCK, 0, "retransmission time-out in microseconds" },
	{ "cwnd", "LNK_TCP_SOCK(call, snd_cwnd)", KNOWS_SOCK, 0, "congestion window in segments" },
	{ "retrans", "LNK_TCP_SOCK(call, total_retrans)", KNOWS_SOCK, 0,
	  "segments that this socket sent again" },
	{ "rcvq", "lnk_recv_queue(call)", KNOWS_SOCK, 0, "bytes received and not yet read" },
	{ "sndq", "lnk_send_queue(call)", KNOWS_SOCK, 0, "bytes sent and not yet acknowledged" },
	{ "uid", "LNK_READ(call->sk->sk_uid.val)", KNOWS_SOCK, 0, "user that made the socket" },
	{ "inode", "lnk_inode(call)", KNOWS_SOCK, 0,
	  "inode number of the socket's file; 0: not accepted yet, or closed" },
	{ "cgroup", "lnk_cgroup(call)", KNOWS_SOCK, 0,
	  "cgroup (of version 2) that the socket was made in: the inode number of its directory" },

	{ "skb", "call->skb", KNOWS_SKB, 1, "struct sk_buff *: skb->MEMBER" },
	{ "sk", "call->sk", KNOWS_SOCK, 1, "struct sock *: sk->MEMBER" },
	{ "tp", "((struct tcp_sock *)call->sk)", KNOWS_SOCK, 1, "struct tcp_sock *: tp->MEMBER" },
};
const size_t probe_name_count = sizeof(probe_names) / sizeof(probe_names[0]);

const struct probe_name *probe_name_find(const char *name)
{
	for (size_t i = 0; i < probe_name_count; i++)
		if (!strcmp(probe_names[i].name, name))
			return &probe_names[i];
	return NULL;
}
