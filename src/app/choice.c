/* SPDX-License-Identifier: MIT */
#include "app/choice.h"

#include "app/buffers.h"
#include "bpf/cpus.h"
#include "bpf/kernel.h"
#include "bpf/pages.h"
#include "bpf/rewrite.h"
#include "bpf/stages.h"

#define FENTRY_KINDS (KIND_BIT(HOOK_FENTRY) | KIND_BIT(HOOK_FEXIT))
#define KPROBE_KINDS (KIND_BIT(HOOK_KPROBE) | KIND_BIT(HOOK_KRETPROBE))
#define TRACEPOINT_KINDS (KIND_BIT(HOOK_RAW_TRACEPOINT) | KIND_BIT(HOOK_TRACEPOINT))

unsigned int choice_kinds(enum attach_mode mode)
{
	switch (mode) {
	case ATTACH_FENTRY:
		return FENTRY_KINDS;
	case ATTACH_KPROBE:
		return KPROBE_KINDS;
	case ATTACH_TRACEPOINT:
		return TRACEPOINT_KINDS;
	case ATTACH_AUTO:
	case ATTACH_NR:
		break;
	}
	return FENTRY_KINDS | KPROBE_KINDS | TRACEPOINT_KINDS;
}

struct choice choice_all(enum attach_mode mode)
{
	unsigned int kinds = choice_kinds(mode);
	const char *why;

	return (struct choice){
		.fentry = (kinds & FENTRY_KINDS) && kernel_has_btf(),
		.kprobe = kinds & KPROBE_KINDS,
		.tracepoint = kinds & TRACEPOINT_KINDS,
		.substitutes = kinds & TRACEPOINT_KINDS,
		.pages = pages_known(&why),
	};
}

struct choice choice_best(enum attach_mode mode)
{
	struct choice c = choice_all(mode);

	c.fentry = c.fentry && !choice_refusal(HOOK_FENTRY);
	c.kprobe = c.kprobe && !c.fentry && !choice_refusal(HOOK_KPROBE);
	c.substitutes = c.tracepoint && !c.fentry && !c.kprobe;
	c.direct = !choice_refusal(HOOK_FENTRY);
	c.casts = kernel_has_casts();
	return c;
}

bool choice_can_widen(const struct choice *c, const struct choice *all, bool none)
{
	return (all->kprobe && !c->kprobe && !choice_refusal(HOOK_KPROBE)) ||
	       (all->substitutes && !c->substitutes) || c->direct || (c->casts && none);
}

const char *choice_refusal(enum hook_kind kind)
{
	switch (kind) {
	case HOOK_FENTRY:
	case HOOK_FEXIT:
		if (!kernel_has_btf())
			return "this kernel shows no BTF";
		return kernel_tracing_refusal();
	case HOOK_KPROBE:
	case HOOK_KRETPROBE:
		return kernel_kprobe_refusal();
	case HOOK_RAW_TRACEPOINT:
	case HOOK_TRACEPOINT:
	case HOOK_KINDS:
		break;
	}
	return NULL;
}

static int rewrite_filter(struct source *src, const struct ask *ask, struct text *why)
{
	static const char *const words[] = { "FILTER_IP_WORD0", "FILTER_IP_WORD1",
					     "FILTER_IP_WORD2", "FILTER_IP_WORD3" };
	int i, err;

	err = rewrite_constant(src, "FILTER_IP", ask->ip_set, why);
	for (i = 0; i < 4 && !err; i++)
		err = rewrite_constant(src, words[i], ask->ip_set ? ask->ip.s6_addr32[i] : 0, why);
	if (!err)
		err = rewrite_constant(src, "FILTER_PORT", ask->port, why);
	return err;
}

int choice_rewrite(struct source *src, const struct choice *c, const struct config *conf,
		   const struct ask *ask, struct text *why)
{
	const struct {
		const char *name;
		uint64_t value;
	} constants[] = {
		{ "USE_FENTRY", c->fentry },
		{ "USE_KPROBE", c->kprobe },
		{ "USE_TRACEPOINT", c->tracepoint },
		{ "USE_SUBSTITUTES", c->substitutes },
		{ "DIRECT_READS", c->direct },
		{ "CAST_READS", c->casts },
		{ "PAGES", c->pages },
		{ "RATE_LIMIT", conf->rate },
		{ "KERNEL_HZ", kernel_hz() },
		{ "STATS_ONLY", conf->stats },
		{ "RING_SLOTS", buffers_slots(conf) },
		{ "RING_CPUS", (uint64_t)cpus_possible() },
		{ "DEBUG_FUNC", conf->debug_func },
		{ "EXTRA", (uint64_t)conf->debug_func + (uint64_t)ask->numbers },
		{ "FILTER_QUESTION", ask->filters },
		{ "TP_NETIF_RECEIVE_SKB_SKBADDR",
		  kernel_has_raw_tracepoints()
			  ? 0
			  : kernel_tracepoint_offset("net", "netif_receive_skb", "skbaddr") },
	};
	size_t i;
	int err = 0;

	for (i = 0; i < sizeof(constants) / sizeof(constants[0]) && !err; i++)
		err = rewrite_constant(src, constants[i].name, constants[i].value, why);
	return err ? err : rewrite_filter(src, ask, why);
}
