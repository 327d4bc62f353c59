/* SPDX-License-Identifier: MIT */
/*
 * Kprobes with a name in tracefs outlive the process that made them. A small process of
 * its own waits for the end of this one, however it comes, and removes its names. It
 * holds kprobe_events and an end of two pipes, and nothing else.
 */
#ifndef LNK_GUARD_H
#define LNK_GUARD_H

/* To be called before the first name is made. Returns 0, also when there is one already,
 * or -errno. */
int guard_start(void);

/* Has the names of this process removed and the guard ended; returns when both are done.
 * The kprobes have to be off. Makes no call that app/confine.h forbids. */
void guard_end(void);

#endif
