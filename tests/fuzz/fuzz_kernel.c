/* SPDX-License-Identifier: MIT */
/* What the kernel says of itself in text: kallsyms, tracefs formats, lists of CPUs. */
#include "fuzz.h"

static const char *kallsyms;

static FILE *open_kallsyms(void)
{
	/* fmemopen() takes no empty buffer */
	return *kallsyms ? fmemopen((void *)kallsyms, strlen(kallsyms), "r") : tmpfile();
}

#include <unistd.h>
#define fopen(path, mode) open_kallsyms()
/* the file itself: what is looked at is static in it */
#include "bpf/kernel.c" // NOLINT(bugprone-suspicious-include)
#undef fopen

#include "bpf/cpus.h"

#define MAX_LIST 40 /* bytes; each may name 65536 CPUs */

static void symbols(struct input *in)
{
	char *name = take_string(in), *text, symbol[64];
	uint64_t address = take_number(in, 8), at = 1;
	bool any_suffix = take_number(in, 1) & 1;
	struct text out = { 0 };

	text = take_string(in);
	kallsyms = text;
	if (!kernel_find_symbol(name, any_suffix, symbol, sizeof(symbol), &at)) {
		REQUIRE(!strncmp(symbol, name, strlen(name)) && strlen(symbol) < sizeof(symbol));
		REQUIRE(any_suffix || !strcmp(symbol, name));
		REQUIRE(strstr(text, symbol));
	}
	kernel_symbol_at(address, &out);
	REQUIRE(!out.len || strstr(out.s, "+0x"));
	text_free(&out);
	free(text);
	free(name);
}

static void format(struct input *in)
{
	char *field = take_string(in), *text = take_string(in);

	REQUIRE(tracepoint_offset(text, field) < 4096);
	free(text);
	free(field);
}

static int last_cpu, highest_cpu;

static void use_cpu(void *arg, int cpu)
{
	(void)arg;
	last_cpu = cpu;
	if (cpu > highest_cpu)
		highest_cpu = cpu;
}

static void cpus(struct input *in)
{
	char *list = take_string(in);
	int n;

	if (strlen(list) > MAX_LIST)
		list[MAX_LIST] = '\0';
	last_cpu = highest_cpu = -1;
	n = cpus_parse(list, use_cpu, NULL);
	REQUIRE(n == -EINVAL || (n == highest_cpu + 1 && n >= 1 && last_cpu >= 0));
	REQUIRE(cpus_parse(list, NULL, NULL) == n);
	free(list);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct input in = { data, size };

	switch (take_number(&in, 1) % 3) {
	case 0:
		symbols(&in);
		break;
	case 1:
		format(&in);
		break;
	case 2:
		cpus(&in);
		break;
	}
	return 0;
}
