/* SPDX-License-Identifier: MIT */
/*
 * Kprobes that are made through tracefs (kernels before 4.17 have no other way) are
 * entries in kprobe_events that nobody removes when their process is killed. Ours carry
 * our prefix and the process id: libbcc makes "kprobes/p_lnk_FUNCTION_bcc_PID" of the
 * event name that attach_hook() gives it.
 */
#ifndef LNK_SWEEP_H
#define LNK_SWEEP_H

#define SWEEP_KPROBE_PREFIX "p_lnk_"
#define SWEEP_KRETPROBE_PREFIX "r_lnk_"

/* Removes entries of ours whose process has ended. Returns how many. */
int sweep_dead_kprobes(void);

/* Opens kprobe_events, so that sweep_own_kprobe() works later without any right to. */
void sweep_prepare(void);

/* Removes the entry of this process for the event name that libbcc was given. */
void sweep_own_kprobe(const char *name);

/*
 * The process that one line of kprobe_events belongs to, and the entry's name as it is
 * removed ("kprobes/p_lnk_ip_rcv_bcc_17") as a part of the line; 0 when it is not ours.
 */
int sweep_parse(const char *line, const char **entry, int *len);

#endif
