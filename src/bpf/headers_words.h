/* SPDX-License-Identifier: MIT */
/*
 * The words that stand in a program's text, comments and all. Whatever a program uses of the
 * kernel's types it has to name, so what it does not name can be left out of its headers.
 * A word that is not there may be found (1 in 70), which costs a line of a header.
 */
#ifndef LNK_HEADERS_WORDS_H
#define LNK_HEADERS_WORDS_H

#include <stdbool.h>
#include <stdint.h>

struct headers_words {
	uint64_t bits[1024];
	/* names may come from elsewhere: the text pastes them together, or includes a file that
	 * is none of ours; then it has every word */
	bool all;
};

/* NULL: a text that has every word. */
void headers_words_take(struct headers_words *w, const char *program);
bool headers_words_have(const struct headers_words *w, const char *word);

#endif
