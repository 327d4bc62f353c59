/* SPDX-License-Identifier: MIT */
/* The running monitor: one poll set, and one way out. */
#ifndef LNK_LOOP_H
#define LNK_LOOP_H

#include "app/session.h"
#include "app/view.h"

/*
 * Runs until a signal on s->stop_fd, a closed pipe, --count, --duration or the last
 * block of -s; then drains, detaches, and prints the closing statistics. Returns 0, or
 * -errno when the rows could not be written.
 */
int loop_run(struct session *s, struct view *view);

#endif
