/* SPDX-License-Identifier: MIT */
/* What a running monitor may still do: docs/security.md. */
#ifndef LNK_CONFINE_H
#define LNK_CONFINE_H

#include "app/session.h"

/*
 * Opens what will be read later, then gives up every privilege that the rest of the run
 * can do without. To be called once, when everything is attached and open. Errors are
 * printed.
 */
int confine(const struct session *s);

#endif
