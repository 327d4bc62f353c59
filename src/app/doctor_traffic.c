/* SPDX-License-Identifier: MIT */
/*
 * What each hook must give for one connection over the loopback, where every packet is
 * one segment. Of N packets that come in,
 *
 *	netif_receive_skb, ip_local_deliver, ip6_input	all N
 *	tcp_v4_do_rcv, tcp_v6_do_rcv	all but the handshake's third: N - 1
 *	tcp_queue_rcv		those with data or a FIN
 *	sock_def_readable	the same, and once the listener
 *	tcp_probe		at least those with data, at most N
 */
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "app/buffers.h"
#include "app/doctor_parts.h"
#include "base/clock.h"
#include "event/decode.h"

/* Delayed acknowledgements, at most 200 ms, are over by then. */
#define QUIET_US 400000
#define LAST_EVENTS_MS 500

struct count {
	uint64_t events[FAMILIES];
};

struct traffic {
	struct session *s;
	struct count *v; /* one for each hook */
	uint64_t malformed;
};

static bool is_v4(const struct lnk_event *e)
{
	static const __u8 mapped[12] = { [10] = 0xff, [11] = 0xff };

	/* a listener's peer is all zero: its own address tells */
	return !memcmp(e->daddr, mapped, sizeof(mapped));
}

static void on_sample(void *arg, int ring, const void *data, size_t size)
{
	struct traffic *t = arg;
	struct lnk_record e;

	(void)ring;
	if (event_decode(&e, data, size, t->s->hooks.n, t->s->extra)) {
		t->s->account.stray++;
		t->malformed++;
		return;
	}
	t->s->account.v[e.event.hook].received++;
	t->v[e.event.hook].events[is_v4(&e.event) ? V4 : V6]++;
}

static void last_drain(struct traffic *t)
{
	uint64_t until = clock_monotonic_ns() + LAST_EVENTS_MS * NSEC_PER_MSEC;

	do {
		usleep(1000);
		buffers_drain(t->s, 0, on_sample, t);
		session_read_account(t->s);
	} while (account_open_items(&t->s->account) && clock_monotonic_ns() < until);
}

/* --- what must be ------------------------------------------------------------------ */

struct range {
	int from, to;
};

static struct range expected(const char *function, const struct witness *w)
{
	static const struct {
		const char *function;
		enum {
			ALL,
			BUT_THIRD,
			QUEUED,
			WOKEN,
			ESTABLISHED
		} what;
	} rules[] = {
		{ "netif_receive_skb", ALL },
		{ "net:netif_receive_skb", ALL },
		{ "__netif_receive_skb_core", ALL },
		{ "ip_local_deliver", ALL },
		{ "ip6_input", ALL },
		{ "tcp_v4_do_rcv", BUT_THIRD },
		{ "tcp_v6_do_rcv", BUT_THIRD },
		{ "tcp_queue_rcv", QUEUED },
		{ "sock_def_readable", WOKEN },
		{ "sk_data_ready", WOKEN },
		{ "tcp_probe", ESTABLISHED },
	};
	size_t i;

	for (i = 0; i < sizeof(rules) / sizeof(rules[0]); i++) {
		if (strcmp(rules[i].function, function))
			continue;
		switch (rules[i].what) {
		case ALL:
			return (struct range){ w->packets, w->packets };
		case BUT_THIRD:
			return (struct range){ w->packets - 1, w->packets - 1 };
		case QUEUED:
			return (struct range){ w->data, w->data };
		case WOKEN:
			return (struct range){ w->data + 1, w->data + 1 };
		case ESTABLISHED:
			return (struct range){ w->data - 2, w->packets };
		}
	}
	return (struct range){ 1, INT_MAX }; /* a probe of the user's: nobody knows */
}

static bool is_kprobe(const struct hook *h)
{
	return h->kind == HOOK_KPROBE || h->kind == HOOK_KRETPROBE;
}

static void judge(struct report *r, const struct hook *h, enum family f, int got,
		  const struct range *want)
{
	struct text name = { 0 };

	hook_describe(h, &name);
	text_printf(&name, ", %s", family_name[f]);
	if (got >= want->from && got <= want->to)
		report_add(r, VERDICT_OK, name.s, NULL, "%d events%s", got,
			   want->from == want->to ? ", as it must be" : "");
	else if (!got)
		report_add(r, VERDICT_PROBLEM, name.s, "try another --attach",
			   "attached, but it never fired (%d events expected)", want->from);
	else if (got < want->from && is_kprobe(h))
		report_add(r, VERDICT_LIMIT, name.s, NULL, "%d events of %d: kprobes miss calls",
			   got, want->from);
	else
		report_add(r, VERDICT_PROBLEM, name.s, "try another --attach",
			   "%d events and not %d: what it shows is not true", got, want->from);
	text_free(&name);
}

static void judge_hook(struct report *r, const struct traffic *t, const struct visit *v,
		       const struct stage_hook *sh)
{
	static const int bit[FAMILIES] = { [V4] = FAMILY_IPV4, [V6] = FAMILY_IPV6 };
	const struct hook *h = &t->s->hooks.v[sh->hook];
	struct range want;
	int f;

	if (!t->s->shown[sh->hook].shown) /* was not attached */
		return;
	for (f = 0; f < FAMILIES; f++) {
		if (!(sh->family & bit[f]) || v->error[f])
			continue;
		want = v->packet_fd >= 0 && !v->blind ? expected(h->target, &v->seen[f])
						      : (struct range){ 1, INT_MAX };
		judge(r, h, f, (int)t->v[sh->hook].events[f], &want);
	}
}

static void judge_books(struct report *r, const struct traffic *t)
{
	int64_t open = account_open_items(&t->s->account);

	if (open || t->malformed)
		report_add(r, VERDICT_PROBLEM, "books", NULL,
			   "off by %lld, %llu malformed: program error", (long long)open,
			   (unsigned long long)t->malformed);
	else
		report_add(r, VERDICT_OK, "books", NULL, "exact: the sums agree");
}

/* --- the connections --------------------------------------------------------------- */

static void make_connections(struct report *r, struct visit *v)
{
	int f;

	for (f = 0; f < FAMILIES; f++) {
		if (v->error[f]) {
			report_add(r, VERDICT_NOTE, family_name[f], NULL,
				   "not tried: no loopback address (%s)", strerror(-v->error[f]));
			continue;
		}
		v->error[f] = visit_make(v, f);
		if (v->error[f])
			report_add(r, VERDICT_LIMIT, family_name[f],
				   "look at: ip address show dev lo, and at the firewall",
				   "the connection failed, so nothing was compared: %s",
				   strerror(-v->error[f]));
	}
}

static void tell_witness(struct report *r, const struct visit *v)
{
	int f;

	if (v->packet_fd < 0)
		report_add(r, VERDICT_NOTE, "witness", NULL,
			   "no packet socket (CAP_NET_RAW): counts are not compared");
	else if (v->blind)
		report_add(r, VERDICT_NOTE, "witness", "try again when lo is less busy",
			   "lost packets: counts are not compared");
	for (f = 0; f < FAMILIES && v->packet_fd >= 0 && !v->blind; f++)
		if (!v->error[f])
			report_add(r, VERDICT_OK, family_name[f], NULL,
				   "%d packets, %d with data/FIN", v->seen[f].packets,
				   v->seen[f].data);
}

void doctor_check_traffic(struct report *r, struct session *s, struct visit *v)
{
	struct traffic t = { .s = s };
	int i, k;

	r->group = "a connection over the loopback";
	t.v = calloc((size_t)s->hooks.n + 1, sizeof(*t.v));
	if (!t.v) {
		r->incomplete = true;
		return;
	}
	make_connections(r, v);
	usleep(QUIET_US);
	visit_look(v);
	session_detach(s);
	last_drain(&t);
	tell_witness(r, v);
	for (i = 0; i < s->stages.n; i++)
		for (k = 0; k < s->stages.v[i].n; k++)
			judge_hook(r, &t, v, &s->stages.v[i].v[k]);
	judge_books(r, &t);
	free(t.v);
}
