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
	if (columns_have(&v->columns, "src") || columns_have(&v->columns, "dst"))
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
	v->table.color =
		conf->color == COLOR_ALWAYS || (conf->color == COLOR_AUTO && tty && wants_color());
}

void view_close(struct view *v)
{
	interfaces_close(v->table.interfaces);
	namespaces_close(v->table.namespaces);
	resolver_close(v->table.resolver);
	services_close(v->table.services);
	columns_free(&v->columns);
}
