/* SPDX-License-Identifier: MIT */
/*
 * Exchanges the program behind the hooks while it runs: another one is built beside it by
 * the broker, and takes its place when it is complete; else all stays as it is.
 *
 * The hooks stay attached by stubs (bpf/stub.h), so every call of a hook runs exactly one
 * of the two programs, and each program has counters and rings of its own: no event is
 * lost or shown twice, and the books of both are exact.
 *
 * What a loop does with it:
 *
 *	swap_open()		before anything else is opened: this starts the broker
 *	swap_run()		when the first program runs
 *	swap_request()		what the user wants changed; a later one takes its place
 *	swap_turn()		when swap_fd(), swap_watch_fd() or swap_due_ns() say so, and
 *				until there is no news
 *	swap_commit()		on SWAP_READY
 *	swap_settle()		after SWAP_SETTLED, when the old program's rings are drained
 */
#ifndef LNK_SWAP_H
#define LNK_SWAP_H

#include <stdbool.h>
#include <stdint.h>

#include "app/session.h"
#include "conf/config.h"

struct swap;

/* Starts the broker, and watches the probes with --watch. Errors are printed. */
int swap_open(struct swap **out, const struct config *conf, int stop_fd);
/* Ends the broker. A session that is leaving is the caller's. */
void swap_close(struct swap *sw);

/* The session that runs. It stays in its place; swap_commit() changes what is in it. Returns 0
 * or -ENOMEM. */
int swap_run(struct swap *sw, struct session *running);

/* What the newest request asks for; without one, what runs. */
struct setting *swap_setting(const struct swap *sw);

/* Asks for a program with this setting, and uses it. It is built even if nothing differs.
 * Returns 0, or -EPIPE when the broker has ended. */
int swap_request(struct swap *sw, struct setting *setting);

/* Whether a program is asked for that does not run yet, and what is another in it
 * (NULL: who cares). */
bool swap_is_asked(const struct swap *sw, struct text *what);

/* Whether the newest request, or the last one, was made by swap_request(). */
bool swap_is_commanded(const struct swap *sw);

/* The setting of what is asked for becomes this one, of which its program need not know. */
void swap_amend(struct swap *sw, struct setting *setting);

/*
 * Asks for a file to append to, which swap_turn() tells of by SWAP_FILE. Returns 0, -EPIPE,
 * -EBUSY while another one is asked for.
 */
int swap_open_file(struct swap *sw, const char *path);
/* After SWAP_FILE: its descriptor, the caller's; or -errno with the reason in *why. */
int swap_take_file(struct swap *sw, struct text *why);

int swap_fd(const struct swap *sw);       /* to poll for POLLIN; -1: none */
int swap_watch_fd(const struct swap *sw); /* to poll for POLLIN; -1: none */
uint64_t swap_due_ns(const struct swap *sw);

enum swap_news {
	SWAP_NONE,
	SWAP_FAILED,  /* all stays as it is; *text says why */
	SWAP_SAME,    /* nothing has changed; *text may be empty */
	SWAP_READY,   /* swap_offer() can take over */
	SWAP_SETTLED, /* the old program is not called any more */
	SWAP_FILE,    /* swap_take_file() */
	SWAP_ALONE    /* the broker has ended; *text says so */
};

/* *text: one or more lines, safe to print. */
enum swap_news swap_turn(struct swap *sw, struct text *text);

/* After SWAP_READY: what swap_commit() will put in place. */
const struct session *swap_offer(const struct swap *sw);

/* It is not wanted, for an error of the caller's. */
void swap_refuse(struct swap *sw, int err, struct text *text);

/*
 * Puts it in place: from here on its program is called. *old is the session that ran; it
 * must be drained until swap_settle(). *text: the stages that changed. On failure all stays
 * as it is, and *text says why.
 */
int swap_commit(struct swap *sw, struct session *old, struct text *text);

/* The old session's tallies as of now, in the books of the one that runs. */
int swap_read_old(struct swap *sw, struct session *old);

/* Closes the old session, with its tallies kept. *text: what has changed and how long it
 * took. */
void swap_settle(struct swap *sw, struct session *old, struct text *text);

#endif
