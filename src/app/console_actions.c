/* SPDX-License-Identifier: MIT */
/* What the commands do, and the table of them all. */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "app/ask.h"
#include "app/console.h"
#include "app/console_command.h"
#include "app/console_source.h"
#include "base/clock.h"
#include "conf/changes.h"
#include "event/books.h"

static uint64_t paused_rows(const struct console_host *h)
{
	struct tally sum;

	h->read_books(h->loop);
	sum = account_total(&h->session->account);
	return sum.paused;
}

static int run_help(const struct console_call *c)
{
	const struct console_command *command = NULL;

	if (*c->arg) {
		command = console_find(c->arg, strlen(c->arg), c->why);
		if (!command)
			return -EINVAL;
	}
	console_help(command, c->width, c->out);
	return 0;
}

static void show_end(const struct config *conf, struct text *out)
{
	if (conf->count)
		text_printf(out, "End: after %" PRIu64 " %s\n", conf->count,
			    conf->stats ? "events" : "rows");
	if (conf->duration_ns)
		text_printf(out, "End: after %g s\n", (double)conf->duration_ns / 1e9);
}

static void show_blocks(const struct console_host *h, struct text *out)
{
	const struct config *conf = h->session->conf;

	text_printf(out, "Blocks of statistics: every %g s", (double)conf->interval_ns / 1e9);
	if (conf->interval_count)
		text_printf(out, ", %" PRIu64 " to come", conf->interval_count - h->blocks);
	text_printf(out, "; now %s\n", h->paused ? "paused" : "shown");
}

static void show_looks(const struct console_host *h, struct text *out)
{
	const struct config *conf = h->session->conf;
	struct text file = { 0 };

	text_puts(out, "Columns: ");
	for (int i = 0; i < h->view->columns->n; i++)
		text_printf(out, "%s%s", i ? "," : "", columns_name(h->view->columns, i));
	text_puts(out, "\n");
	for (int i = 0; i < conf->col.n; i++) {
		text_puts(out, "Column of your own: ");
		text_add_escaped(out, conf->col.v[i], strlen(conf->col.v[i]), false);
		text_puts(out, "\n");
	}
	text_printf(out, "Time: %s%s\n", time_mode_name[conf->time], conf->utc ? ", UTC" : "");
	if (conf->color != COLOR_AUTO)
		text_printf(out, "Colours: %s\n", color_mode_name[conf->color]);
	if (conf->wide)
		text_puts(out, "Width: every column, however narrow the terminal\n");
	h->describe_tee(h->loop, &file);
	if (file.len)
		text_printf(out, "Rows go to a file as well: %s\n", file.s);
	text_free(&file);
}

static int run_show(const struct console_call *c)
{
	const struct config *conf = c->host->session->conf;
	size_t before = c->out->len;
	struct text what = { 0 };
	struct tally sum;

	c->host->read_books(c->host->loop);
	sum = account_total(&c->host->session->account);
	ask_describe(conf, c->out);
	if (c->out->len == before)
		text_puts(c->out, "No address, port or expression is filtered for\n");
	if (c->host->is_asked(c->host->loop, &what))
		text_printf(c->out, "Being built: %s\n", what.len ? what.s : "the same options");
	text_free(&what);
	show_end(conf, c->out);
	if (conf->stats) {
		show_blocks(c->host, c->out);
		return 0;
	}
	show_looks(c->host, c->out);
	if (conf->rate)
		text_printf(c->out, "Rate: at most %" PRIu64 " events a second\n", conf->rate);
	else
		text_puts(c->out, "Rate: no limit\n");
	text_printf(c->out,
		    "Rows: %" PRIu64 " printed, %" PRIu64 " not shown while paused; now %s\n",
		    sum.printed, sum.paused, c->host->paused ? "paused" : "shown");
	return 0;
}

static int run_stats(const struct console_call *c)
{
	struct session *s = c->host->session;
	int err = c->host->read_books(c->host->loop);

	if (err) {
		text_printf(c->why, "the kernel's counters cannot be read: %s", strerror(-err));
		return -EINVAL;
	}
	books_so_far(&s->account, s->lines, s->lines_n, c->out);
	return 0;
}

static void add_stage(const struct session *s, int i, struct text *out)
{
	const struct stage *st = &s->stages.v[i];
	const struct hook *hook;
	int n = 0;

	text_printf(out, "Stage %s: ", st->name);
	for (int k = 0; k < st->n; k++) {
		hook = &s->hooks.v[st->v[k].hook];
		if (hook->link_fd < 0)
			continue;
		text_puts(out, n++ ? ", " : "");
		hook_describe(hook, out);
		if (st->v[k].family != FAMILY_BOTH)
			text_puts(out, st->v[k].family == FAMILY_IPV4 ? " (IPv4)" : " (IPv6)");
		if (strcmp(st->v[k].shown, hook->target) != 0 && hook->kind != HOOK_TRACEPOINT)
			text_printf(out, ", shown as %s", st->v[k].shown);
	}
	text_puts(out, n ? "\n" : "none\n");
}

static int run_stages(const struct console_call *c)
{
	const struct session *s = c->host->session;
	int found = 0;

	for (int i = 0; i < s->stages.n; i++) {
		if (*c->arg && strcmp(c->arg, s->stages.v[i].name) != 0)
			continue;
		add_stage(s, i, c->out);
		found++;
	}
	if (found)
		return 0;
	text_puts(c->why, "no stage is called '");
	text_add_escaped(c->why, c->arg, strnlen(c->arg, 60), false);
	text_puts(c->why, "'; 'stages' lists them");
	return -EINVAL;
}

static int run_source(const struct console_call *c)
{
	return console_source(c->host->session, c->arg, c->out, c->why);
}

static int run_pause(const struct console_call *c)
{
	if (c->host->paused) {
		text_puts(c->why, "paused already");
		return -EINVAL;
	}
	c->host->paused = true;
	c->host->paused_was = paused_rows(c->host);
	text_puts(c->out, c->host->session->conf->stats
				  ? "Paused: counting goes on, no block is shown\n"
				  : "Paused: rows are counted and not shown until 'resume'\n");
	return 0;
}

static int run_resume(const struct console_call *c)
{
	if (!c->host->paused) {
		text_puts(c->why, "not paused");
		return -EINVAL;
	}
	c->host->paused = false;
	if (c->host->session->conf->stats)
		text_puts(c->out, "Resumed\n");
	else
		text_printf(c->out, "Resumed: %" PRIu64 " rows were not shown\n",
			    paused_rows(c->host) - c->host->paused_was);
	return 0;
}

static int run_mark(const struct console_call *c)
{
	struct clock_stamp stamp = { .utc = c->host->session->conf->utc };
	uint64_t now = clock_monotonic_ns() + (uint64_t)clock_wall_offset_ns();
	char when[CLOCK_STAMP_LEN];
	struct text line = { 0 };

	text_puts(&line, "--- ");
	text_add(&line, when, (size_t)(clock_stamp(&stamp, now, when) - when));
	text_puts(&line, " ");
	text_add_escaped(&line, c->arg, strlen(c->arg), false);
	text_puts(&line, "\n");
	c->host->mark(c->host->loop, text_str(&line), line.len);
	text_free(&line);
	return 0;
}

static int run_tee(const struct console_call *c)
{
	struct text file = { 0 };

	if (!*c->arg && !c->host->session->conf->stats) {
		c->host->describe_tee(c->host->loop, &file);
		text_printf(c->out, "tee: %s\n", file.len ? file.s : "off");
		text_free(&file);
		return 0;
	}
	return c->host->tee(c->host->loop, c->arg, c->out, c->why);
}

/* --- options ----------------------------------------------------------------------- */

static int give(const struct console_call *c, const char *option, const char *value)
{
	if (!*value)
		return changes_show(c->host->session->conf, option, c->out, c->why);
	return c->host->change(c->host->loop, option, value, c->out, c->why);
}

/* A command that is called like its option. */
static int run_option(const struct console_call *c)
{
	return give(c, c->name, c->arg);
}

static int run_set(const struct console_call *c)
{
	size_t len = strcspn(c->arg, " \t=");
	char option[64] = "";
	const char *name;

	for (int i = 0; !len && (name = changes_option(i)); i++)
		changes_show(c->host->session->conf, name, c->out, c->why);
	if (!len)
		return 0;
	/* a name that is too long is no option's either */
	memcpy(option, c->arg, len < sizeof(option) ? len : sizeof(option) - 1);
	return give(c, option, c->arg + len + strspn(c->arg + len, " \t="));
}

static int run_reload(const struct console_call *c)
{
	return c->host->reload(c->host->loop, c->out, c->why);
}

static int run_quit(const struct console_call *c)
{
	c->host->quit = true;
	return 0;
}

#define ANEW                                                                                       \
	"What needs another program in the kernel is compiled while the one that runs goes on; "   \
	"it takes its place when it is attached, and a line says so. 'any' takes the filter away."

const struct console_command console_table[] = {
	{ "help", TAKES_COMMAND, "[COMMAND]", "list the commands, or explain one", NULL, run_help },
	{ "show", TAKES_NOTHING, NULL, "what is in force: filters, looks, ends, rate, pause", NULL,
	  run_show },
	{ "ip", TAKES_VALUE, "[ADDR[/LEN]]", "other addresses in the place of -i, or show them",
	  "A list as -i has it; '+ADDR' adds to it. " ANEW, run_option },
	{ "port", TAKES_VALUE, "[PORTS]", "other ports in the place of -p, or show them",
	  "A list as -p has it; '+PORTS' adds to it. " ANEW, run_option },
	{ "filter", TAKES_VALUE, "[EXPR]", "another tcpdump expression, or show it", ANEW,
	  run_option },
	{ "where", TAKES_VALUE, "[EXPR]", "another C expression for --where, or show it", ANEW,
	  run_option },
	{ "columns", TAKES_VALUE, "[LIST]", "other columns: a list as -o has it, or show it",
	  "NAME,NAME... or +NAME,-NAME..., which is added to the usual eight and taken out of "
	  "them; 'default' are the usual ones. At once where their numbers are collected, else by "
	  "another program.",
	  run_option },
	{ "interval", TAKES_VALUE, "[SEC [COUNT]]",
	  "with -s, another interval and count; or show them",
	  "From now on a block comes every SEC seconds, and the monitor ends after COUNT more of "
	  "them; without COUNT it goes on.",
	  run_option },
	{ "rate", TAKES_VALUE, "[N]", "at most N events a second, 0: no limit; or show it", NULL,
	  run_option },
	{ "set", TAKES_SETTING, "[OPTION [VALUE]]", "give any of these options anew, or show them",
	  NULL, run_set },
	{ "reload", TAKES_NOTHING, NULL, "build the probes anew from the files on disk",
	  "The program that runs goes on until the new one is attached, and for good if it cannot "
	  "be built.",
	  run_reload },
	{ "stats", TAKES_NOTHING, NULL, "the books so far",
	  "Counted for each stage since the start, as at the end. What is in the rings at this "
	  "moment is told apart.",
	  run_stats },
	{ "stages", TAKES_STAGE, "[STAGE]", "which hooks serve the stages, or one", NULL,
	  run_stages },
	{ "source", TAKES_STAGE, "[STAGE]", "the source that was compiled, or a stage's files",
	  "As --dump-source prints it, with the filters and numbers of the program that runs.",
	  run_source },
	{ "pause", TAKES_NOTHING, NULL, "show no rows until 'resume'",
	  "Nothing is held back: rows that come meanwhile are counted as PAUSED, and never shown. "
	  "-c does not count them. With -s no block is shown, and counting goes on.",
	  run_pause },
	{ "resume", TAKES_NOTHING, NULL, "show rows again, and say how many were not", NULL,
	  run_resume },
	{ "mark", TAKES_TEXT, "TEXT", "a line with the time and this text among the rows",
	  "It begins with \"--- \". It is written to where rows go, also during a pause.",
	  run_mark },
	{ "tee", TAKES_VALUE, "[FILE|off]", "write rows to a file as well, or no more",
	  "A file that is not there is made, for its user alone; to one of our own that nobody "
	  "else can write, and that is empty or begins with a table, rows are added; no link is "
	  "followed. Every column is written, without colours. A write that fails ends it, and a "
	  "line says how many rows are in the file.",
	  run_tee },
	{ "quit", TAKES_NOTHING, NULL, "end, as Ctrl-D does", NULL, run_quit },
};
const int console_commands = sizeof(console_table) / sizeof(console_table[0]);
