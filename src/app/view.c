/* SPDX-License-Identifier: MIT */
#include "app/view.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "app/processes.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/privileges.h"
#include "bpf/names.h"
#include "sink/interfaces.h"
#include "sink/namespaces.h"
#include "sink/owners.h"
#include "sink/owners_process.h"
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
static int check_slots(const struct column_list *l, const struct config *conf, struct text *why)
{
	int room = LNK_MAX_EXTRA - conf->debug_func, want = l->nfields;

	if (want <= room)
		return 0;
	text_printf(why, "the columns need %d numbers beside those of every row; %d can be had",
		    want, room);
	return -EINVAL;
}

/* In an expression a name would mean the number. */
static int check_names(const struct column_list *l, struct text *why)
{
	for (int i = 0; i < l->users; i++) {
		if (!probe_name_find(l->user[i].name))
			continue;
		text_printf(why, "'%s': expressions have a name like this already",
			    l->user[i].name);
		return -EINVAL;
	}
	return 0;
}

int view_columns(struct column_list *l, const struct config *conf, struct text *why)
{
	struct text reason = { 0 };
	const char *option = "--col";
	int err = 0;

	for (int i = 0; !err && i < conf->col.n; i++)
		err = columns_add(l, conf->col.v[i], &reason);
	if (!err)
		err = check_names(l, &reason);
	if (!err) {
		option = "-o";
		err = columns_parse(l, conf->columns, &reason);
	}
	if (!err && config_asks_owner(conf))
		columns_need(l, "inode");
	if (!err)
		err = check_slots(l, conf, &reason);
	if (err)
		text_printf(why, "%s: %s", option, text_str(&reason));
	text_free(&reason);
	return err;
}

static void set_looks(struct table_view *t, const struct config *conf)
{
	t->time = time_kind[conf->time];
	t->utc = conf->utc;
}

int view_parse(struct view *v, const struct config *conf, struct text *why)
{
	*v = (struct view){ .wide = conf->wide, .columns = calloc(1, sizeof(*v->columns)) };
	if (!v->columns) {
		text_puts(why, strerror(ENOMEM));
		return -ENOMEM;
	}
	v->table.columns = v->columns;
	set_looks(&v->table, conf);
	return view_columns(v->columns, conf, why);
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

/* Without it --pid could show nothing. */
static int open_owners(struct view *v, const struct config *conf)
{
	struct table_view *t = &v->table;
	struct owners_filter filter;
	int err;

	err = owners_open(&t->owners);
	if (err && config_asks_owner(conf)) {
		log_error("the process that finds out who has a socket cannot be made: %s",
			  strerror(-err));
		return err;
	}
	say("processes", err);
	v->owners_limited = !err && !privileges_have(OWNERS_CAPABILITIES);
	if (!err && config_asks_owner(conf)) {
		processes_filter(&filter, conf);
		owners_set_filter(t->owners, &filter, clock_monotonic_ns());
	}
	return 0;
}

bool view_needs_owners(struct view *v, const struct config *conf)
{
	bool needs =
		v->table.owners && (config_asks_owner(conf) || columns_have(v->columns, "pid") ||
				    columns_have(v->columns, "comm"));

	if (needs && v->owners_limited)
		log_info("without CAP_SYS_PTRACE and CAP_DAC_READ_SEARCH only this user's "
			 "processes are known as owners of sockets");
	if (needs)
		v->owners_limited = false; /* said once */
	return needs;
}

int view_open(struct view *v, const struct config *conf)
{
	/* with a console they may be asked for later, and Tab knows them */
	bool owners = columns_have(v->columns, "pid") || columns_have(v->columns, "comm");
	bool ifname = conf->console || columns_have(v->columns, "ifname");
	struct table_view *t = &v->table;
	int err = 0;

	if (ifname || columns_have(v->columns, "netns") || conf->netns)
		say("network namespaces", namespaces_open(&t->namespaces, NAMESPACES_DIR));
	if (conf->stats && !conf->console)
		return 0;
	if (ifname)
		say("network interfaces", interfaces_open(&t->interfaces));
	if (conf->console || owners || config_asks_owner(conf))
		err = open_owners(v, conf);
	if (err || !conf->resolve)
		return err;
	say("ports", services_open(&t->services, SERVICES_FILE));
	if (conf->console || columns_have(v->columns, "src") || columns_have(v->columns, "dst"))
		say("hosts", resolver_open(&t->resolver));
	return 0;
}

void view_refresh(struct view *v, uint64_t now_ns)
{
	if (v->table.interfaces)
		interfaces_refresh(v->table.interfaces);
	if (v->table.owners)
		owners_refresh(v->table.owners, now_ns);
	if (v->table.resolver)
		resolver_refresh(v->table.resolver, now_ns);
	if (!v->table.namespaces || now_ns < v->refreshed_ns + NAMESPACES_NS)
		return;
	v->refreshed_ns = now_ns;
	namespaces_refresh(v->table.namespaces);
}

static bool has_color(const struct view *v, const struct config *conf)
{
	return conf->color == COLOR_ALWAYS ||
	       (conf->color == COLOR_AUTO && v->tty && wants_color());
}

void view_begin(struct view *v, const struct config *conf, bool tty)
{
	v->tty = tty;
	v->table.start_ns = clock_monotonic_ns();
	v->table.color = has_color(v, conf);
}

/* --- another look, while it runs ----------------------------------------------------- */

static bool same_columns(const struct column_list *a, const struct column_list *b)
{
	if (a->n != b->n)
		return false;
	for (int i = 0; i < a->n; i++)
		if (a->v[i].column != b->v[i].column ||
		    strcmp(columns_name(a, i), columns_name(b, i)) != 0 ||
		    (!a->v[i].column &&
		     (a->user[a->v[i].user].format != b->user[b->v[i].user].format ||
		      strcmp(a->user[a->v[i].user].expr, b->user[b->v[i].user].expr) != 0)))
			return false;
	return true;
}

int view_prepare(const struct view *v, struct view_change *change, const struct config *conf,
		 const struct collected *collected, const struct table_hook *hooks, int n,
		 struct text *why)
{
	int err;

	*change = (struct view_change){ .looks = v->table, .wide = conf->wide };
	change->columns = calloc(1, sizeof(*change->columns));
	err = change->columns ? view_columns(change->columns, conf, why) : -ENOMEM;
	if (!err && collected_assign(collected, change->columns))
		err = -ENODATA;
	if (!err) {
		change->looks.columns = change->columns;
		set_looks(&change->looks, conf);
		change->looks.color = has_color(v, conf);
		if (!same_columns(v->columns, change->columns) ||
		    change->looks.time != v->table.time || change->looks.utc != v->table.utc ||
		    change->looks.color != v->table.color || change->wide != v->wide)
			err = table_open(&change->table, hooks, n, conf->debug_func,
					 &change->looks);
	}
	if (err)
		view_forget(change);
	return err;
}

bool view_adopt(struct view *v, struct view_change *change, struct table **t)
{
	bool fresh = change->table;

	if (fresh) { /* a table has pointers into its list of columns */
		table_close(*t);
		*t = change->table;
		columns_free(v->columns);
		free(v->columns);
		v->columns = change->columns;
		v->table = change->looks;
		v->wide = change->wide;
		*change = (struct view_change){ 0 };
	} else {
		table_set_slots(*t, change->columns);
		for (int i = 0; i < v->columns->nfields; i++)
			v->columns->field[i].slot = change->columns->field[i].slot;
		view_forget(change);
	}
	return fresh;
}

void view_forget(struct view_change *change)
{
	table_close(change->table);
	if (change->columns)
		columns_free(change->columns);
	free(change->columns);
	*change = (struct view_change){ 0 };
}

void view_close(struct view *v)
{
	interfaces_close(v->table.interfaces);
	namespaces_close(v->table.namespaces);
	owners_close(v->table.owners);
	resolver_close(v->table.resolver);
	services_close(v->table.services);
	if (v->columns)
		columns_free(v->columns);
	free(v->columns);
	v->columns = NULL;
}
