/* SPDX-License-Identifier: MIT */
/*
 * Theory of operation. The child goes into mounts of its own (sandbox.c), so that a header
 * tree made for the compile is seen by nobody else and is gone with the process, however it
 * ends. Then it tries the header sources in their order until one compiles, loads every
 * probe function, and sends the descriptors.
 *
 * libbcc is loaded by its soname at run time, by a thread: to map and relocate LLVM takes as
 * long as to write the first header tree. Its environment is emptied first: it obeys ARCH,
 * TMPDIR, BCC_* and others.
 */
#include "bpf/loader.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>
#include <linux/bpf.h>
#include <bpf/btf.h>
#include <bpf/libbpf.h>

#include "bpf/casts.h"
#include "bpf/headers_btf.h"
#include "bpf/headers_stubs.h"
#include "bpf/headers_types.h"
#include "bpf/keep.h"
#include "bpf/libbcc.h"
#include "bpf/memory.h"
#include "bpf/pages.h"
#include "bpf/prog_kind.h"
#include "bpf/prog_load.h"
#include "bpf/sandbox.h"
#include "bpf/splice.h"

static struct libbcc bcc;

struct loader {
	const struct program_request *req;
	const struct hooks *hs;
	int sock;
	int log;
	const char *key;
	struct sandbox box;
	/* opens libbcc; `opening` until somebody waited for it */
	pthread_t opener;
	bool opening;
	int open_error;
};

/* --- talking to the parent ------------------------------------------------------- */

static void send_reply(const struct loader *l, struct reply *r, const char *text, int fd)
{
	union {
		char buf[CMSG_SPACE(sizeof(int))];
		struct cmsghdr align;
	} control = { 0 };
	struct iovec iov = { r, offsetof(struct reply, text) };
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1 };
	struct cmsghdr *c;

	r->text[0] = '\0';
	if (text)
		snprintf(r->text, sizeof(r->text), "%s", text);
	iov.iov_len += strlen(r->text) + 1;
	if (fd >= 0) {
		msg.msg_control = control.buf;
		msg.msg_controllen = sizeof(control.buf);
		c = CMSG_FIRSTHDR(&msg);
		c->cmsg_level = SOL_SOCKET;
		c->cmsg_type = SCM_RIGHTS;
		c->cmsg_len = CMSG_LEN(sizeof(int));
		memcpy(CMSG_DATA(c), &fd, sizeof(int));
	}
	if (sendmsg(l->sock, &msg, MSG_NOSIGNAL) < 0)
		_exit(1); /* the parent is gone */
}

static void send_text(const struct loader *l, enum reply_kind kind, const char *text)
{
	struct reply r = { .kind = kind };

	send_reply(l, &r, text, -1);
}

static uint64_t log_end(const struct loader *l)
{
	off_t end = lseek(l->log, 0, SEEK_END);

	return end < 0 ? 0 : (uint64_t)end;
}

static _Noreturn void done(const struct loader *l, int error)
{
	struct reply r = { .kind = REPLY_DONE, .error = error };

	send_reply(l, &r, NULL, -1);
	_exit(0);
}

/* --- libbcc ---------------------------------------------------------------------- */

static void *open_in_thread(void *arg)
{
	struct loader *l = arg;

	struct text said = { 0 }, line = { 0 };

	l->open_error = libbcc_open(&bcc, &said);
	if (l->open_error)
		text_printf(&line, "%s; " LIBBCC_ADVICE, text_str(&said));
	else
		text_printf(&line, "libbcc: %s", text_str(&said));
	send_text(l, l->open_error ? REPLY_FAILED : REPLY_NOTE, text_str(&line));
	text_free(&line);
	text_free(&said);
	return NULL;
}

/* Begun before the thread that compiles moves into other mounts, in which libbcc may be
 * out of sight. */
static void begin_to_open(struct loader *l)
{
	l->opening = !pthread_create(&l->opener, NULL, open_in_thread, l);
	if (!l->opening)
		open_in_thread(l);
}

/* Without libbcc nothing else matters. */
static void wait_for_libbcc(struct loader *l)
{
	if (l->opening)
		pthread_join(l->opener, NULL);
	l->opening = false;
	if (l->open_error)
		done(l, ENOENT);
}

/* --- compile --------------------------------------------------------------------- */

static int make_sub_dir(const struct loader *l, int number, char *path, size_t size)
{
	if (!l->box.work[0])
		return -ENOTDIR;
	snprintf(path, size, "%s/%d", l->box.work, number);
	return mkdir(path, 0700) ? -errno : 0;
}

#define MAX_MORE_FLAGS 11

/*
 * What every compile gets beside the headers' flags. libbcc has the whole -O3 pipeline run
 * over what clang made, for the right machine; clang's own run before that takes as long
 * and changes nothing to speak of. A function that is not declared is a misspelt one, or one
 * that only whole headers have: that would be a warning, which -w takes away whatever else is
 * said, and a program that the verifier refuses with a riddle.
 */
static void add_own_flags(const struct loader *l, const char *flags[MAX_MORE_FLAGS])
{
	int n = 0;

	flags[n++] = "-Xclang";
	flags[n++] = "-disable-llvm-passes";
	if (!l->req->debug_info)
		flags[n++] = "-g0";
	if (!l->req->verbose)
		flags[n++] = "-Wno-everything";
	flags[n++] = "-Werror=implicit-function-declaration";
	flags[n++] = "-Werror=return-type"; /* an error anyway, but not where it is turned off */
	flags[n] = NULL;
}

static void note_headers(const struct loader *l, const struct headers *h)
{
	const char *own[MAX_MORE_FLAGS], **flag;
	struct text t = { 0 };
	int i;

	text_printf(&t, "headers: %s", h->describe);
	send_text(l, REPLY_NOTE, text_str(&t));
	text_reset(&t);
	text_printf(&t, "cflags: BCC_KERNEL_SOURCE=%s", h->source);
	for (i = 0; i < h->ncflags; i++)
		text_printf(&t, " %s", h->cflags[i]);
	add_own_flags(l, own);
	for (flag = own; *flag; flag++)
		text_printf(&t, " %s", *flag);
	send_text(l, REPLY_NOTE, text_str(&t));
	text_free(&t);
}

static void *compile(const struct headers *h, const char *source, const char *const *more)
{
	const char *cflags[HEADERS_MAX_CFLAGS + MAX_MORE_FLAGS];
	int n;

	for (n = 0; n < h->ncflags; n++)
		cflags[n] = h->cflags[n];
	while (*more)
		cflags[n++] = *more++;
	setenv("BCC_KERNEL_SOURCE", h->source, 1);
	return bcc.create(source, 0, cflags, n, true, NULL);
}

/* What was said since then is not worth telling. */
static void drop_log(const struct loader *l, uint64_t from)
{
	fflush(NULL);
	if (!ftruncate(l->log, (off_t)from))
		lseek(l->log, (off_t)from, SEEK_SET);
}

/* A tracepoint's arguments. Where this is wrong a compile is made for nothing. */
static bool has_arguments(const char *source)
{
	static const char macro[] = "TRACEPOINT_PROBE", raw[] = "RAW_";
	const size_t before = sizeof(raw) - 1;
	const char *p;

	if (strstr(source, "struct tracepoint__"))
		return true;
	for (p = strstr(source, macro); p; p = strstr(p + 1, macro))
		if ((size_t)(p - source) < before || strncmp(p - before, raw, before) != 0)
			return true;
	return false;
}

/*
 * libbcc parses a program three times, the first time only to find tracepoints whose arguments
 * it is to describe. Where there are none that first time is a tenth of all the work for
 * nothing. clang writes at the end of each what it has read (-MF): until that file is there, the
 * program, and with our own trees libbcc's helpers.h (headers_stubs.c), are empty. Returns NULL
 * when that does not work, for whatever reason.
 */
static void *compile_in_two(const struct loader *l, const struct headers *h, const char *work,
			    const char *more[MAX_MORE_FLAGS])
{
	char parsed[128], flag[160];
	struct text text = { 0 };
	void *module = NULL;
	int n = 0;

	if (l->req->verbose || l->req->debug_info || has_arguments(l->req->source))
		return NULL;
	while (more[n])
		n++;
	snprintf(parsed, sizeof(parsed), "%s/parsed", work);
	snprintf(flag, sizeof(flag), "-D" HEADERS_PARSED "=\"%s\"", parsed);
	more[n++] = flag;
	more[n++] = "-MD";
	more[n++] = "-MF";
	more[n++] = parsed;
	more[n] = NULL;
	unlink(parsed);
	text_puts(&text, "#if __has_include(" HEADERS_PARSED ")\n");
	text_puts(&text, l->req->source);
	/* an #else of the source's that belongs to nothing would cut off what follows */
	text_puts(&text, "\n#define LNK_WHOLE\n#endif\n"
			 "#if __has_include(" HEADERS_PARSED ") && !defined(LNK_WHOLE)\n"
			 "#error\n#endif\n");
	if (!text.cut)
		module = compile(h, text.s, more);
	text_free(&text);
	return module && bcc.num_functions(module) ? module : NULL;
}

static void *compile_whole(const struct loader *l, const struct headers *h, const char *const *more)
{
	struct text marked = { 0 };
	void *module;

	if (l->req->debug_info)
		splice_mark(l->req->source, &marked);
	module = compile(h, marked.s && !marked.cut ? marked.s : l->req->source, more);
	text_free(&marked);
	return module;
}

static void *compile_probes(const struct loader *l, const struct headers *h, const char *work)
{
	const char *more[MAX_MORE_FLAGS];
	uint64_t log_from = log_end(l);
	void *module;

	note_headers(l, h);
	add_own_flags(l, more);
	module = compile_in_two(l, h, work, more);
	if (module) {
		send_text(l, REPLY_NOTE, "parsed twice: no tracepoint's arguments are asked for");
		return module;
	}
	drop_log(l, log_from);
	add_own_flags(l, more);
	return compile_whole(l, h, more);
}

/* The types that probes use, of a whole tree, as a small one. */
static int reduce(const struct headers *full, const char *work, const char *program,
		  struct headers *small)
{
	static const char *const more[] = { "-Xclang", "-disable-llvm-passes", "-w",
					    HEADERS_TYPES_FLAG, NULL };
	struct text btf = { 0 }, why = { 0 };
	char dir[128];
	int err;

	snprintf(dir, sizeof(dir), "%s/small", work);
	err = mkdir(dir, 0700) ? -errno : 0;
	if (!err && !compile(full, headers_types_source, more))
		err = -ENOEXEC;
	if (!err)
		err = headers_types_take(&btf);
	if (!err)
		err = headers_reduce(small, full, &btf, dir, program, &why);
	text_free(&btf);
	text_free(&why);
	return err;
}

/*
 * With the headers of a whole kernel, one pass of clang over them takes longer than all the
 * rest, and libbcc makes three. So their types are taken out of them in one pass, and the
 * probes are compiled with just these. A probe may use more than these types: then, and when
 * anything else goes wrong, what was said of it is dropped, and the whole headers are used.
 */
static void *compile_reduced(const struct loader *l, const struct headers *full, const char *work)
{
	uint64_t log_from = log_end(l);
	struct headers small;
	void *module = NULL;

	if (!full->build[0])
		return NULL;
	if (!reduce(full, work, l->req->source, &small)) {
		module = compile_probes(l, &small, work);
		headers_free(&small);
	}
	if (!module)
		drop_log(l, log_from);
	return module;
}

/* One header source: prepare, compile. NULL with the reason sent. */
static void *attempt(struct loader *l, enum headers_kind kind, int number)
{
	struct headers h = { 0 };
	struct text t = { 0 };
	struct reply r = { .kind = REPLY_FAILED, .log_from = log_end(l) };
	char work[96];
	void *module = NULL;
	int err;

	text_printf(&t, "%s headers: ", headers_kind_name[kind]);
	err = make_sub_dir(l, number, work, sizeof(work));
	if (err) {
		text_printf(&t, "no directory to work in (%s)", strerror(-err));
	} else {
		err = headers_prepare(&h, kind, l->req->headers_dir, work, l->req->source, &t);
	}
	wait_for_libbcc(l);
	if (!err) {
		module = compile_reduced(l, &h, work);
		if (!module)
			module = compile_probes(l, &h, work);
		if (!module)
			text_puts(&t, "the probes do not compile");
	}
	if (!module) {
		r.index = err ? 0 : 1; /* 1: clang had its say */
		r.log_to = log_end(l);
		send_reply(l, &r, text_str(&t), -1);
	}
	headers_free(&h);
	text_free(&t);
	return module;
}

static void *compile_somehow(struct loader *l)
{
	static const enum headers_kind order[] = { HEADERS_DIR, HEADERS_BTF, HEADERS_INSTALLED,
						   HEADERS_KHEADERS };
	void *module = NULL;
	size_t i;

	if (l->req->headers != HEADERS_AUTO)
		return attempt(l, l->req->headers, 0);
	for (i = 0; i < sizeof(order) / sizeof(order[0]) && !module; i++)
		if (order[i] != HEADERS_DIR || l->req->headers_dir)
			module = attempt(l, order[i], (int)i);
	return module;
}

/* --- load ------------------------------------------------------------------------ */

static uint32_t btf_id(const struct hook *h)
{
	const struct btf *btf = headers_btf_kernel();

	return btf ? prog_btf_id(btf, h->kind, h->target) : 0;
}

/* In place, in libbcc's memory, as libbcc itself puts in the numbers of maps. Where the kernel
 * has no such function the verifier says so. */
static void put_casts(void *module)
{
	const struct btf *btf;
	struct casts casts = { 0 };
	struct bpf_insn *insns;
	const char *name;
	uint32_t n;
	size_t i;

	for (i = 0; i < bcc.num_functions(module); i++) {
		name = bcc.function_name(module, i);
		insns = bcc.function_start(module, name);
		n = (uint32_t)(bcc.function_size(module, name) / sizeof(*insns));
		if (!casts_in(insns, n))
			continue;
		btf = casts.type ? NULL : headers_btf_kernel();
		if (!casts.type && (!btf || !casts_find(btf, &casts)))
			return;
		casts_put(&casts, insns, n);
	}
}

/* libbcc has no name for such programs. What the verifier says goes where libbcc's words
 * go. Returns a descriptor, or -1 with errno. */
static int load_typed(void *module, const char *name, const struct hook *h)
{
	static char log[1 << 20];
	struct prog_spec spec = {
		.function = name,
		.licence = bcc.license(module),
		.kern_version = bcc.kern_version(module),
		.kind = h->kind,
		.attach_btf_id = btf_id(h),
		.insns = bcc.function_start(module, name),
		.n = (uint32_t)(bcc.function_size(module, name) / sizeof(struct bpf_insn)),
	};
	int fd;

	if (!spec.attach_btf_id) {
		errno = ENOENT;
		return -1;
	}
	fd = prog_load(&spec, NULL, 0);
	if (fd == -EACCES || fd == -EINVAL) {
		fd = prog_load(&spec, log, sizeof(log));
		fprintf(stderr, "%s\n", log);
	}
	if (fd >= 0)
		return fd;
	errno = -fd;
	return -1;
}

/* Returns whether it was loaded. */
static bool load_hook(struct loader *l, void *module, const char *name, int index)
{
	struct reply r = { .kind = REPLY_HOOK, .index = index, .log_from = log_end(l) };
	const struct hook *h = &l->hs->v[index];
	int fd;

	errno = 0;
	if (h->typed)
		fd = load_typed(module, name, h);
	else
		fd = bcc.func_load(module, prog_kind[h->kind].type, name,
				   bcc.function_start(module, name),
				   (int)bcc.function_size(module, name), bcc.license(module),
				   bcc.kern_version(module), 0, NULL, 0, NULL,
				   prog_kind[h->kind].attach);
	if (fd < 0)
		r.error = errno ? errno : EINVAL;
	fflush(NULL);
	r.log_to = log_end(l);
	send_reply(l, &r, NULL, fd);
	if (fd >= 0)
		close(fd);
	return fd >= 0;
}

/* Sends every map and program. Returns whether all of them were loaded. */
static bool load_all(struct loader *l, void *module)
{
	bool all = true;
	struct reply counters = { .kind = REPLY_COUNTERS }, events = { .kind = REPLY_EVENTS };
	struct reply shared = { .kind = REPLY_SHARED }, owners = { .kind = REPLY_OWNERS };
	struct text t = { 0 };
	const char *name;
	size_t i;
	int fd, index;

	fd = bcc.table_fd(module, "lnk_counters");
	if (fd >= 0)
		send_reply(l, &counters, NULL, fd);
	fd = bcc.table_fd(module, "lnk_events");
	if (fd >= 0)
		send_reply(l, &events, NULL, fd);
	fd = bcc.table_fd(module, "lnk_shared");
	if (fd >= 0)
		send_reply(l, &shared, NULL, fd);
	fd = bcc.table_fd(module, "lnk_owners");
	if (fd >= 0)
		send_reply(l, &owners, NULL, fd);
	fd = bcc.table_fd(module, "lnk_pages");
	if (fd >= 0)
		pages_fill(fd);
	for (i = 0; i < bcc.num_functions(module); i++) {
		name = bcc.function_name(module, i);
		index = hooks_find_function(l->hs, name);
		if (index >= 0) {
			all &= load_hook(l, module, name, index);
			continue;
		}
		text_reset(&t);
		if (hooks_is_function(name)) {
			text_printf(
				&t,
				"%s: this probe function is made by a macro and cannot be found "
				"in the source: write its definition out",
				name);
			send_text(l, REPLY_STRAY, text_str(&t));
		} else {
			text_printf(&t, "function %s is not named like a probe: it is not loaded",
				    name);
			send_text(l, REPLY_NOTE, text_str(&t));
		}
		all = false;
	}
	text_free(&t);
	return all;
}

void loader_run(const struct program_request *req, const struct hooks *hs, int sock, int log,
		const char *key)
{
	struct loader l = { .req = req, .hs = hs, .sock = sock, .log = log, .key = key };
	void *module;

	dup2(log, STDOUT_FILENO);
	dup2(log, STDERR_FILENO);
	if (clearenv() || setenv("PATH", "/usr/sbin:/usr/bin:/sbin:/bin", 1) || chdir("/"))
		done(&l, errno);
	memory_prepare();
	memory_limit();
	begin_to_open(&l);
	sandbox_enter(&l.box, req->headers_dir);
	if (l.box.visible)
		send_text(&l, REPLY_WORK, l.box.work);
	module = compile_somehow(&l);
	fflush(NULL);
	if (!module)
		done(&l, EINVAL);
	put_casts(module);
	if (load_all(&l, module) && l.key)
		keep_program(&bcc, module, hs, l.key);
	done(&l, 0);
}
