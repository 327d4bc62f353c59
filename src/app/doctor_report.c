/* SPDX-License-Identifier: MIT */
#include "app/doctor_report.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>

#include "app/doctor.h"
#include "base/log.h"
#include "sink/json_text.h"

#define WORD_WIDTH 8

/* For people, and for machines. */
static const char *const word[VERDICT_NR] = { "ok", "note", "LIMIT", "PROBLEM" };
static const char *const json_word[VERDICT_NR] = { "ok", "note", "limit", "problem" };

void report_add(struct report *r, enum verdict verdict, const char *name, const char *advice,
		const char *fmt, ...)
{
	struct finding *v;
	va_list ap;

	v = realloc(r->v, (size_t)(r->n + 1) * sizeof(*v));
	if (!v) {
		r->incomplete = true;
		return;
	}
	r->v = v;
	v += r->n++;
	*v = (struct finding){ .group = r->group, .name = strdup(name), .verdict = verdict };
	va_start(ap, fmt);
	text_vprintf(&v->said, fmt, ap);
	va_end(ap);
	if (advice)
		text_puts(&v->advice, advice);
}

void report_free(struct report *r)
{
	int i;

	for (i = 0; i < r->n; i++) {
		free(r->v[i].name);
		text_free(&r->v[i].said);
		text_free(&r->v[i].advice);
	}
	free(r->v);
	*r = (struct report){ 0 };
}

enum verdict report_verdict(const struct report *r)
{
	enum verdict worst = r->incomplete ? VERDICT_PROBLEM : VERDICT_OK;
	int i;

	for (i = 0; i < r->n; i++)
		if (r->v[i].verdict > worst)
			worst = r->v[i].verdict;
	return worst;
}

int report_exit_status(const struct report *r)
{
	switch (report_verdict(r)) {
	case VERDICT_OK:
	case VERDICT_NOTE:
		return 0;
	case VERDICT_LIMIT:
		return EXIT_LIMITED;
	case VERDICT_PROBLEM:
	case VERDICT_NR:
		break;
	}
	return 1;
}

static const char *json_verdict(enum verdict v)
{
	return v < VERDICT_NR ? json_word[v] : json_word[VERDICT_PROBLEM];
}

static const char *name_of(const struct finding *f)
{
	return f->name ? f->name : "?";
}

static void add_summary(const struct report *r, struct text *out)
{
	switch (report_verdict(r)) {
	case VERDICT_OK:
	case VERDICT_NOTE:
		text_puts(out, "Everything works here.\n");
		break;
	case VERDICT_LIMIT:
		text_puts(out, "It works here, but not all of it: see the lines with LIMIT.\n");
		break;
	case VERDICT_PROBLEM:
	case VERDICT_NR:
		text_puts(out, "It does not work here: see the lines with PROBLEM.\n");
		break;
	}
}

/* The longest name of the group that begins at v[i]. */
static int name_width(const struct report *r, int i)
{
	const char *group = r->v[i].group;
	size_t width = 0;

	for (; i < r->n && !strcmp(r->v[i].group, group); i++)
		if (strlen(name_of(&r->v[i])) > width)
			width = strlen(name_of(&r->v[i]));
	return (int)width;
}

/* Advice has a line of its own, where a command fits in one piece. */
static void add_finding(const struct finding *f, int width, struct text *out)
{
	text_printf(out, "  %-*s %-*s  ", WORD_WIDTH, word[f->verdict], width, name_of(f));
	text_add_escaped(out, text_str(&f->said), f->said.len, false);
	text_puts(out, "\n");
	if (f->advice.len) {
		text_printf(out, "  %-*s ", WORD_WIDTH, "");
		text_add_escaped(out, f->advice.s, f->advice.len, false);
		text_puts(out, "\n");
	}
}

void report_text(const struct report *r, struct text *out)
{
	const char *group = "";
	int i, width = 0;

	for (i = 0; i < r->n; i++) {
		if (strcmp(group, r->v[i].group)) {
			text_printf(out, "%s%s\n", i ? "\n" : "", r->v[i].group);
			group = r->v[i].group;
			width = name_width(r, i);
		}
		add_finding(&r->v[i], width, out);
	}
	text_puts(out, "\n");
	add_summary(r, out);
}

void report_json(const struct report *r, struct text *out)
{
	struct json j = { .out = out };
	struct utsname un;
	int i;

	json_open(&j, NULL, '{');
	json_string(&j, "program", PROGRAM_NAME);
	json_string(&j, "version", VERSION);
	if (!uname(&un)) {
		json_string(&j, "kernel", un.release);
		json_string(&j, "machine", un.machine);
	}
	json_string(&j, "verdict", json_verdict(report_verdict(r)));
	json_number(&j, "exit_status", report_exit_status(r));
	json_open(&j, "checks", '[');
	for (i = 0; i < r->n; i++) {
		json_open(&j, NULL, '{');
		json_string(&j, "group", r->v[i].group);
		json_string(&j, "name", name_of(&r->v[i]));
		json_string(&j, "verdict", json_verdict(r->v[i].verdict));
		json_string(&j, "text", text_str(&r->v[i].said));
		if (r->v[i].advice.len)
			json_string(&j, "advice", r->v[i].advice.s);
		else
			json_null(&j, "advice");
		json_close(&j, '}');
	}
	json_close(&j, ']');
	json_close(&j, '}');
}
