/* SPDX-License-Identifier: MIT */
#include "event/books.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BLOCK_STAGE_WIDTH 20 /* a block fits on 80 columns */

/* --- the closing table: as narrow as its figures, so that it fits on 80 columns as a rule */

#define CELLS 11
#define CELL_MAX 24

static const char *const heading[CELLS] = { "SEEN",     "FILTERED",  "LIMITED", "LOST",
					    "RECEIVED", "MALFORMED", "PRINTED", "MISSED",
					    "OTHERS",   "UNKNOWN",   "PAUSED" };
#define MISSED_CELL 7
#define OTHERS_CELL 8
#define UNKNOWN_CELL 9
#define PAUSED_CELL 10

struct table_line {
	const char *name;
	char cell[CELLS][CELL_MAX];
};

static void make_line(struct table_line *l, const char *name, const struct tally *t)
{
	const struct lnk_counters *k = &t->kernel;
	const uint64_t v[CELLS] = { k->seen,     k->filtered,  k->limited, k->lost,
				    t->received, t->malformed, t->printed, t->missed,
				    t->others,   t->unknown,   t->paused };
	size_t i;

	l->name = name;
	for (i = 0; i < CELLS; i++)
		snprintf(l->cell[i], CELL_MAX, "%" PRIu64, v[i]);
	/* "?": this kernel does not count them; "N+": it counts only some */
	if (t->missed_unknown)
		snprintf(l->cell[MISSED_CELL], CELL_MAX, t->missed ? "%" PRIu64 "+" : "?",
			 t->missed);
}

/* Each line's cells that are in `shown`, by bits. */
static void print_lines(const struct table_line *l, int n, unsigned int shown, struct text *out)
{
	int width[CELLS], stage = (int)strlen("STAGE"), i, k;

	for (k = 0; k < CELLS; k++)
		width[k] = (int)strlen(heading[k]);
	for (i = 0; i < n; i++) {
		if ((int)strlen(l[i].name) > stage)
			stage = (int)strlen(l[i].name);
		for (k = 0; k < CELLS; k++)
			if ((int)strlen(l[i].cell[k]) > width[k])
				width[k] = (int)strlen(l[i].cell[k]);
	}
	text_printf(out, "%-*s", stage, "STAGE");
	for (k = 0; k < CELLS; k++)
		if (shown >> k & 1)
			text_printf(out, " %*s", width[k], heading[k]);
	text_puts(out, "\n");
	for (i = 0; i < n; i++) {
		text_printf(out, "%-*s", stage, l[i].name);
		for (k = 0; k < CELLS; k++)
			if (shown >> k & 1)
				text_printf(out, " %*s", width[k], l[i].cell[k]);
		text_puts(out, "\n");
	}
}

static void balance(const struct account *a, const struct tally *sum, bool running,
		    struct text *out)
{
	int64_t open = account_open_items(a);
	int i;

	text_printf(out,
		    "Calls without a row: %" PRIu64 " not TCP, %" PRIu64 " fragments, %" PRIu64
		    " out of reach\n",
		    (uint64_t)sum->kernel.other, (uint64_t)sum->kernel.fragment,
		    (uint64_t)sum->kernel.unreadable);
	if (a->owners)
		text_printf(out,
			    "Of FILTERED: %" PRIu64
			    " of sockets without a file (not accepted yet, or closed)\n",
			    (uint64_t)sum->kernel.ownerless);
	if (a->stray)
		text_printf(out, "Malformed events of no known hook: %" PRIu64 "\n", a->stray);
	if (a->stats_only)
		return;
	for (i = 0; i < a->n && !open; i++) /* a stray event leaves a gap, never a surplus */
		if (account_open_of(&a->v[i]) < 0)
			open = account_open_of(&a->v[i]);
	for (i = 0; i < a->retired_n && !open; i++)
		if (account_open_of(&a->retired[i].tally) < 0)
			open = account_open_of(&a->retired[i].tally);
	if (!open)
		text_puts(out, "seen = filtered + limited + lost + received: exact\n");
	else if (running && open > 0)
		text_printf(out,
			    "seen = filtered + limited + lost + received + %" PRId64
			    " that are on their way\n",
			    open);
	else
		text_printf(out,
			    "seen = filtered + limited + lost + received: OFF BY %" PRId64
			    " (program error)\n",
			    open);
}

/* Only who asked for processes, or paused, has the last columns. */
static unsigned int shown_cells(const struct account *a, const struct tally *sum)
{
	unsigned int shown = (1U << OTHERS_CELL) - 1;

	if (a->owners || sum->others || sum->unknown)
		shown |= 1U << OTHERS_CELL | 1U << UNKNOWN_CELL;
	if (sum->paused)
		shown |= 1U << PAUSED_CELL;
	return shown;
}

static void books(const struct account *a, const struct books_line *lines, int n, bool running,
		  struct text *out)
{
	struct tally sum = account_total(a);
	struct table_line *table;
	int i, count = 0;

	text_printf(out, "Total events processed: %" PRIu64 "\nError count: %" PRIu64 "\n\n",
		    account_events(a), account_errors(a));
	table = calloc((size_t)n + 1, sizeof(*table));
	for (i = 0; i < n && table; i++)
		if (lines[i].served)
			make_line(&table[count++], lines[i].stage, &lines[i].tally);
	if (table) {
		make_line(&table[count++], "total", &sum);
		print_lines(table, count, shown_cells(a, &sum), out);
	}
	free(table);
	balance(a, &sum, running, out);
}

void books_closing(const struct account *a, const struct books_line *lines, int n, struct text *out)
{
	text_puts(out, "\nMonitoring Statistics:\n");
	books(a, lines, n, false, out);
}

void books_so_far(const struct account *a, const struct books_line *lines, int n, struct text *out)
{
	books(a, lines, n, true, out);
}

int books_block(const struct account *a, const struct books_line *lines,
		const struct books_line *before, int n, uint64_t interval_ns, struct text *out)
{
	double seconds = (double)interval_ns / 1e9;
	uint64_t events, last, bytes;
	int i, count = 2;

	text_printf(out, "Processed %" PRIu64 " events, %" PRIu64 " errors\n", account_events(a),
		    account_errors(a));
	text_printf(out, "%-*s %12s %11s %15s %14s\n", BLOCK_STAGE_WIDTH, "STAGE", "EVENTS",
		    "EVENTS/S", "BYTES", "BYTES/S");
	for (i = 0; i < n; i++) {
		if (!lines[i].served || lines[i].gone)
			continue;
		events = lines[i].tally.kernel.seen - lines[i].tally.kernel.filtered;
		last = before[i].tally.kernel.seen - before[i].tally.kernel.filtered;
		bytes = lines[i].tally.kernel.bytes;
		text_printf(out, "%-*s %12" PRIu64 " %11.1f", BLOCK_STAGE_WIDTH, lines[i].stage,
			    events, (double)(events - last) / seconds);
		if (lines[i].has_bytes)
			text_printf(out, " %15" PRIu64 " %14.1f\n", bytes,
				    (double)(bytes - before[i].tally.kernel.bytes) / seconds);
		else
			text_printf(out, " %15s %14s\n", "-", "-");
		count++;
	}
	return count;
}
