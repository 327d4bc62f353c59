/* SPDX-License-Identifier: MIT */
/*
 * lnk_pcap_sock() says 1 or 0 only where libpcap says so of every packet that the event
 * could stand for, and -2 not too often.
 */
#include "pcap_corpus.h"

#define EXPRESSIONS 1200
#define EVENTS 20
#define VARIANTS 24

/* How much of the packet the event knows. */
enum knows {
	ALL,
	NO_PEER,
	PORT,
	NOTHING,
	KNOWS
};

static const char *const knows_name[] = { "all", "no peer", "a port", "nothing" };

struct known {
	enum knows knows;
	int version;
	struct lnk_event event;
	uint8_t addresses[32]; /* as in the packet */
	uint8_t ports[4];
};

static void take_address(uint8_t to[16], const uint8_t *from, int version)
{
	memset(to, 0, 16);
	if (version == 4)
		to[10] = to[11] = 0xff;
	memcpy(to + (version == 4 ? 12 : 0), from, version == 4 ? 4 : 16);
}

static void make_plain(struct pcap_packet *p, int version)
{
	memset(p, 0, sizeof(*p));
	if (version == 4)
		pcap_ipv4(p, true);
	else
		pcap_ipv6(p, true);
}

static void make_event(struct known *k, enum knows knows)
{
	struct pcap_packet p;
	uint32_t from, len;

	memset(k, 0, sizeof(*k));
	k->knows = knows;
	k->version = pcap_random(2) ? 4 : 6;
	make_plain(&p, k->version);
	from = k->version == 4 ? 12 : 8;
	len = k->version == 4 ? 4 : 16;
	memcpy(k->addresses, p.bytes + from, len * 2);
	memcpy(k->ports, p.bytes + from + 2 * len, 4);
	if (knows == ALL) {
		take_address(k->event.saddr, k->addresses, k->version);
		k->event.sport = (uint16_t)(k->ports[0] << 8 | k->ports[1]);
	}
	if (knows <= NO_PEER)
		take_address(k->event.daddr, k->addresses + len, k->version);
	if (knows <= PORT)
		k->event.dport = (uint16_t)(k->ports[2] << 8 | k->ports[3]);
}

/* A packet that the event could stand for. */
static void make_variant(const struct known *k, struct pcap_packet *p)
{
	int version = k->knows < PORT ? k->version : pcap_random(2) ? 4 : 6;
	uint32_t from = version == 4 ? 12 : 8, len = version == 4 ? 4 : 16;

	make_plain(p, version);
	if (k->knows == ALL) {
		memcpy(p->bytes + from, k->addresses, len);
		memcpy(p->bytes + from + 2 * len, k->ports, 2);
	}
	if (k->knows <= NO_PEER)
		memcpy(p->bytes + from + len, k->addresses + len, len);
	if (k->knows <= PORT)
		memcpy(p->bytes + from + 2 * len + 2, k->ports + 2, 2);
}

struct tally {
	unsigned int yes, no, unknown;
	unsigned int seen; /* of the unknown ones: two packets with different answers */
};

static void look(const struct pcap_functions *f, const struct pcap_sample *s, size_t n,
		 const struct known *k, struct tally *tally)
{
	int said = f->sock[n](&k->event), answer, i;
	unsigned int got[2] = { 0, 0 };
	struct pcap_packet p;

	for (i = 0; i < VARIANTS; i++) {
		make_variant(k, &p);
		answer = pcap_matches(s, &p, p.length);
		got[answer]++;
		if (said == -2 || CHECK_INT(said, answer))
			continue;
		fprintf(stderr, "  %s\n  IPv%d, the event knows %s\n", s->text, k->version,
			knows_name[k->knows]);
		exit(1);
	}
	tally->yes += said == 1;
	tally->no += said == 0;
	tally->unknown += said == -2;
	tally->seen += said == -2 && got[0] && got[1];
	/* addresses, ports, protocols: all of that is known */
	if (s->plain && k->knows == ALL && !CHECK(said != -2))
		fprintf(stderr, "  %s\n", s->text);
}

static void print(const char *what, const struct tally *t)
{
	fprintf(stderr, "%s: %u match, %u do not, %u unknown, of these %u seen both ways\n", what,
		t->yes, t->no, t->unknown, t->seen);
}

TEST(against_bpf_filter)
{
	struct pcap_sample *s = pcap_samples(EXPRESSIONS);
	struct tally of[KNOWS] = { 0 }, plain[KNOWS] = { 0 };
	struct known *k = calloc(EVENTS, sizeof(*k));
	struct pcap_functions f = { 0 };
	size_t i, j;

	for (j = 0; j < EVENTS; j++)
		make_event(&k[j], j < EVENTS / 2 ? ALL : (enum knows)(j % KNOWS));
	pcap_load_functions(&f, s, EXPRESSIONS, true);
	for (i = 0; i < EXPRESSIONS; i++)
		for (j = 0; j < EVENTS; j++)
			look(&f, &s[i], i, &k[j], (s[i].plain ? plain : of) + k[j].knows);
	for (i = 0; i < KNOWS; i++) {
		fprintf(stderr, "the event knows %s\n", knows_name[i]);
		print("  only addresses, ports and protocols", &plain[i]);
		print("  with tcp[...] and so on", &of[i]);
	}
	/* -2 has its reasons, most of which that few packets show */
	CHECK(of[ALL].seen * 5 > of[ALL].unknown * 2);
	CHECK(plain[NO_PEER].seen * 5 > plain[NO_PEER].unknown * 4);
	CHECK(plain[PORT].seen * 5 > plain[PORT].unknown * 4);
	free(k);
	pcap_samples_free(s, EXPRESSIONS);
}

/* What is the same for every packet is known when it is emitted, though not all of it is. */
static void check_decided(const char *expression, int answer)
{
	struct text c = { 0 }, why = { 0 };
	char want[64];

	snprintf(want, sizeof(want), "if (to == 4)\n\t\t\treturn %d;\n", answer);
	CHECK_INT(pcap_filter_emit(expression, &c, &why), 0);
	if (!CHECK(strstr(text_str(&c), want)))
		fprintf(stderr, "  %s is not always %d\n", expression, answer);
	text_free(&c);
	text_free(&why);
}

TEST(decided_in_advance)
{
	check_decided("ip[0] & 0xf = 5", 1);
	check_decided("ip[6:2] & 0x1fff = 0", 1);
	check_decided("ip[8:2] & 0xff = 6", 1);
	check_decided("ip[8:2] = 0x4011", 0);
	check_decided("ip[8] > 255", 0);
	check_decided("ip[8] >= 256", 0);
	check_decided("ip[8] | 0x80 >= 0x80", 1);
	check_decided("ip[8] & 0xf0 < 0xf1", 1);
	check_decided("(ip[1] << 8 | 6) & 0xff = 6", 1);
	check_decided("ip[8] + 256 > 255", 1);
	check_decided("udp or ip6 or tcp[13] = 2", -2);
}
