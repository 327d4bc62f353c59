/* SPDX-License-Identifier: MIT */
/* The running monitor: one poll set, and one way out. */
#ifndef LNK_LOOP_H
#define LNK_LOOP_H

#include "app/session.h"
#include "app/swap.h"
#include "app/view.h"

/*
 * Runs until a signal on s->stop_fd, a closed pipe, --count, --duration or the last
 * block of -s; then drains, detaches, and prints the closing statistics. Returns 0, or
 * -errno when the rows could not be written. `swap` (NULL: none) may put another program
 * into *s meanwhile.
 */
int loop_run(struct session *s, struct view *view, struct swap *swap);

#endif
