/* SPDX-License-Identifier: MIT */
#include "bpf/headers_words.h"

#include <ctype.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "bpf/headers_stubs.h"

static uint32_t place(const char *word, size_t len)
{
	uint32_t h = 0x811c9dc5; /* FNV-1a */

	while (len--)
		h = (h ^ (unsigned char)*word++) * 0x01000193;
	return (h ^ h >> 16) & 0xffff;
}

static bool is_word(char c)
{
	return isalnum((unsigned char)c) || c == '_';
}

/* libbcc's own headers use nobody's types but their own. */
static bool is_ours(const char *name, size_t len)
{
	static const char *const others[] = { "linux/version.h", "linux/kconfig.h",
					      "uapi/linux/bpf.h", "bcc/proto.h" };
	char path[128];
	size_t i;

	for (i = 0; i < sizeof(others) / sizeof(others[0]); i++)
		if (strlen(others[i]) == len && !memcmp(others[i], name, len))
			return true;
	snprintf(path, sizeof(path), "include/%.*s", (int)(len < 100 ? len : 100), name);
	for (i = 0; headers_stubs[i]; i++)
		if (!strcmp(headers_stubs[i], path))
			return true;
	return false;
}

/* `s` is behind a '#'. */
static bool brings_names(const char *s)
{
	size_t len;

	s += strspn(s, " \t");
	if (*s == '#' || *s == '\\' || *s == '/') /* a paste; not what it looks like */
		return true;
	if (strncmp(s, "inc", 3) && strncmp(s, "imp", 3)) /* include, include_next, import */
		return false;
	while (is_word(*s))
		s++;
	s += strspn(s, " \t");
	if (*s != '<' && *s != '"')
		return true;
	len = strcspn(++s, ">\"\n");
	return !is_ours(s, len);
}

void headers_words_take(struct headers_words *w, const char *program)
{
	const char *s = program, *from;
	uint32_t at;

	*w = (struct headers_words){ .all = !program };
	while (s && !w->all && *s) {
		from = s;
		while (is_word(*s))
			s++;
		if (s > from) {
			at = place(from, (size_t)(s - from));
			w->bits[at / 64] |= 1ULL << at % 64;
			continue;
		}
		/* %: is another way to write # */
		w->all = *s == '#' ? brings_names(s + 1) : *s == '%' && s[1] == ':';
		s++;
	}
}

bool headers_words_have(const struct headers_words *w, const char *word)
{
	uint32_t at;

	if (w->all)
		return true;
	at = place(word, strlen(word));
	return w->bits[at / 64] >> at % 64 & 1;
}
