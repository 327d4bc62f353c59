/* SPDX-License-Identifier: MIT */
/* --check: what would a start compile, and does the kernel take it? */
#ifndef LNK_CHECK_H
#define LNK_CHECK_H

#include "app/session.h"

/*
 * Compiles and loads what a start would (session_start()), with -v every kind of hook, and
 * says what became of each. Returns 0 when every program that this kernel can take was
 * taken. The caller closes the session.
 */
int check_run(struct session *s, const struct config *conf, const struct ask *ask, int stop_fd);

#endif
