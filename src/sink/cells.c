/* SPDX-License-Identifier: MIT */
#include "sink/cells.h"

#include <netinet/in.h>
#include <string.h>

#include "sink/digits.h"
#include "sink/interfaces.h"
#include "sink/namespaces.h"
#include "sink/owners.h"
#include "sink/resolver.h"
#include "sink/services.h"
#include "sink/table.h"

static char *put_string(const char *s, char *p)
{
	size_t n = strlen(s);

	memcpy(p, s, n);
	return p + n;
}

/* --- of every event ---------------------------------------------------------------- */

char *cell_function(struct cells *c, const struct cell *at, const struct lnk_record *e, char *p)
{
	const char *name = c->hooks[e->event.hook].shown;
	size_t n = strnlen(name, 150);

	(void)at;
	*p++ = '[';
	memcpy(p, name, n);
	p += n;
	*p++ = ']';
	return p;
}

static char *put_host(struct cells *c, const __u8 address[16], bool ipv6, char *p)
{
	const char *name = NULL;

	/* the name would be that of the IPv4 address */
	if (c->resolver && !(ipv6 && IN6_IS_ADDR_V4MAPPED(address)))
		name = resolver_name(c->resolver, address);
	return name ? put_string(name, p) : put_address(address, ipv6, p);
}

static char *put_port(struct cells *c, uint16_t port, char *p)
{
	const char *name = services_name(c->services, port);

	return name ? put_string(name, p) : put_u32(port, p);
}

char *cell_src(struct cells *c, const struct cell *at, const struct lnk_record *e, char *p)
{
	(void)at;
	return put_host(c, e->event.saddr, e->event.ipv6, p);
}

char *cell_dst(struct cells *c, const struct cell *at, const struct lnk_record *e, char *p)
{
	(void)at;
	return put_host(c, e->event.daddr, e->event.ipv6, p);
}

char *cell_sport(struct cells *c, const struct cell *at, const struct lnk_record *e, char *p)
{
	(void)at;
	return c->services ? put_port(c, e->event.sport, p) : put_u32(e->event.sport, p);
}

char *cell_dport(struct cells *c, const struct cell *at, const struct lnk_record *e, char *p)
{
	(void)at;
	return c->services ? put_port(c, e->event.dport, p) : put_u32(e->event.dport, p);
}

char *cell_seq(struct cells *c, const struct cell *at, const struct lnk_record *e, char *p)
{
	(void)c;
	(void)at;
	return put_u32(e->event.seq, p);
}

char *cell_ack(struct cells *c, const struct cell *at, const struct lnk_record *e, char *p)
{
	(void)c;
	(void)at;
	return put_u32(e->event.ack_seq, p);
}

char *cell_time(struct cells *c, const struct cell *at, const struct lnk_record *e, char *p)
{
	(void)at;
	return stamp_put(&c->stamp, e->event.time_ns, c->wall_offset_ns,
			 c->has_gap ? &c->gap_ns : NULL, p);
}

char *cell_delta(struct cells *c, const struct cell *at, const struct lnk_record *e, char *p)
{
	(void)at;
	(void)e;
	return c->has_delta ? put_fixed(c->delta_ns, 3, p) : put_unknown(p);
}

char *cell_gap(struct cells *c, const struct cell *at, const struct lnk_record *e, char *p)
{
	(void)at;
	(void)e;
	return c->has_gap ? put_fixed(c->gap_ns, 3, p) : put_unknown(p);
}

/* --- collected --------------------------------------------------------------------- */

char *cell_number(struct cells *c, const struct cell *at, const struct lnk_record *e, char *p)
{
	__u64 v = cell_value(at, 0, e);

	return v == LNK_UNKNOWN ? put_unknown(p) : at->number(c, at, e, v, p);
}

/* An interface's number says nothing without its namespace: the name is for ours alone. */
char *cell_ifname(struct cells *c, const struct cell *at, const struct lnk_record *e, char *p)
{
	__u64 index = cell_value(at, 0, e), netns = cell_value(at, 1, e);

	const char *name;

	if (index == LNK_UNKNOWN)
		return put_unknown(p);
	if (c->interfaces && netns == interfaces_netns(c->interfaces)) {
		name = interfaces_name(c->interfaces, index);
		return name ? put_escaped(name, strlen(name), p, NAME_CELL_MAX) : put_u64(index, p);
	}
	p = put_u64(index, p);
	*p++ = '@';
	return netns == LNK_UNKNOWN ? put_unknown(p) : number_netns(c, at, e, netns, p);
}

char *number_dec(struct cells *c, const struct cell *at, const struct lnk_record *e, __u64 v,
		 char *p)
{
	(void)c;
	(void)at;
	(void)e;
	return put_u64(v, p);
}

char *number_hex(struct cells *c, const struct cell *at, const struct lnk_record *e, __u64 v,
		 char *p)
{
	(void)c;
	(void)at;
	(void)e;
	return put_hex(v, p);
}

/* Microseconds as milliseconds. */
char *number_ms(struct cells *c, const struct cell *at, const struct lnk_record *e, __u64 v,
		char *p)
{
	(void)c;
	(void)at;
	(void)e;
	return put_fixed((int64_t)v, 3, p);
}

/* tcpdump's letters, in its order. */
char *number_flags(struct cells *c, const struct cell *at, const struct lnk_record *e, __u64 v,
		   char *p)
{
	static const char letter[8] = { 'F', 'S', 'R', 'P', '.', 'U', 'E', 'W' };

	(void)c;
	(void)at;
	(void)e;
	if (!(v & 0xff))
		return put_string("none", p);
	for (int i = 0; i < 8; i++)
		if (v >> i & 1)
			*p++ = letter[i];
	return p;
}

/* ss's words. */
char *number_state(struct cells *c, const struct cell *at, const struct lnk_record *e, __u64 v,
		   char *p)
{
	static const char *const word[] = {
		NULL,         "ESTAB",     "SYN-SENT",     "SYN-RECV",   "FIN-WAIT-1",
		"FIN-WAIT-2", "TIME-WAIT", "UNCONN",       "CLOSE-WAIT", "LAST-ACK",
		"LISTEN",     "CLOSING",   "NEW-SYN-RECV",
	};

	(void)c;
	(void)at;
	(void)e;
	if (v < sizeof(word) / sizeof(word[0]) && word[v])
		return put_string(word[v], p);
	return put_u64(v, p);
}

char *number_netns(struct cells *c, const struct cell *at, const struct lnk_record *e, __u64 v,
		   char *p)
{
	const char *name = c->namespaces ? namespaces_name(c->namespaces, v) : NULL;

	(void)at;
	(void)e;
	return name ? put_escaped(name, strlen(name), p, NAME_CELL_MAX) : put_u64(v, p);
}

/* The owner of the socket with inode v; NULL: nobody is known. */
static const struct owner *owner_of(struct cells *c, __u64 v)
{
	return c->owners ? owners_find(c->owners, v) : NULL;
}

char *number_pid(struct cells *c, const struct cell *at, const struct lnk_record *e, __u64 v,
		 char *p)
{
	const struct owner *o = owner_of(c, v);

	(void)at;
	(void)e;
	if (!v)
		return put_unknown(p);
	return o ? put_u32(o->pid, p) : put_string("?", p);
}

char *number_comm(struct cells *c, const struct cell *at, const struct lnk_record *e, __u64 v,
		  char *p)
{
	const struct owner *o = owner_of(c, v);

	(void)at;
	(void)e;
	if (!v)
		return put_unknown(p);
	return o ? put_escaped(o->comm, strlen(o->comm), p, NAME_CELL_MAX) : put_string("?", p);
}

/* --- the user's own ---------------------------------------------------------------- */

/* 950ns, 12.345us, 3.200ms, 1.500s */
static char *put_duration(int64_t ns, char *p)
{
	static const struct {
		int64_t unit;
		const char *name;
	} scale[] = { { 1000000, "s" }, { 1000, "ms" }, { 1, "us" } };
	uint64_t size = ns < 0 ? -(uint64_t)ns : (uint64_t)ns;

	for (int i = 0; i < 3; i++)
		if (size / 1000 >= (uint64_t)scale[i].unit)
			return put_string(scale[i].name, put_fixed(ns / scale[i].unit, 3, p));
	return put_string("ns", put_i64(ns, p));
}

char *number_user(struct cells *c, const struct cell *at, const struct lnk_record *e, __u64 v,
		  char *p)
{
	__u8 address[16] = { [10] = 0xff, [11] = 0xff };
	uint32_t v4 = (uint32_t)v;

	(void)c;
	(void)e;
	switch (at->format) {
	case FORMAT_HEX:
		return put_hex(v, p);
	case FORMAT_IP:
		memcpy(address + 12, &v4, sizeof(v4));
		return put_address(address, false, p);
	case FORMAT_NS:
		return put_duration((int64_t)v, p);
	default:
		return put_i64((int64_t)v, p);
	}
}
