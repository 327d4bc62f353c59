/* SPDX-License-Identifier: MIT */
/*
 * A connection of our own over the loopback, and a witness: a packet socket that sees
 * every packet that comes in there, whatever the hooks make of it.
 *
 * The client says first that it has no more to say, the server closes, then the client:
 * so neither socket is without a process while packets are on their way, and each of
 * them passes every function.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <net/if.h>
#include <netinet/in.h>
#include <netinet/ip.h>
#include <netinet/ip6.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>

#include "app/doctor_parts.h"

#define PORT_TRIES 20
#define WAIT_SECONDS 10
#define ROUNDS 3
#define WITNESS_BYTES (1 << 20)

const char *const family_name[FAMILIES] = { [V4] = "IPv4", [V6] = "IPv6" };

union address {
	struct sockaddr any;
	struct sockaddr_in v4;
	struct sockaddr_in6 v6;
};

static socklen_t loopback(enum family f, uint16_t port, union address *a)
{
	memset(a, 0, sizeof(*a));
	if (f == V4) {
		a->v4.sin_family = AF_INET;
		a->v4.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
		a->v4.sin_port = htons(port);
		return sizeof(a->v4);
	}
	a->v6.sin6_family = AF_INET6;
	a->v6.sin6_addr = in6addr_loopback;
	a->v6.sin6_port = htons(port);
	return sizeof(a->v6);
}

static int open_socket(enum family f)
{
	struct timeval wait = { .tv_sec = WAIT_SECONDS };
	int fd = socket(f == V4 ? AF_INET : AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return -errno;
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof(wait));
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &wait, sizeof(wait));
	return fd;
}

/* Port 0: the kernel chooses, and *port says which. */
static int listen_on(enum family f, uint16_t *port)
{
	union address a;
	socklen_t len = loopback(f, *port, &a);
	int fd = open_socket(f), err;

	if (fd < 0)
		return fd;
	if (bind(fd, &a.any, len) || listen(fd, 1) || getsockname(fd, &a.any, &len)) {
		err = -errno;
		close(fd);
		return err;
	}
	*port = ntohs(f == V4 ? a.v4.sin_port : a.v6.sin6_port);
	return fd;
}

/* Both families on one port, for there is one filter. A family that the host has not is
 * left out. */
static void listen_both(struct visit *v)
{
	int tries;

	for (tries = 0; tries < PORT_TRIES; tries++) {
		v->port = 0;
		v->listener[V4] = listen_on(V4, &v->port);
		v->listener[V6] = listen_on(V6, &v->port);
		if (v->listener[V4] < 0 || v->listener[V6] != -EADDRINUSE)
			return;
		close(v->listener[V4]);
		v->listener[V4] = -EADDRINUSE;
	}
}

/* Needs CAP_NET_RAW, which is no reason to fail. */
static int open_witness(void)
{
	struct sockaddr_ll a = { .sll_family = AF_PACKET,
				 .sll_protocol = htons(ETH_P_ALL),
				 .sll_ifindex = (int)if_nametoindex("lo") };
	int bytes = WITNESS_BYTES;
	int fd = socket(AF_PACKET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	if (fd < 0)
		return -1;
	setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &bytes, sizeof(bytes));
	if (a.sll_ifindex && !bind(fd, (struct sockaddr *)&a, sizeof(a)))
		return fd;
	close(fd);
	return -1;
}

int visit_open(struct visit *v)
{
	int f;

	*v = (struct visit){ .packet_fd = -1 };
	listen_both(v);
	for (f = 0; f < FAMILIES; f++)
		if (v->listener[f] < 0) {
			v->error[f] = v->listener[f];
			v->listener[f] = -1;
		}
	v->packet_fd = open_witness();
	return v->listener[V4] < 0 && v->listener[V6] < 0 ? v->error[V4] : 0;
}

void visit_close(struct visit *v)
{
	int f;

	for (f = 0; f < FAMILIES; f++)
		if (v->listener[f] >= 0)
			close(v->listener[f]);
	if (v->packet_fd >= 0)
		close(v->packet_fd);
}

/* --- the connection ---------------------------------------------------------------- */

/* Returns 0 when `n` bytes came, n == 0: when the end did. */
static int expect(int fd, size_t n)
{
	char buf[16];
	ssize_t got = recv(fd, buf, n ? n : sizeof(buf), MSG_WAITALL);

	if (got < 0)
		return -errno;
	return (size_t)got == n ? 0 : -EPROTO;
}

static int say(int fd)
{
	return send(fd, "hello", 5, MSG_NOSIGNAL) == 5 ? 0 : -errno;
}

static int talk(int client, int server)
{
	int i, err = 0;

	for (i = 0; i < ROUNDS && !err; i++) {
		err = say(client);
		if (!err)
			err = expect(server, 5);
		if (!err)
			err = say(server);
		if (!err)
			err = expect(client, 5);
	}
	if (!err && shutdown(client, SHUT_WR))
		err = -errno;
	return err ? err : expect(server, 0);
}

int visit_make(struct visit *v, enum family f)
{
	union address a;
	socklen_t len = loopback(f, v->port, &a);
	int client = open_socket(f), server, err;

	if (client < 0)
		return client;
	if (connect(client, &a.any, len)) {
		err = -errno;
		close(client);
		return err;
	}
	server = accept4(v->listener[f], NULL, NULL, SOCK_CLOEXEC);
	if (server < 0) {
		err = -errno;
		close(client);
		return err;
	}
	err = talk(client, server);
	close(server);
	if (!err)
		err = expect(client, 0);
	close(client);
	return err;
}

/* --- the witness ------------------------------------------------------------------- */

/* A packet from its IP header on; headers of the loopback have no extensions. */
static void count_packet(struct visit *v, const uint8_t *p, size_t len)
{
	size_t head, total;
	struct tcphdr tcp;
	enum family f;

	if (len >= sizeof(struct iphdr) && p[0] >> 4 == 4 && p[9] == IPPROTO_TCP) {
		f = V4;
		head = (size_t)(p[0] & 15) * 4;
		total = (size_t)p[2] << 8 | p[3];
	} else if (len >= sizeof(struct ip6_hdr) && p[0] >> 4 == 6 && p[6] == IPPROTO_TCP) {
		f = V6;
		head = sizeof(struct ip6_hdr);
		total = head + ((size_t)p[4] << 8 | p[5]);
	} else {
		return;
	}
	if (len < head + sizeof(tcp))
		return;
	memcpy(&tcp, p + head, sizeof(tcp));
	if (ntohs(tcp.source) != v->port && ntohs(tcp.dest) != v->port)
		return;
	v->seen[f].packets++;
	v->seen[f].data += tcp.fin || total > head + tcp.doff * 4u;
}

void visit_look(struct visit *v)
{
	struct tpacket_stats stats = { 0 };
	struct sockaddr_ll from;
	socklen_t len = sizeof(stats), from_len;
	uint8_t buf[256];
	ssize_t n;

	if (v->packet_fd < 0)
		return;
	for (;;) {
		from = (struct sockaddr_ll){ 0 };
		from_len = sizeof(from);
		n = recvfrom(v->packet_fd, buf, sizeof(buf), 0, (struct sockaddr *)&from,
			     &from_len);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			break;
		if (from.sll_pkttype != PACKET_OUTGOING)
			count_packet(v, buf, (size_t)n);
	}
	v->blind = getsockopt(v->packet_fd, SOL_PACKET, PACKET_STATISTICS, &stats, &len) ||
		   stats.tp_drops;
}
