/* SPDX-License-Identifier: MIT */
#include "app/session.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "base/log.h"
#include "bpf/attach.h"
#include "bpf/counters.h"
#include "bpf/kernel.h"
#include "bpf/rewrite.h"

/* Wake for every so many events; the loop looks at the rings by the clock as well. */
#define WAKEUP_EVENTS 256
/* A compile takes two seconds, on a slow machine under emulation half a minute. */
#define BUILD_TIMEOUT_MS (5 * 60 * 1000)

#define BUILD_FAILED "Failed to compile BPF module: "
#define USE_VERBOSE "; run with -v for the whole text"

/* --- prepare --------------------------------------------------------------------- */

static unsigned int kinds_of(enum attach_mode mode)
{
	unsigned int fentry = KIND_BIT(HOOK_FENTRY) | KIND_BIT(HOOK_FEXIT);
	unsigned int kprobe = KIND_BIT(HOOK_KPROBE) | KIND_BIT(HOOK_KRETPROBE);
	unsigned int tracepoint = KIND_BIT(HOOK_RAW_TRACEPOINT) | KIND_BIT(HOOK_TRACEPOINT);

	switch (mode) {
	case ATTACH_FENTRY:
		return fentry;
	case ATTACH_KPROBE:
		return kprobe;
	case ATTACH_TRACEPOINT:
		return tracepoint;
	case ATTACH_AUTO:
	case ATTACH_NR:
		break;
	}
	return fentry | kprobe | tracepoint;
}

static int rewrite_filter(struct source *src, const struct config *c, struct text *why)
{
	static const char *const words[] = { "FILTER_IP_WORD0", "FILTER_IP_WORD1",
					     "FILTER_IP_WORD2", "FILTER_IP_WORD3" };
	int i, err;

	err = rewrite_constant(src, "FILTER_IP", c->ip_set, why);
	for (i = 0; i < 4 && !err; i++)
		err = rewrite_constant(src, words[i], c->ip_set ? c->ip.s6_addr32[i] : 0, why);
	if (!err)
		err = rewrite_constant(src, "FILTER_PORT", c->port, why);
	return err;
}

static int rewrite_all(struct source *src, const struct config *c, struct text *why)
{
	unsigned int kinds = kinds_of(c->attach);
	const struct {
		const char *name;
		uint64_t value;
	} constants[] = {
		{ "USE_FENTRY", (kinds & KIND_BIT(HOOK_FENTRY)) && kernel_has_btf() },
		{ "USE_KPROBE", !!(kinds & KIND_BIT(HOOK_KPROBE)) },
		{ "USE_TRACEPOINT", !!(kinds & KIND_BIT(HOOK_RAW_TRACEPOINT)) },
		{ "RATE_LIMIT", c->rate },
		{ "STATS_ONLY", c->stats },
		{ "DEBUG_FUNC", c->debug_func },
		{ "TP_NETIF_RECEIVE_SKB_SKBADDR",
		  kernel_tracepoint_offset("net", "netif_receive_skb", "skbaddr") },
	};
	size_t i;
	int err = 0;

	for (i = 0; i < sizeof(constants) / sizeof(constants[0]) && !err; i++)
		err = rewrite_constant(src, constants[i].name, constants[i].value, why);
	return err ? err : rewrite_filter(src, c, why);
}

int session_prepare(struct session *s, const struct config *conf, int stop_fd)
{
	struct text why = { 0 };
	int err;

	*s = (struct session){ .conf = conf, .stop_fd = stop_fd };
	s->program.counters_fd = s->program.events_fd = -1;
	err = source_load(&s->source, conf->probe_dir, &why);
	if (!err)
		err = rewrite_all(&s->source, conf, &why);
	if (!err)
		err = source_hooks(&s->source, &s->hooks, &why);
	if (!err)
		err = stages_plan(&s->stages, &s->hooks, kinds_of(conf->attach));
	if (!err)
		err = account_open(&s->account, s->hooks.n);
	if (err)
		log_error("%s", why.len ? why.s : strerror(-err));
	text_free(&why);
	if (err)
		return err;
	s->account.stats_only = conf->stats;
	source_assemble(&s->source, &s->hooks, &s->text);
	return 0;
}

/* --- build ----------------------------------------------------------------------- */

/* Every line that libbcc, clang and the verifier printed, made safe for a terminal. */
static void show_text(const struct text *raw)
{
	struct text t = { 0 };

	if (!raw->len || !log_is_verbose())
		return;
	text_add_escaped(&t, raw->s, raw->len, true);
	if (t.len && t.s[t.len - 1] == '\n')
		t.s[--t.len] = '\0';
	log_verbose("%s", text_str(&t));
	text_free(&t);
}

static int headers_kind_of(const char *name)
{
	int kind;

	for (kind = 0; kind < HEADERS_NR; kind++)
		if (kind != HEADERS_DIR && !strcmp(name, headers_kind_name[kind]))
			return kind;
	return HEADERS_DIR;
}

static void note_kernel(void)
{
	struct utsname un;

	if (!uname(&un))
		log_verbose("kernel: %s %s %s %s", un.sysname, un.release, un.version, un.machine);
}

int session_build(struct session *s)
{
	struct program_request req = {
		.source = s->text.s,
		.headers = headers_kind_of(s->conf->headers),
		.verbose = s->conf->verbose,
		.stop_fd = s->stop_fd,
		.timeout_ms = BUILD_TIMEOUT_MS,
	};
	const char *dir = req.headers == HEADERS_DIR ? s->conf->headers : NULL;
	char *real = NULL;
	int err, i;

	if (req.headers == HEADERS_AUTO)
		dir = getenv("BCC_KERNEL_SOURCE");
	if (dir && *dir) {
		real = realpath(dir, NULL);
		if (!real) {
			log_error("%s: %s (the directory with the kernel headers)", dir, strerror(errno));
			return -ENOENT;
		}
		req.headers_dir = real;
	}
	note_kernel();
	err = program_build(&s->program, &s->hooks, &req);
	free(real);
	show_text(&s->program.notes);
	show_text(&s->program.compiler);
	if (err && err != -EINTR)
		log_info(BUILD_FAILED "%s%s", text_str(&s->program.error),
			 s->conf->verbose ? "" : USE_VERBOSE);
	for (i = 0; i < s->hooks.n && !err; i++) {
		if (!s->hooks.v[i].refused)
			continue;
		show_text(&s->hooks.v[i].log);
		log_info(BUILD_FAILED "%s:%d: %s %s: %s%s", s->hooks.v[i].file, s->hooks.v[i].line,
			 hook_kind_name[s->hooks.v[i].kind], s->hooks.v[i].target,
			 text_str(&s->hooks.v[i].why), s->conf->verbose ? "" : USE_VERBOSE);
	}
	return err;
}

int session_report_check(const struct session *s)
{
	const struct hook *h;
	struct text t = { 0 };
	int i, refused = 0;
	size_t k;

	for (k = 0; k < s->source.n; k++)
		log_info("%s: %s", s->source.parts[k].name, s->source.parts[k].origin);
	for (i = 0; i < s->hooks.n; i++) {
		h = &s->hooks.v[i];
		text_reset(&t);
		hook_describe(h, &t);
		refused += h->refused;
		if (!h->compiled)
			log_verbose("%s: not compiled in", t.s);
		else if (h->prog_fd >= 0)
			log_info("%s: compiled and verified", t.s);
		else
			log_info("%s: %s", t.s, text_str(&h->why));
	}
	text_free(&t);
	return refused ? -EINVAL : 0;
}

/* --- attach ---------------------------------------------------------------------- */

struct serving {
	struct session *s;
	struct text line; /* "fentry ip_local_deliver, fentry ip6_input" */
	const char *last_why;
	int last_hook;
};

static void note_served(struct serving *sv, const struct stage_hook *sh)
{
	const struct hook *h = &sv->s->hooks.v[sh->hook];

	text_puts(&sv->line, sv->line.len ? ", " : "");
	hook_describe(h, &sv->line);
	if (sh->family != FAMILY_BOTH)
		text_puts(&sv->line, sh->family == FAMILY_IPV4 ? " (IPv4)" : " (IPv6)");
	if (strcmp(sh->shown, h->target) && h->kind != HOOK_TRACEPOINT)
		text_printf(&sv->line, ", shown as %s", sh->shown);
}

static int try_hook(void *arg, const struct stage_hook *sh)
{
	struct serving *sv = arg;
	struct hook *h = &sv->s->hooks.v[sh->hook];
	int err = -ENOENT;

	if (h->prog_fd >= 0)
		err = attach_hook(h, sh->any_suffix);
	else if (!h->compiled && !h->why.len)
		text_puts(&h->why, h->kind == HOOK_FENTRY && !kernel_has_btf()
					   ? "this kernel shows no BTF"
					   : "not compiled in on this kernel");
	if (!err) {
		sv->s->shown[sh->hook].shown = sh->shown;
		note_served(sv, sh);
		return 0;
	}
	sv->last_why = text_str(&h->why);
	sv->last_hook = sh->hook;
	log_verbose("  %s %s: %s", hook_kind_name[h->kind], h->target, sv->last_why);
	return err;
}

static void say_stage(const struct serving *sv, const struct stage *st, int covered)
{
	const struct hook *h;

	if (covered == FAMILY_BOTH) {
		log_info("Stage %s: %s", st->name, sv->line.s);
	} else if (!st->n) {
		log_info("Stage %s: none (--attach leaves no hook for it)", st->name);
	} else {
		h = &sv->s->hooks.v[sv->last_hook];
		log_info("Stage %s: %s%s (%s %s: %s)", st->name, covered ? sv->line.s : "none",
			 covered == FAMILY_IPV4	  ? ", and none for IPv6"
			 : covered == FAMILY_IPV6 ? ", and none for IPv4"
						  : "",
			 hook_kind_name[h->kind], h->target, sv->last_why);
	}
}

static int attach_stages(struct session *s)
{
	struct serving sv = { .s = s };
	int i, covered, served = 0;

	for (i = 0; i < s->stages.n; i++) {
		text_reset(&sv.line);
		sv.last_why = "";
		covered = stage_serve(&s->stages.v[i], try_hook, &sv);
		say_stage(&sv, &s->stages.v[i], covered);
		s->lines[i].stage = s->stages.v[i].name;
		s->lines[i].served = covered;
		s->lines[i].has_bytes = strcmp(s->stages.v[i].name, "sock_def_readable") != 0;
		served += covered != 0;
	}
	text_free(&sv.line);
	return served ? 0 : -ENOENT;
}

/* What -d and the table need to know of each hook. */
static void describe_hooks(struct session *s)
{
	char symbol[HOOK_TARGET_MAX];
	struct hook *h;
	int i;

	for (i = 0; i < s->hooks.n; i++) {
		h = &s->hooks.v[i];
		s->shown[i].kind = hook_kind_name[h->kind];
		s->shown[i].symbol = h->symbol;
		if (h->link_fd < 0 || !s->conf->debug_func || h->kind == HOOK_RAW_TRACEPOINT ||
		    h->kind == HOOK_TRACEPOINT)
			continue;
		kernel_find_symbol(h->symbol, false, symbol, sizeof(symbol), &s->shown[i].address);
	}
}

int session_attach(struct session *s)
{
	int err;

	s->shown = calloc((size_t)s->hooks.n + 1, sizeof(*s->shown));
	s->lines = calloc((size_t)s->stages.n + 1, sizeof(*s->lines));
	if (!s->shown || !s->lines)
		return -ENOMEM;
	if (!s->conf->stats) {
		err = rings_open(&s->rings, s->program.events_fd, s->conf->buffer_pages,
				 WAKEUP_EVENTS);
		if (err) {
			log_error("cannot open the event buffers (%u pages for each CPU): %s%s",
				  s->conf->buffer_pages, strerror(-err),
				  err == -ENOMEM || err == -EPERM ? "; try a smaller --buffer-pages"
								  : "");
			return err;
		}
	}
	err = attach_stages(s);
	if (err) {
		log_error("no stage can be watched on this kernel: see the lines above%s",
			  s->conf->verbose ? "" : ", and run with -v for every hook's reason");
		return err;
	}
	describe_hooks(s);
	return 0;
}

void session_detach(struct session *s)
{
	int i;

	for (i = 0; i < s->hooks.n; i++)
		detach_hook(&s->hooks.v[i]);
}

/* --- account --------------------------------------------------------------------- */

int session_read_account(struct session *s)
{
	struct lnk_counters *v;
	struct tally *t;
	int i, k, err;

	v = calloc((size_t)s->hooks.n + 1, sizeof(*v));
	if (!v)
		return -ENOMEM;
	err = counters_read(s->program.counters_fd, v, s->hooks.n);
	for (i = 0; i < s->hooks.n && !err; i++) {
		t = &s->account.v[i];
		t->kernel = v[i];
		t->missed_unknown = s->shown[i].shown && !hook_missed(&s->hooks.v[i], &t->missed);
	}
	free(v);
	for (i = 0; i < s->stages.n && !err; i++) {
		s->lines[i].tally = (struct tally){ 0 };
		for (k = 0; k < s->stages.v[i].n; k++)
			account_add(&s->lines[i].tally, &s->account.v[s->stages.v[i].v[k].hook]);
	}
	return err;
}

void session_close(struct session *s)
{
	session_detach(s);
	rings_close(s->rings);
	account_close(&s->account);
	stages_free(&s->stages);
	program_free(&s->program);
	hooks_free(&s->hooks);
	source_free(&s->source);
	text_free(&s->text);
	free(s->shown);
	free(s->lines);
}
