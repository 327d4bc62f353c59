/* SPDX-License-Identifier: MIT */
#include "unit.h"

#include <stdlib.h>
#include <string.h>

#include "bpf/embedded.h"
#include "bpf/stages.h"

#define KINDS_ALL ((1u << HOOK_KINDS) - 1)
#define KINDS_KPROBE (KIND_BIT(HOOK_KPROBE) | KIND_BIT(HOOK_KRETPROBE))
#define KINDS_FENTRY (KIND_BIT(HOOK_FENTRY) | KIND_BIT(HOOK_FEXIT))
#define KINDS_TRACEPOINT (KIND_BIT(HOOK_RAW_TRACEPOINT) | KIND_BIT(HOOK_TRACEPOINT))

static struct hooks hooks;
static struct stages stages;

/* The probes of the tree, and `more`. */
static void plan(const char *more, unsigned int kinds)
{
	struct text why = { 0 };

	for (int i = 0; embedded_files[i].name; i++)
		if (strchr(embedded_files[i].name, '.')[1] == 'c')
			CHECK_INT(hooks_scan(&hooks, embedded_files[i].name, embedded_files[i].text,
					     &why),
				  0);
	CHECK_INT(hooks_scan(&hooks, "more.c", more, &why), 0);
	CHECK_INT(stages_plan(&stages, &hooks, kinds), 0);
	text_free(&why);
}

static void done(void)
{
	stages_free(&stages);
	CHECK_INT(stages.n, 0);
	stages_free(&stages);
	hooks_free(&hooks);
}

/* "kprobe a(4), fentry b(46)": hooks and families of a stage in order. */
static const char *hooks_of(const char *name)
{
	static struct text out;
	const struct stage *s = NULL;

	text_reset(&out);
	for (int i = 0; i < stages.n; i++)
		if (!strcmp(stages.v[i].name, name))
			s = &stages.v[i];
	if (!s)
		return "no such stage";
	for (int i = 0; i < s->n; i++) {
		text_puts(&out, i ? ", " : "");
		hook_describe(&hooks.v[s->v[i].hook], &out);
		text_printf(&out, "(%s%s)", s->v[i].family & FAMILY_IPV4 ? "4" : "",
			    s->v[i].family & FAMILY_IPV6 ? "6" : "");
		if (strcmp(s->v[i].shown, hooks.v[s->v[i].hook].target))
			text_printf(&out, " as %s", s->v[i].shown);
		text_puts(&out, s->v[i].any_suffix ? " any suffix" : "");
	}
	return text_str(&out);
}

TEST(the_five_in_the_order_of_the_path)
{
	static const char *const want[] = { "netif_receive_skb", "ip_rcv_finish", "tcp_v4_do_rcv",
					    "tcp_queue_rcv", "sock_def_readable" };

	plan("", KINDS_ALL);
	CHECK_INT(stages.n, 5);
	for (int i = 0; i < 5 && i < stages.n; i++) {
		CHECK_STR(stages.v[i].name, want[i]);
		CHECK(!stages.v[i].own);
	}
	CHECK_STR(hooks_of("netif_receive_skb"),
		  "raw tracepoint netif_receive_skb(46), "
		  "tracepoint net:netif_receive_skb(46) as netif_receive_skb, "
		  "kprobe __netif_receive_skb_core(46) any suffix");
	CHECK_STR(hooks_of("ip_rcv_finish"),
		  "fentry ip_local_deliver(4), fentry ip6_input(6), kprobe ip_local_deliver(4), "
		  "kprobe ip6_input(6)");
	CHECK_STR(hooks_of("tcp_v4_do_rcv"),
		  "fentry tcp_v4_do_rcv(4), fentry tcp_v6_do_rcv(6), kprobe tcp_v4_do_rcv(4), "
		  "kprobe tcp_v6_do_rcv(6), raw tracepoint tcp_probe(46) as tcp_rcv_established");
	CHECK_STR(hooks_of("tcp_queue_rcv"), "fentry tcp_queue_rcv(46), kprobe tcp_queue_rcv(46)");
	CHECK_STR(hooks_of("sock_def_readable"),
		  "fentry sock_def_readable(46), kprobe sock_def_readable(46), "
		  "raw tracepoint sk_data_ready(46)");
	done();
}

TEST(kinds_that_may_not_be_used)
{
	plan("int kprobe__own(void *c) { }\n", KINDS_KPROBE);
	CHECK_INT(stages.n, 6);
	CHECK_STR(hooks_of("netif_receive_skb"), "kprobe __netif_receive_skb_core(46) any suffix");
	CHECK_STR(hooks_of("tcp_v4_do_rcv"), "kprobe tcp_v4_do_rcv(4), kprobe tcp_v6_do_rcv(6)");
	CHECK_STR(hooks_of("own"), "kprobe own(46) any suffix");
	done();
	plan("int kprobe__own(void *c) { }\n", KINDS_FENTRY);
	CHECK_STR(hooks_of("netif_receive_skb"), "");
	CHECK_STR(hooks_of("tcp_queue_rcv"), "fentry tcp_queue_rcv(46)");
	CHECK_STR(hooks_of("own"), "");
	done();
	plan("", KINDS_TRACEPOINT);
	CHECK_STR(hooks_of("ip_rcv_finish"), "");
	CHECK_STR(hooks_of("tcp_v4_do_rcv"), "raw tracepoint tcp_probe(46) as tcp_rcv_established");
	done();
	plan("", 0);
	CHECK_INT(stages.n, 5);
	CHECK_STR(hooks_of("sock_def_readable"), "");
	done();
}

/* What the table does not know is a stage under its own name, after the five. */
TEST(stages_of_their_own)
{
	plan("int kprobe__tcp_ack(void *c) { }\n"
	     "int kretprobe__tcp_v4_do_rcv(void *c) { }\n"
	     "TRACEPOINT_PROBE(tcp, tcp_retransmit_skb) { }\n"
	     "RAW_TRACEPOINT_PROBE(kfree_skb) { }\n",
	     KINDS_ALL);
	CHECK_INT(stages.n, 9);
	if (stages.n == 9) {
		CHECK_STR(stages.v[5].name, "tcp_ack");
		CHECK_STR(stages.v[6].name, "tcp_v4_do_rcv return");
		CHECK_STR(stages.v[7].name, "tcp:tcp_retransmit_skb");
		CHECK_STR(stages.v[8].name, "kfree_skb");
		for (int i = 5; i < 9; i++) {
			CHECK(stages.v[i].own);
			CHECK_INT(stages.v[i].n, 1);
		}
		CHECK_INT(hooks.v[stages.v[6].v[0].hook].kind, HOOK_KRETPROBE);
	}
	CHECK_STR(hooks_of("tcp_ack"), "kprobe tcp_ack(46) any suffix");
	CHECK_STR(hooks_of("kfree_skb"), "raw tracepoint kfree_skb(46) any suffix");
	done();
}

/* An fentry and a kprobe of one function are one stage: each call makes one row. */
TEST(two_ways_to_see_the_same_calls)
{
	plan("int kprobe__tcp_ack(void *c) { }\n"
	     "KFUNC_PROBE(tcp_ack, struct sock *sk) { }\n"
	     "KRETFUNC_PROBE(tcp_ack, struct sock *sk, int ret) { }\n"
	     "int kretprobe__tcp_ack(void *c) { }\n"
	     "RAW_TRACEPOINT_PROBE(tcp_ack_event) { }\n",
	     KINDS_ALL);
	CHECK_INT(stages.n, 8);
	CHECK_STR(hooks_of("tcp_ack"),
		  "fentry tcp_ack(46) any suffix, kprobe tcp_ack(46) any suffix");
	CHECK_STR(hooks_of("tcp_ack return"), "fexit tcp_ack(46) as tcp_ack return any suffix, "
					      "kretprobe tcp_ack(46) as tcp_ack return any suffix");
	done();
	plan("int kprobe__tcp_ack(void *c) { }\nKFUNC_PROBE(tcp_ack, struct sock *sk) { }\n",
	     KINDS_FENTRY);
	CHECK_STR(hooks_of("tcp_ack"), "fentry tcp_ack(46) any suffix");
	done();
}

/* The stages stay when every probe is gone. */
TEST(no_hooks)
{
	struct hooks none = { 0 };

	CHECK_INT(stages_plan(&stages, &none, KINDS_ALL), 0);
	CHECK_INT(stages.n, 5);
	for (int i = 0; i < stages.n; i++)
		CHECK_INT(stages.v[i].n, 0);
	stages_free(&stages);
}

TEST(as_many_as_there_can_be)
{
	struct text t = { 0 };

	for (int i = 0; i < LNK_MAX_HOOKS - 17; i++)
		text_printf(&t, "int kprobe__f%d(void *c) { }\n", i);
	plan(text_str(&t), KINDS_ALL);
	CHECK_INT(hooks.n, LNK_MAX_HOOKS);
	CHECK_INT(stages.n, 5 + LNK_MAX_HOOKS - 17);
	CHECK_STR(stages.v[5].name, "f0");
	CHECK_STR(stages.v[stages.n - 1].name, "f110");
	done();
	text_free(&t);
}

/* --- serving: tries what is in `fails` in vain ------------------------------------- */

struct serving {
	const char *fails; /* one digit for each place in the stage that does not attach */
	struct text tried; /* in order, a place in brackets has not attached */
	const struct stage *stage;
};

static int try_place(void *arg, const struct stage_hook *sh)
{
	struct serving *sv = arg;
	char place = (char)('0' + (sh - sv->stage->v));
	bool fail = strchr(sv->fails, place);

	text_printf(&sv->tried, fail ? "(%c)" : "%c", place);
	return fail ? -1 : 0;
}

static int serve(const struct stage *st, const char *fails, const char *tried)
{
	struct serving sv = { .fails = fails, .stage = st };
	int covered = stage_serve(st, try_place, &sv);

	CHECK_STR(text_str(&sv.tried), tried);
	text_free(&sv.tried);
	return covered;
}

TEST(serving_goes_on_until_both_families_are_covered)
{
	const struct stage *st;

	plan("", KINDS_ALL);
	st = &stages.v[2]; /* fentry 4, fentry 6, kprobe 4, kprobe 6, raw tracepoint both */
	CHECK_INT(serve(st, "", "01"), FAMILY_BOTH);
	CHECK_INT(serve(st, "0", "(0)12"), FAMILY_BOTH);
	CHECK_INT(serve(st, "1", "0(1)3"), FAMILY_BOTH);
	CHECK_INT(serve(st, "01", "(0)(1)23"), FAMILY_BOTH);
	CHECK_INT(serve(st, "0123", "(0)(1)(2)(3)4"), FAMILY_BOTH);
	CHECK_INT(serve(st, "01234", "(0)(1)(2)(3)(4)"), 0);
	/* one that sees both would show the covered family twice */
	CHECK_INT(serve(st, "13", "0(1)(3)"), FAMILY_IPV4);
	CHECK_INT(serve(st, "02", "(0)1(2)"), FAMILY_IPV6);
	st = &stages.v[0]; /* three that see both */
	CHECK_INT(serve(st, "", "0"), FAMILY_BOTH);
	CHECK_INT(serve(st, "0", "(0)1"), FAMILY_BOTH);
	CHECK_INT(serve(st, "01", "(0)(1)2"), FAMILY_BOTH);
	CHECK_INT(serve(st, "012", "(0)(1)(2)"), 0);
	done();
}
