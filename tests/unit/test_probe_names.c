/* SPDX-License-Identifier: MIT */
/* The names of expressions: each once, documented, and as the probes and the columns have
 * them. */
#include "unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "bpf/embedded.h"
#include "bpf/names.h"
#include "sink/columns.h"

static const char *embedded(const char *name)
{
	for (int i = 0; embedded_files[i].name; i++)
		if (!strcmp(embedded_files[i].name, name))
			return embedded_files[i].text;
	return "";
}

TEST(each_is_there_once)
{
	for (size_t i = 0; i < probe_name_count; i++) {
		CHECK(probe_name_find(probe_names[i].name) == &probe_names[i]);
		CHECK(*probe_names[i].help && *probe_names[i].c);
		/* a pointer is there where its structure is */
		CHECK(!probe_names[i].pointer || probe_names[i].needs == KNOWS_SKB ||
		      probe_names[i].needs == KNOWS_SOCK);
	}
	CHECK(!probe_name_find("nosuch"));
	CHECK(!probe_name_find(""));
	CHECK(!probe_name_find("tcp"));
}

/* What a column collects is a name, and says so where the value can be unknown. */
TEST(columns_collect_names)
{
	for (int i = 0; i < column_count; i++)
		for (int k = 0; k < 2; k++)
			if (column_table[i].field[k] &&
			    !CHECK(probe_name_find(column_table[i].field[k]) != NULL))
				fprintf(stderr, "  %s\n", column_table[i].field[k]);
}

/* Every function that a name calls is in the probes. */
TEST(functions_are_there)
{
	char name[64], want[128];
	const char *p;
	size_t n;

	for (size_t i = 0; i < probe_name_count; i++) {
		for (p = probe_names[i].c; (p = strstr(p, "lnk_")); p += n) {
			n = strspn(p, "abcdefghijklmnopqrstuvwxyz_0123456789");
			snprintf(name, sizeof(name), "%.*s", (int)n, p);
			snprintf(want, sizeof(want), "%s(const struct lnk_call *call", name);
			if (p[n] == '(' && !CHECK(strstr(embedded("names.h"), want)))
				fprintf(stderr, "  %s\n", name);
		}
	}
}

TEST(what_is_known_has_the_same_bits)
{
	static const struct {
		const char *name;
		unsigned int bit;
	} bits[] = { { "SKB", KNOWS_SKB },
		     { "SOCK", KNOWS_SOCK },
		     { "PACKET", KNOWS_PACKET },
		     { "IPV4", KNOWS_IPV4 },
		     { "IPV6", KNOWS_IPV6 } };
	char want[64];

	for (size_t i = 0; i < sizeof(bits) / sizeof(bits[0]); i++) {
		snprintf(want, sizeof(want), "\n#define LNK_KNOWS_%s %u ", bits[i].name,
			 bits[i].bit);
		CHECK(strstr(embedded("packet.h"), want) != NULL);
	}
}
