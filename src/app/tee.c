/* SPDX-License-Identifier: MIT */
#include "app/tee.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void drop(struct tee *t)
{
	if (t->fd >= 0)
		close(t->fd);
	table_close(t->table);
	text_free(&t->buf);
	free(t->ends);
	free(t->path);
	*t = (struct tee){ .fd = -1 };
}

int tee_look(struct tee *t, const struct view *v, const struct table_hook *hooks, int n, bool debug)
{
	struct table_view looks = v->table;
	struct table *table;
	int err;

	looks.color = false;
	err = table_open(&table, hooks, n, debug, &looks);
	if (err)
		return err;
	table_close(t->table);
	t->table = table;
	table_header(table, &t->buf);
	return 0;
}

int tee_begin(struct tee *t, int fd, const char *path, const struct view *v,
	      const struct table_hook *hooks, int n, bool debug)
{
	int err;

	*t = (struct tee){ .fd = fd, .path = strdup(path) };
	err = t->path ? tee_look(t, v, hooks, n, debug) : -ENOMEM;
	if (err)
		drop(t);
	return err;
}

static void note_end(struct tee *t)
{
	size_t cap, *ends;

	if (t->ends_n == t->ends_cap) {
		cap = t->ends_cap ? t->ends_cap * 2 : 512;
		ends = realloc(t->ends, cap * sizeof(*ends));
		if (!ends)
			return;
		t->ends = ends;
		t->ends_cap = cap;
	}
	t->ends[t->ends_n++] = t->buf.len;
}

void tee_row(struct tee *t, const struct table_hook *hooks, const struct lnk_record *e,
	     int64_t wall_offset_ns)
{
	if (!t->path)
		return;
	table_set_hooks(t->table, hooks);
	table_row(t->table, e, wall_offset_ns, &t->buf);
	note_end(t);
}

void tee_line(struct tee *t, const char *s, size_t len)
{
	if (t->path)
		text_add(&t->buf, s, len);
}

static int put(struct tee *t, size_t *done)
{
	ssize_t n;

	for (*done = 0; *done < t->buf.len; *done += (size_t)n) {
		n = write(t->fd, t->buf.s + *done, t->buf.len - *done);
		if (n < 0 && errno == EINTR)
			n = 0;
		else if (n <= 0)
			return n ? -errno : -EIO;
	}
	return 0;
}

static void name(const struct tee *t, struct text *out)
{
	text_puts(out, "tee ");
	text_add_escaped(out, t->path, strlen(t->path), false);
}

int tee_write(struct tee *t, struct text *why)
{
	size_t done, in = 0;
	int err;

	if (!t->path || !t->buf.len)
		return 0;
	err = put(t, &done);
	while (in < t->ends_n && t->ends[in] <= done)
		in++;
	t->rows += in;
	if (err) {
		name(t, why);
		text_printf(why, ": %s: ended with %" PRIu64 " rows in it, %zu rows are not",
			    strerror(-err), t->rows, t->ends_n - in);
		drop(t);
		return err;
	}
	t->ends_n = 0;
	text_reset(&t->buf);
	return 0;
}

int tee_end(struct tee *t, struct text *out)
{
	int err = tee_write(t, out);

	if (err || !t->path)
		return err;
	name(t, out);
	text_printf(out, ": %" PRIu64 " rows", t->rows);
	drop(t);
	return 0;
}
