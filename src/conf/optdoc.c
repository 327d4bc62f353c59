/* SPDX-License-Identifier: MIT */
/* Prints what the option table says of itself. Runs while the program is built, and is
 * no part of it: optdoc help|man|bash. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/io.h"
#include "conf/options.h"

int main(int argc, char **argv)
{
	struct text out = { 0 };
	int err;

	if (argc == 2 && !strcmp(argv[1], "help")) {
		options_help(&out);
	} else if (argc == 2 && !strcmp(argv[1], "man")) {
		options_man(&out);
	} else if (argc == 2 && !strcmp(argv[1], "bash")) {
		options_completion(&out);
	} else {
		fputs("usage: optdoc help|man|bash\n", stderr);
		return 2;
	}
	err = write_all(STDOUT_FILENO, text_str(&out), out.len);
	text_free(&out);
	return err ? 1 : 0;
}
