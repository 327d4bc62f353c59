/* SPDX-License-Identifier: MIT */
/*
 * What truly fires where was counted on Linux 5.10, 6.1 and 6.12 over loopback, veth and
 * NAPI cards; docs/design.md has the table. fentry and raw tracepoints miss nothing;
 * kprobes miss calls under load and come after them.
 */
#include "bpf/stages.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static const struct rule {
	const char *stage;
	enum hook_kind kind;
	const char *target;
	int family;
	const char *shown; /* NULL: the target */
	bool any_suffix;
} rules[] = {
	{ "netif_receive_skb", HOOK_RAW_TRACEPOINT, "netif_receive_skb", FAMILY_BOTH, NULL, false },
	{ "netif_receive_skb", HOOK_TRACEPOINT, "net:netif_receive_skb", FAMILY_BOTH,
	  "netif_receive_skb", false },
	{ "netif_receive_skb", HOOK_KPROBE, "__netif_receive_skb_core", FAMILY_BOTH, NULL, true },

	{ "ip_rcv_finish", HOOK_FENTRY, "ip_local_deliver", FAMILY_IPV4, NULL, false },
	{ "ip_rcv_finish", HOOK_FENTRY, "ip6_input", FAMILY_IPV6, NULL, false },
	{ "ip_rcv_finish", HOOK_KPROBE, "ip_local_deliver", FAMILY_IPV4, NULL, false },
	{ "ip_rcv_finish", HOOK_KPROBE, "ip6_input", FAMILY_IPV6, NULL, false },

	{ "tcp_v4_do_rcv", HOOK_FENTRY, "tcp_v4_do_rcv", FAMILY_IPV4, NULL, false },
	{ "tcp_v4_do_rcv", HOOK_FENTRY, "tcp_v6_do_rcv", FAMILY_IPV6, NULL, false },
	{ "tcp_v4_do_rcv", HOOK_KPROBE, "tcp_v4_do_rcv", FAMILY_IPV4, NULL, false },
	{ "tcp_v4_do_rcv", HOOK_KPROBE, "tcp_v6_do_rcv", FAMILY_IPV6, NULL, false },
	{ "tcp_v4_do_rcv", HOOK_RAW_TRACEPOINT, "tcp_probe", FAMILY_BOTH, "tcp_rcv_established",
	  false },

	{ "tcp_queue_rcv", HOOK_FENTRY, "tcp_queue_rcv", FAMILY_BOTH, NULL, false },
	{ "tcp_queue_rcv", HOOK_KPROBE, "tcp_queue_rcv", FAMILY_BOTH, NULL, false },

	{ "sock_def_readable", HOOK_FENTRY, "sock_def_readable", FAMILY_BOTH, NULL, false },
	{ "sock_def_readable", HOOK_KPROBE, "sock_def_readable", FAMILY_BOTH, NULL, false },
	/* fires in sock_def_readable()'s stand-ins too, so it keeps its own name */
	{ "sock_def_readable", HOOK_RAW_TRACEPOINT, "sk_data_ready", FAMILY_BOTH, NULL, false },
};
#define RULES (sizeof(rules) / sizeof(rules[0]))

static struct stage *stage_named(struct stages *st, const char *name)
{
	struct stage *v;
	int i;

	for (i = 0; i < st->n; i++)
		if (!strcmp(st->v[i].name, name))
			return &st->v[i];
	v = realloc(st->v, (size_t)(st->n + 1) * sizeof(*v));
	if (!v)
		return NULL;
	st->v = v;
	v[st->n] = (struct stage){ .name = name };
	return &v[st->n++];
}

static bool in_table(const struct hook *h)
{
	size_t i;

	for (i = 0; i < RULES; i++)
		if (rules[i].kind == h->kind && !strcmp(rules[i].target, h->target))
			return true;
	return false;
}

/* Two ways to see the same calls: an fentry and a kprobe, an fexit and a kretprobe. */
static bool same_calls(const struct hook *a, const struct hook *b)
{
	static const enum hook_kind other[HOOK_KINDS] = {
		[HOOK_FENTRY] = HOOK_KPROBE,        [HOOK_KPROBE] = HOOK_FENTRY,
		[HOOK_FEXIT] = HOOK_KRETPROBE,      [HOOK_KRETPROBE] = HOOK_FEXIT,
		[HOOK_RAW_TRACEPOINT] = HOOK_KINDS, [HOOK_TRACEPOINT] = HOOK_KINDS,
	};

	return other[a->kind] == b->kind && !strcmp(a->target, b->target);
}

/* A stage for a probe function that the table does not know, or one more hook for the
 * stage of the other way to see its calls: fentry and fexit before the others. */
static int add_own(struct stages *st, const struct hooks *hs, int number, unsigned int kinds)
{
	const struct hook *h = &hs->v[number];
	struct stage_hook sh = { number, FAMILY_BOTH, h->label, true };
	struct stage *s;
	int i;

	if (!(kinds & KIND_BIT(h->kind)))
		sh.hook = -1;
	for (i = 0; i < st->n; i++) {
		s = &st->v[i];
		if (!s->own || s->n != 1 || !same_calls(h, &hs->v[s->v[0].hook]))
			continue;
		if (sh.hook < 0)
			return 0;
		s->v[1] = sh;
		if (h->kind < hs->v[s->v[0].hook].kind) {
			s->v[1] = s->v[0];
			s->v[0] = sh;
		}
		s->n = 2;
		return 0;
	}
	s = realloc(st->v, (size_t)(st->n + 1) * sizeof(*s));
	if (!s)
		return -ENOMEM;
	st->v = s;
	s += st->n++;
	*s = (struct stage){ .name = h->label, .own = true };
	if (sh.hook >= 0)
		s->v[s->n++] = sh;
	return 0;
}

int stages_plan(struct stages *st, const struct hooks *hs, unsigned int kinds)
{
	const struct rule *r;
	struct stage *s;
	size_t i;
	int k;

	for (i = 0; i < RULES; i++) {
		r = &rules[i];
		s = stage_named(st, r->stage);
		if (!s)
			return -ENOMEM;
		k = hooks_find(hs, r->kind, r->target);
		if (k >= 0 && (kinds & KIND_BIT(r->kind)) && s->n < STAGE_MAX_HOOKS)
			s->v[s->n++] = (struct stage_hook){ k, r->family,
							    r->shown ? r->shown : hs->v[k].target,
							    r->any_suffix };
	}
	for (k = 0; k < hs->n; k++)
		if (!hs->v[k].witness && !in_table(&hs->v[k]) && add_own(st, hs, k, kinds))
			return -ENOMEM;
	return 0;
}

void stages_free(struct stages *st)
{
	free(st->v);
	*st = (struct stages){ 0 };
}

int stage_serve(const struct stage *st, int (*try)(void *arg, const struct stage_hook *sh),
		void *arg)
{
	int covered = 0, i;

	for (i = 0; i < st->n; i++)
		if (!(st->v[i].family & covered) && !try(arg, &st->v[i]))
			covered |= st->v[i].family;
	return covered;
}
