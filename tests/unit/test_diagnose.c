/* SPDX-License-Identifier: MIT */
#include "unit.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "bpf/diagnose.h"

static struct text out;

static const char *compile(const char *log)
{
	bool found;

	text_reset(&out);
	found = diagnose_compile(log, &out);
	CHECK_INT(found, out.len != 0);
	return text_str(&out);
}

static bool refused;

static const char *load(const char *log, int error, enum hook_kind kind)
{
	text_reset(&out);
	refused = diagnose_load(log, error, kind, &out);
	CHECK(!strchr(text_str(&out), '\n'));
	return text_str(&out);
}

TEST(the_first_error_of_clang)
{
	CHECK_STR(compile("/virtual/main.c:3:1: warning: something\n"
			  "probes/a.c:3:9: error: use of undeclared identifier 'nosuch'\n"
			  "        return nosuch;\n               ^\n"
			  "probes/b.c:7:1: error: expected '}'\n"
			  "2 errors generated.\n"),
		  "probes/a.c:3:9: error: use of undeclared identifier 'nosuch'");
	CHECK_STR(compile("probes/a.c:1:10: fatal error: 'x.h' file not found\n"
			  "#include \"x.h\"\n"),
		  "probes/a.c:1:10: fatal error: 'x.h' file not found");
	CHECK_STR(compile("probes/a.c:1:10: error: no newline after this"),
		  "probes/a.c:1:10: error: no newline after this");
}

/* Whichever comes first. */
TEST(errors_and_fatal_errors)
{
	CHECK_STR(compile("a.c:1:1: fatal error: one\nb.c:2:2: error: two\n"),
		  "a.c:1:1: fatal error: one");
	CHECK_STR(compile("b.c:2:2: error: two\na.c:1:1: fatal error: one\n"),
		  "b.c:2:2: error: two");
}

/* What libbcc 0.26 prints before it calls exit(1). */
TEST(errors_of_the_backend)
{
	CHECK_STR(compile("error: probes/a.c:5:16: in function kprobe__f i32 (%struct.pt_regs*): "
			  "Looks like the BPF stack limit of 512 bytes is exceeded. Please move "
			  "large on stack variables into BPF per-cpu array map.\n\n\n"),
		  "error: probes/a.c:5:16: in function kprobe__f i32 (%struct.pt_regs*): "
		  "Looks like the BPF stack limit of 512 bytes is exceeded. Please move "
		  "large on stack variables into BPF per-cpu array map.");
	CHECK_STR(compile("\n\nLLVM ERROR: Cannot select: t1\nmore\n"),
		  "LLVM ERROR: Cannot select: t1");
	CHECK_STR(compile("a.c:1:2: error: x\nLLVM ERROR: out of memory\nAllocation failed\n"),
		  "LLVM ERROR: out of memory");
	CHECK_STR(compile("a.c:1:2: error: 'LLVM ERROR: no'\n  LLVM ERROR: no\n"),
		  "a.c:1:2: error: 'LLVM ERROR: no'");
}

/* Noticed behind the last probe: the user knows nothing of that text. */
TEST(a_brace_that_is_not_closed)
{
	compile("event-layout:23:117: error: expected '}'\n_Static_assert(1, \"\");\n    ^\n"
		"probes/a.c:2:1: note: to match this '{'\n{\n^\n1 error generated.\n");
	CHECK(strstr(text_str(&out), "probes/a.c:2:1: "));
	compile("probes/b.c:3:9: error: expected ')'\nprobes/b.c:3:4: note: to match this '('\n");
	CHECK_STR(text_str(&out), "probes/b.c:3:9: error: expected ')'");
}

/* The user knows the option, and columns of what was given to it. */
TEST(errors_of_expressions)
{
	CHECK_STR(compile("--where:17:3: error: no member named 'x' in 'struct sk_buff'\n"
			  "->x))))) != 0;\n~~^\n"),
		  "--where:17: no member named 'x' in 'struct sk_buff'");
	CHECK_STR(compile("--col rtt:5:3: fatal error: no member named 'x' in 'struct sk_buff'"),
		  "--col rtt:5: no member named 'x' in 'struct sk_buff'");
	/* clang 14, and 16 */
	CHECK_STR(compile("--where:1:27: error: static_assert failed due to requirement '!(1 == 12 "
			  "|| 1 == 13)' \"a structure is no value: name a member of it, with "
			  "'.'\"\n"),
		  "--where:1: a structure is no value: name a member of it, with '.'");
	CHECK_STR(compile("--where:1:27: error: static assertion failed due to requirement "
			  "'!(1 == 12)': an array is no value: give an index, as in member[0]\n"),
		  "--where:1: an array is no value: give an index, as in member[0]");
	CHECK_STR(compile("--where:1:27: error: \n"), "--where:1: ");
}

TEST(no_error)
{
	CHECK_STR(compile(""), "");
	CHECK_STR(compile("\n\n"), "");
	CHECK_STR(compile("a.c:1:1: warning: unused\n1 warning generated.\n"), "");
}

/* A probe's text could carry what drives a terminal. */
TEST(control_bytes)
{
	CHECK_STR(compile("a.c:1:1: error: unknown type name '\033[2J\a'\n"),
		  "a.c:1:1: error: unknown type name '\\x1b[2J\\x07'");
	CHECK_STR(compile("a.c:1:1: error: \tx\r\n"), "a.c:1:1: error: \\x09x\\x0d");
	CHECK_STR(load("\nR1 \033[2J\nprocessed 1 insns\n", EACCES, HOOK_KPROBE),
		  "the kernel's verifier refused it: R1 \\x1b[2J");
}

TEST(the_verifiers_last_line)
{
	CHECK_STR(load("bpf: Failed to load program: Permission denied\n"
		       "; int kprobe__f(void *ctx)\n"
		       "0: (b7) r1 = 0\n"
		       "3: (79) r1 = *(u64 *)(r0 +0)\n"
		       "R0 invalid mem access 'map_value_or_null'\n"
		       "processed 7 insns (limit 1000000) max_states_per_insn 0 total_states 0 "
		       "peak_states 0 mark_read 0\n\n",
		       EACCES, HOOK_KPROBE),
		  "the kernel's verifier refused it: R0 invalid mem access 'map_value_or_null' "
		  "(at \"int kprobe__f(void *ctx)\")");
	CHECK(refused);
}

#define REFUSED_AT(lines)                                                                          \
	load("0: R1=ctx()\n" lines "R0 bad\nprocessed 7 insns\n", EACCES, HOOK_KPROBE)

/* ... and the source's line, of the last instructions that have one. */
TEST(the_line_of_what_the_verifier_refuses)
{
	static const char says[] = "the kernel's verifier refused it: R0 bad";
	char want[128];

	snprintf(want, sizeof(want), "%s (at x.c:16)", says);
	CHECK_STR(REFUSED_AT(";  @ x.c:15\n1: (b7) r1 = 0\n;  @ x.c:16\n2: (7b) *(u64 *)(r0 +0)\n"),
		  want);
	CHECK_STR(REFUSED_AT("; c->seen = 1; @ x.c:16\n2: (7b) *(u64 *)(r0 +0)\n"), want);
	CHECK_STR(REFUSED_AT(";  @ x.c:16\n2: (b7)\n;  @ x.c:0\n3: (b7)\n; \n;\n4: (b7)\n"), want);
	snprintf(want, sizeof(want), "%s (at --where:7)", says);
	CHECK_STR(REFUSED_AT(";  @ --where:7\n2: (7b) *(u64 *)(r0 +0)\n"), want);
	CHECK_STR(REFUSED_AT(""), says);
	CHECK_STR(REFUSED_AT("; \n"), says);
	CHECK_STR(REFUSED_AT(";  @ :5\n;  @ 5\n;  @ x.c:\n;  @ x y:5\n"), says);
}

/* A log that was cut short has no totals. */
TEST(a_verifier_log_without_totals)
{
	CHECK_STR(load("0: (79) r1 = *(u64 *)(r0 +0)\nR0 !read_ok\n", EACCES, HOOK_KPROBE),
		  "the kernel's verifier refused it (Permission denied)");
	CHECK(refused);
	CHECK_STR(load("1: (85) call 999\ninvalid func unknown#999\n", EINVAL, HOOK_TRACEPOINT),
		  "the kernel's verifier refused it (Invalid argument)");
	CHECK(refused);
}

/* The configuration of the kernel is no fault of the probe's. */
TEST(the_kernel_does_not_take_it)
{
	CHECK_STR(load("bpf: Failed to load program: Operation not permitted\n\n", EPERM,
		       HOOK_FENTRY),
		  "the kernel refuses programs of type TRACING (Operation not permitted)");
	CHECK(!refused);
	load("", EPERM, HOOK_FEXIT);
	CHECK(strstr(out.s, "TRACING") && !refused);
	CHECK_STR(load("bpf: Failed to load program: Operation not permitted\n", EPERM,
		       HOOK_KPROBE),
		  "the kernel did not load it: Operation not permitted");
	CHECK(!refused);
	CHECK_STR(load("bpf: vmlinux BTF is not found\n", EINVAL, HOOK_FENTRY),
		  "not in the kernel's BTF, or no BTF");
	CHECK(!refused);
	CHECK_STR(load("bpf: vmlinux BTF is not found\n", EINVAL, HOOK_KPROBE),
		  "the kernel did not load it: Invalid argument");
	CHECK(!refused);
	/* strerror() has the same words, with a capital */
	CHECK_STR(load("bpf: Failed to load program: Invalid argument\n", EINVAL, HOOK_KPROBE),
		  "the kernel did not load it: Invalid argument");
	CHECK(!refused);
	CHECK_STR(load("", ENOMEM, HOOK_RAW_TRACEPOINT),
		  "the kernel did not load it: Cannot allocate memory");
	CHECK(!refused);
}

static const char *excerpt(const char *log)
{
	text_reset(&out);
	diagnose_excerpt(log, &out);
	return text_str(&out);
}

TEST(the_source_line_and_the_caret)
{
	CHECK_STR(excerpt("a.c:1:2: warning: w\nx\n^\na.c:3:9: error: expected expression\n"
			  "int x = ;\n        ^\n1 error generated.\n"),
		  "\nint x = ;\n        ^");
	CHECK_STR(excerpt("a.c:3:9: error: e\n\tint \033x;\n  ~~~^~~\n"),
		  "\n\tint \\x1bx;\n  ~~~^~~");
	/* of clang 19 */
	CHECK_STR(excerpt("a.c:3:9: error: e\n    3 |  int x;\n      |  ~~~^~~\n"),
		  "\n int x;\n ~~~^~~");
	CHECK_STR(excerpt("a.c:12345:9: error: e\n12345 | |\n      | ^\n"), "\n|\n^");
	CHECK_STR(excerpt("a.c:3:9: error: e\n    3 | \n      | ^\n"), "\n\n^");
	CHECK_STR(excerpt("a.c:3:9: error: e\n    3 | x\n      |\n"), "");
	CHECK_STR(excerpt("a.c:3:9: error: e\n    3 |\n      | ^\n"), "");
	CHECK_STR(excerpt("a.c:3:9: error: e\n      | ^\n    3 | x\n"), "");
	/* ... and what looks like that, of clang 14 */
	CHECK_STR(excerpt("a.c:3:9: error: e\n    3 | x\n        ^\n"), "\n    3 | x\n        ^");
	CHECK_STR(excerpt("a.c:3:9: error: e\nint x;\nno caret\n"), "");
	CHECK_STR(excerpt("a.c:3:9: error: e\nint x;\n   \n"), "");
	CHECK_STR(excerpt("a.c:3:9: error: e\nint x;"), "");
	CHECK_STR(excerpt("a.c:3:9: error: e"), "");
	CHECK_STR(excerpt("all is well\n"), "");
	CHECK_STR(excerpt("--where:3:9: error: e\nint x;\n    ^\n"), "");
}
