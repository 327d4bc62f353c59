/* SPDX-License-Identifier: MIT */
/* The arguments of the filters: addresses, ports, processes, flags, lengths. */
#ifndef LNK_FILTER_VALUE_H
#define LNK_FILTER_VALUE_H

#include "base/text.h"
#include "conf/config.h"

/*
 * Each adds to *out, or sets it, and returns 0; -EINVAL or -ERANGE for something else than
 * the option takes, -E2BIG when there is no more room. *out is then as it was.
 */
int prefixes_parse(const char *s, struct prefixes *out);
int ports_parse(const char *s, uint64_t min, uint64_t max, struct port_ranges *out);
int tcp_flags_parse(const char *s, struct tcp_flags *out);
int lengths_parse(const char *s, struct lengths *out);
int pids_parse(const char *s, uint64_t min, uint64_t max, struct pids *out);
/* What a process may be called, see PR_SET_NAME. */
int comm_parse(const char *s, struct strings *out);

/* The same in the words of the user. */
void prefixes_format(const struct prefixes *l, struct text *out);
void ports_format(const struct port_ranges *l, struct text *out);
void pids_format(const struct pids *l, struct text *out);
void tcp_flags_format(const struct tcp_flags *f, struct text *out);

/* Whether one of them is of IPv4, or of IPv6. */
bool prefixes_have(const struct prefixes *l, bool ipv4);

/* In the order of their bits. */
extern const char *const tcp_flag_name[8];

#endif
