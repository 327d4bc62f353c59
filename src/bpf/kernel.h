/* SPDX-License-Identifier: MIT */
/* What this kernel offers and allows. */
#ifndef LNK_KERNEL_H
#define LNK_KERNEL_H

#include <stdbool.h>
#include <stdint.h>

#include "base/text.h"

/* True when this process may load tracing programs: CAP_SYS_ADMIN, or CAP_BPF and
 * CAP_PERFMON (Linux 5.8). */
bool kernel_may_trace(void);

/* True under lockdown=confidentiality, which lets no BPF program read kernel memory. */
bool kernel_locked_down(void);

/* True when the release of this kernel is at least major.minor. */
bool kernel_is_since(int major, int minor);

/* Kprobes can be attached: the perf PMU (Linux 4.17) or tracefs's kprobe_events. */
bool kernel_has_kprobes(void);
bool kernel_has_kprobe_pmu(void);

/* Why kprobes cannot be had, or NULL. */
const char *kernel_kprobe_refusal(void);

bool kernel_has_btf(void);

/* Programs may call bpf_rdonly_cast(): since 6.2, with BTF and a JIT compiler that knows how
 * to call functions of the kernel (x86-64, arm64). */
bool kernel_has_casts(void);

/* Why programs of type TRACING (fentry) cannot be had, whatever the function; or NULL. */
const char *kernel_tracing_refusal(void);

/* Raw tracepoints: Linux 4.17. */
bool kernel_has_raw_tracepoints(void);

/* The helpers bpf_probe_read_user() and bpf_probe_read_kernel(): Linux 5.5. False also where
 * it cannot be told. */
bool kernel_has_probe_reads(void);

/* The tracefs directory, or NULL when it is mounted nowhere we know. */
const char *kernel_tracefs(void);
#define TRACEFS_HINT "mount -t tracefs tracefs /sys/kernel/tracing"

/*
 * Where a field of a tracepoint's record starts, from its tracefs format file; 0 when
 * it cannot be told. Field 0 itself is common_type, so 0 is never an answer.
 */
unsigned int kernel_tracepoint_offset(const char *category, const char *event, const char *field);
/* The same from the text of a format file. */
unsigned int tracepoint_offset(const char *format, const char *field);

/*
 * Looks a function up in kallsyms. With any_suffix, "NAME.constprop.N" and "NAME.isra.N"
 * are found too. Fills *symbol (size bytes) and *address (0 where kptr_restrict hides
 * it). Returns 0 or -ENOENT.
 */
int kernel_find_symbol(const char *name, bool any_suffix, char *symbol, size_t size,
		       uint64_t *address);

/* Opens kallsyms once for all later kernel_symbol_at(): whether it shows addresses is
 * decided when it is opened. */
void kernel_keep_symbols(void);

/* "tcp_v4_do_rcv+0x5" for an address, "" when kallsyms does not tell. */
void kernel_symbol_at(uint64_t address, struct text *out);

/* CONFIG_HZ, from the resolution of the coarse clocks. */
unsigned int kernel_hz(void);

#endif
