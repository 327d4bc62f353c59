/* SPDX-License-Identifier: MIT */
#include "base/log.h"

#include <stdarg.h>
#include <unistd.h>

#include "base/out.h"

/* How long a line waits for a reader of stderr who does not read. */
#define LINE_WAIT_MS 1000

static bool verbose;
static struct out err_out;
static bool err_open;

void log_set_verbose(bool on)
{
	verbose = on;
}

bool log_is_verbose(void)
{
	return verbose;
}

/* One write for one line, so that lines of several writers do not mix. What the reader
 * does not take in time is dropped: a stalled terminal must not keep us from ending. */
static void log_line(const char *prefix, const char *fmt, va_list ap)
{
	if (!err_open) {
		out_open(&err_out, STDERR_FILENO, -1);
		err_open = true;
	}
	text_puts(&err_out.buf, prefix);
	text_vprintf(&err_out.buf, fmt, ap);
	text_puts(&err_out.buf, "\n");
	if (out_flush(&err_out, LINE_WAIT_MS))
		text_reset(&err_out.buf);
}

void log_close(void)
{
	if (err_open)
		out_close(&err_out);
	err_open = false;
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
