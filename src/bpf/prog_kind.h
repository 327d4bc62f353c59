/* SPDX-License-Identifier: MIT */
/* The BPF program type that serves each kind of hook. */
#ifndef LNK_PROG_KIND_H
#define LNK_PROG_KIND_H

#include <linux/bpf.h>

#include "bpf/hooks.h"

static const struct {
	int type;
	int attach; /* -1: none */
} prog_kind[HOOK_KINDS] = {
	[HOOK_FENTRY] = { BPF_PROG_TYPE_TRACING, BPF_TRACE_FENTRY },
	[HOOK_FEXIT] = { BPF_PROG_TYPE_TRACING, BPF_TRACE_FEXIT },
	[HOOK_KPROBE] = { BPF_PROG_TYPE_KPROBE, -1 },
	[HOOK_KRETPROBE] = { BPF_PROG_TYPE_KPROBE, -1 },
	[HOOK_RAW_TRACEPOINT] = { BPF_PROG_TYPE_RAW_TRACEPOINT, -1 },
	[HOOK_TRACEPOINT] = { BPF_PROG_TYPE_TRACEPOINT, -1 },
};

#endif
