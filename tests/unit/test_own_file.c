/* SPDX-License-Identifier: MIT */
/* Which files rows are added to. */
#include "unit.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "app/own_file.h"

static char dir[] = "/tmp/lnk-unit-XXXXXX";

static void put(const char *path, const char *s)
{
	FILE *f = fopen(path, "w");

	CHECK(f && fputs(s, f) >= 0 && !fclose(f));
	chmod(path, 0600);
}

/* Whether it is opened; where not, *why has this in it. */
static bool opens(const char *path, const char *reason)
{
	const char *why = NULL;
	int fd = own_file_open(path, &why);

	if (fd >= 0) {
		CHECK_INT(fcntl(fd, F_GETFL) & (O_ACCMODE | O_APPEND), O_WRONLY | O_APPEND);
		close(fd);
		return true;
	}
	if (!CHECK(why && strstr(why, reason)))
		CHECK_STR(why, reason);
	return false;
}

TEST(rows_are_added_to_tables_only)
{
	struct stat st;

	CHECK(mkdtemp(dir));
	CHECK_INT(chdir(dir), 0);
	CHECK(opens("new", ""));
	CHECK_INT(stat("new", &st), 0);
	CHECK_INT(st.st_mode & 0777, 0600);
	CHECK(opens("new", "")); /* it is empty */
	put("table", "SRC PORT   | SEQ           \n"
		     "---------------------------\n"
		     "80         | 1             \n");
	CHECK(opens("table", ""));
	put("passwd", "root:x:0:0:root:/root:/bin/bash\n");
	CHECK(!opens("passwd", "begin with a table"));
	CHECK_INT(symlink("table", "link"), 0);
	CHECK(!opens("link", "no regular file"));
	CHECK(!opens("/dev/full", "no regular file"));
	CHECK_INT(chmod("table", 0620), 0);
	CHECK(!opens("table", "others can write"));
	CHECK_INT(chmod("table", 0600), 0);
	CHECK_INT(link("table", "twice"), 0);
	CHECK(!opens("table", "another name"));
	unlink("new");
	unlink("table");
	unlink("passwd");
	unlink("link");
	unlink("twice");
	CHECK_INT(rmdir(dir), 0);
}
