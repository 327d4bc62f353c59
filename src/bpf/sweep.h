/* SPDX-License-Identifier: MIT */
/*
 * Kprobes that are made through tracefs are entries in kprobe_events, which nobody removes
 * when their process is killed. Ours carry our prefix and the process id:
 * "kprobes/p_lnk_FUNCTION_bcc_PID". While they are off they cost nothing; bpf/guard.h
 * removes them at the end of their process, and where the guard was killed too the next
 * start does.
 */
#ifndef LNK_SWEEP_H
#define LNK_SWEEP_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#define SWEEP_KPROBE_PREFIX "p_lnk_"
#define SWEEP_KRETPROBE_PREFIX "r_lnk_"

/* kprobe_events, to read and to append to, or -errno. */
int sweep_open_events(void);

/* The name of this process's kprobe at `symbol`, without its group. */
void sweep_name(char *out, size_t size, bool at_return, const char *symbol);

/* Makes the entry, and removes it. Returns 0 or -errno. */
int sweep_make_kprobe(const char *name, bool at_return, const char *symbol);
int sweep_remove_kprobe(const char *name);

/* Removes entries of ours whose process has ended. Returns how many. */
int sweep_dead_kprobes(void);

/* Removes those of one process; `fd` is what sweep_open_events() gave. Returns how many are
 * left. */
int sweep_kprobes_of(int fd, pid_t pid);

/*
 * The process that one line of kprobe_events belongs to, and the entry's name as it is
 * removed ("kprobes/p_lnk_ip_rcv_bcc_17") as a part of the line; 0 when it is not ours.
 */
int sweep_parse(const char *line, const char **entry, int *len);

#endif
