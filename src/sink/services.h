/* SPDX-License-Identifier: MIT */
/* Names of TCP ports, as /etc/services has them. */
#ifndef LNK_SERVICES_H
#define LNK_SERVICES_H

#include <stddef.h>
#include <stdint.h>

#define SERVICES_FILE "/etc/services"

struct services;

/* From the text of such a file; lines that are none of TCP or make no sense are passed
 * over. Returns 0 or -ENOMEM. */
int services_parse(struct services **out, const char *text, size_t len);
int services_open(struct services **out, const char *path);
void services_close(struct services *s);

/* The first name of the port; NULL: it has none. */
const char *services_name(const struct services *s, uint16_t port);

#endif
