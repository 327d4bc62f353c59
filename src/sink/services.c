/* SPDX-License-Identifier: MIT */
#include "sink/services.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/io.h"
#include "base/text.h"

#define FILE_MAX ((size_t)1 << 20)
#define NAME_MAX_LEN 32

struct services {
	struct text names;           /* each with a NUL */
	uint32_t at[UINT16_MAX + 1]; /* where a port's name begins, and 1; 0: none */
};

struct word {
	const char *s;
	size_t len;
};

static struct word next_word(const char **p, const char *end)
{
	struct word w;

	while (*p < end && (**p == ' ' || **p == '\t' || **p == '\r'))
		(*p)++;
	w.s = *p;
	while (*p < end && **p != ' ' && **p != '\t' && **p != '\r')
		(*p)++;
	w.len = (size_t)(*p - w.s);
	return w;
}

/* No blank, nothing that drives a terminal, and not a number. */
static bool is_name(struct word w)
{
	bool letter = false;

	if (!w.len || w.len > NAME_MAX_LEN)
		return false;
	for (size_t i = 0; i < w.len; i++) {
		if (w.s[i] <= ' ' || w.s[i] > '~' || w.s[i] == '|')
			return false;
		letter |= (w.s[i] | 0x20) >= 'a' && (w.s[i] | 0x20) <= 'z';
	}
	return letter;
}

/* "80/tcp"; -1: something else. */
static int parse_port(struct word w)
{
	size_t i;
	int port = 0;

	for (i = 0; i < w.len && i < 6 && w.s[i] >= '0' && w.s[i] <= '9'; i++)
		port = port * 10 + (w.s[i] - '0');
	if (!i || port > UINT16_MAX || w.len - i != 4 || memcmp(w.s + i, "/tcp", 4))
		return -1;
	return port;
}

static void take_line(struct services *s, const char *p, const char *end)
{
	struct word name = next_word(&p, end), port = next_word(&p, end);
	int n = parse_port(port);

	if (n < 0 || !is_name(name) || s->at[n])
		return;
	s->at[n] = (uint32_t)s->names.len + 1;
	text_add(&s->names, name.s, name.len);
	text_add(&s->names, "", 1);
	if (s->names.cut)
		s->at[n] = 0;
}

int services_parse(struct services **out, const char *text, size_t len)
{
	const char *end = text + len, *line_end, *hash;
	struct services *s = calloc(1, sizeof(*s));

	if (!s)
		return -ENOMEM;
	while (text < end) {
		line_end = memchr(text, '\n', (size_t)(end - text));
		if (!line_end)
			line_end = end;
		hash = memchr(text, '#', (size_t)(line_end - text));
		take_line(s, text, hash ? hash : line_end);
		text = line_end + 1;
	}
	*out = s;
	return 0;
}

int services_open(struct services **out, const char *path)
{
	struct text t = { 0 };
	int err;

	err = read_file_at(AT_FDCWD, path, &t, FILE_MAX);
	if (!err)
		err = services_parse(out, text_str(&t), t.len);
	text_free(&t);
	return err;
}

void services_close(struct services *s)
{
	if (!s)
		return;
	text_free(&s->names);
	free(s);
}

const char *services_name(const struct services *s, uint16_t port)
{
	return s->at[port] ? s->names.s + s->at[port] - 1 : NULL;
}
