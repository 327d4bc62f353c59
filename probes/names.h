/* SPDX-License-Identifier: MIT */
/*
 * What can be asked of a packet or a socket beyond the row itself: by a column, by
 * --where and by --col. The host knows these functions by name (src/bpf/names.c) and
 * calls them only where `call->knows` says that there is something to ask.
 */

/* The TCP header's flag byte: FIN is 1, SYN 2, RST 4, PSH 8, ACK 16, URG 32, ECE 64,
 * CWR 128. */
static __always_inline u32 lnk_tcp_flags(const struct lnk_call *call)
{
	return bpf_ntohl(call->tcp_word) >> 16 & 0xff;
}

static __always_inline u32 lnk_tcp_window(const struct lnk_call *call)
{
	return bpf_ntohl(call->tcp_word) & 0xffff;
}

/* The TCP header's length in bytes. */
static __always_inline u32 lnk_tcp_length(const struct lnk_call *call)
{
	return (bpf_ntohl(call->tcp_word) >> 28) * 4;
}

/* Bytes of payload; 0 where the headers say less than their own length. */
static __always_inline u32 lnk_payload(const struct lnk_call *call)
{
	u32 headers = call->tcp_at + lnk_tcp_length(call);

	return call->wire.length > headers ? call->wire.length - headers : 0;
}

/* ::ffff:a.b.c.d: an IPv4 address. */
static __always_inline int lnk_is_mapped(const u32 *a)
{
	return !(a[0] | a[1]) && a[2] == bpf_htonl(0xffff);
}

/* IPv4 or not. A socket that is bound to no address tells by its family. */
static __always_inline int lnk_is_ipv4(const struct lnk_call *call, const struct lnk_event *e)
{
	const u32 *s = (const u32 *)e->saddr, *d = (const u32 *)e->daddr;

	if (call->knows & LNK_KNOWS_PACKET)
		return (call->knows & LNK_KNOWS_IPV4) != 0;
	if (lnk_is_mapped(s) || lnk_is_mapped(d))
		return 1;
	return LNK_READ(call->sk->__sk_common.skc_family) == 2;
}

static __always_inline u32 lnk_ttl(const struct lnk_call *call)
{
	return call->knows & LNK_KNOWS_IPV4 ? call->wire.head[8] : call->wire.head[7];
}

static __always_inline u32 lnk_tos(const struct lnk_call *call)
{
	const u8 *h = call->wire.head;

	return call->knows & LNK_KNOWS_IPV4 ? h[1] : (h[0] << 4 | h[1] >> 4) & 0xff;
}

/* TCP takes skb->dev away from its packets (tcp_v4_rcv()), but the number stays. */
static __always_inline u32 lnk_ifindex(const struct lnk_call *call)
{
	if (call->knows & LNK_KNOWS_DEVICE)
		return LNK_READ(LNK_READ(call->skb->dev)->ifindex);
	return LNK_READ(call->skb->skb_iif);
}

/* The inode number of the network namespace, as in /proc/PID/ns/net. */
static __always_inline u32 lnk_netns(const struct lnk_call *call)
{
	const struct net *net;

	if (call->sk)
		net = LNK_READ(call->sk->__sk_common.skc_net.net);
	else
		net = LNK_READ(LNK_READ(call->skb->dev)->nd_net.net);
	return LNK_READ(net->ns.inum);
}

#ifdef CONFIG_SOCK_CGROUP_DATA
/* The cgroup, of version 2, that the socket was made in. Before 5.15 a mark of version 1, an
 * odd number, may stand in its place; requests and sockets in TIME-WAIT have none. */
static __always_inline const struct cgroup *lnk_cgroup_of(const struct lnk_call *call)
{
	struct sock *sk = call->sk;
	u8 state = LNK_READ(sk->__sk_common.skc_state);
	u64 at = 0;

	if (state == 6 || state == 12) /* TCP_TIME_WAIT, TCP_NEW_SYN_RECV */
		return 0;
	bpf_probe_read_kernel(&at, sizeof(at), &sk->sk_cgrp_data);
	return at & 3 ? 0 : (const struct cgroup *)at;
}

/* 0: the root has none. */
static __always_inline const struct cgroup *lnk_cgroup_above(const struct cgroup *c)
{
	const char *css = (const char *)LNK_READ(c->self.parent);

	return css ? (const struct cgroup *)(css - __builtin_offsetof(struct cgroup, self)) : 0;
}

/* The inode number of its directory. Before 5.5 a generation stands beside it. */
static __always_inline u64 lnk_cgroup_inode(const struct cgroup *c)
{
	const struct kernfs_node *kn = LNK_READ(c->kn);
	u64 id = 0;

	bpf_probe_read_kernel(&id, sizeof(id), &kn->id);
#if LINUX_VERSION_CODE < KERNEL_VERSION(5, 5, 0)
	id = (u32)id;
#endif
	return id;
}

static __always_inline u64 lnk_cgroup(const struct lnk_call *call)
{
	const struct cgroup *c = lnk_cgroup_of(call);

	return c ? lnk_cgroup_inode(c) : LNK_UNKNOWN;
}
#else
#define LNK_NO_CGROUPS                                                                             \
	__attribute__((unavailable("this kernel keeps no cgroup with a socket")))
const struct cgroup *lnk_cgroup_of(const struct lnk_call *call) LNK_NO_CGROUPS;
const struct cgroup *lnk_cgroup_above(const struct cgroup *c) LNK_NO_CGROUPS;
u64 lnk_cgroup_inode(const struct cgroup *c) LNK_NO_CGROUPS;
u64 lnk_cgroup(const struct lnk_call *call) LNK_NO_CGROUPS;
#endif

/* The inode number of the socket's file, as in /proc/PID/fd; 0: it has none. It has none
 * before it is accepted and after it is closed, nor in TIME-WAIT or as a request. */
static __always_inline u64 lnk_inode(const struct lnk_call *call)
{
	u8 state = LNK_READ(call->sk->__sk_common.skc_state);
	const struct socket_alloc *file;

	if (state == 6 || state == 12) /* TCP_TIME_WAIT, TCP_NEW_SYN_RECV */
		return 0;
	file = (const struct socket_alloc *)LNK_READ(call->sk->sk_socket);
	return file ? LNK_READ(file->vfs_inode.i_ino) : 0;
}

/* On 64-bit kernels skb->end is an offset. */
static __always_inline struct skb_shared_info *lnk_shared_info(const struct lnk_call *call)
{
	return (struct skb_shared_info *)(LNK_READ(call->skb->head) + LNK_READ(call->skb->end));
}

/* What ss(8) calls Recv-Q: bytes not yet read; of a listener, connections not yet
 * accepted. */
static __always_inline u32 lnk_recv_queue(const struct lnk_call *call)
{
	if (LNK_READ(call->sk->__sk_common.skc_state) == 10) /* TCP_LISTEN */
		return LNK_READ(call->sk->sk_ack_backlog);
	return LNK_TCP_SOCK(call, rcv_nxt) - LNK_TCP_SOCK(call, copied_seq);
}

/* ... and Send-Q: bytes not yet acknowledged; of a listener, how many may wait. */
static __always_inline u32 lnk_send_queue(const struct lnk_call *call)
{
	if (LNK_READ(call->sk->__sk_common.skc_state) == 10)
		return LNK_READ(call->sk->sk_max_ack_backlog);
	return LNK_TCP_SOCK(call, write_seq) - LNK_TCP_SOCK(call, snd_una);
}

/* icsk_rto is in jiffies. */
static __always_inline u64 lnk_rto_us(const struct lnk_call *call)
{
	return LNK_READ(((struct inet_connection_sock *)call->sk)->icsk_rto) *
	       (u64)(1000000 / KERNEL_HZ);
}
