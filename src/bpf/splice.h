/* SPDX-License-Identifier: MIT */
/*
 * What stands in one file must not reach into the next: all parts become one text, in which an
 * #endif too many of one file would close the #if of another, and an open comment would go on
 * to the end of the next one.
 */
#ifndef LNK_SPLICE_H
#define LNK_SPLICE_H

#include "base/text.h"

/*
 * Every #if has its #endif in this text, every comment its end, and the last line is not
 * continued. Returns 0, or -EINVAL with *why in clang's manner: "LABEL:LINE:COLUMN: error: ...".
 */
int splice_check(const char *label, const char *text, struct text *why);

/*
 * libbcc writes lines of its own into the text, in front of a function and behind its brace, and
 * debug information and what comes of it then has the wrong lines. Copies the text with a #line
 * behind each line that ends in a brace.
 */
void splice_mark(const char *text, struct text *out);

#endif
