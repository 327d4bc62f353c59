/* SPDX-License-Identifier: MIT */
/* What the process that compiles may take of the host, and how it takes it. */
#ifndef LNK_MEMORY_H
#define LNK_MEMORY_H

/* Before anything large is allocated. */
void memory_prepare(void);

/* Of memory and of what libbcc prints. Limits that are lower already stay. */
void memory_limit(void);

#endif
