/* SPDX-License-Identifier: MIT */
#include "base/log.h"

#include <stdarg.h>
#include <string.h>
#include <unistd.h>

#include "base/io.h"
#include "base/text.h"

static bool verbose;

void log_set_verbose(bool on)
{
	verbose = on;
}

bool log_is_verbose(void)
{
	return verbose;
}

/* One write for one line, so that lines of several writers do not mix. */
static void log_line(const char *prefix, const char *fmt, va_list ap)
{
	struct text t = { 0 };

	text_puts(&t, prefix);
	text_vprintf(&t, fmt, ap);
	text_puts(&t, "\n");
	write_all(STDERR_FILENO, text_str(&t), t.len);
	text_free(&t);
}

void log_error(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	log_line(PROGRAM_NAME ": ", fmt, ap);
	va_end(ap);
}

void log_info(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	log_line("", fmt, ap);
	va_end(ap);
}

void log_verbose(const char *fmt, ...)
{
	va_list ap;

	if (!verbose)
		return;
	va_start(ap, fmt);
	log_line("", fmt, ap);
	va_end(ap);
}
