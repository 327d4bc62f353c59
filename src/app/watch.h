/* SPDX-License-Identifier: MIT */
/* --watch: notices that a probe file has changed. */
#ifndef LNK_WATCH_H
#define LNK_WATCH_H

#include <stdbool.h>
#include <stdint.h>

#include "conf/config.h"

struct watch {
	int fd;            /* inotify, shared by the monitor and its broker; -1: none */
	uint64_t first_ns; /* of the changes not yet acted on; 0: none */
	uint64_t last_ns;
	int dirs;          /* that are watched */
	uint64_t again_ns; /* when to look for one that has gone; 0: none has */
};

/* Watches every directory that probes are read from. Returns 0 or -errno. */
int watch_open(struct watch *w, const struct config *conf);
/* Watches them again, for one may have been removed and made anew. Returns how many there
 * are. */
int watch_renew(const struct watch *w, const struct config *conf);
void watch_close(struct watch *w);

/* Takes what was noticed. Needs no right but the descriptor. */
void watch_read(struct watch *w);

/* When it is time to act: some moment after the last change, for editors write, rename and
 * remove in one go. UINT64_MAX: nothing has changed. */
uint64_t watch_due_ns(const struct watch *w);
/* True once when that time has come. */
bool watch_take(struct watch *w, uint64_t now_ns);

/* So many directories are there now: when one is missing, when to look again. */
void watch_found(struct watch *w, int dirs);
/* True once when it is time to. */
bool watch_take_again(struct watch *w, uint64_t now_ns);

/* True for the name of a file that is, or may become, a part of the source. */
bool watch_concerns(const char *name);

#endif
