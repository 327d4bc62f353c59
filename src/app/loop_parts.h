/* SPDX-License-Identifier: MIT */
/*
 * What the parts of the loop share: loop.c (when what is done), loop_rows.c (from the rings
 * to standard output) and loop_exchange.c (another program in place of the running one).
 * Nobody else includes this.
 */
#ifndef LNK_LOOP_PARTS_H
#define LNK_LOOP_PARTS_H

#include <poll.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "app/console.h"
#include "app/hold.h"
#include "app/loop.h"
#include "app/seen.h"
#include "app/tee.h"
#include "base/out.h"
#include "event/merge.h"

enum end {
	RUNNING,
	ENDED,
	READER_GONE,
	WRITE_FAILED
};

/* A row that was made and not yet written: it counts as printed once it is. */
struct unwritten {
	uint64_t end; /* bytes of output, with this row */
	struct tally *tally;
};

/* A program's way to the rows. */
struct feed {
	struct loop *l;
	struct session *s;
	struct merge *merge;
	bool asks_owner;  /* its rows are those of certain processes */
	int inode_slot;   /* where its records have the inode of the socket's file; -1: nowhere */
	int first_shared; /* the number in `merge` of the first of s->shared's rings */
};

enum {
	FD_STOP,
	FD_STDOUT,
	FD_CONSOLE,
	FD_SWAP,
	FD_WATCH,
	FD_RINGS
};

struct loop {
	struct session *s;
	struct view *view;
	struct table *table;
	struct feed now;
	struct swap *swap; /* NULL: the program stays */
	/* a program that another one has taken the place of: rows of it are on their way */
	struct session old;
	struct feed leaving;          /* .s is NULL when there is none */
	bool settled;                 /* and it is not called any more */
	int old_slots[LNK_MAX_EXTRA]; /* where its records have the numbers of the new ones */
	struct out out;
	struct console *console; /* NULL: none */
	struct hold hold;
	bool owned;       /* it matters who has a socket */
	bool owners_gone; /* and nobody tells any more, which was said */
	struct seen seen;
	struct tee tee;
	char *tee_path; /* of a file that is being opened; NULL: none */
	struct console_host host;
	struct pollfd *fds;
	int nfds;
	struct unwritten *unwritten;
	size_t unwritten_n, unwritten_cap;
	int64_t wall_offset_ns;
	bool headed; /* the table's header was printed */
	uint64_t rows;
	uint64_t busy_ns;   /* when there was last something to drain */
	bool prompt;        /* each event wakes us */
	uint64_t prompt_ns; /* since when */
	uint64_t window_ns; /* the second in which `turns` found something */
	int turns;
	uint64_t started_ns;
	uint64_t give_up_ns; /* after a signal: when the rest of the rows is given up; 0: none */
	uint64_t refreshed_ns;
	bool refresh_failed; /* and that was said */
	uint64_t netns_looked_ns;
	uint32_t netns_gone; /* of which that was said; 0: of none */
	uint64_t ends_ns;    /* 0: no end */
	enum end end;
	int error;
	/* -s */
	struct books_line *before;
	uint64_t block_ns; /* when the last block was made */
	uint64_t block_due_ns;
	uint64_t blocks;
	int block_lines; /* to go up on a terminal */
};

/* --- loop_rows.c ------------------------------------------------------------------ */

void loop_take_signal(struct loop *l);

/* The terminal may have been resized, without one nothing is cut; or a command has made
 * another table. */
void loop_fit_terminal(struct loop *l);

/* What was typed; `behind`: output is waiting. Between two rows, and between two pieces of
 * output. */
void loop_take_commands(struct loop *l, bool behind);

/* Only a signal, --duration or a command ends the wait for a reader who does not read; then
 * he has a second more, and the rest of the rows is given up. While it waits commands are taken:
 * the setting, the table and the view may be others when it returns. */
void loop_flush(struct loop *l);

/* One turn: everything the rings hold now, printed up to the horizon; `all`: without one.
 * Returns how many events there were. */
size_t loop_drain(struct loop *l, bool all);

/* Whether each event is to wake us; returns false when that cannot be had. */
bool loop_set_prompt(struct loop *l, bool prompt);

int loop_read_account(struct loop *l);

/* `rings`: how many there may be; `inode_slot`: as in struct feed. Returns 0 or -ENOMEM. */
int feed_open(struct feed *f, struct loop *l, const struct session *s, int rings, int inode_slot);
void feed_close(struct feed *f);
/* Also of a feed that is not open. */
bool feed_is_empty(const struct feed *f);

/* Once, before confine(). */
void loop_open_owners(struct loop *l);
/* The columns, or what is asked, are others: do rows wait for owners? */
void loop_note_owners(struct loop *l);

/* --- loop_exchange.c -------------------------------------------------------------- */

/* What the builder has to say, and what is to be done about it. */
void loop_look_at_swap(struct loop *l);

/* Closes the books of the program that was replaced; `tell`: and says what it left. */
void loop_retire(struct loop *l, bool tell);

/* --- loop_change.c ---------------------------------------------------------------- */

/* What commands change: at once, or by asking for another program. */
void loop_host(struct loop *l);

/* SWAP_FILE, and with the broker's end no file can come any more. */
void loop_tee_opened(struct loop *l);
void loop_tee_write(struct loop *l);

/* At the end: what was asked for and is not there. */
void loop_drop_changes(struct loop *l);
void loop_close_tee(struct loop *l);

/* The table takes another look. */
void loop_look(struct loop *l, struct view_change *look);

/* --- loop.c ----------------------------------------------------------------------- */

/* The rings of all programs, into the poll set. */
void loop_poll_rings(struct loop *l);

#endif
