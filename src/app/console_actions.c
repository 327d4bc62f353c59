/* SPDX-License-Identifier: MIT */
/* What the commands do, and the table of them all. */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "app/ask.h"
#include "app/console.h"
#include "app/console_command.h"
#include "base/clock.h"
#include "event/books.h"

static uint64_t paused_rows(const struct console_host *h)
{
	struct tally sum;

	h->read_books(h->loop);
	sum = account_total(&h->session->account);
	return sum.paused;
}

static int run_help(struct console_host *h, const char *arg, struct text *out, struct text *why)
{
	const struct console_command *c = NULL;

	(void)h;
	if (*arg) {
		c = console_find(arg, strlen(arg), why);
		if (!c)
			return -EINVAL;
	}
	console_help(c, out);
	return 0;
}

static int run_show(struct console_host *h, const char *arg, struct text *out, struct text *why)
{
	const struct config *conf = h->session->conf;
	size_t before = out->len;
	struct tally sum;

	(void)arg;
	(void)why;
	h->read_books(h->loop);
	sum = account_total(&h->session->account);
	ask_describe(conf, out);
	if (out->len == before)
		text_puts(out, "No address, port or expression is filtered for\n");
	if (conf->stats) {
		text_printf(out, "Blocks of statistics every %g s, %s\n",
			    (double)conf->interval_ns / 1e9, h->paused ? "paused" : "shown");
		return 0;
	}
	text_puts(out, "Columns: ");
	for (int i = 0; i < h->view->columns.n; i++)
		text_printf(out, "%s%s", i ? "," : "", columns_name(&h->view->columns, i));
	text_printf(out, "\nTime: %s%s\n", time_mode_name[conf->time], conf->utc ? ", UTC" : "");
	if (conf->rate)
		text_printf(out, "Rate: at most %" PRIu64 " events a second\n", conf->rate);
	else
		text_puts(out, "Rate: no limit\n");
	text_printf(out, "Rows: %" PRIu64 " printed, %" PRIu64 " not shown while paused; now %s\n",
		    sum.printed, sum.paused, h->paused ? "paused" : "shown");
	return 0;
}

static int run_stats(struct console_host *h, const char *arg, struct text *out, struct text *why)
{
	struct session *s = h->session;
	int err = h->read_books(h->loop);

	(void)arg;
	if (err) {
		text_printf(why, "the kernel's counters cannot be read: %s", strerror(-err));
		return -EINVAL;
	}
	books_so_far(&s->account, s->lines, s->lines_n, out);
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

static int run_stages(struct console_host *h, const char *arg, struct text *out, struct text *why)
{
	const struct session *s = h->session;
	int found = 0;

	for (int i = 0; i < s->stages.n; i++) {
		if (*arg && strcmp(arg, s->stages.v[i].name) != 0)
			continue;
		add_stage(s, i, out);
		found++;
	}
	if (found)
		return 0;
	text_puts(why, "no stage is called '");
	text_add_escaped(why, arg, strnlen(arg, 60), false);
	text_puts(why, "'; 'stages' lists them");
	return -EINVAL;
}

static int run_pause(struct console_host *h, const char *arg, struct text *out, struct text *why)
{
	(void)arg;
	if (h->paused) {
		text_puts(why, "paused already");
		return -EINVAL;
	}
	h->paused = true;
	h->paused_was = paused_rows(h);
	text_puts(out, h->session->conf->stats
			       ? "Paused: counting goes on, no block is shown\n"
			       : "Paused: rows are counted and not shown until 'resume'\n");
	return 0;
}

static int run_resume(struct console_host *h, const char *arg, struct text *out, struct text *why)
{
	(void)arg;
	if (!h->paused) {
		text_puts(why, "not paused");
		return -EINVAL;
	}
	h->paused = false;
	if (h->session->conf->stats)
		text_puts(out, "Resumed\n");
	else
		text_printf(out, "Resumed: %" PRIu64 " rows were not shown\n",
			    paused_rows(h) - h->paused_was);
	return 0;
}

static int run_mark(struct console_host *h, const char *arg, struct text *out, struct text *why)
{
	struct clock_stamp stamp = { .utc = h->session->conf->utc };
	uint64_t now = clock_monotonic_ns() + (uint64_t)clock_wall_offset_ns();
	struct text *rows = &h->out->buf;

	(void)out;
	(void)why;
	text_printf(rows, "--- %s ", clock_stamp(&stamp, now));
	text_add_escaped(rows, arg, strlen(arg), false);
	text_puts(rows, "\n");
	return 0;
}

static int run_columns(struct console_host *h, const char *arg, struct text *out, struct text *why)
{
	struct session *s = h->session;
	int err;

	(void)out;
	if (s->conf->stats) {
		text_puts(why, "there are no columns with -s");
		return -EINVAL;
	}
	err = view_change_columns(h->view, s->conf, arg, h->table, s->shown, s->hooks.n, why);
	if (err == -ENOMEM)
		text_puts(why, strerror(ENOMEM));
	h->new_table = !err;
	return err;
}

static int run_quit(struct console_host *h, const char *arg, struct text *out, struct text *why)
{
	(void)arg;
	(void)out;
	(void)why;
	h->quit = true;
	return 0;
}

const struct console_command console_table[] = {
	{ "help", TAKES_COMMAND, "[COMMAND]", "list the commands, or explain one", NULL, run_help },
	{ "show", TAKES_NOTHING, NULL, "what is set: filters, columns, rate, pause", NULL,
	  run_show },
	{ "stats", TAKES_NOTHING, NULL, "the books so far",
	  "Counted for each stage since the start, as at the end. What is in the rings at this "
	  "moment is told apart.",
	  run_stats },
	{ "stages", TAKES_STAGE, "[STAGE]", "which hooks serve the stages, or one", NULL,
	  run_stages },
	{ "pause", TAKES_NOTHING, NULL, "show no rows until 'resume'",
	  "Nothing is held back: rows that come meanwhile are counted as PAUSED, and never shown. "
	  "-c does not count them. With -s no block is shown, and counting goes on.",
	  run_pause },
	{ "resume", TAKES_NOTHING, NULL, "show rows again, and say how many were not", NULL,
	  run_resume },
	{ "mark", TAKES_TEXT, "TEXT", "a line with the time and this text among the rows",
	  "It begins with \"--- \". It is written to where rows go, also during a pause.",
	  run_mark },
	{ "columns", TAKES_COLUMNS, "LIST", "other columns: a list as -o has it",
	  "NAME,NAME... or +NAME,-NAME..., which is added to the usual eight and taken out of "
	  "them. Columns whose numbers were not collected from the start cannot be had: that "
	  "needs another program in the kernel.",
	  run_columns },
	{ "quit", TAKES_NOTHING, NULL, "end, as Ctrl-D does", NULL, run_quit },
};
const int console_commands = sizeof(console_table) / sizeof(console_table[0]);
