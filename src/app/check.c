/* SPDX-License-Identifier: MIT */
#include "app/check.h"

#include <errno.h>

#include "base/log.h"

static int try_loaded(void *arg, const struct stage_hook *sh)
{
	const struct session *s = arg;

	return s->hooks.v[sh->hook].prog_fd >= 0 ? 0 : -ENOENT;
}

/* Whether the programs that the kernel took could serve every stage. */
static bool can_serve_all(struct session *s)
{
	int i;

	for (i = 0; i < s->stages.n; i++)
		if (stage_serve(&s->stages.v[i], try_loaded, s) != FAMILY_BOTH)
			return false;
	return true;
}

static int build(struct session *s, const struct config *conf, const struct ask *ask,
		 const struct choice *choice, int stop_fd)
{
	int err = session_prepare(s, conf, ask, choice, stop_fd);

	return err ? err : session_build(s);
}

/* Returns whether the hook was left out although this kernel might take it. */
static bool report_hook(const struct hook *h, unsigned int kinds)
{
	const char *refusal = choice_refusal(h->kind);
	struct text t = { 0 };
	bool left_out = false;

	hook_describe(h, &t);
	if (h->compiled && h->prog_fd >= 0) {
		log_info("%s: compiled and verified", t.s);
	} else if (h->compiled) {
		log_info("%s: %s", t.s, text_str(&h->why));
	} else if (!(kinds & KIND_BIT(h->kind))) {
		log_verbose("%s: not compiled in (--attach)", t.s);
	} else if (refusal) {
		log_info("%s: not compiled in: %s", t.s, refusal);
	} else {
		log_verbose("%s: not compiled in", t.s);
		left_out = true;
	}
	text_free(&t);
	return left_out;
}

static int report(const struct session *s)
{
	bool left_out = false;
	int i, refused = 0;
	size_t k;

	for (k = 0; k < s->source.n; k++)
		log_info("%s: %s%s", s->source.parts[k].name, s->source.parts[k].origin,
			 PART_REMARK(&s->source.parts[k]));
	for (i = 0; i < s->hooks.n; i++) {
		left_out |= report_hook(&s->hooks.v[i], choice_kinds(s->conf->attach));
		refused += s->hooks.v[i].refused;
	}
	if (left_out && !s->conf->verbose)
		log_info("These are the hooks that a start compiles here; -v checks every kind");
	return refused || s->program.strays.len ? -EINVAL : 0;
}

int check_run(struct session *s, const struct config *conf, const struct ask *ask, int stop_fd)
{
	struct choice all = choice_all(conf->attach), best = choice_best(conf->attach);
	int err;

	err = build(s, conf, ask, conf->verbose ? &all : &best, stop_fd);
	if (!err && !conf->verbose && !can_serve_all(s) &&
	    choice_can_widen(&best, &all, !hooks_loaded(&s->hooks))) {
		session_close(s);
		err = build(s, conf, ask, &all, stop_fd);
	}
	return err ? err : report(s);
}
