/* SPDX-License-Identifier: MIT */
/*
 * The broker's answer on its way to become a session, and that session's way into the place
 * of the one that runs.
 */
#ifndef LNK_OFFER_H
#define LNK_OFFER_H

#include "app/session.h"
#include "app/wire.h"

#define OFFER_MAX_STAGES (2 * LNK_MAX_HOOKS)

/* An answer, as far as it has come. */
struct offer {
	struct session s;
	enum wire_place place[LNK_MAX_HOOKS];
	uint64_t address[LNK_MAX_HOOKS];
	bool served[OFFER_MAX_STAGES];
	int served_n;
	struct text log;
	uint64_t compile_ns, load_ns, attach_ns;
};

void offer_init(struct offer *o);
/* Closes all that came with it; it can be used anew. */
void offer_drop(struct offer *o);

/* Adds one message, which wire_reply_ok() has looked at. Descriptors that it takes over are
 * -1 then. Returns 0 or -errno. */
int offer_take(struct offer *o, const struct wire_reply *r, int fds[WIRE_MAX_FDS]);

/* Makes a session of it when WIRE_DONE has come, one that was asked what `setting` says.
 * Returns 0, -EPROTO when something is missing or does not fit, -errno. */
int offer_complete(struct offer *o, const struct session *running, struct setting *setting,
		   const struct wire_reply *r);

/*
 * Lets the hooks call the offer's program. *cur becomes the offer's session, *old what *cur
 * was; the offer is empty then. Returns 0, or -errno with nothing changed.
 */
int offer_put_in_place(struct offer *o, struct session *cur, struct session *old);

#endif
