/* SPDX-License-Identifier: MIT */
#include "app/difference.h"

#include <string.h>

static bool has_line(const struct text *t, const char *line, size_t len)
{
	const char *p = text_str(t);

	for (; *p; p += strcspn(p, "\n"), p += *p == '\n')
		if (strcspn(p, "\n") == len && !strncmp(p, line, len))
			return true;
	return false;
}

/* The lines of one that the other has not. */
static void add_new_lines(struct text *out, const struct text *now, const struct text *before)
{
	const char *p = text_str(now);
	size_t len;

	for (; *p; p += len, p += *p == '\n') {
		len = strcspn(p, "\n");
		if (has_line(before, p, len))
			continue;
		text_puts(out, out->len ? "\n" : "");
		text_add(out, p, len);
	}
}

static void add_gone_stages(struct text *out, const struct session *now, const struct session *old)
{
	int i, k;

	for (i = 0; i < old->stages.n; i++) {
		if (!old->lines[i].served)
			continue;
		for (k = 0; k < now->stages.n; k++)
			if (!strcmp(now->stages.v[k].name, old->stages.v[i].name))
				break;
		if (k == now->stages.n)
			text_printf(out, "%sStage %s: removed", out->len ? "\n" : "",
				    old->stages.v[i].name);
	}
}

static const struct part *find_part(const struct source *src, const char *name)
{
	size_t i;

	for (i = 0; i < src->n; i++)
		if (!strcmp(src->parts[i].name, name))
			return &src->parts[i];
	return NULL;
}

static void add_changed(struct text *out, const struct part *p, const char *remark)
{
	text_puts(out, out->len ? ", " : "");
	text_add_escaped(out, p->label, strlen(p->label), false);
	text_puts(out, remark);
}

void difference_parts(struct text *out, const struct source *now, const struct source *before)
{
	const struct part *p;
	size_t i;

	for (i = 0; i < now->n; i++) {
		p = find_part(before, now->parts[i].name);
		if (!p || p->digest != now->parts[i].digest ||
		    strcmp(p->label, now->parts[i].label))
			add_changed(out, &now->parts[i], p ? "" : " (new)");
	}
	for (i = 0; i < before->n; i++)
		if (!find_part(now, before->parts[i].name))
			add_changed(out, &before->parts[i], " (removed)");
}

void difference_stages(struct text *out, const struct session *now, const struct session *old)
{
	add_new_lines(out, &now->said, &old->said);
	add_gone_stages(out, now, old);
}
