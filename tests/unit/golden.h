/* SPDX-License-Identifier: MIT */
/*
 * Golden texts: what a test made is held against tests/golden/NAME, byte by byte. A
 * mismatch fails the case and shows the lines that differ, with '$' at their ends;
 * UPDATE_GOLDEN=1 writes the file anew instead.
 */
#ifndef LNK_GOLDEN_H
#define LNK_GOLDEN_H

#include "unit.h"

#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/io.h"

/* tests/golden of the tree that this program was built in: the first one above it. */
static inline int golden_dir(void)
{
	char path[PATH_MAX], *slash;
	ssize_t n = readlink("/proc/self/exe", path, sizeof(path) - sizeof("/tests/golden"));
	int fd = -1;

	if (n < 0)
		return -1;
	path[n] = '\0';
	while (fd < 0 && (slash = strrchr(path, '/'))) {
		strcpy(slash, "/tests/golden");
		fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		*slash = '\0';
	}
	return fd;
}

/* Every line that differs, as "-N: wanted" and "+N: got". */
static inline void golden_diff(const char *want, const char *got)
{
	for (int line = 1; *want || *got; line++) {
		int w = (int)strcspn(want, "\n"), g = (int)strcspn(got, "\n");

		if (w != g || strncmp(want, got, (size_t)w) || want[w] != got[g]) {
			if (*want)
				fprintf(stderr, "  -%d: %.*s$%s\n", line, w, want,
					want[w] ? "" : " (no newline)");
			if (*got)
				fprintf(stderr, "  +%d: %.*s$%s\n", line, g, got,
					got[g] ? "" : " (no newline)");
		}
		want += w + (want[w] == '\n');
		got += g + (got[g] == '\n');
	}
}

static inline void check_golden(const struct text *got, const char *name)
{
	struct text want = { 0 };
	int dir = golden_dir(), err;

	if (getenv("UPDATE_GOLDEN")) {
		CHECK_INT(write_file_at(dir, name, text_str(got), got->len), 0);
		CHECK_INT(fchmodat(dir, name, 0644, 0), 0);
	}
	err = read_file_at(dir, name, &want, 1 << 20);
	if (CHECK_INT(err, 0) &&
	    !CHECK(want.len == got->len && !memcmp(text_str(&want), text_str(got), want.len))) {
		fprintf(stderr, "  tests/golden/%s; - is the file's, + is ours:\n", name);
		golden_diff(text_str(&want), text_str(got));
	}
	text_free(&want);
	close(dir);
}

#endif
