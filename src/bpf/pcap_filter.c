/* SPDX-License-Identifier: MIT */
/*
 * Theory of operation. libpcap compiles for DLT_RAW: offset 0 is the IP header, there is no
 * link layer. The program is a list of instructions for a machine of an accumulator A, an
 * index X and 16 words of memory, which jumps forward only, so each instruction becomes one
 * C statement and each jump a goto; clang makes registers of it all. A load is a call of one
 * of the functions in `loads`, which know where the packet ends and how far it can be read.
 */
#include "bpf/pcap_filter.h"

#include <ctype.h>
#include <errno.h>
#include <stdint.h>
#include <string.h>
#include <pcap/pcap.h>

#include "bpf/pcap_sock.h"

/* From here on an absolute offset means something that is not in the packet: the kernel's
 * SKF_LL_OFF, SKF_NET_OFF and SKF_AD_OFF. */
#define SKF_FIRST 0xffe00000U

/* --- the text of the loads --------------------------------------------------------- */

/* What lies in the head costs no helper call: at a constant offset, or, with an index of 20
 * (a TCP header behind an IPv4 header without options), at another. */
static const char loads[] =
	"#ifndef LNK_WIRE\n"
	"#define LNK_WIRE\n"
	"struct lnk_wire {\n"
	"\tconst char *ip;\n"
	"\tu32 linear;\n"
	"\tu32 length;\n"
	"\tconst u8 *head;\n"
	"\tu32 head_len;\n"
	"};\n"
	"#endif\n"
	"#ifndef LNK_PCAP_LOADS\n"
	"#define LNK_PCAP_LOADS\n"
	"/* Big-endian loads at x + k. 1: *to is set. 0: behind the end of the packet. -1: in\n"
	" * it, and out of reach. */\n"
	"static __always_inline int lnk_pcap_in_head(const struct lnk_wire *w, u32 k, u32 size)\n"
	"{\n"
	"\treturn k <= 40 - size && k + size <= w->head_len;\n"
	"}\n"
	"\n"
	"static __always_inline u32 lnk_pcap_head8(const struct lnk_wire *w, u32 k)\n"
	"{\n"
	"\treturn w->head[k];\n"
	"}\n"
	"\n"
	"static __always_inline u32 lnk_pcap_head16(const struct lnk_wire *w, u32 k)\n"
	"{\n"
	"\tif (k % 2)\n"
	"\t\treturn lnk_pcap_head8(w, k) << 8 | lnk_pcap_head8(w, k + 1);\n"
	"\treturn bpf_ntohs(*(const u16 *)(w->head + k));\n"
	"}\n"
	"\n"
	"static __always_inline u32 lnk_pcap_head32(const struct lnk_wire *w, u32 k)\n"
	"{\n"
	"\tif (k % 4)\n"
	"\t\treturn lnk_pcap_head16(w, k) << 16 | lnk_pcap_head16(w, k + 2);\n"
	"\treturn bpf_ntohl(*(const u32 *)(w->head + k));\n"
	"}\n"
	"\n"
	"static __always_inline int lnk_pcap_read(const struct lnk_wire *w, u32 x, u32 k, void "
	"*to,\n"
	"\t\t\t\t\t u32 size)\n"
	"{\n"
	"\tu64 at = (u64)x + k;\n"
	"\n"
	"\tif (at + size > w->length)\n"
	"\t\treturn 0;\n"
	"\tif (at + size > w->linear || bpf_probe_read_kernel(to, size, w->ip + at))\n"
	"\t\treturn -1;\n"
	"\treturn 1;\n"
	"}\n"
	"\n"
	"static __always_inline int lnk_pcap_ld8(const struct lnk_wire *w, u32 x, u32 k, u32 *to)\n"
	"{\n"
	"\tu8 v = 0;\n"
	"\tint r = 1;\n"
	"\n"
	"\tif (x == 0 && lnk_pcap_in_head(w, k, 1)) {\n"
	"\t\t*to = lnk_pcap_head8(w, k);\n"
	"\t} else if (x == 20 && k < 20 && lnk_pcap_in_head(w, k + 20, 1)) {\n"
	"\t\t*to = lnk_pcap_head8(w, k + 20);\n"
	"\t} else {\n"
	"\t\tr = lnk_pcap_read(w, x, k, &v, 1);\n"
	"\t\t*to = v;\n"
	"\t}\n"
	"\treturn r;\n"
	"}\n"
	"\n"
	"static __always_inline int lnk_pcap_ld16(const struct lnk_wire *w, u32 x, u32 k, u32 "
	"*to)\n"
	"{\n"
	"\tu16 v = 0;\n"
	"\tint r = 1;\n"
	"\n"
	"\tif (x == 0 && lnk_pcap_in_head(w, k, 2)) {\n"
	"\t\t*to = lnk_pcap_head16(w, k);\n"
	"\t} else if (x == 20 && k < 20 && lnk_pcap_in_head(w, k + 20, 2)) {\n"
	"\t\t*to = lnk_pcap_head16(w, k + 20);\n"
	"\t} else {\n"
	"\t\tr = lnk_pcap_read(w, x, k, &v, 2);\n"
	"\t\t*to = bpf_ntohs(v);\n"
	"\t}\n"
	"\treturn r;\n"
	"}\n"
	"\n"
	"static __always_inline int lnk_pcap_ld32(const struct lnk_wire *w, u32 x, u32 k, u32 "
	"*to)\n"
	"{\n"
	"\tu32 v = 0;\n"
	"\tint r = 1;\n"
	"\n"
	"\tif (x == 0 && lnk_pcap_in_head(w, k, 4)) {\n"
	"\t\t*to = lnk_pcap_head32(w, k);\n"
	"\t} else if (x == 20 && k < 20 && lnk_pcap_in_head(w, k + 20, 4)) {\n"
	"\t\t*to = lnk_pcap_head32(w, k + 20);\n"
	"\t} else {\n"
	"\t\tr = lnk_pcap_read(w, x, k, &v, 4);\n"
	"\t\t*to = bpf_ntohl(v);\n"
	"\t}\n"
	"\treturn r;\n"
	"}\n"
	"#endif\n";

/* --- instructions ------------------------------------------------------------------ */

static bool is_jump(const struct bpf_insn *i)
{
	return BPF_CLASS(i->code) == BPF_JMP;
}

static bool goes_always(const struct bpf_insn *i)
{
	return i->code == (BPF_JMP | BPF_JA);
}

static const char *register_of(const struct bpf_insn *i)
{
	return BPF_CLASS(i->code) == BPF_LDX || BPF_CLASS(i->code) == BPF_STX ? "x" : "a";
}

static void emit_packet_load(const struct bpf_insn *i, struct text *c)
{
	int bits = BPF_SIZE(i->code) == BPF_W ? 32 : BPF_SIZE(i->code) == BPF_H ? 16 : 8;

	text_printf(c, "\tr = lnk_pcap_ld%d(w, %s, %uU, &%s);\n", bits,
		    BPF_MODE(i->code) == BPF_IND ? "x" : "0", i->k, register_of(i));
	text_puts(c, "\tif (r <= 0)\n\t\treturn r;\n");
	if (BPF_MODE(i->code) == BPF_MSH)
		text_puts(c, "\tx = (x & 15) << 2;\n");
}

static bool emit_load(const struct bpf_insn *i, struct text *c)
{
	switch (i->code) {
	case BPF_LD | BPF_W | BPF_ABS:
	case BPF_LD | BPF_H | BPF_ABS:
	case BPF_LD | BPF_B | BPF_ABS:
	case BPF_LD | BPF_W | BPF_IND:
	case BPF_LD | BPF_H | BPF_IND:
	case BPF_LD | BPF_B | BPF_IND:
	case BPF_LDX | BPF_B | BPF_MSH:
		emit_packet_load(i, c);
		return true;
	case BPF_LD | BPF_W | BPF_LEN:
	case BPF_LDX | BPF_W | BPF_LEN:
		text_printf(c, "\t%s = w->length;\n", register_of(i));
		return true;
	case BPF_LD | BPF_IMM:
	case BPF_LDX | BPF_IMM:
		text_printf(c, "\t%s = %uU;\n", register_of(i), i->k);
		return true;
	case BPF_LD | BPF_MEM:
	case BPF_LDX | BPF_W | BPF_MEM:
		text_printf(c, "\t%s = m%u;\n", register_of(i), i->k);
		return true;
	case BPF_ST:
	case BPF_STX:
		text_printf(c, "\tm%u = %s;\n", i->k, register_of(i));
		return true;
	default:
		return false;
	}
}

/* The operand of arithmetic and comparisons. */
static void operand(const struct bpf_insn *i, char buf[16])
{
	struct text t = { 0 };

	text_printf(&t, BPF_SRC(i->code) == BPF_X ? "x" : "%uU", i->k);
	strcpy(buf, text_str(&t));
	text_free(&t);
}

static bool emit_alu(const struct bpf_insn *i, struct text *c)
{
	static const struct {
		int op;
		const char *sign;
	} plain[] = { { BPF_ADD, "+" }, { BPF_SUB, "-" }, { BPF_MUL, "*" },
		      { BPF_AND, "&" }, { BPF_OR, "|" },  { BPF_XOR, "^" } };
	const char *sign;
	char by[16];
	size_t n;

	operand(i, by);
	switch (BPF_OP(i->code)) {
	case BPF_NEG:
		text_puts(c, "\ta = -a;\n");
		return true;
	case BPF_DIV:
	case BPF_MOD:
		sign = BPF_OP(i->code) == BPF_DIV ? "/" : "%";
		if (BPF_SRC(i->code) == BPF_X)
			text_puts(c, "\tif (!x)\n\t\treturn 0;\n");
		else if (!i->k)
			return false; /* the kernel and libpcap have no such program either */
		text_printf(c, "\ta %s= %s;\n", sign, by);
		return true;
	case BPF_LSH:
	case BPF_RSH:
		sign = BPF_OP(i->code) == BPF_LSH ? "<<" : ">>";
		text_printf(c, "\ta = %s < 32 ? a %s (%s & 31) : 0;\n", by, sign, by);
		return true;
	default:
		for (n = 0; n < sizeof(plain) / sizeof(plain[0]); n++) {
			if (plain[n].op != BPF_OP(i->code))
				continue;
			text_printf(c, "\ta %s= %s;\n", plain[n].sign, by);
			return true;
		}
		return false;
	}
}

static bool emit_jump(const struct bpf_insn *i, size_t at, struct text *c)
{
	char with[16];
	const char *sign;

	switch (BPF_OP(i->code)) {
	case BPF_JA:
		text_printf(c, "\tgoto i%zu;\n", at + 1 + i->k);
		return BPF_SRC(i->code) == BPF_K;
	case BPF_JEQ:
		sign = "==";
		break;
	case BPF_JGT:
		sign = ">";
		break;
	case BPF_JGE:
		sign = ">=";
		break;
	case BPF_JSET:
		sign = "&";
		break;
	default:
		return false;
	}
	operand(i, with);
	if (i->jt)
		text_printf(c, "\tif (a %s %s)\n\t\tgoto i%zu;\n", sign, with, at + 1 + i->jt);
	else if (i->jf)
		text_printf(c, "\tif (!(a %s %s))\n\t\tgoto i%zu;\n", sign, with, at + 1 + i->jf);
	if (i->jt && i->jf)
		text_printf(c, "\tgoto i%zu;\n", at + 1 + i->jf);
	return true;
}

static bool emit_insn(const struct bpf_insn *i, size_t at, struct text *c)
{
	switch (BPF_CLASS(i->code)) {
	case BPF_ALU:
		return emit_alu(i, c);
	case BPF_JMP:
		return emit_jump(i, at, c);
	case BPF_RET:
		if (BPF_RVAL(i->code) == BPF_A)
			text_puts(c, "\treturn a != 0;\n");
		else if (BPF_RVAL(i->code) == BPF_K)
			text_printf(c, "\treturn %d;\n", i->k != 0);
		else
			return false;
		return true;
	case BPF_MISC:
		if (BPF_MISCOP(i->code) == BPF_TAX)
			text_puts(c, "\tx = a;\n");
		else if (BPF_MISCOP(i->code) == BPF_TXA)
			text_puts(c, "\ta = x;\n");
		else
			return false;
		return true;
	default:
		return emit_load(i, c);
	}
}

static void emit_program(const struct bpf_insn *prog, const bool *target, size_t n, struct text *c)
{
	unsigned int memory = 0, k;
	size_t i;

	for (i = 0; i < n; i++)
		if (prog[i].code == BPF_ST || prog[i].code == BPF_STX)
			memory |= 1U << prog[i].k;
	text_puts(c, "static __always_inline int lnk_pcap(const struct lnk_wire *w)\n{\n"
		     "\tu32 a = 0, x = 0;\n\tint r = 0;\n");
	for (k = 0; k < BPF_MEMWORDS; k++)
		if (memory & 1U << k)
			text_printf(c, "\tu32 m%u = 0;\n", k);
	text_puts(c, "\n\t(void)w;\n\t(void)a;\n\t(void)x;\n\t(void)r;\n");
	for (i = 0; i < n; i++) {
		if (target[i])
			text_printf(c, "i%zu:\n", i);
		emit_insn(&prog[i], i, c);
	}
	text_puts(c, "}\n\n");
}

/* --- what is refused --------------------------------------------------------------- */

static const char no_link_layer[] = "packets are seen from their IP header on, without a link "
				    "layer";

/* Words that libpcap takes for DLT_RAW, and whose meaning there is not what they say. */
static const struct {
	const char *word;
	const char *reason;
} refused[] = {
	{ "link", no_link_layer },
	{ "ether", no_link_layer },
	{ "ppp", no_link_layer },
	{ "slip", no_link_layer },
	{ "fddi", no_link_layer },
	{ "tr", no_link_layer },
	{ "wlan", no_link_layer },
	{ "pppoed", no_link_layer },
	{ "pppoes", no_link_layer },
	{ "inbound", "every packet that is seen comes in" },
	{ "outbound", "every packet that is seen comes in" },
	{ "ifindex", no_link_layer },
	{ "protochain", "it needs a loop, which the kernel's verifier does not take" },
};

/* The length of the word at s, as libpcap's scanner has it: [A-Za-z0-9][-_.A-Za-z0-9]*,
 * and neither - nor _ at the end. 0: none. */
static size_t word_length(const char *s)
{
	size_t n = 0;

	if (!isalnum((unsigned char)*s))
		return 0;
	while (isalnum((unsigned char)s[n]) || (s[n] && strchr("-_.", s[n])))
		n++;
	while (s[n - 1] == '-' || s[n - 1] == '_')
		n--;
	return n;
}

static bool has_refused_word(const char *s, struct text *why)
{
	size_t n, i;

	for (; *s; s += n ? n : 1) {
		n = word_length(s);
		if (*s == '\\') /* a name, whatever it is: up to where the scanner ends it */
			n = 1 + strcspn(s + 1, " !()\n\t");
		for (i = 0; n && i < sizeof(refused) / sizeof(refused[0]); i++) {
			if (strlen(refused[i].word) != n || strncmp(refused[i].word, s, n) != 0)
				continue;
			text_printf(why, "'%s' cannot be used: %s", refused[i].word,
				    refused[i].reason);
			return true;
		}
	}
	return false;
}

/* The instruction, its memory and its jumps; marks where it jumps to. */
static int check_insn(const struct bpf_insn *prog, size_t n, size_t at, bool *target,
		      struct text *why)
{
	const struct bpf_insn *i = &prog[at];
	struct text unused = { 0 };
	bool known = emit_insn(i, at, &unused), memory;

	text_free(&unused);
	memory = i->code == BPF_ST || i->code == BPF_STX || i->code == (BPF_LD | BPF_MEM) ||
		 i->code == (BPF_LDX | BPF_W | BPF_MEM);
	if (!known || (memory && i->k >= BPF_MEMWORDS)) {
		text_printf(why,
			    "libpcap has made an instruction of it that is not known here "
			    "(code 0x%x)",
			    i->code);
		return -EINVAL;
	}
	if (BPF_CLASS(i->code) == BPF_LD && BPF_MODE(i->code) == BPF_ABS && i->k >= SKF_FIRST) {
		text_puts(why, "it asks for what no packet holds (as 'inbound' and 'ifindex' do), "
			       "or reads far behind its end");
		return -EINVAL;
	}
	if (!is_jump(i))
		return 0;
	if (goes_always(i) ? i->k >= n - at - 1 : (i->jt >= n - at - 1 || i->jf >= n - at - 1)) {
		text_puts(why, "it needs a loop, which the kernel's verifier does not take");
		return -EINVAL;
	}
	if (goes_always(i)) {
		target[at + 1 + i->k] = true;
	} else {
		target[at + 1 + i->jt] |= i->jt != 0;
		target[at + 1 + i->jf] |= i->jf != 0;
	}
	return 0;
}

static int check_program(const struct bpf_program *p, bool *target, struct text *why)
{
	size_t i;
	int err;

	if (p->bf_len > PCAP_FILTER_MAX_INSNS) {
		text_printf(why,
			    "the expression is too large: %u instructions, and %d are the limit",
			    p->bf_len, PCAP_FILTER_MAX_INSNS);
		return -EINVAL;
	}
	for (i = 0; i < p->bf_len; i++) {
		err = check_insn(p->bf_insns, p->bf_len, i, target, why);
		if (err)
			return err;
	}
	if (!p->bf_len || BPF_CLASS(p->bf_insns[p->bf_len - 1].code) != BPF_RET) {
		text_puts(why, "libpcap has made a program of it that has no end");
		return -EINVAL;
	}
	return 0;
}

/* --- the whole --------------------------------------------------------------------- */

static int emit(const struct bpf_program *p, struct text *c, struct text *why)
{
	bool target[PCAP_FILTER_MAX_INSNS] = { false };
	struct text own = { 0 };
	int err = check_program(p, target, why);

	if (err)
		return err;
	text_puts(&own, loads);
	text_puts(&own, "\n");
	emit_program(p->bf_insns, target, p->bf_len, &own);
	err = pcap_sock_emit(p->bf_insns, p->bf_len, &own);
	if (err || own.cut) {
		text_puts(why, "out of memory");
		text_free(&own);
		return -EINVAL;
	}
	text_add(c, own.s, own.len);
	text_free(&own);
	return 0;
}

/* tcp[...] anywhere. */
static bool reads_tcp(const char *s)
{
	size_t n;

	for (; *s; s += n ? n : 1) {
		n = word_length(s);
		if (n == 3 && !strncmp(s, "tcp", 3) && s[3 + strspn(s + 3, " \t\n\r")] == '[')
			return true;
	}
	return false;
}

static void note(const char *expression, const struct bpf_program *p, struct text *why)
{
	bool v4 = pcap_sock_may_match(p->bf_insns, p->bf_len, 4);
	bool v6 = pcap_sock_may_match(p->bf_insns, p->bf_len, 6);

	if (!v4 && !v6)
		text_puts(why, "the expression matches no TCP packet");
	else if (!v6 && reads_tcp(expression))
		text_puts(why, "the expression matches no IPv6 packet: tcp[...] reads IPv4 only");
}

int pcap_filter_emit(const char *expression, struct text *c, struct text *why)
{
	struct bpf_program program = { 0 };
	pcap_t *pcap;
	const char *said;
	int err;

	if (strlen(expression) > PCAP_FILTER_MAX_TEXT) {
		text_printf(why, "the expression is too long: %d bytes are the limit",
			    PCAP_FILTER_MAX_TEXT);
		return -EINVAL;
	}
	if (has_refused_word(expression, why))
		return -EINVAL;
	pcap = pcap_open_dead(DLT_RAW, 262144);
	if (!pcap) {
		text_puts(why, "out of memory");
		return -EINVAL;
	}
	if (pcap_compile(pcap, &program, expression, 1, PCAP_NETMASK_UNKNOWN)) {
		said = pcap_geterr(pcap);
		text_add_escaped(why, said, strlen(said), false);
		pcap_close(pcap);
		return -EINVAL;
	}
	err = emit(&program, c, why);
	if (!err)
		note(expression, &program, why);
	pcap_freecode(&program);
	pcap_close(pcap);
	return err;
}
