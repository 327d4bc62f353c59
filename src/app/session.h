/* SPDX-License-Identifier: MIT */
/*
 * Builds everything that one run needs, in order, and unwinds it again: source, program,
 * stages, rings, accounts.
 */
#ifndef LNK_SESSION_H
#define LNK_SESSION_H

#include "app/ask.h"
#include "app/choice.h"
#include "app/setting.h"
#include "bpf/hooks.h"
#include "bpf/program.h"
#include "bpf/rings.h"
#include "bpf/shared.h"
#include "bpf/source.h"
#include "bpf/stages.h"
#include "conf/config.h"
#include "event/account.h"
#include "event/books.h"
#include "sink/table.h"

struct session {
	const struct config *conf;
	struct setting *setting; /* that *conf is of; NULL: it is nobody's */
	int stop_fd;             /* readable when the user wants to end; owned by the caller */
	/* hooks that another session has attached by stubs: its places are taken as they are
	 * (NULL: attach all, and open rings) */
	const struct hooks *live;

	struct source source;
	struct hooks hooks;
	struct text text; /* what libbcc is given */
	struct program program;
	struct stages stages;
	struct rings *rings;
	struct rings *spare;   /* for the program that takes this one's place */
	struct shared *shared; /* with --buffer=shared; `rings` then only wake us */
	struct account account;
	struct table_hook *shown; /* one for each hook; .shown is NULL where it serves no stage */
	struct books_line *lines; /* one for each stage, then for stages that are gone */
	int lines_n;
	struct text said; /* which hook serves each stage, a line each */
	uint64_t attach_ns;
	uint32_t netns; /* struct ask, of which the program was made */
	int extra;      /* numbers behind each event */
	int served;     /* stages with a hook */
	int incomplete; /* stages without one, for one address family at least */
};

/* Reads the probes and makes the program text. Needs no privilege. Errors are printed. */
int session_prepare(struct session *s, const struct config *conf, const struct ask *ask,
		    const struct choice *choice, int stop_fd);

/* Compiles and loads. Errors are printed. -EINTR: the user ended it. */
int session_build(struct session *s);

/*
 * All of it: prepares and builds with the kinds of hook that serve this kernel best, and
 * once more with every kind when that leaves a stage without; attaches, and says which
 * hook serves each stage. Errors are printed; -ENOENT when no stage is served.
 */
int session_start(struct session *s, const struct config *conf, const struct ask *ask, int stop_fd);

/*
 * The same for a program that is to take another one's place: `live` are the hooks that
 * one has attached. What it attaches itself does nothing yet, and it has no rings. Errors
 * go to the log, stages to s->said.
 */
int session_make(struct session *s, const struct config *conf, const struct ask *ask, int stop_fd,
		 const struct hooks *live);

/* After the hooks of a session that was not made by session_start() are known: its stages,
 * its account, and what is shown of each hook. */
int session_plan(struct session *s);

/* What it is asked from here on: uses `setting`. */
void session_set(struct session *s, struct setting *setting);

/* s->lines for the stages of s, and for stages of which there are only retired tallies. */
int session_make_lines(struct session *s);

void session_detach(struct session *s);

/* Reads the kernel's counters into the account, and that into s->lines. */
int session_read_account(struct session *s);

void session_close(struct session *s);

#endif
