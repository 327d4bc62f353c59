/* SPDX-License-Identifier: MIT */
/*
 * A growing, bounded text buffer. Zero-initialise it ({ 0 }) before use. When memory
 * runs out or the bound is reached the text is cut and `cut` set; nothing else fails.
 * `s` is always NUL-terminated once anything was added, and NULL before; text_str()
 * gives "" then.
 */
#ifndef LNK_TEXT_H
#define LNK_TEXT_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>

/* The largest text that is kept: a clang log of megabytes still fits. */
#define TEXT_MAX ((size_t)16 << 20)

struct text {
	char *s;
	size_t len; /* bytes, without the NUL */
	size_t cap;
	bool cut; /* something did not fit and was left out */
};

void text_add(struct text *t, const char *bytes, size_t len);
void text_puts(struct text *t, const char *s);
void text_printf(struct text *t, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void text_vprintf(struct text *t, const char *fmt, va_list ap)
	__attribute__((format(printf, 2, 0)));

/*
 * Adds text that came from the kernel, a file or a probe: control bytes (and every byte
 * that is not part of valid UTF-8) become \xNN, so that a terminal cannot be driven by
 * it. Newline and tab are kept when `lines` is set, escaped otherwise.
 */
void text_add_escaped(struct text *t, const char *bytes, size_t len, bool lines);

/* The same in quotes, as a message repeats what the user wrote: the end of what is long is left
 * away. */
void text_add_quoted(struct text *t, const char *bytes, size_t len);

/* Room for `len` bytes at the end, to be written directly, and then as many of them as
 * were written are made part of the text. NULL when there is no such room. */
char *text_reserve(struct text *t, size_t len);
void text_commit(struct text *t, size_t len);

const char *text_str(const struct text *t);
void text_reset(struct text *t); /* empties, keeps the memory */
void text_free(struct text *t);  /* frees; the buffer may be used again */

#endif
