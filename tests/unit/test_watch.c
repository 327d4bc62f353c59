/* SPDX-License-Identifier: MIT */
#include "unit.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "app/watch.h"
#include "base/clock.h"

static char dir[64];
static struct watch w;

static void path_of(char path[128], const char *name)
{
	snprintf(path, 128, "%s/%s", dir, name);
}

static void write_file(const char *name)
{
	char path[128];
	int fd;

	path_of(path, name);
	fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
	CHECK(fd >= 0);
	CHECK_INT(write(fd, "x", 1), 1);
	close(fd);
}

static bool noticed(void)
{
	bool yes;

	watch_read(&w);
	yes = w.first_ns != 0;
	w.first_ns = 0;
	return yes;
}

static void begin(void)
{
	struct config conf = { .probe_dir = dir };

	strcpy(dir, "/tmp/lnk-watch.XXXXXX");
	CHECK(mkdtemp(dir));
	CHECK_INT(watch_open(&w, &conf), 0);
	CHECK(!noticed());
}

static void end(void)
{
	char command[128];

	watch_close(&w);
	CHECK_INT(w.fd, -1);
	path_of(command, "a.c");
	unlink(command);
	path_of(command, "config.h");
	unlink(command);
	rmdir(dir);
}

TEST(names_that_concern)
{
	CHECK(watch_concerns("tcp_ack.c"));
	CHECK(watch_concerns("packet.h"));
	CHECK(watch_concerns("config.h"));
	CHECK(!watch_concerns("other.h"));
	CHECK(!watch_concerns("README.md"));
	CHECK(!watch_concerns(".a.c.swp"));
	CHECK(!watch_concerns(".#a.c"));
	CHECK(!watch_concerns("#a.c#"));
	CHECK(!watch_concerns("a.c~"));
	CHECK(!watch_concerns("4913"));
	CHECK(!watch_concerns(""));
}

TEST(written_renamed_removed)
{
	char from[128], to[128];

	begin();
	write_file("a.c");
	CHECK(noticed());
	CHECK(!noticed());
	write_file("a.c~");
	CHECK(!noticed());
	path_of(from, "a.c~");
	path_of(to, "config.h");
	CHECK_INT(rename(from, to), 0);
	CHECK(noticed());
	CHECK_INT(unlink(to), 0);
	CHECK(noticed());
	path_of(from, "a.c");
	path_of(to, "a.c.orig");
	CHECK_INT(rename(from, to), 0);
	CHECK(noticed());
	unlink(to);
	CHECK(!noticed());
	end();
}

TEST(acts_when_it_is_quiet)
{
	begin();
	CHECK(watch_due_ns(&w) == UINT64_MAX);
	CHECK(!watch_take(&w, UINT64_MAX - 1));
	w.first_ns = w.last_ns = 1000 * NSEC_PER_MSEC;
	CHECK(!watch_take(&w, 1029 * NSEC_PER_MSEC));
	w.last_ns = 1020 * NSEC_PER_MSEC;
	CHECK(!watch_take(&w, 1049 * NSEC_PER_MSEC));
	CHECK(watch_take(&w, 1050 * NSEC_PER_MSEC));
	CHECK(!watch_take(&w, 1051 * NSEC_PER_MSEC));
	/* without end: after a while all the same */
	w.first_ns = 1000 * NSEC_PER_MSEC;
	w.last_ns = 1299 * NSEC_PER_MSEC;
	CHECK(watch_take(&w, 1300 * NSEC_PER_MSEC));
	end();
}

TEST(a_directory_that_has_gone)
{
	struct config conf = { .probe_dir = dir };
	uint64_t now;

	begin();
	CHECK(w.dirs >= 1);
	watch_found(&w, w.dirs);
	CHECK(watch_due_ns(&w) == UINT64_MAX);
	CHECK_INT(rmdir(dir), 0);
	CHECK(noticed());
	CHECK_INT(watch_renew(&w, &conf), w.dirs - 1);
	now = clock_monotonic_ns();
	watch_found(&w, w.dirs - 1);
	CHECK(watch_due_ns(&w) > now);
	CHECK(!watch_take_again(&w, now));
	CHECK(!watch_take(&w, now + 2 * NSEC_PER_SEC));
	CHECK(watch_take_again(&w, now + 2 * NSEC_PER_SEC));
	CHECK(!watch_take_again(&w, now + 3 * NSEC_PER_SEC));
	CHECK_INT(mkdir(dir, 0700), 0);
	CHECK_INT(watch_renew(&w, &conf), w.dirs);
	write_file("a.c");
	CHECK(noticed());
	end();
}
