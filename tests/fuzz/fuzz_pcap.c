/* SPDX-License-Identifier: MIT */
/* A tcpdump expression. What is emitted for it must be C of a few fixed words and numbers. */
#include "fuzz.h"

#include <errno.h>
#include <netdb.h>

#include "bpf/pcap_filter.h"

/* libpcap looks names up: not here. */
int getaddrinfo(const char *node, const char *service, const struct addrinfo *hints,
		struct addrinfo **res)
{
	(void)node;
	(void)service;
	(void)hints;
	*res = NULL;
	return EAI_NONAME;
}

struct netent *getnetbyname(const char *name)
{
	(void)name;
	return NULL;
}

/* Every word that may be in it, beside numbers and those that begin with lnk_pcap. */
static const char *const words[] = {
	"a",
	"at",
	"bpf_htonl",
	"bpf_ntohl",
	"bpf_ntohs",
	"const",
	"daddr",
	"dport",
	"e",
	"else",
	"from",
	"goto",
	"head",
	"head_len",
	"if",
	"int",
	"ip",
	"k",
	"length",
	"linear",
	"lnk_event",
	"lnk_wire",
	"r",
	"return",
	"saddr",
	"size",
	"sport",
	"static",
	"struct",
	"to",
	"u16",
	"u32",
	"u64",
	"u8",
	"unused",
	"v",
	"void",
	"w",
	"x",
	"char",
	"address",
	"__always_inline",
	"__attribute__",
	"bpf_probe_read_kernel",
	"define",
	"endif",
	"ifndef",
	"LNK_WIRE",
	"LNK_PCAP_LOADS",
};

static bool is_word_byte(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
	       c == '_';
}

/* A label, a memory word: one letter and a number. */
static bool is_numbered(const char *s, size_t n)
{
	return n > 1 && strchr("inm", s[0]) && strspn(s + 1, "0123456789") >= n - 1;
}

static bool is_number(const char *s, size_t n)
{
	size_t digits;

	if (n > 2 && s[0] == '0' && s[1] == 'x')
		return strspn(s + 2, "0123456789abcdef") >= n - 2;
	digits = strspn(s, "0123456789");
	return digits && (digits >= n || (digits == n - 1 && s[n - 1] == 'U'));
}

static bool is_known(const char *s, size_t n)
{
	size_t i;

	if (is_number(s, n) || is_numbered(s, n) || (n >= 8 && !strncmp(s, "lnk_pcap", 8)))
		return true;
	for (i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (strlen(words[i]) == n && !strncmp(s, words[i], n))
			return true;
	return false;
}

/* Every "goto L" of a function has its label in it, further down. */
static void check_labels(const char *function, const char *end)
{
	const char *s = function;
	char label[32];
	size_t n;

	while ((s = strstr(s, "goto ")) && s < end) {
		s += 5;
		n = strcspn(s, ";");
		REQUIRE(n > 1 && n < sizeof(label) - 3);
		snprintf(label, sizeof(label), "\n%.*s:", (int)n, s);
		s = strstr(s, ";");
		REQUIRE(strstr(s, label) && strstr(s, label) < end);
	}
}

static void check_c(const char *c)
{
	const char *s = c, *body = c;
	int braces = 0, parens = 0;
	size_t n;

	while (*s) {
		if (!strncmp(s, "/*", 2)) {
			s = strstr(s, "*/");
			REQUIRE(s);
			s += 2;
			continue;
		}
		for (n = 0; is_word_byte(s[n]);)
			n++;
		if (n) {
			REQUIRE(is_known(s, n));
			s += n;
			continue;
		}
		REQUIRE(strchr("{}()[];:,.#*&|^<>=!?+-/% \t\n", *s));
		if (*s == '{' && !braces++)
			body = s;
		if (*s == '}' && !--braces)
			check_labels(body, s);
		parens += *s == '(';
		parens -= *s == ')';
		REQUIRE(braces >= 0 && parens >= 0);
		s++;
	}
	REQUIRE(!braces && !parens);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct input in = { data, size };
	char *expression = take_string(&in);
	struct text c = { 0 }, why = { 0 };
	int err = pcap_filter_emit(expression, &c, &why);

	REQUIRE(is_safe_text(text_str(&why), why.len, false));
	if (err) {
		REQUIRE(err == -EINVAL && why.len && !c.len);
	} else {
		REQUIRE(!c.cut && strstr(text_str(&c), "int lnk_pcap(const struct lnk_wire *w)"));
		REQUIRE(strstr(text_str(&c), "int lnk_pcap_sock(const struct lnk_event *e)"));
		check_c(text_str(&c));
	}
	text_free(&c);
	text_free(&why);
	free(expression);
	return 0;
}
