/* SPDX-License-Identifier: MIT */
/*
 * Names of hosts, without waiting for them. A process of its own asks the system's
 * resolver (DNS, /etc/hosts, ...), which the confined monitor could not do; it is made
 * before that is confined, has no privileges, and is asked over a socket. Until its answer
 * is there, a host has no name.
 *
 * The answers come from whoever owns an address, so they are believed only as far as that
 * they are names: see resolver_is_name().
 */
#ifndef LNK_RESOLVER_H
#define LNK_RESOLVER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "probes/event.h"

#define RESOLVER_NAME_MAX 100
/* Hosts that are remembered, and questions that are open at a time. */
#define RESOLVER_HOSTS 1024
#define RESOLVER_OPEN 64
/* When a host that had no name is asked for again. */
#define RESOLVER_RETRY_NS 60000000000ULL

struct resolver;

/* What the process sends; `name` ends at the first NUL and is empty for none. */
struct resolver_answer {
	__u8 address[16];
	char name[RESOLVER_NAME_MAX + 1];
};

/* Starts the process. Returns 0 or -errno. */
int resolver_open(struct resolver **out);
/* Without a process, over a SOCK_SEQPACKET socket (taken over): for tests. */
int resolver_make(struct resolver **out, int fd);
void resolver_close(struct resolver *r);

/* Takes in the answers that are there. To be called often. */
void resolver_refresh(struct resolver *r, uint64_t now_ns);

/* The host's name; NULL: none, or not yet. Asks for it the first time. */
const char *resolver_name(struct resolver *r, const __u8 address[16]);

/* Letters, digits, '-', '_' and dots, and not an address: that would be taken for one. */
bool resolver_is_name(const char *s);

#endif
