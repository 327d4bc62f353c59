/* SPDX-License-Identifier: MIT */
/*
 * tcpdump expressions and packets, the same ones every time, and the C that is made of
 * expressions as functions that can be called. The numbers in expressions are taken from
 * what the packets hold, so that both answers are frequent.
 */
#ifndef LNK_PCAP_CORPUS_H
#define LNK_PCAP_CORPUS_H

#include <arpa/inet.h>
#include <dlfcn.h>
#include <errno.h>
#include <pcap/pcap.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/text.h"
#include "bpf/embedded.h"
#include "bpf/pcap_filter.h"
#include "probes/event.h"
#include "unit.h"

#define PCAP_UNUSED __attribute__((unused))
#define COUNT_OF(a) (sizeof(a) / sizeof((a)[0]))

/* --- chance ------------------------------------------------------------------------ */

static uint64_t pcap_seed = 88172645463325252ULL;

static uint32_t pcap_random(uint32_t below)
{
	pcap_seed ^= pcap_seed << 13;
	pcap_seed ^= pcap_seed >> 7;
	pcap_seed ^= pcap_seed << 17;
	return (uint32_t)(pcap_seed >> 16) % below;
}

#define PICK(a) ((a)[pcap_random(COUNT_OF(a))])

/* --- expressions ------------------------------------------------------------------- */

static const char *const pcap_hosts4[] = { "10.1.2.3", "10.1.2.4", "192.168.7.1", "127.0.0.1" };
static const char *const pcap_hosts6[] = { "2001:db8::1", "2001:db8:1::2", "fe80::1", "::1" };
static const uint16_t pcap_ports[] = { 443, 80, 8080, 50000, 22 };

static void pcap_primitive(struct text *t)
{
	static const char *const directions[] = {
		"", "", "src ", "dst ", "src or dst ", "src and dst "
	};
	static const char *const of[] = { "", "tcp ", "tcp ", "udp " };
	static const char *const nets[] = { "10.0.0.0/8",     "10.1.2.0/24",   "10.1",
					    "192.168.0.0/16", "2001:db8::/32", "2001:db8:1::/48",
					    "fe80::/10",      "10.1.2.2/31" };
	static const char *const protocols[] = { "tcp",         "udp",          "icmp",
						 "ip",          "ip6",          "tcp",
						 "icmp6",       "ah",           "sctp",
						 "ip proto 6",  "ip6 proto 6",  "ip6 proto 44",
						 "proto \\tcp", "ip multicast", "ip6 multicast" };
	uint32_t a, b;

	switch (pcap_random(7)) {
	case 0:
		text_printf(t, "%shost %s", PICK(directions), PICK(pcap_hosts4));
		break;
	case 1:
		text_printf(t, "%shost %s", PICK(directions), PICK(pcap_hosts6));
		break;
	case 2:
		text_printf(t, "%snet %s", PICK(directions), PICK(nets));
		break;
	case 3:
	case 4:
		text_printf(t, "%s%sport %u", PICK(of), PICK(directions), PICK(pcap_ports));
		break;
	case 5:
		a = PICK(pcap_ports);
		b = PICK(pcap_ports);
		text_printf(t, "%s%sportrange %u-%u", PICK(of), PICK(directions), a < b ? a : b,
			    a < b ? b : a);
		break;
	default:
		text_puts(t, PICK(protocols));
		break;
	}
}

static void pcap_arithmetic(struct text *t, int depth)
{
	static const char *const loads[] = {
		"ip[0]",
		"ip[1]",
		"ip[2:2]",
		"ip[6:2]",
		"ip[8]",
		"ip[9]",
		"ip[12:4]",
		"ip[16:2]",
		"ip[20:4]",
		"ip[8:2]",
		"ip6[0]",
		"ip6[4:2]",
		"ip6[6]",
		"ip6[7]",
		"ip6[8:4]",
		"ip6[38:2]",
		"ip6[40:2]",
		"ip6[53]",
		"ip6[9:4]",
		"tcp[0:2]",
		"tcp[2:2]",
		"tcp[4:4]",
		"tcp[8:4]",
		"tcp[12]",
		"tcp[tcpflags]",
		"tcp[13]",
		"tcp[14:2]",
		"tcp[20]",
		"tcp[1:4]",
		"udp[2:2]",
		"icmp[0]",
		"len",
		"ip[13:2]",
		"tcp[1]",
		"tcp[19:2]",
		"tcp[(tcp[12] & 0xf0) >> 2]",
		"tcp[((tcp[12] & 0xf0) >> 2):4]",
		"ip[(ip[0] & 0xf) * 4 : 2]",
	};
	static const char *const ops[] = { "+", "-", "*", "/", "&", "|", "<<", ">>", "%", "^" };
	static const char *const numbers[] = { "0", "1",  "2",    "4",    "6",      "7", "0xf",
					       "3", "20", "0x10", "0xf0", "0x1fff", "31" };
	uint32_t kind = pcap_random(depth > 0 ? 6 : 4);

	if (kind < 3) {
		text_puts(t, PICK(loads));
	} else if (kind == 3) {
		text_puts(t, PICK(numbers));
	} else {
		text_puts(t, "(");
		pcap_arithmetic(t, depth - 1);
		text_printf(t, " %s ", PICK(ops));
		pcap_arithmetic(t, depth - 1);
		text_puts(t, ")");
	}
}

static void pcap_relation(struct text *t)
{
	static const char *const relations[] = { "=", "!=", "<", ">", "<=", ">=" };
	static const char *const flags[] = { "tcp-syn",           "tcp-ack",  "tcp-fin",
					     "(tcp-syn|tcp-fin)", "tcp-push", "0x3f" };
	static const char *const values[] = { "0",    "0x45", "6",   "64", "2",      "16",
					      "0x50", "80",   "443", "40", "0x4006", "0x0a010203" };

	switch (pcap_random(6)) {
	case 0:
		text_printf(t, "tcp[tcpflags] & %s %s 0", PICK(flags), PICK(relations));
		break;
	case 1:
		text_printf(t, "%s %u", pcap_random(2) ? "less" : "greater", 20 + pcap_random(80));
		break;
	case 2:
		pcap_arithmetic(t, 1);
		text_printf(t, " %s ", PICK(relations));
		pcap_arithmetic(t, 1);
		break;
	default:
		pcap_arithmetic(t, 2);
		text_printf(t, " %s %s", PICK(relations), PICK(values));
		break;
	}
}

/* `plain`: nothing but versions, protocols, addresses and ports. */
static void pcap_expression(struct text *t, int depth, bool plain)
{
	switch (depth > 0 ? pcap_random(7) : 6) {
	case 0:
	case 1:
	case 2:
		pcap_expression(t, depth - 1, plain);
		text_puts(t, " and ");
		pcap_expression(t, depth - 1, plain);
		break;
	case 3:
	case 4:
		text_puts(t, "(");
		pcap_expression(t, depth - 1, plain);
		text_puts(t, " or ");
		pcap_expression(t, depth - 1, plain);
		text_puts(t, ")");
		break;
	case 5:
		text_puts(t, "not (");
		pcap_expression(t, depth - 1, plain);
		text_puts(t, ")");
		break;
	default:
		if (plain || pcap_random(2))
			pcap_primitive(t);
		else
			pcap_relation(t);
		break;
	}
}

/* As tcpdump's and pcap-filter's manuals have them, and what is at the edges. */
static const char *const pcap_by_hand[] = {
	"",
	"tcp",
	"ip",
	"ip6",
	"udp",
	"arp or tcp",
	"not arp",
	"host 10.1.2.3 and (host 10.1.2.4 or host 192.168.7.1)",
	"ip host 10.1.2.3 and not 10.1.2.4",
	"tcp[tcpflags] & (tcp-syn|tcp-fin) != 0 and not src and dst net 10.0.0.0/8",
	"tcp port 80 and (((ip[2:2] - ((ip[0]&0xf)<<2)) - ((tcp[12]&0xf0)>>2)) != 0)",
	"ip[2:2] > 576",
	"tcp[0] & 1 != 0 and ip[16] >= 224",
	"icmp[icmptype] != icmp-echo and icmp[icmptype] != icmp-echoreply",
	"tcp port 443 and (host 10.1.2.3 or net 2001:db8::/32) and tcp[tcpflags] & tcp-syn != 0",
	"tcp port 443 and (host 10.1.2.3 or net 2001:db8::/32)",
	"port 443",
	"ip[0] & 0xf = 5",
	"ip[6:2] & 0x1fff = 0",
	"ip[6:2] & 0x3fff != 0",
	"ip[8:2] & 0xff = 6",
	"len >= 40",
	"len < 41",
	"tcp[0:4] = 0x01bbc350",
	"tcp[-1] = 3",
	"tcp[0 - 1] = 3",
	"tcp[1 - 2 + tcp[12]] = 3",
	"ip[(ip[0] & 0xf) * 4 : 2] = 443",
	"tcp[tcp[12] / (tcp[13] & 2)] = 0",
	"ip[20] / (ip[21] - 187) = 1",
	"tcp[1] % tcp[2] = 0",
	"tcp[4] << tcp[5] = 0",
	"tcp[13] << (ip[0] - 0x25) = 0", /* by 32 */
	"tcp[13] >> (ip[0] - 0x25) = 0",
	"ip[12:4] << (ip[20] + 31) = 0",
	"0 - tcp[13] = 0xfffffffe",
	"tcp[((tcp[12] & 0xf0) >> 2):4] = 0x47455420",
	"ip6[6] = 6 and ip6[53] & 2 != 0",
	"ip6[4:2] > 100",
	"src host 10.1.2.3 and dst host 10.1.2.3",
	"tcp[2:2] > tcp[0:2]",
	"ip[12:4] ^ ip[16:4] = 7",
	"ip[12:4] + ip[16:4] * 3 > 0x40000000",
	"ip[12:4] / ip[20:2] > 100000",
	"ip[12:4] % ip[20:2] > 100",
	"ip[16:4] >> ip[15] = 0x1402040",
	"ip6[8:4] = 0x20010db8 and ip6[36:4] & 0xff = 1",
	"ip[65536] = 0",
	"geneve and tcp port 80",
};

struct pcap_sample {
	char *text;
	struct bpf_program program;
	bool plain; /* see pcap_expression() */
};

/* Whether libpcap takes it. */
static bool pcap_take(struct pcap_sample *s, const char *expression)
{
	pcap_t *p = pcap_open_dead(DLT_RAW, 262144);
	int err = pcap_compile(p, &s->program, expression, 1, PCAP_NETMASK_UNKNOWN);

	pcap_close(p);
	if (!err)
		s->text = strdup(expression);
	return !err;
}

/* n of them. */
PCAP_UNUSED static struct pcap_sample *pcap_samples(size_t n)
{
	struct pcap_sample *s = calloc(n, sizeof(*s));
	struct text t = { 0 };
	size_t i, at = 0;

	for (i = 0; i < COUNT_OF(pcap_by_hand) && at < n; i++)
		at += pcap_take(&s[at], pcap_by_hand[i]);
	CHECK_INT(at, n < i ? n : i);
	while (at < n) {
		text_reset(&t);
		s[at].plain = at % 3 == 0;
		pcap_expression(&t, 1 + (int)pcap_random(3), s[at].plain);
		at += pcap_take(&s[at], text_str(&t));
	}
	text_free(&t);
	return s;
}

PCAP_UNUSED static void pcap_samples_free(struct pcap_sample *s, size_t n)
{
	while (n--) {
		free(s[n].text);
		pcap_freecode(&s[n].program);
	}
	free(s);
}

/* --- packets ----------------------------------------------------------------------- */

#define PCAP_PACKET_MAX 256

struct pcap_packet {
	uint32_t length;
	uint8_t bytes[PCAP_PACKET_MAX];
};

/* What libpcap says of it when its first `linear` bytes are there. */
PCAP_UNUSED static bool pcap_matches(const struct pcap_sample *s, const struct pcap_packet *p,
				     uint32_t linear)
{
	struct pcap_pkthdr h = { .caplen = linear, .len = p->length };

	return pcap_offline_filter(&s->program, &h, p->bytes) != 0;
}

static void pcap_put16(uint8_t *p, uint32_t v)
{
	p[0] = (uint8_t)(v >> 8);
	p[1] = (uint8_t)v;
}

/* A TCP header and up to 40 bytes of what follows, with ports in the first four bytes
 * whatever the protocol is. Returns where it ends. */
static uint32_t pcap_transport(uint8_t *p, uint32_t at)
{
	static const uint8_t flags[] = { 0x02, 0x12, 0x10, 0x18, 0x11, 0x04, 0x00 };
	uint32_t words = 5 + (pcap_random(3) ? 0 : pcap_random(11)), end, i;

	end = at + words * 4 + (pcap_random(2) ? pcap_random(40) : 0);
	for (i = at; i < end; i++)
		p[i] = (uint8_t)(pcap_random(4) ? pcap_random(256) : pcap_random(4));
	pcap_put16(p + at, pcap_random(8) ? PICK(pcap_ports) : pcap_random(65536));
	pcap_put16(p + at + 2, pcap_random(8) ? PICK(pcap_ports) : pcap_random(65536));
	p[at + 12] = (uint8_t)(words << 4);
	p[at + 13] = PICK(flags);
	if (end > at + words * 4 + 4 && pcap_random(2))
		memcpy(p + at + words * 4, "GET ", 4);
	return end;
}

/* Plain: no options, no later fragment, TCP. */
static void pcap_ipv4(struct pcap_packet *p, bool plain)
{
	static const uint8_t protocols[] = { 6, 6, 6, 6, 17, 1, 132, 51, 0 };
	static const uint16_t fragment[] = { 0x4000, 0x4000, 0, 0x2000 };
	uint32_t words = 5 + (plain || pcap_random(4) ? 0 : pcap_random(11)), i;
	uint8_t *b = p->bytes;

	for (i = 0; i < words * 4; i++)
		b[i] = (uint8_t)pcap_random(256);
	b[0] = (uint8_t)(0x40 | words);
	pcap_put16(b + 6, PICK(fragment));
	if (!plain && !pcap_random(6))
		pcap_put16(b + 6, pcap_random(65536));
	b[8] = pcap_random(2) ? 64 : b[8];
	b[9] = plain ? 6 : PICK(protocols);
	inet_pton(AF_INET, PICK(pcap_hosts4), b + 12);
	inet_pton(AF_INET, PICK(pcap_hosts4), b + 16);
	p->length = pcap_transport(b, words * 4);
	pcap_put16(b + 2, p->length);
}

static void pcap_ipv6(struct pcap_packet *p, bool plain)
{
	static const uint8_t last[] = { 6, 6, 6, 6, 17, 58, 132, 59 };
	static const uint8_t headers[] = { 0, 43, 44, 60 };
	uint8_t *b = p->bytes, *next = b + 6;
	uint32_t i, at = 40, size;

	for (i = 0; i < 40; i++)
		b[i] = (uint8_t)pcap_random(256);
	b[0] = (uint8_t)(0x60 | pcap_random(16));
	inet_pton(AF_INET6, PICK(pcap_hosts6), b + 8);
	inet_pton(AF_INET6, PICK(pcap_hosts6), b + 24);
	while (!plain && at < 100 && !pcap_random(3)) {
		*next = PICK(headers);
		size = *next == 44 ? 8 : 8 * (1 + pcap_random(3));
		for (i = 0; i < size; i++)
			b[at + i] = (uint8_t)pcap_random(256);
		b[at + 1] = (uint8_t)(size / 8 - 1);
		next = b + at;
		at += size;
	}
	*next = plain ? 6 : PICK(last);
	p->length = pcap_transport(b, at);
	pcap_put16(b + 4, p->length - 40);
}

/* Of every kind: also cut, and noise. */
PCAP_UNUSED static void pcap_packet(struct pcap_packet *p)
{
	uint32_t i;

	memset(p, 0, sizeof(*p));
	if (pcap_random(5) < 3)
		pcap_ipv4(p, pcap_random(2));
	else
		pcap_ipv6(p, pcap_random(2));
	if (!pcap_random(8)) /* cut */
		p->length = pcap_random(p->length + 1);
	if (!pcap_random(30))
		for (i = 0; i < p->length; i++)
			p->bytes[i] = (uint8_t)pcap_random(256);
}

/* --- calling what is emitted ------------------------------------------------------- */

typedef uint8_t u8;
typedef uint16_t u16;
typedef uint32_t u32;

struct lnk_wire {
	const char *ip;
	u32 linear;
	u32 length;
	const u8 *head;
	u32 head_len;
};

struct pcap_functions {
	void *lib;
	int (*const *wire)(const struct lnk_wire *w);
	int (*const *sock)(const struct lnk_event *e);
	/* what may be read, and how often something else was */
	const char **from, **to;
	unsigned int *wrong;
};

static const char pcap_prologue[] =
	"#include <arpa/inet.h>\n"
	"#include <string.h>\n"
	"typedef unsigned char u8;\n"
	"typedef unsigned short u16;\n"
	"typedef unsigned int u32;\n"
	"typedef unsigned long long u64;\n"
	"#define bpf_ntohs ntohs\n"
	"#define bpf_ntohl ntohl\n"
	"#define bpf_htonl htonl\n"
	"#define __always_inline inline\n"
	"const char *test_from, *test_to;\n"
	"unsigned int test_wrong;\n"
	"static int bpf_probe_read_kernel(void *to, u32 size, const void *from)\n"
	"{\n"
	"	if ((const char *)from < test_from || (const char *)from + size > test_to) {\n"
	"		test_wrong++;\n"
	"		return -14;\n"
	"	}\n"
	"	memcpy(to, from, size);\n"
	"	return 0;\n"
	"}\n";

/* Those that differ from expression to expression. */
static const char *const pcap_names[] = {
	"lnk_pcap",      "lnk_pcap_sock",    "lnk_pcap_version", "lnk_pcap_ipv4",
	"lnk_pcap_ipv6", "lnk_pcap_ipv4_to", "lnk_pcap_ipv6_to", "lnk_pcap_port",
};

static void pcap_add_functions(struct text *c, const char *expression, size_t n)
{
	struct text why = { 0 };
	size_t i;

	for (i = 0; i < COUNT_OF(pcap_names); i++)
		text_printf(c, "#define %s %s_%zu\n", pcap_names[i], pcap_names[i], n);
	if (!CHECK_INT(pcap_filter_emit(expression, c, &why), 0))
		fprintf(stderr, "  %s: %s\n", expression, text_str(&why));
	text_printf(c,
		    "static int wire%zu(const struct lnk_wire *w)\n{\n\treturn lnk_pcap(w);\n}\n"
		    "static int sock%zu(const struct lnk_event *e)\n{\n"
		    "\treturn lnk_pcap_sock(e);\n}\n",
		    n, n);
	for (i = 0; i < COUNT_OF(pcap_names); i++)
		text_printf(c, "#undef %s\n", pcap_names[i]);
	text_free(&why);
}

static const char *pcap_event_h(void)
{
	int i;

	for (i = 0; embedded_files[i].name; i++)
		if (!strcmp(embedded_files[i].name, "event.h"))
			return embedded_files[i].text;
	return "";
}

static pid_t pcap_compile_file(const char *c, const char *so)
{
	pid_t pid = fork();

	if (pid)
		return pid;
	/* clang is ten times faster here */
	execlp("clang", "clang", "-O0", "-w", "-shared", "-fPIC", "-x", "c", c, "-o", so,
	       (char *)NULL);
	execlp("cc", "cc", "-O0", "-w", "-shared", "-fPIC", "-x", "c", c, "-o", so, (char *)NULL);
	_exit(127);
}

/* Compiles all expressions into one library. */
PCAP_UNUSED static void pcap_load_functions(struct pcap_functions *f, const struct pcap_sample *s,
					    size_t n, bool sock)
{
	char dir[] = "/tmp/test_pcap.XXXXXX", c[64], so[64];
	const char *which = sock ? "sock" : "wire";
	struct text t = { 0 };
	int status;
	size_t i;
	FILE *out;

	if (!mkdtemp(dir))
		abort();
	snprintf(c, sizeof(c), "%s/a.c", dir);
	snprintf(so, sizeof(so), "%s/a.so", dir);
	text_puts(&t, pcap_prologue);
	text_puts(&t, pcap_event_h());
	out = fopen(c, "we");
	for (i = 0; i < n; i++) {
		pcap_add_functions(&t, s[i].text, i);
		fputs(text_str(&t), out);
		text_reset(&t);
	}
	/* only one kind is referred to, and compiled */
	fprintf(out, "int (*const test_%s[])() = {", which);
	for (i = 0; i < n; i++)
		fprintf(out, "%s%zu,", which, i);
	fputs("};\n", out);
	fclose(out);
	text_free(&t);
	CHECK(waitpid(pcap_compile_file(c, so), &status, 0) > 0);
	if (WEXITSTATUS(status) == 127) {
		unlink(c);
		rmdir(dir);
		SKIP("no C compiler");
	}
	CHECK_INT(WEXITSTATUS(status), 0);
	f->lib = dlopen(so, RTLD_NOW | RTLD_LOCAL);
	if (!CHECK(f->lib)) {
		fprintf(stderr, "  %s\n", dlerror());
		exit(1);
	}
	f->wire = dlsym(f->lib, "test_wire");
	f->sock = dlsym(f->lib, "test_sock");
	f->from = dlsym(f->lib, "test_from");
	f->to = dlsym(f->lib, "test_to");
	f->wrong = dlsym(f->lib, "test_wrong");
	unlink(c);
	unlink(so);
	rmdir(dir);
}

#endif
