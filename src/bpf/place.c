/* SPDX-License-Identifier: MIT */
#include "bpf/place.h"

#include <bpf/btf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/io.h"
#include "bpf/headers_btf.h"
#include "bpf/kernel.h"

#define BLACKLIST "/sys/kernel/debug/kprobes/blacklist"
#define BLACKLIST_MAX ((size_t)4 << 20)

struct places {
	struct btf *btf; /* NULL: none */
	bool has_kallsyms;
	bool has_blacklist;
	struct text blacklist; /* lines "0xSTART-0xEND\tNAME" */
};

int places_open(struct places **out)
{
	struct places *p = calloc(1, sizeof(*p));

	if (!p)
		return -ENOMEM;
	p->has_kallsyms = !access("/proc/kallsyms", R_OK);
	p->has_blacklist = !read_file_at(AT_FDCWD, BLACKLIST, &p->blacklist, BLACKLIST_MAX);
	p->btf = btf__parse_raw(HEADERS_BTF_PATH);
	if (libbpf_get_error(p->btf)) /* libbpf before 1.0 hands errors out as pointers */
		p->btf = NULL;
	*out = p;
	return 0;
}

void places_close(struct places *p)
{
	if (!p)
		return;
	btf__free(p->btf);
	text_free(&p->blacklist);
	free(p);
}

static enum answer yes_if(bool yes)
{
	return yes ? ANSWER_YES : ANSWER_NO;
}

static enum answer find_in_btf(const struct places *p, const char *name, uint32_t kind)
{
	return p->btf ? yes_if(btf__find_by_name_kind(p->btf, name, kind) > 0) : ANSWER_UNKNOWN;
}

static enum answer find_in_blacklist(const struct places *p, const char *name)
{
	const char *at = text_str(&p->blacklist);
	size_t len = strlen(name);

	if (!p->has_blacklist)
		return ANSWER_UNKNOWN;
	while ((at = strstr(at, name))) {
		if (at > p->blacklist.s && at[-1] == '\t' && (at[len] == '\n' || !at[len]))
			return ANSWER_YES;
		at += len;
	}
	return ANSWER_NO;
}

/* `event` is "CATEGORY/NAME", the category perhaps "*". */
static enum answer find_in_tracefs(const char *event)
{
	struct text pattern = { 0 };
	enum answer a;
	glob_t found;

	if (!kernel_tracefs())
		return ANSWER_UNKNOWN;
	text_printf(&pattern, "%s/events/%s", kernel_tracefs(), event);
	a = yes_if(!glob(pattern.s, GLOB_NOSORT, NULL, &found));
	if (a == ANSWER_YES)
		globfree(&found);
	text_free(&pattern);
	return a;
}

static void look_at_function(struct places *p, const char *name, struct place *out)
{
	char symbol[HOOK_TARGET_MAX];
	uint64_t address;

	if (!p->has_kallsyms)
		out->in_kallsyms = ANSWER_UNKNOWN;
	else if (!kernel_find_symbol(name, false, symbol, sizeof(symbol), &address))
		out->in_kallsyms = ANSWER_YES;
	else if (!kernel_find_symbol(name, true, symbol, sizeof(symbol), &address))
		strcpy(out->suffixed, symbol);
	out->in_btf = find_in_btf(p, name, BTF_KIND_FUNC);
	out->blacklisted = find_in_blacklist(p, out->suffixed[0] ? out->suffixed : name);
}

static void look_at_event(struct places *p, const struct hook *h, struct place *out)
{
	struct text t = { 0 };
	const char *colon = strchr(h->target, ':');

	if (h->kind == HOOK_TRACEPOINT && colon) {
		text_printf(&t, "%.*s/%s", (int)(colon - h->target), h->target, colon + 1);
		out->in_tracefs = find_in_tracefs(t.s);
		out->in_btf = ANSWER_UNKNOWN;
	} else {
		text_printf(&t, "*/%s", h->target);
		out->in_tracefs = find_in_tracefs(t.s);
		text_reset(&t);
		text_printf(&t, "btf_trace_%s", h->target);
		out->in_btf = find_in_btf(p, t.s, BTF_KIND_TYPEDEF);
	}
	text_free(&t);
}

void place_look(struct places *p, const struct hook *h, struct place *out)
{
	*out = (struct place){ ANSWER_NO, ANSWER_NO, ANSWER_UNKNOWN, ANSWER_UNKNOWN, "" };
	if (h->kind == HOOK_RAW_TRACEPOINT || h->kind == HOOK_TRACEPOINT)
		look_at_event(p, h, out);
	else
		look_at_function(p, h->target, out);
}
