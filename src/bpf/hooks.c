/* SPDX-License-Identifier: MIT */
/*
 * The scan is a small C lexer: it knows comments, strings, preprocessor lines and
 * nesting, and looks only at names that stand at file level and are followed by '('. A
 * function that the preprocessor takes out is found too; it just gets no program.
 */
#include "bpf/hooks.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/io.h"

const char *const hook_kind_name[HOOK_KINDS] = {
	[HOOK_FENTRY] = "fentry",
	[HOOK_FEXIT] = "fexit",
	[HOOK_KPROBE] = "kprobe",
	[HOOK_KRETPROBE] = "kretprobe",
	[HOOK_RAW_TRACEPOINT] = "raw tracepoint",
	[HOOK_TRACEPOINT] = "tracepoint",
};

/* How BCC names the functions, and the macros that make such names. */
static const struct {
	enum hook_kind kind;
	const char *prefix;
	const char *macro;
} naming[] = {
	{ HOOK_FENTRY, "kfunc__", "KFUNC_PROBE" },
	{ HOOK_FEXIT, "kretfunc__", "KRETFUNC_PROBE" },
	{ HOOK_KPROBE, "kprobe__", NULL },
	{ HOOK_KRETPROBE, "kretprobe__", NULL },
	{ HOOK_RAW_TRACEPOINT, "raw_tracepoint__", "RAW_TRACEPOINT_PROBE" },
	{ HOOK_TRACEPOINT, "tracepoint__", "TRACEPOINT_PROBE" },
};
#define NAMINGS (sizeof(naming) / sizeof(naming[0]))

/* From 0.27 on libbcc puts the module into a kfunc's name. */
#define VMLINUX "vmlinux__"

/* Splits a function name into kind and target. Returns false if it is not a hook's. */
static bool parse_function(const char *name, enum hook_kind *kind, char target[HOOK_TARGET_MAX])
{
	const char *rest, *sep;
	size_t i, len;

	for (i = 0; i < NAMINGS; i++) {
		len = strlen(naming[i].prefix);
		if (!strncmp(name, naming[i].prefix, len))
			break;
	}
	if (i == NAMINGS)
		return false;
	*kind = naming[i].kind;
	rest = name + len;
	if ((*kind == HOOK_FENTRY || *kind == HOOK_FEXIT) &&
	    !strncmp(rest, VMLINUX, sizeof(VMLINUX) - 1))
		rest += sizeof(VMLINUX) - 1;
	len = strlen(rest);
	if (!len || len >= HOOK_TARGET_MAX)
		return false;
	memcpy(target, rest, len + 1);
	if (*kind == HOOK_TRACEPOINT) {
		sep = strstr(rest, "__");
		if (!sep || sep == rest || !sep[2])
			return false;
		target[sep - rest] = ':';
		memmove(target + (sep - rest) + 1, sep + 2, strlen(sep + 2) + 1);
	}
	return true;
}

#define MAX_IFS 32

struct lexer {
	const char *p;
	int line;
	int depth;  /* of braces and parentheses */
	bool fresh; /* only blanks and comments on this line so far: '#' is a directive */
	/* Each branch of an #if starts at the depth that the #if stood at. */
	int ifs;
	int depth_at[MAX_IFS];
	bool has_else[MAX_IFS];
};

/* The length of a backslash and the line end behind it, or 0. */
static size_t continuation(const char *p)
{
	if (p[0] != '\\')
		return 0;
	return p[1] == '\n' ? 2 : p[1] == '\r' && p[2] == '\n' ? 3 : 0;
}

/* What follows the comment at p, or p. */
static const char *skip_comment(const char *p, int *line)
{
	if (p[0] == '/' && p[1] == '/') {
		while (*p && *p != '\n') {
			*line += continuation(p) != 0;
			p += continuation(p) ? continuation(p) : 1;
		}
	} else if (p[0] == '/' && p[1] == '*') {
		for (p += 2; *p && !(p[0] == '*' && p[1] == '/'); p++)
			*line += *p == '\n';
		p += *p ? 2 : 0;
	}
	return p;
}

/* What follows the string or character at p, or p. One that is not closed ends with its
 * line. */
static const char *skip_literal(const char *p, int *line)
{
	char quote = *p;

	if (quote != '"' && quote != '\'')
		return p;
	for (p++; *p && *p != quote && *p != '\n'; p++) {
		if (continuation(p)) {
			p += continuation(p) - 1;
			++*line;
		} else if (*p == '\\' && p[1] && p[1] != '\n') {
			p++;
		}
	}
	return p + (*p == quote);
}

/* What follows blanks, line ends and comments. */
static const char *skip_blank(const char *p)
{
	const char *next;
	int line = 0;

	for (;; p = next) {
		p += strspn(p, " \t\r\n");
		next = skip_comment(p, &line);
		if (next == p)
			return p;
	}
}

static void conditional(struct lexer *lx, const char *word)
{
	int i = lx->ifs - 1;
	bool kept = i >= 0 && i < MAX_IFS;

	if (!strncmp(word, "if", 2)) {
		if (++i < MAX_IFS) {
			lx->depth_at[i] = lx->depth;
			lx->has_else[i] = false;
		}
		lx->ifs++;
	} else if (!strncmp(word, "el", 2) && kept) {
		lx->depth = lx->depth_at[i];
		lx->has_else[i] |= !strncmp(word, "else", 4);
	} else if (!strncmp(word, "endif", 5) && i >= 0) {
		if (kept && !lx->has_else[i])
			lx->depth = lx->depth_at[i];
		lx->ifs--;
	}
}

/* To the end of the line that begins with '#'. */
static const char *skip_directive(struct lexer *lx)
{
	const char *p = lx->p + 1, *next;

	p += strspn(p, " \t");
	conditional(lx, p);
	while (*p && *p != '\n') {
		next = skip_literal(skip_comment(p, &lx->line), &lx->line);
		if (next != p) {
			p = next;
		} else if (continuation(p)) {
			p += continuation(p);
			lx->line++;
		} else {
			p++;
		}
	}
	return p;
}

/* Steps over what is not code: blanks, comments, literals, preprocessor lines. Returns
 * false when there was nothing of the kind. */
static bool skip_noncode(struct lexer *lx)
{
	const char *p = lx->p;

	if (isspace((unsigned char)*p)) {
		lx->line += *p == '\n';
		lx->fresh |= *p == '\n';
		lx->p++;
	} else if (*p == '#' && lx->fresh) {
		lx->p = skip_directive(lx);
	} else if (p[0] == '/' && (p[1] == '/' || p[1] == '*')) {
		lx->p = skip_comment(p, &lx->line);
	} else {
		lx->fresh = false;
		lx->p = skip_literal(p, &lx->line);
	}
	return lx->p != p;
}

static bool is_name(char c)
{
	return isalnum((unsigned char)c) || c == '_';
}

/* Copies the name at p into out; "" when it is too long. Returns what follows it. */
static const char *take_name(const char *p, char out[HOOK_TARGET_MAX])
{
	size_t n = 0;

	while (is_name(p[n]))
		n++;
	out[0] = '\0';
	if (n < HOOK_TARGET_MAX) {
		memcpy(out, p, n);
		out[n] = '\0';
	}
	return p + n;
}

/* The macro's arguments as a target: "event", or "category:event". */
static bool macro_target(const char *p, bool two, char target[HOOK_TARGET_MAX])
{
	char second[HOOK_TARGET_MAX];
	size_t len;

	p = take_name(skip_blank(skip_blank(p) + 1), target); /* behind the '(' */
	if (!two)
		return target[0];
	p = skip_blank(p);
	if (*p != ',')
		return false;
	take_name(skip_blank(p + 1), second);
	len = strlen(target);
	if (!len || !second[0] || len + 1 + strlen(second) >= HOOK_TARGET_MAX)
		return false;
	target[len] = ':';
	strcpy(target + len + 1, second);
	return true;
}

int hooks_add(struct hooks *hs, enum hook_kind kind, const char *target, const char *file, int line,
	      struct text *why)
{
	struct hook *v, *h;
	int i;

	i = hooks_find(hs, kind, target);
	if (i >= 0 && !strcmp(hs->v[i].file, file))
		return 0; /* a prototype and its function, or both branches of an #if */
	if (i >= 0) {
		text_printf(why, "%s:%d: %s %s stands in %s:%d already", file, line,
			    hook_kind_name[kind], target, hs->v[i].file, hs->v[i].line);
		return -EEXIST;
	}
	if (hs->n == LNK_MAX_HOOKS) {
		text_printf(why, "%s:%d: more than %d probe functions", file, line, LNK_MAX_HOOKS);
		return -E2BIG;
	}
	v = realloc(hs->v, (size_t)(hs->n + 1) * sizeof(*v));
	if (!v)
		return -ENOMEM;
	hs->v = v;
	h = &v[hs->n];
	*h = (struct hook){ .kind = kind,
			    .line = line,
			    .prog_fd = -1,
			    .stub_fd = -1,
			    .slot_fd = -1,
			    .link_fd = -1 };
	strcpy(h->target, target);
	strcpy(h->symbol, target);
	snprintf(h->label, sizeof(h->label), "%s%s", target,
		 kind == HOOK_FEXIT || kind == HOOK_KRETPROBE ? " return" : "");
	h->file = strdup(file);
	if (!h->file)
		return -ENOMEM;
	hs->n++;
	return 0;
}

/* A name at file level, followed by '('. */
static int look_at(struct hooks *hs, const char *name, const char *after, const char *file,
		   int line, struct text *why)
{
	char target[HOOK_TARGET_MAX];
	enum hook_kind kind;
	size_t i;

	for (i = 0; i < NAMINGS; i++)
		if (naming[i].macro && !strcmp(name, naming[i].macro)) {
			kind = naming[i].kind;
			if (!macro_target(after, kind == HOOK_TRACEPOINT, target))
				return 0;
			return hooks_add(hs, kind, target, file, line, why);
		}
	if (!parse_function(name, &kind, target))
		return 0;
	return hooks_add(hs, kind, target, file, line, why);
}

int hooks_scan(struct hooks *hs, const char *file, const char *text, struct text *why)
{
	struct lexer lx = { .p = text, .line = 1, .fresh = true };
	char name[HOOK_TARGET_MAX];
	const char *after;
	int err;

	while (*lx.p) {
		if (skip_noncode(&lx))
			continue;
		if (!is_name(*lx.p)) {
			if (*lx.p == '{' || *lx.p == '(')
				lx.depth++;
			else if ((*lx.p == '}' || *lx.p == ')') && lx.depth)
				lx.depth--;
			lx.p++;
			continue;
		}
		after = skip_blank(take_name(lx.p, name));
		if (!lx.depth && *after == '(') {
			err = look_at(hs, name, after, file, lx.line, why);
			if (err)
				return err;
		}
		while (is_name(*lx.p))
			lx.p++;
	}
	return 0;
}

void hooks_free(struct hooks *hs)
{
	int i;

	for (i = 0; i < hs->n; i++) {
		free(hs->v[i].file);
		text_free(&hs->v[i].why);
		text_free(&hs->v[i].log);
		close_fd(hs->v[i].prog_fd);
		close_fd(hs->v[i].link_fd);
		close_fd(hs->v[i].stub_fd);
		close_fd(hs->v[i].slot_fd);
	}
	free(hs->v);
	*hs = (struct hooks){ 0 };
}

int hook_called_fd(const struct hook *h)
{
	return h->stub_fd >= 0 ? h->stub_fd : h->prog_fd;
}

int hooks_find(const struct hooks *hs, enum hook_kind kind, const char *target)
{
	int i;

	for (i = 0; i < hs->n; i++)
		if (hs->v[i].kind == kind && !strcmp(hs->v[i].target, target))
			return i;
	return -1;
}

bool hooks_loaded(const struct hooks *hs)
{
	int i;

	for (i = 0; i < hs->n && hs->v[i].prog_fd < 0; i++)
		;
	return i < hs->n;
}

bool hooks_is_function(const char *function)
{
	char target[HOOK_TARGET_MAX];
	enum hook_kind kind;

	return parse_function(function, &kind, target);
}

int hooks_find_function(const struct hooks *hs, const char *function)
{
	char target[HOOK_TARGET_MAX];
	enum hook_kind kind;

	if (!parse_function(function, &kind, target))
		return -1;
	return hooks_find(hs, kind, target);
}

/* The name that __func__ has in the body of a probe, as a C string literal. */
static void emit_name(struct text *out, const char *lead, const char *target)
{
	text_printf(out, "\"%s", lead);
	for (; *target; target++) /* "category:event" is category__event in C */
		text_puts(out, *target == ':' ? "__" : (char[]){ *target, '\0' });
	text_puts(out, "\"");
}

/* Calls emit() with every name that every hook may have. */
static void each_name(const struct hooks *hs, struct text *out,
		      void (*emit)(struct text *out, const char *lead, const char *target,
				   int number))
{
	static const char *const lead[HOOK_KINDS] = {
		"____kfunc__", "____kretfunc__",   "kprobe__",
		"kretprobe__", "raw_tracepoint__", "tracepoint__",
	};
	const struct hook *h;
	int i;

	for (i = 0; i < hs->n; i++) {
		h = &hs->v[i];
		emit(out, lead[h->kind], h->target, i);
		if (h->kind == HOOK_FENTRY)
			emit(out, "____kfunc__" VMLINUX, h->target, i);
		if (h->kind == HOOK_FEXIT)
			emit(out, "____kretfunc__" VMLINUX, h->target, i);
	}
}

static void emit_differs(struct text *out, const char *lead, const char *target, int number)
{
	(void)number;
	text_puts(out, " && __builtin_strcmp(f, ");
	emit_name(out, lead, target);
	text_puts(out, ")");
}

static void emit_case(struct text *out, const char *lead, const char *target, int number)
{
	text_puts(out, "\tif (!__builtin_strcmp(f, ");
	emit_name(out, lead, target);
	text_printf(out, "))\n\t\treturn %d;\n", number);
}

void hooks_emit(const struct hooks *hs, struct text *out)
{
	text_printf(out, "#define LNK_HOOKS %d\n", hs->n);
	/* A name that is no probe's would be a row that belongs to nobody. */
	text_puts(out, "static __always_inline int lnk_hook_id(const char *f)\n"
		       "\t__attribute__((diagnose_if(1");
	each_name(hs, out, emit_differs);
	text_puts(out, ", \"show_skb(), show_skb_at_data() and show_sock() are called by a probe "
		       "function itself, not by a function that it calls\", \"error\")));\n"
		       "static __always_inline int lnk_hook_id(const char *f)\n{\n");
	each_name(hs, out, emit_case);
	text_puts(out, "\treturn LNK_MAX_HOOKS;\n}\n");
}

void hook_describe(const struct hook *h, struct text *out)
{
	text_printf(out, "%s %s", hook_kind_name[h->kind], h->symbol);
}
