/* SPDX-License-Identifier: MIT */
/*
 * The C that questions become, compiled with probes/names.h for this host and run, against
 * an evaluation of its own, bit by bit: addresses, ports, flags, lengths, places.
 */
#include "unit.h"

#include <arpa/inet.h>
#include <dlfcn.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bpf/embedded.h"
#include "bpf/names.h"
#include "bpf/question.h"

#define QUESTIONS 400
#define CALLS 500
#define COUNT_OF(a) (sizeof(a) / sizeof((a)[0]))

typedef uint8_t u8;
typedef uint16_t u16;
typedef uint32_t u32;
typedef uint64_t u64;

/* As much of the kernel and of probes/packet.h as probes/names.h looks at; once as C and
 * once as text. */
#define TYPES                                                                                      \
	struct net {                                                                               \
		struct {                                                                           \
			u32 inum;                                                                  \
		} ns;                                                                              \
	};                                                                                         \
	struct net_pointer {                                                                       \
		struct net *net;                                                                   \
	};                                                                                         \
	struct net_device {                                                                        \
		u32 ifindex;                                                                       \
		struct net_pointer nd_net;                                                         \
	};                                                                                         \
	struct sk_buff {                                                                           \
		struct net_device *dev;                                                            \
		u32 skb_iif, end;                                                                  \
		u8 *head;                                                                          \
	};                                                                                         \
	struct skb_shared_info {                                                                   \
		u16 gso_segs;                                                                      \
	};                                                                                         \
	struct kernfs_node {                                                                       \
		u64 id;                                                                            \
	};                                                                                         \
	struct cgroup {                                                                            \
		u32 before;                                                                        \
		struct {                                                                           \
			void *parent;                                                              \
		} self;                                                                            \
		struct kernfs_node *kn;                                                            \
	};                                                                                         \
	struct socket_alloc {                                                                      \
		u64 before;                                                                        \
		struct {                                                                           \
			u64 i_ino;                                                                 \
		} vfs_inode;                                                                       \
	};                                                                                         \
	struct sock {                                                                              \
		struct {                                                                           \
			struct net_pointer skc_net;                                                \
			u16 skc_family;                                                            \
			u8 skc_state;                                                              \
		} __sk_common;                                                                     \
		struct {                                                                           \
			u64 val;                                                                   \
		} sk_cgrp_data;                                                                    \
		struct socket_alloc *sk_socket;                                                    \
		u32 sk_ack_backlog, sk_max_ack_backlog;                                            \
	};                                                                                         \
	struct tcp_sock {                                                                          \
		struct sock sk;                                                                    \
		u32 rcv_nxt, copied_seq, write_seq, snd_una;                                       \
	};                                                                                         \
	struct inet_connection_sock {                                                              \
		struct sock sk;                                                                    \
		u32 icsk_rto;                                                                      \
	};                                                                                         \
	struct lnk_wire {                                                                          \
		const char *ip;                                                                    \
		u32 linear, length;                                                                \
		const u8 *head;                                                                    \
		u32 head_len;                                                                      \
	};                                                                                         \
	struct lnk_call {                                                                          \
		struct sk_buff *skb;                                                               \
		struct sock *sk;                                                                   \
		int knows;                                                                         \
		u32 tcp_at, tcp_word;                                                              \
		struct lnk_wire wire;                                                              \
	};

#define TEXT_OF(...) #__VA_ARGS__
#define AS_TEXT(...) TEXT_OF(__VA_ARGS__)

TYPES

#define KNOWS_DEVICE 32
#define SHOW 0
#define HIDE 1

static const char prologue[] =
	"#include <arpa/inet.h>\n"
	"typedef unsigned char u8; typedef unsigned short u16;\n"
	"typedef unsigned int u32; typedef unsigned long long u64; typedef long long s64;\n"
	"#define bpf_ntohl ntohl\n"
	"#define bpf_htonl htonl\n"
	"#define __always_inline inline\n"
	"#define LNK_READ(x) (x)\n"
	"#define LNK_TCP_SOCK(call, field) (((struct tcp_sock *)(call)->sk)->field)\n"
	"#define KERNEL_HZ 250\n"
	"#define CONFIG_SOCK_CGROUP_DATA 1\n"
	"#define KERNEL_VERSION(a, b, c) ((a) * 65536 + (b) * 256 + (c))\n"
	"#define LINUX_VERSION_CODE KERNEL_VERSION(6, 1, 0)\n"
	"#define bpf_probe_read_kernel(to, size, from) __builtin_memcpy(to, from, size)\n"
	"enum lnk_answer { LNK_SHOW, LNK_HIDE, LNK_CANNOT_READ };\n";

static const char *const own_names[] = {
	"lnk_question", "lnk_in_any",      "lnk_in_source",        "lnk_in_destination",
	"lnk_port_any", "lnk_port_source", "lnk_port_destination", "lnk_in_cgroup",
};

/* --- chance ------------------------------------------------------------------------ */

static uint64_t seed = 88172645463325252ULL;

static uint32_t chance(uint32_t below)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return (uint32_t)(seed >> 16) % below;
}

/* Near each other, so that prefixes hold some and not others; the last is "not known". */
static const char *const hosts[] = { "::ffff:10.1.2.3",
				     "::ffff:10.1.2.2",
				     "::ffff:10.1.3.3",
				     "::ffff:11.1.2.3",
				     "::ffff:138.1.2.3",
				     "::ffff:127.0.0.1",
				     "::ffff:0.0.0.1",
				     "::1",
				     "::2",
				     "::ffff",
				     "2001:db8::1",
				     "2001:db8::2",
				     "2001:db8:0:1::1",
				     "2001:db9::1",
				     "fe80::1",
				     "8000::1",
				     "::fffe:10.1.2.3",
				     "::1:ffff:10.1.2.3",
				     "1::ffff:10.1.2.3",
				     "::" };

static struct in6_addr some_address(void)
{
	struct in6_addr a;

	inet_pton(AF_INET6, hosts[chance(COUNT_OF(hosts))], &a);
	if (!chance(4))
		a.s6_addr[15 - chance(16)] ^= (uint8_t)(1U << chance(8));
	return a;
}

static const u16 common_ports[] = { 1, 2, 3, 78, 79, 80, 81, 82, 83, 84, 65533, 65534, 65535, 0 };

static u16 some_port(void)
{
	return chance(4) ? common_ports[chance(COUNT_OF(common_ports))] : (u16)chance(65536);
}

static bool is_v4(const void *a)
{
	static const uint8_t mapped[12] = { [10] = 0xff, [11] = 0xff };

	return !memcmp(a, mapped, sizeof(mapped));
}

/* As filter_value.c makes them: an IPv4 prefix is 96 bits longer, bits beyond are 0. */
static struct prefix some_prefix(void)
{
	struct prefix p = { .address = some_address() };

	if (!chance(8))
		inet_pton(AF_INET6, chance(2) ? "::" : "::ffff:0.0.0.0", &p.address);
	p.length = is_v4(&p.address) ? 96 + chance(33) : chance(129);
	if (chance(3) == 0)
		p.length = 128;
	for (unsigned int i = p.length; i < 128; i++)
		p.address.s6_addr[i / 8] &= (uint8_t) ~(0x80U >> i % 8);
	/* what became of an IPv6 address, cut, is none of IPv4's and not :: itself */
	if (p.length == 128 && IN6_IS_ADDR_UNSPECIFIED(&p.address))
		p.address.s6_addr[15] = 1;
	return p;
}

static void some_lists(struct question *q)
{
	static const int many[] = { 0, 0, 0, 0, 0, 0, 2, 5, 40 };
	u16 a, b;
	int s, n;

	for (s = 0; s < SIDES; s++) {
		n = many[chance(COUNT_OF(many))];
		while (q->addresses[s].n < n)
			q->addresses[s].v[q->addresses[s].n++] = some_prefix();
		n = many[chance(COUNT_OF(many))] * (chance(5) ? 1 : 20);
		while (q->ports[s].n < n) {
			do
				a = some_port();
			while (!a);
			b = (u16)(chance(2) ? a : a + chance(65536U - a));
			q->ports[s].v[q->ports[s].n++] = (struct port_range){ a, b };
		}
	}
}

static void some_question(struct question *q)
{
	memset(q, 0, sizeof(*q));
	if (chance(4))
		some_lists(q);
	q->family = chance(8) ? 0 : chance(2) ? 4 : 6;
	if (!chance(8)) {
		q->flags_on = (uint8_t)(1U << chance(8));
		q->flags_off = (uint8_t)(1U << chance(8) & ~q->flags_on);
	}
	if (!chance(8)) {
		q->len_set = true;
		q->len_min = chance(3) * chance(100);
		q->len_max = chance(3) ? q->len_min + chance(1000) : UINT32_MAX;
	}
	if (!chance(8)) {
		q->netns_set = true;
		q->netns = 0xf0000000U + chance(3);
	}
	while (q->ncgroups < 4 && !chance(q->ncgroups ? 2 : 8)) {
		q->cgroups[q->ncgroups] = (uint64_t)q->ncgroups * 2 + 1 + chance(2);
		q->cgroups[q->ncgroups] = q->cgroups[q->ncgroups] << 32 | (5 + chance(2) * 5);
		q->ncgroups++;
	}
	while (q->ninterfaces < 3 && !chance(q->ninterfaces ? 2 : 8)) {
		q->interfaces[q->ninterfaces] = (uint32_t)q->ninterfaces * 3 + 1;
		q->ninterfaces++;
	}
}

/* --- a call ------------------------------------------------------------------------ */

#define GROUPS 80 /* each but the first in another one */

static struct cgroup groups[GROUPS];
static struct kernfs_node nodes[GROUPS];
static int group_parent[GROUPS];

static void make_groups(void)
{
	for (int i = 0; i < GROUPS; i++) {
		/* the last ones are one below the other */
		group_parent[i] = i > 8 ? i - 1 : i ? (int)chance((uint32_t)i) : -1;
		nodes[i].id = (uint64_t)(i + 1) << 32 | (5 + chance(2) * 5);
		groups[i].kn = &nodes[i];
		groups[i].self.parent = i ? (void *)&groups[group_parent[i]].self : NULL;
	}
}

struct world {
	struct net net;
	struct net_device dev;
	struct sk_buff skb;
	struct tcp_sock tp;
	struct lnk_call call;
	struct lnk_event event;
	u8 flags;
	u32 payload;
	int group; /* -1: none */
};

static void some_call(struct world *w)
{
	struct in6_addr a = some_address(), b = some_address();
	u32 words = 5 + chance(11);

	memset(w, 0, sizeof(*w));
	w->net.ns.inum = 0xf0000000U + chance(3);
	w->dev = (struct net_device){ 1 + chance(9), { &w->net } };
	w->skb.skb_iif = w->dev.ifindex;
	w->tp.sk.__sk_common.skc_net.net = &w->net;
	w->group = (int)chance(12) - 1;
	w->tp.sk.sk_cgrp_data.val =
		w->group < 0 ? chance(2) : (uint64_t)(uintptr_t)&groups[w->group];
	w->tp.sk.__sk_common.skc_state = (u8)(1 + chance(12));
	w->tp.sk.__sk_common.skc_family = chance(2) ? AF_INET : AF_INET6;
	memcpy(w->event.saddr, &a, 16);
	memcpy(w->event.daddr, &b, 16);
	w->event.sport = some_port();
	w->event.dport = some_port();
	w->flags = (u8)(chance(2) ? 1U << chance(8) : chance(256));
	w->payload = chance(3) * chance(1200);
	switch (chance(3)) {
	case 0: /* a socket and no packet */
		w->call.sk = &w->tp.sk;
		w->call.knows = KNOWS_SOCK;
		return;
	case 1:
		w->call.sk = &w->tp.sk;
		w->call.knows = KNOWS_SOCK;
		w->dev = (struct net_device){ 0, { NULL } }; /* TCP takes it away */
		break;
	default:
		w->skb.dev = &w->dev;
		w->call.knows = KNOWS_DEVICE;
		break;
	}
	w->call.skb = &w->skb;
	w->call.knows |= KNOWS_SKB | KNOWS_PACKET;
	w->call.knows |= chance(2) ? KNOWS_IPV4 : KNOWS_IPV6;
	w->call.tcp_at = 20 + 4 * chance(10);
	w->call.tcp_word = htonl(words << 28 | (u32)w->flags << 16 | chance(65536));
	w->call.wire.length = w->call.tcp_at + words * 4 + w->payload;
	if (!w->payload && chance(2)) /* headers that say more than there is */
		w->call.wire.length -= chance(words * 4);
}

/* --- what must come out ------------------------------------------------------------ */

static int bit(const void *a, unsigned int i)
{
	return ((const uint8_t *)a)[i / 8] >> (7 - i % 8) & 1;
}

/* What is not known is in no network; IPv4 and IPv6 are two families, and in an IPv6 header
 * are addresses of IPv6 alone. */
static bool in_prefix(const struct prefix *p, const uint8_t *a, bool ipv6)
{
	static const uint8_t unknown[16];
	bool v4 = !ipv6 && is_v4(a);

	if ((!ipv6 && !memcmp(a, unknown, 16)) || v4 != (is_v4(&p->address) && p->length >= 96))
		return false;
	for (unsigned int i = 0; i < p->length; i++)
		if (bit(&p->address, i) != bit(a, i))
			return false;
	return true;
}

static bool in_prefixes(const struct prefixes *l, const uint8_t *a, bool ipv6)
{
	for (int i = 0; i < l->n; i++)
		if (in_prefix(&l->v[i], a, ipv6))
			return true;
	return false;
}

static bool in_ports(const struct port_ranges *l, unsigned int port)
{
	for (int i = 0; i < l->n; i++)
		if (port >= l->v[i].from && port <= l->v[i].to)
			return true;
	return false;
}

static bool lists_hold(const struct question *q, const struct world *w)
{
	const struct prefixes *a = q->addresses;
	const struct port_ranges *p = q->ports;
	const struct lnk_event *e = &w->event;
	bool ipv6 = w->call.knows & KNOWS_IPV6;

	return (!a[SIDE_ANY].n || in_prefixes(&a[SIDE_ANY], e->saddr, ipv6) ||
		in_prefixes(&a[SIDE_ANY], e->daddr, ipv6)) &&
	       (!a[SIDE_SOURCE].n || in_prefixes(&a[SIDE_SOURCE], e->saddr, ipv6)) &&
	       (!a[SIDE_DESTINATION].n || in_prefixes(&a[SIDE_DESTINATION], e->daddr, ipv6)) &&
	       (!p[SIDE_ANY].n || in_ports(&p[SIDE_ANY], e->sport) ||
		in_ports(&p[SIDE_ANY], e->dport)) &&
	       (!p[SIDE_SOURCE].n || in_ports(&p[SIDE_SOURCE], e->sport)) &&
	       (!p[SIDE_DESTINATION].n || in_ports(&p[SIDE_DESTINATION], e->dport));
}

static int family_of(const struct world *w)
{
	if (w->call.knows & KNOWS_PACKET)
		return w->call.knows & KNOWS_IPV4 ? 4 : 6;
	if (is_v4(w->event.saddr) || is_v4(w->event.daddr))
		return 4;
	return w->tp.sk.__sk_common.skc_family == AF_INET ? 4 : 6;
}

static bool in_group(const struct question *q, const struct world *w)
{
	u8 state = w->tp.sk.__sk_common.skc_state;

	if (!w->call.sk || state == 6 || state == 12)
		return false;
	for (int g = w->group; g >= 0; g = group_parent[g])
		for (int i = 0; i < q->ncgroups; i++)
			if (q->cgroups[i] == nodes[g].id)
				return true;
	return false;
}

static bool want(const struct question *q, const struct world *w)
{
	bool packet = w->call.knows & KNOWS_PACKET, on = !q->ninterfaces;

	if (!lists_hold(q, w) || (q->family && q->family != family_of(w)))
		return false;
	if (!packet && (q->flags_on || q->flags_off || q->len_set))
		return false;
	if ((w->flags & q->flags_on) != q->flags_on || (w->flags & q->flags_off))
		return false;
	if (q->len_set && (w->payload < q->len_min || w->payload > q->len_max))
		return false;
	if (q->netns_set && w->net.ns.inum != q->netns)
		return false;
	if (q->ncgroups && !in_group(q, w))
		return false;
	for (int i = 0; i < q->ninterfaces; i++)
		on |= packet && w->skb.skb_iif == q->interfaces[i];
	return on;
}

/* --- the comparison ---------------------------------------------------------------- */

static const char *embedded(const char *name)
{
	for (int i = 0; embedded_files[i].name; i++)
		if (!strcmp(embedded_files[i].name, name))
			return embedded_files[i].text;
	return "";
}

static void add_question(const struct question *q, int n, FILE *out)
{
	struct text c = { 0 }, why = { 0 }, note = { 0 };
	size_t i;

	for (i = 0; i < COUNT_OF(own_names); i++)
		fprintf(out, "#define %s %s_%d\n", own_names[i], own_names[i], n);
	CHECK_INT(question_emit(q, &c, &why, &note), 0);
	CHECK(!why.len && !note.len);
	CHECK(question_filters(q) == (c.len != 0));
	if (!c.len)
		text_puts(&c, "static int lnk_question(const struct lnk_call *c, const struct "
			      "lnk_event *e)\n{\n\treturn LNK_SHOW;\n}\n");
	fputs(text_str(&c), out);
	fprintf(out,
		"static int question%d(const struct lnk_call *c, const struct lnk_event *e)\n"
		"{\n\treturn lnk_question(c, e);\n}\n",
		n);
	for (i = 0; i < COUNT_OF(own_names); i++)
		fprintf(out, "#undef %s\n", own_names[i]);
	text_free(&c);
	text_free(&why);
	text_free(&note);
}

typedef int (*const *questions)(const struct lnk_call *c, const struct lnk_event *e);

/* Compiles them all into one library. */
static questions load(const struct question *q, int n)
{
	char dir[] = "/tmp/test_question.XXXXXX", c[64], so[64];
	int status, i;
	void *lib;
	FILE *out;
	pid_t pid;

	if (!mkdtemp(dir))
		abort();
	snprintf(c, sizeof(c), "%s/a.c", dir);
	snprintf(so, sizeof(so), "%s/a.so", dir);
	out = fopen(c, "we");
	fprintf(out, "%s%s\n%s\n", prologue, embedded("event.h"), AS_TEXT(TYPES));
	for (int k = 0; k < 6; k++)
		fprintf(out, "#define LNK_KNOWS_%s %d\n",
			(const char *const[]){ "SKB", "SOCK", "PACKET", "IPV4", "IPV6",
					       "DEVICE" }[k],
			1 << k);
	fputs(embedded("names.h"), out);
	for (i = 0; i < n; i++)
		add_question(&q[i], i, out);
	fputs("int (*const test_questions[])() = {", out);
	for (i = 0; i < n; i++)
		fprintf(out, "question%d,", i);
	fputs("};\n", out);
	fclose(out);
	pid = fork();
	if (!pid) {
		execlp("clang", "clang", "-O0", "-w", "-shared", "-fPIC", c, "-o", so,
		       (char *)NULL);
		execlp("cc", "cc", "-O0", "-w", "-shared", "-fPIC", c, "-o", so, (char *)NULL);
		_exit(127);
	}
	CHECK(waitpid(pid, &status, 0) == pid);
	lib = WEXITSTATUS(status) ? NULL : dlopen(so, RTLD_NOW | RTLD_LOCAL);
	unlink(c);
	unlink(so);
	rmdir(dir);
	if (WEXITSTATUS(status) == 127)
		SKIP("no C compiler");
	if (!CHECK(lib))
		exit(1);
	return dlsym(lib, "test_questions");
}

static const char *describe(const struct prefixes *l)
{
	static char out[4000];
	char a[INET6_ADDRSTRLEN];
	size_t n = 0;

	out[0] = '\0';
	for (int i = 0; i < l->n; i++)
		n += (size_t)snprintf(out + n, sizeof(out) - n, " %s/%u",
				      inet_ntop(AF_INET6, &l->v[i].address, a, sizeof(a)),
				      l->v[i].length);
	return out;
}

static bool compare(const struct question *q, questions ask, int i, int *yes)
{
	char s[INET6_ADDRSTRLEN], d[INET6_ADDRSTRLEN];
	struct world w;
	bool wanted;
	int got;

	some_call(&w);
	wanted = want(&q[i], &w);
	got = ask[i](&w.call, &w.event);
	*yes += wanted;
	if (CHECK_INT(got, wanted ? SHOW : HIDE))
		return true;
	fprintf(stderr, "  question %d: knows %d %s %u > %s %u; any%s\n", i, w.call.knows,
		inet_ntop(AF_INET6, w.event.saddr, s, sizeof(s)), w.event.sport,
		inet_ntop(AF_INET6, w.event.daddr, d, sizeof(d)), w.event.dport,
		describe(&q[i].addresses[SIDE_ANY]));
	return false;
}

TEST(against_an_evaluation_of_its_own)
{
	struct question *q = calloc(QUESTIONS, sizeof(*q));
	int i, k, yes, varied = 0;
	questions ask;

	make_groups();
	for (i = 1; i < QUESTIONS; i++)
		some_question(&q[i]); /* the first one asks nothing */
	ask = load(q, QUESTIONS);
	for (i = 0; i < QUESTIONS; i++) {
		yes = 0;
		for (k = 0; k < CALLS && compare(q, ask, i, &yes); k++)
			;
		if (k < CALLS)
			break;
		varied += yes && yes < CALLS;
	}
	fprintf(stderr, "%d of %d questions have both answers\n", varied, QUESTIONS);
	CHECK(varied > QUESTIONS / 2); /* both answers are frequent */
	free(q);
}

/* The last prefix and the last range of full lists count as well. */
TEST(full_lists)
{
	struct question *q = calloc(2, sizeof(*q));
	struct world w = { .call = { .knows = KNOWS_SOCK } };
	questions ask;

	w.call.sk = &w.tp.sk;
	for (int i = 0; i < PREFIXES_MAX; i++) {
		q[0].addresses[SIDE_ANY].v[i].length = 128;
		inet_pton(AF_INET6, "::ffff:10.0.0.0", &q[0].addresses[SIDE_ANY].v[i].address);
		q[0].addresses[SIDE_ANY].v[i].address.s6_addr[15] = (uint8_t)i;
	}
	q[0].addresses[SIDE_ANY].n = PREFIXES_MAX;
	for (int i = 0; i < PORT_RANGES_MAX; i++)
		q[1].ports[SIDE_ANY].v[i] =
			(struct port_range){ (u16)(64 * (PORT_RANGES_MAX - i) - 63),
					     (u16)(64 * (PORT_RANGES_MAX - i) - 60) };
	q[1].ports[SIDE_ANY].n = PORT_RANGES_MAX;
	ask = load(q, 2);
	for (int i = 0; i < 65536; i++) {
		w.event.sport = (u16)i;
		w.event.dport = (u16)(i & ~63);
		if (!CHECK_INT(ask[1](&w.call, &w.event), i % 64 >= 1 && i % 64 <= 4 ? SHOW : HIDE))
			break;
	}
	inet_pton(AF_INET6, "::ffff:10.0.0.0", w.event.daddr);
	for (int i = 0; i < 512; i++) {
		w.event.daddr[14] = (uint8_t)(i >> 8);
		w.event.daddr[15] = (uint8_t)i;
		if (!CHECK_INT(ask[0](&w.call, &w.event), i < 256 ? SHOW : HIDE))
			break;
	}
	free(q);
}

/* Up to 64 levels, and all the cgroups that can be named. */
TEST(cgroups)
{
	struct question *q = calloc(2, sizeof(*q));
	struct world w = { .call = { .knows = KNOWS_SOCK } };
	questions ask;

	make_groups();
	w.call.sk = &w.tp.sk;
	q[0].cgroups[q[0].ncgroups++] = nodes[8].id;
	for (int i = 0; i < QUESTION_MAX_CGROUPS; i++)
		q[1].cgroups[q[1].ncgroups++] = (uint64_t)i * 1000;
	q[1].cgroups[QUESTION_MAX_CGROUPS - 1] = nodes[0].id;
	ask = load(q, 2);
	for (int i = 8; i < GROUPS; i++) {
		w.tp.sk.sk_cgrp_data.val = (uint64_t)(uintptr_t)&groups[i];
		CHECK_INT(ask[0](&w.call, &w.event), i < 8 + 64 ? SHOW : HIDE);
	}
	w.tp.sk.sk_cgrp_data.val = (uint64_t)(uintptr_t)&groups[1];
	CHECK_INT(ask[0](&w.call, &w.event), HIDE);
	CHECK_INT(ask[1](&w.call, &w.event), SHOW);
	w.tp.sk.sk_cgrp_data.val |= 1;
	CHECK_INT(ask[1](&w.call, &w.event), HIDE);
	w.tp.sk.sk_cgrp_data.val = 0;
	CHECK_INT(ask[1](&w.call, &w.event), HIDE);
	w.call.knows = KNOWS_SKB | KNOWS_PACKET;
	w.call.sk = NULL;
	CHECK_INT(ask[1](&w.call, &w.event), HIDE);
	free(q);
}

/* --- what is emitted, and refused --------------------------------------------------- */

static struct text c, why, note;

static int emit(const struct question *q)
{
	text_reset(&c);
	text_reset(&why);
	text_reset(&note);
	return question_emit(q, &c, &why, &note);
}

static void refused(const struct question *q, const char *want_why)
{
	CHECK_INT(emit(q), -EINVAL);
	CHECK_STR(text_str(&why), want_why);
}

TEST(nothing_asked_nothing_written)
{
	struct question *q = calloc(1, sizeof(*q));

	CHECK(!question_filters(q));
	CHECK_INT(emit(q), 0);
	CHECK_INT(c.len, 0);
	q->first_number = 1; /* -d alone */
	CHECK_INT(emit(q), 0);
	CHECK_INT(c.len, 0);
	free(q);
}

TEST(each_thing_asked)
{
	struct question *q = calloc(1, sizeof(*q)), none = *q;
	int i;

	for (i = 0; i < 14; i++) {
		*q = none;
		switch (i) {
		case 0:
		case 1:
		case 2:
			q->addresses[i].n = 1;
			q->addresses[i].v[0].length = 1;
			break;
		case 3:
		case 4:
		case 5:
			q->ports[i - 3].n = 1;
			break;
		case 6:
			q->family = 6;
			break;
		case 7:
			q->flags_on = 1;
			break;
		case 8:
			q->flags_off = 1;
			break;
		case 9:
			q->len_set = true;
			break;
		case 10:
			q->ninterfaces = 1;
			break;
		case 11:
			q->netns_set = true;
			break;
		case 12:
			q->where = "len";
			break;
		case 13:
			q->ncgroups = 1;
			break;
		}
		CHECK(question_filters(q));
		CHECK_INT(emit(q), 0);
		CHECK(strstr(text_str(&c), "lnk_question(") != NULL);
		CHECK(!strstr(text_str(&c), "lnk_collect("));
		CHECK(strstr(text_str(&c), "LNK_HIDE") != NULL);
	}
	*q = none;
	q->pcap = "tcp port 80";
	CHECK(question_filters(q));
	CHECK_INT(emit(q), 0);
	CHECK(strstr(text_str(&c), "lnk_pcap(") && strstr(text_str(&c), "LNK_CANNOT_READ"));
	q->pcap = "udp";
	CHECK_INT(emit(q), 0);
	CHECK_STR(text_str(&note), "expression 'udp': the expression matches no TCP packet");
	free(q);
}

TEST(numbers)
{
	struct question *q = calloc(1, sizeof(*q));

	q->numbers[0] = (struct asked_number){ "len", NULL };
	q->numbers[1] = (struct asked_number){ "len + 1", "more" };
	q->nnumbers = 2;
	q->first_number = 1;
	CHECK(!question_filters(q));
	CHECK_INT(emit(q), 0);
	CHECK(!strstr(text_str(&c), "lnk_question("));
	CHECK(strstr(text_str(&c), "\textra[1] = LNK_UNKNOWN;\n\tif ((call->knows & 4) == 4)\n"));
	CHECK(strstr(text_str(&c), "\textra[2] = LNK_UNKNOWN;\n"));
	CHECK(strstr(text_str(&c), "#line 1 \"--col more\"\n"));
	q->numbers[0].expression = "nothing";
	refused(q, "the probes have no number called 'nothing'");
	free(q);
}

TEST(bad_expressions)
{
	struct question *q = calloc(1, sizeof(*q)), none = *q;

	q->where = "len >";
	CHECK_INT(emit(q), -EINVAL);
	CHECK(!strncmp(text_str(&why), "--where:6: ", 11) && !strchr(text_str(&why), '\n'));
	*q = none;
	q->numbers[0] = (struct asked_number){ "1 + nosuch", "x" };
	q->nnumbers = 1;
	CHECK_INT(emit(q), -EINVAL);
	CHECK(!strncmp(text_str(&why), "--col x:5: ", 11) && !strchr(text_str(&why), '\n'));
	*q = none;
	q->pcap = "tcp prt 80";
	CHECK_INT(emit(q), -EINVAL);
	CHECK(!strncmp(text_str(&why), "expression 'tcp prt 80': ", 25) &&
	      !strchr(text_str(&why), '\n'));
	free(q);
}
