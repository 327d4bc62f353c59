/* SPDX-License-Identifier: MIT */
#include "unit.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "base/text.h"
#include "bpf/cpus.h"

static void note(void *arg, int cpu)
{
	text_printf(arg, " %d", cpu);
}

/* "4: 0 1 3": the count, and each CPU. */
static const char *parse(const char *list)
{
	static struct text used, t;
	int n;

	text_reset(&used);
	text_reset(&t);
	n = cpus_parse(list, note, &used);
	CHECK_INT(cpus_parse(list, NULL, NULL), n);
	text_printf(&t, "%d:%s", n, n < 0 ? "" : text_str(&used));
	return text_str(&t);
}

TEST(lists)
{
	CHECK_STR(parse("0"), "1: 0");
	CHECK_STR(parse("0\n"), "1: 0");
	CHECK_STR(parse("0-3\n"), "4: 0 1 2 3");
	CHECK_STR(parse("0-0"), "1: 0");
	CHECK_STR(parse("0-1,4,6-7\n"), "8: 0 1 4 6 7");
	CHECK_STR(parse("5"), "6: 5");
	CHECK_STR(parse("7,2"), "8: 7 2");
	CHECK_STR(parse("65535"), "65536: 65535");
	CHECK_INT(cpus_parse("0-65535", NULL, NULL), 65536);
}

TEST(no_lists)
{
	static const char *const lists[] = {
		"",
		"\n",
		" 0",
		"0 ",
		"-1",
		"0-",
		"0-\n",
		"-",
		",",
		"0,",
		"0,\n",
		",0",
		"0,,1",
		"3-1",
		"a",
		"0x1",
		"0-1-2",
		"0;1",
		"+1",
		"0.5",
		"65536",
		"0-65536",
		"99999999999999999999",
		"0-99999999999999999999",
		"0-a",
		"0--1",
	};
	char einval[16];

	strcpy(einval, "-22:");
	for (size_t i = 0; i < sizeof(lists) / sizeof(lists[0]); i++)
		if (!CHECK_STR(parse(lists[i]), einval))
			CHECK_STR(lists[i], "the list in question");
}

struct count {
	int n, top;
};

static void count(void *arg, int cpu)
{
	struct count *c = arg;

	c->n++;
	c->top = cpu > c->top ? cpu : c->top;
}

TEST(this_machine)
{
	struct count c = { 0, -1 };

	CHECK_INT(cpus_online(count, &c), 0);
	CHECK_INT(c.n, sysconf(_SC_NPROCESSORS_ONLN));
	CHECK(cpus_possible() > c.top);
	CHECK(cpus_possible() >= sysconf(_SC_NPROCESSORS_CONF));
	CHECK_INT(cpus_online(NULL, NULL), 0);
}
