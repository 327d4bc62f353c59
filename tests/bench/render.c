// SPDX-License-Identifier: MIT
/*
 * render: how fast recorded events become rows of the table, on one processor. Events as
 * a load of round trips makes them, of 1000 flows, 500 ns apart, go through table_row()
 * and in pieces of 64 KB to /dev/null.
 *
 *	render [SECONDS [FLOWS]]
 *
 * Prints one line: rows per second.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "event/decode.h"
#include "sink/table.h"

#define FLOWS 1000 /* as a rule */
#define PIECE ((size_t)64 << 10)
#define BATCH 4096

static const struct table_hook hooks[] = {
	{ "netif_receive_skb", "raw tracepoint", "netif_receive_skb", 0, 0 },
	{ "tcp_rcv_established", "raw tracepoint", "tcp_probe", 0, 0 },
	{ "sk_data_ready", "raw tracepoint", "sk_data_ready", 0, 0 },
};
#define HOOKS ((int)(sizeof(hooks) / sizeof(hooks[0])))

static void make_event(struct lnk_event *e, unsigned int i, unsigned int flow)
{
	const unsigned char from[4] = { 10, 1, (unsigned char)(flow >> 8), (unsigned char)flow };
	const unsigned char to[4] = { 192, 168, 100, 2 };

	memset(e, 0, sizeof(*e));
	e->saddr[10] = e->saddr[11] = e->daddr[10] = e->daddr[11] = 0xff;
	memcpy(e->saddr + 12, i & 1 ? to : from, 4);
	memcpy(e->daddr + 12, i & 1 ? from : to, 4);
	e->sport = i & 1 ? 9502 : (__u16)(32768 + flow);
	e->dport = i & 1 ? (__u16)(32768 + flow) : 9502;
	e->seq = 0x9e3779b1u * i;
	e->ack_seq = 0x85ebca6bu * i;
	e->time_ns = 1;
	e->hook = (__u16)(i % HOOKS);
}

int main(int argc, char **argv)
{
	double seconds = argc > 1 ? strtod(argv[1], NULL) : 0.5, rate;
	unsigned int flows = argc > 2 ? (unsigned int)strtoul(argv[2], NULL, 10) : FLOWS;
	static struct lnk_event v[BATCH];
	struct lnk_record e = { 0 };
	struct table *table;
	struct text out = { 0 };
	uint64_t start, now, rows = 0, time_ns;
	int64_t wall = clock_wall_offset_ns();
	int fd = open("/dev/null", O_WRONLY | O_CLOEXEC);
	unsigned int i;

	if (fd < 0 || table_open(&table, hooks, HOOKS, false, NULL))
		return 1;
	for (i = 0; i < BATCH; i++)
		make_event(&v[i], i, i % flows);
	start = time_ns = clock_monotonic_ns();
	do {
		for (i = 0; i < BATCH; i++) {
			v[i].time_ns = time_ns += 500;
			if (event_decode(&e, &v[i], sizeof(v[i]), HOOKS, 0))
				return 1;
			table_row(table, &e, wall, &out);
			if (out.len >= PIECE) {
				if (write(fd, out.s, out.len) < 0)
					return 1;
				text_reset(&out);
			}
		}
		rows += BATCH;
		now = clock_monotonic_ns();
	} while ((double)(now - start) < seconds * 1e9);
	rate = (double)rows * 1e9 / (double)(now - start);
	printf("%.0f rows per second\n", rate);
	text_free(&out);
	table_close(table);
	close(fd);
	return 0;
}
