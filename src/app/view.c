/* SPDX-License-Identifier: MIT */
#include "app/view.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "sink/interfaces.h"
#include "sink/namespaces.h"
#include "sink/resolver.h"
#include "sink/services.h"

/* How often it is looked for namespaces. */
#define NAMESPACES_NS NSEC_PER_SEC

static const enum time_kind time_kind[TIME_MODE_NR] = {
	[TIME_MODE_WALL] = TIME_KIND_WALL,   [TIME_MODE_MONO] = TIME_KIND_MONO,
	[TIME_MODE_START] = TIME_KIND_START, [TIME_MODE_DELTA] = TIME_KIND_DELTA,
	[TIME_MODE_ISO] = TIME_KIND_ISO,     [TIME_MODE_EPOCH] = TIME_KIND_EPOCH,
};

/* -d takes a slot, too. */
static int check_slots(const struct view *v, const struct config *conf, struct text *why)
{
	int room = LNK_MAX_EXTRA - conf->debug_func, want = v->columns.nfields;

	if (want <= room)
		return 0;
	text_printf(why, "the columns need %d numbers beside those of every row; %d can be had",
		    want, room);
	return -EINVAL;
}

int view_parse(struct view *v, const struct config *conf, struct text *why)
{
	struct text reason = { 0 };
	const char *option = "--col";
	int err = 0;

	*v = (struct view){
		.wide = conf->wide,
		.table = { .columns = &v->columns, .time = time_kind[conf->time], .utc = conf->utc }
	};
	for (int i = 0; !err && i < conf->col.n; i++)
		err = columns_add(&v->columns, conf->col.v[i], &reason);
	if (!err) {
		option = "-o";
		err = columns_parse(&v->columns, conf->columns, &reason);
	}
	if (!err)
		err = check_slots(v, conf, &reason);
	if (err)
		text_printf(why, "%s: %s", option, text_str(&reason));
	text_free(&reason);
	return err;
}

/* Of the terminal's user: see no-color.org. */
static bool wants_color(void)
{
	const char *no = getenv("NO_COLOR"), *term = getenv("TERM");

	return !(no && *no) && term && strcmp(term, "dumb") != 0;
}

/* Names are a help: without them there are numbers. */
static void say(const char *what, int err)
{
	if (err)
		log_error("the names of %s cannot be had: %s", what, strerror(-err));
}

void view_open(struct view *v, const struct config *conf)
{
	bool ifname = columns_have(&v->columns, "ifname");
	struct table_view *t = &v->table;

	if (conf->stats)
		return;
	if (ifname)
		say("network interfaces", interfaces_open(&t->interfaces));
	if (ifname || columns_have(&v->columns, "netns"))
		say("network namespaces", namespaces_open(&t->namespaces, NAMESPACES_DIR));
	if (!conf->resolve)
		return;
	say("ports", services_open(&t->services, SERVICES_FILE));
	if (conf->console || columns_have(&v->columns, "src") || columns_have(&v->columns, "dst"))
		say("hosts", resolver_open(&t->resolver));
}

void view_refresh(struct view *v, uint64_t now_ns)
{
	if (v->table.interfaces)
		interfaces_refresh(v->table.interfaces);
	if (v->table.resolver)
		resolver_refresh(v->table.resolver, now_ns);
	if (!v->table.namespaces || now_ns < v->refreshed_ns + NAMESPACES_NS)
		return;
	v->refreshed_ns = now_ns;
	namespaces_refresh(v->table.namespaces);
}

void view_begin(struct view *v, const struct config *conf, bool tty)
{
	v->table.start_ns = clock_monotonic_ns();
	v->ncollected = v->columns.nfields;
	memcpy(v->collected, v->columns.field, sizeof(v->collected));
	v->table.color =
		conf->color == COLOR_ALWAYS || (conf->color == COLOR_AUTO && tty && wants_color());
}

/* --- other columns, while it runs --------------------------------------------------- */

static int collected_slot(const struct view *v, const char *name)
{
	for (int i = 0; i < v->ncollected; i++)
		if (!strcmp(v->collected[i].name, name))
			return v->collected[i].slot;
	return -1;
}

/* The column that shows field number `field`. */
static const char *shown_by(const struct column_list *l, int field)
{
	for (int i = 0; i < l->n; i++)
		if (l->v[i].field[0] == field || l->v[i].field[1] == field)
			return columns_name(l, i);
	return l->field[field].name;
}

static int parse_again(struct view *v, const struct config *conf, const char *list,
		       struct text *why)
{
	struct column_list *l = &v->columns;
	int err = 0;

	*l = (struct column_list){ 0 };
	for (int i = 0; !err && i < conf->col.n; i++)
		err = columns_add(l, conf->col.v[i], why);
	if (!err)
		err = columns_parse(l, list, why);
	for (int i = 0; !err && i < l->nfields; i++) {
		l->field[i].slot = collected_slot(v, l->field[i].name);
		if (l->field[i].slot >= 0)
			continue;
		text_printf(why,
			    "the column '%s' needs a number that is not collected: name it with -o "
			    "at the start",
			    shown_by(l, i));
		err = -EINVAL;
	}
	return err;
}

/* Table and numbers point into the list, so it is made anew in its place. */
int view_change_columns(struct view *v, const struct config *conf, const char *list,
			struct table **t, const struct table_hook *hooks, int n, struct text *why)
{
	struct column_list *old = malloc(sizeof(*old));
	struct table *made = NULL;
	int err;

	if (!old)
		return -ENOMEM;
	*old = v->columns;
	err = parse_again(v, conf, list, why);
	if (!err)
		err = table_open(&made, hooks, n, conf->debug_func, &v->table);
	if (err) {
		columns_free(&v->columns);
		v->columns = *old;
	} else {
		table_close(*t);
		*t = made;
		columns_free(old);
	}
	free(old);
	return err;
}

void view_close(struct view *v)
{
	interfaces_close(v->table.interfaces);
	namespaces_close(v->table.namespaces);
	resolver_close(v->table.resolver);
	services_close(v->table.services);
	columns_free(&v->columns);
}
