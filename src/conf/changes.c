/* SPDX-License-Identifier: MIT */
#include "conf/changes.h"

#include <errno.h>
#include <string.h>

#include "base/spell.h"
#include "conf/option_table.h"
#include "conf/options.h"

#define MAX_SHOWN 60 /* bytes of a name that a message repeats */

static const char *const on_off[] = { "on", "off", NULL };

/* --- which option ------------------------------------------------------------------ */

/* The options that may be changed, one after the other; NULL behind the last. */
static const struct option_def *next_live(size_t *at)
{
	while (*at < option_count)
		if (option_table[(*at)++].live != LIVE_NOT)
			return &option_table[*at - 1];
	return (*at)++ == option_count ? &interval_option : NULL;
}

/* Also one that may not be changed. */
static const struct option_def *find_any(const char *name, size_t len)
{
	const struct option_def *o = &interval_option;

	return strlen(o->name) == len && !memcmp(o->name, name, len) ? o : option_find(name, len);
}

static const char *nearest(const char *name, size_t len)
{
	size_t least = spell_limit(len) + 1, d, at = 0;
	const struct option_def *o;
	const char *best = NULL;

	while ((o = next_live(&at))) {
		d = spell_distance(name, len, o->name);
		if (d < least) {
			least = d;
			best = o->name;
		}
	}
	return best;
}

static const struct option_def *find(const char *name, size_t len, struct text *why)
{
	const struct option_def *o;
	const char *near;

	if (len > 2 && !strncmp(name, "--", 2)) { /* as on the command line */
		name += 2;
		len -= 2;
	}
	o = find_any(name, len);
	if (o && o->live != LIVE_NOT)
		return o;
	if (o) {
		text_printf(why, "--%s cannot be changed while the monitor runs", o->name);
		return NULL;
	}
	near = nearest(name, len);
	text_puts(why, "no option is called '");
	text_add_escaped(why, name, len < MAX_SHOWN ? len : MAX_SHOWN, false);
	text_puts(why, len < MAX_SHOWN ? "'" : "...'");
	if (near)
		text_printf(why, "; did you mean '%s'?", near);
	else
		text_puts(why, "; 'help set' lists those that can be changed");
	return NULL;
}

const char *changes_option(int n)
{
	const struct option_def *o;
	size_t at = 0;

	while ((o = next_live(&at)))
		if (!n--)
			return o->name;
	return NULL;
}

const char *const *changes_words(const char *name)
{
	const struct option_def *o = find_any(name, strlen(name));

	if (!o || o->live == LIVE_NOT)
		return NULL;
	return o->type == OPT_FLAG ? on_off : o->words;
}

void changes_help(struct text *out)
{
	const struct option_def *o;
	size_t at = 0;

	while ((o = next_live(&at))) {
		text_printf(out, "  %s %s\t", o->name,
			    o->arg     ? o->arg
			    : o->words ? "WORD"
				       : "on|off");
		text_add(out, o->help, strcspn(o->help, ";:("));
		text_puts(out, "\n");
	}
}

/* --- setting ----------------------------------------------------------------------- */

/* True for "NAME" and "NAME=...". */
static bool is_of(const char *s, const struct option_def *o)
{
	size_t len = strlen(o->name);

	return !strncmp(s, o->name, len) && (!s[len] || s[len] == '=');
}

static void take_out(struct changes *c, const struct option_def *o)
{
	size_t at = 0, len;

	while (at < c->len) {
		len = strlen(c->text + at) + 1;
		if (!is_of(c->text + at, o)) {
			at += len;
			continue;
		}
		memmove(c->text + at, c->text + at + len, c->len - at - len);
		c->len -= (uint32_t)len;
	}
}

static int add(struct changes *c, const struct option_def *o, const char *value, struct text *why)
{
	size_t name = strlen(o->name), more = value ? strlen(value) + 1 : 0;

	if (c->len + name + more + 1 > sizeof(c->text)) {
		text_printf(why, "%s: more than %d bytes of changes", o->name, CHANGES_MAX);
		return -EINVAL;
	}
	memcpy(c->text + c->len, o->name, name + 1);
	if (value) {
		c->text[c->len + name] = '=';
		memcpy(c->text + c->len + name + 1, value, more);
	}
	c->len += (uint32_t)(name + more + 1);
	return 0;
}

static bool is_list(const struct option_def *o)
{
	return o->type == OPT_LIST || o->type == OPT_PREFIXES || o->type == OPT_PORTS ||
	       o->type == OPT_PIDS || o->type == OPT_COMMS;
}

int changes_set(struct changes *c, const char *name, const char *value, enum change_kind *kind,
		struct text *why)
{
	const struct option_def *o = find(name, strlen(name), why);
	bool none = !strcmp(value, "any") || !strcmp(value, "default");
	int err;

	if (!o)
		return -EINVAL;
	*kind = o->live == LIVE_HERE      ? CHANGE_LOOKS
		: o->live == LIVE_BLOCKS  ? CHANGE_BLOCKS
		: o->live == LIVE_COLUMNS ? CHANGE_COLUMNS
					  : CHANGE_PROGRAM;
	if (o->type == OPT_FLAG && !strcmp(value, "off"))
		none = true;
	if (!none && is_list(o) && value[0] == '+')
		return add(c, o, value + 1, why);
	take_out(c, o);
	err = add(c, o, NULL, why);
	return err || none ? err : add(c, o, value, why);
}

/* --- applying ---------------------------------------------------------------------- */

bool changes_ok(const struct changes *c)
{
	return c->len <= sizeof(c->text) && (!c->len || !c->text[c->len - 1]);
}

static int apply(struct config *conf, const char *s, struct text *why)
{
	size_t len = strcspn(s, "=");
	const struct option_def *o = find(s, len, why);

	if (!o)
		return -EINVAL;
	if (!s[len]) {
		option_reset(conf, o);
		return 0;
	}
	s += len + 1;
	if (o->type != OPT_FLAG || !strcmp(s, "on"))
		return option_take(conf, o, o->name, s, why);
	text_printf(why, "%s: '", o->name);
	text_add_escaped(why, s, strnlen(s, MAX_SHOWN), false);
	text_puts(why, "' is not on or off");
	return -EINVAL;
}

int changes_apply(const struct changes *c, struct config *conf, struct text *why)
{
	size_t at;
	int err = 0;

	for (at = 0; at < c->len && !err; at += strlen(c->text + at) + 1)
		err = apply(conf, c->text + at, why);
	return err ? err : options_check(conf, why);
}

/* --- telling ----------------------------------------------------------------------- */

static void add_value(struct text *out, const struct config *conf, const struct option_def *o)
{
	size_t before = out->len;

	option_format(conf, o, out);
	if (out->len == before)
		text_puts(out, o->type == OPT_FLAG        ? "off"
			       : o->group == GROUP_FILTER ? "any"
							  : "default");
}

void changes_describe(const struct config *before, const struct config *now, struct text *out)
{
	struct text was = { 0 }, is = { 0 };
	const struct option_def *o;
	size_t at = 0;

	while ((o = next_live(&at))) {
		text_reset(&was);
		text_reset(&is);
		add_value(&was, before, o);
		add_value(&is, now, o);
		if (strcmp(text_str(&was), text_str(&is)) != 0)
			text_printf(out, "%s%s %s", out->len ? "; " : "", o->name, text_str(&is));
	}
	text_free(&was);
	text_free(&is);
}

int changes_show(const struct config *conf, const char *name, struct text *out, struct text *why)
{
	const struct option_def *o = find(name, strlen(name), why);

	if (!o)
		return -EINVAL;
	text_printf(out, "%s: ", o->name);
	add_value(out, conf, o);
	text_puts(out, "\n");
	return 0;
}
