/* SPDX-License-Identifier: MIT */
#include "unit.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bpf/embedded.h"
#include "bpf/hooks.h"

/* "kprobe tcp_rcv@3 fentry b@4": what a scan of the text finds, or "error N: why". */
static const char *scan(const char *text)
{
	static struct text out;
	struct hooks hs = { 0 };
	struct text why = { 0 };
	int err = hooks_scan(&hs, "x.c", text, &why);

	text_reset(&out);
	if (err)
		text_printf(&out, "error %d: %s", -err, text_str(&why));
	for (int i = 0; i < hs.n && !err; i++) {
		CHECK_STR(hs.v[i].symbol, hs.v[i].target);
		CHECK_STR(hs.v[i].file, "x.c");
		CHECK_INT(hs.v[i].prog_fd, -1);
		CHECK_INT(hs.v[i].link_fd, -1);
		CHECK(!hs.v[i].compiled && !hs.v[i].refused);
		text_printf(&out, "%s%s %s@%d", i ? ", " : "", hook_kind_name[hs.v[i].kind],
			    hs.v[i].target, hs.v[i].line);
	}
	CHECK(err || !why.len);
	hooks_free(&hs);
	CHECK_INT(hs.n, 0);
	hooks_free(&hs);
	text_free(&why);
	return text_str(&out);
}

TEST(every_kind_by_its_function_name)
{
	CHECK_STR(scan("int kprobe__a(void *c) { }\n"
		       "int kretprobe__b(void *c) { }\n"
		       "int kfunc__c(void *c) { }\n"
		       "int kretfunc__d(void *c) { }\n"
		       "int raw_tracepoint__e(void *c) { }\n"
		       "int tracepoint__net__f(void *c) { }\n"),
		  "kprobe a@1, kretprobe b@2, fentry c@3, fexit d@4, raw tracepoint e@5, "
		  "tracepoint net:f@6");
}

TEST(every_kind_by_its_macro)
{
	CHECK_STR(scan("KFUNC_PROBE(a, struct sock *sk) { }\n"
		       "KRETFUNC_PROBE(b, int ret)\n{ }\n"
		       "RAW_TRACEPOINT_PROBE(c) { }\n"
		       "TRACEPOINT_PROBE(net, d) { }\n"),
		  "fentry a@1, fexit b@2, raw tracepoint c@4, tracepoint net:d@5");
}

TEST(nothing_to_find)
{
	CHECK_STR(scan(""), "");
	CHECK_STR(scan("\n"), "");
	CHECK_STR(scan("#"), "");
	CHECK_STR(scan("#define"), "");
	CHECK_STR(scan("kprobe__"), "");
	CHECK_STR(scan("\\"), "");
	CHECK_STR(scan("#\\"), "");
	CHECK_STR(scan("#define X \\"), "");
	CHECK_STR(scan("\"abc"), "");
	CHECK_STR(scan("'"), "");
	CHECK_STR(scan("\"\\"), "");
	CHECK_STR(scan("/"), "");
	CHECK_STR(scan("KFUNC_PROBE("), "");
	CHECK_STR(scan("KFUNC_PROBE()"), "");
	CHECK_STR(scan("TRACEPOINT_PROBE(net)"), "");
	CHECK_STR(scan("TRACEPOINT_PROBE(, x)"), "");
	CHECK_STR(scan("TRACEPOINT_PROBE"), "");
}

TEST(names_that_are_no_hooks)
{
	CHECK_STR(scan("static int helper(void) { return 0; }\n"
		       "int kprobe_(void) { }\n"
		       "int kprobe__(void) { }\n"
		       "int my_kprobe__a(void) { }\n"
		       "int KPROBE__a(void) { }\n"
		       "int kprobe__variable;\n"
		       "int tracepoint__net(void) { }\n"
		       "int tracepoint____x(void) { }\n"
		       "int tracepoint__net__(void) { }\n"
		       "MY_KFUNC_PROBE(a) { }\n"
		       "KFUNC_PROBE2(a) { }\n"),
		  "");
}

TEST(underscores_in_the_target)
{
	CHECK_STR(scan("int kprobe____netif_receive_skb_core(void *c) { }\n"), /* __netif... */
		  "kprobe __netif_receive_skb_core@1");
	CHECK_STR(scan("int tracepoint__a___b(void *c) { }\n"), "tracepoint a:_b@1");
	CHECK_STR(scan("int tracepoint__a__b__c(void *c) { }\n"), "tracepoint a:b__c@1");
}

/* libbcc from 0.27 on puts the module's name there. */
TEST(the_module_in_a_kfunc_name)
{
	CHECK_STR(scan("int kfunc__vmlinux__a(void *c) { }\n"
		       "int kretfunc__vmlinux__b(void *c) { }\n"
		       "int kprobe__vmlinux__c(void *c) { }\n"),
		  "fentry a@1, fexit b@2, kprobe vmlinux__c@3");
	CHECK_STR(scan("int kfunc__vmlinux__(void *c) { }\n"), "");
}

TEST(spread_over_lines)
{
	CHECK_STR(scan("KFUNC_PROBE(\n\ttcp_queue_rcv,\n\tstruct sock *sk)\n{\n}\n"
		       "int\nkprobe__b\n(\nvoid *c)\n{\n}\n"
		       "TRACEPOINT_PROBE (\n\tnet\n\t,\n\tx\n)\n{ }\n"),
		  "fentry tcp_queue_rcv@1, kprobe b@7, tracepoint net:x@12");
}

TEST(comments_before_the_parenthesis_and_the_name)
{
	CHECK_STR(scan("int kprobe__a /* why */ (void *c) { }\n"), "kprobe a@1");
	CHECK_STR(scan("KFUNC_PROBE(/* why */ b, int x) { }\n"), "fentry b@1");
	CHECK_STR(scan("TRACEPOINT_PROBE(net, // why\n\tc) { }\n"), "tracepoint net:c@1");
}

TEST(calls_inside_a_function_are_no_hooks)
{
	CHECK_STR(scan("int kprobe__a(void *c)\n{\n\tif (c) {\n\t\tkprobe__b(c);\n\t}\n"
		       "\treturn kprobe__c(c);\n}\n"
		       "int kprobe__d(void *c) { }\n"),
		  "kprobe a@1, kprobe d@8");
	CHECK_STR(scan("BPF_HASH(kprobe__x, u64, u64 (kprobe__y(1)));\n"
		       "int kprobe__z(void *c) { }\n"),
		  "kprobe z@2");
}

TEST(comments)
{
	CHECK_STR(scan("/* int kprobe__a(void *c) */\n"
		       "// int kprobe__b(void *c)\n"
		       "/* /* kprobe__c(x) */ int kprobe__d(void *c) { }\n"
		       "/*/ kprobe__e(x) /*/ int kprobe__f(void *c) { }\n"
		       "/**/ int kprobe__g(void *c) { }\n"
		       "/* { ( \" ' */ int kprobe__h(void *c) { }\n"
		       "// it's \"open\n"
		       "int kprobe__i(void *c) { }\n"
		       "// an /* that opens nothing\n"
		       "int kprobe__j(void *c) { }\n"),
		  "kprobe d@3, kprobe f@4, kprobe g@5, kprobe h@6, kprobe i@8, kprobe j@10");
	CHECK_STR(scan("int kprobe__a(void *c) { }\n/* open\nint kprobe__b(void *c) { }\n"),
		  "kprobe a@1");
	CHECK_STR(scan("int kprobe__a(void *c) { }\n/*"), "kprobe a@1");
	CHECK_STR(scan("int kprobe__a(void *c) { }\n/* *"), "kprobe a@1");
	CHECK_STR(scan("/*\n\n*/\nint kprobe__a(void *c) { }\n"), "kprobe a@4");
}

TEST(literals)
{
	CHECK_STR(scan("char a[] = \"{ ( int kprobe__a(x) \\\" { /* \";\n"
		       "char b = '{', c = '\\'', d = '\"', e = '\\\\';\n"
		       "char f[] = \"\\\\\"; int kprobe__b(void *c) { }\n"
		       "int kprobe__c(void *c) { char q = '('; }\n"
		       "int kprobe__d(void *c) { }\n"),
		  "kprobe b@3, kprobe c@4, kprobe d@5");
	CHECK_STR(scan("char a[] = \"x \\\n kprobe__a(y)\";\nint kprobe__b(void *c) { }\n"),
		  "kprobe b@3");
}

TEST(preprocessor_lines)
{
	CHECK_STR(scan("#define kprobe__a(x) {\n"
		       "  #  define kprobe__b(x) (\n"
		       "\t#error don't { \"\n"
		       "#\n"
		       "#define M(x) { \\\n"
		       "\tkprobe__c(x)\n"
		       "int kprobe__d(void *c) { }\n"
		       "#define N \\\n\\\n\\\n(\n"
		       "int kprobe__e(void *c) { }\n"),
		  "kprobe d@7, kprobe e@12");
}

/* The head of the text is the head of a line too. */
TEST(a_preprocessor_line_at_the_head)
{
	CHECK_STR(scan("#define kprobe__a(x) (\nint kprobe__b(void *c) { }\n"), "kprobe b@2");
	CHECK_STR(scan("#define M(x) \\\n\tkprobe__a(x) {\nint kprobe__b(void *c) { }\n"),
		  "kprobe b@3");
	CHECK_STR(scan("  #define kprobe__a(x) (\nint kprobe__b(void *c) { }\n"), "kprobe b@2");
	CHECK_STR(scan("#define A 1 /* a\n comment ( */\nint kprobe__b(void *c) { }\n"),
		  "kprobe b@3");
}

TEST(comments_in_preprocessor_lines)
{
	/* a comment does not end the line that it stands in */
	CHECK_STR(scan("\n#define M /* why */ kprobe__a(x) {\nint kprobe__b(void *c) { }\n"),
		  "kprobe b@3");
	CHECK_STR(
		scan("\n#define M /* over\nlines */ kprobe__a(x) {\nint kprobe__b(void *c) { }\n"),
		"kprobe b@4");
	CHECK_STR(scan("\n/* before */ #define M kprobe__a(x) {\nint kprobe__b(void *c) { }\n"),
		  "kprobe b@3");
	/* and neither of these begins one */
	CHECK_STR(scan("\n#define M 1 // not a /* here\nint kprobe__b(void *c) { }\n"),
		  "kprobe b@3");
	CHECK_STR(scan("\n#define M \"/*\"\nint kprobe__b(void *c) { }\n"), "kprobe b@3");
}

TEST(carriage_returns)
{
	CHECK_STR(scan("/* c */\r\n#define M(x) \\\r\n\tkprobe__a(x) {\r\n"
		       "int kprobe__b(void *c)\r\n{\r\n}\r\n"
		       "KFUNC_PROBE(\r\n\tc,\r\n\tint x)\r\n{\r\n}\r\n"
		       "TRACEPOINT_PROBE(net,\r\n\td)\r\n{\r\n}\r\n"
		       "int kprobe__e\r\n(void *c)\r\n{\r\n}\r\n"),
		  "kprobe b@4, fentry c@7, tracepoint net:d@12, kprobe e@16");
}

/* Both branches are found; the one that the compiler leaves out gets no program. */
TEST(conditional_parts)
{
	CHECK_STR(scan("#if 0\nint kprobe__a(void *c) { }\n#else\n"
		       "int kprobe__b(void *c) { }\n#endif\n"),
		  "kprobe a@2, kprobe b@4");
	CHECK_STR(scan("#if X\nint kprobe__a(void *c) { }\n#else\n"
		       "int kprobe__a(void *c) { }\n#endif\n"),
		  "kprobe a@2");
	CHECK_STR(scan("int kprobe__a(void *c);\nint kprobe__a(void *c) { }\n"), "kprobe a@1");
}

/* Each branch opens the one brace that is closed after the #endif. */
TEST(braces_in_both_branches)
{
	CHECK_STR(
		scan("\n#if X\nint kprobe__a(void *c) {\n#else\nint kprobe__b(void *c) {\n#endif\n"
		     "}\nint kprobe__d(void *c) { }\n"),
		"kprobe a@3, kprobe b@5, kprobe d@8");
	CHECK_STR(scan("\n#if 0\nopen { (\n#endif\nint kprobe__d(void *c) { }\n"), "kprobe d@5");
	CHECK_STR(scan("\n#if 0\nthis isn't C } } ) {\n#endif\nint kprobe__d(void *c) { }\n"),
		  "kprobe d@5");
}

TEST(names_at_the_limit)
{
	char name[300], text[400], want[400];

	/* the longest target that a hook holds */
	for (size_t n = HOOK_TARGET_MAX - 2; n <= HOOK_TARGET_MAX; n++) {
		memset(name, 'n', n);
		name[n] = '\0';
		snprintf(text, sizeof(text), "RAW_TRACEPOINT_PROBE(%s) { }\n", name);
		snprintf(want, sizeof(want), "raw tracepoint %s@1", name);
		CHECK_STR(scan(text), n < HOOK_TARGET_MAX ? want : "");
	}
	/* with category and colon */
	for (size_t n = 124; n <= 127; n++) {
		memset(name, 'n', n);
		name[n] = '\0';
		snprintf(text, sizeof(text), "TRACEPOINT_PROBE(a, %s) { }\n", name);
		snprintf(want, sizeof(want), "tracepoint a:%s@1", name);
		CHECK_STR(scan(text), n + 2 < HOOK_TARGET_MAX ? want : "");
	}
	memset(name, 'n', 290);
	name[290] = '\0';
	snprintf(text, sizeof(text), "int kprobe__%s(void *c) { }\nint kprobe__b(void *c) { }\n",
		 name);
	CHECK_STR(scan(text), "kprobe b@2");
	snprintf(text, sizeof(text), "KFUNC_PROBE(%s, int x) { }\nint kprobe__b(void *c) { }\n",
		 name);
	CHECK_STR(scan(text), "kprobe b@2");
}

TEST(as_many_as_there_are_numbers)
{
	struct hooks hs = { 0 };
	struct text t = { 0 }, why = { 0 };

	for (int i = 0; i < LNK_MAX_HOOKS; i++)
		text_printf(&t, "int kprobe__f%d(void *c) { }\n", i);
	CHECK_INT(hooks_scan(&hs, "many.c", text_str(&t), &why), 0);
	CHECK_INT(hs.n, LNK_MAX_HOOKS);
	CHECK_STR(hs.v[LNK_MAX_HOOKS - 1].target, "f127");
	/* once more is the same hooks, one more is too much */
	CHECK_INT(hooks_scan(&hs, "many.c", text_str(&t), &why), 0);
	CHECK_INT(hs.n, LNK_MAX_HOOKS);
	CHECK_INT(hooks_scan(&hs, "more.c", "\nint kprobe__g(void *c) { }\n", &why), -E2BIG);
	CHECK_STR(text_str(&why), "more.c:2: more than 128 probe functions");
	hooks_free(&hs);
	text_free(&t);
	text_free(&why);
}

TEST(thousands_of_functions)
{
	struct text t = { 0 };

	for (int i = 0; i < 20000; i++)
		text_printf(&t, "int helper%d(int a) { return (a) + %d; /* { */ }\n", i, i);
	text_puts(&t, "int kprobe__last(void *c) { }\n");
	CHECK_STR(scan(text_str(&t)), "kprobe last@20001");
	text_reset(&t);
	for (int i = 0; i < 5000; i++)
		text_printf(&t, "int kprobe__f%d(void *c) { }\n", i);
	CHECK_STR(scan(text_str(&t)), "error 7: x.c:129: more than 128 probe functions");
	text_free(&t);
}

TEST(the_same_hook_in_two_files)
{
	struct hooks hs = { 0 };
	struct text why = { 0 };

	CHECK_INT(hooks_scan(&hs, "a.c", "\nint kprobe__f(void *c) { }\n", &why), 0);
	CHECK_INT(hooks_scan(&hs, "b.c", "int kretprobe__f(void *c) { }\n", &why), 0);
	CHECK_INT(hooks_scan(&hs, "b.c", "\n\nint kprobe__f(void *c) { }\n", &why), -EEXIST);
	CHECK_STR(text_str(&why), "b.c:3: kprobe f stands in a.c:2 already");
	CHECK_INT(hs.n, 2);
	hooks_free(&hs);
	text_free(&why);
}

TEST(finding)
{
	char name[8 + HOOK_TARGET_MAX + 1];
	struct hooks hs = { 0 };
	struct text why = { 0 };

	hooks_scan(&hs, "a.c",
		   "KFUNC_PROBE(f, int x) { }\nint kprobe__f(void *c) { }\n"
		   "TRACEPOINT_PROBE(net, f) { }\nRAW_TRACEPOINT_PROBE(f) { }\n",
		   &why);
	CHECK_INT(hs.n, 4);
	CHECK_INT(hooks_find(&hs, HOOK_FENTRY, "f"), 0);
	CHECK_INT(hooks_find(&hs, HOOK_KPROBE, "f"), 1);
	CHECK_INT(hooks_find(&hs, HOOK_TRACEPOINT, "net:f"), 2);
	CHECK_INT(hooks_find(&hs, HOOK_TRACEPOINT, "f"), -1);
	CHECK_INT(hooks_find(&hs, HOOK_FEXIT, "f"), -1);
	CHECK_INT(hooks_find(&hs, HOOK_KPROBE, "ff"), -1);
	CHECK_INT(hooks_find_function(&hs, "kfunc__f"), 0);
	CHECK_INT(hooks_find_function(&hs, "kfunc__vmlinux__f"), 0);
	CHECK_INT(hooks_find_function(&hs, "kprobe__f"), 1);
	CHECK_INT(hooks_find_function(&hs, "tracepoint__net__f"), 2);
	CHECK_INT(hooks_find_function(&hs, "raw_tracepoint__f"), 3);
	CHECK_INT(hooks_find_function(&hs, "f"), -1);
	/* longer than any target: what libbcc compiled is not bound by our scan */
	strcpy(name, "kprobe__");
	memset(name + 8, 'f', HOOK_TARGET_MAX);
	name[8 + HOOK_TARGET_MAX] = '\0';
	CHECK_INT(hooks_find_function(&hs, name), -1);
	CHECK_INT(hooks_find_function(&hs, ""), -1);
	CHECK_INT(hooks_find_function(&hs, "kprobe__"), -1);
	hooks_free(&hs);
	CHECK_INT(hooks_find(&hs, HOOK_KPROBE, "f"), -1);
}

TEST(what_is_given_to_the_compiler)
{
	static const char *const names[] = {
		"kprobe____f",
		"____kfunc__g",
		"____kfunc__vmlinux__g",
		"____kretfunc__h",
		"____kretfunc__vmlinux__h",
		"tracepoint__net__i",
		"raw_tracepoint__j",
		"kretprobe__k",
	};
	struct text why = { 0 }, out = { 0 }, want = { 0 };
	struct hooks hs = { 0 };
	const char *at;

	hooks_scan(&hs, "a.c",
		   "int kprobe____f(void *c) { }\nKFUNC_PROBE(g) { }\nKRETFUNC_PROBE(h) { }\n"
		   "TRACEPOINT_PROBE(net, i) { }\nRAW_TRACEPOINT_PROBE(j) { }\n"
		   "int kretprobe__k(void *c) { }\n",
		   &why);
	hooks_emit(&hs, &out);
	at = strstr(text_str(&out), "\n{\n");
	CHECK_STR(at, "\n{\n"
		      "\tif (!__builtin_strcmp(f, \"kprobe____f\"))\n\t\treturn 0;\n"
		      "\tif (!__builtin_strcmp(f, \"____kfunc__g\"))\n\t\treturn 1;\n"
		      "\tif (!__builtin_strcmp(f, \"____kfunc__vmlinux__g\"))\n\t\treturn 1;\n"
		      "\tif (!__builtin_strcmp(f, \"____kretfunc__h\"))\n\t\treturn 2;\n"
		      "\tif (!__builtin_strcmp(f, \"____kretfunc__vmlinux__h\"))\n\t\treturn 2;\n"
		      "\tif (!__builtin_strcmp(f, \"tracepoint__net__i\"))\n\t\treturn 3;\n"
		      "\tif (!__builtin_strcmp(f, \"raw_tracepoint__j\"))\n\t\treturn 4;\n"
		      "\tif (!__builtin_strcmp(f, \"kretprobe__k\"))\n\t\treturn 5;\n"
		      "\treturn LNK_MAX_HOOKS;\n}\n");
	/* and any other name is an error: each of them stands in the condition */
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		text_reset(&want);
		text_printf(&want, " && __builtin_strcmp(f, \"%s\")", names[i]);
		if (!CHECK(strstr(text_str(&out), want.s)))
			CHECK_STR(text_str(&out), want.s);
	}
	text_reset(&out);
	hook_describe(&hs.v[3], &out);
	CHECK_STR(text_str(&out), "tracepoint net:i");
	strcpy(hs.v[0].symbol, "__f.constprop.0");
	text_reset(&out);
	hook_describe(&hs.v[0], &out);
	CHECK_STR(text_str(&out), "kprobe __f.constprop.0");
	hooks_free(&hs);
	text_free(&out);
	text_free(&want);
}

/* The descriptors of a hook are its own. */
TEST(freeing_closes)
{
	struct hooks hs = { 0 };
	struct text why = { 0 };
	int pair[2];

	hooks_scan(&hs, "a.c", "int kprobe__f(void *c) { }\n", &why);
	if (!CHECK_INT(pipe(pair), 0))
		return;
	hs.v[0].prog_fd = pair[0];
	hs.v[0].link_fd = pair[1];
	text_puts(&hs.v[0].why, "why");
	text_puts(&hs.v[0].log, "log");
	hooks_free(&hs);
	CHECK_INT(fcntl(pair[0], F_GETFD), -1);
	CHECK_INT(fcntl(pair[1], F_GETFD), -1);
}

TEST(the_probes_of_the_tree)
{
	static const char *const want[] = {
		"fentry ip_local_deliver",
		"fentry ip6_input",
		"kprobe ip_local_deliver",
		"kprobe ip6_input",
		"raw tracepoint netif_receive_skb",
		"tracepoint net:netif_receive_skb",
		"kprobe __netif_receive_skb_core",
		"fentry sock_def_readable",
		"kprobe sock_def_readable",
		"raw tracepoint sk_data_ready",
		"fentry tcp_queue_rcv",
		"kprobe tcp_queue_rcv",
		"fentry tcp_v4_do_rcv",
		"fentry tcp_v6_do_rcv",
		"kprobe tcp_v4_do_rcv",
		"kprobe tcp_v6_do_rcv",
		"raw tracepoint tcp_probe",
	};
	struct text why = { 0 }, t = { 0 };
	struct hooks hs = { 0 };
	size_t len;

	for (int i = 0; embedded_files[i].name; i++) {
		len = strlen(embedded_files[i].name);
		if (embedded_files[i].name[len - 1] == 'c')
			CHECK_INT(hooks_scan(&hs, embedded_files[i].name, embedded_files[i].text,
					     &why),
				  0);
	}
	for (size_t i = 0; i < sizeof(want) / sizeof(want[0]); i++) {
		if (!CHECK((int)i < hs.n))
			break;
		text_reset(&t);
		hook_describe(&hs.v[i], &t);
		CHECK_STR(text_str(&t), want[i]);
	}
	CHECK_INT(hs.n, sizeof(want) / sizeof(want[0]));
	hooks_free(&hs);
	text_free(&t);
}
