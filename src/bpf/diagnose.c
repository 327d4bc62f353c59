/* SPDX-License-Identifier: MIT */
#include "bpf/diagnose.h"

#include <ctype.h>
#include <errno.h>
#include <string.h>

/* The line that holds p. */
static void line_of(const char *log, const char *p, const char **from, size_t *len)
{
	while (p > log && p[-1] != '\n')
		p--;
	*from = p;
	*len = strcspn(p, "\n");
}

/* A brace that is not closed is noticed behind the last probe, in text of the host's; the
 * note below tells where it was opened. */
static const char *better_line(const char *hit, const char *from)
{
	const char *note = strstr(hit, ": note: to match this ");

	return note && !strncmp(from, "event-layout:", 13) ? note : hit;
}

/* LLVM gives up with such a line: that ended the compile, whatever clang had said before. */
static const char *last_words(const char *log)
{
	static const char words[] = "LLVM ERROR: ";
	const char *p = strstr(log, words);

	while (p && p > log && p[-1] != '\n')
		p = strstr(p + 1, words);
	return p;
}

/* The line to show; *noted when it is the note under the error and not the error. */
static bool error_line(const char *log, const char **from, size_t *len, bool *noted)
{
	const char *hit = last_words(log), *better;

	if (!hit)
		hit = strcasestr(log, "error: ");
	if (!hit)
		return false;
	line_of(log, hit, from, len);
	better = better_line(hit, *from);
	*noted = better != hit;
	if (*noted)
		line_of(log, better, from, len);
	return true;
}

/* A line about an expression of the user's ("--where", "--col NAME"; question.c). */
static bool of_expression(const char *from)
{
	return !strncmp(from, "--", 2);
}

/* What is said behind the last of `mark` in *from, or all of it. */
static void skip_to(const char *mark, const char **from, size_t *len)
{
	const char *p = *from, *end = *from + *len, *behind = NULL;
	size_t n = strlen(mark);

	for (; (p = memmem(p, (size_t)(end - p), mark, n)); p++)
		behind = p + n;
	if (behind) {
		*from = behind;
		*len = (size_t)(end - behind);
	}
}

/* "--where:COLUMN: message", as what we find wrong with it ourselves. clang has the user's column
 * for a line, columns of C that the user has not written, and for an assertion in a macro what
 * that asserts. */
static void expression_error(const char *from, size_t len, struct text *out)
{
	const char *colon = memchr(from, ':', len);
	size_t place = colon ? (size_t)(colon - from) + 1 : 0;

	place += strspn(from + place, "0123456789");
	text_add_escaped(out, from, place, false);
	from += place;
	len -= place;
	skip_to("error: ", &from, &len);
	if (len > 6 && !strncmp(from, "static", 6)) {
		skip_to("': ", &from, &len);
		skip_to("' \"", &from, &len);
		len -= len && from[len - 1] == '"';
	}
	text_puts(out, ": ");
	text_add_escaped(out, from, len, false);
}

bool diagnose_compile(const char *log, struct text *out)
{
	const char *from;
	size_t len;
	bool noted;

	if (!error_line(log, &from, &len, &noted))
		return false;
	if (noted)
		text_puts(out, "expected '}' or ')': ");
	if (of_expression(from))
		expression_error(from, len, out);
	else
		text_add_escaped(out, from, len, false);
	return true;
}

/* Clang's line with the caret has nothing else but blanks and tildes. */
static bool is_caret_line(const char *line, size_t len)
{
	return len && strspn(line, " \t~^") == len && memchr(line, '^', len);
}

/* Newer clang (19 does) has "   12 | " before the source line and "      | " before the caret: how
 * long that is, or 0. Above an older one's caret such text is the source's own. */
static size_t margin_of(const char *source, size_t source_len, const char *caret, size_t len)
{
	size_t bar = strspn(caret, " ");

	return bar + 2 <= len && bar + 2 <= source_len && !strncmp(caret + bar, "| ", 2) &&
			       !strncmp(source + bar, "| ", 2)
		       ? bar + 2
		       : 0;
}

void diagnose_excerpt(const char *log, struct text *out)
{
	const char *from, *source, *caret;
	size_t len, source_len, margin;
	bool noted;

	if (!error_line(log, &from, &len, &noted) || from[len] != '\n' || of_expression(from))
		return;
	source = from + len + 1;
	source_len = strcspn(source, "\n");
	if (source[source_len] != '\n')
		return;
	caret = source + source_len + 1;
	len = strcspn(caret, "\n");
	margin = margin_of(source, source_len, caret, len);
	if (!is_caret_line(caret + margin, len - margin))
		return;
	text_puts(out, "\n");
	text_add_escaped(out, source + margin, source_len - margin, true);
	text_puts(out, "\n");
	text_add_escaped(out, caret + margin, len - margin, true);
}

/* "FILE:LINE" at the end of a line, but for line 0, which is nobody's. */
static bool is_place(const char *from, size_t len)
{
	size_t digits = 0;

	while (digits < len && isdigit((unsigned char)from[len - 1 - digits]))
		digits++;
	return digits && digits + 1 < len && from[len - 1 - digits] == ':' &&
	       !memchr(from, ' ', len - digits) && from[len - digits] != '0';
}

/* Where in the source that was. The verifier says "; TEXT @ FILE:LINE" before the instructions of
 * a line, older ones "; TEXT"; both only where there is debug information. */
static void source_line(const char *log, const char *refusal, struct text *out)
{
	const char *from = refusal, *text;
	size_t len, text_len;

	while (from > log) {
		line_of(log, from - 1, &from, &len);
		if (strncmp(from, "; ", 2) != 0)
			continue;
		text = from + 2;
		text_len = len - 2;
		skip_to("@ ", &text, &text_len);
		if (text == from + 2 ? strspn(text, " \t") == text_len : !is_place(text, text_len))
			continue;
		text_puts(out, text == from + 2 ? " (at \"" : " (at ");
		text_add_escaped(out, text, text_len, false);
		text_puts(out, text == from + 2 ? "\")" : ")");
		return;
	}
}

/* The last line of the verifier's log that says something: what follows it are totals; and the
 * source's line. */
static void verifier_line(const char *log, struct text *out)
{
	const char *end = strstr(log, "\nprocessed "), *from;

	if (!end)
		return;
	from = end;
	while (from > log && from[-1] != '\n')
		from--;
	text_puts(out, "the kernel's verifier refused it: ");
	text_add_escaped(out, from, (size_t)(end - from), false);
	source_line(log, from, out);
}

bool diagnose_load(const char *log, int error, enum hook_kind kind, struct text *out)
{
	bool tracing = kind == HOOK_FENTRY || kind == HOOK_FEXIT;

	if (strstr(log, "\nprocessed ") || strstr(log, "R0 ") || strstr(log, "invalid ")) {
		verifier_line(log, out);
		if (!out->len)
			text_printf(out, "the kernel's verifier refused it (%s)", strerror(error));
		return true;
	}
	if (tracing && error == EPERM)
		text_puts(out,
			  "the kernel refuses programs of type TRACING (Operation not permitted)");
	else if (tracing && strstr(log, "BTF"))
		text_puts(out, "not in the kernel's BTF, or no BTF");
	else
		text_printf(out, "the kernel did not load it: %s", strerror(error));
	/* too large or too complex, said without a log */
	return error == E2BIG || error == EACCES;
}
