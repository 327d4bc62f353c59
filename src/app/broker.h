/* SPDX-License-Identifier: MIT */
/*
 * The broker: a process that keeps the privileges which the monitor gives up, to build
 * another program while the monitor runs. It exists only where a program may be exchanged
 * (config_swaps()), does nothing until it is asked, and keeps nothing of what it made.
 */
#ifndef LNK_BROKER_H
#define LNK_BROKER_H

#include <sys/types.h>

#include "app/watch.h"
#include "conf/config.h"

/*
 * Starts it. To be called before the monitor opens anything that must end with it:
 * `drop_fd` is one that the broker has no use for. It asks the probes what `conf` says, with
 * the changes of each request, and renews the watches of `w`. Its end of the conversation
 * (wire.h) is in *sock. It ends when that is closed, and with its parent. Returns 0 or -errno.
 */
int broker_start(const struct config *conf, const struct watch *w, int drop_fd, int *sock);

#endif
