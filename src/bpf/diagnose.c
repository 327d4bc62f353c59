/* SPDX-License-Identifier: MIT */
#include "bpf/diagnose.h"

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

bool diagnose_compile(const char *log, struct text *out)
{
	const char *hit = strcasestr(log, "error: "), *from; /* and "LLVM ERROR: " */
	size_t len;

	if (!hit)
		return false;
	line_of(log, hit, &from, &len);
	if (better_line(hit, from) != hit) {
		line_of(log, better_line(hit, from), &from, &len);
		text_puts(out, "expected '}' or ')': ");
	}
	text_add_escaped(out, from, len, false);
	return true;
}

/* The last line of the verifier's log that says something: what follows it are totals. */
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
