/* SPDX-License-Identifier: MIT */
/* probes/packet.h, compiled for this host: headers that a card left in a page. */
#include "unit.h"

#include <stdint.h>

#include "probes/event.h"

struct sk_buff {
	uint32_t len, data_len;
	uint16_t protocol, transport_header, network_header;
	uint32_t tail, end;
	uint8_t *head, *data;
};

struct skb_shared_info {
	uint8_t flags, meta_len, nr_frags, tx_flags;
	uint16_t gso_size;
	uint64_t others[5];
	struct {
		uint64_t page;
		uint32_t length, offset;
	} frags[2];
};

static struct lnk_pages known;

static struct lnk_pages *lookup(const int *key)
{
	return *key ? NULL : &known;
}

#define BPF_ARRAY(name, type, n)                                                                   \
	static struct {                                                                            \
		type *(*lookup)(const int *);                                                      \
	} name = { lookup }

#define PAGES 1
#include "packet_host.h"

#define ROOM 128 /* what the linear area may have; skb_shared_info is behind it */
#define VMEMMAP 0xffffea0040000000ULL
#define PAGE_COUNT 4 /* of which there are the last two */

static struct {
	_Alignas(8) u8 linear[ROOM];
	struct skb_shared_info info;
} skb_head;
static u8 memory[2 * 4096];
static int strange; /* reads of what is none of these */

static int lies_in(const void *at, u32 size, const void *what, size_t len)
{
	return (uintptr_t)at >= (uintptr_t)what && (uintptr_t)at + size <= (uintptr_t)what + len;
}

static struct {
	struct sk_buff skb;
	struct lnk_call *call;
	struct lnk_event event;
} p;

static long bpf_probe_read_kernel(void *to, u32 size, const void *from)
{
	if (!lies_in(from, size, &skb_head, sizeof(skb_head)) &&
	    !lies_in(from, size, &p.skb, sizeof(p.skb)) &&
	    !lies_in(from, size, memory, sizeof(memory))) {
		strange++;
		memset(to, 0, size);
		return -14;
	}
	memcpy(to, from, size);
	return 0;
}

/* --- packets ----------------------------------------------------------------------- */

static u8 packet[100];
static u32 packet_len;
static union lnk_head head;
static struct lnk_call call;

static void add(const void *bytes, size_t n)
{
	memcpy(packet + packet_len, bytes, n);
	packet_len += (u32)n;
}

static const u8 tcp[20] = { 1000 >> 8, 1000 & 255, 2000 >> 8, 2000 & 255, 0, 0,      0,
			    7,         0,          0,         0,          9, 5 << 4, 16 };

static void make_ipv4(u8 options, u16 total)
{
	u8 h[20] = { (u8)(0x45 + options), 0, (u8)(total >> 8), (u8)total };
	const u8 nothing[8] = { 1, 1, 1, 1, 1, 1, 1, 1 };

	packet_len = 0;
	h[9] = 6;
	memcpy(h + 12, (const u8[]){ 10, 0, 0, 1, 10, 0, 0, 2 }, 8);
	add(h, sizeof(h));
	add(nothing, options * 4U);
	add(tcp, sizeof(tcp));
}

static void make_ipv6(void)
{
	u8 h[40] = { 0x60, 0, 0, 0, 0, 20, 6, 64 };

	packet_len = 0;
	h[8] = h[24] = 0xfd;
	add(h, sizeof(h));
	add(tcp, sizeof(tcp));
}

/* The packet, of which `linear` bytes are in the linear area and the rest in the third page, or
 * as far behind its beginning as `offset` says. */
static void place(u32 linear, u32 offset)
{
	memset(&skb_head, 0, sizeof(skb_head));
	memset(memory, 0, sizeof(memory));
	memset(&p, 0, sizeof(p));
	strange = 0;
	known = (struct lnk_pages){ .direct = (uintptr_t)memory - 2 * 4096ULL,
				    .array = VMEMMAP,
				    .count = PAGE_COUNT };
	memcpy(skb_head.linear + 32, packet, linear);
	memcpy(memory + offset, packet + linear, packet_len - linear);
	skb_head.info.nr_frags = 1;
	skb_head.info.frags[0].page = VMEMMAP + 2ULL * LNK_STRUCT_PAGE;
	skb_head.info.frags[0].offset = offset;
	skb_head.info.frags[0].length = packet_len - linear;
	p.skb = (struct sk_buff){ .len = packet_len,
				  .data_len = packet_len - linear,
				  .protocol = packet[0] >> 4 == 6 ? htons(0x86dd) : htons(0x0800),
				  .transport_header = 52,
				  .network_header = 32,
				  .end = ROOM,
				  .head = (u8 *)&skb_head,
				  .data = skb_head.linear + 32 };
}

static enum lnk_verdict look(int at_data)
{
	call = (struct lnk_call){ .skb = &p.skb, .at_data = at_data };
	memset(&p.event, 0, sizeof(p.event));
	return lnk_read_skb(&call, at_data ? LNK_ALL_IN_PAGE : LNK_TCP_IN_PAGE, &head, &p.event);
}

static void shows(enum lnk_verdict verdict, u32 tcp_at)
{
	CHECK_INT(verdict, LNK_TCP);
	CHECK_INT(call.bytes, packet_len);
	CHECK_INT(call.tcp_at, tcp_at);
	CHECK_INT(p.event.sport, 1000);
	CHECK_INT(p.event.dport, 2000);
	CHECK_INT(p.event.seq, 7);
	CHECK_INT(p.event.ack_seq, 9);
	CHECK_INT(p.event.daddr[tcp_at == 40 ? 0 : 15], tcp_at == 40 ? 0xfd : 2);
	CHECK_INT(strange, 0);
}

static void shows_not(int at_data)
{
	CHECK_INT(look(at_data), LNK_UNREADABLE);
	CHECK_INT(strange, 0);
}

/* --- tests ------------------------------------------------------------------------- */

TEST(all_headers_in_the_page)
{
	make_ipv4(0, 40);
	place(0, 0);
	shows(look(1), 20);
	CHECK_INT(call.wire.linear, 40);
	place(0, 4000); /* a page may have more behind it */
	shows(look(1), 20);
	place(0, 5000); /* ... and be named for what is all there */
	shows(look(1), 20);
	make_ipv4(2, 48);
	place(0, 100);
	shows(look(1), 28);
	make_ipv6();
	place(0, 100);
	shows(look(1), 40);
}

TEST(tcp_header_in_the_page)
{
	make_ipv4(0, 40);
	place(20, 100);
	shows(look(0), 20);
	/* an expression finds the ports in the head */
	CHECK_INT(call.wire.linear, 20);
	CHECK_INT(call.wire.head_len, 36);
	CHECK(!memcmp(call.wire.head + 20, tcp, 16));
	make_ipv4(2, 48);
	place(28, 100);
	shows(look(0), 28);
	CHECK_INT(call.wire.head_len, 20);
	make_ipv6();
	place(40, 100);
	shows(look(0), 40);
	CHECK_INT(call.wire.head_len, 40);
}

TEST(headers_in_both_places)
{
	static const u8 payload[40];
	u32 linear;

	make_ipv4(0, 80);
	add(payload, sizeof(payload));
	for (linear = 1; linear < 40; linear++) {
		place(linear, 100);
		shows_not(1);
		if (linear != 20)
			shows_not(0);
	}
	make_ipv6();
	add(payload, sizeof(payload));
	for (linear = 1; linear < 60; linear++) {
		place(linear, 100);
		shows_not(1);
		if (linear != 40)
			shows_not(0);
	}
	place(60, 100);
	shows(look(1), 40);
}

/* What is behind the first fragment is in another one, and never in the first once more. */
TEST(fragment_that_is_too_short)
{
	u32 length;

	make_ipv4(0, 40);
	for (length = 0; length < 40; length++) {
		place(0, 100);
		skb_head.info.frags[0].length = length;
		shows_not(1);
	}
	for (length = 0; length < 20; length++) {
		place(20, 100);
		skb_head.info.frags[0].length = length;
		shows_not(0);
	}
}

/* What lies there is padding, or the next frame. */
TEST(packet_that_is_too_short)
{
	make_ipv4(0, 39);
	place(0, 100);
	shows_not(1);
	place(20, 100);
	shows_not(0);
	make_ipv4(0, 20);
	place(20, 100);
	shows_not(0);
	place(30, 100); /* all of it is linear, and ends before that */
	shows_not(0);
}

TEST(fragments_that_are_none)
{
	static const u64 addresses[] = { 0,
					 VMEMMAP - LNK_STRUCT_PAGE,
					 VMEMMAP + 2 * LNK_STRUCT_PAGE + 1,
					 VMEMMAP + 2 * LNK_STRUCT_PAGE + 8,
					 VMEMMAP + PAGE_COUNT * LNK_STRUCT_PAGE,
					 ~0ULL };
	size_t i;
	int at_data;

	make_ipv4(0, 40);
	for (at_data = 0; at_data < 2; at_data++) {
		place(at_data ? 0 : 20, 0);
		skb_head.info.nr_frags = 0;
		shows_not(at_data);
		for (i = 0; i < sizeof(addresses) / sizeof(addresses[0]); i++) {
			place(at_data ? 0 : 20, 0);
			skb_head.info.frags[0].page = addresses[i];
			shows_not(at_data);
		}
		place(at_data ? 0 : 20, 0);
		known = (struct lnk_pages){ 0 };
		shows_not(at_data);
	}
}

/* Whoever knows the socket has seen the header pulled. */
TEST(a_packet_of_a_socket)
{
	make_ipv4(0, 40);
	place(20, 100);
	call = (struct lnk_call){ .skb = &p.skb };
	CHECK_INT(lnk_read_skb(&call, LNK_NONE_IN_PAGE, &head, &p.event), LNK_UNREADABLE);
}

/* The page's memory cannot be read. */
TEST(memory_that_is_not_there)
{
	make_ipv4(0, 40);
	place(0, 100);
	skb_head.info.frags[0].page = VMEMMAP;
	CHECK_INT(look(1), LNK_UNREADABLE);
	CHECK_INT(strange, 1);
}
