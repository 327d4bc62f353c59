/* SPDX-License-Identifier: MIT */
/* What --doctor found, in the order in which it was found, and its two forms. */
#ifndef LNK_DOCTOR_REPORT_H
#define LNK_DOCTOR_REPORT_H

#include <stdbool.h>

#include "base/text.h"

enum verdict {
	VERDICT_OK,
	VERDICT_NOTE,    /* good to know, nothing is missing */
	VERDICT_LIMIT,   /* it works, but not all of it */
	VERDICT_PROBLEM, /* it does not work, or is not true */
	VERDICT_NR
};

struct finding {
	const char *group; /* "host", "stages", ... */
	char *name;
	enum verdict verdict;
	struct text said;
	struct text advice; /* what to do; empty: nothing */
};

struct report {
	struct finding *v;
	int n;
	bool incomplete; /* memory ran out */
	const char *group;
};

/* Adds a finding of the group r->group. `advice` may be NULL. */
void report_add(struct report *r, enum verdict verdict, const char *name, const char *advice,
		const char *fmt, ...) __attribute__((format(printf, 5, 6)));
void report_free(struct report *r);

/* The worst of them. */
enum verdict report_verdict(const struct report *r);
int report_exit_status(const struct report *r);

void report_text(const struct report *r, struct text *out);
void report_json(const struct report *r, struct text *out);

#endif
