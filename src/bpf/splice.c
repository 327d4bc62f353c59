/* SPDX-License-Identifier: MIT */
/*
 * A lexer that sees what clang's sees of directives: lines that a backslash joins, comments,
 * literals, and '#' or '%:' as the first on a line. What an #if takes out is looked at as well,
 * as clang does. Nothing here knows a line's number; that is counted for an error.
 */
#include "bpf/splice.h"

#include <ctype.h>
#include <errno.h>
#include <limits.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "base/num.h"

#define MAX_IFS 256

struct checker {
	const char *label, *text;
	struct text *why;
	int ifs;
	struct {
		const char *at;
		bool has_else;
	} open[MAX_IFS];
};

/* How many lines end between the two, and where the last one begins. */
static int count_lines(const char *p, const char *end, const char **begin)
{
	int n = 0;

	for (*begin = p; p < end; p++)
		if (*p == '\n' || (*p == '\r' && p[1] != '\n')) {
			n++;
			*begin = p + 1;
		}
	return n;
}

static int fail(struct checker *c, const char *at, const char *message)
{
	const char *begin;
	int line = count_lines(c->text, at, &begin) + 1;

	text_printf(c->why, "%s:%d:%d: error: %s", c->label, line, (int)(at - begin) + 1, message);
	return -EINVAL;
}

static bool is_blank(char c)
{
	return c && strchr(" \t\v\f", c);
}

static bool is_line_end(char c)
{
	return c == '\n' || c == '\r';
}

/* What follows the line ends at p that a backslash takes away, or p. Blanks may stand between
 * the two. */
static const char *joined(const char *p)
{
	const char *end;

	while (*p == '\\') {
		for (end = p + 1; is_blank(*end); end++)
			;
		if (!is_line_end(*end))
			break;
		p = end + (end[0] == '\r' && end[1] == '\n' ? 2 : 1);
	}
	return p;
}

static const char *next(const char *p)
{
	return joined(p + 1);
}

/* What follows the comment at p; p where there is none; NULL where it has no end. */
static const char *skip_comment(const char *p)
{
	const char *second = *p == '/' ? next(p) : p;

	if (second == p || (*second != '/' && *second != '*'))
		return p;
	if (*second == '/') {
		for (p = second; *p && !is_line_end(*p); p = next(p))
			;
		return p;
	}
	for (p = next(second); *p; p = next(p))
		if (*p == '*' && *next(p) == '/')
			return next(next(p));
	return NULL;
}

/* What follows the string or character at p. One that is not closed ends with its line. */
static const char *skip_literal(const char *p)
{
	char quote = *p;

	for (p = next(p); *p && *p != quote && !is_line_end(*p); p = next(p))
		if (*p == '\\' && *next(p) && !is_line_end(*next(p)))
			p = next(p);
	return *p == quote ? next(p) : p;
}

/* A directive of this name, which stands at `at`. */
static int conditional(struct checker *c, const char *name, const char *at)
{
	bool is_else = !strcmp(name, "else"), closes = !strcmp(name, "endif");
	char message[64];

	if (!strcmp(name, "if") || !strcmp(name, "ifdef") || !strcmp(name, "ifndef")) {
		if (c->ifs == MAX_IFS)
			return fail(c, at, "too many #if in each other");
		c->open[c->ifs].at = at;
		c->open[c->ifs++].has_else = false;
		return 0;
	}
	if (!is_else && !closes && strcmp(name, "elif") != 0 && strcmp(name, "elifdef") != 0 &&
	    strcmp(name, "elifndef") != 0)
		return 0;
	if (!c->ifs || (!closes && c->open[c->ifs - 1].has_else)) {
		snprintf(message, sizeof(message), "#%s %s", name,
			 c->ifs ? "after #else" : "without #if");
		return fail(c, at, message);
	}
	c->ifs -= closes;
	if (is_else)
		c->open[c->ifs - 1].has_else = true;
	return 0;
}

/* Behind the '#' at *p, up to the end of the directive's name. */
static int directive(struct checker *c, const char **p)
{
	const char *at, *after;
	char name[16] = "";
	size_t n = 0;

	for (at = *p; *at; at = after) {
		after = is_blank(*at) ? next(at) : skip_comment(at);
		if (!after)
			return fail(c, at, "unterminated /* comment");
		if (after == at)
			break;
	}
	for (*p = at; isalnum((unsigned char)**p) || **p == '_'; *p = next(*p))
		if (n < sizeof(name) - 1)
			name[n++] = **p;
	return conditional(c, name, at);
}

/* The last line takes what follows, which is a #line. */
static const char *continued(const char *text)
{
	size_t n = strlen(text);

	n -= n && text[n - 1] == '\n';
	n -= n && text[n - 1] == '\r';
	while (n && is_blank(text[n - 1]))
		n--;
	return n && text[n - 1] == '\\' ? text + n - 1 : NULL;
}

int splice_check(const char *label, const char *text, struct text *why)
{
	struct checker c = { .label = label, .text = text, .why = why };
	bool fresh = true; /* nothing but blanks and comments on this line so far */
	const char *p, *after;
	int err = 0;

	for (p = joined(text); *p && !err; p = after) {
		after = skip_comment(p);
		if (!after)
			return fail(&c, p, "unterminated /* comment");
		if (after != p)
			continue;
		after = next(p);
		if (is_line_end(*p)) {
			fresh = true;
		} else if (fresh && (*p == '#' || (*p == '%' && *after == ':'))) {
			after = *p == '#' ? after : next(after);
			err = directive(&c, &after);
			fresh = false;
		} else if (!is_blank(*p)) {
			fresh = false;
			if (*p == '"' || *p == '\'')
				after = skip_literal(p);
		}
	}
	if (err)
		return err;
	if (c.ifs)
		return fail(&c, c.open[c.ifs - 1].at, "unterminated conditional directive");
	if (continued(text))
		return fail(&c, continued(text), "backslash-newline at end of file");
	return 0;
}

/* What is larger is not believed: the text behind it has fewer lines than are left to INT_MAX. */
#define LINE_MAX_GIVEN (INT_MAX / 2)

/* The number that a #line gives to the line behind it, or 0. */
static int line_directive(const char *p)
{
	uint64_t line = 0;
	char number[16] = "";
	size_t n;

	p += strspn(p, " \t");
	if (!strncmp(p, "line", 4))
		p += 4;
	p += strspn(p, " \t");
	n = strspn(p, "0123456789");
	if (n && n < sizeof(number)) {
		memcpy(number, p, n);
		num_parse(number, 0, LINE_MAX_GIVEN, &line);
	}
	return (int)line;
}

/* "#else", "#elif...", "#endif": what is left out before it may hold a #line that nobody took. */
static bool ends_branch(const char *p)
{
	p += strspn(p, " \t");
	return !strncmp(p, "el", 2) || !strncmp(p, "endif", 5);
}

void splice_mark(const char *text, struct text *out)
{
	bool in_directive = false, resume = false;
	int line = 1, given = 0, depth = 0; /* of parentheses */
	char last = '\n';                   /* on this line that is not blank */
	const char *p, *after, *begin;

	for (p = text; *p; p = after) {
		after = skip_comment(p);
		if (!after)
			after = p + strlen(p);
		else if (after == p)
			after = *p == '"' || *p == '\'' ? skip_literal(p) : next(p);
		text_add(out, p, (size_t)(after - p));
		line += count_lines(p, after, &begin);
		if (*p == '\r' && p[1] == '\n')
			continue; /* half of it */
		if (is_line_end(*p)) {
			if (given) { /* a file begins */
				line = given;
				depth = 0;
			} else if (resume ||
				   (!in_directive && !depth && (last == '{' || last == '}'))) {
				text_printf(out, "#line %d\n", line);
			}
			in_directive = resume = false;
			given = 0;
			last = '\n';
		} else if (*p == '#' && last == '\n') {
			in_directive = true;
			given = line_directive(p + 1);
			resume = ends_branch(p + 1);
			last = '#';
		} else if (!is_blank(*p) && *p != '/' && !in_directive) {
			depth += (*p == '(') - (*p == ')' && depth);
			last = *p;
		}
	}
}
