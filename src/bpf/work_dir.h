/* SPDX-License-Identifier: MIT */
/*
 * Directories for header trees, where no mount namespace can be had. Each is locked
 * (flock) by the process that works in it, for as long as it lives: one that nobody has
 * locked was left by a killed run.
 */
#ifndef LNK_WORK_DIR_H
#define LNK_WORK_DIR_H

#include <stdbool.h>

#define WORK_DIR_MAX 64

/* Makes one, of mode 01700, in /run or /tmp. Returns a descriptor that keeps it ours, or
 * -errno. */
int work_dir_make(char path[WORK_DIR_MAX]);
int work_dir_make_in(const char *parent, char path[WORK_DIR_MAX]);

/* Could work_dir_make() have made it? By its name only. */
bool work_dir_is_one(const char *path);

/* With everything in it. */
void work_dir_remove(const char *path);

/* Removes those of this user that killed runs have left. Returns how many. */
int work_dir_sweep(void);
int work_dir_sweep_in(const char *parent);

#endif
