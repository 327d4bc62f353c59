/* SPDX-License-Identifier: MIT */
#include "app/session.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "app/buffers.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/privileges.h"
#include "bpf/attach.h"
#include "bpf/counters.h"
#include "bpf/cpus.h"
#include "bpf/kernel.h"
#include "bpf/missed.h"
#include "bpf/pages.h"
#include "bpf/stub.h"
#include "bpf/sweep.h"

/* A compile takes two seconds, on a slow machine under emulation half a minute. */
#define BUILD_TIMEOUT_MS (5 * 60 * 1000)

/* The registers of a kprobe on x86 show the address behind the one-byte breakpoint. */
#if defined(__x86_64__) || defined(__i386__)
#define KPROBE_IP_BIAS 1
#else
#define KPROBE_IP_BIAS 0
#endif

#define BUILD_FAILED "Failed to compile BPF module: "
#define USE_VERBOSE "; run with -v for the whole text"

/* --- prepare --------------------------------------------------------------------- */

int session_plan(struct session *s)
{
	const struct hook *h;
	int err, i;

	err = stages_plan(&s->stages, &s->hooks, choice_kinds(s->conf->attach));
	if (!err)
		err = account_open(&s->account, s->hooks.n);
	s->account.stats_only = s->conf->stats;
	s->account.owners = config_asks_owner(s->conf);
	s->shown = calloc((size_t)s->hooks.n + 1, sizeof(*s->shown));
	if (err || !s->shown)
		return err ? err : -ENOMEM;
	for (i = 0; i < s->hooks.n; i++) {
		h = &s->hooks.v[i];
		s->shown[i].kind = hook_kind_name[h->kind];
		s->shown[i].symbol = h->symbol;
		s->shown[i].ip_bias = h->kind == HOOK_KPROBE ? KPROBE_IP_BIAS : 0;
	}
	return 0;
}

static const struct hook *live_hook(const struct hooks *live, const struct hook *h)
{
	int i = live ? hooks_find(live, h->kind, h->target) : -1;

	return i < 0 ? NULL : &live->v[i];
}

/* Raw tracepoints as programs of type TRACING. What has to go into a stub's place is what
 * the stub is. */
static void choose_types(struct hooks *hs, const struct hooks *live, bool typed)
{
	const struct hook *there;
	int i;

	for (i = 0; i < hs->n; i++) {
		there = live_hook(live, &hs->v[i]);
		if (hs->v[i].kind == HOOK_RAW_TRACEPOINT)
			hs->v[i].typed = there ? there->typed : typed;
	}
}

/* The question, and the hook of the probe in it, unless one of the user's has that place. */
static int take_question(struct session *s, const struct ask *ask, struct text *question,
			 struct text *why)
{
	bool taken = hooks_find(&s->hooks, HOOK_RAW_TRACEPOINT, QUESTION_WITNESS) >= 0;
	int n = s->hooks.n, err = 0;

	if (ask->owners && taken)
		text_puts(question, "#define " QUESTION_NO_WITNESS "\n");
	text_puts(question, text_str(&ask->c));
	if (ask->owners && !taken)
		err = hooks_add(&s->hooks, HOOK_RAW_TRACEPOINT, QUESTION_WITNESS, "question", 1,
				why);
	if (s->hooks.n > n)
		s->hooks.v[n].witness = true;
	return err;
}

static int prepare(struct session *s, const struct config *conf, const struct ask *ask,
		   const struct choice *choice, int stop_fd, const struct hooks *live)
{
	struct text why = { 0 }, question = { 0 };
	const char *refusal;
	int err;

	*s = (struct session){ .conf = conf, .stop_fd = stop_fd, .live = live };
	s->program = (struct program)NO_PROGRAM;
	s->extra = conf->debug_func + ask->numbers;
	s->netns = ask->netns;
	refusal = conf->buffer == BUFFER_SHARED ? shared_refusal() : NULL;
	if (refusal) {
		log_error("--buffer=shared cannot be used here (%s); --buffer=perf can", refusal);
		return -EOPNOTSUPP;
	}
	err = source_load(&s->source, conf->probe_dir, &why);
	if (!err)
		err = choice_rewrite(&s->source, choice, conf, ask, &why);
	if (!err)
		err = source_hooks(&s->source, &s->hooks, &why);
	if (!err)
		err = take_question(s, ask, &question, &why);
	if (!err)
		err = session_plan(s);
	if (err)
		log_error("%s", why.len ? why.s : strerror(-err));
	text_free(&why);
	choose_types(&s->hooks, live, choice->direct);
	if (!err)
		source_assemble(&s->source, &s->hooks, text_str(&question), &s->text);
	text_free(&question);
	return err;
}

int session_prepare(struct session *s, const struct config *conf, const struct ask *ask,
		    const struct choice *choice, int stop_fd)
{
	return prepare(s, conf, ask, choice, stop_fd, NULL);
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
	const char *why;

	if (!uname(&un))
		log_verbose("kernel: %s %s %s %s", un.sysname, un.release, un.version, un.machine);
	if (pages_known(&why))
		log_verbose("headers in pages: read, by what " PAGES_PATH " says");
	else
		log_verbose("headers in pages: not read (" PAGES_PATH ": %s)", why);
}

int session_build(struct session *s)
{
	struct program_request req = {
		.source = s->text.s,
		.headers = headers_kind_of(s->conf->headers),
		.verbose = s->conf->verbose,
		.debug_info = s->conf->verbose,
		.stop_fd = s->stop_fd,
		.timeout_ms = BUILD_TIMEOUT_MS,
		/* --check is asked what compiler and verifier think now */
		.no_cache = s->conf->no_cache || s->conf->check,
	};
	const char *dir = getenv("BCC_KERNEL_SOURCE");
	struct text quote = { 0 };
	char *real = NULL;
	int err, i;

	if (req.headers == HEADERS_DIR) {
		real = realpath(s->conf->headers, NULL);
		if (!real) {
			log_error("%s: %s (the directory with the kernel headers)",
				  s->conf->headers, strerror(errno));
			return -ENOENT;
		}
	} else if (req.headers == HEADERS_AUTO && dir && *dir) {
		/* only the first to be tried: where it is no good the others follow */
		real = realpath(dir, NULL);
		if (!real)
			real = strdup(dir);
	}
	req.headers_dir = real;
	note_kernel();
	err = program_build(&s->program, &s->hooks, &req);
	free(real);
	show_text(&s->program.notes);
	show_text(&s->program.compiler);
	ask_quote(s->conf, text_str(&s->program.error), &quote);
	if (s->program.strays.len)
		log_info(BUILD_FAILED "%s", s->program.strays.s);
	if (err && err != -EINTR && s->live)
		log_info(BUILD_FAILED "%s%s%s", text_str(&s->program.error), text_str(&quote),
			 text_str(&s->program.excerpt));
	else if (err && err != -EINTR)
		log_info(BUILD_FAILED "%s%s%s", text_str(&s->program.error), text_str(&quote),
			 s->conf->verbose ? "" : USE_VERBOSE);
	text_free(&quote);
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

/* Where the program may be exchanged later a stub is attached in its place. One of
 * session_make() stays empty until the other session's is to be given up. */
static int put_in_place(struct session *s, struct hook *h, bool any_suffix)
{
	const struct hook *live = live_hook(s->live, h);
	int err = 0;

	if (live) {
		memcpy(h->symbol, live->symbol, sizeof(h->symbol));
		return 0;
	}
	if (config_swaps(s->conf))
		err = stub_load(h);
	if (!err && h->stub_fd >= 0 && !s->live)
		err = stub_set(h, h->prog_fd);
	return err ? err : attach_hook(h, any_suffix);
}

static int try_hook(void *arg, const struct stage_hook *sh)
{
	struct serving *sv = arg;
	struct hook *h = &sv->s->hooks.v[sh->hook];
	int err = -ENOENT;

	if (h->prog_fd >= 0)
		err = put_in_place(sv->s, h, sh->any_suffix);
	else if (!h->compiled && !h->why.len)
		text_puts(&h->why, choice_refusal(h->kind) ? choice_refusal(h->kind)
							   : "not compiled in on this kernel");
	if (!err) {
		sv->s->shown[sh->hook].shown = sh->shown;
		note_served(sv, sh);
		return 0;
	}
	sv->last_why = text_str(&h->why);
	sv->last_hook = sh->hook;
	if (log_is_verbose())
		text_printf(&sv->s->said, "  %s %s: %s\n", hook_kind_name[h->kind], h->target,
			    sv->last_why);
	return err;
}

static void say_stage(struct serving *sv, const struct stage *st, int covered)
{
	const char *rest = covered == FAMILY_IPV4   ? ", and none for IPv6"
			   : covered == FAMILY_IPV6 ? ", and none for IPv4"
						    : "";
	const struct hook *h;

	text_printf(&sv->s->said, "Stage %s: %s", st->name, covered ? sv->line.s : "none");
	if (!st->n) {
		text_puts(&sv->s->said, " (--attach leaves no hook for it)");
	} else if (covered != FAMILY_BOTH) {
		h = &sv->s->hooks.v[sv->last_hook];
		text_printf(&sv->s->said, "%s (%s %s: %s)", rest, hook_kind_name[h->kind],
			    h->target, sv->last_why);
	}
	text_puts(&sv->s->said, "\n");
}

static void attach_stages(struct serving *sv)
{
	struct session *s = sv->s;
	int i, covered;

	for (i = 0; i < s->stages.n; i++) {
		text_reset(&sv->line);
		sv->last_why = "";
		covered = stage_serve(&s->stages.v[i], try_hook, sv);
		say_stage(sv, &s->stages.v[i], covered);
		s->lines[i].served = covered;
		s->served += covered != 0;
		s->incomplete += covered != FAMILY_BOTH;
	}
}

/* Without it owners are known by what stands in /proc alone. */
static void attach_witness(struct session *s)
{
	struct hook *h;
	int i;

	for (i = 0; i < s->hooks.n; i++) {
		h = &s->hooks.v[i];
		if (!h->witness)
			continue;
		if (h->prog_fd >= 0 && !put_in_place(s, h, false))
			s->shown[i].shown = h->label;
		else
			log_verbose("who uses a socket is not noted (%s %s: %s)",
				    hook_kind_name[h->kind], h->target,
				    h->why.len ? text_str(&h->why) : "not compiled in");
	}
}

/* What -d needs to know of each hook. */
static void find_addresses(struct session *s)
{
	char symbol[HOOK_TARGET_MAX];
	struct hook *h;
	int i;

	for (i = 0; i < s->hooks.n; i++) {
		h = &s->hooks.v[i];
		if (!s->shown[i].shown || !s->conf->debug_func || h->kind == HOOK_RAW_TRACEPOINT ||
		    h->kind == HOOK_TRACEPOINT)
			continue;
		kernel_find_symbol(h->symbol, false, symbol, sizeof(symbol), &s->shown[i].address);
	}
}

/* Opens the rings and attaches a hook for every stage. */
static int session_attach(struct session *s)
{
	struct serving sv = { .s = s };
	uint64_t begun_ns;
	int err;

	err = session_make_lines(s);
	if (!err && !s->live)
		err = buffers_open(s);
	if (err)
		return err;
	begun_ns = clock_monotonic_ns();
	attach_stages(&sv);
	attach_witness(s);
	if (!s->live)
		missed_begin(&s->hooks, s->program.counters_fd);
	s->attach_ns = clock_monotonic_ns() - begun_ns;
	find_addresses(s);
	text_free(&sv.line);
	if (s->said.len) /* the last newline is the log's */
		s->said.s[--s->said.len] = '\0';
	return 0;
}

/* Prepare, build and attach with one choice of kinds. */
static int session_try(struct session *s, const struct config *conf, const struct ask *ask,
		       const struct choice *choice, int stop_fd, const struct hooks *live)
{
	int err;

	err = prepare(s, conf, ask, choice, stop_fd, live);
	if (!err)
		err = session_build(s);
	if (!err)
		err = session_attach(s);
	return err;
}

/* Direct reads need a typed program. */
static bool all_typed(const struct hooks *live)
{
	int i;

	for (i = 0; live && i < live->n; i++)
		if (live->v[i].kind == HOOK_RAW_TRACEPOINT && !live->v[i].typed)
			return false;
	return true;
}

static int make(struct session *s, const struct config *conf, const struct ask *ask, int stop_fd,
		const struct hooks *live)
{
	struct choice all = choice_all(conf->attach), best = choice_best(conf->attach);
	int err;

	best.direct = best.direct && all_typed(live);
	err = session_try(s, conf, ask, &best, stop_fd, live);
	if (!err && s->incomplete && choice_can_widen(&best, &all, !hooks_loaded(&s->hooks))) {
		log_verbose("a stage has no hook of the best kinds: compiling in all kinds");
		session_close(s);
		err = session_try(s, conf, ask, &all, stop_fd, live);
	}
	return err;
}

static int check_served(const struct session *s)
{
	if (s->served)
		return 0;
	log_error("no stage can be watched on this kernel: see the lines above%s",
		  s->conf->verbose ? "" : ", and run with -v for every hook's reason");
	return -ENOENT;
}

int session_start(struct session *s, const struct config *conf, const struct ask *ask, int stop_fd)
{
	int err, swept = sweep_dead_kprobes();

	if (swept)
		log_verbose("removed %d kprobes that a killed run had left", swept);
	err = make(s, conf, ask, stop_fd, NULL);
	if (s->said.len)
		log_info("%s", s->said.s);
	return err ? err : check_served(s);
}

int session_make(struct session *s, const struct config *conf, const struct ask *ask, int stop_fd,
		 const struct hooks *live)
{
	int err = make(s, conf, ask, stop_fd, live);

	return err ? err : check_served(s);
}

void session_set(struct session *s, struct setting *setting)
{
	setting_use(setting);
	setting_drop(s->setting);
	s->setting = setting;
	s->conf = &setting->conf;
}

void session_detach(struct session *s)
{
	missed_end(&s->hooks, s->program.counters_fd);
	detach_hooks(&s->hooks);
}

/* --- account --------------------------------------------------------------------- */

static bool has_stage(const struct session *s, const char *name)
{
	int i;

	for (i = 0; i < s->stages.n; i++)
		if (!strcmp(s->stages.v[i].name, name))
			return true;
	return false;
}

int session_make_lines(struct session *s)
{
	const struct account *a = &s->account;
	struct books_line *v;
	int i;

	v = calloc((size_t)s->stages.n + (size_t)a->retired_n + 1, sizeof(*v));
	if (!v)
		return -ENOMEM;
	for (i = 0; i < s->stages.n; i++) {
		v[i].stage = s->stages.v[i].name;
		v[i].has_bytes = strcmp(v[i].stage, "sock_def_readable") != 0;
		v[i].served = s->lines && s->lines[i].served;
	}
	s->lines_n = s->stages.n;
	for (i = 0; i < a->retired_n; i++)
		if (!has_stage(s, a->retired[i].stage))
			v[s->lines_n++] = (struct books_line){ .stage = a->retired[i].stage,
							       .served = true,
							       .gone = true };
	free(s->lines);
	s->lines = v;
	return 0;
}

static void fill_lines(struct session *s)
{
	struct tally *t;
	int i, k;

	for (i = 0; i < s->lines_n; i++) {
		t = &s->lines[i].tally;
		*t = (struct tally){ 0 };
		for (k = 0; i < s->stages.n && k < s->stages.v[i].n; k++)
			account_add(t, &s->account.v[s->stages.v[i].v[k].hook]);
		if (account_add_retired(&s->account, s->lines[i].stage, t))
			s->lines[i].served = true;
	}
}

int session_read_account(struct session *s)
{
	struct lnk_counters *v;
	struct tally *t;
	int i, err;

	v = calloc((size_t)s->hooks.n + 1, sizeof(*v));
	if (!v)
		return -ENOMEM;
	err = counters_read(s->program.counters_fd, v, s->hooks.n);
	for (i = 0; i < s->hooks.n && !err; i++) {
		t = &s->account.v[i];
		t->kernel = v[i];
		t->missed_unknown = s->shown[i].shown && !s->hooks.v[i].witness &&
				    !hook_missed(&s->hooks.v[i], &t->missed);
	}
	free(v);
	if (!err)
		fill_lines(s);
	return err;
}

void session_close(struct session *s)
{
	session_detach(s);
	rings_close(s->rings);
	rings_close(s->spare);
	shared_close(s->shared);
	account_close(&s->account);
	stages_free(&s->stages);
	program_free(&s->program);
	hooks_free(&s->hooks);
	source_free(&s->source);
	text_free(&s->text);
	text_free(&s->said);
	free(s->shown);
	free(s->lines);
	setting_drop(s->setting);
	*s = (struct session){ .program = NO_PROGRAM };
}
