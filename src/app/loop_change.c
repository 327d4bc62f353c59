/* SPDX-License-Identifier: MIT */
/*
 * What commands change. How rows look changes at once; what the probes do asks for another
 * program, which loop_exchange.c puts in place when it is there.
 */
#include "app/loop_parts.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "bpf/kernel.h"

static int read_books(void *loop)
{
	return loop_read_account(loop);
}

/* --- a file for rows ---------------------------------------------------------------- */

static void say_end_of_tee(struct loop *l, const struct text *why)
{
	console_hide(l->console);
	log_error("%s", text_str(why));
	console_fail(l->console);
}

void loop_tee_write(struct loop *l)
{
	struct text why = { 0 };

	if (tee_write(&l->tee, &why))
		say_end_of_tee(l, &why);
	text_free(&why);
}

void loop_tee_opened(struct loop *l)
{
	struct text why = { 0 }, said = { 0 };
	struct session *s = l->s;
	int fd = swap_take_file(l->swap, &why), err = fd < 0 ? fd : 0;

	text_puts(&said, "tee ");
	text_add_escaped(&said, l->tee_path, strlen(l->tee_path), false);
	if (!err)
		err = tee_begin(&l->tee, fd, l->tee_path, l->view, s->shown, s->hooks.n,
				s->conf->debug_func);
	if (err) {
		text_printf(&said, ": %s", why.len ? why.s : strerror(-err));
		say_end_of_tee(l, &said);
	} else {
		console_hide(l->console);
		log_info("%s: rows go there as well", text_str(&said));
	}
	free(l->tee_path);
	l->tee_path = NULL;
	text_free(&said);
	text_free(&why);
}

static int open_tee(struct loop *l, const char *path, struct text *why)
{
	int err;

	l->tee_path = strdup(path);
	err = l->tee_path ? swap_open_file(l->swap, path) : -ENOMEM;
	if (!err)
		return 0;
	text_printf(why, "tee: %s",
		    err == -EPIPE ? "the process that opens files has ended" : strerror(-err));
	free(l->tee_path);
	l->tee_path = NULL;
	return -EINVAL;
}

/* Rows that were made are written first, and that may fail. */
static int end_tee(struct loop *l, struct text *out, struct text *why)
{
	struct text said = { 0 };
	int err = tee_end(&l->tee, &said);

	text_add(err ? why : out, text_str(&said), said.len);
	text_free(&said);
	return err ? -EINVAL : 0;
}

static int tee(void *loop, const char *path, struct text *out, struct text *why)
{
	struct loop *l = loop;
	bool off = !strcmp(path, "off");

	if (l->s->conf->stats)
		text_puts(why, "tee: there are no rows with -s");
	else if (off && l->tee_path)
		text_puts(why, "tee: the file is still being opened");
	else if (off && !l->tee.path)
		text_puts(why, "tee: no file is written");
	else if (off)
		return end_tee(l, out, why);
	else if (l->tee.path || l->tee_path)
		text_puts(why, "tee: a file is written already; 'tee off' first");
	else
		return open_tee(l, path, why);
	return -EINVAL;
}

static void describe_tee(void *loop, struct text *out)
{
	const struct loop *l = loop;
	const char *path = l->tee_path ? l->tee_path : l->tee.path;

	if (!path)
		return;
	text_add_escaped(out, path, strlen(path), false);
	text_puts(out, l->tee_path ? ", which is being opened" : "");
}

static void mark(void *loop, const char *s, size_t len)
{
	struct loop *l = loop;

	text_add(&l->out.buf, s, len);
	tee_line(&l->tee, s, len);
}

void loop_look(struct loop *l, struct view_change *look)
{
	struct text why = { 0 };
	bool fresh = view_adopt(l->view, look, &l->table);

	loop_note_owners(l);
	if (!fresh) {
		if (l->tee.path)
			table_set_slots(l->tee.table, l->view->columns);
		return;
	}
	table_set_symboliser(l->table, kernel_symbol_at);
	l->host.new_table = true;
	if (l->tee.path &&
	    tee_look(&l->tee, l->view, l->s->shown, l->s->hooks.n, l->s->conf->debug_func)) {
		tee_end(&l->tee, &why);
		say_end_of_tee(l, &why);
	}
	text_free(&why);
}

/* --- options ------------------------------------------------------------------------ */

/* Without another program: -ENODATA where that cannot be. */
static int change_here(struct loop *l, struct setting *setting, struct text *why)
{
	struct session *s = l->s;
	const struct collected *collected = &s->setting->collected;
	struct view_change look;
	struct collected copy;
	int err;

	if (setting->owners && !s->setting->owners) /* nobody notes who uses a socket */
		return -ENODATA;
	err = view_prepare(l->view, &look, &setting->conf, collected, s->shown, s->hooks.n, why);
	if (!err)
		err = collected_copy(&copy, collected);
	if (err) {
		view_forget(&look);
		return err;
	}
	/* this setting is of the program that runs */
	collected_free(&setting->collected);
	setting->collected = copy;
	setting->extra = s->extra;
	setting->owners = s->setting->owners;
	session_set(s, setting);
	loop_look(l, &look);
	l->ends_ns = s->conf->duration_ns ? l->started_ns + s->conf->duration_ns : 0;
	if (s->conf->count && l->rows >= s->conf->count) /* there are as many already */
		l->host.quit = true;
	return 0;
}

/* An end that is there already would come without a word. */
static void say_end(const struct loop *l, struct text *out)
{
	const struct config *c = l->s->conf;
	uint64_t n = c->stats ? account_events(&l->s->account) : l->rows;

	if (c->count && n >= c->count)
		text_printf(out, "The end: there are %" PRIu64 " %s already%s\n", n,
			    c->stats ? "events" : "rows", c->stats ? "; one more block comes" : "");
	else if (l->ends_ns && clock_monotonic_ns() >= l->ends_ns)
		text_puts(out, "The end: so much time has passed already\n");
}

/* Whose sockets are shown can be told only while there is somebody who looks; where that was asked
 * before it has been said. */
static int check_owners(const struct loop *l, const struct config *conf, struct text *why)
{
	const struct owners *o = l->view->table.owners;

	if (!config_asks_owner(conf) || config_asks_owner(l->s->conf) || (o && owners_are_told(o)))
		return 0;
	text_puts(why, "the process that finds out who has a socket has ended");
	return -EINVAL;
}

static int ask_for(struct loop *l, struct setting *setting, struct text *out, struct text *why)
{
	struct text what = { 0 };
	int err = swap_request(l->swap, setting);

	if (err == -EPIPE) {
		text_puts(why, "the process that builds programs has ended: the one that runs can "
			       "not be changed any more");
		return -EINVAL;
	}
	swap_is_asked(l->swap, &what);
	text_printf(out, "Building: %s\n", what.len ? what.s : "the same options");
	text_free(&what);
	return err;
}

/* It is counted from now on, and so are its blocks. */
static void begin_interval(struct loop *l)
{
	l->host.blocks = 0;
	l->block_due_ns = clock_monotonic_ns() + l->s->conf->interval_ns;
}

/*
 * The newest request asks for all that was changed so far, so another change while a program
 * is built takes its place. What changes at once does so in the running setting, too.
 */
static int change(void *loop, const char *option, const char *value, struct text *out,
		  struct text *why)
{
	struct loop *l = loop;
	struct setting *setting = NULL, *here = NULL;
	enum change_kind kind;
	bool asked = swap_is_asked(l->swap, NULL), stats = l->s->conf->stats;
	int err;

	err = setting_change(&setting, swap_setting(l->swap), option, value, &kind, why);
	if (!err && kind == (stats ? CHANGE_COLUMNS : CHANGE_BLOCKS)) {
		text_puts(why, stats ? "there are no columns with -s"
				     : "there are no blocks without -s");
		err = -EINVAL;
	}
	if (!err)
		err = check_owners(l, &setting->conf, why);
	if (!err && kind != CHANGE_PROGRAM) {
		err = setting_change(&here, l->s->setting, option, value, &kind, why);
		if (!err)
			err = change_here(l, here, why);
		if (!err && kind == CHANGE_BLOCKS)
			begin_interval(l);
		if (!err && kind == CHANGE_LOOKS)
			say_end(l, out);
		if (!err && kind != CHANGE_COLUMNS)
			swap_amend(l->swap, setting);
	}
	if (err == -ENODATA ||
	    (!err && (kind == CHANGE_PROGRAM || (kind == CHANGE_COLUMNS && asked))))
		err = ask_for(l, setting, out, why);
	setting_drop(here);
	setting_drop(setting);
	if (err == -ENOMEM)
		text_puts(why, strerror(ENOMEM));
	return err ? -EINVAL : 0;
}

static int reload(void *loop, struct text *out, struct text *why)
{
	struct loop *l = loop;

	return ask_for(l, swap_setting(l->swap), out, why);
}

static bool is_asked(void *loop, struct text *what)
{
	const struct loop *l = loop;

	return swap_is_asked(l->swap, what);
}

static bool is_changing(void *loop)
{
	const struct loop *l = loop;

	return l->leaving.s || l->tee_path || (l->swap && swap_is_asked(l->swap, NULL));
}

void loop_host(struct loop *l)
{
	l->host = (struct console_host){ .session = l->s,
					 .view = l->view,
					 .out = &l->out,
					 .seen = &l->seen,
					 .read_books = read_books,
					 .change = change,
					 .reload = reload,
					 .is_asked = is_asked,
					 .is_changing = is_changing,
					 .tee = tee,
					 .describe_tee = describe_tee,
					 .mark = mark,
					 .loop = l };
}

void loop_drop_changes(struct loop *l)
{
	struct text what = { 0 };

	if (l->swap && swap_is_asked(l->swap, &what) && swap_is_commanded(l->swap)) {
		console_fail(l->console);
		log_info("Not changed: %s%sended before the new program was there", text_str(&what),
			 what.len ? ": " : "");
	}
	text_free(&what);
	if (l->tee_path) {
		log_error("tee: ended before the file was open");
		console_fail(l->console);
	}
	free(l->tee_path);
	l->tee_path = NULL;
}

void loop_close_tee(struct loop *l)
{
	struct text said = { 0 };

	if (tee_end(&l->tee, &said))
		say_end_of_tee(l, &said);
	else if (said.len)
		log_info("%s", said.s);
	text_free(&said);
}
