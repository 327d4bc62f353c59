/* SPDX-License-Identifier: MIT */
/* The files of probes/ as they were when the program was built (made by the Makefile). */
#ifndef LNK_EMBEDDED_H
#define LNK_EMBEDDED_H

struct embedded_file {
	const char *name;
	const char *text;
};

extern const struct embedded_file embedded_files[]; /* ends with a NULL name */

#endif
