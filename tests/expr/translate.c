/* SPDX-License-Identifier: MIT */
/*
 * translate [host]: an expression on each line of stdin; for each, on stdout, a function
 * exprN() of them, behind the helpers. As BPF C it gets (skb, sk); with `host`, C for this
 * machine, it gets the values of a, b, x.y and a structure.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bpf/expr.h"

static const struct expr_name host_names[] = {
	{ "a", EXPR_NUMBER, "v[0]", 0 },
	{ "b", EXPR_NUMBER, "v[1]", 0 },
	{ "x.y", EXPR_NUMBER, "v[2]", 0 },
	{ "p", EXPR_POINTER, "p", 0 },
	{ "null", EXPR_POINTER, "(struct thing *)0", 0 },
};

static const struct expr_name bpf_names[] = {
	{ "skb", EXPR_POINTER, "skb", 0 },
	{ "sk", EXPR_POINTER, "sk", 0 },
	{ "tcp", EXPR_POINTER, "(struct tcp_sock *)sk", 0 },
	{ "len", EXPR_NUMBER, "lnk_test_len(skb)", 0 },
};

#define HOST_PARAMETERS "const s64 *v, struct thing *p"
#define BPF_PARAMETERS "struct sk_buff *skb, struct sock *sk"

int main(int argc, char **argv)
{
	bool host = argc > 1 && !strcmp(argv[1], "host");
	const struct expr_name *names = host ? host_names : bpf_names;
	size_t n = host ? sizeof(host_names) / sizeof(host_names[0])
			: sizeof(bpf_names) / sizeof(bpf_names[0]);
	struct expr_error error;
	struct text c = { 0 };
	char line[EXPR_MAX_LENGTH + 2];
	unsigned int needs;
	int i = 0;

	expr_emit_helpers(&c);
	for (; fgets(line, sizeof(line), stdin); i++) {
		line[strcspn(line, "\n")] = '\0';
		text_printf(
			&c,
			"static __always_inline s64 expr%d(%s)\n{\n\treturn\n#line 1 \"--where\"\n",
			i, host ? HOST_PARAMETERS : BPF_PARAMETERS);
		if (expr_translate(line, names, n, &c, &needs, &error)) {
			fprintf(stderr, "%s: column %zu: %s\n", line, error.column, error.message);
			return 1;
		}
		text_puts(&c, ";\n}\n");
	}
	fwrite(text_str(&c), 1, c.len, stdout);
	text_free(&c);
	return 0;
}
