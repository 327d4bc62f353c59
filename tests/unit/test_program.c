/* SPDX-License-Identifier: MIT */
/*
 * Real compiles, with libbcc and this kernel. The child that program_build() starts is
 * this program, sanitizers and all; ASan's report of libbcc's own leaks at a call of
 * exit() goes where all of the child's output goes.
 */
#include "unit.h"

#include <bcc/libbpf.h>
#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <glob.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/timerfd.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "bpf/counters.h"
#include "bpf/embedded.h"
#include "bpf/headers_stubs.h"
#include "bpf/kernel.h"
#include "bpf/layout.h"
#include "bpf/program.h"
#include "bpf/source.h"

static struct program program;
static struct hooks hooks;
static struct text source;

/* Tried in a child: it must not be mapped here. */
static bool have_libbcc(void)
{
	pid_t pid = fork();
	int status;

	if (!pid)
		_exit(dlopen("libbcc.so.0", RTLD_LAZY) ? 0 : 1);
	return waitpid(pid, &status, 0) == pid && !status;
}

static void need_kernel(void)
{
	if (geteuid() || !kernel_may_trace())
		SKIP("needs root");
	if (!kernel_has_btf())
		SKIP("this kernel shows no BTF");
	if (!have_libbcc())
		SKIP("libbcc is not installed");
	/* an orphan of the child would come to us */
	prctl(PR_SET_CHILD_SUBREAPER, 1);
}

/* The headers of the tree, and the given texts as probes/a.c, probes/b.c, ... */
static void assemble(const char *const *probes)
{
	struct source src = { 0 };
	struct text why = { 0 };
	static const char *const first[] = { "kernel.h", "event.h", "config.h", "packet.h",
					     "socket.h", "names.h", "rate.h",   "show.h" };
	const size_t nfirst = sizeof(first) / sizeof(first[0]);
	size_t n = 0;

	for (n = 0; probes[n]; n++)
		;
	src.parts = calloc(n + nfirst, sizeof(*src.parts));
	for (size_t i = 0; i < nfirst + n; i++) {
		struct part *p = &src.parts[src.n++];
		char name[] = "a.c", label[64];
		const char *text = NULL;

		name[0] = (char)('a' + (i < nfirst ? 0 : i - nfirst));
		p->name = strdup(i < nfirst ? first[i] : name);
		for (int k = 0; i < nfirst && embedded_files[k].name; k++)
			if (!strcmp(embedded_files[k].name, first[i]))
				text = embedded_files[k].text;
		snprintf(label, sizeof(label), "probes/%s", p->name);
		p->label = strdup(label);
		p->origin = strdup("test");
		text_puts(&p->text, i < nfirst ? text : probes[i - nfirst]);
	}
	hooks_free(&hooks);
	CHECK_INT(source_hooks(&src, &hooks, &why), 0);
	text_reset(&source);
	source_assemble(&src, &hooks, "", &source);
	source_free(&src);
	text_free(&why);
}

#define ASSEMBLE(...) assemble((const char *const[]){ __VA_ARGS__, NULL })

/* No child, running or dead, is left; not even one of the child's own. */
static void check_no_child(void)
{
	int status;
	pid_t pid;

	pid = waitpid(-1, &status, WNOHANG);
	CHECK_INT(pid, -1);
	if (pid < 0)
		CHECK_INT(errno, ECHILD);
}

static bool verbose, debug_info;

static int build_with(int stop_fd, int timeout_ms)
{
	struct program_request req = { .source = text_str(&source),
				       .headers = HEADERS_BTF,
				       .verbose = verbose,
				       .debug_info = debug_info,
				       .stop_fd = stop_fd,
				       .timeout_ms = timeout_ms,
				       .no_cache = true };
	int err;

	err = program_build(&program, &hooks, &req);
	check_no_child();
	CHECK(!strchr(text_str(&program.error), '\n'));
	CHECK(err || !program.error.len);
	return err;
}

static int build(void)
{
	return build_with(-1, 25000);
}

static void end(void)
{
	program_free(&program);
	hooks_free(&hooks);
}

static void says(const struct text *t, const char *what)
{
	if (!CHECK(strstr(text_str(t), what)))
		CHECK_STR(text_str(t), what);
}

static int open_descriptors(void)
{
	DIR *d = opendir("/proc/self/fd");
	int n = 0;

	while (readdir(d))
		n++;
	closedir(d);
	return n;
}

/* A program of each kind that every kernel since 4.17 takes. */
#define GOOD                                                                                       \
	"int kprobe__tcp_v4_rcv(struct pt_regs *ctx, struct sk_buff *skb)\n"                       \
	"{\n\treturn show_skb(ctx, skb);\n}\n"                                                     \
	"RAW_TRACEPOINT_PROBE(netif_receive_skb)\n"                                                \
	"{\n\treturn show_skb_at_data(ctx, (struct sk_buff *)ctx->args[0]);\n}\n"

TEST(probes_that_are_good)
{
	struct lnk_counters c[2];

	need_kernel();
	ASSEMBLE(GOOD);
	if (!CHECK_INT(build(), 0)) {
		CHECK_STR(text_str(&program.error), "");
		CHECK_STR(text_str(&program.compiler), "");
	}
	CHECK(program.counters_fd >= 0);
	CHECK(program.events_fd >= 0);
	CHECK_INT(counters_read(program.counters_fd, c, 2), 0);
	CHECK_INT(c[0].seen + c[1].seen, 0);
	for (int i = 0; i < 2; i++) {
		CHECK(hooks.v[i].compiled);
		CHECK(hooks.v[i].prog_fd >= 0);
		CHECK(!hooks.v[i].refused);
		CHECK_STR(text_str(&hooks.v[i].why), "");
	}
	says(&program.notes, "libbcc: /");
	says(&program.notes, "headers: BTF of the running kernel\n");
	says(&program.notes, "cflags: ");
	end();
}

/* The whole tree, as the program itself would compile it. */
TEST(the_probes_of_the_tree)
{
	struct source src = { 0 };
	struct text why = { 0 };

	need_kernel();
	CHECK_INT(source_load(&src, NULL, &why), 0);
	CHECK_INT(source_hooks(&src, &hooks, &why), 0);
	source_assemble(&src, &hooks, "", &source);
	source_free(&src);
	if (!CHECK_INT(build(), 0))
		CHECK_STR(text_str(&program.error), "");
	for (int i = 0; i < hooks.n; i++) {
		/* its #if asks for an offset from tracefs */
		CHECK_INT(hooks.v[i].compiled, hooks.v[i].kind != HOOK_TRACEPOINT);
		if (hooks.v[i].kind == HOOK_KPROBE || hooks.v[i].kind == HOOK_RAW_TRACEPOINT)
			CHECK(hooks.v[i].prog_fd >= 0);
		/* a kernel without TRACING programs is no reason to fail */
		CHECK(!hooks.v[i].refused);
	}
	end();
	text_free(&why);
}

TEST(a_probe_that_does_not_compile)
{
	need_kernel();
	ASSEMBLE(GOOD, "/* one\n * two */\nint kprobe__x(struct pt_regs *ctx)\n{\n"
		       "\treturn no_such_name;\n}\n");
	CHECK_INT(build(), -EINVAL);
	CHECK_STR(text_str(&program.error),
		  "probes/b.c:5:9: error: use of undeclared identifier 'no_such_name'");
	says(&program.compiler, "return no_such_name;");
	CHECK(program.counters_fd < 0 && program.events_fd < 0);
	CHECK(hooks.v[0].prog_fd < 0);
	end();
	/* behind what is spliced in, too */
	ASSEMBLE(GOOD "#error here\n");
	CHECK_INT(build(), -EINVAL);
	CHECK_STR(text_str(&program.error), "probes/a.c:9:2: error: here");
	end();
}

TEST(a_brace_that_is_not_closed)
{
	need_kernel();
	ASSEMBLE("int kprobe__x(struct pt_regs *ctx)\n{\n\treturn 0;\n");
	CHECK_INT(build(), -EINVAL);
	says(&program.error, "probes/a.c:");
	end();
}

/* clang would only warn, and the verifier say that the program has no end. What else clang
 * warns of is for -v. */
TEST(a_function_that_is_not_declared)
{
	static const char warns[] = "int kprobe__x(struct pt_regs *ctx)\n{\n\tint a;\n\n"
				    "\tif (a = 4)\n\t\treturn a;\n\treturn 0;\n}\n";
	static const char calls[] = "int kprobe__x(struct pt_regs *ctx)\n{\n\tint a;\n\n"
				    "\tif (a = 4)\n\t\treturn no_such_helper(1);\n\treturn 0;\n}\n";

	need_kernel();
	for (int i = 0; i < 2; i++) {
		verbose = i;
		ASSEMBLE(GOOD, warns);
		CHECK_INT(build(), 0);
		CHECK_INT(!strstr(text_str(&program.compiler), "parentheses"), !verbose);
		end();
		ASSEMBLE(GOOD, calls);
		CHECK_INT(build(), -EINVAL);
		says(&program.error, "probes/b.c:6:10: error: ");
		says(&program.error, "'no_such_helper'");
		end();
	}
	verbose = false;
}

/* libbcc calls exit(1) in the child. */
/* No helpers, and nothing that headers would have to declare: clang makes instructions of them. */
TEST(functions_that_clang_knows)
{
	need_kernel();
	ASSEMBLE(GOOD, "int kprobe__x(struct pt_regs *ctx)\n{\n\tstruct { int a[4]; } x, y;\n\n"
		       "\tmemset(&x, 0, sizeof(x));\n\tmemcpy(&y, &x, sizeof(y));\n"
		       "\tmemmove(&x, &y, sizeof(y));\n"
		       "\treturn memcmp(&x, &y, 4) + strlen(\"ab\") + abs(y.a[0]);\n}\n");
	CHECK_INT(build(), 0);
	end();
}

/* It would return what happens to be in a register. */
TEST(a_function_that_returns_nothing)
{
	need_kernel();
	for (int i = 0; i < 2; i++) {
		verbose = i;
		ASSEMBLE(GOOD,
			 "static int wanted(int a)\n{\n\tif (a)\n\t\treturn;\n\treturn 3;\n}\n"
			 "int kprobe__x(struct pt_regs *ctx)\n{\n\treturn wanted(1);\n}\n");
		CHECK_INT(build(), -EINVAL);
		says(&program.error, "probes/b.c:4:3: error: ");
		end();
	}
	verbose = false;
}

TEST(a_stack_of_over_512_bytes)
{
	need_kernel();
	ASSEMBLE(GOOD "int kprobe__big(struct pt_regs *ctx, int a)\n{\n"
		      "\tvolatile char big[600] = { 0 };\n"
		      "\tint i;\n\n\tfor (i = 0; i < 600; i++)\n\t\tbig[i] = i;\n"
		      "\treturn big[bpf_get_smp_processor_id() & 511];\n}\n");
	CHECK(build() < 0);
	says(&program.error, "BPF stack limit "); /* of 512 bytes, clang 14 says */
	says(&program.error, "probes/a.c:11:");
	says(&program.error, "kprobe__big");
	end();
}

/* The name of the function is how a row finds its stage. */
TEST(a_row_of_a_function_that_is_no_probe)
{
	need_kernel();
	ASSEMBLE("static int helper(struct pt_regs *ctx, struct sk_buff *skb)\n{\n"
		 "\treturn show_skb(ctx, skb);\n}\n",
		 GOOD);
	CHECK_INT(build(), -EINVAL);
	says(&program.error, "probes/a.c:3:");
	says(&program.error, "are called by a probe function itself");
	end();
}

/* The verifier refuses one program; the others are loaded. */
TEST(a_verifier_rejection)
{
	need_kernel();
	ASSEMBLE("int kprobe__bad(struct pt_regs *ctx)\n{\n\tint k = bpf_get_smp_processor_id();\n"
		 "\tstruct lnk_counters *c = lnk_counters.lookup(&k);\n\n"
		 "\tc->seen = 1;\n\treturn 0;\n}\n",
		 GOOD);
	if (!CHECK_INT(build(), 0))
		CHECK_STR(text_str(&program.error), "");
	CHECK_INT(hooks.n, 3);
	CHECK(hooks.v[0].compiled);
	CHECK(hooks.v[0].refused);
	CHECK_INT(hooks.v[0].prog_fd, -1);
	says(&hooks.v[0].why, "the kernel's verifier refused it: R");
	says(&hooks.v[0].why, "invalid mem access 'map_value_or_null'");
	CHECK(!strchr(text_str(&hooks.v[0].why), '\n'));
	says(&hooks.v[0].log, "processed ");
	for (int i = 1; i < hooks.n; i++) {
		CHECK(!hooks.v[i].refused);
		CHECK(hooks.v[i].prog_fd >= 0);
		CHECK_STR(text_str(&hooks.v[i].why), "");
		CHECK(!strstr(text_str(&hooks.v[i].log), "invalid mem access"));
	}
	end();
}

/* Where the verifier tells a line (Linux 6.10) it is the user's, though libbcc has put lines of its
 * own in front of it. */
TEST(the_line_of_a_verifier_rejection)
{
	need_kernel();
	ASSEMBLE(GOOD "int kprobe__bad(struct pt_regs *ctx, int a)\n{\n"
		      "\tint k = bpf_get_smp_processor_id();\n"
		      "\tstruct lnk_counters *c = lnk_counters.lookup(&k);\n\n"
		      "\tc->seen = 1;\n\treturn 0;\n}\n");
	debug_info = true;
	CHECK_INT(build(), 0);
	debug_info = false;
	CHECK(hooks.v[2].refused);
	if (!strstr(text_str(&hooks.v[2].log), " @ a.c:"))
		SKIP("this kernel does not tell lines");
	says(&hooks.v[2].why, "'map_value_or_null' (at a.c:14)");
	end();
}

/* A function of another name is said to be left alone. */
TEST(functions_that_are_no_hooks)
{
	need_kernel();
	ASSEMBLE(GOOD, "int some_function(void *ctx)\n{\n\treturn 0;\n}\n");
	CHECK_INT(build(), 0);
	says(&program.notes, "some_function is not named like a probe");
	end();
}

/* A hook that the preprocessor takes out is there, and not compiled. */
TEST(hooks_that_are_not_compiled)
{
	need_kernel();
	ASSEMBLE("#if 0\nint kprobe__out(struct pt_regs *ctx)\n{\n\treturn 0;\n}\n#endif\n", GOOD);
	CHECK_INT(build(), 0);
	CHECK_INT(hooks.n, 3);
	CHECK(!hooks.v[0].compiled);
	CHECK(!hooks.v[0].refused);
	CHECK_INT(hooks.v[0].prog_fd, -1);
	CHECK(hooks.v[1].prog_fd >= 0);
	end();
}

TEST(an_edited_event_h)
{
	struct text t = { 0 };
	const char *at;

	need_kernel();
	ASSEMBLE(GOOD);
	at = strstr(text_str(&source), "__u32 ack_seq;");
	if (!CHECK(at))
		return;
	text_add(&t, source.s, (size_t)(at - source.s));
	text_puts(&t, "__u64 ack_seq;");
	text_puts(&t, at + 14);
	text_reset(&source);
	text_puts(&source, t.s);
	CHECK_INT(build(), -EINVAL);
	says(&program.error, "field 'ack_seq' of struct lnk_event is not where");
	end();
	text_free(&t);
}

TEST(no_maps)
{
	need_kernel();
	ASSEMBLE("");
	text_reset(&source);
	text_puts(&source, "int kprobe__x(void *ctx) { return 0; }\n");
	CHECK_INT(build(), -EINVAL);
	says(&program.error, "no map lnk_counters or lnk_events");
	end();
	text_reset(&source);
	CHECK(build() < 0);
	CHECK(program.error.len);
	end();
}

TEST(stop_fd_at_once)
{
	int p[2];

	need_kernel();
	ASSEMBLE(GOOD);
	CHECK_INT(pipe(p), 0);
	CHECK_INT(write(p[1], "x", 1), 1);
	CHECK_INT(build_with(p[0], 25000), -EINTR);
	CHECK_STR(text_str(&program.error), "");
	CHECK(program.counters_fd < 0 && program.events_fd < 0);
	end();
	close(p[0]);
	close(p[1]);
}

static int64_t now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

/* A compile of many seconds, to be ended in the middle: a function of 2^17 statements. */
static void assemble_slow(void)
{
	ASSEMBLE(GOOD);
	text_puts(&source, "#define S0 x = x * 3 + 1;\n");
	for (int i = 1; i <= 17; i++)
		text_printf(&source, "#define S%d S%d S%d\n", i, i - 1, i - 1);
	text_puts(&source, "int kprobe__slow(struct pt_regs *ctx, struct sk_buff *skb)\n"
			   "{\n\tint x = (int)PT_REGS_PARM1(ctx);\n\n\tS17\n\treturn x;\n}\n");
}

TEST(stop_fd_during_the_compile)
{
	struct itimerspec when = { .it_value = { .tv_nsec = 300000000 } };
	int fd = timerfd_create(CLOCK_MONOTONIC, 0);
	int64_t start;

	need_kernel();
	assemble_slow();
	timerfd_settime(fd, 0, &when, NULL);
	start = now_ms();
	CHECK_INT(build_with(fd, 25000), -EINTR);
	CHECK(now_ms() - start >= 290);
	CHECK(now_ms() - start < 2000);
	end();
	close(fd);
}

TEST(too_slow)
{
	int64_t start;

	need_kernel();
	ASSEMBLE(GOOD);
	CHECK_INT(build_with(-1, 1), -ETIMEDOUT);
	CHECK_STR(text_str(&program.error), "the compile took too long and was ended");
	end();
	ASSEMBLE(GOOD);
	CHECK_INT(build_with(-1, 0), -ETIMEDOUT);
	CHECK(program.error.len);
	end();
	assemble_slow();
	start = now_ms();
	CHECK_INT(build_with(-1, 400), -ETIMEDOUT);
	CHECK(now_ms() - start >= 400);
	CHECK(now_ms() - start < 2500);
	CHECK_STR(text_str(&program.error), "the compile took too long and was ended");
	end();
}

/* Whatever happens: a build that is over has left nothing open. */
TEST(descriptors)
{
	static const char bad[] = "int kprobe__x(void *c) { return nosuch; }\n";
	int p[2], before = 0;

	need_kernel();
	CHECK_INT(pipe(p), 0);
	CHECK_INT(write(p[1], "x", 1), 1);
	for (int i = 0; i < 3; i++) {
		ASSEMBLE(GOOD);
		CHECK_INT(build(), 0);
		end();
		ASSEMBLE(bad);
		CHECK_INT(build(), -EINVAL);
		end();
		ASSEMBLE(GOOD);
		CHECK_INT(build_with(p[0], 25000), -EINTR);
		end();
		ASSEMBLE(GOOD);
		CHECK_INT(build_with(-1, 1), -ETIMEDOUT);
		end();
		if (!i)
			before = open_descriptors();
	}
	CHECK_INT(open_descriptors(), before);
}

/* The compile leaves this process as it was. */
TEST(the_parent_is_left_alone)
{
	char cwd[4096], again[4096];
	void *lib;

	need_kernel();
	setenv("ARCH", "nonsense", 1); /* libbcc would obey these */
	setenv("BCC_KERNEL_SOURCE", "/nowhere", 1);
	setenv("BCC_PROBE_PREFIX", "x", 1);
	CHECK(getcwd(cwd, sizeof(cwd)));
	ASSEMBLE(GOOD);
	CHECK_INT(build(), 0);
	CHECK(getcwd(again, sizeof(again)));
	CHECK_STR(again, cwd);
	CHECK_STR(getenv("ARCH"), "nonsense");
	lib = dlopen("libbcc.so.0", RTLD_NOLOAD | RTLD_NOW);
	CHECK(!lib);
	CHECK(!access("/tmp", F_OK));
	end();
}

/* Signals that the program blocks do not keep the child alive, nor does it get ours. */
TEST(blocked_signals)
{
	sigset_t set, old;

	need_kernel();
	sigfillset(&set);
	sigprocmask(SIG_BLOCK, &set, &old);
	ASSEMBLE(GOOD);
	CHECK_INT(build(), 0);
	end();
	CHECK_INT(build_with(-1, 1), -ETIMEDOUT);
	end();
	sigprocmask(SIG_SETMASK, &old, NULL);
}

TEST(no_such_headers)
{
	struct program_request req = { .headers = HEADERS_DIR,
				       .headers_dir = "/nowhere/at/all",
				       .stop_fd = -1,
				       .timeout_ms = 25000 };

	need_kernel();
	ASSEMBLE(GOOD);
	req.source = text_str(&source);
	CHECK(program_build(&program, &hooks, &req) < 0);
	check_no_child();
	says(&program.error, "/nowhere/at/all: No such file or directory");
	end();
}

/* A tag is the kernel's hash of the instructions, without the map descriptors. */
static void tag_of(int i, uint8_t tag[BPF_TAG_SIZE])
{
	struct bpf_prog_info info;
	uint32_t len = sizeof(info);

	memset(&info, 0, sizeof(info));
	CHECK_INT(bpf_obj_get_info(hooks.v[i].prog_fd, &info, &len), 0);
	memcpy(tag, info.tag, BPF_TAG_SIZE);
}

static void build_from(const char *dir)
{
	struct program_request req = { .source = text_str(&source),
				       .headers = HEADERS_DIR,
				       .headers_dir = dir,
				       .stop_fd = -1,
				       .timeout_ms = 100000,
				       .no_cache = true };

	if (!CHECK_INT(program_build(&program, &hooks, &req), 0))
		CHECK_STR(text_str(&program.error), "");
	check_no_child();
}

/* Skips where no headers are installed, not even another kernel's. */
static void find_headers(char dir[PATH_MAX])
{
	glob_t g;

	if (glob("/lib/modules/*/build/include", 0, NULL, &g))
		SKIP("no kernel headers are installed");
	snprintf(dir, PATH_MAX, "%s", g.gl_pathv[g.gl_pathc - 1]);
	*strrchr(dir, '/') = '\0';
	*strrchr(dir, '/') = '\0';
	globfree(&g);
}

/* The first parse is left out only where nothing is lost by it; and what is wrong with #if and
 * #else is wrong as ever, though the text stands in an #if then. */
TEST(parsed_twice)
{
	static const char said[] = "parsed twice";
	static const struct {
		const char *text, *error;
	} bad[] = {
		{ "#else\n", "probes/b.c:1:2: error: #else without #if" },
		{ "#elif 1\n", "probes/b.c:1:2: error: #elif without #if" },
		{ "#endif\n", "probes/b.c:1:2: error: #endif without #if" },
		{ "#if 1\n", "probes/b.c:1:2: error: unterminated conditional directive" },
		{ "#if 0\n", "probes/b.c:1:2: error: unterminated conditional directive" },
		{ "#if 1\n#else\n", "probes/b.c:1:2: error: unterminated conditional directive" },
	};

	need_kernel();
	ASSEMBLE(GOOD);
	CHECK_INT(build(), 0);
	says(&program.notes, said);
	end();
	ASSEMBLE(GOOD "/* struct tracepoint__net__netif_rx */\n");
	CHECK_INT(build(), 0);
	CHECK(!strstr(text_str(&program.notes), said));
	end();
	ASSEMBLE(GOOD "/* TRACEPOINT_PROBE(net, netif_rx) */\n");
	CHECK_INT(build(), 0);
	CHECK(!strstr(text_str(&program.notes), said));
	end();
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		ASSEMBLE(GOOD, bad[i].text, "/* more */\n");
		CHECK_INT(build(), -EINVAL);
		CHECK_STR(text_str(&program.error), bad[i].error);
		CHECK(!strstr(text_str(&program.notes), said));
		end();
	}
}

/* Where the program is another one when it is parsed twice, or none, it is the one that it would
 * be otherwise, and nothing that was said on the way is left. */
TEST(not_parsed_twice)
{
	static const char *const other[] = {
		"#ifdef " HEADERS_PARSED "\n#error not twice\n#endif\n" GOOD,
		"#ifndef " HEADERS_PARSED "\n" GOOD "#endif\n",
	};

	need_kernel();
	for (size_t i = 0; i < sizeof(other) / sizeof(other[0]); i++) {
		ASSEMBLE(other[i]);
		CHECK_INT(build(), 0);
		CHECK(hooks.v[0].prog_fd >= 0 && hooks.v[1].prog_fd >= 0);
		CHECK(!strstr(text_str(&program.notes), "parsed twice"));
		CHECK_STR(text_str(&program.compiler), "");
		end();
	}
}

/* clang shows a macro each time that it comes to this. */
TEST(how_often_it_is_parsed)
{
	static const char shows[] = "#define LNK_TIMES 77\n#pragma clang __debug macro LNK_TIMES\n";
	const char *p;
	int times;

	need_kernel();
	for (int twice = 0; twice < 2; twice++) {
		ASSEMBLE(GOOD, twice ? "" : "/* struct tracepoint__ */\n", shows);
		CHECK_INT(build(), 0);
		times = 0;
		for (p = text_str(&program.compiler); (p = strstr(p, "LNK_TIMES")); p++)
			times++;
		if (!times)
			SKIP("this clang does not show macros");
		CHECK_INT(times, twice ? 2 : 3);
		end();
	}
}

#define SOCK                                                                                       \
	"int kprobe__sock_def_readable(struct pt_regs *ctx, struct sock *sk)\n"                    \
	"{\n\treturn show_sock(ctx, sk);\n}\n"

/* The types taken out of installed headers make the same programs as the headers. */
TEST(types_taken_out_of_headers)
{
	uint8_t small[3][BPF_TAG_SIZE], whole[3][BPF_TAG_SIZE];
	char dir[PATH_MAX];

	need_kernel();
	find_headers(dir);
	ASSEMBLE(GOOD, SOCK);
	build_from(dir);
	says(&program.notes, "headers: the types that probes use, of kernel headers in ");
	CHECK_STR(text_str(&program.compiler), "");
	for (int i = 0; i < 3; i++)
		tag_of(i, small[i]);
	end();

	/* something that only the headers have */
	ASSEMBLE("#include <linux/kref.h>\n_Static_assert(sizeof(struct kref) == 4, \"\");\n" GOOD,
		 SOCK);
	build_from(dir);
	says(&program.notes, "\nheaders: kernel headers in ");
	CHECK_STR(text_str(&program.compiler), "");
	for (int i = 0; i < 3; i++)
		tag_of(i, whole[i]);
	CHECK_MEM(small, whole, sizeof(small));
	end();
}

/* What clang says of an error is what it says with the whole headers, and once. */
TEST(an_error_with_headers)
{
	struct program_request req = { .headers = HEADERS_DIR,
				       .stop_fd = -1,
				       .timeout_ms = 100000 };
	char dir[PATH_MAX];
	const char *first;

	need_kernel();
	find_headers(dir);
	ASSEMBLE(GOOD "int kprobe__a(struct pt_regs *ctx)\n{\n\treturn no_such_name;\n}\n");
	req.source = text_str(&source);
	req.headers_dir = dir;
	CHECK(program_build(&program, &hooks, &req) < 0);
	says(&program.error, "probes/a.c:11:9: error: use of undeclared identifier 'no_such_name'");
	first = strstr(text_str(&program.compiler), "no_such_name'");
	CHECK(first && !strstr(first + 1, "no_such_name'"));
	end();
}
