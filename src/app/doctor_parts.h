/* SPDX-License-Identifier: MIT */
/* The parts of --doctor. Nobody but doctor*.c includes this. */
#ifndef LNK_DOCTOR_PARTS_H
#define LNK_DOCTOR_PARTS_H

#include <stdint.h>

#include "app/doctor_report.h"
#include "app/session.h"

/* doctor_checks.c: privileges, kernel settings, where types come from. Returns false
 * when it is no use to go on. */
bool doctor_check_host(struct report *r, const struct config *conf);

/* doctor_libbcc.c: whether libbcc can be loaded; in a child. */
void doctor_check_libbcc(struct report *r);

/* doctor_hooks.c: every hook of a prepared session: is its place there? */
void doctor_check_hooks(struct report *r, const struct session *s);
/* ... and of a started one: what serves each stage. */
void doctor_check_stages(struct report *r, const struct session *s);

/* --- a connection of our own ------------------------------------------------------ */

enum family {
	V4,
	V6,
	FAMILIES
};
extern const char *const family_name[FAMILIES];

/* What a packet socket saw come in on the loopback, for one family. */
struct witness {
	int packets;
	int data; /* of these, with data or FIN */
};

struct visit {
	int listener[FAMILIES]; /* -1: this family cannot be had, and why */
	int error[FAMILIES];
	uint16_t port; /* the same for both */
	int packet_fd; /* -1: no witness */
	bool blind;    /* the witness itself lost packets */
	struct witness seen[FAMILIES];
};

/* doctor_visit.c */
int visit_open(struct visit *v);
void visit_close(struct visit *v);
/* One connection, a few bytes each way, closed in order. Returns 0 or -errno. */
int visit_make(struct visit *v, enum family f);
/* Reads what the witness saw. */
void visit_look(struct visit *v);

/* doctor_traffic.c: makes the connections, and compares the hooks' events with the
 * witness. Detaches the session. */
void doctor_check_traffic(struct report *r, struct session *s, struct visit *v);

#endif
