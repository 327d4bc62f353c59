/* SPDX-License-Identifier: MIT */
/*
 * What one program is asked, and how its rows look: the command line with what was changed
 * since. Who uses it counts as a user; it goes with the last one.
 */
#ifndef LNK_SETTING_H
#define LNK_SETTING_H

#include "base/text.h"
#include "conf/changes.h"
#include "conf/config.h"
#include "sink/collected.h"

struct setting {
	int users;
	const struct config *base; /* what the command line said */
	struct changes changes;
	struct config conf; /* its strings are those of the command line, and of `changes` */
	struct collected collected; /* by the program */
	int extra;                  /* numbers behind each of its events */
	bool owners;                /* it notes who uses sockets */
	uint64_t owners_asked_ns;   /* since when its --pid and --comm are asked for */
};

/*
 * What the command line (`base`) is with these changes. As far as that can be said without a
 * look at files and interfaces, it is known to be good. Returns 0 and a setting with one user;
 * -EINVAL with one line in *why; -ENOMEM.
 */
int setting_make(struct setting **out, const struct config *base, const struct changes *c,
		 struct text *why);

/* The same with one option given anew, see changes_set(). */
int setting_change(struct setting **out, const struct setting *from, const char *option,
		   const char *value, enum change_kind *kind, struct text *why);

struct setting *setting_use(struct setting *s);
void setting_drop(struct setting *s); /* NULL: nothing */

#endif
