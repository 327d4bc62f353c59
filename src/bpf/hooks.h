/* SPDX-License-Identifier: MIT */
/*
 * Hooks: the probe functions of a program and the places in the kernel that they name.
 * They are found in the source text by BCC's own naming, so that a file dropped into
 * probes/ needs no change to the host.
 */
#ifndef LNK_HOOKS_H
#define LNK_HOOKS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/text.h"
#include "probes/event.h"

enum hook_kind {
	HOOK_FENTRY,
	HOOK_FEXIT,
	HOOK_KPROBE,
	HOOK_KRETPROBE,
	HOOK_RAW_TRACEPOINT,
	HOOK_TRACEPOINT,
	HOOK_KINDS
};

extern const char *const hook_kind_name[HOOK_KINDS];

#define HOOK_TARGET_MAX 128

/* Who tells what a kprobe missed. */
enum hook_told {
	TOLD_BY_NONE,
	TOLD_BY_LINK,
	TOLD_BY_EVENT
};

/* What was missed before the program was there: see missed.c. */
struct hook_gap {
	uint64_t skipped, calls;
	bool known;
	bool begun;
	bool pending; /* known again when the program of before has ended */
};

struct hook {
	enum hook_kind kind;
	char target[HOOK_TARGET_MAX]; /* kernel function, event, or "category:event" */
	char *file;                   /* where the probe function stands */
	int line;

	char label[HOOK_TARGET_MAX + 8]; /* "tcp_ack", or "tcp_ack return" */

	bool witness; /* makes no row, and serves no stage */
	bool typed;   /* to be: a raw tracepoint's program of type TRACING */

	/* filled by program_build() */
	int prog_fd; /* -1: not loaded */
	bool compiled;
	bool refused;    /* the verifier (not just the kernel's configuration) said no */
	struct text why; /* one line: why it is not loaded or not attached */
	struct text log; /* the verifier's whole text */

	/* filled by stub_load(); -1: the program itself is attached */
	int stub_fd; /* what is attached in its place */
	int slot_fd; /* and the map that says where it jumps to */

	/* filled by attach_hook() */
	int link_fd;                  /* -1: not attached */
	char symbol[HOOK_TARGET_MAX]; /* the kernel symbol, with any compiler suffix */
	enum hook_told told;          /* kprobes */
	char event[HOOK_TARGET_MAX];  /* kprobes: the name in tracefs, "" for none */

	/* kprobes, filled by missed_begin() and missed_end() */
	struct hook_gap gap;
	uint64_t skipped; /* calls that were not handed to the kprobe */
	bool skipped_all; /* these are all that the program did not get */
};

struct hooks {
	struct hook *v; /* v[i] is hook number i in events and counters */
	int n;
};

/* Adds one hook, as below, unless the same file has it already. */
int hooks_add(struct hooks *hs, enum hook_kind kind, const char *target, const char *file, int line,
	      struct text *why);

/* Adds every probe function that `text` (file `file`) defines. -EEXIST: the same hook
 * twice; -E2BIG: more than LNK_MAX_HOOKS; both with *why. */
int hooks_scan(struct hooks *hs, const char *file, const char *text, struct text *why);
void hooks_free(struct hooks *hs);

/* The number of the hook that libbcc calls `function` ("kprobe__tcp_v4_do_rcv",
 * "kfunc__vmlinux__..."), or -1. */
int hooks_find_function(const struct hooks *hs, const char *function);
/* Is this named like a probe function? */
bool hooks_is_function(const char *function);
/* Whether the kernel took any program. */
bool hooks_loaded(const struct hooks *hs);
/* The descriptor of what the kernel calls: the stub where there is one, else the program. */
int hook_called_fd(const struct hook *h);

int hooks_find(const struct hooks *hs, enum hook_kind kind, const char *target);

/* The C function lnk_hook_id() that tells a probe function its number. */
void hooks_emit(const struct hooks *hs, struct text *out);

/* "fentry tcp_v4_do_rcv", "raw tracepoint netif_receive_skb" */
void hook_describe(const struct hook *h, struct text *out);

#endif
