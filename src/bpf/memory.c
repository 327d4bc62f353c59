/* SPDX-License-Identifier: MIT */
#include "bpf/memory.h"

#include <malloc.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/text.h"

/* Ten times what a compile takes: a source without end must not take the host's memory. */
#define MEMORY_MAX ((rlim_t)2 << 30)

/* Keeps what libbcc prints within bounds (past them writes fail and are lost), and what it
 * allocates. A limit that is lower already stays. */
void memory_limit(void)
{
	struct rlimit output = { TEXT_MAX, TEXT_MAX };

	signal(SIGXFSZ, SIG_IGN);
	setrlimit(RLIMIT_FSIZE, &output);
#ifndef __SANITIZE_ADDRESS__ /* whose shadow is larger than that */
	struct rlimit memory;

	if (!getrlimit(RLIMIT_AS, &memory) && memory.rlim_cur > MEMORY_MAX) {
		memory.rlim_cur = MEMORY_MAX;
		setrlimit(RLIMIT_AS, &memory);
	}
#endif
}

/*
 * clang and LLVM take some 50 MB in small pieces. In large pages that is twenty page faults
 * instead of thousands. Where memory is limited it is taken as it is needed.
 */
#define HEAP ((size_t)64 << 20)
#define LARGE_PAGE ((uintptr_t)2 << 20)

void memory_prepare(void)
{
#ifndef __SANITIZE_ADDRESS__ /* which has a heap of its own */
	struct rlimit all, data;
	uintptr_t end, start;
	void *piece;

	if (getrlimit(RLIMIT_AS, &all) || all.rlim_cur != RLIM_INFINITY ||
	    getrlimit(RLIMIT_DATA, &data) || data.rlim_cur != RLIM_INFINITY)
		return;
	mallopt(M_TRIM_THRESHOLD, (int)HEAP * 2);
	mallopt(M_MMAP_THRESHOLD, (int)LARGE_PAGE);
	mallopt(M_TOP_PAD, (int)HEAP);
	piece = malloc(LARGE_PAGE / 2); /* with it the heap grows to its full size */
	mallopt(M_TOP_PAD, 128 << 10);  /* as before, for what comes beyond, and for threads */
	end = (uintptr_t)sbrk(0);
	start = (end - HEAP + LARGE_PAGE - 1) & ~(LARGE_PAGE - 1);
	if (piece && start < end)
		madvise((void *)start, end - start, MADV_HUGEPAGE);
	free(piece);
#endif
}
