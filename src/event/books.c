/* SPDX-License-Identifier: MIT */
#include "event/books.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define STAGE_WIDTH 28
#define BLOCK_STAGE_WIDTH 20 /* a block fits on 80 columns */

static void line(const char *name, const struct tally *t, struct text *out)
{
	const struct lnk_counters *k = &t->kernel;
	const uint64_t cells[] = { k->seen,     k->filtered,  k->limited, k->lost,
				   t->received, t->malformed, t->printed };
	size_t i;
	char missed[24];

	/* "?": this kernel does not count them; "N+": it counts only some */
	if (!t->missed_unknown)
		snprintf(missed, sizeof(missed), "%" PRIu64, t->missed);
	else if (t->missed)
		snprintf(missed, sizeof(missed), "%" PRIu64 "+", t->missed);
	else
		snprintf(missed, sizeof(missed), "?");
	text_printf(out, "%-*s", STAGE_WIDTH, name);
	for (i = 0; i < sizeof(cells) / sizeof(cells[0]); i++)
		text_printf(out, " %12" PRIu64, cells[i]);
	text_printf(out, " %12s\n", missed);
}

static void balance(const struct account *a, const struct tally *sum, struct text *out)
{
	int64_t open = account_open_items(a);
	int i;

	text_printf(out,
		    "Calls without a row: %" PRIu64 " not TCP, %" PRIu64
		    " fragments without a TCP header, %" PRIu64 " with a header out of reach\n",
		    (uint64_t)sum->kernel.other, (uint64_t)sum->kernel.fragment,
		    (uint64_t)sum->kernel.unreadable);
	if (a->stray)
		text_printf(out, "Malformed events of no known hook: %" PRIu64 "\n", a->stray);
	if (a->stats_only)
		return;
	for (i = 0; i < a->n && !open; i++) /* a stray event leaves a gap, never a surplus */
		if (account_open_of(&a->v[i]) < 0)
			open = account_open_of(&a->v[i]);
	if (!open)
		text_puts(out, "seen = filtered + limited + lost + received: exact\n");
	else
		text_printf(out,
			    "seen = filtered + limited + lost + received: OFF BY %" PRId64
			    " (an error of this program)\n",
			    open);
}

void books_closing(const struct account *a, const struct books_line *lines, int n, struct text *out)
{
	struct tally sum = account_total(a);
	int i;

	text_printf(out,
		    "\nMonitoring Statistics:\nTotal events processed: %" PRIu64
		    "\nError count: %" PRIu64 "\n\n",
		    account_events(a), account_errors(a));
	text_printf(out, "%-*s %12s %12s %12s %12s %12s %12s %12s %12s\n", STAGE_WIDTH, "STAGE",
		    "SEEN", "FILTERED", "LIMITED", "LOST", "RECEIVED", "MALFORMED", "PRINTED",
		    "MISSED");
	for (i = 0; i < n; i++)
		if (lines[i].served)
			line(lines[i].stage, &lines[i].tally, out);
	line("total", &sum, out);
	balance(a, &sum, out);
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
		if (!lines[i].served)
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
