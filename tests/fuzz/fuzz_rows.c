/* SPDX-License-Identifier: MIT */
/* From the samples of two rings to rows: decode, merge, table. */
#include "fuzz.h"

#include <arpa/inet.h>

#include "event/decode.h"
#include "event/merge.h"
#include "sink/table.h"

#define RINGS 2
#define HOOKS 3

struct rows {
	struct table *table;
	struct text out;
	int64_t offset;
	uint64_t last; /* time of the row before, within one turn */
	uint64_t horizon;
	size_t n;
};

static void on_event(void *arg, const struct lnk_record *e)
{
	struct rows *r = arg;
	size_t before = r->out.len;

	REQUIRE(e->event.hook < HOOKS && e->event.time_ns);
	REQUIRE(e->event.time_ns >= r->last);
	REQUIRE(e->event.time_ns < r->horizon || r->horizon == UINT64_MAX);
	r->last = e->event.time_ns;
	r->n++;
	table_row(r->table, e, r->offset, &r->out);
	REQUIRE(r->out.len > before && r->out.s[r->out.len - 1] == '\n');
	REQUIRE(is_safe_text(r->out.s + before, r->out.len - before, true));
	if (r->out.len > 100000)
		text_reset(&r->out);
}

static void symbol_at(uint64_t address, struct text *out)
{
	text_printf(out, "\033f+%u", (unsigned int)address & 0xff);
}

static void take(struct merge *m, struct rows *r, uint64_t horizon)
{
	r->last = 0;
	r->horizon = horizon;
	merge_take(m, horizon, on_event, r);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct table_hook hooks[HOOKS] = {
		{ .shown = "tcp_v4_do_rcv",
		  .kind = "kprobe",
		  .symbol = "tcp_v4_do_rcv",
		  .address = 0xffffffff81000000 },
		{ .shown = "a_function_with_a_name_that_is_too_long_for_its_column",
		  .kind = "fentry",
		  .symbol = "f" },
		{ .shown = "g", .kind = "kprobe", .symbol = "g\033[2J", .address = 1 },
	};
	struct input in = { data, size };
	unsigned int flags = (unsigned int)take_number(&in, 1), how;
	struct rows r = { .offset = (int64_t)take_number(&in, 8) };
	struct lnk_record *e;
	struct merge *m = NULL;
	size_t added = 0, len;
	uint8_t *bytes;

	REQUIRE(!table_open(&r.table, hooks, HOOKS, flags & 1, NULL));
	table_set_symboliser(r.table, flags & 2 ? symbol_at : NULL);
	table_header(r.table, &r.out);
	REQUIRE(!merge_open(&m, RINGS, flags & 1));
	while (in.left) {
		how = (unsigned int)take_number(&in, 1);
		if (how == 255) {
			take(m, &r, take_number(&in, 8));
			continue;
		}
		bytes = take_bytes(&in, how & 0x40 ? how & 0x3f : LNK_RECORD_SIZE(1), &len);
		e = merge_room(m, how & 1);
		REQUIRE(e);
		if (!event_decode(e, bytes, len, HOOKS, flags & 1)) {
			merge_put(m, how & 1);
			added++;
		}
		free(bytes);
	}
	take(m, &r, UINT64_MAX);
	REQUIRE(r.n <= added);
	merge_close(m);
	table_close(r.table);
	text_free(&r.out);
	return 0;
}
