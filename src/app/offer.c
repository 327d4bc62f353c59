/* SPDX-License-Identifier: MIT */
#include "app/offer.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "app/buffers.h"
#include "bpf/missed.h"
#include "bpf/stub.h"

/* What the broker logs is kept up to here. */
#define LOG_MAX ((size_t)1 << 20)
#define SOURCE_MAX ((size_t)8 << 20)
#define MAX_PARTS 1024

void offer_init(struct offer *o)
{
	memset(o, 0, sizeof(*o));
	o->s.program = (struct program)NO_PROGRAM;
}

void offer_drop(struct offer *o)
{
	session_close(&o->s);
	text_free(&o->log);
	offer_init(o);
}

/* --- the answer --------------------------------------------------------------------- */

static int take_hook(struct offer *o, const struct wire_reply *r, int *fds)
{
	struct hooks *hs = &o->s.hooks;
	struct text why = { 0 };
	struct hook *h;
	int n = hs->n, err;

	err = hooks_add(hs, (enum hook_kind)r->hook.kind, r->hook.target, "", 0, &why);
	text_free(&why);
	if (err || hs->n != n + 1)
		return err ? err : -EPROTO;
	h = &hs->v[n];
	strcpy(h->symbol, r->hook.symbol);
	o->place[n] = (enum wire_place)r->hook.place;
	o->address[n] = r->hook.address;
	h->prog_fd = fds[0];
	h->stub_fd = fds[1];
	h->slot_fd = fds[2];
	h->link_fd = fds[3];
	fds[0] = fds[1] = fds[2] = fds[3] = -1;
	h->compiled = h->prog_fd >= 0;
	h->typed = r->hook.typed;
	h->witness = r->hook.witness;
	h->told = (enum hook_told)r->hook.told;
	return 0;
}

static int take_maps(struct offer *o, int *fds)
{
	if (o->s.program.counters_fd >= 0)
		return -EPROTO;
	o->s.program.counters_fd = fds[0];
	o->s.program.events_fd = fds[1];
	o->s.program.shared_fd = fds[2];
	o->s.program.owners_fd = fds[3];
	fds[0] = fds[1] = fds[2] = fds[3] = -1;
	return 0;
}

int offer_take(struct offer *o, const struct wire_reply *r, int fds[WIRE_MAX_FDS])
{
	switch (r->kind) {
	case WIRE_TEXT:
		if (o->log.len < LOG_MAX)
			text_add_escaped(&o->log, r->text, strlen(r->text), true);
		return 0;
	case WIRE_SAID:
		if (o->s.said.len < LOG_MAX)
			text_add_escaped(&o->s.said, r->text, strlen(r->text), true);
		return 0;
	case WIRE_SOURCE:
		if (o->s.text.len < SOURCE_MAX)
			text_puts(&o->s.text, r->text);
		return 0;
	case WIRE_PART:
		if (o->s.source.n == MAX_PARTS)
			return -EPROTO;
		return source_note(&o->s.source, r->part.name, r->part.label, r->part.digest);
	case WIRE_MAPS:
		return take_maps(o, fds);
	case WIRE_HOOK:
		return take_hook(o, r, fds);
	case WIRE_STAGE:
		if (o->served_n == OFFER_MAX_STAGES)
			return -EPROTO;
		o->served[o->served_n++] = r->stage.served;
		return 0;
	}
	return -EPROTO;
}

/* What each hook is shown as: the name that its stage gives it. */
static void fill_shown(struct offer *o)
{
	const struct stage_hook *sh;
	struct session *s = &o->s;
	int i, k;

	for (i = 0; i < s->stages.n; i++)
		for (k = 0; k < s->stages.v[i].n; k++) {
			sh = &s->stages.v[i].v[k];
			s->shown[sh->hook].address = o->address[sh->hook];
			if (o->place[sh->hook] != WIRE_NOWHERE)
				s->shown[sh->hook].shown = sh->shown;
		}
}

/* A hook that is said to be attached must be: by the session that runs. */
static bool places_hold(const struct offer *o, const struct session *running)
{
	const struct hook *h;
	int i, k;

	for (i = 0; i < o->s.hooks.n; i++) {
		h = &o->s.hooks.v[i];
		k = hooks_find(&running->hooks, h->kind, h->target);
		if (o->place[i] == WIRE_LIVE && (k < 0 || running->hooks.v[k].link_fd < 0))
			return false;
	}
	return true;
}

int offer_complete(struct offer *o, const struct session *running, struct setting *setting,
		   const struct wire_reply *r)
{
	struct session *s = &o->s;
	int i, err;

	if (s->program.counters_fd < 0 || r->done.hooks != (uint32_t)s->hooks.n ||
	    r->done.stages != (uint32_t)o->served_n || r->done.extra != (uint32_t)setting->extra ||
	    !places_hold(o, running))
		return -EPROTO;
	session_set(s, setting);
	if (!buffers_slots(s->conf)) { /* it was sent for nothing */
		close(s->program.shared_fd);
		s->program.shared_fd = -1;
	}
	if (!setting->owners) {
		close(s->program.owners_fd);
		s->program.owners_fd = -1;
	}
	s->extra = setting->extra;
	s->netns = r->done.netns;
	s->stop_fd = running->stop_fd;
	err = session_plan(s);
	if (!err && s->stages.n != o->served_n)
		err = -EPROTO;
	if (!err)
		err = session_make_lines(s);
	if (err)
		return err;
	for (i = 0; i < s->stages.n; i++) {
		s->lines[i].served = o->served[i];
		s->served += o->served[i];
	}
	fill_shown(o);
	o->compile_ns = r->done.compile_ns;
	o->load_ns = r->done.load_ns;
	o->attach_ns = r->done.attach_ns;
	return 0;
}

/* --- into its place ----------------------------------------------------------------- */

/* The hook of `old` that is in the place of hook i of the offer, or NULL. */
static struct hook *live_of(struct session *old, const struct offer *o, int i)
{
	const struct hook *h = &o->s.hooks.v[i];
	int k = hooks_find(&old->hooks, h->kind, h->target);

	return o->place[i] == WIRE_LIVE && k >= 0 ? &old->hooks.v[k] : NULL;
}

/* Lets every hook of the offer jump to its new program. All or nothing. */
static int flip(struct session *old, const struct offer *o)
{
	const struct hook *h, *live;
	int i, err = 0;

	for (i = 0; i < o->s.hooks.n && !err; i++) {
		h = &o->s.hooks.v[i];
		live = live_of(old, o, i);
		if (o->place[i] != WIRE_NOWHERE)
			err = stub_set(live ? live : h, h->prog_fd);
	}
	if (!err)
		return 0;
	while (i-- > 0) {
		live = live_of(old, o, i);
		if (live)
			stub_set(live, live->prog_fd);
	}
	return err;
}

/* All that may fail for want of memory, before anything is changed: places for the old
 * program's tallies, and the new lines. */
static int make_books(struct session *n, struct session *old)
{
	const struct tally none = { 0 };
	int i, err = 0;

	for (i = 0; i < old->stages.n && !err; i++)
		if (old->lines[i].served)
			err = account_leave(&old->account, old->lines[i].stage, &none);
	if (err)
		return err;
	account_inherit(&n->account, &old->account);
	err = session_make_lines(n);
	if (err)
		account_inherit(&old->account, &n->account);
	return err;
}

/* Returns 0, or -errno with nothing changed but the spare rings. */
static int take_over(struct offer *o, struct session *cur)
{
	struct session *n = &o->s;
	int err = 0;

	if (cur->rings) /* old and new take the two sets in turn */
		err = rings_enter(cur->spare, n->program.events_fd);
	if (!err)
		err = buffers_open_shared(n);
	if (!err)
		err = make_books(n, cur);
	if (err)
		return err;
	missed_begin(&n->hooks, n->program.counters_fd);
	err = flip(cur, o);
	if (err)
		account_inherit(&cur->account, &n->account);
	return err;
}

int offer_put_in_place(struct offer *o, struct session *cur, struct session *old)
{
	struct session *n = &o->s;
	struct hook *live;
	int i, err;

	err = take_over(o, cur);
	if (err && cur->spare)
		rings_enter(cur->spare, -1); /* its map goes with the offer */
	if (err)
		return err;
	for (i = 0; i < n->hooks.n; i++) {
		live = live_of(cur, o, i);
		if (live)
			stub_move(&n->hooks.v[i], live);
	}
	n->rings = cur->spare;
	cur->spare = NULL;
	*old = *cur;
	*cur = *n;
	*n = (struct session){ .program = NO_PROGRAM };
	session_detach(old); /* the hooks that only it had */
	return 0;
}
