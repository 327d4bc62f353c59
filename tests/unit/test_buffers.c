/* SPDX-License-Identifier: MIT */
/* How large the rings are when nobody says. */
#include "unit.h"

#include <unistd.h>

#include "bpf/cpus.h"

static struct {
	int cpus;
	long page;
} k;

#define cpus_possible() (k.cpus)
#define sysconf(name) ((name) == _SC_PAGESIZE ? k.page : -1)
#include "app/buffers.c" // NOLINT(bugprone-suspicious-include)

static unsigned int pages(int cpus, long page, unsigned int asked)
{
	struct config conf = { .buffer_pages = asked };

	k.cpus = cpus;
	k.page = page;
	return buffers_pages(&conf);
}

TEST(pages_by_cpus)
{
	CHECK_INT(pages(1, 4096, 0), 512);
	CHECK_INT(pages(4, 4096, 0), 512);
	CHECK_INT(pages(5, 4096, 0), 256);
	CHECK_INT(pages(17, 4096, 0), 64);
	CHECK_INT(pages(4096, 4096, 0), 64);
}

TEST(as_many_bytes_in_larger_pages)
{
	CHECK_INT(pages(4, 16384, 0), 128);
	CHECK_INT(pages(4, 65536, 0), 32);
	CHECK_INT(pages(256, 65536, 0), 4);
}

TEST(pages_that_are_asked_for)
{
	CHECK_INT(pages(4, 65536, 1024), 1024);
}
