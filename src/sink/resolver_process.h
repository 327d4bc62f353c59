/* SPDX-License-Identifier: MIT */
/* The process that asks for names. */
#ifndef LNK_RESOLVER_PROCESS_H
#define LNK_RESOLVER_PROCESS_H

/*
 * Starts it. It reads addresses (16 bytes each) from pair[1], answers each with a struct
 * resolver_answer, and ends when pair[0] is closed; pair[0] is made non-blocking. It has no
 * capabilities, no other descriptor, and where that is possible another user. Returns 0 or
 * -errno.
 */
int resolver_process(const int pair[2]);

#endif
