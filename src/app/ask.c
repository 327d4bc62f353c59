/* SPDX-License-Identifier: MIT */
#include "app/ask.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "app/cgroups.h"
#include "app/nets.h"
#include "conf/filter_value.h"

/* The simplest filters are what they always were: numbers written into config.h. */
static void take_constants(struct ask *a, struct question *q)
{
	struct prefixes *ips = &q->addresses[SIDE_ANY];
	struct port_ranges *ports = &q->ports[SIDE_ANY];

	if (ips->n == 1 && ips->v[0].length == 128) {
		a->ip_set = true;
		a->ip = ips->v[0].address;
		ips->n = 0;
	}
	if (ports->n == 1 && ports->v[0].from == ports->v[0].to) {
		a->port = ports->v[0].from;
		ports->n = 0;
	}
}

/* The slot behind -d's instruction pointer is the first that is free. */
static int take_columns(struct question *q, struct column_list *l, bool debug, struct text *why)
{
	int i;

	q->first_number = debug;
	for (i = 0; i < l->nfields; i++) {
		if (q->first_number + q->nnumbers == LNK_MAX_EXTRA) {
			text_printf(why, "the columns need more than %d numbers of the probes",
				    LNK_MAX_EXTRA);
			return -EINVAL;
		}
		l->field[i].slot = q->first_number + q->nnumbers;
		q->numbers[q->nnumbers++] = (struct asked_number){
			.expression = l->field[i].expr ? l->field[i].expr : l->field[i].name,
			.where = l->field[i].expr ? l->field[i].name : NULL,
		};
	}
	return 0;
}

static void take_lists(struct question *q, const struct config *conf)
{
	memcpy(q->addresses, conf->addresses, sizeof(q->addresses));
	memcpy(q->ports, conf->ports, sizeof(q->ports));
	q->family = conf->ipv4 ? 4 : conf->ipv6 ? 6 : 0;
	q->flags_on = conf->flags.on;
	q->flags_off = conf->flags.off;
	q->len_set = conf->len.set;
	q->len_min = conf->len.min;
	q->len_max = conf->len.max;
	q->pcap = conf->filter;
	q->where = conf->where;
}

int ask_parse(struct ask *a, const struct config *conf, struct column_list *columns,
	      struct text *why, struct text *note)
{
	struct question *q = calloc(1, sizeof(*q));
	int err;

	*a = (struct ask){ .ip_set = false };
	if (!q)
		return -ENOMEM;
	take_lists(q, conf);
	q->owner = config_asks_owner(conf);
	q->owners = columns_have(columns, "pid") || columns_have(columns, "comm");
	take_constants(a, q);
	err = take_columns(q, columns, conf->debug_func, why);
	if (!err)
		err = nets_find(q, conf, why);
	if (!err)
		err = cgroups_find(q, conf, why);
	if (!err)
		err = question_emit(q, &a->c, why, note);
	a->filters = question_filters(q);
	a->owners = q->owner || q->owners;
	a->numbers = q->nnumbers;
	a->netns = q->netns;
	free(q);
	return err;
}

void ask_free(struct ask *a)
{
	text_free(&a->c);
}

/* --- in words ---------------------------------------------------------------------- */

static const char *const side_word[SIDES] = { "", "source ", "destination " };

static void describe_addresses(const struct prefixes *l, enum side side, struct text *out)
{
	if (!l->n)
		return;
	text_printf(out, "Filtering for %sIP: ", side_word[side]);
	prefixes_format(l, out);
	text_puts(out, "\n");
}

static void describe_ports(const struct port_ranges *l, enum side side, struct text *out)
{
	if (!l->n)
		return;
	text_printf(out, "Filtering for %sPort: ", side_word[side]);
	ports_format(l, out);
	text_puts(out, "\n");
}

static void describe_text(const char *what, const char *s, struct text *out)
{
	if (!s)
		return;
	text_printf(out, "Filtering %s: ", what);
	text_add_escaped(out, s, strlen(s), false);
	text_puts(out, "\n");
}

/* In whole, with what stands at its ends: messages count its columns. */
static void quote_whole(const char *s, struct text *out)
{
	text_puts(out, "'");
	text_add_escaped(out, s, strlen(s), false);
	text_puts(out, "'");
}

static void describe_expression(const char *what, const char *s, struct text *out)
{
	if (!s)
		return;
	text_printf(out, "Filtering with %s: ", what);
	quote_whole(s, out);
	text_puts(out, "\n");
}

static void describe_flags(const struct tcp_flags *f, struct text *out)
{
	if (!(f->on | f->off))
		return;
	text_puts(out, "Filtering for TCP flags: ");
	tcp_flags_format(f, out);
	text_puts(out, "\n");
}

static void describe_length(const struct lengths *l, struct text *out)
{
	if (!l->set)
		return;
	text_printf(out, "Filtering for payload: %" PRIu32, l->min);
	if (l->max == UINT32_MAX)
		text_puts(out, " bytes and more\n");
	else if (l->max > l->min)
		text_printf(out, " to %" PRIu32 " bytes\n", l->max);
	else
		text_puts(out, " bytes\n");
}

void ask_describe(const struct config *conf, struct text *out)
{
	int i;

	for (i = 0; i < SIDES; i++)
		describe_addresses(&conf->addresses[i], (enum side)i, out);
	for (i = 0; i < SIDES; i++)
		describe_ports(&conf->ports[i], (enum side)i, out);
	if (conf->ipv4 || conf->ipv6)
		text_printf(out, "Filtering for IPv%d\n", conf->ipv4 ? 4 : 6);
	describe_flags(&conf->flags, out);
	describe_length(&conf->len, out);
	for (i = 0; i < conf->interfaces.n; i++)
		describe_text("for interface", conf->interfaces.v[i], out);
	describe_text("for network namespace", conf->netns, out);
	for (i = 0; i < conf->cgroups.n; i++)
		describe_text("for cgroup", conf->cgroups.v[i], out);
	if (conf->pids.n) {
		text_puts(out, "Filtering for process: ");
		pids_format(&conf->pids, out);
		text_puts(out, "\n");
	}
	for (i = 0; i < conf->comms.n; i++)
		describe_text("for process name", conf->comms.v[i], out);
	describe_expression("--where", conf->where, out);
	describe_expression("the expression", conf->filter, out);
}

void ask_quote(const struct config *conf, const char *error, struct text *out)
{
	const char *quoted = NULL;
	struct text place = { 0 };
	int i, name;

	if (conf->where && !strncmp(error, "--where:", 8))
		quoted = conf->where;
	for (i = 0; i < conf->col.n && !quoted; i++) {
		name = (int)strcspn(conf->col.v[i], "=");
		text_reset(&place);
		text_printf(&place, "--col %.*s:", name, conf->col.v[i]);
		if (!strncmp(error, text_str(&place), place.len))
			quoted = conf->col.v[i] + name + 1;
	}
	if (quoted) {
		text_puts(out, ", in ");
		quote_whole(quoted, out);
	}
	text_free(&place);
}
