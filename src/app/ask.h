/* SPDX-License-Identifier: MIT */
/* From the options to what the probes are asked: constants, and C that is compiled in. */
#ifndef LNK_ASK_H
#define LNK_ASK_H

#include <stdbool.h>
#include <stdint.h>

#include "base/text.h"
#include "bpf/question.h"
#include "conf/config.h"
#include "sink/columns.h"

struct ask {
	/* one address and one port are constants of probes/config.h */
	bool ip_set;
	struct in6_addr ip;
	uint16_t port; /* 0: none */
	/* everything else */
	bool owners;    /* it notes who uses sockets, by a probe of its own */
	bool filters;   /* lnk_question() is there */
	int numbers;    /* that lnk_collect() fills */
	uint32_t netns; /* inode number of the namespace that is asked for; 0: all */
	struct text c;
};

/*
 * Asks for what the options say, and for the numbers of the columns, whose slots it sets.
 * Looks up interfaces, network namespaces and the names of an expression. Returns 0, or
 * -EINVAL with one line in *why; *note is a remark, or empty.
 */
int ask_parse(struct ask *a, const struct config *conf, struct column_list *columns,
	      struct text *why, struct text *note);
void ask_free(struct ask *a);

/* A line for each filter. */
void ask_describe(const struct config *conf, struct text *out);

/* Where the compiler's error is about an expression: adds which, quoted. */
void ask_quote(const struct config *conf, const char *error, struct text *out);

#endif
