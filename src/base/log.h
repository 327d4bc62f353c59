/* SPDX-License-Identifier: MIT */
/*
 * What the user is told beside the rows: everything here goes to stderr, one call one
 * line. Text that came from the kernel or from a probe file must pass
 * text_add_escaped() first.
 */
#ifndef LNK_LOG_H
#define LNK_LOG_H

#include <stdbool.h>

#define PROGRAM_NAME "linux_net_kernel"

void log_set_verbose(bool on);
bool log_is_verbose(void);

/* Frees what logging holds; it may go on afterwards. */
void log_close(void);

/* "linux_net_kernel: text" */
void log_error(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
/* The text as it is. */
void log_info(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
/* The text as it is, only with -v. */
void log_verbose(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

#endif
