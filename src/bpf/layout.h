/* SPDX-License-Identifier: MIT */
/* Holds an edited event.h to the layout that this host was compiled with. */
#ifndef LNK_LAYOUT_H
#define LNK_LAYOUT_H

#include "base/text.h"

/* Adds one _Static_assert for each field and size of the wire contract; its message
 * names the field. */
void layout_emit(struct text *out);

#endif
