/* SPDX-License-Identifier: MIT */
/*
 * probes/packet.h, compiled for this host. Of each packet a part lies in the linear area, and
 * what is behind that is not the packet's: the kernel has bytes of earlier ones there.
 */
#include "unit.h"

#include <stdint.h>

struct sk_buff {
	uint32_t len, data_len;
	uint16_t protocol, transport_header, network_header;
	uint8_t *head, *data;
};

#define PAGES 0
#include "packet_host.h"

#define HEADROOM 64

static u8 room[HEADROOM + 256];
static const u8 *linear_end;
static int beyond; /* reads behind it */

static long bpf_probe_read_kernel(void *to, u32 size, const void *from)
{
	const u8 *end = (const u8 *)from + size;

	beyond += end > linear_end && end <= room + sizeof(room);
	memcpy(to, from, size);
	return 0;
}

/* --- packets ----------------------------------------------------------------------- */

static struct {
	struct sk_buff skb;
	struct lnk_call call;
	struct lnk_event event;
	u8 *to; /* where the next bytes go */
} p;

static void add(const void *bytes, size_t n)
{
	memcpy(p.to, bytes, n);
	p.to += n;
}

static void begin(u16 protocol)
{
	memset(&p, 0, sizeof(p));
	memset(room, 0, sizeof(room));
	p.skb.head = room;
	p.skb.data = p.to = room + HEADROOM;
	p.skb.network_header = HEADROOM;
	p.skb.transport_header = HEADROOM + 20;
	p.skb.protocol = htons(protocol);
}

static void add_ipv4(u16 total)
{
	u8 h[20] = { 0x45, 0, (u8)(total >> 8), (u8)total };

	h[8] = 64;
	h[9] = 6;
	memcpy(h + 12, (const u8[]){ 10, 0, 0, 1, 10, 0, 0, 2 }, 8);
	add(h, sizeof(h));
}

static void add_ipv6(u16 payload, u8 next, const char *source)
{
	u8 h[40] = { 0x60, 0, 0, 0, (u8)(payload >> 8), (u8)payload, next, 64 };

	inet_pton(AF_INET6, source, h + 8);
	inet_pton(AF_INET6, "fd00::2", h + 24);
	add(h, sizeof(h));
}

/* 20 bytes, from port 1000 to 2000. */
static void add_tcp(void)
{
	const u8 h[20] = { 1000 >> 8, 1000 & 255, 2000 >> 8, 2000 & 255, 0, 0,      0,
			   7,         0,          0,         0,          9, 5 << 4, 16 };

	add(h, sizeof(h));
}

/* What a jumbo payload needs: hop-by-hop options, of which it is one. */
static void add_jumbo(u32 payload)
{
	const u8 h[8] = { 6,
			  0,
			  0xc2,
			  4,
			  (u8)(payload >> 24),
			  (u8)(payload >> 16),
			  (u8)(payload >> 8),
			  (u8)payload };

	add(h, sizeof(h));
}

/* `len` bytes from skb->data on, of which `linear` lie there. */
static enum lnk_verdict look(u32 len, u32 linear, int at_data)
{
	static union lnk_head head; /* call.wire points to it */

	p.skb.len = len;
	p.skb.data_len = len - linear;
	linear_end = p.skb.data + linear;
	beyond = 0;
	p.call = (struct lnk_call){ .skb = &p.skb, .at_data = at_data };
	memset(&p.event, 0, sizeof(p.event));
	return lnk_read_skb(&p.call, LNK_NONE_IN_PAGE, &head, &p.event);
}

/* It is TCP, and the row says so much of its length. */
static void shows(enum lnk_verdict verdict, u32 length, u32 tcp_at)
{
	CHECK_INT(verdict, LNK_TCP);
	CHECK_INT(p.call.wire.length, length);
	CHECK_INT(p.call.tcp_at, tcp_at);
	CHECK_INT(p.event.sport, 1000);
	CHECK_INT(p.event.dport, 2000);
	CHECK_INT(p.event.seq, 7);
	CHECK_INT(p.event.ack_seq, 9);
	CHECK_INT(beyond, 0);
}

TEST(a_packet_ends_where_its_header_says)
{
	begin(0x0800);
	add_ipv4(40);
	add_tcp();
	shows(look(46, 46, 1), 40, 20);
	shows(look(46, 46, 0), 40, 20);
	CHECK_INT(p.event.ipv6, 0);
	begin(0x86dd);
	add_ipv6(20, 6, "fd00::1");
	add_tcp();
	shows(look(64, 64, 1), 60, 40);
	CHECK_INT(p.event.ipv6, 1);
	shows(look(70000, 64, 1), 60, 40);
}

/* Behind the IP header the header says what the packet was, and skb->len what it is. */
TEST(segments_that_a_backlog_has_joined)
{
	begin(0x0800);
	add_ipv4(40);
	p.skb.data = p.to; /* tcp_v4_do_rcv() */
	add_tcp();
	shows(look(5020, 20, 0), 5040, 20);
	CHECK_INT(p.call.wire.linear, 40);
	p.skb.data = p.to; /* tcp_queue_rcv() */
	shows(look(5000, 0, 0), 5040, 20);
	shows(look(0, 0, 0), 40, 20);
	begin(0x86dd);
	add_ipv6(20, 6, "fd00::1");
	p.skb.data = p.to;
	add_tcp();
	shows(look(5020, 20, 0), 5060, 40);
	p.skb.data = p.to;
	shows(look(70000, 0, 0), 70060, 40);
}

/* --- BIG TCP ----------------------------------------------------------------------- */

TEST(big_tcp_behind_a_jumbo_header)
{
	begin(0x86dd);
	add_ipv6(0, 0, "fd00::1");
	add_jumbo(150028);
	add_tcp();
	shows(look(150068, 68, 1), 150068, 48);
	shows(look(150068, 68, 0), 150068, 48);
	/* one byte more than the field can say, and the header */
	shows(look(65576, 68, 1), 65576, 48);
	CHECK_INT(look(150068, 67, 1), LNK_UNREADABLE);
	CHECK_INT(beyond, 0);
}

TEST(big_tcp_without_a_header)
{
	begin(0x86dd);
	add_ipv6(0, 6, "fd00::1");
	add_tcp();
	shows(look(65576, 60, 1), 65576, 40);
	begin(0x0800);
	add_ipv4(0);
	add_tcp();
	shows(look(150040, 40, 1), 150040, 20);
}

/* What follows an IPv6 header of no payload is padding, and so is what follows an IPv4 header of no
 * packet: ip_rcv_core() drops it. */
TEST(no_payload)
{
	begin(0x0800);
	add_ipv4(0);
	add_tcp();
	CHECK_INT(look(60, 60, 1), LNK_UNREADABLE);
	CHECK_INT(look(65535, 60, 1), LNK_UNREADABLE);
	shows(look(65536, 60, 1), 65536, 20);
	begin(0x86dd);
	add_ipv6(0, 6, "fd00::1");
	add_tcp();
	CHECK_INT(look(60, 60, 1), LNK_UNREADABLE);
	CHECK_INT(look(65575, 60, 1), LNK_UNREADABLE);
}

/* --- VLAN tags in the data --------------------------------------------------------- */

static void add_tag(u16 protocol)
{
	const u8 tag[4] = { 0, 7, (u8)(protocol >> 8), (u8)protocol };

	add(tag, sizeof(tag));
}

TEST(behind_vlan_tags)
{
	begin(0x8100);
	add_tag(0x0800);
	add_ipv4(40);
	add_tcp();
	shows(look(44, 44, 1), 40, 20);
	begin(0x88a8);
	add_tag(0x8100);
	add_tag(0x86dd);
	add_ipv6(20, 6, "fd00::1");
	add_tcp();
	shows(look(68, 68, 1), 60, 40);
	begin(0x8100);
	add_tag(0x0806);
	CHECK_INT(look(44, 4, 1), LNK_OTHER);
}

/* What stands where a tag would be says nothing, whatever it is. */
TEST(tags_out_of_reach)
{
	static const u16 protocols[] = { 0x0806, 0x8100, 0x0800 };

	for (u32 i = 0; i < 3; i++) {
		begin(0x8100);
		add_tag(protocols[i]);
		for (u32 linear = 0; linear < 4; linear++) {
			CHECK_INT(look(44, linear, 1), LNK_UNREADABLE);
			CHECK_INT(beyond, 0);
		}
		begin(0x88a8);
		add_tag(0x8100);
		add_tag(protocols[i]);
		for (u32 linear = 0; linear < 8; linear++) {
			CHECK_INT(look(48, linear, 1), LNK_UNREADABLE);
			CHECK_INT(beyond, 0);
		}
	}
}
