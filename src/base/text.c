/* SPDX-License-Identifier: MIT */
#include "base/text.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define QUOTED_MAX 100

/* Makes room for `more` bytes and the NUL. Returns how many of them fit. */
static size_t text_room(struct text *t, size_t more)
{
	size_t want, cap;
	char *s;

	if (more > TEXT_MAX - t->len)
		more = TEXT_MAX - t->len;
	want = t->len + more + 1;
	if (want <= t->cap)
		return more;
	for (cap = t->cap ? t->cap : 256; cap < want;)
		cap *= 2;
	s = realloc(t->s, cap);
	if (!s)
		return t->cap ? t->cap - t->len - 1 : 0;
	t->s = s;
	t->cap = cap;
	return more;
}

void text_add(struct text *t, const char *bytes, size_t len)
{
	size_t fits = text_room(t, len);

	if (fits < len)
		t->cut = true;
	if (!t->cap)
		return;
	if (fits)
		memcpy(t->s + t->len, bytes, fits);
	t->len += fits;
	t->s[t->len] = '\0';
}

char *text_reserve(struct text *t, size_t len)
{
	if (t->cap - t->len <= len && text_room(t, len) < len) {
		t->cut = true;
		return NULL;
	}
	return t->s + t->len;
}

void text_commit(struct text *t, size_t len)
{
	t->len += len;
	t->s[t->len] = '\0';
}

void text_puts(struct text *t, const char *s)
{
	text_add(t, s, strlen(s));
}

void text_vprintf(struct text *t, const char *fmt, va_list ap)
{
	char small[256], *big;
	va_list again;
	int n;

	va_copy(again, ap);
	n = vsnprintf(small, sizeof(small), fmt, ap);
	if (n >= 0 && (size_t)n < sizeof(small)) {
		text_add(t, small, n);
	} else if (n >= 0) {
		big = malloc((size_t)n + 1);
		if (big) {
			vsnprintf(big, (size_t)n + 1, fmt, again);
			text_add(t, big, n);
			free(big);
		} else {
			t->cut = true;
		}
	}
	va_end(again);
}

void text_printf(struct text *t, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	text_vprintf(t, fmt, ap);
	va_end(ap);
}

/* The length of the valid UTF-8 sequence at p (2 to 4), or 0: overlong forms,
 * surrogates and the C1 control range (U+0080 to U+009F, which terminals obey) are not
 * valid here. */
static size_t utf8_len(const unsigned char *p, size_t left)
{
	uint32_t cp;
	size_t n, i;

	if (p[0] >= 0xc2 && p[0] <= 0xdf)
		n = 2;
	else if (p[0] >= 0xe0 && p[0] <= 0xef)
		n = 3;
	else if (p[0] >= 0xf0 && p[0] <= 0xf4)
		n = 4;
	else
		return 0;
	if (left < n)
		return 0;
	cp = p[0] & (0xff >> (n + 1));
	for (i = 1; i < n; i++) {
		if ((p[i] & 0xc0) != 0x80)
			return 0;
		cp = cp << 6 | (p[i] & 0x3f);
	}
	if (cp < 0xa0 || (n == 3 && cp < 0x800) || (n == 4 && cp < 0x10000) ||
	    (cp >= 0xd800 && cp <= 0xdfff) || cp > 0x10ffff)
		return 0;
	return n;
}

void text_add_escaped(struct text *t, const char *bytes, size_t len, bool lines)
{
	const unsigned char *p = (const unsigned char *)bytes;
	size_t i = 0, n;

	while (i < len) {
		if ((p[i] >= 0x20 && p[i] < 0x7f) || (lines && (p[i] == '\n' || p[i] == '\t')))
			n = 1;
		else
			n = utf8_len(p + i, len - i);
		if (n) {
			text_add(t, bytes + i, n);
			i += n;
		} else {
			text_printf(t, "\\x%02x", p[i++]);
		}
	}
}

void text_add_quoted(struct text *t, const char *bytes, size_t len)
{
	text_puts(t, "'");
	text_add_escaped(t, bytes, len < QUOTED_MAX ? len : QUOTED_MAX, false);
	text_puts(t, len < QUOTED_MAX ? "'" : "...'");
}

const char *text_str(const struct text *t)
{
	return t->s ? t->s : "";
}

void text_reset(struct text *t)
{
	t->len = 0;
	t->cut = false;
	if (t->s)
		t->s[0] = '\0';
}

void text_free(struct text *t)
{
	free(t->s);
	*t = (struct text){ 0 };
}
