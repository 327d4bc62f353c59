/* SPDX-License-Identifier: MIT */
/* What is compiled in on which kernel, and the constants that say so. */
#include "unit.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bpf/kernel.h"
#include "bpf/pages.h"

/* The kernel. */
static struct {
	bool btf, tracing, raw_tracepoints, casts, pages;
	const char *kprobe_refusal;
	unsigned int skbaddr;
} k;

#define kernel_has_btf() (k.btf)
#define kernel_has_casts() (k.casts)
#define pages_known(why) (*(why) = NULL, k.pages)
#define kernel_tracing_refusal() (k.tracing ? NULL : "refused")
#define kernel_kprobe_refusal() (k.kprobe_refusal)
#define kernel_has_raw_tracepoints() (k.raw_tracepoints)
#define kernel_tracepoint_offset(category, event, field)                                           \
	(strcmp(category "/" event "/" field, "net/netif_receive_skb/skbaddr") ? 0 : k.skbaddr)
#include "app/choice.c" // NOLINT(bugprone-suspicious-include)

static void kernel(bool btf, bool tracing, bool kprobes)
{
	k.btf = btf;
	k.tracing = tracing;
	k.raw_tracepoints = true;
	k.casts = k.pages = false;
	k.kprobe_refusal = kprobes ? NULL : "no kprobes";
	k.skbaddr = 8;
}

/* "fktsdcp": a letter for each that is set. */
static const char *letters(struct choice c)
{
	static char out[2][8];
	static int turn;

	turn = !turn;
	snprintf(out[turn], sizeof(out[turn]), "%s%s%s%s%s%s%s", c.fentry ? "f" : "",
		 c.kprobe ? "k" : "", c.tracepoint ? "t" : "", c.substitutes ? "s" : "",
		 c.direct ? "d" : "", c.casts ? "c" : "", c.pages ? "p" : "");
	return out[turn];
}

TEST(kinds)
{
	const unsigned int f = KIND_BIT(HOOK_FENTRY) | KIND_BIT(HOOK_FEXIT),
			   p = KIND_BIT(HOOK_KPROBE) | KIND_BIT(HOOK_KRETPROBE),
			   t = KIND_BIT(HOOK_RAW_TRACEPOINT) | KIND_BIT(HOOK_TRACEPOINT);

	CHECK_INT(choice_kinds(ATTACH_AUTO), f | p | t);
	CHECK_INT(choice_kinds(ATTACH_FENTRY), f);
	CHECK_INT(choice_kinds(ATTACH_KPROBE), p);
	CHECK_INT(choice_kinds(ATTACH_TRACEPOINT), t);
}

TEST(all_that_is_allowed)
{
	kernel(true, true, true);
	CHECK_STR(letters(choice_all(ATTACH_AUTO)), "fkts");
	CHECK_STR(letters(choice_all(ATTACH_FENTRY)), "f");
	CHECK_STR(letters(choice_all(ATTACH_KPROBE)), "k");
	CHECK_STR(letters(choice_all(ATTACH_TRACEPOINT)), "ts");
	/* what does not compile without BTF; the rest is left to the attaching */
	kernel(false, false, false);
	CHECK_STR(letters(choice_all(ATTACH_AUTO)), "kts");
	CHECK_STR(letters(choice_all(ATTACH_FENTRY)), "");
	kernel(true, false, false);
	CHECK_STR(letters(choice_all(ATTACH_AUTO)), "fkts");
}

/* fentry before kprobes before substitutes; the tracepoints of a stage's own always. */
TEST(the_best)
{
	kernel(true, true, true);
	CHECK_STR(letters(choice_best(ATTACH_AUTO)), "ftd");
	CHECK_STR(letters(choice_best(ATTACH_KPROBE)), "kd");
	CHECK_STR(letters(choice_best(ATTACH_TRACEPOINT)), "tsd");
	kernel(true, false, true);
	CHECK_STR(letters(choice_best(ATTACH_AUTO)), "kt");
	CHECK_STR(letters(choice_best(ATTACH_FENTRY)), "");
	kernel(false, true, true);
	CHECK_STR(letters(choice_best(ATTACH_AUTO)), "kt");
	kernel(true, false, false);
	CHECK_STR(letters(choice_best(ATTACH_AUTO)), "ts");
	CHECK_STR(letters(choice_best(ATTACH_KPROBE)), "");
	kernel(true, true, false);
	CHECK_STR(letters(choice_best(ATTACH_AUTO)), "ftd");
	kernel(false, false, false);
	CHECK_STR(letters(choice_best(ATTACH_AUTO)), "ts");
	k.casts = true;
	CHECK_STR(letters(choice_best(ATTACH_AUTO)), "tsc");
	CHECK_STR(letters(choice_all(ATTACH_AUTO)), "kts");
	k.pages = true;
	CHECK_STR(letters(choice_best(ATTACH_AUTO)), "tscp");
	CHECK_STR(letters(choice_all(ATTACH_AUTO)), "ktsp");
}

static bool widens(enum attach_mode mode)
{
	struct choice all = choice_all(mode), best = choice_best(mode);

	return choice_can_widen(&best, &all, false);
}

TEST(more_can_be_had)
{
	kernel(true, true, true);
	CHECK(widens(ATTACH_AUTO));
	/* without direct reads, which this kernel may not take after all */
	CHECK(widens(ATTACH_FENTRY));
	kernel(false, true, true);
	CHECK(!widens(ATTACH_KPROBE));
	CHECK(!widens(ATTACH_TRACEPOINT));
	kernel(true, true, false); /* fentry is the best; substitutes may be had */
	CHECK(widens(ATTACH_AUTO));
	kernel(true, false, true); /* kprobes are the best */
	CHECK(widens(ATTACH_AUTO));
	kernel(true, false, false); /* all that can be had is in */
	CHECK(!widens(ATTACH_AUTO));
	CHECK(!widens(ATTACH_KPROBE));
	/* casts are tried without only where no program could be loaded */
	{
		struct choice c = { .casts = true }, all = { 0 };

		CHECK(!choice_can_widen(&c, &all, false));
		CHECK(choice_can_widen(&c, &all, true));
	}
	/* kprobes alone are left, or refused */
	{
		struct choice c = { .fentry = true, .substitutes = true }, all = c;

		all.kprobe = true;
		kernel(true, true, true);
		CHECK(choice_can_widen(&c, &all, false));
		kernel(true, true, false);
		CHECK(!choice_can_widen(&c, &all, false));
		c.kprobe = true;
		kernel(true, true, true);
		CHECK(!choice_can_widen(&c, &all, false));
	}
}

TEST(refusals)
{
	kernel(true, true, true);
	for (int kind = 0; kind < HOOK_KINDS; kind++)
		CHECK(!choice_refusal((enum hook_kind)kind));
	kernel(false, true, false);
	CHECK_STR(choice_refusal(HOOK_FENTRY), "this kernel shows no BTF");
	CHECK_STR(choice_refusal(HOOK_FEXIT), "this kernel shows no BTF");
	CHECK_STR(choice_refusal(HOOK_KPROBE), "no kprobes");
	CHECK_STR(choice_refusal(HOOK_KRETPROBE), "no kprobes");
	CHECK(!choice_refusal(HOOK_RAW_TRACEPOINT) && !choice_refusal(HOOK_TRACEPOINT));
	kernel(true, false, true);
	CHECK_STR(choice_refusal(HOOK_FENTRY), "refused");
}

/* --- the constants ----------------------------------------------------------------- */

static struct source src;

static void load(void)
{
	struct text why = { 0 };

	source_free(&src);
	CHECK_INT(source_load(&src, NULL, &why), 0);
	text_free(&why);
}

/* The number that the sources now have for a constant. */
static const char *constant(const char *name)
{
	static char out[32];
	char want[80];
	const char *p;

	snprintf(want, sizeof(want), "\n#define %s ", name);
	for (size_t i = 0; i < src.n; i++) {
		p = strstr(text_str(&src.parts[i].text), want);
		if (!p)
			continue;
		p += strlen(want);
		snprintf(out, sizeof(out), "%.*s", (int)strcspn(p, " \n"), p);
		return out;
	}
	return "none";
}

static void rewrite(struct choice c, struct config conf, struct ask ask)
{
	struct text why = { 0 };

	load();
	if (!CHECK_INT(choice_rewrite(&src, &c, &conf, &ask, &why), 0))
		CHECK_STR(text_str(&why), "");
	text_free(&why);
}

TEST(constants_of_the_kinds)
{
	static const char *const names[] = { "USE_FENTRY",     "USE_KPROBE",
					     "USE_TRACEPOINT", "USE_SUBSTITUTES",
					     "DIRECT_READS",   "CAST_READS",
					     "PAGES" };

	kernel(true, true, true);
	for (int i = 0; i < 7; i++) {
		rewrite((struct choice){ i == 0, i == 1, i == 2, i == 3, i == 4, i == 5, i == 6 },
			(struct config){ 0 }, (struct ask){ 0 });
		for (int n = 0; n < 7; n++)
			CHECK_STR(constant(names[n]), n == i ? "1" : "0");
	}
	source_free(&src);
}

TEST(constants_of_the_modes)
{
	kernel(true, true, true);
	rewrite((struct choice){ 0 }, (struct config){ 0 }, (struct ask){ 0 });
	CHECK_STR(constant("RATE_LIMIT"), "0");
	CHECK_STR(constant("STATS_ONLY"), "0");
	CHECK_STR(constant("DEBUG_FUNC"), "0");
	CHECK_STR(constant("FILTER_PORT"), "0");
	CHECK_STR(constant("EXTRA"), "0");
	CHECK_STR(constant("FILTER_QUESTION"), "0");
	rewrite((struct choice){ 0 }, (struct config){ .rate = 10000 }, (struct ask){ 0 });
	CHECK_STR(constant("RATE_LIMIT"), "10000");
	CHECK_STR(constant("STATS_ONLY"), "0");
	rewrite((struct choice){ 0 }, (struct config){ .stats = true }, (struct ask){ 0 });
	CHECK_STR(constant("STATS_ONLY"), "1");
	CHECK_STR(constant("DEBUG_FUNC"), "0");
	rewrite((struct choice){ 0 }, (struct config){ .debug_func = true },
		(struct ask){ .port = 65535, .numbers = 2, .filters = true });
	CHECK_STR(constant("DEBUG_FUNC"), "1");
	CHECK_STR(constant("STATS_ONLY"), "0");
	CHECK_STR(constant("FILTER_PORT"), "65535");
	CHECK_STR(constant("EXTRA"), "3");
	CHECK_STR(constant("FILTER_QUESTION"), "1");
	CHECK_STR(constant("FILTER_IP"), "0");
	source_free(&src);
}

/* Only where raw tracepoints are missing is the offset asked for. */
TEST(constant_of_the_tracepoint)
{
	kernel(true, true, true);
	rewrite((struct choice){ 0 }, (struct config){ 0 }, (struct ask){ 0 });
	CHECK_STR(constant("TP_NETIF_RECEIVE_SKB_SKBADDR"), "0");
	k.raw_tracepoints = false;
	rewrite((struct choice){ 0 }, (struct config){ 0 }, (struct ask){ 0 });
	CHECK_STR(constant("TP_NETIF_RECEIVE_SKB_SKBADDR"), "8");
	source_free(&src);
}

TEST(constants_of_an_address)
{
	struct ask ask = { .ip_set = true };
	char want[16], name[] = "FILTER_IP_WORD0";
	uint32_t words[4];

	kernel(true, true, true);
	inet_pton(AF_INET6, "102:304:506:708:90a:b0c:d0e:f01", &ask.ip);
	memcpy(words, &ask.ip, sizeof(words));
	rewrite((struct choice){ 0 }, (struct config){ 0 }, ask);
	CHECK_STR(constant("FILTER_IP"), "1");
	for (int i = 0; i < 4; i++) {
		name[14] = (char)('0' + i);
		snprintf(want, sizeof(want), "%u", words[i]);
		CHECK_STR(constant(name), want);
	}
	CHECK_STR(constant("FILTER_PORT"), "0");
	/* an address that was not asked for is none */
	ask.ip_set = false;
	rewrite((struct choice){ 0 }, (struct config){ 0 }, ask);
	CHECK_STR(constant("FILTER_IP"), "0");
	for (int i = 0; i < 4; i++) {
		name[14] = (char)('0' + i);
		CHECK_STR(constant(name), "0");
	}
	source_free(&src);
}

/* A source without one of the constants is refused, and named. */
TEST(a_constant_that_is_missing)
{
	struct choice c = { 0 };
	struct config conf = { 0 };
	struct ask ask = { 0 };
	struct text why = { 0 };

	kernel(true, true, true);
	load();
	for (size_t i = 0; i < src.n; i++)
		if (!strcmp(src.parts[i].name, "config.h"))
			*strstr(src.parts[i].text.s, "FILTER_PORT 0") = 'X';
	CHECK_INT(choice_rewrite(&src, &c, &conf, &ask, &why), -EINVAL);
	CHECK(strstr(text_str(&why), "'#define FILTER_PORT NUMBER'"));
	text_free(&why);
	source_free(&src);
}
