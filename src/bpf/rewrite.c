/* SPDX-License-Identifier: MIT */
#include "bpf/rewrite.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdbool.h>
#include <string.h>

/* Nothing but blanks and the beginning of a comment up to the end of the line. */
static bool ends_here(const char *p, const char *end)
{
	while (p < end && (isblank((unsigned char)*p) || *p == '\r'))
		p++;
	return p == end || (end - p >= 2 && p[0] == '/' && (p[1] == '/' || p[1] == '*'));
}

/* The number on a line "#define NAME number [comment]", and its length; NULL when the
 * line is something else. */
static const char *constant_on_line(const char *line, const char *end, const char *name,
				    size_t *len)
{
	const char *p = line;
	size_t n = strlen(name);

	while (p < end && (*p == ' ' || *p == '\t'))
		p++;
	if (p == end || *p++ != '#')
		return NULL;
	while (p < end && (*p == ' ' || *p == '\t'))
		p++;
	if (end - p < 7 || strncmp(p, "define", 6) || !isblank((unsigned char)p[6]))
		return NULL;
	for (p += 6; p < end && isblank((unsigned char)*p);)
		p++;
	if ((size_t)(end - p) <= n || strncmp(p, name, n) || !isblank((unsigned char)p[n]))
		return NULL;
	for (p += n; p < end && isblank((unsigned char)*p);)
		p++;
	if (p == end || !isdigit((unsigned char)*p))
		return NULL;
	for (*len = 0; p + *len < end && isalnum((unsigned char)p[*len]);)
		(*len)++;
	return ends_here(p + *len, end) ? p : NULL;
}

/* Returns how many such lines the text has; *at and *len of the last. */
static int find_constant(const struct text *text, const char *name, size_t *at, size_t *len)
{
	const char *line = text_str(text), *end, *number;
	size_t n;
	int found = 0;

	for (; *line; line = *end ? end + 1 : end) {
		end = strchr(line, '\n');
		if (!end)
			end = line + strlen(line);
		number = constant_on_line(line, end, name, &n);
		if (!number)
			continue;
		*at = (size_t)(number - text->s);
		*len = n;
		found++;
	}
	return found;
}

int rewrite_constant(struct source *src, const char *name, uint64_t value, struct text *why)
{
	struct text out = { 0 };
	struct part *p = NULL;
	size_t i, at = 0, len = 0;
	int n, found = 0;

	for (i = 0; i < src->n; i++) {
		n = find_constant(&src->parts[i].text, name, &at, &len);
		if (n)
			p = &src->parts[i];
		found += n;
	}
	if (found != 1) {
		text_printf(
			why,
			"the probes must have exactly one line '#define %s NUMBER', and have %d "
			"(it belongs into config.h)",
			name, found);
		return -EINVAL;
	}
	find_constant(&p->text, name, &at, &len);
	text_add(&out, p->text.s, at);
	text_printf(&out, value > INT32_MAX ? "%" PRIu64 "U" : "%" PRIu64, value);
	text_puts(&out, p->text.s + at + len);
	text_free(&p->text);
	p->text = out;
	return 0;
}
