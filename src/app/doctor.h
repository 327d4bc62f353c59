/* SPDX-License-Identifier: MIT */
/* --doctor: can this host be traced, with what, and does it come out true? */
#ifndef LNK_DOCTOR_H
#define LNK_DOCTOR_H

#include "conf/config.h"

/* Exit status, beside 0 (all good) and 1 (something prevents tracing, or what would be
 * shown is wrong): it works, but not all of it. */
#define EXIT_LIMITED 3

/*
 * Looks at the host, attaches every stage as a monitor would, makes a short connection
 * over the loopback and compares what was seen with what must be. Prints the findings to
 * stdout, as text or with conf->json as JSON. Returns the exit status.
 */
int doctor_run(const struct config *conf, int stop_fd);

#endif
