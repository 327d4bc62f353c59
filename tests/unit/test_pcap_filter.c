/* SPDX-License-Identifier: MIT */
/* What is emitted, compiled and run, against libpcap's own answer. */
#include "pcap_corpus.h"

#define EXPRESSIONS 1200
#define PACKETS 400

/* --- what must come out ------------------------------------------------------------ */

/* As libpcap has it, and -1 as soon as a load reaches behind `linear` within the packet. */
static int want(const struct bpf_insn *i, const uint8_t *p, uint32_t length, uint32_t linear)
{
	uint32_t a = 0, x = 0, m[BPF_MEMWORDS] = { 0 }, k, size, v;
	uint64_t at;

	for (;; i++) {
		switch (BPF_CLASS(i->code)) {
		case BPF_LD:
		case BPF_LDX:
			if (BPF_MODE(i->code) == BPF_IMM) {
				v = i->k;
			} else if (BPF_MODE(i->code) == BPF_MEM) {
				v = m[i->k];
			} else if (BPF_MODE(i->code) == BPF_LEN) {
				v = length;
			} else {
				at = (uint64_t)i->k + (BPF_MODE(i->code) == BPF_IND ? x : 0);
				size = BPF_SIZE(i->code) == BPF_W   ? 4
				       : BPF_SIZE(i->code) == BPF_H ? 2
								    : 1;
				if (at + size > length)
					return 0;
				if (at + size > linear)
					return -1;
				for (v = 0; size--; at++)
					v = v << 8 | p[at];
				if (BPF_MODE(i->code) == BPF_MSH)
					v = (v & 15) * 4;
			}
			if (BPF_CLASS(i->code) == BPF_LD)
				a = v;
			else
				x = v;
			break;
		case BPF_ST:
			m[i->k] = a;
			break;
		case BPF_STX:
			m[i->k] = x;
			break;
		case BPF_MISC:
			if (BPF_MISCOP(i->code) == BPF_TAX)
				x = a;
			else
				a = x;
			break;
		case BPF_RET:
			return BPF_RVAL(i->code) == BPF_A ? a != 0 : i->k != 0;
		case BPF_JMP:
			k = BPF_SRC(i->code) == BPF_X ? x : i->k;
			switch (BPF_OP(i->code)) {
			case BPF_JA:
				i += i->k;
				break;
			case BPF_JEQ:
				i += a == k ? i->jt : i->jf;
				break;
			case BPF_JGT:
				i += a > k ? i->jt : i->jf;
				break;
			case BPF_JGE:
				i += a >= k ? i->jt : i->jf;
				break;
			default:
				i += a & k ? i->jt : i->jf;
				break;
			}
			break;
		default:
			k = BPF_SRC(i->code) == BPF_X ? x : i->k;
			switch (BPF_OP(i->code)) {
			case BPF_ADD:
				a += k;
				break;
			case BPF_SUB:
				a -= k;
				break;
			case BPF_MUL:
				a *= k;
				break;
			case BPF_DIV:
			case BPF_MOD:
				if (!k)
					return 0;
				a = BPF_OP(i->code) == BPF_DIV ? a / k : a % k;
				break;
			case BPF_AND:
				a &= k;
				break;
			case BPF_OR:
				a |= k;
				break;
			case BPF_XOR:
				a ^= k;
				break;
			case BPF_LSH:
				a = k < 32 ? a << k : 0;
				break;
			case BPF_RSH:
				a = k < 32 ? a >> k : 0;
				break;
			default:
				a = -a;
				break;
			}
			break;
		}
	}
}

/* --- the comparison ---------------------------------------------------------------- */

struct tally {
	unsigned int yes, no, unreadable;
};

/* One call. The head is what of it can be read, in one of the sizes that a probe has. */
static void compare(const struct pcap_functions *f, const struct pcap_sample *s, size_t n,
		    const struct pcap_packet *p, uint32_t linear, uint32_t head_len,
		    struct tally *tally)
{
	uint32_t head[10];
	struct lnk_wire w = { .ip = (const char *)p->bytes,
			      .linear = linear,
			      .length = p->length,
			      .head = (const u8 *)head,
			      .head_len = head_len };
	int got, wanted = want(s->program.bf_insns, p->bytes, p->length, linear);

	if (linear < head_len)
		return;
	/* the head may be as it is, but not be read where it does not count */
	memset(head, 0xa5, sizeof(head));
	memcpy(head, p->bytes, head_len);
	*f->from = w.ip;
	*f->to = w.ip + linear;
	/* within head_len memory is not to be asked at a constant offset */
	got = f->wire[n](&w);
	if (linear == p->length)
		CHECK_INT(wanted, pcap_matches(s, p, p->length));
	else if (got >= 0)
		CHECK_INT(got, pcap_matches(s, p, p->length));
	else
		CHECK_INT(pcap_matches(s, p, linear), 0);
	if (!CHECK_INT(got, wanted)) {
		fprintf(stderr, "  %s\n  %u bytes, %u can be read, head %u\n", s->text, p->length,
			linear, head_len);
		exit(1);
	}
	tally->yes += got == 1;
	tally->no += got == 0;
	tally->unreadable += got < 0;
}

TEST(against_bpf_filter)
{
	struct pcap_sample *s = pcap_samples(EXPRESSIONS);
	struct pcap_packet *p = calloc(PACKETS, sizeof(*p));
	struct pcap_functions f = { 0 };
	struct tally all = { 0 }, one;
	unsigned int varied = 0;
	uint32_t head;
	size_t i, j;

	for (j = 0; j < PACKETS; j++)
		pcap_packet(&p[j]);
	pcap_load_functions(&f, s, EXPRESSIONS, false);
	for (i = 0; i < EXPRESSIONS; i++) {
		one = (struct tally){ 0 };
		for (j = 0; j < PACKETS; j++) {
			for (head = 0; head <= 40; head += 20)
				compare(&f, &s[i], i, &p[j], p[j].length, head, &one);
			compare(&f, &s[i], i, &p[j], pcap_random(p[j].length + 1), 0, &one);
			compare(&f, &s[i], i, &p[j], pcap_random(p[j].length + 1), 20, &one);
			if (p[j].length >= 40)
				compare(&f, &s[i], i, &p[j], 40 + pcap_random(p[j].length - 39), 40,
					&one);
		}
		varied += one.yes && one.no;
		all.yes += one.yes;
		all.no += one.no;
		all.unreadable += one.unreadable;
	}
	CHECK_INT(*f.wrong, 0);
	fprintf(stderr,
		"%d expressions, %u of them both ways; %u match, %u do not, %u unreadable\n",
		EXPRESSIONS, varied, all.yes, all.no, all.unreadable);
	/* the corpus is worth something */
	CHECK(varied > EXPRESSIONS / 2);
	CHECK(all.yes > 100000 && all.no > 100000 && all.unreadable > 100000);
	free(p);
	pcap_samples_free(s, EXPRESSIONS);
}

/* --- what is refused, and what is remarked ----------------------------------------- */

static void check_refused(const char *expression, const char *reason)
{
	struct text c = { 0 }, why = { 0 };

	if (!CHECK_INT(pcap_filter_emit(expression, &c, &why), -EINVAL) ||
	    !CHECK(strstr(text_str(&why), reason)))
		fprintf(stderr, "  %s: \"%s\", and not ...%s...\n", expression, text_str(&why),
			reason);
	CHECK_INT(c.len, 0);
	CHECK(!strchr(text_str(&why), '\n'));
	text_free(&c);
	text_free(&why);
}

TEST(refused)
{
	static const char layer[] = "from their IP header on, without a link layer";
	static const char loop[] = "'protochain' cannot be used: it needs a loop";

	/* libpcap's own words, as far as 1.10 and 1.11 say the same */
	check_refused("tcp prt 443", "syntax error");
	check_refused("tcp and", "syntax error");
	check_refused("tcp port 65536", "port number 65536");
	check_refused("host 10.1.2.3/8", "non-network bits set");
	check_refused("tcp[0:3] = 1", "data size must be 1, 2, or 4");
	check_refused("tcp[1] / 0 = 1", "division by zero");
	check_refused("ip6 host 10.1.2.3", "'ip6'");
	check_refused("vlan 3 and tcp", "support");
	check_refused("mpls", "support");
	check_refused("broadcast", "broadcast");
	check_refused("multicast", "multicast");
	check_refused("ip broadcast", "netmask not known");
	check_refused("gateway 10.1.2.3", "'gateway'");
	check_refused("ip6 and tcp[13] = 2", "expression rejects all packets");
	check_refused("arp", "expression rejects all packets");
	/* ours: libpcap takes these, and they would mean something else */
	check_refused("ether proto 0x800", layer);
	check_refused("ether host 1:2:3:4:5:6", layer);
	check_refused("tcp and ether[0] & 1 = 0", layer);
	check_refused("not(link[0]=4)", layer);
	check_refused("tcp or pppoes", layer);
	check_refused("pppoed", layer);
	check_refused("ifindex 3", layer);
	check_refused("tcp and inbound", "'inbound' cannot be used: every packet that is seen");
	check_refused("outbound", "'outbound' cannot be used");
	check_refused("ip protochain 6", loop);
	check_refused("ip6 protochain \\tcp or tcp", loop);
	check_refused("ip[0xfffff004:2] = 4", "asks for what no packet holds");
	/* the message goes to a terminal */
	check_refused("\033[2J", "");
}

static void check_note(const char *expression, const char *note)
{
	struct text c = { 0 }, why = { 0 };

	CHECK_INT(pcap_filter_emit(expression, &c, &why), 0);
	if (!CHECK_STR(text_str(&why), note))
		fprintf(stderr, "  %s\n", expression);
	CHECK(c.len);
	text_free(&c);
	text_free(&why);
}

TEST(notes)
{
	static const char never[] = "the expression matches no TCP packet";
	static const char ipv4[] =
		"the expression matches no IPv6 packet: tcp[...] reads IPv4 only";

	check_note("udp", never);
	check_note("udp port 53 or icmp or icmp6", never);
	check_note("ip proto 47", never);
	check_note("geneve and tcp port 80", never);
	check_note("not tcp and not (ip6 and ip6[6] != 6)", never);
	check_note("tcp[tcpflags] & tcp-syn != 0", ipv4);
	check_note("port 80 and tcp [13] = 2", ipv4);
	check_note("ip6 or tcp[13] = 2", "");
	check_note("tcp port 443", "");
	check_note("host 10.1.2.3", "");
	check_note("ip6 proto 44", ""); /* a fragment may be one of TCP */
	check_note("ip6[6] = 0", "");   /* and so may what begins with options */
	check_note("ip[0] = 0x46", ""); /* IP options */
	check_note("ip[6:2] & 0x1fff != 0", "");
	check_note("", "");
}

/* The numbers of libpcap's program, and nothing that the user wrote. */
TEST(no_text_of_the_user)
{
	struct text c = { 0 }, why = { 0 };

	CHECK_INT(pcap_filter_emit("tcp port 47111 and tcp[tcpflags] & tcp-syn != 0 and host "
				   "10.201.202.203",
				   &c, &why),
		  0);
	CHECK(strstr(text_str(&c), "47111U"));
	CHECK(!strstr(text_str(&c), "tcpflags"));
	CHECK(!strstr(text_str(&c), "10.201"));
	text_free(&c);
	text_free(&why);
}

/* "host 10.0.0.0 or host 10.0.0.1 ...": n of them. */
static void hosts(struct text *t, unsigned int n)
{
	unsigned int i;

	for (i = 0; i < n; i++)
		text_printf(t, "%shost 10.0.%u.%u", i ? " or " : "", i / 256, i % 256);
}

TEST(large)
{
	struct text e = { 0 };

	hosts(&e, 200);
	check_note(text_str(&e), "");
	text_reset(&e);
	hosts(&e, 700);
	check_refused(text_str(&e), "the expression is too large: ");
	text_reset(&e);
	while (e.len <= PCAP_FILTER_MAX_TEXT)
		text_puts(&e, "tcp or ");
	text_puts(&e, "tcp");
	check_refused(text_str(&e), "the expression is too long: 16384 bytes are the limit");
	text_free(&e);
}
