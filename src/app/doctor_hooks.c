/* SPDX-License-Identifier: MIT */
/* The places of the hooks before they are attached, and the stages afterwards. */
#include <string.h>

#include "app/choice.h"
#include "app/doctor_parts.h"
#include "bpf/place.h"

/* --- places ------------------------------------------------------------------------ */

static bool is_kprobe(const struct hook *h)
{
	return h->kind == HOOK_KPROBE || h->kind == HOOK_KRETPROBE;
}

static bool is_event(const struct hook *h)
{
	return h->kind == HOOK_RAW_TRACEPOINT || h->kind == HOOK_TRACEPOINT;
}

static void describe_function(const struct place *p, struct text *out)
{
	if (p->suffixed[0])
		text_printf(out, "only as %s in kallsyms", p->suffixed);
	else
		text_puts(out, p->in_kallsyms == ANSWER_YES ? "in kallsyms"
			       : p->in_kallsyms == ANSWER_NO
				       ? "not in kallsyms (inlined, or absent)"
				       : "kallsyms cannot be read");
	if (p->in_btf != ANSWER_UNKNOWN)
		text_puts(out, p->in_btf ? ", in BTF" : ", not in BTF");
	if (p->blacklisted == ANSWER_YES)
		text_puts(out, ", blacklisted for kprobes");
}

static void describe_event(const struct place *p, struct text *out)
{
	text_puts(out, p->in_tracefs == ANSWER_YES  ? "in tracefs"
		       : p->in_tracefs == ANSWER_NO ? "not in tracefs"
						    : "tracefs cannot be seen");
	if (p->in_btf != ANSWER_UNKNOWN)
		text_puts(out, p->in_btf ? ", in BTF" : ", not in BTF");
}

/* Can a hook of this kind go there, as far as one can see? */
static bool is_there(const struct hook *h, const struct place *p, bool any_suffix)
{
	if (is_event(h))
		return p->in_tracefs == ANSWER_YES || p->in_btf == ANSWER_YES;
	if (is_kprobe(h))
		return (p->in_kallsyms != ANSWER_NO || (any_suffix && p->suffixed[0])) &&
		       p->blacklisted != ANSWER_YES;
	return p->in_btf == ANSWER_YES && !p->suffixed[0];
}

static void check_place(struct report *r, struct places *places, const struct hook *h,
			bool any_suffix)
{
	struct text name = { 0 }, said = { 0 };
	bool refused = choice_refusal(h->kind); /* why was said of the host */
	struct place p;

	place_look(places, h, &p);
	if (is_event(h))
		describe_event(&p, &said);
	else
		describe_function(&p, &said);
	if (refused)
		text_printf(&said, "; no %s here", hook_kind_name[h->kind]);
	text_printf(&name, "%s %s", hook_kind_name[h->kind], h->target);
	report_add(r, is_there(h, &p, any_suffix) && !refused ? VERDICT_OK : VERDICT_NOTE, name.s,
		   NULL, "%s", text_str(&said));
	text_free(&name);
	text_free(&said);
}

void doctor_check_hooks(struct report *r, const struct session *s)
{
	const struct stage_hook *sh;
	struct places *places;
	int i, k;

	r->group = "places of the hooks";
	if (places_open(&places))
		return;
	for (i = 0; i < s->stages.n; i++)
		for (k = 0; k < s->stages.v[i].n; k++) {
			sh = &s->stages.v[i].v[k];
			check_place(r, places, &s->hooks.v[sh->hook], sh->any_suffix);
		}
	places_close(places);
}

/* --- stages ------------------------------------------------------------------------ */

struct served {
	int covered;
	bool kprobes;
	bool stand_in; /* a tracepoint that sees less than the stage's function */
	struct text by;
	const char *why_not;
};

static void look_at_hook(const struct session *s, const struct stage_hook *sh, struct served *sv)
{
	const struct hook *h = &s->hooks.v[sh->hook];

	if (h->link_fd < 0) {
		if (h->why.len)
			sv->why_not = h->why.s;
		return;
	}
	sv->covered |= sh->family;
	sv->kprobes |= is_kprobe(h);
	sv->stand_in |= !strcmp(h->target, "tcp_probe");
	text_puts(&sv->by, sv->by.len ? ", " : "");
	hook_describe(h, &sv->by);
}

static void check_stage(struct report *r, const struct session *s, const struct stage *st)
{
	struct served sv = { 0 };
	int k;

	for (k = 0; k < st->n; k++)
		look_at_hook(s, &st->v[k], &sv);
	if (!sv.covered)
		report_add(r, VERDICT_LIMIT, st->name, NULL, "no hook: %s",
			   sv.why_not ? sv.why_not : "--attach leaves none for it");
	else if (sv.covered != FAMILY_BOTH)
		report_add(r, VERDICT_LIMIT, st->name, NULL, "%s, and none for %s", sv.by.s,
			   sv.covered == FAMILY_IPV4 ? "IPv6" : "IPv4");
	else if (sv.stand_in)
		report_add(r, VERDICT_LIMIT, st->name, NULL, "%s: established only", sv.by.s);
	else if (sv.kprobes)
		report_add(r, VERDICT_NOTE, st->name, NULL,
			   "%s: may miss calls under load, which is shown where the kernel tells",
			   sv.by.s);
	else
		report_add(r, VERDICT_OK, st->name, NULL, "%s", sv.by.s);
	text_free(&sv.by);
}

void doctor_check_stages(struct report *r, const struct session *s)
{
	int i;

	r->group = "stages";
	for (i = 0; i < s->stages.n; i++)
		check_stage(r, s, &s->stages.v[i]);
}
